/* SQL over plain and sealed tables. argv[1] is a folder to work in. */

#include "check.h"

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

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/sql.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  define_people(vault);
  sealed_tables_are_tables(vault);
  sealite_vault_free(vault);
  configuration_limits_it(path, unlock);
  sealite_unlock_free(unlock);
  return done();
}
