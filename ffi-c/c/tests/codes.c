/* Short codes, tokens of tenants and of stores from before, what is no token, and passwords. argv[1] is a folder to work in. */

#include "tokens.h"

static void short_codes(sealite_vault *vault) {
  sealite_tokens *tokens = tokens_of(vault);
  sealite_code_request *request;
  sealite_bytes *code;
  sealite_rows *rows, *used;
  OK(sealite_code_request_create(T("user-7"), &request, &error));
  OK(sealite_code_request_set_digits(request, 8, &error));
  OK(sealite_code_request_set_attempts(request, 2, &error));
  OK(sealite_code_request_set_expires_in(request, 300 * SECOND, &error));
  OK(sealite_code_request_set_label(request, T("a phone"), &error));
  OK(sealite_code_request_set_data(request, T("[1]"), &error));
  OK(sealite_code_request_set_keep_older(request, &error));
  OK(sealite_tokens_issue_code(tokens, request, &code, &rows, &error));
  CHECK(sealite_bytes_length(code) == 8 && cell(rows, 0, "attempts_left").integer == 2);
  CHECK(holds(rows, 0, "kind", "short_code") && holds(rows, 0, "label", "a phone"));
  sealite_value id = cell(rows, 0, "id");
  char wrong[9];
  memcpy(wrong, sealite_bytes_data(code), 9);
  wrong[0] = wrong[0] == '0' ? '1' : '0';
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_verify_code(tokens, (const char *)id.data, id.length, T(wrong), NULL, &error));
  OK(sealite_tokens_verify_code(tokens, (const char *)id.data, id.length, B(code), &used, &error));
  CHECK(holds(used, 0, "subject", "user-7") && cell(used, 0, "uses_left").integer == 0);
  sealite_rows_free(used);
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_verify_code(tokens, (const char *)id.data, id.length, B(code), NULL, &error));
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_verify_code(tokens, T("no id"), B(code), NULL, &error));
  sealite_bytes_free(code);
  sealite_rows_free(rows);

  OK(sealite_code_request_set_digits(request, 11, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_issue_code(tokens, request, &code, &rows, &error));
  CHECK(code == NULL && rows == NULL);
  GIVES(SEALITE_INVALID_INPUT, sealite_code_request_set_digits(request, 262, &error)); /* 6, were it cut to a byte. */
  sealite_code_request_free(request);
  sealite_tokens_free(tokens);
}

