/* Prepared statements within transactions and snapshots. argv[1] is a folder to work in. */

#include "check.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static sealite_transaction *begin(sealite_vault *vault) {
  sealite_transaction *transaction;
  OK(sealite_vault_begin(vault, &transaction, &error));
  return transaction;
}

static sealite_stmt *prepare(sealite_transaction *transaction, const char *sql) {
  sealite_stmt *stmt;
  OK(sealite_transaction_prepare(transaction, T(sql), &stmt, NULL, &error));
  return stmt;
}

static bool step(sealite_stmt *stmt) {
  bool row;
  OK(sealite_stmt_step(stmt, &row, &error));
  return row;
}

static int64_t integer(sealite_stmt *stmt, size_t column) {
  sealite_value value;
  OK(sealite_stmt_value(stmt, column, &value, &error));
  CHECK(value.kind == SEALITE_INTEGER);
  return value.integer;
}

static int64_t count(sealite_vault *vault) {
  sealite_rows *rows;
  OK(sealite_vault_query(vault, T("SELECT count(*) AS n FROM people"), NULL, 0, &rows, &error));
  int64_t n = cell(rows, 0, "n").integer;
  sealite_rows_free(rows);
  return n;
}

static void transaction_prepares_binds_and_steps(sealite_vault *vault) {
  sealite_transaction *transaction = begin(vault);
  sealite_stmt *insert = prepare(transaction, "INSERT INTO people (email, name, age) VALUES (:email, :name, :age) RETURNING id");
  sealite_rows *rows;
  uint64_t changed;
  bool read_only;
  OK(sealite_stmt_parameters(insert, &rows, &error));
  CHECK(rows_in(rows) == 3 && holds(rows, 1, "name", ":name"));
  sealite_rows_free(rows);
  OK(sealite_stmt_is_read_only(insert, &read_only, &error));
  CHECK(!read_only);
  for (int64_t n = 0; n < 20; n++) {
    char email[32];
    CHECK(snprintf(email, sizeof email, "within%d@example.org", (int)n) > 0);
    sealite_value values[] = {sealite_text(T(email)), sealite_text(T("Within")), sealite_integer(n)};
    OK(sealite_stmt_bind_all(insert, values, 3, &error));
    CHECK(step(insert) && integer(insert, 0) > 0 && !step(insert));
    OK(sealite_stmt_changes(insert, &changed, &error));
    CHECK(changed == 1);
  }
  sealite_value none[3] = {sealite_null(), sealite_null(), sealite_null()}, email = sealite_text(T("by@example.org"));
  GIVES(SEALITE_SQL, sealite_stmt_execute(insert, none, 2, &changed, &error));
  GIVES(SEALITE_SQL, sealite_stmt_bind_name(insert, T("email"), &email, &error));
  OK(sealite_stmt_bind_name(insert, T(":email"), &email, &error));
  OK(sealite_stmt_reset(insert, &error));

  /* It sees what the transaction has written, and nobody else does before it commits. */
  sealite_stmt *select = prepare(transaction, "SELECT id, age, age * 2 AS twice FROM people WHERE name = ? ORDER BY age DESC");
  size_t columns;
  OK(sealite_stmt_column_count(select, &columns, &error));
  CHECK(columns == 3);
  OK(sealite_stmt_columns(select, &rows, &error));
  CHECK(holds(rows, 2, "name", "twice") && cell(rows, 2, "declared_type").kind == SEALITE_NULL);
  CHECK(cell(rows, 1, "declared_type").kind == SEALITE_TEXT);
  sealite_rows_free(rows);
  sealite_value name = sealite_text(T("Within")), row[3];
  OK(sealite_stmt_bind(select, 1, &name, &error));
  int64_t expected = 19;
  while (step(select)) {
    CHECK(integer(select, 1) == expected && integer(select, 2) == 2 * expected);
    expected -= 1;
  }
  CHECK(expected == -1);
  GIVES(SEALITE_SQL, sealite_stmt_value(select, 0, &row[0], &error));
  OK(sealite_stmt_query(select, &name, 1, &rows, &error));
  CHECK(rows_in(rows) == 20 && cell(rows, 0, "age").integer == 19);
  sealite_rows_free(rows);
  CHECK(step(select));
  OK(sealite_stmt_read(select, row, 3, &error));
  CHECK(row[1].integer == 19);

  /* Back to a savepoint, with a statement on a row; text by text; and what is not for it. */
  OK(sealite_transaction_begin_savepoint(transaction, &error));
  OK(sealite_transaction_execute(transaction, T("DELETE FROM people"), NULL, 0, &changed, &error));
  CHECK(changed == 20);
  OK(sealite_transaction_end_savepoint(transaction, 0, &error));
  OK(sealite_stmt_query(select, &name, 1, &rows, &error));
  CHECK(rows_in(rows) == 20);
  sealite_rows_free(rows);
  sealite_stmt *first;
  size_t tail;
  OK(sealite_transaction_prepare(transaction, T("SELECT 1; SELECT 2"), &first, &tail, &error));
  CHECK(tail == 9 && step(first) && integer(first, 0) == 1);
  sealite_stmt_free(first);
  OK(sealite_transaction_prepare(transaction, T(" -- nothing"), &first, &tail, &error));
  CHECK(first == NULL && tail == 11);
  GIVES(SEALITE_SQL, sealite_transaction_prepare(transaction, T("SELECT 1; SELECT 2"), &first, NULL, &error));
  GIVES(SEALITE_SQL, sealite_transaction_prepare(transaction, T("SELEC 1"), &first, NULL, &error));
  GIVES(SEALITE_NOT_ALLOWED, sealite_transaction_prepare(transaction, T("COMMIT"), &first, NULL, &error));
  GIVES(SEALITE_NOT_ALLOWED, sealite_transaction_prepare(transaction, T("DELETE FROM people_sealed"), &first, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_transaction_prepare(NULL, T("SELECT 1"), &first, NULL, &error));

  /* It commits with a statement on a row, and both end with it. */
  CHECK(step(select) && integer(select, 1) == 19);
  OK(sealite_transaction_commit(transaction, &error));
  CHECK(count(vault) == 20);
  bool there;
  GIVES(SEALITE_CLOSED, sealite_stmt_step(select, &there, &error));
  GIVES(SEALITE_CLOSED, sealite_stmt_step(insert, &there, &error));
  GIVES(SEALITE_CLOSED, sealite_stmt_query(select, &name, 1, &rows, &error));
  GIVES(SEALITE_CLOSED, sealite_transaction_prepare(transaction, T("SELECT 1"), &first, NULL, &error));
  OK(sealite_stmt_bind(select, 1, &name, &error));
  OK(sealite_stmt_reset(select, &error));
  sealite_stmt_free(insert);
  sealite_transaction_free(transaction);
  GIVES(SEALITE_CLOSED, sealite_stmt_step(select, &there, &error));
  sealite_stmt_free(select);
}

/* Rolled back, or freed, under a statement in the middle of its rows: the lock is gone. */
static void ended_transaction_lets_go(sealite_vault *vault) {
  for (int freed = 0; freed < 2; freed++) {
    sealite_transaction *transaction = begin(vault);
    sealite_stmt *remove = prepare(transaction, "DELETE FROM people RETURNING id");
    CHECK(step(remove) && count(vault) == 20);
    if (freed) sealite_transaction_free(transaction);
    else OK(sealite_transaction_roll_back(transaction, &error));
    bool row;
    GIVES(SEALITE_CLOSED, sealite_stmt_step(remove, &row, &error));
    CHECK(count(vault) == 20);
    sealite_transaction *next = begin(vault);
    /* A statement of another transaction is none of this one's. */
    sealite_stmt *all = prepare(next, "SELECT count(*) FROM people");
    CHECK(step(all) && integer(all, 0) == 20);
    GIVES(SEALITE_CLOSED, sealite_stmt_step(remove, &row, &error));
    sealite_stmt_free(remove);
    sealite_transaction_free(next);
    if (!freed) sealite_transaction_free(transaction);
    sealite_stmt_free(all);
  }
}

static void snapshot_prepares(sealite_vault *vault) {
  sealite_snapshot *snapshot;
  sealite_stmt *select, *write;
  bool row;
  OK(sealite_vault_snapshot(vault, &snapshot, &error));
  OK(sealite_snapshot_prepare(snapshot, T("SELECT count(*) FROM people"), &select, NULL, &error));
  OK(sealite_vault_execute(vault, T("DELETE FROM people WHERE email = 'within0@example.org'"), NULL, 0, NULL, &error));
  CHECK(count(vault) == 19 && step(select) && integer(select, 0) == 20);
  CHECK(!step(select) && step(select) && integer(select, 0) == 20);
  /* A write is told when it is stepped, and writes nothing. */
  const char *writes[] = {"DELETE FROM people", "DELETE FROM people RETURNING id", "CREATE TABLE other (x)"};
  for (int at = 0; at < 3; at++) {
    OK(sealite_snapshot_prepare(snapshot, T(writes[at]), &write, NULL, &error));
    GIVES(SEALITE_READ_ONLY, sealite_stmt_step(write, &row, &error));
    sealite_stmt_free(write);
  }
  CHECK(count(vault) == 19);
  size_t tail;
  OK(sealite_snapshot_prepare(snapshot, T("SELECT 1; SELECT 2"), &write, &tail, &error));
  CHECK(tail == 9);
  sealite_stmt_free(write);
  sealite_snapshot_free(snapshot);
  GIVES(SEALITE_CLOSED, sealite_stmt_step(select, &row, &error));
  sealite_stmt_free(select);

  sealite_tenant *tenant;
  sealite_transaction *transaction;
  OK(sealite_vault_tenant(vault, T("acme"), &tenant, &error));
  OK(sealite_tenant_snapshot(tenant, &snapshot, &error));
  GIVES(SEALITE_NOT_ALLOWED, sealite_snapshot_prepare(snapshot, T("SELECT 1"), &select, NULL, &error));
  sealite_snapshot_free(snapshot);
  OK(sealite_tenant_begin(tenant, &transaction, &error));
  GIVES(SEALITE_NOT_ALLOWED, sealite_transaction_prepare(transaction, T("SELECT 1"), &select, NULL, &error));
  CHECK(select == NULL);
  sealite_transaction_free(transaction);
  sealite_tenant_free(tenant);
}

static void *steps(void *stmt) {
  for (int n = 0; n < 200; n++) {
    bool row;
    sealite_status status = sealite_stmt_step(stmt, &row, NULL);
    CHECK(status == SEALITE_OK || status == SEALITE_BUSY);
  }
  return NULL;
}

/* Statements of one transaction take turns; one statement is not for two threads. */
static void threads_share_a_transaction(sealite_vault *vault) {
  sealite_transaction *transaction = begin(vault);
  sealite_stmt *one = prepare(transaction, "SELECT name FROM people"), *other = prepare(transaction, "SELECT email FROM people");
  pthread_t threads[3];
  sealite_stmt *of[3] = {one, other, other};
  for (int at = 0; at < 3; at++) CHECK(pthread_create(&threads[at], NULL, steps, of[at]) == 0);
  for (int at = 0; at < 3; at++) CHECK(pthread_join(threads[at], NULL) == 0);
  sealite_stmt_free(one);
  OK(sealite_transaction_commit(transaction, &error));
  sealite_stmt_free(other);
  sealite_transaction_free(transaction);
}

static void forked_child_leaves_them_to_its_parent(sealite_vault *vault) {
  sealite_transaction *transaction = begin(vault);
  sealite_snapshot *snapshot;
  OK(sealite_vault_snapshot(vault, &snapshot, &error));
  sealite_stmt *write = prepare(transaction, "UPDATE people SET plan = 'paid' RETURNING id"), *read;
  OK(sealite_snapshot_prepare(snapshot, T("SELECT email FROM people"), &read, NULL, &error));
  CHECK(step(write) && step(read));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    bool row;
    GIVES(SEALITE_FORKED, sealite_stmt_step(write, &row, &error));
    GIVES(SEALITE_FORKED, sealite_stmt_step(read, &row, &error));
    sealite_stmt_free(write);
    sealite_transaction_free(transaction);
    sealite_snapshot_free(snapshot);
    sealite_stmt_free(read);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  size_t left = 0;
  while (step(write)) left += 1;
  CHECK(left == 18 && step(read));
  OK(sealite_transaction_commit(transaction, &error));
  sealite_stmt_free(read);
  sealite_snapshot_free(snapshot);
  sealite_stmt_free(write);
  sealite_transaction_free(transaction);
  sealite_rows *rows;
  OK(sealite_vault_query(vault, T("SELECT count(*) AS n FROM people WHERE plan = 'paid'"), NULL, 0, &rows, &error));
  CHECK(cell(rows, 0, "n").integer == 19);
  sealite_rows_free(rows);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/within.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  sealite_unlock_free(unlock);
  define_people(vault);
  transaction_prepares_binds_and_steps(vault);
  ended_transaction_lets_go(vault);
  snapshot_prepares(vault);
  threads_share_a_transaction(vault);
  forked_child_leaves_them_to_its_parent(vault);
  sealite_vault_free(vault);
  return done();
}
