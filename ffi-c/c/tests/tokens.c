/* Tokens of every kind, and passwords. argv[1] is a folder to work in. */

#include "check.h"

#define SECOND ((uint64_t)1000)
#define DAY (86400 * SECOND)

static const int32_t SESSION = SEALITE_TOKEN_SESSION, API_KEY = SEALITE_TOKEN_API_KEY, LINK = SEALITE_TOKEN_MAGIC_LINK,
                     GLASS = SEALITE_TOKEN_BREAK_GLASS, REFRESH = SEALITE_TOKEN_REFRESH, ADMIN = SEALITE_TOKEN_ADMIN,
                     USER = SEALITE_TOKEN_USER;

/* What was given out, as two arguments. */
#define B(bytes) (const char *)sealite_bytes_data(bytes), sealite_bytes_length(bytes)

static sealite_tokens *tokens_of(sealite_vault *vault) {
  sealite_tokens *tokens;
  OK(sealite_vault_tokens(vault, &tokens, &error));
  return tokens;
}

static sealite_token_request *request_for(int32_t kind, const char *subject) {
  sealite_token_request *request;
  OK(sealite_token_request_create(kind, &request, &error));
  if (subject != NULL) OK(sealite_token_request_set_subject(request, T(subject), &error));
  return request;
}

/* Issues, frees the request, and copies the public id. */
static sealite_bytes *issued(sealite_tokens *tokens, sealite_token_request *request, char id[25]) {
  sealite_bytes *text;
  sealite_rows *rows;
  OK(sealite_tokens_issue(tokens, request, &text, &rows, &error));
  sealite_token_request_free(request);
  sealite_value value = cell(rows, 0, "id");
  CHECK(rows_in(rows) == 1 && value.length == 24);
  memcpy(id, value.data, 24);
  id[24] = 0;
  bool is;
  OK(sealite_is_token_text(B(text), &is, &error));
  CHECK(is);
  sealite_rows_free(rows);
  return text;
}

static sealite_status verified(sealite_tokens *tokens, sealite_bytes *text, int32_t kind) {
  return sealite_tokens_verify(tokens, B(text), &kind, 1, NULL, 0, NULL, NULL);
}

static sealite_status consumed(sealite_tokens *tokens, sealite_bytes *text, int32_t kind) {
  return sealite_tokens_consume(tokens, B(text), &kind, 1, NULL, 0, NULL, NULL);
}

static size_t listed(sealite_tokens *tokens, const char *subject, const int32_t *kind, int32_t active) {
  sealite_rows *rows;
  OK(sealite_tokens_list(tokens, subject, SEALITE_NTS, kind, NULL, 0, active, 1000, &rows, &error));
  size_t count = rows_in(rows);
  sealite_rows_free(rows);
  return count;
}

