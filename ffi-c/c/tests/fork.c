/* A forked child has its parent's handles. argv[1] is a folder to work in. */

#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

static void wait_for(pid_t child) {
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* A vault that is idle at the fork serves both. */
static void idle_vault(sealite_vault *vault) {
  sealite_table *table = people(vault);
  uint64_t count;
  insert_person(table, "parent@example.org", NULL);
  OK(sealite_prepare_fork(&error));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    OK(sealite_table_count(table, &count, &error));
    CHECK(count == 1);
    insert_person(table, "child@example.org", NULL);
    _exit(0);
  }
  wait_for(child);
  OK(sealite_table_count(table, &count, &error));
  CHECK(count == 2);
  sealite_table_free(table);
}

/* What was open stays the parent's: the child is told so, and harms nothing by freeing it. */
static void open_transaction(sealite_vault *vault) {
  sealite_table *table = people(vault), *inside;
  sealite_transaction *transaction;
  sealite_cursor *cursor;
  uint64_t count;
  OK(sealite_vault_begin(vault, &transaction, &error));
  OK(sealite_transaction_table(transaction, T("people"), &inside, &error));
  insert_person(inside, "open@example.org", NULL);
  OK(sealite_table_scan(table, &cursor, &error));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    sealite_rows *rows;
    GIVES(SEALITE_FORKED, sealite_table_count(inside, &count, &error));
    GIVES(SEALITE_FORKED, sealite_cursor_next(cursor, &rows, &error));
    GIVES(SEALITE_FORKED, sealite_transaction_commit(transaction, &error));
    GIVES(SEALITE_FORKED, sealite_table_count(table, &count, &error));
    sealite_transaction_free(transaction);
    sealite_cursor_free(cursor);
    _exit(0);
  }
  wait_for(child);
  OK(sealite_transaction_commit(transaction, &error));
  OK(sealite_table_count(table, &count, &error));
  CHECK(count == 3);
  sealite_cursor_free(cursor);
  sealite_table_free(inside);
  sealite_transaction_free(transaction);
  sealite_table_free(table);
}

static int64_t counted(sealite_stmt *stmt) {
  bool row;
  sealite_value value;
  OK(sealite_stmt_step(stmt, &row, &error));
  OK(sealite_stmt_value(stmt, 0, &value, &error));
  int64_t count = value.integer;
  OK(sealite_stmt_reset(stmt, &error));
  return count;
}

/* A connection and statements that are idle serve both, with what was bound. */
static void idle_connection(sealite_vault *vault) {
  sealite_connection *connection;
  sealite_stmt *count, *insert;
  uint64_t opened;
  OK(sealite_vault_connect(vault, &connection, &error));
  OK(sealite_connection_prepare(connection, T("SELECT count(*) FROM people"), &count, NULL, &error));
  OK(sealite_connection_prepare(connection, T("INSERT INTO people (email) VALUES (?)"), &insert, NULL, &error));
  int64_t before = counted(count);
  sealite_value of_parent = sealite_text(T("parent2@example.org")), of_child = sealite_text(T("child2@example.org")),
                bound = sealite_text(T("bound@example.org"));
  OK(sealite_stmt_bind(insert, 1, &bound, &error));
  OK(sealite_prepare_fork(&error));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    bool row;
    OK(sealite_stmt_step(insert, &row, &error));
    OK(sealite_stmt_execute(insert, &of_child, 1, NULL, &error));
    CHECK(counted(count) == before + 2);
    OK(sealite_connection_opened(connection, &opened, &error));
    CHECK(opened == 2);
    sealite_stmt_free(insert);
    sealite_connection_free(connection);
    _exit(0);
  }
  wait_for(child);
  bool row;
  GIVES(SEALITE_CONFLICT, sealite_stmt_step(insert, &row, &error));
  OK(sealite_stmt_execute(insert, &of_parent, 1, NULL, &error));
  CHECK(counted(count) == before + 3);
  sealite_stmt_free(count);
  sealite_stmt_free(insert);
  sealite_connection_free(connection);
}

/* In a transaction, and on a row, they stay the parent's. */
static void busy_connection(sealite_vault *vault) {
  for (int on_row = 0; on_row < 2; on_row++) {
    sealite_connection *connection;
    sealite_stmt *stmt;
    bool row;
    OK(sealite_vault_connect(vault, &connection, &error));
    if (on_row == 0) OK(sealite_connection_execute(connection, T("BEGIN IMMEDIATE"), NULL, 0, NULL, &error));
    OK(sealite_connection_prepare(connection, T("SELECT email FROM people"), &stmt, NULL, &error));
    OK(sealite_stmt_step(stmt, &row, &error));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      sealite_connection *another;
      GIVES(SEALITE_FORKED, sealite_stmt_step(stmt, &row, &error));
      GIVES(SEALITE_FORKED, sealite_connection_execute(connection, T("COMMIT"), NULL, 0, NULL, &error));
      GIVES(SEALITE_FORKED, sealite_vault_connect(vault, &another, &error));
      sealite_stmt_free(stmt);
      sealite_connection_free(connection);
      _exit(0);
    }
    wait_for(child);
    OK(sealite_stmt_step(stmt, &row, &error));
    CHECK(row);
    OK(sealite_stmt_reset(stmt, &error));
    if (on_row == 0) OK(sealite_connection_execute(connection, T("COMMIT"), NULL, 0, NULL, &error));
    sealite_stmt_free(stmt);
    sealite_connection_free(connection);
  }
}

/* Tokens are used on both sides, and none twice. */
static void tokens(sealite_vault *vault) {
  const int32_t kind = SEALITE_TOKEN_MAGIC_LINK;
  sealite_tokens *tokens;
  sealite_token_request *request;
  sealite_bytes *link, *other;
  OK(sealite_vault_tokens(vault, &tokens, &error));
  OK(sealite_token_request_create(kind, &request, &error));
  OK(sealite_tokens_issue(tokens, request, &link, NULL, &error));
  OK(sealite_tokens_issue(tokens, request, &other, NULL, &error));
  const char *first = sealite_bytes_data(link), *second = sealite_bytes_data(other);
  OK(sealite_prepare_fork(&error));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    OK(sealite_tokens_consume(tokens, T(first), &kind, 1, NULL, 0, NULL, &error));
    _exit(0);
  }
  wait_for(child);
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_consume(tokens, T(first), &kind, 1, NULL, 0, NULL, &error));

  /* A transaction's stay the parent's. */
  sealite_transaction *transaction;
  sealite_tokens *inside;
  OK(sealite_vault_begin(vault, &transaction, &error));
  OK(sealite_transaction_tokens(transaction, &inside, &error));
  child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    GIVES(SEALITE_FORKED, sealite_tokens_consume(inside, T(second), &kind, 1, NULL, 0, NULL, &error));
    _exit(0);
  }
  wait_for(child);
  OK(sealite_tokens_consume(inside, T(second), &kind, 1, NULL, 0, NULL, &error));
  OK(sealite_transaction_commit(transaction, &error));
  sealite_tokens_free(inside);
  sealite_transaction_free(transaction);
  sealite_bytes_free(link);
  sealite_bytes_free(other);
  sealite_token_request_free(request);
  sealite_tokens_free(tokens);
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
  idle_vault(vault);
  open_transaction(vault);
  idle_connection(vault);
  busy_connection(vault);
  tokens(vault);
  sealite_vault_free(vault);
  return done();
}
