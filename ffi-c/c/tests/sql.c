/* SQL over plain and sealed tables: single statements, connections, prepared statements. argv[1] is a folder to work in. */

#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static void sealed_tables_are_tables(sealite_vault *vault) {
  uint64_t changed;
  sealite_rows *rows;
  sealite_value ada[] = {sealite_text(T("Ada@Example.org")), sealite_text(T("Ada Lovelace")), sealite_integer(36)};
  OK(sealite_vault_execute(vault, T("INSERT INTO people (email, name, age) VALUES (?, ?, ?)"), ada, 3, &changed, &error));
  CHECK(changed == 1);
  OK(sealite_vault_execute(vault, T("CREATE TABLE visits (person INTEGER, page TEXT)"), NULL, 0, NULL, &error));
  OK(sealite_vault_execute(vault, T("INSERT INTO visits SELECT id, '/home' FROM people"), NULL, 0, NULL, &error));
  OK(sealite_vault_query(vault, T("SELECT p.name, v.page FROM people p JOIN visits v ON v.person = p.id WHERE p.email = ?"),
                         ada, 1, &rows, &error));
  CHECK(rows_in(rows) == 1 && holds(rows, 0, "name", "Ada Lovelace") && holds(rows, 0, "page", "/home"));
  sealite_rows_free(rows);
  GIVES(SEALITE_CONFLICT, sealite_vault_execute(vault, T("INSERT INTO people (email) VALUES ('ada@example.ORG')"), NULL, 0, NULL, &error));
  GIVES(SEALITE_NOT_ALLOWED, sealite_vault_execute(vault, T("UPDATE people_sealed SET plan = 'x'"), NULL, 0, NULL, &error));
  GIVES(SEALITE_SQL, sealite_vault_execute(vault, T("SELECT 1"), NULL, 0, NULL, &error));
  GIVES(SEALITE_SQL, sealite_vault_query(vault, T("SELECT nothing"), NULL, 0, &rows, &error));
  GIVES(SEALITE_SQL, sealite_vault_query(vault, T("SELECT ?"), NULL, 0, &rows, &error));
}

