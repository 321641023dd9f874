/* What a caller must not do gives a status, whatever it is. argv[1] is a folder to work in. */

#include "check.h"

static void nothing_given(sealite_vault *vault) {
  sealite_table *table;
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_table(NULL, T("people"), &table, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_table(vault, NULL, 6, &table, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_table(vault, NULL, SEALITE_NTS, &table, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_table(vault, T("people"), NULL, &error));
  CHECK(sealite_vault_table(vault, T("nobody"), &table, NULL) == SEALITE_NOT_FOUND && table == NULL);
  sealite_table_free(NULL);
  sealite_rows_free(NULL);
  sealite_bytes_free(NULL);
  sealite_error_free(NULL);
  CHECK(sealite_bytes_data(NULL) == NULL && sealite_bytes_length(NULL) == 0);
  CHECK(strcmp(sealite_error_message(NULL), "") == 0);
  CHECK(sealite_error_status(NULL) == SEALITE_INVALID_INPUT && sealite_error_sqlite_code(NULL) == 0);
  /* Out-parameters are cleared though another argument is at fault. */
  sealite_rows *rows = (sealite_rows *)&rows;
  sealite_value id = sealite_integer(1);
  GIVES(SEALITE_INVALID_INPUT, sealite_table_get(NULL, &id, &rows, &error));
  CHECK(rows == NULL);
}

static void handles_that_are_none(sealite_vault *vault) {
  sealite_table *table = people(vault), *copy = table;
  uint64_t count;
  sealite_table_free(table);
  GIVES(SEALITE_CLOSED, sealite_table_count(copy, &count, &error));
  sealite_table_free(copy);
  table = people(vault); /* The place is used again, the handle is not. */
  CHECK(table != copy);
  GIVES(SEALITE_CLOSED, sealite_table_count(copy, &count, &error));
  sealite_table_free(copy);
  OK(sealite_table_count(table, &count, &error));
  /* Another kind, a pointer to something else, and numbers. */
  GIVES(SEALITE_INVALID_INPUT, sealite_table_count((sealite_table *)vault, &count, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_lock((sealite_vault *)table, &error));
  sealite_vault_free((sealite_vault *)table);
  OK(sealite_table_count(table, &count, &error));
  GIVES(SEALITE_CLOSED, sealite_table_count((sealite_table *)(void *)&count, &count, &error));
  for (uintptr_t number = 1; number < 5000; number++)
    CHECK(sealite_table_count((sealite_table *)number, &count, NULL) == SEALITE_CLOSED);
  GIVES(SEALITE_CLOSED, sealite_table_count((sealite_table *)UINTPTR_MAX, &count, &error));
  sealite_table_free((sealite_table *)UINTPTR_MAX);
  sealite_table_free(table);
}

static void numbers_that_are_no_choice(sealite_vault *vault) {
  const int32_t wrong[] = {-1, 3, 7, 99, INT32_MAX, INT32_MIN};
  sealite_definition *definition;
  sealite_field *field, *padded;
  sealite_config *config;
  OK(sealite_definition_create(T("t"), &definition, &error));
  OK(sealite_vault_field(vault, T("f"), &field, &error));
  OK(sealite_config_create(&config, &error));
  for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++) {
    sealite_value value = {wrong[at] == 3 ? 8 : wrong[at], 0, 0, NULL, 0};
    sealite_bytes *sealed;
    sealite_setting_definition *setting;
    GIVES(SEALITE_INVALID_INPUT, sealite_definition_set_padding(definition, wrong[at], 32, &error));
    GIVES(SEALITE_INVALID_INPUT, sealite_definition_set_key(definition, T("k"), wrong[at], &error));
    GIVES(SEALITE_INVALID_INPUT, sealite_field_padded(field, wrong[at], 32, &padded, &error));
    GIVES(SEALITE_INVALID_INPUT, sealite_config_set_synchronous(config, wrong[at], &error));
    GIVES(SEALITE_INVALID_INPUT, sealite_vault_protect_column(vault, T("people"), T("plan"), wrong[at], NULL, &error));
    GIVES(SEALITE_INVALID_INPUT, sealite_field_seal(field, value.kind == 7 ? (value.kind = 9, &value) : &value, NULL, &sealed, &error));
    if (wrong[at] != 3)
      GIVES(SEALITE_INVALID_INPUT, sealite_setting_definition_create(T("s"), wrong[at], &setting, &error));
  }
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_backup(vault, T("nowhere.db"), 2, NULL, &error));
  sealite_unlock *unlock = key_unlock();
  GIVES(SEALITE_INVALID_INPUT, sealite_restore(T("nowhere.db"), T("there.db"), unlock, NULL, 0, -1, NULL, &error));
  sealite_unlock_free(unlock);
  sealite_value maybe = sealite_boolean(true);
  maybe.integer = 2;
  sealite_bytes *sealed;
  GIVES(SEALITE_INVALID_INPUT, sealite_field_seal(field, &maybe, NULL, &sealed, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_field_padded(field, SEALITE_PADDING_BLOCK, 0, &padded, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_field_padded(field, SEALITE_PADDING_BLOCK, 65536, &padded, &error));
  CHECK(strcmp(sealite_status_name(0), "ok") == 0 && strcmp(sealite_status_name(18), "not_found") == 0);
  CHECK(strcmp(sealite_status_name(-1), "unknown") == 0 && strcmp(sealite_status_name(INT32_MAX), "unknown") == 0);
  sealite_config_free(config);
  sealite_field_free(field);
  sealite_definition_free(definition);
}

static void lengths_and_bytes(sealite_vault *vault) {
  sealite_table *table;
  const size_t half = (size_t)1 << 63;
  GIVES(SEALITE_LIMIT, sealite_vault_table(vault, "people", half, &table, &error));
  GIVES(SEALITE_LIMIT, sealite_vault_table(vault, "people", SIZE_MAX - 1, &table, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_table(vault, "\xff\xfe", 2, &table, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_table(vault, T("caf\xc3"), &table, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_vault_table(vault, "pe\0ple", 6, &table, &error));
  table = people(vault);
  sealite_rows *rows;
  sealite_value id = sealite_integer(1), blob = sealite_blob("x", half);
  GIVES(SEALITE_LIMIT, sealite_table_get_many(table, &id, half / 8, NULL, &rows, &error));
  GIVES(SEALITE_LIMIT, sealite_table_find(table, T("email"), &blob, &rows, &error));
  sealite_string column = {"email", 5};
  GIVES(SEALITE_LIMIT, sealite_table_insert_many(table, &column, 1, &id, half / 4, NULL, &error));
  GIVES(SEALITE_LIMIT, sealite_table_insert_many(table, &column, half / 8, &id, 8, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_table_insert_many(table, NULL, 0, NULL, 3, NULL, &error));
  sealite_value real = sealite_real(1.5);
  GIVES(SEALITE_INVALID_INPUT, sealite_table_get(table, &real, &rows, &error));
  real.data = "never looked at";
  GIVES(SEALITE_TYPE_MISMATCH, sealite_table_find(table, T("email"), &real, &rows, &error));
  sealite_unlock *unlock;
  GIVES(SEALITE_WEAK_KEY, sealite_unlock_key("short", 5, &unlock, &error));
  GIVES(SEALITE_WEAK_KEY, sealite_unlock_key(NULL, 0, &unlock, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_unlock_recovery_code(T("ABCD"), &unlock, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_unlock_reference(T("a key itself"), &unlock, &error));
  sealite_vault *other;
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_at("", 0, NULL, &other, &error));
  sealite_table_free(table);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/misuse.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  sealite_unlock_free(unlock);
  define_people(vault);
  nothing_given(vault);
  handles_that_are_none(vault);
  numbers_that_are_no_choice(vault);
  lengths_and_bytes(vault);
  sealite_vault_free(vault);
  return done();
}
