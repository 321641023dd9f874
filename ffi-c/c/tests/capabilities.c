/* Fields, settings, the audit trail, quotas, approvals, health. argv[1] is a folder to work in. */

#include "check.h"

static void fields(sealite_vault *vault) {
  sealite_field *field, *plain;
  OK(sealite_vault_field(vault, T("users.email"), &field, &error));
  sealite_value ada = sealite_text(T("ada@example.org")), row = sealite_integer(7), other = sealite_integer(8), opened;
  sealite_bytes *sealed, *memory;
  OK(sealite_field_seal(field, &ada, &row, &sealed, &error));
  CHECK(sealite_bytes_length(sealed) >= 79);
  OK(sealite_field_open(field, sealite_bytes_data(sealed), sealite_bytes_length(sealed), &row, &opened, &memory, &error));
  CHECK(opened.kind == SEALITE_TEXT && opened.length == 15 && memcmp(opened.data, "ada@example.org", 16) == 0);
  sealite_bytes_free(memory);
  GIVES(SEALITE_AUTHENTICATION_FAILED, sealite_field_open(field, sealite_bytes_data(sealed), sealite_bytes_length(sealed),
                                                          &other, &opened, &memory, &error));
  CHECK(memory == NULL && opened.data == NULL);

  sealite_value first, second;
  sealite_bytes *first_memory, *second_memory;
  sealite_value spelled = sealite_text(T(" ADA@example.org"));
  OK(sealite_field_index(field, &ada, T("unique email"), &first, &first_memory, &error));
  OK(sealite_field_index(field, &spelled, T("unique email"), &second, &second_memory, &error));
  CHECK(first.kind == SEALITE_BLOB && first.length == 16 && memcmp(first.data, second.data, 16) == 0);
  sealite_bytes_free(first_memory);
  sealite_bytes_free(second_memory);
  GIVES(SEALITE_INVALID_INPUT, sealite_field_index(field, &ada, T("sideways"), &first, &first_memory, &error));

  sealite_value values[3] = {ada, sealite_null(), sealite_integer(-5)}, records[3] = {row, row, row}, cells[3];
  sealite_rows *rows, *back;
  OK(sealite_field_seal_many(field, values, records, 3, &rows, &error));
  for (size_t at = 0; at < 3; at++) cells[at] = cell(rows, at, "sealed");
  OK(sealite_field_open_many(field, cells, records, 3, &back, &error));
  CHECK(holds(back, 0, "value", "ada@example.org") && cell(back, 1, "value").kind == SEALITE_NULL);
  CHECK(cell(back, 2, "value").integer == -5);
  sealite_rows_free(back);
  GIVES(SEALITE_AUTHENTICATION_FAILED, sealite_field_open_many(field, cells, NULL, 3, &back, &error));
  sealite_rows_free(rows);

  OK(sealite_field_padded(field, SEALITE_PADDING_NONE, 0, &plain, &error));
  sealite_bytes_free(sealed);
  OK(sealite_field_seal(plain, &ada, NULL, &sealed, &error));
  CHECK(sealite_bytes_length(sealed) == 79 + 3 + 15);
  sealite_bytes_free(sealed);
  sealite_field_free(plain);
  sealite_field_free(field);
}

