/* An existing database moves in: planned, looked at, stopped and gone on with. argv[1] is a folder to work in. */

#include "check.h"

enum { USERS = 600 };

/* What a progress function has heard, and when it is to stop. */
struct heard {
  unsigned calls, stop_after;
  bool phases[3], named;
  uint64_t done;
};

static int32_t hear(void *context, int32_t phase, const char *table, size_t table_length, uint64_t done, uint64_t total) {
  struct heard *heard = context;
  CHECK(phase >= SEALITE_PHASE_SEALING && phase <= SEALITE_PHASE_ERASING);
  CHECK(done <= total);
  heard->phases[phase] = true;
  if (phase == SEALITE_PHASE_ERASING) CHECK(table_length == 0);
  else heard->named = table_length == 5 && memcmp(table, "users", 5) == 0;
  if (phase == SEALITE_PHASE_VERIFYING) heard->done = done;
  return heard->stop_after != 0 && ++heard->calls >= heard->stop_after;
}

static void run(sealite_vault *vault, const char *sql) {
  OK(sealite_vault_execute(vault, T(sql), NULL, 0, NULL, &error));
}

/* The application's own table, in clear. */
static void fill(sealite_vault *vault) {
  char sql[256];
  run(vault, "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, plan TEXT)");
  CHECK(snprintf(sql, sizeof sql,
                 "INSERT INTO users WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
                 "SELECT i, 'user' || i || '@Canary.example', 'Canary ' || i, 'free' FROM n",
                 USERS) < (int)sizeof sql);
  run(vault, sql);
}

static sealite_adoption *planned(const char *text) {
  sealite_adoption *adoption;
  OK(sealite_adoption_create(T(text), &adoption, &error));
  return adoption;
}

static bool has(const char *path, const char *what) {
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL);
  size_t matched = 0, length = strlen(what);
  for (int c; matched < length && (c = fgetc(file)) != EOF;)
    matched = c == what[matched] ? matched + 1 : c == what[0];
  fclose(file);
  return matched == length;
}

