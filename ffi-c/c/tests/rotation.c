/* Rotation of data, index, token and audit keys. argv[1] is a folder to work in. */

#include "check.h"

#define DATA SEALITE_ROTATION_DATA
#define INDEX SEALITE_ROTATION_INDEX
#define OWN NULL, 0

static int64_t find(sealite_table *table, const char *email) {
  sealite_value value = sealite_text(T(email));
  sealite_rows *rows;
  OK(sealite_table_find(table, T("email"), &value, &rows, &error));
  int64_t found = (int64_t)rows_in(rows);
  sealite_rows_free(rows);
  return found;
}

static void tables(sealite_vault *vault) {
  define_people(vault);
  sealite_table *table = people(vault);
  for (int number = 0; number < 600; number++) {
    char email[64];
    CHECK(snprintf(email, sizeof email, "person%d@example.org", number) > 0);
    insert_person(table, email, "somebody");
  }
  sealite_rows *rows;
  GIVES(SEALITE_INVALID_INPUT, sealite_rotation_plan(vault, 4, OWN, &rows, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rotation_plan(vault, DATA, T("nobody"), &rows, &error));
  OK(sealite_rotation_plan(vault, DATA, OWN, &rows, &error));
  size_t last = rows_in(rows) - 1;
  CHECK(last > 0 && cell(rows, last, "table").kind == SEALITE_NULL && cell(rows, last, "key").integer == 1);
  CHECK(cell(rows, last, "records").integer > 600 && cell(rows, last, "estimate_ms").integer > 0);
  sealite_rows_free(rows);

  GIVES(SEALITE_NOT_FOUND, sealite_rotation_step(vault, DATA, OWN, NULL, &error));
  OK(sealite_rotation_begin(vault, DATA, OWN, &rows, &error));
  CHECK(holds(rows, 0, "state", "running") && cell(rows, 0, "old_key").integer == 1);
  sealite_rows_free(rows);
  GIVES(SEALITE_CONFLICT, sealite_rotation_begin(vault, DATA, OWN, NULL, &error));
  GIVES(SEALITE_REFUSED, sealite_rotation_destroy_retired(vault, DATA, OWN, 1, NULL, &error));
  int steps = 0;
  for (bool running = true; running; steps++) {
    OK(sealite_rotation_step(vault, DATA, OWN, &rows, &error));
    running = holds(rows, 0, "state", "running");
    CHECK(find(table, "person599@example.org") == 1);
    sealite_rows_free(rows);
  }
  CHECK(steps > 2);
  OK(sealite_rotation_run(vault, INDEX, OWN, NULL, &error));
  CHECK(find(table, "PERSON599@example.org") == 1);
  OK(sealite_rotation_run(vault, SEALITE_ROTATION_AUDIT, OWN, NULL, &error));
  OK(sealite_rotation_status(vault, &rows, &error));
  CHECK(rows_in(rows) == 3 && holds(rows, 0, "kind", "data") && holds(rows, 2, "state", "finished"));
  CHECK(cell(rows, 0, "tenant").kind == SEALITE_NULL && cell(rows, 0, "done").integer > 600);
  CHECK(cell(rows, 0, "finished_at").kind == SEALITE_INTEGER && cell(rows, 0, "remaining_ms").integer == 0);
  sealite_rows_free(rows);
  sealite_table_free(table);
}

static void fields(sealite_vault *vault) {
  sealite_field *field;
  sealite_bytes *sealed, *fresh;
  sealite_rows *rows;
  sealite_value value = sealite_text(T("a note"));
  OK(sealite_vault_field(vault, T("notes"), &field, &error));
  OK(sealite_field_seal(field, &value, NULL, &sealed, &error));
  OK(sealite_field_reseal(field, sealite_bytes_data(sealed), sealite_bytes_length(sealed), NULL, &fresh, &error));
  CHECK(fresh == NULL);
  OK(sealite_field_index_values(field, &value, T("unique"), &rows, &error));
  CHECK(rows_in(rows) == 2 && cell(rows, 0, "index").length == 16);
  sealite_rows_free(rows);
  OK(sealite_rotation_run(vault, DATA, OWN, NULL, &error));
  OK(sealite_field_reseal(field, sealite_bytes_data(sealed), sealite_bytes_length(sealed), NULL, &fresh, &error));
  CHECK(fresh != NULL);
  sealite_bytes_free(sealed);

  GIVES(SEALITE_REFUSED, sealite_rotation_destroy_retired(vault, DATA, OWN, 0, NULL, &error));
  GIVES(SEALITE_REFUSED, sealite_rotation_destroy_retired(vault, SEALITE_ROTATION_AUDIT, OWN, 1, NULL, &error));
  OK(sealite_rotation_destroy_retired(vault, DATA, OWN, 1, &rows, &error));
  CHECK(rows_in(rows) == 2 && cell(rows, 0, "key").integer == 1);
  sealite_rows_free(rows);
  sealite_value opened;
  sealite_bytes *memory;
  OK(sealite_field_open(field, sealite_bytes_data(fresh), sealite_bytes_length(fresh), NULL, &opened, &memory, &error));
  CHECK(opened.length == 6 && memcmp(opened.data, "a note", 6) == 0);
  sealite_bytes_free(memory);
  sealite_bytes_free(fresh);
  sealite_field_free(field);
}

static void tokens(sealite_vault *vault) {
  sealite_tokens *tokens;
  sealite_rows *rows;
  uint64_t revoked;
  OK(sealite_rotation_revoke_left(vault, OWN, &revoked, &error));
  CHECK(revoked == 0);
  OK(sealite_vault_tokens(vault, &tokens, &error));
  sealite_token_request *request;
  OK(sealite_token_request_create(SEALITE_TOKEN_API_KEY, &request, &error));
  sealite_bytes *text;
  OK(sealite_tokens_issue(tokens, request, &text, &rows, &error));
  sealite_bytes_free(text);
  sealite_token_request_free(request);
  sealite_rows_free(rows);
  OK(sealite_rotation_run(vault, SEALITE_ROTATION_TOKEN, OWN, &rows, &error));
  CHECK(holds(rows, 0, "state", "waiting") && cell(rows, 0, "left").integer == 1);
  sealite_rows_free(rows);
  OK(sealite_rotation_revoke_left(vault, OWN, &revoked, &error));
  CHECK(revoked == 1);
  OK(sealite_rotation_step(vault, SEALITE_ROTATION_TOKEN, OWN, NULL, &error));
  OK(sealite_rotation_destroy_retired(vault, SEALITE_ROTATION_TOKEN, OWN, 0, NULL, &error));
  sealite_tokens_free(tokens);
}

static void all(sealite_vault *vault, const sealite_unlock *unlock) {
  const sealite_unlock *keep[] = {unlock};
  sealite_rows *slots, *rows;
  GIVES(SEALITE_LAST_SLOT, sealite_rotation_run_all(vault, NULL, 0, 1, &slots, &rows, &error));
  CHECK(slots == NULL && rows == NULL);
  GIVES(SEALITE_INVALID_INPUT, sealite_rotation_run_all(vault, keep, 1, 2, &slots, &rows, &error));
  OK(sealite_rotation_run_all(vault, keep, 1, 0, &slots, &rows, &error));
  CHECK(rows_in(slots) == 1 && cell(slots, 0, "kept").integer == 1);
  CHECK(rows_in(rows) == 4);
  for (size_t at = 0; at < 4; at++) CHECK(holds(rows, at, "state", "finished") && cell(rows, at, "finished_at").integer > 0);
  sealite_rows_free(slots);
  sealite_rows_free(rows);
  OK(sealite_rotation_run_all(vault, keep, 1, 0, NULL, NULL, &error));
  sealite_table *table = people(vault);
  CHECK(find(table, "person599@example.org") == 1);
  sealite_table_free(table);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/rotation.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  tables(vault);
  fields(vault);
  tokens(vault);
  all(vault, unlock);
  sealite_vault_free(vault);
  sealite_unlock_free(unlock);
  return done();
}