static void settings(sealite_vault *vault) {
  sealite_settings *settings;
  sealite_setting_definition *definition;
  bool changed;
  OK(sealite_vault_settings(vault, &settings, &error));
  OK(sealite_setting_definition_create(T("smtp.password"), SEALITE_TEXT, &definition, &error));
  OK(sealite_setting_definition_set_secret(definition, &error));
  OK(sealite_setting_definition_set_category(definition, T("mail"), &error));
  OK(sealite_setting_definition_set_description(definition, T("The mail server's password"), &error));
  OK(sealite_setting_definition_set_min_length(definition, 16, &error));
  OK(sealite_setting_definition_set_required(definition, &error));
  OK(sealite_setting_definition_set_requires_restart(definition, &error));
  OK(sealite_settings_define(settings, definition, &changed, &error));
  CHECK(changed);
  sealite_setting_definition_free(definition);

  bool ok;
  sealite_rows *rows;
  sealite_string names[] = {{"smtp.host", SEALITE_NTS}};
  OK(sealite_settings_check(settings, names, 1, &ok, &rows, &error));
  CHECK(!ok && rows_in(rows) == 2 && holds(rows, 0, "fault", "undefined") && holds(rows, 1, "fault", "missing"));
  sealite_rows_free(rows);

  sealite_changes *changes;
  sealite_value value = sealite_text(T("hunter2 hunter2 hunter2")), shown;
  sealite_bytes *memory;
  OK(sealite_changes_create(&changes, &error));
  OK(sealite_changes_set(changes, T("smtp.password"), &value, &error));
  OK(sealite_settings_write(settings, changes, T("ada"), NULL, 0, &rows, &error));
  CHECK(rows_in(rows) == 1 && holds(rows, 0, "name", "smtp.password"));
  sealite_rows_free(rows);
  sealite_changes_free(changes);

  /* A form that sends the mask back keeps. */
  OK(sealite_settings_read(settings, T("smtp.password"), &rows, &error));
  shown = cell(rows, 0, "shown");
  CHECK(cell(rows, 0, "is_secret").integer == 1 && !holds(rows, 0, "shown", "hunter2 hunter2 hunter2"));
  OK(sealite_changes_create(&changes, &error));
  OK(sealite_changes_form(changes, T("smtp.password"), (const char *)shown.data, shown.length, 1, &error));
  sealite_rows_free(rows);
  OK(sealite_settings_write(settings, changes, T("ada"), NULL, 0, &rows, &error));
  CHECK(rows_in(rows) == 0);
  sealite_rows_free(rows);
  sealite_changes_free(changes);

  OK(sealite_settings_reveal_for_use(settings, T("smtp.password"), &value, &memory, &error));
  CHECK(value.length == 23 && memcmp(value.data, "hunter2", 7) == 0);
  sealite_bytes_free(memory);
  uint64_t uses;
  OK(sealite_settings_uses(settings, T("smtp.password"), &uses, &error));
  CHECK(uses == 1);
  GIVES(SEALITE_INVALID_INPUT, sealite_settings_reveal(settings, T("smtp.password"), T("ada"), NULL, 0, &value, &memory, &error));
  OK(sealite_settings_reveal(settings, T("smtp.password"), T("ada"), T("an incident"), &value, &memory, &error));
  CHECK(value.length == 23);
  sealite_bytes_free(memory);

  sealite_bytes *text;
  OK(sealite_settings_export(settings, SEALITE_FORMAT_ENV, T("ada"), NULL, 0, &text, &error));
  CHECK(strstr((const char *)sealite_bytes_data(text), "hunter2") == NULL);
  sealite_bytes_free(text);
  OK(sealite_settings_export_reveal(settings, SEALITE_FORMAT_JSON, T("ada"), T("a move"), &text, &error));
  CHECK(strstr((const char *)sealite_bytes_data(text), "hunter2 hunter2") != NULL);
  OK(sealite_settings_import(settings, SEALITE_FORMAT_JSON, (const char *)sealite_bytes_data(text),
                             sealite_bytes_length(text), T("ada"), NULL, 0, &rows, &error));
  CHECK(rows_in(rows) == 0);
  sealite_rows_free(rows);
  sealite_bytes_free(text);

  OK(sealite_changes_create(&changes, &error));
  OK(sealite_changes_clear(changes, T("smtp.password"), &error));
  OK(sealite_settings_write(settings, changes, T("ada"), T("gone"), NULL, &error));
  sealite_changes_free(changes);
  OK(sealite_settings_history(settings, T("smtp.password"), &rows, &error));
  CHECK(rows_in(rows) == 2 && holds(rows, 1, "reason", "gone") && cell(rows, 1, "is_set").integer == 0);
  sealite_rows_free(rows);
  int64_t version;
  OK(sealite_settings_roll_back(settings, T("smtp.password"), 1, T("ada"), NULL, 0, &version, &error));
  CHECK(version == 3);
  OK(sealite_settings_restart_pending(settings, &rows, &error));
  CHECK(rows_in(rows) == 1);
  sealite_rows_free(rows);
  OK(sealite_settings_list(settings, T("mail"), &rows, &error));
  CHECK(rows_in(rows) == 1);
  sealite_rows_free(rows);

  OK(sealite_setting_definition_create(T("smtp.port"), SEALITE_INTEGER, &definition, &error));
  value = sealite_integer(25);
  OK(sealite_setting_definition_set_default(definition, &value, &error));
  OK(sealite_setting_definition_set_environment(definition, T("SEALITE_TEST_SMTP_PORT"), &error));
  OK(sealite_setting_definition_set_guard(definition, T("smtp.enabled"), &error));
  OK(sealite_setting_definition_set_show_last_four(definition, &error));
  OK(sealite_settings_define(settings, definition, NULL, &error));
  sealite_setting_definition_free(definition);
  OK(sealite_settings_reveal_for_use(settings, T("smtp.port"), &value, &memory, &error));
  CHECK(value.kind == SEALITE_INTEGER && value.integer == 25);
  sealite_bytes_free(memory);
  OK(sealite_settings_set_secret(settings, T("smtp.port"), 1, T("ada"), NULL, 0, &changed, &error));
  CHECK(changed);
  sealite_settings_free(settings);

  sealite_tenant *acme;
  OK(sealite_vault_tenant(vault, T("acme"), &acme, &error));
  OK(sealite_tenant_settings(acme, &settings, &error));
  OK(sealite_settings_read(settings, T("smtp.port"), &rows, &error));
  CHECK(holds(rows, 0, "source", "default"));
  sealite_rows_free(rows);
  sealite_settings_free(settings);
  sealite_tenant_free(acme);
}

