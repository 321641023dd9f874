/* What the objects tell of themselves, and files that are written for the caller. argv[1] is a folder to work in. */

#include "check.h"

#include <sys/stat.h>

static bool same(const sealite_bytes *bytes, const char *text) {
  return bytes != NULL && sealite_bytes_length(bytes) == strlen(text) &&
         memcmp(sealite_bytes_data(bytes), text, strlen(text)) == 0;
}

static bool is_null(const sealite_rows *rows, size_t index, const char *column) {
  return cell(rows, index, column).kind == SEALITE_NULL;
}

/* A whole small file; it is readable by its owner alone. */
static char *read_file(const char *path) {
  struct stat about;
  CHECK(stat(path, &about) == 0 && (about.st_mode & 0777) == 0600);
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, (size_t)about.st_size + 1);
  CHECK(file != NULL && text != NULL && fread(text, 1, (size_t)about.st_size, file) == (size_t)about.st_size);
  fclose(file);
  return text;
}

static void names(sealite_vault *vault, const char *path) {
  sealite_bytes *name;
  sealite_tenant *tenant;
  OK(sealite_vault_path(vault, &name, &error));
  CHECK(same(name, path));
  sealite_bytes_free(name);
  sealite_vault *memory = memory_vault();
  OK(sealite_vault_path(memory, &name, &error));
  CHECK(name == NULL);
  sealite_vault_free(memory);
  OK(sealite_vault_tenant(vault, T("acme"), &tenant, &error));
  OK(sealite_tenant_name(tenant, &name, &error));
  CHECK(same(name, "acme"));
  sealite_bytes_free(name);
  sealite_tenant_free(tenant);
  GIVES(SEALITE_INVALID_INPUT, sealite_tenant_name(NULL, &name, &error));
}

static void secrets(const sealite_unlock *key) {
  const char *kind;
  uint32_t memory, passes, lanes;
  OK(sealite_passphrase_cost_floor(&memory, &passes, &lanes, &error));
  CHECK(memory == 19456 && passes == 2 && lanes == 1);
  OK(sealite_passphrase_cost_floor(NULL, NULL, NULL, &error));
  sealite_unlock *passphrase;
  OK(sealite_unlock_passphrase(T("a passphrase nobody has"), memory, passes, lanes, &passphrase, &error));
  OK(sealite_unlock_kind(passphrase, &kind, &error));
  CHECK(strcmp(kind, "passphrase") == 0);
  sealite_unlock_free(passphrase);
  GIVES(SEALITE_LIMIT, sealite_unlock_passphrase(T("a passphrase nobody has"), memory - 1, passes, lanes, &passphrase, &error));
  OK(sealite_unlock_kind(key, &kind, &error));
  CHECK(strcmp(kind, "key") == 0);
  GIVES(SEALITE_INVALID_INPUT, sealite_unlock_kind(NULL, &kind, &error));
  CHECK(kind == NULL);
}

