/* Seals people into a vault and finds them again.
 *
 *     cc quick_start.c $(pkg-config --cflags --libs sealite) -o quick_start
 *     APP_KEY=$(openssl rand -hex 32) ./quick_start app.db
 */

#include <sealite.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program with the error's message where the call has failed. */
static void must(sealite_status status, sealite_error **error) {
  if (status == SEALITE_OK) return;
  fprintf(stderr, "%s: %s\n", sealite_status_name(status), sealite_error_message(*error));
  sealite_error_free(*error);
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  sealite_error *error = NULL;

  /* The key comes from outside: an environment variable, a file, systemd, Docker. */
  sealite_unlock *unlock;
  must(sealite_unlock_reference("env:APP_KEY", SEALITE_NTS, &unlock, &error), &error);
  sealite_vault *vault;
  sealite_status status = sealite_vault_create(argv[1], SEALITE_NTS, unlock, NULL, &vault, &error);
  if (status == SEALITE_ALREADY_INITIALISED) {
    sealite_error_free(error);
    status = sealite_vault_open(argv[1], SEALITE_NTS, unlock, NULL, &vault, &error);
  }
  must(status, &error);
  sealite_unlock_free(unlock);

  /* What the program declares is a floor: a weaker table in the file is an error. */
  sealite_definition *definition;
  must(sealite_definition_create("users", SEALITE_NTS, &definition, &error), &error);
  const char *columns[] = {"email text sealed not null unique email", "name text sealed",
                           "role text authenticated default 'user'", "plan text"};
  for (size_t at = 0; at < sizeof columns / sizeof *columns; at++)
    must(sealite_definition_add_column(definition, columns[at], SEALITE_NTS, &error), &error);
  must(sealite_vault_define_table(vault, definition, NULL, &error), &error);
  sealite_definition_free(definition);

  sealite_table *users;
  must(sealite_vault_table(vault, "users", SEALITE_NTS, &users, &error), &error);
  sealite_values *values;
  must(sealite_values_create(&values, &error), &error);
  sealite_value email = sealite_text("Ada@Example.org", SEALITE_NTS);
  sealite_value name = sealite_text("Ada Lovelace", SEALITE_NTS);
  must(sealite_values_set(values, "email", SEALITE_NTS, &email, &error), &error);
  must(sealite_values_set(values, "name", SEALITE_NTS, &name, &error), &error);
  status = sealite_table_insert(users, values, NULL, &error);
  if (status == SEALITE_CONFLICT) { /* From an earlier run. */
    sealite_error_free(error);
  } else {
    must(status, &error);
  }
  sealite_values_free(values);

  /* Found in any spelling, through the blind index. */
  sealite_value wanted = sealite_text(" ada@example.ORG", SEALITE_NTS), found;
  sealite_rows *rows;
  must(sealite_table_find(users, "email", SEALITE_NTS, &wanted, &rows, &error), &error);
  must(sealite_rows_value(rows, 0, "name", SEALITE_NTS, &found, &error), &error);
  printf("%.*s\n", (int)found.length, (const char *)found.data);

  sealite_rows_free(rows);
  sealite_table_free(users);
  sealite_vault_free(vault);
  return 0;
}
