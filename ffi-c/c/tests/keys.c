/* The keys of a vault: listed, and the master key changed. argv[1] is a folder to work in. */

#include "check.h"

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  snprintf(path, sizeof path, "%s/keys.db", argv[1]);
  sealite_bytes *text;
  sealite_unlock *key, *passphrase, *other;
  OK(sealite_key_reveal_new(&text, &error));
  OK(sealite_unlock_key_text((const char *)sealite_bytes_data(text), sealite_bytes_length(text), &key, &error));
  sealite_bytes_free(text);
  OK(sealite_key_reveal_new(&text, &error));
  OK(sealite_unlock_key_text((const char *)sealite_bytes_data(text), sealite_bytes_length(text), &other, &error));
  sealite_bytes_free(text);
  OK(sealite_unlock_passphrase(T("seven crates of walnuts"), 19456, 2, 1, &passphrase, &error));

  sealite_config *config;
  OK(sealite_config_create(&config, &error));
  OK(sealite_config_set_key_cache(config, 16, 60000, &error));
  sealite_vault *vault, *second;
  OK(sealite_vault_create(T(path), key, config, &vault, &error));
  sealite_config_free(config);
  OK(sealite_vault_add_slot(vault, T("operator"), passphrase, NULL, &error));

  sealite_rows *rows;
  OK(sealite_keys_list(vault, &rows, &error));
  CHECK(rows_in(rows) == 3);
  CHECK(holds(rows, 0, "purpose", "data") && holds(rows, 1, "purpose", "index") && holds(rows, 2, "purpose", "audit"));
  CHECK(holds(rows, 0, "state", "active") && cell(rows, 0, "generation").integer == 1 && cell(rows, 2, "id").integer == 3);
  CHECK(cell(rows, 0, "tenant").kind == SEALITE_NULL && cell(rows, 0, "subject").kind == SEALITE_NULL);
  CHECK(cell(rows, 0, "created_at").integer > 0 && cell(rows, 0, "changed_at").integer > 0);
  sealite_rows_free(rows);

  OK(sealite_vault_open(T(path), passphrase, NULL, &second, &error));
  const sealite_unlock *all[] = {key, passphrase}, *wrong[] = {key, other}, *one[] = {key};
  GIVES(SEALITE_WRONG_KEY, sealite_keys_rotate_master(vault, wrong, 2, 1, NULL, &error));
  GIVES(SEALITE_REFUSED, sealite_keys_rotate_master(vault, one, 1, 0, NULL, &error));
  GIVES(SEALITE_LAST_SLOT, sealite_keys_rotate_master(vault, NULL, 0, 1, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_keys_rotate_master(vault, NULL, 1, 1, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_keys_rotate_master(vault, one, 1, 2, NULL, &error));
  OK(sealite_keys_rotate_master(vault, all, 2, 0, &rows, &error));
  CHECK(rows_in(rows) == 2 && cell(rows, 0, "slot").integer == 1 && cell(rows, 1, "kept").integer == 1);
  sealite_rows_free(rows);
  OK(sealite_vault_count(second, T("used"), 1, &error));
  OK(sealite_keys_list(second, &rows, &error));
  sealite_rows_free(rows);

  OK(sealite_keys_rotate_master(vault, one, 1, 1, &rows, &error));
  CHECK(rows_in(rows) == 2 && cell(rows, 1, "slot").integer == 2 && cell(rows, 1, "kept").integer == 0);
  sealite_rows_free(rows);
  GIVES(SEALITE_LOCKED, sealite_keys_list(second, &rows, &error));
  CHECK(rows == NULL);
  GIVES(SEALITE_WRONG_KEY, sealite_vault_unlock(second, passphrase, &error));
  OK(sealite_vault_unlock(second, key, &error));

  sealite_vault_free(second);
  sealite_vault_free(vault);
  sealite_unlock_free(other);
  sealite_unlock_free(passphrase);
  sealite_unlock_free(key);
  return 0;
}
