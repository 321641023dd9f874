/* Subjects, erasure, tenants, and a checkpoint given at opening. argv[1] is a folder to work in. */

#include "check.h"

#define B(bytes) (const char *)sealite_bytes_data(bytes), sealite_bytes_length(bytes)

static void define(sealite_vault *vault, const char *name, int per_tenant) {
  sealite_definition *definition;
  OK(sealite_definition_create(T(name), &definition, &error));
  if (per_tenant) OK(sealite_definition_set_per_tenant(definition, &error));
  OK(sealite_definition_add_column(definition, T("user_id integer authenticated"), &error));
  OK(sealite_definition_add_column(definition, T("body text sealed"), &error));
  OK(sealite_definition_set_subject(definition, T("user_id"), &error));
  OK(sealite_vault_define_table(vault, definition, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_definition_set_subject(definition, NULL, 1, &error));
  sealite_definition_free(definition);
  sealite_definition *wrong;
  OK(sealite_definition_create(T("wrong"), &wrong, &error));
  OK(sealite_definition_add_column(wrong, T("user_id integer sealed"), &error));
  OK(sealite_definition_set_subject(wrong, T("user_id"), &error));
  GIVES(SEALITE_DEFINITION, sealite_vault_define_table(vault, wrong, NULL, &error));
  sealite_definition_free(wrong);
}

static sealite_status insert(sealite_table *table, int64_t user, const char *body) {
  sealite_values *values;
  sealite_value id = sealite_integer(user);
  OK(sealite_values_create(&values, &error));
  OK(sealite_values_set(values, T("user_id"), &id, &error));
  set_text(values, "body", body);
  sealite_status status = sealite_table_insert(table, values, NULL, NULL);
  sealite_values_free(values);
  return status;
}

static void subjects(sealite_vault *vault) {
  sealite_table *notes;
  sealite_rows *rows;
  define(vault, "notes", 0);
  OK(sealite_vault_tables(vault, &rows, &error));
  CHECK(holds(rows, 0, "subject", "user_id"));
  sealite_rows_free(rows);
  OK(sealite_vault_table(vault, T("notes"), &notes, &error));
  for (int user = 1; user <= 3; user++) CHECK(insert(notes, user, "a note") == SEALITE_OK);

  sealite_bytes *json;
  OK(sealite_vault_export_subject(vault, NULL, 0, T("2"), &json, &error));
  CHECK(strstr(sealite_bytes_data(json), "\"notes\":[") != NULL && strstr(sealite_bytes_data(json), "a note") != NULL);
  sealite_bytes_free(json);

  OK(sealite_vault_erase_subject(vault, NULL, 0, T("2"), &rows, &error));
  CHECK(rows_in(rows) == 1 && cell(rows, 0, "rows").integer == 1 && cell(rows, 0, "keys").integer == 1);
  CHECK(holds(rows, 0, "subject", "2") && cell(rows, 0, "tenant").kind == SEALITE_NULL);
  CHECK(holds(rows, 0, "erasure", "complete") && cell(rows, 0, "audit_seq").integer > 0);
  sealite_value text = cell(rows, 0, "text");
  sealite_rows *known;
  OK(sealite_vault_verify_receipt(vault, text.data, text.length, &known, &error));
  CHECK(holds(known, 0, "subject", "2") && cell(known, 0, "at").integer == cell(rows, 0, "at").integer);
  sealite_rows_free(known);
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_verify_receipt(vault, T("no receipt"), &known, &error));
  sealite_rows_free(rows);

  for (int user = 11; user <= 14; user++) CHECK(insert(notes, user, "a note") == SEALITE_OK);
  const sealite_string several[] = {{T("11")}, {T("12")}, {T("14")}}, wrong[] = {{T("13")}, {T("nobody")}};
  OK(sealite_vault_erase_subjects(vault, NULL, 0, several, 3, &rows, &error));
  CHECK(rows_in(rows) == 3 && holds(rows, 0, "subject", "11") && holds(rows, 2, "subject", "14"));
  CHECK(holds(rows, 0, "erasure", "complete") && cell(rows, 1, "rows").integer == 1);
  sealite_rows_free(rows);
  GIVES(SEALITE_NOT_FOUND, sealite_vault_erase_subjects(vault, NULL, 0, wrong, 2, &rows, &error));
  CHECK(rows == NULL && insert(notes, 13, "again") == SEALITE_DESTROYED_KEY);
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_erase_subjects(vault, NULL, 0, NULL, 1, &rows, &error));

  CHECK(insert(notes, 2, "again") == SEALITE_DESTROYED_KEY);
  CHECK(insert(notes, 3, "goes on") == SEALITE_OK);
  GIVES(SEALITE_DESTROYED_KEY, sealite_vault_export_subject(vault, NULL, 0, T("2"), &json, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_vault_erase_subject(vault, NULL, 0, T("77"), &rows, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_erase_subject(vault, NULL, 0, NULL, 1, &rows, &error));
  sealite_table_free(notes);
}

static void tenants(sealite_vault *vault) {
  sealite_rows *rows;
  define(vault, "theirs", 1);
  const char *names[] = {"acme", "globex"};
  for (int at = 0; at < 2; at++) {
    sealite_tenant *tenant;
    sealite_table *table;
    OK(sealite_vault_tenant(vault, T(names[at]), &tenant, &error));
    OK(sealite_tenant_table(tenant, T("theirs"), &table, &error));
    CHECK(insert(table, 1, "theirs") == SEALITE_OK && insert(table, 2, "theirs") == SEALITE_OK);
    sealite_table_free(table);
    sealite_tenant_free(tenant);
  }
  OK(sealite_vault_erase_subject(vault, T("acme"), T("1"), &rows, &error));
  CHECK(holds(rows, 0, "tenant", "acme") && cell(rows, 0, "rows").integer == 1);
  sealite_rows_free(rows);
  OK(sealite_vault_erase_tenant(vault, T("globex"), &rows, &error));
  CHECK(holds(rows, 0, "tenant", "globex") && cell(rows, 0, "subject").kind == SEALITE_NULL);
  CHECK(cell(rows, 0, "rows").integer == 2);
  sealite_rows_free(rows);
  OK(sealite_vault_tenants(vault, &rows, &error));
  CHECK(rows_in(rows) == 2 && holds(rows, 0, "name", "acme") && cell(rows, 0, "subjects").integer == 1);
  CHECK(cell(rows, 0, "erased_at").kind == SEALITE_NULL && cell(rows, 1, "erased_at").kind == SEALITE_INTEGER);
  sealite_rows_free(rows);
  GIVES(SEALITE_NOT_FOUND, sealite_vault_erase_tenant(vault, T("initech"), &rows, &error));
}

static void copy(const char *from, const char *to) {
  char buffer[65536];
  FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
  CHECK(in != NULL && out != NULL);
  for (size_t got; (got = fread(buffer, 1, sizeof buffer, in)) > 0;) CHECK(fwrite(buffer, 1, got, out) == got);
  CHECK(fclose(in) == 0 && fclose(out) == 0);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096], old[4096];
  CHECK(snprintf(path, sizeof path, "%s/erasure.db", argv[1]) < (int)sizeof path);
  CHECK(snprintf(old, sizeof old, "%s/old.db", argv[1]) < (int)sizeof old);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  sealite_vault_free(vault);
  copy(path, old);

  OK(sealite_vault_open(T(path), unlock, NULL, &vault, &error));
  subjects(vault);
  tenants(vault);
  sealite_audit *audit;
  sealite_bytes *checkpoint;
  OK(sealite_vault_audit(vault, &audit, &error));
  OK(sealite_audit_checkpoint(audit, &checkpoint, &error));
  sealite_audit_free(audit);
  sealite_vault_free(vault);

  sealite_config *config;
  OK(sealite_config_create(&config, &error));
  OK(sealite_config_set_checkpoint(config, B(checkpoint), &error));
  sealite_bytes_free(checkpoint);
  OK(sealite_vault_open(T(path), unlock, config, &vault, &error));
  sealite_vault_free(vault);
  GIVES(SEALITE_ROLLED_BACK, sealite_vault_open(T(old), unlock, config, &vault, &error));
  OK(sealite_config_set_checkpoint(config, NULL, 0, &error));
  OK(sealite_vault_open(T(old), unlock, config, &vault, &error));
  sealite_vault_free(vault);
  sealite_config_free(config);
  sealite_unlock_free(unlock);
  return done();
}