static void plans(sealite_vault *vault) {
  sealite_adoption *adoption;
  GIVES(SEALITE_INVALID_INPUT, sealite_adoption_create(T("not toml"), &adoption, &error));
  CHECK(adoption == NULL);
  GIVES(SEALITE_INVALID_INPUT, sealite_adoption_create(T("[tables.users]\nemail = 'seled'"), &adoption, &error));
  OK(sealite_adoption_create(NULL, 0, &adoption, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_adopt(vault, adoption, NULL, NULL, NULL, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_adoption_add_column(adoption, T("users: sealed"), &error));
  OK(sealite_adoption_add_column(adoption, T("users.email: sealed, unique email"), &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_adoption_add_column(adoption, T("users.email: sealed"), &error));
  sealite_rows *rows;
  bool possible;
  OK(sealite_vault_preview_adoption(vault, adoption, &possible, &rows, &error));
  CHECK(possible && holds(rows, 0, "what", "table") && holds(rows, 0, "table", "users"));
  CHECK(cell(rows, 0, "rows").integer == USERS && cell(rows, 0, "bytes_after").integer > 0);
  CHECK(cell(rows, 0, "done").integer == 0 && cell(rows, 0, "text").kind == SEALITE_NULL);
  sealite_rows_free(rows);
  run(vault, "CREATE VIEW emails AS SELECT email FROM users");
  OK(sealite_vault_preview_adoption(vault, adoption, &possible, &rows, &error));
  size_t last = rows_in(rows) - 1;
  CHECK(!possible && holds(rows, last, "what", "refused"));
  sealite_rows_free(rows);
  GIVES(SEALITE_REFUSED, sealite_vault_adopt(vault, adoption, NULL, NULL, NULL, NULL, &error));
  run(vault, "DROP VIEW emails");
  OK(sealite_adoption_add_column(adoption, T("users.nothing: sealed"), &error));
  GIVES(SEALITE_NOT_FOUND, sealite_vault_preview_adoption(vault, adoption, NULL, &rows, &error));
  sealite_adoption_free(adoption);
  GIVES(SEALITE_CLOSED, sealite_adoption_set_values(adoption, &error));
}

static void in_place(sealite_vault *vault, const char *path) {
  sealite_adoption *adoption = planned("[tables.users]\nemail = 'sealed unique email'\nname = 'sealed'\n");
  struct heard heard = {0};
  heard.stop_after = 2;
  GIVES(SEALITE_INTERRUPTED, sealite_vault_adopt(vault, adoption, hear, &heard, NULL, NULL, &error));
  sealite_rows *rows;
  OK(sealite_vault_query(vault, T("SELECT name FROM users WHERE id = 7"), NULL, 0, &rows, &error));
  CHECK(holds(rows, 0, "name", "Canary 7"));
  sealite_rows_free(rows);
  memset(&heard, 0, sizeof heard);
  bool pending;
  OK(sealite_vault_adopt(vault, adoption, hear, &heard, &pending, &rows, &error));
  CHECK(heard.phases[0] && heard.phases[1] && heard.phases[2] && heard.named && heard.done >= 500);
  CHECK(!pending && rows_in(rows) == 1 && cell(rows, 0, "rows").integer == USERS);
  CHECK(cell(rows, 0, "was_done").integer == 0 && cell(rows, 0, "removed").integer == 0);
  sealite_rows_free(rows);
  OK(sealite_vault_adopt(vault, adoption, NULL, NULL, NULL, &rows, &error));
  CHECK(cell(rows, 0, "was_done").integer == 1);
  sealite_rows_free(rows);
  sealite_adoption_free(adoption);

  sealite_table *table;
  sealite_value email = sealite_text(T("USER7@canary.EXAMPLE"));
  OK(sealite_vault_table(vault, T("users"), &table, &error));
  OK(sealite_table_find(table, T("email"), &email, &rows, &error));
  CHECK(rows_in(rows) == 1 && holds(rows, 0, "name", "Canary 7"));
  sealite_rows_free(rows);
  sealite_table_free(table);
  CHECK(!has(path, "Canary"));
}

static void from_another_file(sealite_vault *vault, const char *source, bool values) {
  sealite_adoption *adoption;
  OK(sealite_adoption_create(NULL, 0, &adoption, &error));
  OK(sealite_adoption_add_column(adoption, T("users.name: sealed"), &error));
  OK(sealite_adoption_set_source(adoption, T(source), &error));
  OK(values ? sealite_adoption_set_values(adoption, &error) : sealite_adoption_set_remove_source(adoption, &error));
  sealite_rows *rows;
  OK(sealite_vault_adopt(vault, adoption, NULL, NULL, NULL, &rows, &error));
  CHECK(rows_in(rows) == 1 && cell(rows, 0, "removed").integer == !values);
  sealite_rows_free(rows);
  sealite_adoption_free(adoption);
  CHECK(!has(source, "Canary 7"));
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096], source[4096];
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault, *other;
  CHECK(snprintf(path, sizeof path, "%s/vault.db", argv[1]) < (int)sizeof path);
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  fill(vault);
  plans(vault);
  in_place(vault, path);
  sealite_vault_free(vault);
  CHECK(snprintf(path, sizeof path, "%s/apart.db", argv[1]) < (int)sizeof path);
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  for (int values = 0; values < 2; values++) {
    /* Any SQLite database will do: here the engine's own SQLite makes it. */
    CHECK(snprintf(source, sizeof source, "%s/source%d.db", argv[1], values) < (int)sizeof source);
    OK(sealite_vault_create(T(source), unlock, NULL, &other, &error));
    fill(other);
    sealite_vault_free(other);
    from_another_file(vault, source, values == 1);
  }
  sealite_vault_free(vault);
  sealite_unlock_free(unlock);
  return done();
}