/* What is sealed stays so, and SQL sees as much of it as the configuration says. */
static void configuration_limits_it(const char *path, sealite_unlock *unlock) {
  const char *copy = "CREATE TABLE copied AS SELECT email FROM people";
  const char *all = "SELECT count(name) FROM people", *one = "SELECT name FROM people WHERE email = 'ada@example.org'";
  for (int32_t sealed_sql = 0; sealed_sql < 3; sealed_sql++) {
    sealite_config *config;
    sealite_vault *vault;
    sealite_rows *rows;
    OK(sealite_config_create(&config, &error));
    OK(sealite_config_set_sealed_sql(config, sealed_sql, &error));
    OK(sealite_config_set_sealed_to_plain(config, sealed_sql == SEALITE_SEALED_SQL_FULL, &error));
    OK(sealite_vault_open(T(path), unlock, config, &vault, &error));
    sealite_config_free(config);
    const sealite_status lookup = sealed_sql == SEALITE_SEALED_SQL_OFF ? SEALITE_SQL : SEALITE_OK;
    const sealite_status scan = sealed_sql == SEALITE_SEALED_SQL_INDEXED ? SEALITE_NOT_INDEXED : lookup;
    CHECK(sealite_vault_query(vault, T(one), NULL, 0, &rows, NULL) == lookup);
    sealite_rows_free(rows);
    CHECK(sealite_vault_query(vault, T(all), NULL, 0, &rows, NULL) == scan);
    sealite_rows_free(rows);
    CHECK((sealite_vault_execute(vault, T(copy), NULL, 0, NULL, NULL) == SEALITE_OK) == (sealed_sql == SEALITE_SEALED_SQL_FULL));
    sealite_vault_free(vault);
  }
  sealite_config *config;
  OK(sealite_config_create(&config, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_config_set_sealed_sql(config, 3, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_config_set_sealed_to_plain(config, 2, &error));
  sealite_config_free(config);
}

static sealite_connection *connect_to(sealite_vault *vault) {
  sealite_connection *connection;
  OK(sealite_vault_connect(vault, &connection, &error));
  return connection;
}

static sealite_stmt *prepare(sealite_connection *connection, const char *sql) {
  sealite_stmt *stmt;
  OK(sealite_connection_prepare(connection, T(sql), &stmt, NULL, &error));
  return stmt;
}

static void run(sealite_connection *connection, const char *sql) {
  OK(sealite_connection_execute(connection, T(sql), NULL, 0, NULL, &error));
}

static int64_t number(sealite_connection *connection, const char *sql) {
  sealite_rows *rows;
  sealite_value value;
  OK(sealite_connection_query(connection, T(sql), NULL, 0, &rows, &error));
  OK(sealite_rows_value_at(rows, 0, 0, &value, &error));
  sealite_rows_free(rows);
  return value.integer;
}

static bool step(sealite_stmt *stmt) {
  bool row;
  OK(sealite_stmt_step(stmt, &row, &error));
  return row;
}

static sealite_value at(sealite_stmt *stmt, size_t position) {
  sealite_value value;
  OK(sealite_stmt_value(stmt, position, &value, &error));
  return value;
}

static bool is(sealite_value value, const char *text) {
  return value.kind == SEALITE_TEXT && value.length == strlen(text) && memcmp(value.data, text, value.length) == 0;
}

static void transactions_are_statements(sealite_vault *vault) {
  sealite_connection *connection = connect_to(vault), *other = connect_to(vault);
  bool within;
  uint64_t changes, before;
  int64_t id;
  OK(sealite_connection_total_changes(connection, &before, &error));
  const int64_t people = number(connection, "SELECT count(*) FROM people");
  run(connection, "BEGIN");
  OK(sealite_connection_in_transaction(connection, &within, &error));
  CHECK(within);
  run(connection, "INSERT INTO people (email) VALUES ('b@example.org'), ('c@example.org')");
  OK(sealite_connection_changes(connection, &changes, &error));
  CHECK(changes == 2 && number(connection, "SELECT count(*) FROM people") == people + 2);
  CHECK(number(other, "SELECT count(*) FROM people") == people);
  run(connection, "SAVEPOINT one");
  run(connection, "DELETE FROM people");
  run(connection, "ROLLBACK TO one");
  run(connection, "COMMIT");
  OK(sealite_connection_in_transaction(connection, &within, &error));
  CHECK(!within && number(other, "SELECT count(*) FROM people") == people + 2);
  run(connection, "BEGIN");
  run(connection, "DELETE FROM people");
  run(connection, "ROLLBACK");
  run(connection, "INSERT INTO visits VALUES (7, '/pricing')");
  OK(sealite_connection_last_insert_rowid(connection, &id, &error));
  CHECK(id == number(connection, "SELECT max(rowid) FROM visits"));
  OK(sealite_connection_total_changes(connection, &changes, &error));
  CHECK(changes > before);
  OK(sealite_connection_opened(connection, &changes, &error));
  CHECK(changes == 1);
  GIVES(SEALITE_SQL, sealite_connection_execute(connection, T("COMMIT"), NULL, 0, NULL, &error));

  /* Freed in the middle of a transaction: rolled back, and its lock is gone. */
  sealite_stmt *stmt = prepare(connection, "SELECT page FROM visits");
  run(connection, "BEGIN IMMEDIATE");
  run(connection, "DELETE FROM people");
  sealite_connection_free(connection);
  run(other, "UPDATE visits SET page = '/' WHERE person = 7");
  CHECK(number(other, "SELECT count(*) FROM people") == people + 2);
  bool row;
  GIVES(SEALITE_CLOSED, sealite_stmt_step(stmt, &row, &error));
  GIVES(SEALITE_CLOSED, sealite_connection_changes(connection, &changes, &error));
  sealite_stmt_free(stmt);
  sealite_connection_free(connection);
  sealite_connection_free(other);
}

static void scripts_run_statement_by_statement(sealite_vault *vault) {
  sealite_connection *connection = connect_to(vault);
  const char *script = "CREATE TABLE steps (n); -- one\nINSERT INTO steps VALUES (1);\n"
                       "INSERT INTO steps VALUES ('a;b');; /* the end */ ";
  size_t ran = 0, from = 0, tail;
  for (;;) {
    sealite_stmt *stmt;
    OK(sealite_connection_prepare(connection, script + from, strlen(script) - from, &stmt, &tail, &error));
    from += tail;
    if (stmt == NULL) {
      if (from == strlen(script)) break;
      continue; /* An empty statement. */
    }
    CHECK(!step(stmt));
    sealite_stmt_free(stmt);
    ran += 1;
  }
  CHECK(ran == 3 && number(connection, "SELECT count(*) FROM steps") == 2);
  sealite_stmt *stmt;
  GIVES(SEALITE_SQL, sealite_connection_prepare(connection, T("SELECT 1; SELECT 2"), &stmt, NULL, &error));
  GIVES(SEALITE_SQL, sealite_connection_prepare(connection, T(" -- nothing"), &stmt, NULL, &error));
  GIVES(SEALITE_SQL, sealite_connection_prepare(connection, T("SELEC 1"), &stmt, &tail, &error));
  CHECK(stmt == NULL && tail == 0);
  GIVES(SEALITE_NOT_ALLOWED, sealite_connection_prepare(connection, T("DELETE FROM people_sealed"), &stmt, NULL, &error));
  sealite_connection_free(connection);
}

static void values_come_back_as_they_were_bound(sealite_vault *vault) {
  sealite_connection *connection = connect_to(vault);
  run(connection, "CREATE TABLE kinds (a, b, c, d, e)");
  sealite_stmt *insert = prepare(connection, "INSERT INTO kinds VALUES (?1, ?2, :text, @blob, $null)");
  sealite_rows *rows;
  OK(sealite_stmt_parameters(insert, &rows, &error));
  CHECK(rows_in(rows) == 5 && holds(rows, 0, "name", "?1") && holds(rows, 2, "name", ":text"));
  sealite_rows_free(rows);
  sealite_value integer = sealite_integer(INT64_MIN), real = sealite_real(-0.0), null = sealite_null(),
                text = sealite_text("a\0b", 3), blob = sealite_blob("\xff\x00", 2), none = sealite_null();
  OK(sealite_stmt_bind(insert, 1, &integer, &error));
  OK(sealite_stmt_bind(insert, 2, &real, &error));
  OK(sealite_stmt_bind_name(insert, T(":text"), &text, &error));
  OK(sealite_stmt_bind_name(insert, T("@blob"), &blob, &error));
  OK(sealite_stmt_bind_name(insert, T("$null"), &null, &error));
  GIVES(SEALITE_SQL, sealite_stmt_bind(insert, 0, &null, &error));
  GIVES(SEALITE_SQL, sealite_stmt_bind(insert, 6, &null, &error));
  GIVES(SEALITE_SQL, sealite_stmt_bind(insert, SIZE_MAX, &null, &error));
  GIVES(SEALITE_SQL, sealite_stmt_bind_name(insert, T("text"), &null, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_stmt_bind(insert, 1, NULL, &error));
  none.kind = 99;
  GIVES(SEALITE_INVALID_INPUT, sealite_stmt_bind(insert, 1, &none, &error));
  bool read_only;
  uint64_t changed;
  OK(sealite_stmt_is_read_only(insert, &read_only, &error));
  CHECK(!read_only && !step(insert));
  OK(sealite_stmt_changes(insert, &changed, &error));
  CHECK(changed == 1);
  OK(sealite_stmt_clear_bindings(insert, &error));
  CHECK(!step(insert));
  sealite_value all[5] = {sealite_boolean(true), sealite_json(T("[1]")), text, blob, integer};
  OK(sealite_stmt_execute(insert, all, 5, &changed, &error));
  CHECK(changed == 1);
  GIVES(SEALITE_SQL, sealite_stmt_execute(insert, all, 4, &changed, &error));
  OK(sealite_stmt_bind_all(insert, all, 5, &error));
  GIVES(SEALITE_SQL, sealite_stmt_bind_all(insert, NULL, 0, &error));

  sealite_stmt *select = prepare(connection, "SELECT a, b, c, d AS blob, e, a + 1 FROM kinds ORDER BY rowid");
  size_t count, length;
  const char *name;
  OK(sealite_stmt_column_count(select, &count, &error));
  OK(sealite_stmt_column_name(select, 3, &name, &length, &error));
  CHECK(count == 6 && length == 4 && memcmp(name, "blob", 4) == 0);
  GIVES(SEALITE_SQL, sealite_stmt_column_name(select, 6, &name, &length, &error));
  CHECK(name == NULL && length == 0);
  GIVES(SEALITE_SQL, sealite_stmt_value(select, 0, &none, &error)); /* On no row. */
  CHECK(none.kind == SEALITE_NULL && step(select));
  CHECK(at(select, 0).kind == SEALITE_INTEGER && at(select, 0).integer == INT64_MIN);
  CHECK(at(select, 1).kind == SEALITE_REAL && at(select, 1).real == 0.0);
  CHECK(at(select, 2).kind == SEALITE_TEXT && at(select, 2).length == 3 && memcmp(at(select, 2).data, "a\0b", 3) == 0);
  CHECK(at(select, 3).kind == SEALITE_BLOB && at(select, 3).length == 2 && memcmp(at(select, 3).data, "\xff\x00", 2) == 0);
  CHECK(at(select, 4).kind == SEALITE_NULL);
  GIVES(SEALITE_SQL, sealite_stmt_value(select, 6, &none, &error));
  GIVES(SEALITE_SQL, sealite_stmt_value(select, SIZE_MAX, &none, &error));
  CHECK(step(select));
  for (size_t column = 0; column < 5; column++) CHECK(at(select, column).kind == SEALITE_NULL);
  CHECK(step(select));
  OK(sealite_stmt_read(select, all, 5, &error));
  CHECK(all[0].kind == SEALITE_INTEGER && all[0].integer == 1 && is(all[1], "[1]") && all[4].integer == INT64_MIN);
  sealite_value seven[7];
  GIVES(SEALITE_SQL, sealite_stmt_read(select, seven, 7, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_stmt_read(select, NULL, 1, &error));
  CHECK(seven[0].kind == SEALITE_NULL && !step(select));
  GIVES(SEALITE_SQL, sealite_stmt_value(select, 0, &none, &error));
  CHECK(step(select)); /* Anew. */
  OK(sealite_stmt_reset(select, &error));
  GIVES(SEALITE_SQL, sealite_stmt_read(select, all, 5, &error));
  CHECK(step(select) && at(select, 0).integer == INT64_MIN);
  sealite_stmt_free(select);
  sealite_stmt_free(insert);
  sealite_connection_free(connection);
}

static void statements_reach_sealed_tables(sealite_vault *vault) {
  sealite_connection *connection = connect_to(vault);
  sealite_stmt *insert = prepare(connection, "INSERT INTO people (email, name, age) VALUES (:email, :name, :age) RETURNING id");
  run(connection, "BEGIN");
  for (int64_t n = 0; n < 20; n++) {
    char email[32];
    CHECK(snprintf(email, sizeof email, "many%d@example.org", (int)n) > 0);
    sealite_value values[] = {sealite_text(T(email)), sealite_text(T("Many")), sealite_integer(n)};
    OK(sealite_stmt_bind_all(insert, values, 3, &error));
    CHECK(step(insert) && at(insert, 0).kind == SEALITE_INTEGER && at(insert, 0).integer > 0 && !step(insert));
  }
  run(connection, "COMMIT");
  sealite_stmt *select = prepare(connection, "SELECT id, email, age, age * 2 AS twice FROM people WHERE name = ? ORDER BY age DESC");
  sealite_rows *rows;
  OK(sealite_stmt_columns(select, &rows, &error));
  CHECK(rows_in(rows) == 4 && holds(rows, 1, "name", "email") && holds(rows, 3, "name", "twice"));
  CHECK(cell(rows, 1, "declared_type").kind == SEALITE_TEXT && cell(rows, 3, "declared_type").kind == SEALITE_NULL);
  sealite_rows_free(rows);
  sealite_value many = sealite_text(T("Many"));
  OK(sealite_stmt_bind(select, 1, &many, &error));
  int64_t expected = 19;
  while (step(select)) {
    CHECK(at(select, 2).integer == expected && at(select, 3).integer == 2 * expected);
    expected -= 1;
  }
  CHECK(expected == -1);
  OK(sealite_stmt_query(select, &many, 1, &rows, &error));
  CHECK(rows_in(rows) == 20 && holds(rows, 19, "email", "many0@example.org"));
  sealite_rows_free(rows);
  bool read_only;
  OK(sealite_stmt_is_read_only(select, &read_only, &error));
  CHECK(read_only);

  /* The tables may change under a statement. */
  run(connection, "CREATE TABLE later (x)");
  OK(sealite_stmt_query(select, &many, 1, &rows, &error));
  CHECK(rows_in(rows) == 20);
  sealite_rows_free(rows);
  GIVES(SEALITE_CONFLICT, sealite_connection_execute(connection, T("INSERT INTO people (email) VALUES ('MANY1@example.org')"), NULL, 0, NULL, &error));

  OK(sealite_vault_lock(vault, &error));
  bool row;
  GIVES(SEALITE_LOCKED, sealite_stmt_step(select, &row, &error));
  sealite_unlock *unlock = key_unlock();
  OK(sealite_vault_unlock(vault, unlock, &error));
  sealite_unlock_free(unlock);
  CHECK(step(select) && at(select, 2).integer == 19);

  /* Closed with a statement on a row, and the vault closed under a connection. */
  sealite_connection *second = connect_to(vault);
  OK(sealite_connection_close(connection, &error));
  CHECK(at(select, 2).integer == 19);
  sealite_stmt_free(select);
  GIVES(SEALITE_CLOSED, sealite_stmt_step(insert, &row, &error));
  GIVES(SEALITE_CLOSED, sealite_connection_prepare(connection, T("SELECT 1"), &select, NULL, &error));
  CHECK(select == NULL);
  sealite_stmt_free(insert);
  sealite_stmt_free(insert);
  GIVES(SEALITE_CLOSED, sealite_stmt_reset(insert, &error));
  sealite_connection_free(connection);
  OK(sealite_vault_close(vault, &error));
  GIVES(SEALITE_CLOSED, sealite_connection_execute(second, T("SELECT 1"), NULL, 0, NULL, &error));
  sealite_connection *third;
  GIVES(SEALITE_CLOSED, sealite_vault_connect(vault, &third, &error));
  sealite_connection_free(second);
}

static void handles_are_checked(sealite_vault *vault) {
  sealite_connection *connection = connect_to(vault), *wrong;
  sealite_stmt *stmt = prepare(connection, "SELECT ?");
  bool row;
  size_t count;
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_connect(NULL, &wrong, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_connect(vault, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_connection_execute(NULL, T("SELECT 1"), NULL, 0, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_connection_execute(connection, NULL, 3, NULL, 0, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_connection_execute(connection, "\xff", 1, NULL, 0, NULL, &error));
  GIVES(SEALITE_LIMIT, sealite_connection_execute(connection, "x", (size_t)1 << 63, NULL, 0, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_connection_execute(connection, T("SELECT ?"), NULL, 1, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_connection_prepare(connection, T("SELECT 1"), NULL, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_stmt_step(NULL, &row, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_stmt_step((sealite_stmt *)connection, &row, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_stmt_step(stmt, NULL, &error));
  GIVES(SEALITE_CLOSED, sealite_stmt_column_count((sealite_stmt *)UINTPTR_MAX, &count, &error));
  OK(sealite_connection_interrupt(connection, &error)); /* Nothing runs: nothing happens. */
  CHECK(step(stmt) && at(stmt, 0).kind == SEALITE_NULL);
  sealite_stmt_free((sealite_stmt *)connection);
  sealite_connection_free((sealite_connection *)stmt);
  OK(sealite_stmt_reset(stmt, &error));
  sealite_stmt_free(stmt);
  sealite_stmt_free(NULL);
  sealite_connection_free(connection);
  sealite_connection_free(NULL);
}

struct running {
  sealite_connection *connection;
  atomic_bool ended;
};

static void *interrupt(void *given) {
  struct running *running = given;
  while (!atomic_load(&running->ended)) {
    OK(sealite_connection_interrupt(running->connection, &error));
    sched_yield();
  }
  return NULL;
}

static void statements_are_interrupted(sealite_vault *vault) {
  struct running running = {connect_to(vault), false};
  sealite_rows *rows;
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, interrupt, &running) == 0);
  GIVES(SEALITE_INTERRUPTED,
        sealite_connection_query(running.connection,
                                 T("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"),
                                 NULL, 0, &rows, &error));
  atomic_store(&running.ended, true);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(number(running.connection, "SELECT 1") == 1);
  sealite_connection_free(running.connection);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/sql.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  define_people(vault);
  sealed_tables_are_tables(vault);
  transactions_are_statements(vault);
  scripts_run_statement_by_statement(vault);
  values_come_back_as_they_were_bound(vault);
  handles_are_checked(vault);
  statements_are_interrupted(vault);
  statements_reach_sealed_tables(vault);
  sealite_vault_free(vault);
  configuration_limits_it(path, unlock);
  sealite_unlock_free(unlock);
  return done();
}