static void sessions(sealite_vault *vault) {
  sealite_tokens *tokens = tokens_of(vault);
  char first_id[25], second_id[25], third_id[25];
  sealite_token_request *request = request_for(SESSION, "user-7");
  OK(sealite_token_request_set_label(request, T("a browser"), &error));
  OK(sealite_token_request_set_data(request, T("{\"agent\": \"Firefox\"}"), &error));
  OK(sealite_token_request_set_idle(request, 3600 * SECOND, &error));
  OK(sealite_token_request_set_last_used_every(request, 60 * SECOND, &error));
  sealite_bytes *first = issued(tokens, request, first_id);
  sealite_bytes *second = issued(tokens, request_for(SESSION, "user-7"), second_id);

  sealite_rows *rows;
  OK(sealite_tokens_verify(tokens, B(first), &SESSION, 1, NULL, 0, &rows, &error));
  CHECK(rows_in(rows) == 1 && holds(rows, 0, "id", first_id) && holds(rows, 0, "kind", "session"));
  CHECK(holds(rows, 0, "subject", "user-7") && holds(rows, 0, "label", "a browser") && holds(rows, 0, "prefix", "slses"));
  CHECK(holds(rows, 0, "data", "{\"agent\": \"Firefox\"}") && cell(rows, 0, "data").kind == SEALITE_JSON);
  CHECK(cell(rows, 0, "enabled").integer == 1 && cell(rows, 0, "idle_ms").integer == 3600000);
  CHECK(cell(rows, 0, "expires_at").integer == cell(rows, 0, "created_at").integer + (int64_t)(7 * DAY));
  CHECK(cell(rows, 0, "revoked_at").kind == SEALITE_NULL && cell(rows, 0, "is_imported").integer == 0);
  size_t width;
  OK(sealite_rows_columns(rows, &width, &error));
  sealite_value all[24], none;
  CHECK(width == 24);
  OK(sealite_rows_read(rows, 0, all, width, &error));
  CHECK(all[0].length == 24 && all[23].kind == SEALITE_BOOLEAN);
  GIVES(SEALITE_NOT_FOUND, sealite_rows_value_at(rows, 0, width, &none, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rows_value_at(rows, 1, 0, &none, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rows_value(rows, 0, T("text"), &none, &error));
  sealite_rows_free(rows);

  /* Of one kind, of several, and of none that it is. */
  const int32_t either[] = {SEALITE_TOKEN_API_KEY, SEALITE_TOKEN_SESSION};
  OK(sealite_tokens_verify(tokens, B(first), either, 2, NULL, 0, NULL, &error));
  CHECK(verified(tokens, first, API_KEY) == SEALITE_TOKEN_REJECTED);
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_verify(tokens, B(first), NULL, 0, NULL, 0, NULL, &error));

  bool changed, valid;
  sealite_bytes *csrf, *other;
  OK(sealite_tokens_issue_csrf(tokens, B(first), &csrf, &error));
  OK(sealite_tokens_issue_csrf(tokens, B(first), &other, &error));
  CHECK(sealite_bytes_length(csrf) == 86 && memcmp(sealite_bytes_data(csrf), sealite_bytes_data(other), 86) != 0);
  OK(sealite_tokens_check_csrf(tokens, B(first), B(csrf), &valid, &error));
  CHECK(valid);
  OK(sealite_tokens_check_csrf(tokens, B(second), B(csrf), &valid, &error));
  CHECK(!valid);
  OK(sealite_tokens_check_csrf(tokens, B(first), NULL, 0, &valid, &error));
  CHECK(!valid);
  sealite_bytes_free(other);
  sealite_bytes_free(csrf);
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_issue_csrf(tokens, T("no token"), &csrf, &error));
  CHECK(csrf == NULL);

  OK(sealite_tokens_disable(tokens, T(first_id), &changed, &error));
  CHECK(changed && verified(tokens, first, SESSION) == SEALITE_TOKEN_REJECTED);
  OK(sealite_tokens_disable(tokens, T(first_id), &changed, &error));
  CHECK(!changed);
  OK(sealite_tokens_enable(tokens, T(first_id), NULL, &error));
  CHECK(verified(tokens, first, SESSION) == SEALITE_OK);

  CHECK(listed(tokens, "user-7", &SESSION, 1) == 2 && listed(tokens, "user-7", &API_KEY, 0) == 0);
  CHECK(listed(tokens, "nobody", NULL, 0) == 0 && listed(tokens, NULL, NULL, 0) == 2);
  uint64_t revoked;
  OK(sealite_tokens_revoke_kind(tokens, T("user-7"), SESSION, T(second_id), &revoked, &error));
  CHECK(revoked == 1 && verified(tokens, first, SESSION) == SEALITE_TOKEN_REJECTED);
  CHECK(verified(tokens, second, SESSION) == SEALITE_OK && listed(tokens, "user-7", NULL, 1) == 1);
  OK(sealite_tokens_revoke(tokens, T(second_id), &changed, &error));
  CHECK(changed);
  OK(sealite_tokens_revoke(tokens, T(second_id), &changed, &error));
  CHECK(!changed && verified(tokens, second, SESSION) == SEALITE_TOKEN_REJECTED);
  OK(sealite_tokens_get(tokens, T(second_id), &rows, &error));
  CHECK(cell(rows, 0, "revoked_at").kind == SEALITE_INTEGER);
  sealite_rows_free(rows);

  sealite_bytes *third = issued(tokens, request_for(SESSION, "user-7"), third_id);
  OK(sealite_tokens_revoke_subject(tokens, T("user-7"), &error));
  CHECK(verified(tokens, third, SESSION) == SEALITE_TOKEN_REJECTED);
  sealite_bytes_free(third);
  third = issued(tokens, request_for(SESSION, "user-7"), third_id);
  CHECK(verified(tokens, third, SESSION) == SEALITE_OK);
  request = request_for(SESSION, "user-7");
  OK(sealite_token_request_set_replace_older(request, &error));
  sealite_bytes *fourth = issued(tokens, request, first_id);
  CHECK(verified(tokens, third, SESSION) == SEALITE_TOKEN_REJECTED && verified(tokens, fourth, SESSION) == SEALITE_OK);
  sealite_bytes_free(fourth);
  sealite_bytes_free(third);
  sealite_bytes_free(second);
  sealite_bytes_free(first);
  sealite_tokens_free(tokens);
}

