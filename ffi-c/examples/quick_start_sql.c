/* Seals people through SQL: a connection, prepared statements, sealed and plain tables in one query.
 *
 *     cc quick_start_sql.c $(pkg-config --cflags --libs sealite) -o quick_start_sql
 *     APP_KEY=$(openssl rand -hex 32) ./quick_start_sql app.db
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

static sealite_vault *vault_at(const char *path) {
  sealite_error *error = NULL;
  sealite_unlock *unlock;
  sealite_vault *vault;
  must(sealite_unlock_reference("env:APP_KEY", SEALITE_NTS, &unlock, &error), &error);
  sealite_status status = sealite_vault_create(path, SEALITE_NTS, unlock, NULL, &vault, &error);
  if (status == SEALITE_ALREADY_INITIALISED) {
    sealite_error_free(error);
    status = sealite_vault_open(path, SEALITE_NTS, unlock, NULL, &vault, &error);
  }
  must(status, &error);
  sealite_unlock_free(unlock);

  /* Sealed tables are declared; what SQL creates is plain. */
  sealite_definition *people;
  must(sealite_definition_create("people", SEALITE_NTS, &people, &error), &error);
  must(sealite_definition_add_column(people, "email text sealed not null unique email", SEALITE_NTS, &error), &error);
  must(sealite_definition_add_column(people, "name text sealed", SEALITE_NTS, &error), &error);
  must(sealite_vault_define_table(vault, people, NULL, &error), &error);
  sealite_definition_free(people);
  return vault;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  sealite_error *error = NULL;
  sealite_vault *vault = vault_at(argv[1]);
  sealite_connection *connection;
  must(sealite_vault_connect(vault, &connection, &error), &error);

  /* A text of several statements, one after the other. */
  const char *script =
      "CREATE TABLE IF NOT EXISTS visits (person INTEGER, page TEXT);"
      "BEGIN IMMEDIATE;"
      "INSERT INTO people (id, email, name) VALUES (1, 'Ada@Example.org', 'Ada Lovelace') ON CONFLICT DO NOTHING;"
      "INSERT INTO visits VALUES (1, '/pricing');"
      "COMMIT";
  for (size_t tail; *script != '\0'; script += tail) {
    sealite_stmt *stmt;
    bool row;
    must(sealite_connection_prepare(connection, script, SEALITE_NTS, &stmt, &tail, &error), &error);
    if (stmt == NULL) continue; /* Only blanks or comments. */
    must(sealite_stmt_step(stmt, &row, &error), &error);
    sealite_stmt_free(stmt);
  }

  /* What a person types is bound, and never a part of the text. */
  sealite_stmt *select;
  must(sealite_connection_prepare(connection,
                                  "SELECT DISTINCT p.name FROM people p JOIN visits v ON v.person = p.id WHERE p.email = :email",
                                  SEALITE_NTS, &select, NULL, &error), &error);
  sealite_value email = sealite_text(" ada@example.ORG", SEALITE_NTS), name;
  must(sealite_stmt_bind_name(select, ":email", SEALITE_NTS, &email, &error), &error);
  for (;;) {
    bool row;
    must(sealite_stmt_step(select, &row, &error), &error);
    if (!row) break;
    must(sealite_stmt_value(select, 0, &name, &error), &error);
    printf("%.*s\n", (int)name.length, (const char *)name.data);
  }

  sealite_stmt_free(select);
  sealite_connection_free(connection);
  sealite_vault_free(vault);
  return 0;
}