static void tenants(sealite_vault *vault) {
  sealite_tenant *acme, *beta;
  sealite_tokens *of_vault = tokens_of(vault), *of_acme, *of_beta;
  char id[25];
  OK(sealite_vault_tenant(vault, T("acme"), &acme, &error));
  OK(sealite_vault_tenant(vault, T("beta"), &beta, &error));
  OK(sealite_tenant_tokens(acme, &of_acme, &error));
  OK(sealite_tenant_tokens(beta, &of_beta, &error));
  sealite_tenant_free(acme); /* What was made from it goes on. */
  sealite_tenant_free(beta);
  sealite_bytes *session = issued(of_acme, request_for(SESSION, "user-7"), id);
  CHECK(verified(of_acme, session, SESSION) == SEALITE_OK);
  CHECK(verified(of_beta, session, SESSION) == SEALITE_TOKEN_REJECTED);
  CHECK(verified(of_vault, session, SESSION) == SEALITE_TOKEN_REJECTED);
  sealite_rows *rows;
  GIVES(SEALITE_NOT_FOUND, sealite_tokens_get(of_beta, T(id), &rows, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_tokens_revoke(of_vault, T(id), NULL, &error));
  OK(sealite_tokens_revoke_subject(of_beta, T("user-7"), &error));
  CHECK(listed(of_beta, NULL, NULL, 0) == 0 && verified(of_acme, session, SESSION) == SEALITE_OK);
  sealite_bytes_free(session);
  sealite_tokens_free(of_acme);
  sealite_tokens_free(of_beta);
  sealite_tokens_free(of_vault);
}

static void legacy(sealite_vault *vault) {
  sealite_tokens *tokens = tokens_of(vault);
  sealite_legacy_entries *entries;
  uint64_t imported, known;
  OK(sealite_legacy_entries_create(&entries, &error));
  /* SHA-256 of "test". */
  const char *hash = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  OK(sealite_legacy_entries_add_hash(entries, ADMIN, T(hash), T("ops"), NULL, 0, 1, &error));
  OK(sealite_legacy_entries_add_token(entries, USER, T("a token of old"), T("ada"), T("of a script"), 0, &error));
  OK(sealite_legacy_entries_add_users(entries, T("{\"plain token of a user\": {\"type\": \"user\"}}"), &error));
  GIVES(SEALITE_CORRUPT, sealite_legacy_entries_add_admin_tokens(entries, T("[{\"id\": \"a\""), &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_legacy_entries_add_hash(entries, ADMIN, T("9f86"), NULL, 0, NULL, 0, 1, &error));
  OK(sealite_tokens_import_legacy(tokens, entries, &imported, &known, &error));
  CHECK(imported == 3 && known == 0);
  OK(sealite_tokens_import_legacy(tokens, entries, &imported, &known, &error));
  CHECK(imported == 0 && known == 3);
  sealite_rows *rows;
  OK(sealite_tokens_verify(tokens, T("test"), &ADMIN, 1, NULL, 0, &rows, &error));
  CHECK(holds(rows, 0, "subject", "ops") && cell(rows, 0, "is_imported").integer == 1);
  sealite_rows_free(rows);
  OK(sealite_tokens_verify(tokens, T("plain token of a user"), &USER, 1, NULL, 0, NULL, &error));
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_verify(tokens, T("a token of old"), &USER, 1, NULL, 0, NULL, &error));
  OK(sealite_tokens_list(tokens, T("ada"), NULL, NULL, 0, 0, 10, &rows, &error));
  CHECK(rows_in(rows) == 1 && cell(rows, 0, "enabled").integer == 0 && holds(rows, 0, "label", "of a script"));
  sealite_rows_free(rows);
  sealite_legacy_entries_free(entries);
  sealite_tokens_free(tokens);
}

static void what_is_no_token(sealite_vault *vault) {
  sealite_tokens *tokens = tokens_of(vault);
  char id[25];
  bool is;
  sealite_bytes *session = issued(tokens, request_for(SESSION, NULL), id);
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_verify(tokens, "", 0, &SESSION, 1, NULL, 0, NULL, &error));
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_verify(tokens, NULL, 0, &SESSION, 1, NULL, 0, NULL, &error));
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_verify(tokens, "\xff\xfe", 2, &SESSION, 1, NULL, 0, NULL, &error));
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_verify(tokens, "a\0b", 3, &SESSION, 1, NULL, 0, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_verify(tokens, NULL, SEALITE_NTS, &SESSION, 1, NULL, 0, NULL, &error));
  GIVES(SEALITE_LIMIT, sealite_tokens_verify(tokens, "x", (size_t)1 << 63, &SESSION, 1, NULL, 0, NULL, &error));
  OK(sealite_is_token_text("\xff", 1, &is, &error));
  CHECK(!is && strlen(sealite_token_pattern()) > 20);

  /* No message shows what was presented. */
  sealite_error *error = NULL;
  const char *almost = (const char *)sealite_bytes_data(session);
  CHECK(sealite_tokens_verify(tokens, almost, 60, &SESSION, 1, NULL, 0, NULL, &error) == SEALITE_TOKEN_REJECTED);
  CHECK(strcmp(sealite_error_message(error), "the token is not valid") == 0);
  sealite_error_free(error);

  const int32_t wrong[] = {-1, 10, INT32_MAX, INT32_MIN};
  sealite_token_request *request;
  for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++) {
    GIVES(SEALITE_INVALID_INPUT, sealite_token_request_create(wrong[at], &request, &error));
    CHECK(request == NULL && verified(tokens, session, wrong[at]) == SEALITE_INVALID_INPUT);
    sealite_rows *rows;
    GIVES(SEALITE_INVALID_INPUT,
          sealite_tokens_list(tokens, NULL, 0, &wrong[at], NULL, 0, 0, 9, &rows, &error));
  }
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_verify(tokens, B(session), NULL, 1, NULL, 0, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_verify(tokens, B(session), &SESSION, 1, NULL, 1, NULL, &error));
  GIVES(SEALITE_LIMIT, sealite_tokens_verify(tokens, B(session), &SESSION, (size_t)1 << 62, NULL, 0, NULL, &error));
  request = request_for(SEALITE_TOKEN_SHORT_CODE, "user-7");
  sealite_bytes *text;
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_issue(tokens, request, &text, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_issue(tokens, request, NULL, NULL, &error));
  sealite_token_request_free(request);
  GIVES(SEALITE_CLOSED, sealite_tokens_issue(tokens, request, &text, NULL, &error));
  request = request_for(API_KEY, NULL);
  OK(sealite_token_request_add_scope(request, T("two words"), &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_issue(tokens, request, &text, NULL, &error));
  sealite_token_request_free(request);
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_issue((sealite_tokens *)vault, NULL, &text, NULL, &error));
  sealite_bytes_free(session);
  sealite_tokens_free(tokens);
  GIVES(SEALITE_CLOSED, sealite_tokens_revoke_subject(tokens, T("user-7"), &error));
  sealite_tokens_free(tokens);
  sealite_tokens_free(NULL);
}