static void audit(sealite_vault *vault, const char *folder) {
  sealite_audit *audit;
  sealite_entry *entry;
  OK(sealite_vault_audit(vault, &audit, &error));
  OK(sealite_entry_create(T("user.login"), &entry, &error));
  OK(sealite_entry_set_actor(entry, T("ada"), &error));
  OK(sealite_entry_set_subject(entry, T("user/7"), &error));
  OK(sealite_entry_set_trace_id(entry, T("0af7651916cd43dd8448eb211c80319c"), &error));
  OK(sealite_entry_set_correlation_id(entry, T("req-1"), &error));
  OK(sealite_entry_set_payload(entry, T("{\"b\":1, \"a\":2}"), &error));
  int64_t seq, inside, next;
  OK(sealite_audit_append(audit, entry, &seq, &error));
  sealite_transaction *transaction;
  OK(sealite_vault_begin(vault, &transaction, &error));
  OK(sealite_transaction_audit(transaction, entry, &inside, &error));
  CHECK(inside == seq + 1);
  OK(sealite_transaction_commit(transaction, &error));
  sealite_transaction_free(transaction);
  OK(sealite_audit_append_best_effort(audit, entry, &error));
  uint64_t lost;
  OK(sealite_audit_lost(audit, &lost, &error));
  CHECK(lost == 0);
  sealite_rows *rows;
  OK(sealite_audit_tail(audit, 1, &rows, &error));
  CHECK(cell(rows, 0, "seq").integer == seq + 2 && holds(rows, 0, "actor", "ada"));
  CHECK(holds(rows, 0, "payload", "{\"a\":2,\"b\":1}"));
  sealite_rows_free(rows);
  size_t seen = 0;
  for (int64_t after = 0;; after = next) {
    OK(sealite_audit_page(audit, after, NULL, NULL, NULL, 0, &rows, &next, &error));
    seen += rows_in(rows);
    sealite_rows_free(rows);
    if (next == 0) break;
  }
  CHECK(seen == (size_t)(seq + 2));
  int64_t future = INT64_MAX;
  OK(sealite_audit_page(audit, 0, &future, NULL, NULL, 0, &rows, &next, &error));
  CHECK(rows_in(rows) == 0);
  sealite_rows_free(rows);

  bool sound;
  sealite_bytes *checkpoint;
  OK(sealite_audit_checkpoint(audit, &checkpoint, &error));
  const char *text = (const char *)sealite_bytes_data(checkpoint);
  CHECK(strlen(text) == 150);
  OK(sealite_audit_verify(audit, T(text), &sound, &rows, &error));
  CHECK(sound && rows_in(rows) == 0);
  sealite_rows_free(rows);
  OK(sealite_audit_verify_since(audit, T(text), &sound, &rows, &error));
  CHECK(sound);
  sealite_rows_free(rows);
  GIVES(SEALITE_INVALID_INPUT, sealite_audit_verify(audit, T("not a checkpoint"), &sound, &rows, &error));
  OK(sealite_audit_export_daily(audit, T(folder), NULL, NULL, NULL, 0, &rows, &error));
  CHECK(rows_in(rows) >= 1);
  sealite_rows_free(rows);
  int64_t dropped;
  OK(sealite_audit_retain_after(audit, 1, &dropped, &error));
  CHECK(dropped == 1);
  sealite_bytes_free(checkpoint);
  sealite_entry_free(entry);
  sealite_audit_free(audit);
  sealite_tenant *acme;
  OK(sealite_vault_tenant(vault, T("acme"), &acme, &error));
  OK(sealite_tenant_audit(acme, &audit, &error));
  OK(sealite_audit_tail(audit, 10, &rows, &error));
  CHECK(rows_in(rows) == 0);
  sealite_rows_free(rows);
  sealite_audit_free(audit);
  sealite_tenant_free(acme);
}

