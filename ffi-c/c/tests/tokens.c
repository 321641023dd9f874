/* Tokens of every kind that texts have. argv[1] is a folder to work in. */

#include "tokens.h"

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
  times(vault);
  rotation(vault);
  sealite_vault_free(vault);
  return done();
}
