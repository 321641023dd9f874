/* A fork while another thread is at work, and what a child does with each kind of handle. argv[1] is a folder to work in. */

#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that waits for a thread which it does not have is ended by the alarm. */
#define CHILD_SECONDS 120

static pid_t forked(void) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) alarm(CHILD_SECONDS);
  return child;
}

static void wait_for(pid_t child) {
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static atomic_bool ended;

static void *steps(void *stmt) {
  bool row;
  sealite_status status;
  /* Busy where the other thread looks whether this one is inside. */
  while ((status = sealite_stmt_step((sealite_stmt *)stmt, &row, NULL)) == SEALITE_BUSY) sched_yield();
  CHECK(status == SEALITE_INTERRUPTED);
  atomic_store(&ended, true);
  return NULL;
}

/* A thread is inside a step at the fork: the child is told so, and not that the statement is busy. */
static void statement_in_use(sealite_vault *vault) {
  sealite_connection *connection;
  sealite_stmt *stmt;
  pthread_t thread;
  bool row;
  OK(sealite_vault_connect(vault, &connection, &error));
  OK(sealite_connection_prepare(connection,
                                T("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"),
                                &stmt, NULL, &error));
  CHECK(pthread_create(&thread, NULL, steps, stmt) == 0);
  size_t count;
  while (sealite_stmt_column_count(stmt, &count, NULL) != SEALITE_BUSY) sched_yield();
  pid_t child = forked();
  if (child == 0) {
    GIVES(SEALITE_FORKED, sealite_stmt_step(stmt, &row, &error));
    GIVES(SEALITE_FORKED, sealite_stmt_column_count(stmt, &count, &error));
    CHECK(strcmp(sealite_status_name(SEALITE_FORKED), "forked") == 0 && strlen(sealite_token_pattern()) > 0);
    sealite_stmt_free(stmt);
    sealite_connection_free(connection);
    _exit(0);
  }
  wait_for(child);
  /* Again and again: what has not begun yet isn't interrupted. */
  while (!atomic_load(&ended)) {
    OK(sealite_connection_interrupt(connection, &error));
    sched_yield();
  }
  CHECK(pthread_join(thread, NULL) == 0);
  OK(sealite_stmt_column_count(stmt, &count, &error));
  CHECK(count == 1);
  sealite_stmt_free(stmt);
  sealite_connection_free(connection);
}

/* Every kind of handle that reaches a vault. */
struct all {
  sealite_vault *vault;
  sealite_table *table;
  sealite_field *field;
  sealite_settings *settings;
  sealite_quotas *quotas;
  sealite_limits *limits;
  sealite_approvals *approvals;
  sealite_approval_request *request;
  sealite_audit *audit;
  sealite_entry *entry;
  sealite_tokens *tokens;
  sealite_token_request *token;
};

static struct all made(sealite_vault *vault) {
  struct all all = {.vault = vault, .table = people(vault)};
  OK(sealite_vault_field(vault, T("users.email"), &all.field, &error));
  OK(sealite_vault_settings(vault, &all.settings, &error));
  OK(sealite_vault_quotas(vault, &all.quotas, &error));
  OK(sealite_limits_create(&all.limits, &error));
  OK(sealite_limits_parse(all.limits, T("100000/day"), &error));
  OK(sealite_vault_approvals(vault, &all.approvals, &error));
  OK(sealite_approval_request_create(T("delete"), T("{}"), T("ada"), &all.request, &error));
  OK(sealite_vault_audit(vault, &all.audit, &error));
  OK(sealite_entry_create(T("user.login"), &all.entry, &error));
  OK(sealite_vault_tokens(vault, &all.tokens, &error));
  OK(sealite_token_request_create(SEALITE_TOKEN_SESSION, &all.token, &error));
  sealite_setting_definition *definition;
  sealite_value ten = sealite_integer(10);
  OK(sealite_setting_definition_create(T("limit"), SEALITE_INTEGER, &definition, &error));
  OK(sealite_setting_definition_set_default(definition, &ten, &error));
  OK(sealite_settings_define(all.settings, definition, NULL, &error));
  sealite_setting_definition_free(definition);
  return all;
}

static void freed(struct all *all) {
  sealite_table_free(all->table);
  sealite_field_free(all->field);
  sealite_settings_free(all->settings);
  sealite_quotas_free(all->quotas);
  sealite_limits_free(all->limits);
  sealite_approvals_free(all->approvals);
  sealite_approval_request_free(all->request);
  sealite_audit_free(all->audit);
  sealite_entry_free(all->entry);
  sealite_tokens_free(all->tokens);
  sealite_token_request_free(all->token);
}

/* Uses each, and goes by CHECKED what it says. */
#define USE(all, CHECKED)                                                                                          \
  do {                                                                                                             \
    uint64_t count_;                                                                                               \
    int64_t seq_;                                                                                                  \
    sealite_decision decision_;                                                                                    \
    sealite_rows *rows_ = NULL;                                                                                    \
    sealite_bytes *bytes_ = NULL;                                                                                  \
    sealite_value ada_ = sealite_text(T("ada@example.org"));                                                       \
    CHECKED(sealite_table_count((all)->table, &count_, &error));                                                   \
    CHECKED(sealite_field_seal((all)->field, &ada_, NULL, &bytes_, &error));                                       \
    sealite_bytes_free(bytes_);                                                                                    \
    CHECKED(sealite_settings_read((all)->settings, T("limit"), &rows_, &error));                                   \
    sealite_rows_free(rows_);                                                                                      \
    CHECKED(sealite_quotas_check_and_charge((all)->quotas, T("a"), (all)->limits, 1, &decision_, &error));         \
    CHECKED(sealite_approvals_ask((all)->approvals, (all)->request, &bytes_, &error));                             \
    sealite_bytes_free(bytes_);                                                                                    \
    CHECKED(sealite_audit_append((all)->audit, (all)->entry, &seq_, &error));                                      \
    CHECKED(sealite_tokens_issue((all)->tokens, (all)->token, &bytes_, &rows_, &error));                           \
    sealite_bytes_free(bytes_);                                                                                    \
    sealite_rows_free(rows_);                                                                                      \
  } while (0)

/* Idle at the fork, each serves both; a snapshot stays the parent's, and what it held keeps the child from the vault. */
static void every_kind(sealite_vault *vault) {
  struct all all = made(vault);
  USE(&all, OK);
  sealite_bytes *text;
  sealite_rows *token;
  OK(sealite_tokens_issue(all.tokens, all.token, &text, &token, &error));
  OK(sealite_prepare_fork(&error));
  pid_t child = forked();
  if (child == 0) {
    USE(&all, OK);
    sealite_value key = cell(token, 0, "quota_key"), scopes = cell(token, 0, "scopes");
    CHECK(key.length == 30 && scopes.length == 0);
    sealite_rows_free(token);
    _exit(0);
  }
  wait_for(child);
  USE(&all, OK);
  sealite_rows_free(token);
  sealite_bytes_free(text);

  sealite_snapshot *snapshot;
  sealite_table *table;
  uint64_t count;
  OK(sealite_vault_snapshot(vault, &snapshot, &error));
  OK(sealite_snapshot_table(snapshot, T("people"), &table, &error));
  child = forked();
  if (child == 0) {
    sealite_table *another;
    GIVES(SEALITE_FORKED, sealite_table_count(table, &count, &error));
    GIVES(SEALITE_FORKED, sealite_snapshot_table(snapshot, T("people"), &another, &error));
    GIVES(SEALITE_FORKED, sealite_settings_read(all.settings, T("limit"), &token, &error));
    CHECK(token == NULL);
    sealite_table_free(table);
    sealite_snapshot_free(snapshot);
    freed(&all);
    _exit(0);
  }
  wait_for(child);
  OK(sealite_table_count(table, &count, &error));
  sealite_table_free(table);
  sealite_snapshot_free(snapshot);
  USE(&all, OK);
  freed(&all);
}

#define THREADS 4
#define CHILDREN 12

static struct all inside;
static atomic_bool stop;
static atomic_int begun;

/* A call that ends: it works, or is refused as the parent's, or as another's turn. */
#define ENDS(call)                                                                             \
  do {                                                                                         \
    sealite_error *error = NULL;                                                               \
    sealite_status ended_ = (call);                                                            \
    if (ended_ != SEALITE_OK && ended_ != SEALITE_FORKED && ended_ != SEALITE_BUSY) {          \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, sealite_error_message(error));        \
      exit(1);                                                                                 \
    }                                                                                          \
    sealite_error_free(error);                                                                 \
  } while (0)