static void quotas(sealite_vault *vault) {
  sealite_quotas *quotas;
  sealite_limits *limits;
  sealite_decision decision;
  OK(sealite_vault_quotas(vault, &quotas, &error));
  OK(sealite_limits_create(&limits, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_limits_parse(limits, T("often"), &error));
  OK(sealite_limits_parse(limits, T("3/minute"), &error));
  OK(sealite_limits_add_sliding(limits, 100, 86400000, &error));
  OK(sealite_limits_add_fixed(limits, 1000, 86400000, &error));
  for (int at = 0; at < 4; at++) {
    OK(sealite_quotas_check_and_charge(quotas, T("login:1.2.3.4"), limits, 1, &decision, &error));
    CHECK(decision.allowed == (at < 3) && decision.limit == 0);
  }
  CHECK(decision.retry_after_ms > 0 && decision.retry_after_ms <= 60000);
  OK(sealite_quotas_peek(quotas, T("login:1.2.3.4"), limits, &decision, &error));
  CHECK(!decision.allowed && decision.remaining == 0);
  bool found;
  OK(sealite_quotas_reset(quotas, T("login:1.2.3.4"), &found, &error));
  CHECK(found);
  OK(sealite_quotas_charge_failure(quotas, T("login:1.2.3.4"), limits, &decision, &error));
  CHECK(decision.allowed && decision.remaining == 2);
  GIVES(SEALITE_INVALID_INPUT, sealite_quotas_check_and_charge(quotas, T("login:1.2.3.4"), limits, 0, &decision, &error));
  OK(sealite_quotas_sweep(quotas, NULL, &error));
  sealite_limits_free(limits);
  sealite_quotas_free(quotas);
  sealite_tenant *acme;
  OK(sealite_vault_tenant(vault, T("acme"), &acme, &error));
  OK(sealite_tenant_quotas(acme, &quotas, &error));
  sealite_quotas_free(quotas);
  sealite_tenant_free(acme);
}

static void approvals(sealite_vault *vault) {
  sealite_approvals *approvals;
  sealite_approval_request *request;
  OK(sealite_vault_approvals(vault, &approvals, &error));
  OK(sealite_approval_request_create(T("delete"), T("{\"id\": 7}"), T("ada"), &request, &error));
  OK(sealite_approval_request_set_subject(request, T("user/7"), &error));
  OK(sealite_approval_request_set_session(request, T("s1"), &error));
  OK(sealite_approval_request_set_expires_in(request, 60000, &error));
  OK(sealite_approval_request_add_allowed_role(request, T("admin"), &error));
  sealite_bytes *handle;
  OK(sealite_approvals_ask(approvals, request, &handle, &error));
  const char *id = (const char *)sealite_bytes_data(handle);
  sealite_rows *rows;
  OK(sealite_approvals_list_pending(approvals, NULL, 0, T("s1"), &rows, &error));
  CHECK(rows_in(rows) == 1 && holds(rows, 0, "id", id) && cell(rows, 0, "payload_hash").length == 32);
  sealite_rows_free(rows);
  GIVES(SEALITE_DENIED, sealite_approvals_decide(approvals, T(id), SEALITE_APPROVE, T("ada"), T("admin"), NULL, 0, NULL, &error));
  GIVES(SEALITE_DENIED, sealite_approvals_claim(approvals, T(id), T("{\"id\":7}"), NULL, &error));
  OK(sealite_approvals_wait(approvals, T(id), 1, &rows, &error));
  CHECK(holds(rows, 0, "state", "pending"));
  sealite_rows_free(rows);
  OK(sealite_approvals_decide(approvals, T(id), SEALITE_APPROVE, T("grace"), T("admin"), T("fine"), &rows, &error));
  CHECK(holds(rows, 0, "state", "approved") && holds(rows, 0, "approver", "grace"));
  sealite_rows_free(rows);
  GIVES(SEALITE_PAYLOAD_CHANGED, sealite_approvals_claim(approvals, T(id), T("{\"id\":8}"), NULL, &error));
  OK(sealite_approvals_claim(approvals, T(id), T("{\"id\":7}"), NULL, &error));
  GIVES(SEALITE_ALREADY_DECIDED, sealite_approvals_claim(approvals, T(id), T("{\"id\":7}"), NULL, &error));
  OK(sealite_approvals_get(approvals, T(id), &rows, &error));
  CHECK(holds(rows, 0, "state", "executed"));
  sealite_rows_free(rows);
  GIVES(SEALITE_NOT_FOUND, sealite_approvals_get(approvals, T("nobody"), &rows, &error));
  OK(sealite_approval_request_set_requester_may_decide(request, &error));
  sealite_bytes_free(handle);

  /* Past its time. */
  int64_t later = 4102444800000;
  OK(sealite_approvals_ask(approvals, request, &handle, &error));
  id = (const char *)sealite_bytes_data(handle);
  OK(sealite_vault_set_clock(vault, &later, &error));
  GIVES(SEALITE_EXPIRED, sealite_approvals_decide(approvals, T(id), SEALITE_REJECT, T("ada"), T("admin"), NULL, 0, NULL, &error));
  OK(sealite_approvals_sweep(approvals, NULL, &error));
  OK(sealite_vault_set_clock(vault, NULL, &error));
  sealite_bytes_free(handle);
  sealite_approval_request_free(request);
  sealite_approvals_free(approvals);
  sealite_tenant *acme;
  OK(sealite_vault_tenant(vault, T("acme"), &acme, &error));
  OK(sealite_tenant_approvals(acme, &approvals, &error));
  sealite_approvals_free(approvals);
  sealite_field *field;
  OK(sealite_tenant_field(acme, T("f"), &field, &error));
  sealite_field_free(field);
  sealite_tenant_free(acme);
}

static void health(sealite_vault *vault) {
  /* The approvals' test has put the clock forward. */
  OK(sealite_vault_accept_clock(vault, &error));
  bool ready, usable;
  sealite_rows *rows;
  OK(sealite_vault_health(vault, &ready, &usable, &rows, &error));
  CHECK(usable);
  sealite_rows_free(rows);
  OK(sealite_vault_count(vault, T("requests_total"), 3, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_count(vault, T("sealite_own"), 1, &error));
  sealite_string names[] = {{"rate_limited_total", SEALITE_NTS}, {"sealite_quota_refused_total", SEALITE_NTS}};
  sealite_bytes *text;
  OK(sealite_vault_metrics(vault, names, 1, &text, &error));
  CHECK(strstr((const char *)sealite_bytes_data(text), "\nrequests_total 3\n") != NULL);
  CHECK(strstr((const char *)sealite_bytes_data(text), "\nrate_limited_total 1\n") != NULL);
  sealite_bytes_free(text);
  OK(sealite_vault_lock(vault, &error));
  OK(sealite_vault_health(vault, &ready, &usable, &rows, &error));
  CHECK(!ready && !usable && holds(rows, 0, "reason", "locked"));
  sealite_rows_free(rows);
}

/* The ids of a request are in every entry that it leads to, the engine's own too. */
static void trace(sealite_vault *vault) {
  sealite_audit *audit;
  sealite_rows *rows;
  OK(sealite_vault_audit(vault, &audit, &error));
  OK(sealite_trace_set(T("trace-1"), T("order-1"), &error));
  OK(sealite_vault_accept_clock(vault, &error));
  OK(sealite_audit_tail(audit, 1, &rows, &error));
  CHECK(holds(rows, 0, "event", "clock.accepted"));
  CHECK(holds(rows, 0, "trace_id", "trace-1") && holds(rows, 0, "correlation_id", "order-1"));
  sealite_rows_free(rows);
  GIVES(SEALITE_INVALID_INPUT, sealite_trace_set(T(""), NULL, 0, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_trace_set(NULL, 0, T("order-1"), &error));
  OK(sealite_trace_set(T("trace-2"), NULL, 0, &error));
  OK(sealite_vault_accept_clock(vault, &error));
  OK(sealite_trace_set(NULL, 0, NULL, 0, &error));
  OK(sealite_vault_accept_clock(vault, &error));
  OK(sealite_audit_tail(audit, 2, &rows, &error));
  CHECK(holds(rows, 0, "trace_id", "trace-2") && cell(rows, 0, "correlation_id").kind == SEALITE_NULL);
  CHECK(cell(rows, 1, "trace_id").kind == SEALITE_NULL);
  sealite_rows_free(rows);
  sealite_audit_free(audit);
}

static void canonical(void) {
  sealite_bytes *text;
  OK(sealite_canonical_json(T("{ \"b\": [1.0, 1e2], \"a\": \"\\u20ac\" }"), &text, &error));
  CHECK(strcmp((const char *)sealite_bytes_data(text), "{\"a\":\"\xe2\x82\xac\",\"b\":[1,100]}") == 0);
  sealite_bytes_free(text);
  GIVES(SEALITE_INVALID_INPUT, sealite_canonical_json(T("{\"a\":1,\"a\":1}"), &text, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_canonical_json(NULL, 1, &text, &error));
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/capabilities.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  sealite_unlock_free(unlock);
  fields(vault);
  settings(vault);
  audit(vault, argv[1]);
  quotas(vault);
  approvals(vault);
  trace(vault);
  canonical();
  health(vault);
  sealite_vault_free(vault);
  return done();
}
