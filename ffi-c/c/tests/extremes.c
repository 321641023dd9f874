/* The least and the greatest integer, wherever the interface takes one: a status, and never a fault of the engine.
   argv[1] is a folder to work in. */

#include "check.h"

/* Whatever it says, it is no fault of the engine's, and the handle is of use as before. */
#define ANSWERS(call)                                                                                  \
  do {                                                                                                 \
    sealite_error *error = NULL;                                                                       \
    sealite_status status_ = (call);                                                                   \
    if (status_ == SEALITE_INTERNAL) {                                                                 \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, sealite_error_message(error));     \
      exit(1);                                                                                         \
    }                                                                                                  \
    CHECK((error == NULL) == (status_ == SEALITE_OK));                                                 \
    sealite_error_free(error);                                                                         \
  } while (0)

static const int64_t CLOCKS[] = {INT64_MIN, INT64_MIN + 1, INT64_MIN + 86400000, -1, 0, 1, 1764000000000, INT64_MAX - 1, INT64_MAX};
static const uint64_t LONG[] = {0, 1, 86400000, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
#define EACH(array, at) (size_t at = 0; at < sizeof array / sizeof *array; at++)

static void quotas(sealite_vault *vault) {
  sealite_quotas *quotas;
  sealite_limits *limits;
  sealite_decision decision;
  OK(sealite_vault_quotas(vault, &quotas, &error));
  OK(sealite_limits_create(&limits, &error));
  OK(sealite_limits_add_fixed(limits, 3, 86400000, &error));
  OK(sealite_limits_add_sliding(limits, UINT32_MAX, 60000, &error));
  OK(sealite_quotas_check_and_charge(quotas, T("a"), limits, 1, &decision, &error));
  CHECK(decision.allowed);
  OK(sealite_quotas_peek(quotas, T("a"), limits, &decision, &error));
  ANSWERS(sealite_quotas_check_and_charge(quotas, T("b"), limits, UINT32_MAX, &decision, &error));
  ANSWERS(sealite_quotas_charge_failure(quotas, T("c"), limits, &decision, &error));
  OK(sealite_quotas_sweep(quotas, NULL, &error));
  sealite_limits_free(limits);
  sealite_quotas_free(quotas);
}

static void tokens(sealite_vault *vault) {
  sealite_tokens *tokens;
  sealite_token_request *request;
  const int32_t session = SEALITE_TOKEN_SESSION;
  sealite_bytes *text = NULL, *next = NULL;
  OK(sealite_vault_tokens(vault, &tokens, &error));
  OK(sealite_token_request_create(session, &request, &error));
  ANSWERS(sealite_tokens_issue(tokens, request, &text, NULL, &error));
  if (text != NULL) {
    const char *data = sealite_bytes_data(text);
    ANSWERS(sealite_tokens_verify(tokens, T(data), &session, 1, NULL, 0, NULL, &error));
    for EACH(LONG, at) {
      ANSWERS(sealite_tokens_rotate(tokens, T(data), &session, 1, NULL, 0, LONG[at], &next, NULL, &error));
      sealite_bytes_free(next);
    }
  }
  sealite_bytes_free(text);
  for EACH(LONG, at) {
    sealite_token_request *timed;
    OK(sealite_token_request_create(session, &timed, &error));
    ANSWERS(sealite_token_request_set_expires_in(timed, LONG[at], &error));
    ANSWERS(sealite_token_request_set_idle(timed, LONG[at], &error));
    ANSWERS(sealite_token_request_set_renew_for(timed, LONG[at], &error));
    ANSWERS(sealite_token_request_set_last_used_every(timed, LONG[at], &error));
    ANSWERS(sealite_token_request_set_not_before_in(timed, LONG[at], &error));
    ANSWERS(sealite_tokens_issue(tokens, timed, &text, NULL, &error));
    sealite_bytes_free(text);
    ANSWERS(sealite_token_request_set_uses(timed, UINT32_MAX, &error));
    ANSWERS(sealite_tokens_issue(tokens, timed, &text, NULL, &error));
    sealite_bytes_free(text);
    sealite_token_request_free(timed);
    ANSWERS(sealite_tokens_arm(tokens, T("000000000000000000000000"), T("drill"), LONG[at], NULL, &error));
    ANSWERS(sealite_tokens_purge(tokens, LONG[at], NULL, &error));
  }
  sealite_rows *rows;
  OK(sealite_tokens_list(tokens, NULL, 0, NULL, NULL, 0, 0, SIZE_MAX, &rows, &error));
  sealite_rows_free(rows);
  sealite_token_request_free(request);
  sealite_tokens_free(tokens);
}

static void approvals(sealite_vault *vault) {
  sealite_approvals *approvals;
  OK(sealite_vault_approvals(vault, &approvals, &error));
  for EACH(LONG, at) {
    sealite_approval_request *request;
    sealite_bytes *id = NULL;
    OK(sealite_approval_request_create(T("delete"), T("{}"), T("ada"), &request, &error));
    ANSWERS(sealite_approval_request_set_expires_in(request, LONG[at], &error));
    ANSWERS(sealite_approvals_ask(approvals, request, &id, &error));
    if (id != NULL) {
      /* Decided before it is waited for: the longest wait ends at once. */
      const char *text = sealite_bytes_data(id);
      ANSWERS(sealite_approvals_decide(approvals, T(text), SEALITE_REJECT, T("grace"), T("admin"), NULL, 0, NULL, &error));
      sealite_rows *rows = NULL;
      ANSWERS(sealite_approvals_get(approvals, T(text), &rows, &error));
      bool decided = rows != NULL && !holds(rows, 0, "state", "pending");
      sealite_rows_free(rows);
      if (decided) {
        OK(sealite_approvals_wait(approvals, T(text), UINT64_MAX, &rows, &error));
        sealite_rows_free(rows);
      }
      sealite_bytes_free(id);
    }
    sealite_approval_request_free(request);
  }
  OK(sealite_approvals_sweep(approvals, NULL, &error));
  sealite_approvals_free(approvals);
}

static void settings(sealite_vault *vault) {
  sealite_settings *settings;
  sealite_setting_definition *definition;
  sealite_changes *changes;
  sealite_rows *rows;
  const int64_t versions[] = {INT64_MIN, -1, 0, INT64_MAX};
  OK(sealite_vault_settings(vault, &settings, &error));
  OK(sealite_setting_definition_create(T("limit"), SEALITE_INTEGER, &definition, &error));
  ANSWERS(sealite_setting_definition_set_min_length(definition, UINT32_MAX, &error));
  OK(sealite_settings_define(settings, definition, NULL, &error));
  sealite_setting_definition_free(definition);
  sealite_value most = sealite_integer(INT64_MIN);
  OK(sealite_changes_create(&changes, &error));
  OK(sealite_changes_set(changes, T("limit"), &most, &error));
  OK(sealite_settings_write(settings, changes, T("ada"), NULL, 0, NULL, &error));
  sealite_changes_free(changes);
  for EACH(versions, at)
    ANSWERS(sealite_settings_roll_back(settings, T("limit"), versions[at], T("ada"), NULL, 0, NULL, &error));
  OK(sealite_settings_history(settings, T("limit"), &rows, &error));
  sealite_rows_free(rows);
  sealite_settings_free(settings);
}

static void trail(sealite_vault *vault) {
  sealite_audit *audit;
  sealite_entry *entry;
  sealite_rows *rows;
  OK(sealite_vault_audit(vault, &audit, &error));
  OK(sealite_entry_create(T("user.login"), &entry, &error));
  ANSWERS(sealite_audit_append(audit, entry, NULL, &error));
  sealite_entry_free(entry);
  OK(sealite_audit_tail(audit, SIZE_MAX, &rows, &error));
  CHECK(rows_in(rows) > 0);
  sealite_rows_free(rows);
  OK(sealite_audit_tail(audit, 0, &rows, &error));
  sealite_rows_free(rows);
  for EACH(CLOCKS, at) {
    ANSWERS(sealite_audit_page(audit, CLOCKS[at], &CLOCKS[at], &CLOCKS[at], NULL, 0, &rows, NULL, &error));
    sealite_rows_free(rows);
    ANSWERS(sealite_audit_retain_after(audit, CLOCKS[at], NULL, &error));
  }
  sealite_audit_free(audit);
}

/* Whatever a clock shows. */
static void clocks(void) {
  for EACH(CLOCKS, at) {
    sealite_vault *vault = memory_vault();
    sealite_rows *rows;
    sealite_bytes *bytes;
    OK(sealite_vault_set_clock(vault, &CLOCKS[at], &error));
    define_people(vault);
    sealite_table *table = people(vault);
    insert_person(table, "ada@example.org", "Ada");
    sealite_table_free(table);
    quotas(vault);
    tokens(vault);
    approvals(vault);
    settings(vault);
    trail(vault);
    bool ready, usable;
    ANSWERS(sealite_vault_health(vault, &ready, &usable, &rows, &error));
    sealite_rows_free(rows);
    ANSWERS(sealite_vault_metrics(vault, NULL, 0, &bytes, &error));
    sealite_bytes_free(bytes);
    ANSWERS(sealite_vault_export_subject(vault, NULL, 0, T("ada"), &bytes, &error));
    sealite_bytes_free(bytes);
    ANSWERS(sealite_rotation_run(vault, SEALITE_ROTATION_DATA, NULL, 0, &rows, &error));
    sealite_rows_free(rows);
    ANSWERS(sealite_vault_accept_clock(vault, &error));
    OK(sealite_vault_set_clock(vault, NULL, &error));
    quotas(vault);
    sealite_vault_free(vault);
  }
}

/* 0 is a time like any other, and not the system's clock. */
static void beginning_of_1970(void) {
  sealite_vault *vault = memory_vault();
  sealite_approvals *approvals;
  sealite_approval_request *request;
  sealite_bytes *id;
  sealite_rows *rows;
  const int64_t zero = 0;
  OK(sealite_vault_set_clock(vault, &zero, &error));
  OK(sealite_vault_approvals(vault, &approvals, &error));
  OK(sealite_approval_request_create(T("delete"), T("{}"), T("ada"), &request, &error));
  OK(sealite_approvals_ask(approvals, request, &id, &error));
  OK(sealite_approvals_get(approvals, T((const char *)sealite_bytes_data(id)), &rows, &error));
  CHECK(cell(rows, 0, "created_at").integer == 0 && cell(rows, 0, "expires_at").integer == 3600000);
  sealite_rows_free(rows);
  sealite_bytes_free(id);
  sealite_approval_request_free(request);
  sealite_approvals_free(approvals);
  sealite_vault_free(vault);
}

/* A file is opened with the longest times and the largest caches. */
static void configurations(const char *folder) {
  const size_t keys[] = {0, 1, SIZE_MAX};
  sealite_unlock *unlock = key_unlock();
  for EACH(LONG, time)
    for EACH(keys, at) {
      char path[4096];
      CHECK(snprintf(path, sizeof path, "%s/extremes-%zu-%zu.db", folder, time, at) < (int)sizeof path);
      sealite_config *config;
      sealite_vault *vault = NULL;
      OK(sealite_config_create(&config, &error));
      ANSWERS(sealite_config_set_busy_timeout(config, LONG[time], &error));
      ANSWERS(sealite_config_set_key_cache(config, keys[at], LONG[time], &error));
      ANSWERS(sealite_vault_create(T(path), unlock, config, &vault, &error));
      sealite_config_free(config);
      if (vault == NULL) continue;
      define_people(vault);
      sealite_table *table = people(vault);
      int64_t id = insert_person(table, "ada@example.org", "Ada");
      sealite_value key = sealite_integer(id);
      sealite_rows *rows;
      OK(sealite_table_get(table, &key, &rows, &error));
      CHECK(holds(rows, 0, "name", "Ada"));
      sealite_rows_free(rows);
      sealite_table_free(table);
      sealite_vault_free(vault);
    }
  sealite_unlock_free(unlock);
}

/* Numbers, sizes and positions. */
static void numbers(void) {
  sealite_vault *vault = memory_vault();
  const int64_t ids[] = {INT64_MIN, -1, 0, INT64_MAX};
  define_people(vault);
  sealite_table *table = people(vault);
  sealite_rows *rows;
  sealite_value value;
  for EACH(ids, at) {
    sealite_value id = sealite_integer(ids[at]);
    OK(sealite_table_get(table, &id, &rows, &error));
    CHECK(rows == NULL);
    ANSWERS(sealite_vault_remove_slot(vault, ids[at], &error));
  }
  insert_person(table, "ada@example.org", "Ada");
  value = sealite_text(T("ada@example.org"));
  OK(sealite_table_find(table, T("email"), &value, &rows, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rows_value_at(rows, SIZE_MAX, 0, &value, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rows_value_at(rows, 0, SIZE_MAX, &value, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rows_value(rows, SIZE_MAX, T("email"), &value, &error));
  sealite_rows_free(rows);
  OK(sealite_vault_verify(vault, &(bool){false}, &rows, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rows_value_at(rows, SIZE_MAX, SIZE_MAX, &value, &error));
  sealite_rows_free(rows);
  sealite_table_free(table);

  ANSWERS(sealite_vault_count(vault, T("app.logins"), UINT64_MAX, &error));
  ANSWERS(sealite_vault_count(vault, T("app.logins"), UINT64_MAX, &error));
  sealite_limits *limits;
  OK(sealite_limits_create(&limits, &error));
  for EACH(LONG, at) {
    ANSWERS(sealite_limits_add_sliding(limits, UINT32_MAX, LONG[at], &error));
    ANSWERS(sealite_limits_add_fixed(limits, 0, LONG[at], &error));
  }
  sealite_limits_free(limits);
  sealite_code_request *code;
  OK(sealite_code_request_create(T("ada"), &code, &error));
  ANSWERS(sealite_code_request_set_digits(code, UINT32_MAX, &error));
  ANSWERS(sealite_code_request_set_attempts(code, UINT32_MAX, &error));
  ANSWERS(sealite_code_request_set_expires_in(code, UINT64_MAX, &error));
  sealite_code_request_free(code);
  sealite_unlock *unlock = NULL;
  ANSWERS(sealite_unlock_passphrase(T("correct horse battery staple"), UINT32_MAX, UINT32_MAX, UINT32_MAX, &unlock, &error));
  sealite_unlock_free(unlock);
  sealite_password_hasher *hasher = NULL;
  GIVES(SEALITE_LIMIT, sealite_password_hasher_create(UINT32_MAX, UINT32_MAX, UINT32_MAX, &hasher, &error));
  sealite_field *field, *padded = NULL;
  OK(sealite_vault_field(vault, T("f"), &field, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_field_padded(field, SEALITE_PADDING_BLOCK, UINT32_MAX, &padded, &error));
  sealite_field_free(field);
  sealite_connection *connection;
  sealite_stmt *stmt;
  OK(sealite_vault_connect(vault, &connection, &error));
  OK(sealite_connection_prepare(connection, T("SELECT ?"), &stmt, NULL, &error));
  value = sealite_null();
  GIVES(SEALITE_SQL, sealite_stmt_bind(stmt, SIZE_MAX, &value, &error));
  GIVES(SEALITE_SQL, sealite_stmt_bind(stmt, 0, &value, &error));
  GIVES(SEALITE_SQL, sealite_stmt_value(stmt, SIZE_MAX, &value, &error));
  sealite_stmt_free(stmt);
  sealite_connection_free(connection);
  sealite_vault_free(vault);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  numbers();
  beginning_of_1970();
  clocks();
  configurations(argv[1]);
  return done();
}
