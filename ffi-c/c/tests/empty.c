/* Values of no bytes: wherever one comes out, `data` is NULL or points to memory. argv[1] is a folder to work in. */

#include "check.h"

/* Some callers take a small number for a fault: Go's runtime does. */
static void is_empty(sealite_value value, int32_t kind) {
  CHECK(value.kind == kind && value.length == 0);
  CHECK(value.data == NULL || (uintptr_t)value.data >= 4096);
}

static void all_are_empty(sealite_rows *rows, int32_t kind) {
  size_t columns, length;
  const char *name;
  OK(sealite_rows_columns(rows, &columns, &error));
  CHECK(columns > 0 && rows_in(rows) == 1);
  for (size_t at = 0; at < columns; at++) {
    sealite_value value;
    OK(sealite_rows_value_at(rows, 0, at, &value, &error));
    is_empty(value, kind);
    OK(sealite_rows_column_name(rows, at, &name, &length, &error));
    CHECK((uintptr_t)name >= 4096);
  }
  sealite_rows_free(rows);
}

static void of_sql(sealite_vault *vault) {
  const struct {
    const char *sql;
    int32_t kind;
  } queries[] = {{"SELECT '' AS a", SEALITE_TEXT}, {"SELECT x'' AS \"\"", SEALITE_BLOB}, {"SELECT '' AS \"\", '' AS b", SEALITE_TEXT}};
  sealite_connection *connection;
  OK(sealite_vault_connect(vault, &connection, &error));
  for (size_t at = 0; at < sizeof queries / sizeof *queries; at++) {
    sealite_rows *rows;
    sealite_stmt *stmt;
    sealite_value value;
    const char *name;
    size_t length;
    bool row;
    OK(sealite_vault_query(vault, T(queries[at].sql), NULL, 0, &rows, &error));
    all_are_empty(rows, queries[at].kind);
    OK(sealite_connection_query(connection, T(queries[at].sql), NULL, 0, &rows, &error));
    all_are_empty(rows, queries[at].kind);
    OK(sealite_connection_prepare(connection, T(queries[at].sql), &stmt, NULL, &error));
    OK(sealite_stmt_query(stmt, NULL, 0, &rows, &error));
    all_are_empty(rows, queries[at].kind);
    OK(sealite_stmt_step(stmt, &row, &error));
    CHECK(row);
    OK(sealite_stmt_value(stmt, 0, &value, &error));
    is_empty(value, queries[at].kind);
    OK(sealite_stmt_read(stmt, &value, 1, &error));
    is_empty(value, queries[at].kind);
    OK(sealite_stmt_column_name(stmt, 0, &name, &length, &error));
    CHECK((uintptr_t)name >= 4096);
    sealite_stmt_free(stmt);
  }
  sealite_connection_free(connection);
}

static void of_tables_fields_and_settings(sealite_vault *vault) {
  sealite_table *table = people(vault);
  sealite_rows *rows;
  int64_t id = insert_person(table, "ada@example.org", "");
  sealite_value key = sealite_integer(id), none = sealite_text("", 0), opened;
  OK(sealite_table_get(table, &key, &rows, &error));
  is_empty(cell(rows, 0, "name"), SEALITE_TEXT);
  sealite_rows_free(rows);
  sealite_table_free(table);

  sealite_field *field;
  sealite_bytes *sealed, *memory;
  OK(sealite_vault_field(vault, T("f"), &field, &error));
  OK(sealite_field_seal(field, &none, NULL, &sealed, &error));
  OK(sealite_field_open(field, sealite_bytes_data(sealed), sealite_bytes_length(sealed), NULL, &opened, &memory, &error));
  is_empty(opened, SEALITE_TEXT);
  sealite_bytes_free(memory);
  sealite_value blob = sealite_blob(sealite_bytes_data(sealed), sealite_bytes_length(sealed));
  OK(sealite_field_open_many(field, &blob, NULL, 1, &rows, &error));
  all_are_empty(rows, SEALITE_TEXT);
  sealite_bytes_free(sealed);
  sealite_field_free(field);

  sealite_settings *settings;
  sealite_setting_definition *definition;
  OK(sealite_vault_settings(vault, &settings, &error));
  OK(sealite_setting_definition_create(T("greeting"), SEALITE_TEXT, &definition, &error));
  OK(sealite_setting_definition_set_default(definition, &none, &error));
  OK(sealite_settings_define(settings, definition, NULL, &error));
  OK(sealite_settings_reveal_for_use(settings, T("greeting"), &opened, &memory, &error));
  is_empty(opened, SEALITE_TEXT);
  sealite_bytes_free(memory);
  sealite_setting_definition_free(definition);
  sealite_settings_free(settings);

  sealite_tokens *tokens;
  sealite_token_request *request;
  sealite_bytes *text;
  OK(sealite_vault_tokens(vault, &tokens, &error));
  OK(sealite_token_request_create(SEALITE_TOKEN_SESSION, &request, &error));
  OK(sealite_tokens_issue(tokens, request, &text, &rows, &error));
  is_empty(cell(rows, 0, "scopes"), SEALITE_TEXT);
  sealite_rows_free(rows);
  sealite_bytes_free(text);
  sealite_token_request_free(request);
  sealite_tokens_free(tokens);
}

int main(int argc, char **argv) {
  CHECK(argc == 2 && argv[1] != NULL);
  sealite_vault *vault = memory_vault();
  define_people(vault);
  of_sql(vault);
  of_tables_fields_and_settings(vault);
  sealite_vault_free(vault);
  return done();
}
