/* The life of a vault: created once, opened, locked, closed; its slots. argv[1] is a folder to work in. */

#include "check.h"

#include <stddef.h>

/* What other languages have written down. */
_Static_assert(sizeof(sealite_status) == 4, "statuses are 32 bits");
_Static_assert(sizeof(sealite_value) == 40, "the layout of a value");
_Static_assert(offsetof(sealite_value, kind) == 0 && offsetof(sealite_value, integer) == 8, "the layout of a value");
_Static_assert(offsetof(sealite_value, real) == 16 && offsetof(sealite_value, data) == 24, "the layout of a value");
_Static_assert(sizeof(sealite_string) == 16, "the layout of a string");
_Static_assert(sizeof(sealite_decision) == 32 && offsetof(sealite_decision, retry_after_ms) == 8, "the layout of a decision");

int main(int argc, char **argv) {
  CHECK(argc == 2);
  CHECK(strcmp(sealite_version(), SEALITE_VERSION) == 0);
  CHECK(sealite_version_number() == SEALITE_VERSION_NUMBER);

  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/life.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_config *config;
  OK(sealite_config_create(&config, &error));
  OK(sealite_config_set_busy_timeout(config, 2000, &error));
  OK(sealite_config_set_synchronous(config, SEALITE_SYNCHRONOUS_NORMAL, &error));
  OK(sealite_config_set_existing_database(config, 0, &error));
  OK(sealite_config_set_disk_reserve(config, 1, &error));

  sealite_vault *vault;
  int32_t state;
  OK(sealite_vault_at(T(path), config, &vault, &error));
  OK(sealite_vault_status(vault, &state, &error));
  CHECK(state == SEALITE_VAULT_ABSENT);
  GIVES(SEALITE_NOT_INITIALISED, sealite_vault_unlock(vault, unlock, &error));
  OK(sealite_vault_initialise(vault, unlock, &error));
  OK(sealite_vault_status(vault, &state, &error));
  CHECK(state == SEALITE_VAULT_OPEN);
  sealite_vault *second;
  GIVES(SEALITE_ALREADY_INITIALISED, sealite_vault_create(T(path), unlock, NULL, &second, &error));
  CHECK(second == NULL);
  bool held;
  OK(sealite_vault_holds_file(T(path), &held, &error));
  CHECK(held);

  /* Slots. */
  sealite_unlock *passphrase;
  GIVES(SEALITE_WEAK_KEY, sealite_unlock_passphrase(T("short"), 0, 0, 0, &passphrase, &error));
  OK(sealite_unlock_passphrase(T("seven crates of walnuts"), 19456, 2, 1, &passphrase, &error));
  GIVES(SEALITE_WRONG_KEY, sealite_vault_unlock(vault, passphrase, &error));
  int64_t id;
  OK(sealite_vault_add_slot(vault, T("operator"), passphrase, &id, &error));
  sealite_bytes *code;
  OK(sealite_vault_add_recovery_slot_reveal(vault, T("paper"), NULL, &code, &error));
  sealite_rows *slots;
  OK(sealite_vault_slots(vault, &slots, &error));
  CHECK(rows_in(slots) == 3);
  CHECK(holds(slots, 0, "kind", "key") && holds(slots, 1, "label", "operator") && holds(slots, 2, "kind", "recovery"));
  CHECK(cell(slots, 1, "id").integer == id);
  sealite_rows_free(slots);

  OK(sealite_vault_lock(vault, &error));
  sealite_table *table;
  GIVES(SEALITE_LOCKED, sealite_vault_table(vault, T("people"), &table, &error));
  OK(sealite_vault_status(vault, &state, &error));
  CHECK(state == SEALITE_VAULT_LOCKED);
  OK(sealite_vault_unlock(vault, passphrase, &error));
  OK(sealite_vault_lock(vault, &error));
  sealite_unlock *recovery;
  OK(sealite_unlock_recovery_code((const char *)sealite_bytes_data(code), sealite_bytes_length(code), &recovery, &error));
  OK(sealite_vault_unlock(vault, recovery, &error));

  OK(sealite_vault_remove_slot(vault, 1, &error));
  OK(sealite_vault_remove_slot(vault, 3, &error));
  GIVES(SEALITE_LAST_SLOT, sealite_vault_remove_slot(vault, id, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_vault_remove_slot(vault, 99, &error));
  GIVES(SEALITE_WRONG_KEY, sealite_vault_open(T(path), unlock, NULL, &second, &error));

  /* A new key, revealed once, makes a slot. */
  sealite_bytes *text;
  OK(sealite_key_reveal_new(&text, &error));
  CHECK(sealite_bytes_length(text) == 64);
  sealite_unlock *fresh;
  OK(sealite_unlock_key_text((const char *)sealite_bytes_data(text), 64, &fresh, &error));
  OK(sealite_vault_add_slot(vault, T("new"), fresh, NULL, &error));
  OK(sealite_vault_open(T(path), fresh, config, &second, &error));

  /* Closed for every handle of the same vault; the other vault goes on. */
  define_people(vault);
  table = people(vault);
  OK(sealite_vault_close(vault, &error));
  uint64_t count;
  GIVES(SEALITE_CLOSED, sealite_table_count(table, &count, &error));
  GIVES(SEALITE_CLOSED, sealite_vault_unlock(vault, fresh, &error));
  sealite_table_free(table);
  table = people(second);
  sealite_vault_free(second); /* The table keeps the vault. */
  OK(sealite_table_count(table, &count, &error));
  CHECK(count == 0);
  sealite_table_free(table);

  bool sound;
  sealite_rows *found;
  OK(sealite_vault_open(T(path), fresh, config, &second, &error));
  OK(sealite_vault_verify(second, &sound, &found, &error));
  CHECK(sound && rows_in(found) > 0);
  sealite_rows_free(found);

  /* A sheet to print has the code on a line of its own. */
  sealite_bytes *sheet;
  OK(sealite_vault_add_recovery_sheet_reveal(second, T("paper"), &id, &sheet, &error));
  const char *page = (const char *)sealite_bytes_data(sheet);
  size_t length = sealite_bytes_length(sheet), at = 0;
  CHECK(length > 500 && memcmp(page, "SEALITE RECOVERY SHEET", 22) == 0);
  sealite_unlock *printed = NULL;
  while (at < length && printed == NULL) {
    const char *end = memchr(page + at, '\n', length - at);
    CHECK(end != NULL);
    size_t line = (size_t)(end - (page + at));
    if (sealite_unlock_recovery_code(page + at, line, &printed, NULL) != SEALITE_OK) CHECK(printed == NULL);
    at += line + 1;
  }
  CHECK(printed != NULL);
  OK(sealite_vault_lock(second, &error));
  OK(sealite_vault_unlock(second, printed, &error));

  /* A copy in use, checked; restored, and opened by the sheet's code. */
  char copy[4096], restored[4096];
  CHECK(snprintf(copy, sizeof copy, "%s/copy.db", argv[1]) < (int)sizeof copy);
  CHECK(snprintf(restored, sizeof restored, "%s/restored.db", argv[1]) < (int)sizeof restored);
  OK(sealite_vault_backup(second, T(copy), 0, &found, &error));
  CHECK(rows_in(found) == 1 && cell(found, 0, "bytes").integer > 4096 && cell(found, 0, "audit_entries").integer > 3);
  sealite_rows_free(found);
  GIVES(SEALITE_REFUSED, sealite_vault_backup(second, T(copy), 1, NULL, &error));
  OK(sealite_restore(T(copy), T(path), printed, NULL, 0, 1, NULL, &error));
  GIVES(SEALITE_REFUSED, sealite_restore(T(copy), T(path), printed, NULL, 0, 0, NULL, &error));
  GIVES(SEALITE_WRONG_KEY, sealite_restore(T(copy), T(restored), unlock, NULL, 0, 0, NULL, &error));
  OK(sealite_restore(T(copy), T(restored), printed, NULL, 0, 0, NULL, &error));
  uint64_t before, after;
  OK(sealite_vault_compact(second, &before, &after, &sound, &error));
  CHECK(before > 0 && after > 0 && !sound);
  sealite_vault_free(second);
  OK(sealite_vault_open(T(restored), printed, NULL, &second, &error));
  OK(sealite_vault_verify(second, &sound, &found, &error));
  CHECK(sound);
  sealite_rows_free(found);
  sealite_vault_free(second);
  sealite_unlock_free(printed);
  sealite_bytes_free(sheet);

  sealite_bytes_free(text);
  sealite_bytes_free(code);
  sealite_unlock_free(fresh);
  sealite_unlock_free(recovery);
  sealite_unlock_free(passphrase);
  sealite_unlock_free(unlock);
  sealite_config_free(config);
  sealite_vault_free(vault);
  return done();
}