static void api_keys(sealite_vault *vault) {
  sealite_tokens *tokens = tokens_of(vault);
  sealite_token_request *request = request_for(API_KEY, NULL);
  char id[25];
  OK(sealite_token_request_add_scope(request, T("orders:write"), &error));
  OK(sealite_token_request_add_scope(request, T("orders:read"), &error));
  OK(sealite_token_request_set_limits(request, T("2/minute"), &error));
  OK(sealite_token_request_set_prefix(request, T("acme_live"), &error));
  sealite_bytes *key = issued(tokens, request, id);
  CHECK(strncmp((const char *)sealite_bytes_data(key), "acme_live_", 10) == 0);

  const sealite_string both[] = {{"orders:read", SEALITE_NTS}, {"orders:write", 12}}, more = {"orders:delete", SEALITE_NTS};
  sealite_rows *rows;
  OK(sealite_tokens_verify(tokens, B(key), &API_KEY, 1, both, 2, &rows, &error));
  CHECK(holds(rows, 0, "scopes", "orders:read orders:write") && cell(rows, 0, "expires_at").kind == SEALITE_NULL);
  GIVES(SEALITE_DENIED, sealite_tokens_verify(tokens, B(key), &API_KEY, 1, &more, 1, NULL, &error));

  /* Limits of its own, charged under its own key. */
  sealite_quotas *quotas;
  sealite_limits *limits;
  sealite_decision decision;
  sealite_value quota = cell(rows, 0, "quota_key"), text = cell(rows, 0, "limits");
  OK(sealite_vault_quotas(vault, &quotas, &error));
  OK(sealite_limits_create(&limits, &error));
  OK(sealite_limits_parse(limits, (const char *)text.data, text.length, &error));
  for (int charge = 0; charge < 3; charge++) {
    OK(sealite_quotas_check_and_charge(quotas, (const char *)quota.data, quota.length, limits, 1, &decision, &error));
    CHECK(decision.allowed == (charge < 2));
  }
  sealite_limits_free(limits);
  sealite_quotas_free(quotas);
  sealite_rows_free(rows);
  sealite_bytes_free(key);
  sealite_tokens_free(tokens);
}

static void times(sealite_vault *vault) {
  sealite_tokens *tokens = tokens_of(vault);
  int64_t clock = 1900000000000;
  char id[25];
  OK(sealite_vault_set_clock(vault, &clock, &error));
  sealite_token_request *request = request_for(SESSION, "user-8");
  OK(sealite_token_request_set_not_before_in(request, 5000, &error));
  OK(sealite_token_request_set_expires_in(request, 10000, &error));
  sealite_bytes *later = issued(tokens, request, id);
  request = request_for(SESSION, "user-8");
  OK(sealite_token_request_set_never_expires(request, &error));
  sealite_bytes *always = issued(tokens, request, id);
  for (int second = 0; second < 15; second++) {
    CHECK(verified(tokens, later, SESSION) == (second >= 5 && second < 10 ? SEALITE_OK : SEALITE_TOKEN_REJECTED));
    CHECK(verified(tokens, always, SESSION) == SEALITE_OK);
    clock += 1000;
    OK(sealite_vault_set_clock(vault, &clock, &error));
  }
  request = request_for(SESSION, "user-8");
  OK(sealite_token_request_set_expires_in(request, 0, &error));
  sealite_bytes *text;
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_issue(tokens, request, &text, NULL, &error));
  OK(sealite_token_request_set_expires_in(request, UINT64_MAX, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_issue(tokens, request, &text, NULL, &error));
  sealite_token_request_free(request);
  sealite_bytes_free(later);
  sealite_bytes_free(always);
  sealite_tokens_free(tokens);
}