static void *calls(void *nothing) {
  (void)nothing;
  while (!atomic_load(&stop)) {
    USE(&inside, ENDS);
    atomic_fetch_add(&begun, 1);
  }
  return NULL;
}

/* Other threads are inside calls of every kind at each fork: those of the child end, and it opens the file anew. */
static void in_calls(sealite_vault *vault, const char *path) {
  pthread_t threads[THREADS];
  inside = made(vault);
  for (int n = 0; n < THREADS; n++) CHECK(pthread_create(&threads[n], NULL, calls, NULL) == 0);
  while (atomic_load(&begun) < THREADS) sched_yield();
  for (int n = 0; n < CHILDREN; n++) {
    pid_t child = forked();
    if (child == 0) {
      USE(&inside, ENDS);
      freed(&inside);
      sealite_vault_free(vault);
      sealite_unlock *unlock = key_unlock();
      OK(sealite_vault_open(T(path), unlock, NULL, &vault, &error));
      sealite_unlock_free(unlock);
      sealite_table *table = people(vault);
      uint64_t count;
      OK(sealite_table_count(table, &count, &error));
      sealite_table_free(table);
      sealite_vault_free(vault);
      _exit(0);
    }
    wait_for(child);
  }
  atomic_store(&stop, true);
  for (int n = 0; n < THREADS; n++) CHECK(pthread_join(threads[n], NULL) == 0);
  USE(&inside, OK);
  freed(&inside);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/fork.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  sealite_unlock_free(unlock);
  define_people(vault);
  statement_in_use(vault);
  every_kind(vault);
  in_calls(vault, path);
  sealite_vault_free(vault);
  return done();
}