static void settings(sealite_vault *vault) {
  sealite_settings *settings;
  sealite_setting_definition *host, *password;
  sealite_value value = sealite_integer(25);
  sealite_rows *rows;
  bool changed;
  OK(sealite_vault_settings(vault, &settings, &error));
  OK(sealite_setting_definition_create(T("smtp.port"), SEALITE_INTEGER, &host, &error));
  OK(sealite_setting_definition_set_default(host, &value, &error));
  OK(sealite_setting_definition_set_keep_versions(host, 2, &error));
  OK(sealite_setting_definition_create(T("smtp.password"), SEALITE_TEXT, &password, &error));
  OK(sealite_setting_definition_set_secret(password, &error));
  OK(sealite_setting_definition_set_show_last_four(password, &error));
  OK(sealite_setting_definition_set_min_length(password, 16, &error));
  OK(sealite_setting_definition_set_guard(password, T("smtp.port"), &error));
  const sealite_setting_definition *both[] = {host, password}, *wrong[] = {host, NULL};
  OK(sealite_setting_definition_set_keep_versions(password, 0, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_settings_define_all(settings, both, 2, &changed, &error));
  OK(sealite_setting_definition_set_keep_versions(password, 10000, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_settings_define_all(settings, wrong, 2, &changed, &error));
  OK(sealite_settings_list(settings, NULL, 0, &rows, &error));
  CHECK(!changed && rows_in(rows) == 0);
  sealite_rows_free(rows);
  OK(sealite_settings_define_all(settings, both, 2, &changed, &error));
  CHECK(changed);
  OK(sealite_settings_define_all(settings, both, 2, &changed, &error));
  CHECK(!changed);
  OK(sealite_settings_define_all(settings, NULL, 0, NULL, &error));
  sealite_setting_definition_free(host);
  sealite_setting_definition_free(password);

  /* Two versions are kept: the third write drops the first. */
  for (int64_t port = 1; port <= 3; port++) {
    sealite_changes *changes;
    value = sealite_integer(port);
    OK(sealite_changes_create(&changes, &error));
    OK(sealite_changes_set(changes, T("smtp.port"), &value, &error));
    value = sealite_text(T("a password of the mail"));
    OK(sealite_changes_set(changes, T("smtp.password"), &value, &error));
    OK(sealite_settings_write(settings, changes, T("ada"), NULL, 0, NULL, &error));
    sealite_changes_free(changes);
  }
  OK(sealite_settings_history(settings, T("smtp.port"), &rows, &error));
  CHECK(rows_in(rows) == 2 && cell(rows, 0, "version").integer == 2);
  sealite_rows_free(rows);
  OK(sealite_settings_read(settings, T("smtp.port"), &rows, &error));
  CHECK(cell(rows, 0, "value").kind == SEALITE_INTEGER && cell(rows, 0, "value").integer == 3);
  CHECK(cell(rows, 0, "has_default").integer == 1 && is_null(rows, 0, "min_length") && is_null(rows, 0, "guard"));
  CHECK(cell(rows, 0, "kept_versions").integer == 2 && cell(rows, 0, "shows_last_four").integer == 0);
  sealite_rows_free(rows);
  OK(sealite_settings_read(settings, T("smtp.password"), &rows, &error));
  CHECK(is_null(rows, 0, "value") && cell(rows, 0, "has_default").integer == 0);
  CHECK(cell(rows, 0, "min_length").integer == 16 && holds(rows, 0, "guard", "smtp.port"));
  CHECK(cell(rows, 0, "kept_versions").integer == 10000 && cell(rows, 0, "shows_last_four").integer == 1);
  sealite_rows_free(rows);
  sealite_settings_free(settings);
}

static void approvals(sealite_vault *vault) {
  sealite_approvals *approvals;
  sealite_approval_request *request;
  sealite_bytes *id;
  sealite_rows *rows;
  OK(sealite_vault_approvals(vault, &approvals, &error));
  OK(sealite_approval_request_create(T("delete"), T("{\"id\": 7}"), T("ada"), &request, &error));
  OK(sealite_approval_request_set_keep_for(request, UINT64_MAX, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_approvals_ask(approvals, request, &id, &error));
  OK(sealite_approval_request_set_keep_for(request, 3600000, &error));
  OK(sealite_approvals_ask(approvals, request, &id, &error));
  OK(sealite_approvals_get(approvals, sealite_bytes_data(id), sealite_bytes_length(id), &rows, &error));
  CHECK(cell(rows, 0, "keep_ms").integer == 3600000);
  sealite_rows_free(rows);
  sealite_bytes_free(id);
  sealite_approval_request_free(request);
  sealite_approvals_free(approvals);
}

static void indexes(sealite_vault *vault) {
  sealite_field *field;
  sealite_value values[] = {sealite_text(T("ada@example.org")), sealite_null(), sealite_text(T("ADA@example.ORG"))}, one;
  sealite_bytes *memory;
  sealite_rows *rows;
  OK(sealite_vault_field(vault, T("users.email"), &field, &error));
  OK(sealite_field_index_many(field, values, 3, T("unique email"), &rows, &error));
  OK(sealite_field_index(field, values, T("unique email"), &one, &memory, &error));
  sealite_value first = cell(rows, 0, "index"), last = cell(rows, 2, "index");
  CHECK(rows_in(rows) == 3 && one.length == 16 && first.length == 16 && last.length == 16);
  CHECK(memcmp(one.data, first.data, 16) == 0 && memcmp(one.data, last.data, 16) == 0 && is_null(rows, 1, "index"));
  sealite_rows_free(rows);
  sealite_bytes_free(memory);
  GIVES(SEALITE_REFUSED, sealite_field_index_many(field, values, 3, T("lookup 10"), &rows, &error));
  OK(sealite_field_index_many(field, NULL, 0, T("unique"), &rows, &error));
  CHECK(rows_in(rows) == 0);
  sealite_rows_free(rows);
  sealite_field_free(field);
}

static void trail(sealite_vault *vault, const char *folder) {
  char path[4096], nowhere[4096];
  CHECK(snprintf(path, sizeof path, "%s/audit.jsonl", folder) < (int)sizeof path);
  CHECK(snprintf(nowhere, sizeof nowhere, "%s/none/audit.jsonl", folder) < (int)sizeof nowhere);
  sealite_audit *audit, *other;
  sealite_bytes *checkpoint;
  uint64_t entries;
  int64_t seq, at, future = INT64_MAX;
  OK(sealite_vault_audit(vault, &audit, &error));
  OK(sealite_audit_export(audit, T(path), NULL, NULL, NULL, 0, &entries, &error));
  char *text = read_file(path);
  uint64_t lines = 0;
  for (const char *c = text; *c != '\0'; c++) lines += *c == '\n';
  CHECK(entries > 3 && lines == entries && strstr(text, "\"setting.defined\"") != NULL);
  free(text);
  GIVES(SEALITE_REFUSED, sealite_audit_export(audit, T(path), NULL, NULL, NULL, 0, &entries, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_audit_export(audit, T(nowhere), NULL, NULL, NULL, 0, &entries, &error));
  CHECK(remove(path) == 0);
  OK(sealite_audit_export(audit, T(path), &future, NULL, T("acme"), &entries, &error));
  CHECK(entries == 0 && remove(path) == 0);

  OK(sealite_audit_checkpoint(audit, &checkpoint, &error));
  const char *kept = sealite_bytes_data(checkpoint);
  OK(sealite_audit_read_checkpoint(audit, T(kept), &seq, &at, &error));
  CHECK(seq == (int64_t)lines && at > 1700000000000);
  OK(sealite_audit_read_checkpoint(audit, T(kept), NULL, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_audit_read_checkpoint(audit, T("no checkpoint"), &seq, &at, &error));
  CHECK(seq == 0 && at == 0);
  sealite_vault *memory = memory_vault();
  OK(sealite_vault_audit(memory, &other, &error));
  GIVES(SEALITE_AUTHENTICATION_FAILED, sealite_audit_read_checkpoint(other, T(kept), &seq, &at, &error));
  sealite_audit_free(other);
  sealite_vault_free(memory);
  sealite_bytes_free(checkpoint);
  sealite_audit_free(audit);

  sealite_bytes *trace, *correlation;
  OK(sealite_trace_current(&trace, &correlation, &error));
  CHECK(trace == NULL && correlation == NULL);
  OK(sealite_trace_set(T("trace-1"), T("order-1"), &error));
  OK(sealite_trace_current(&trace, &correlation, &error));
  CHECK(same(trace, "trace-1") && same(correlation, "order-1"));
  sealite_bytes_free(trace);
  sealite_bytes_free(correlation);
  OK(sealite_trace_set(T("trace-2"), NULL, 0, &error));
  OK(sealite_trace_current(&trace, NULL, &error));
  CHECK(same(trace, "trace-2"));
  sealite_bytes_free(trace);
  OK(sealite_trace_set(NULL, 0, NULL, 0, &error));
}

static void exported_subject(sealite_vault *vault, const char *folder) {
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/subject.json", folder) < (int)sizeof path);
  sealite_definition *definition;
  sealite_table *notes;
  sealite_values *values;
  sealite_rows *rows;
  sealite_value user = sealite_integer(7);
  OK(sealite_definition_create(T("notes"), &definition, &error));
  OK(sealite_definition_add_column(definition, T("user_id integer authenticated not null"), &error));
  OK(sealite_definition_add_column(definition, T("body text sealed"), &error));
  OK(sealite_definition_set_subject(definition, T("user_id"), &error));
  OK(sealite_vault_define_table(vault, definition, NULL, &error));
  sealite_definition_free(definition);
  OK(sealite_vault_table(vault, T("notes"), &notes, &error));
  OK(sealite_values_create(&values, &error));
  OK(sealite_values_set(values, T("user_id"), &user, &error));
  set_text(values, "body", "a note of seven");
  for (int at = 0; at < 3; at++) OK(sealite_table_insert(notes, values, NULL, &error));
  sealite_values_free(values);
  sealite_table_free(notes);
  OK(sealite_vault_export_subject_to(vault, NULL, 0, T("7"), T(path), &rows, &error));
  CHECK(cell(rows, 0, "rows").integer == 3 && cell(rows, 0, "tokens").integer == 0);
  CHECK(cell(rows, 0, "approvals").integer == 0 && cell(rows, 0, "entries").kind == SEALITE_INTEGER);
  sealite_rows_free(rows);
  char *text = read_file(path);
  CHECK(text[0] == '{' && strstr(text, "a note of seven") != NULL);
  free(text);
  GIVES(SEALITE_REFUSED, sealite_vault_export_subject_to(vault, NULL, 0, T("7"), T(path), NULL, &error));
  CHECK(remove(path) == 0);
  OK(sealite_vault_erase_subject(vault, NULL, 0, T("7"), &rows, &error));
  sealite_rows_free(rows);
  GIVES(SEALITE_DESTROYED_KEY, sealite_vault_export_subject_to(vault, NULL, 0, T("7"), T(path), NULL, &error));
  struct stat about;
  CHECK(stat(path, &about) != 0);
}

static int64_t figure(const sealite_rows *rows, const char *name, const char *label) {
  for (size_t at = 0; at < rows_in(rows); at++)
    if (holds(rows, at, "name", name) && (label == NULL ? is_null(rows, at, "label") : holds(rows, at, "label", label)))
      return cell(rows, at, "value").integer;
  return -1;
}

static void figures(sealite_vault *vault) {
  sealite_rows *rows;
  OK(sealite_vault_count(vault, T("orders_total"), 5, &error));
  OK(sealite_vault_metrics_rows(vault, &rows, &error));
  CHECK(figure(rows, "inserts", NULL) == 3 && figure(rows, "committed", NULL) > 3 && figure(rows, "uptime_ms", NULL) >= 0);
  CHECK(figure(rows, "application", "orders_total") == 5 && figure(rows, "tokens_rejected", "unknown") == 0);
  CHECK(figure(rows, "commit_count", NULL) > 0 && figure(rows, "commit_ns", NULL) > 0 && figure(rows, "nothing", NULL) == -1);
  CHECK(figure(rows, "commit_bucket", "1000") >= 0 && figure(rows, "commit_bucket", "1000") <= figure(rows, "commit_count", NULL));
  sealite_rows_free(rows);
  OK(sealite_token_kind_defaults(SEALITE_TOKEN_MAGIC_LINK, &rows, &error));
  CHECK(holds(rows, 0, "kind", "magic_link") && holds(rows, 0, "prefix", "slmag"));
  CHECK(cell(rows, 0, "expires_in_ms").integer == 900000 && cell(rows, 0, "uses").integer == 1);
  sealite_rows_free(rows);
  OK(sealite_token_kind_defaults(SEALITE_TOKEN_API_KEY, &rows, &error));
  CHECK(is_null(rows, 0, "expires_in_ms") && is_null(rows, 0, "uses"));
  sealite_rows_free(rows);
  GIVES(SEALITE_INVALID_INPUT, sealite_token_kind_defaults(99, &rows, &error));
}

/* A check that ends early says with which error. */
static void health(sealite_vault *vault) {
  bool ready, usable;
  sealite_rows *rows;
  OK(sealite_vault_lock(vault, &error));
  OK(sealite_vault_health(vault, &ready, &usable, &rows, &error));
  CHECK(!ready && !usable && holds(rows, 0, "reason", "locked"));
  CHECK(is_null(rows, 0, "error") == is_null(rows, 0, "message"));
  sealite_rows_free(rows);
  OK(sealite_vault_close(vault, &error));
  OK(sealite_vault_health(vault, &ready, &usable, &rows, &error));
  CHECK(!ready && holds(rows, 0, "reason", "unreadable") && holds(rows, 0, "error", "closed") && cell(rows, 0, "message").length > 0);
  sealite_rows_free(rows);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/details.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  names(vault, path);
  secrets(unlock);
  settings(vault);
  approvals(vault);
  indexes(vault);
  trail(vault, argv[1]);
  exported_subject(vault, argv[1]);
  figures(vault);
  health(vault);
  sealite_vault_free(vault);
  sealite_unlock_free(unlock);
  return done();
}