static void one_shot(sealite_vault *vault) {
  sealite_tokens *tokens = tokens_of(vault), *inside;
  sealite_transaction *transaction;
  char id[25];
  sealite_bytes *link = issued(tokens, request_for(LINK, "user-7"), id);
  CHECK(verified(tokens, link, LINK) == SEALITE_TOKEN_REJECTED); /* It has a number of uses. */
  OK(sealite_tokens_peek(tokens, B(link), &LINK, 1, NULL, 0, NULL, &error));

  /* A use in a transaction is taken where that commits. */
  for (int commit = 0; commit < 2; commit++) {
    OK(sealite_vault_begin(vault, &transaction, &error));
    OK(sealite_transaction_tokens(transaction, &inside, &error));
    sealite_rows *rows;
    OK(sealite_tokens_consume(inside, B(link), &LINK, 1, NULL, 0, &rows, &error));
    CHECK(cell(rows, 0, "uses_left").integer == 0);
    sealite_rows_free(rows);
    CHECK(consumed(inside, link, LINK) == SEALITE_TOKEN_REJECTED);
    if (commit == 0) {
      OK(sealite_transaction_roll_back(transaction, &error));
    } else {
      OK(sealite_transaction_commit(transaction, &error));
    }
    CHECK(consumed(inside, link, LINK) == SEALITE_CLOSED);
    sealite_tokens_free(inside);
    sealite_transaction_free(transaction);
    GIVES(SEALITE_CLOSED, sealite_transaction_tokens(transaction, &inside, &error));
  }
  CHECK(consumed(tokens, link, LINK) == SEALITE_TOKEN_REJECTED);
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_peek(tokens, B(link), &LINK, 1, NULL, 0, NULL, &error));
  sealite_bytes_free(link);

  sealite_token_request *request = request_for(SESSION, NULL);
  OK(sealite_token_request_set_uses(request, 3, &error));
  link = issued(tokens, request, id);
  for (int use = 0; use < 5; use++)
    CHECK(consumed(tokens, link, SESSION) == (use < 3 ? SEALITE_OK : SEALITE_TOKEN_REJECTED));
  sealite_bytes_free(link);
  sealite_tokens_free(tokens);
}

static void break_glass(sealite_vault *vault) {
  sealite_tokens *tokens = tokens_of(vault);
  char id[25];
  bool changed;
  sealite_rows *rows;
  sealite_bytes *glass = issued(tokens, request_for(GLASS, "on call"), id);
  CHECK(consumed(tokens, glass, GLASS) == SEALITE_TOKEN_REJECTED && verified(tokens, glass, ADMIN) == SEALITE_TOKEN_REJECTED);
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_arm(tokens, T(id), T(""), 900 * SECOND, NULL, &error));
  OK(sealite_tokens_arm(tokens, T(id), T("the site is down"), 900 * SECOND, &rows, &error));
  CHECK(holds(rows, 0, "armed_reason", "the site is down") && cell(rows, 0, "armed_until").kind == SEALITE_INTEGER);
  sealite_rows_free(rows);
  CHECK(verified(tokens, glass, GLASS) == SEALITE_TOKEN_REJECTED);
  CHECK(consumed(tokens, glass, GLASS) == SEALITE_OK && consumed(tokens, glass, GLASS) == SEALITE_TOKEN_REJECTED);
  OK(sealite_tokens_arm(tokens, T(id), T("again"), 900 * SECOND, NULL, &error));
  OK(sealite_tokens_disarm(tokens, T(id), &changed, &error));
  CHECK(changed && consumed(tokens, glass, GLASS) == SEALITE_TOKEN_REJECTED);
  OK(sealite_tokens_disarm(tokens, T(id), &changed, &error));
  CHECK(!changed);
  sealite_bytes_free(glass);
  sealite_tokens_free(tokens);
}