static void passwords(void) {
  sealite_password_hasher *hasher, *dearer;
  sealite_bytes *stored, *better;
  bool right, needs;
  GIVES(SEALITE_LIMIT, sealite_password_hasher_create(1024, 2, 1, &hasher, &error));
  OK(sealite_password_hasher_create(19456, 2, 1, &hasher, &error));
  OK(sealite_password_hasher_create(20480, 2, 1, &dearer, &error));
  OK(sealite_password_hasher_hash(hasher, T("correct horse battery staple"), &stored, &error));
  CHECK(strncmp((const char *)sealite_bytes_data(stored), "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0);
  OK(sealite_password_hasher_verify(hasher, T("correct horse battery staple"), B(stored), &right, &error));
  CHECK(right);
  OK(sealite_password_hasher_verify(hasher, "correct horse battery stapl\xff", 28, B(stored), &right, &error));
  CHECK(!right);
  OK(sealite_password_hasher_verify(hasher, T("anything"), NULL, 0, &right, &error));
  CHECK(!right);
  OK(sealite_password_hasher_needs_rehash(hasher, B(stored), &needs, &error));
  CHECK(!needs);
  OK(sealite_password_hasher_needs_rehash(dearer, B(stored), &needs, &error));
  CHECK(needs);
  OK(sealite_password_hasher_verify_and_update(hasher, T("correct horse battery staple"), B(stored), &right, &better, &error));
  CHECK(right && better == NULL);
  OK(sealite_password_hasher_verify_and_update(dearer, T("correct horse battery staple"), B(stored), &right, &better, &error));
  CHECK(right && better != NULL && strstr((const char *)sealite_bytes_data(better), "m=20480") != NULL);
  sealite_bytes_free(better);
  GIVES(SEALITE_WEAK_KEY, sealite_password_hasher_hash(hasher, "", 0, &better, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_password_hasher_verify(hasher, T("x"), T("plain text"), &right, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_password_hasher_hash(NULL, T("x"), &better, &error));
  sealite_bytes_free(stored);
  sealite_password_hasher_free(dearer);
  sealite_password_hasher_free(hasher);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/tokens.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  sealite_unlock_free(unlock);
  short_codes(vault);
  tenants(vault);
  legacy(vault);
  what_is_no_token(vault);
  passwords();
  sealite_vault_free(vault);
  return done();
}