static void rotation(sealite_vault *vault) {
  sealite_tokens *tokens = tokens_of(vault);
  int64_t clock = 2000000000000;
  char id[25];
  sealite_rows *rows, *found;
  sealite_bytes *next, *same, *third, *access;
  OK(sealite_vault_set_clock(vault, &clock, &error));
  sealite_token_request *request = request_for(REFRESH, "user-9");
  OK(sealite_token_request_set_renew_for(request, 90 * DAY, &error));
  sealite_bytes *refresh = issued(tokens, request, id);
  request = request_for(SESSION, "user-9");
  OK(sealite_token_request_set_family(request, T(id), &error));
  OK(sealite_token_request_set_expires_in(request, 900 * SECOND, &error));
  char access_id[25];
  access = issued(tokens, request, access_id);
  OK(sealite_tokens_rotate(tokens, B(refresh), &REFRESH, 1, NULL, 0, 30 * SECOND, &next, &rows, &error));
  CHECK(holds(rows, 0, "family", id) && holds(rows, 0, "subject", "user-9"));
  sealite_rows_free(rows);
  OK(sealite_tokens_rotate(tokens, B(refresh), &REFRESH, 1, NULL, 0, 30 * SECOND, &same, NULL, &error));
  CHECK(strcmp((const char *)sealite_bytes_data(next), (const char *)sealite_bytes_data(same)) == 0);
  OK(sealite_tokens_list(tokens, NULL, 0, NULL, T(id), 0, 10, &found, &error));
  CHECK(rows_in(found) == 3);
  sealite_rows_free(found);
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_rotate(tokens, B(next), &REFRESH, 1, NULL, 0, 2 * DAY, &third, NULL, &error));

  /* Refused where a roll-back could take it back. */
  sealite_transaction *transaction;
  sealite_tokens *inside;
  OK(sealite_vault_begin(vault, &transaction, &error));
  OK(sealite_transaction_tokens(transaction, &inside, &error));
  GIVES(SEALITE_REFUSED, sealite_tokens_rotate(inside, B(next), &REFRESH, 1, NULL, 0, 0, &third, NULL, &error));
  GIVES(SEALITE_REFUSED, sealite_tokens_purge(inside, 0, NULL, &error));
  sealite_tokens_free(inside);
  sealite_transaction_free(transaction);

  /* After the grace whoever presents the old one ends the family. */
  CHECK(verified(tokens, access, SESSION) == SEALITE_OK);
  clock += 31000;
  OK(sealite_vault_set_clock(vault, &clock, &error));
  GIVES(SEALITE_TOKEN_REJECTED, sealite_tokens_rotate(tokens, B(refresh), &REFRESH, 1, NULL, 0, 0, &third, NULL, &error));
  CHECK(third == NULL && verified(tokens, next, REFRESH) == SEALITE_TOKEN_REJECTED);
  CHECK(verified(tokens, access, SESSION) == SEALITE_TOKEN_REJECTED);
  uint64_t count;
  OK(sealite_tokens_revoke_family(tokens, T(id), &count, &error));
  CHECK(count == 0);
  GIVES(SEALITE_INVALID_INPUT, sealite_tokens_revoke_family(tokens, T("a family"), &count, &error));

  clock += (int64_t)(400 * DAY);
  OK(sealite_vault_set_clock(vault, &clock, &error));
  OK(sealite_tokens_purge(tokens, 365 * DAY, &count, &error));
  CHECK(count >= 3 && listed(tokens, "user-9", NULL, 0) == 0);
  GIVES(SEALITE_NOT_FOUND, sealite_tokens_get(tokens, T(id), &rows, &error));
  OK(sealite_vault_set_clock(vault, NULL, &error));
  sealite_bytes_free(same);
  sealite_bytes_free(next);
  sealite_bytes_free(access);
  sealite_bytes_free(refresh);
  sealite_tokens_free(tokens);
}

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
  sessions(vault);
  api_keys(vault);
  one_shot(vault);
  break_glass(vault);
  short_codes(vault);
  tenants(vault);
  legacy(vault);
  what_is_no_token(vault);
  times(vault);
  rotation(vault);
  passwords();
  sealite_vault_free(vault);
  return done();
}
