/* Tables, transactions, snapshots, tenants and plain SQL. argv[1] is a folder to work in. */

#include "check.h"

static void rows_and_columns(sealite_vault *vault) {
  sealite_table *table = people(vault);
  int64_t ada = insert_person(table, "Ada@Example.org", "Ada Lovelace");
  sealite_value id = sealite_integer(ada);
  sealite_rows *rows;
  OK(sealite_table_get(table, &id, &rows, &error));
  CHECK(rows_in(rows) == 1);
  CHECK(holds(rows, 0, "email", "Ada@Example.org") && holds(rows, 0, "role", "user"));
  CHECK(cell(rows, 0, "id").integer == ada && cell(rows, 0, "plan").kind == SEALITE_NULL);
  size_t width, length;
  OK(sealite_rows_columns(rows, &width, &error));
  CHECK(width == 6);
  const char *name;
  OK(sealite_rows_column_name(rows, 0, &name, &length, &error));
  CHECK(length == 2 && memcmp(name, "id", 2) == 0);
  OK(sealite_rows_column_name(rows, 5, &name, &length, &error));
  CHECK(length == 4 && memcmp(name, "plan", 4) == 0);
  sealite_value value;
  OK(sealite_rows_value_at(rows, 0, 2, &value, &error));
  CHECK(value.kind == SEALITE_TEXT && value.length == 12);
  sealite_value all[7];
  OK(sealite_rows_read(rows, 0, all, 6, &error));
  CHECK(all[0].integer == ada && all[2].data == value.data && all[5].kind == SEALITE_NULL);
  GIVES(SEALITE_NOT_FOUND, sealite_rows_read(rows, 0, all, 7, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rows_read(rows, 1, all, 1, &error));
  CHECK(all[0].kind == SEALITE_NULL);
  OK(sealite_rows_read(rows, 0, NULL, 0, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_rows_read(rows, 0, NULL, 1, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rows_value_at(rows, 0, 6, &value, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rows_value_at(rows, 1, 0, &value, &error));
  GIVES(SEALITE_NOT_FOUND, sealite_rows_value(rows, 0, T("nothing"), &value, &error));
  CHECK(value.kind == SEALITE_NULL && value.data == NULL);
  sealite_rows_free(rows);

  sealite_value wanted = sealite_text(T(" ada@example.ORG"));
  OK(sealite_table_find(table, T("email"), &wanted, &rows, &error));
  CHECK(rows_in(rows) == 1);
  sealite_rows_free(rows);
  GIVES(SEALITE_NOT_INDEXED, sealite_table_find(table, T("name"), &wanted, &rows, &error));
  CHECK(rows == NULL);
  OK(sealite_table_find_one(table, T("email"), &wanted, &rows, &error));
  CHECK(rows_in(rows) == 1 && cell(rows, 0, "id").integer == id.integer);
  sealite_rows_free(rows);
  sealite_value nobody = sealite_text(T("nobody@example.org"));
  OK(sealite_table_find_one(table, T("email"), &nobody, &rows, &error));
  CHECK(rows == NULL);
  GIVES(SEALITE_NOT_INDEXED, sealite_table_find_one(table, T("name"), &wanted, &rows, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_table_find_one(table, T("email"), &wanted, NULL, &error));

  /* A partial update; the same builder again. */
  sealite_values *values;
  OK(sealite_values_create(&values, &error));
  set_text(values, "plan", "pro");
  set_text(values, "plan", "team"); /* In the place of the first. */
  bool changed;
  OK(sealite_table_update(table, &id, values, &changed, &error));
  CHECK(changed);
  OK(sealite_values_clear(values, &error));
  value = sealite_text(T("not a number"));
  OK(sealite_values_set(values, T("age"), &value, &error));
  GIVES(SEALITE_TYPE_MISMATCH, sealite_table_update(table, &id, values, NULL, &error));
  sealite_values_free(values);
  OK(sealite_table_get(table, &id, &rows, &error));
  CHECK(holds(rows, 0, "plan", "team") && holds(rows, 0, "name", "Ada Lovelace"));
  sealite_rows_free(rows);

  /* Many at once, all or none. */
  sealite_string columns[] = {{"email", SEALITE_NTS}, {"age", 3}};
  sealite_value cells[300 * 2];
  static char mails[300][32];
  int64_t ids[300];
  for (int at = 0; at < 300; at++) {
    snprintf(mails[at], sizeof mails[at], "p%d@example.org", at);
    cells[2 * at] = sealite_text(T(mails[at]));
    cells[2 * at + 1] = sealite_integer(at);
  }
  OK(sealite_table_insert_many(table, columns, 2, cells, 300, ids, &error));
  CHECK(ids[299] == ids[0] + 299);
  cells[0] = sealite_text(T("fresh@example.org"));
  GIVES(SEALITE_CONFLICT, sealite_table_insert_many(table, columns, 2, cells, 300, NULL, &error));
  uint64_t count;
  OK(sealite_table_count(table, &count, &error));
  CHECK(count == 301);

  sealite_value some[3] = {sealite_integer(ids[5]), sealite_integer(-1), sealite_integer(ada)};
  bool present[3];
  OK(sealite_table_get_many(table, some, 3, present, &rows, &error));
  CHECK(present[0] && !present[1] && present[2] && rows_in(rows) == 2);
  CHECK(holds(rows, 0, "email", "p5@example.org") && cell(rows, 0, "age").integer == 5);
  sealite_rows_free(rows);

  sealite_cursor *cursor;
  OK(sealite_table_scan(table, &cursor, &error));
  size_t seen = 0, batches = 0;
  for (;;) {
    OK(sealite_cursor_next(cursor, &rows, &error));
    if (rows == NULL) break;
    seen += rows_in(rows);
    batches++;
    sealite_rows_free(rows);
  }
  CHECK(seen == 301 && batches >= 2);
  OK(sealite_cursor_next(cursor, &rows, &error));
  CHECK(rows == NULL);
  sealite_cursor_free(cursor);

  OK(sealite_table_delete(table, &id, &changed, &error));
  CHECK(changed);
  OK(sealite_table_delete(table, &id, &changed, &error));
  CHECK(!changed);
  OK(sealite_table_discard(table, &some[0], &changed, &error));
  CHECK(changed);
  OK(sealite_table_get(table, &id, &rows, &error));
  CHECK(rows == NULL);
  OK(sealite_table_columns(table, &rows, &error));
  CHECK(rows_in(rows) == 5 && holds(rows, 0, "name", "email"));
  sealite_rows_free(rows);
  sealite_table_free(table);
}

static void transactions(sealite_vault *vault) {
  sealite_transaction *transaction;
  sealite_table *inside, *outside = people(vault);
  uint64_t before, count;
  OK(sealite_table_count(outside, &before, &error));
  OK(sealite_vault_begin(vault, &transaction, &error));
  OK(sealite_transaction_table(transaction, T("people"), &inside, &error));
  insert_person(inside, "t1@example.org", NULL);
  OK(sealite_transaction_begin_savepoint(transaction, &error));
  insert_person(inside, "t2@example.org", NULL);
  OK(sealite_transaction_end_savepoint(transaction, 0, &error));
  GIVES(SEALITE_CLOSED, sealite_transaction_end_savepoint(transaction, 1, &error));
  OK(sealite_transaction_execute(transaction, T("CREATE TABLE visits (page TEXT, n INTEGER)"), NULL, 0, NULL, &error));
  sealite_value parameters[2] = {sealite_text(T("/pricing")), sealite_integer(3)};
  uint64_t rows_changed;
  OK(sealite_transaction_execute(transaction, T("INSERT INTO visits VALUES (?, ?)"), parameters, 2, &rows_changed, &error));
  CHECK(rows_changed == 1);
  GIVES(SEALITE_NOT_ALLOWED, sealite_transaction_execute(transaction, T("DELETE FROM people_sealed"), NULL, 0, NULL, &error));
  sealite_rows *rows;
  OK(sealite_transaction_query(transaction, T("SELECT page, n FROM visits"), NULL, 0, &rows, &error));
  CHECK(rows_in(rows) == 1 && holds(rows, 0, "page", "/pricing") && cell(rows, 0, "n").integer == 3);
  sealite_rows_free(rows);
  OK(sealite_transaction_commit(transaction, &error));
  GIVES(SEALITE_CLOSED, sealite_transaction_commit(transaction, &error));
  GIVES(SEALITE_CLOSED, sealite_table_count(inside, &count, &error));
  sealite_table_free(inside);
  sealite_transaction_free(transaction);
  OK(sealite_table_count(outside, &count, &error));
  CHECK(count == before + 1);

  /* Freed without an end: rolled back, though a table made from it lives on. */
  OK(sealite_vault_begin(vault, &transaction, &error));
  OK(sealite_transaction_table(transaction, T("people"), &inside, &error));
  insert_person(inside, "t3@example.org", NULL);
  sealite_transaction_free(transaction);
  GIVES(SEALITE_CLOSED, sealite_table_count(inside, &count, &error));
  OK(sealite_table_count(outside, &count, &error));
  CHECK(count == before + 1);
  sealite_table_free(inside);

  OK(sealite_vault_begin(vault, &transaction, &error));
  sealite_definition *definition;
  bool created;
  OK(sealite_definition_create(T("never"), &definition, &error));
  OK(sealite_definition_add_column(definition, T("a text sealed"), &error));
  OK(sealite_transaction_define_table(transaction, definition, &created, &error));
  CHECK(created);
  OK(sealite_transaction_roll_back(transaction, &error));
  sealite_transaction_free(transaction);
  sealite_definition_free(definition);
  GIVES(SEALITE_NOT_FOUND, sealite_vault_table(vault, T("never"), &inside, &error));

  sealite_snapshot *snapshot;
  OK(sealite_vault_snapshot(vault, &snapshot, &error));
  OK(sealite_snapshot_table(snapshot, T("people"), &inside, &error));
  insert_person(outside, "t4@example.org", NULL);
  OK(sealite_table_count(inside, &count, &error));
  CHECK(count == before + 1);
  OK(sealite_snapshot_query(snapshot, T("SELECT count(*) AS n FROM visits"), NULL, 0, &rows, &error));
  CHECK(cell(rows, 0, "n").integer == 1);
  sealite_rows_free(rows);
  sealite_values *values;
  OK(sealite_values_create(&values, &error));
  set_text(values, "email", "t5@example.org");
  GIVES(SEALITE_READ_ONLY, sealite_table_insert(inside, values, NULL, &error));
  sealite_values_free(values);
  sealite_snapshot_free(snapshot);
  GIVES(SEALITE_CLOSED, sealite_table_count(inside, &count, &error));
  sealite_table_free(inside);
  sealite_table_free(outside);
}

static void tenants(sealite_vault *vault) {
  sealite_definition *definition;
  OK(sealite_definition_create(T("notes"), &definition, &error));
  OK(sealite_definition_set_key(definition, T("slug"), 1, &error));
  OK(sealite_definition_set_per_tenant(definition, &error));
  OK(sealite_definition_set_padding(definition, SEALITE_PADDING_PADME, 0, &error));
  OK(sealite_definition_add_column(definition, T("body json sealed"), &error));
  OK(sealite_vault_define_table(vault, definition, NULL, &error));
  sealite_definition_free(definition);

  sealite_tenant *acme, *other;
  OK(sealite_vault_tenant(vault, T("acme"), &acme, &error));
  OK(sealite_vault_tenant(vault, T("other"), &other, &error));
  sealite_table *notes, *elsewhere;
  OK(sealite_tenant_table(acme, T("notes"), &notes, &error));
  sealite_values *values;
  OK(sealite_values_create(&values, &error));
  set_text(values, "slug", "plan");
  sealite_value body = sealite_json(T("{\"buy\": [1, 2]}"));
  OK(sealite_values_set(values, T("body"), &body, &error));
  int64_t id = 7;
  OK(sealite_table_insert(notes, values, &id, &error));
  CHECK(id == 0);
  sealite_values_free(values);
  sealite_value slug = sealite_text("plan and more", 4);
  sealite_rows *rows;
  OK(sealite_table_get(notes, &slug, &rows, &error));
  CHECK(holds(rows, 0, "body", "{\"buy\": [1, 2]}") && cell(rows, 0, "body").kind == SEALITE_JSON);
  sealite_rows_free(rows);
  OK(sealite_tenant_table(other, T("notes"), &elsewhere, &error));
  OK(sealite_table_get(elsewhere, &slug, &rows, &error));
  CHECK(rows == NULL);
  sealite_table_free(elsewhere);

  sealite_transaction *transaction;
  OK(sealite_tenant_begin(acme, &transaction, &error));
  GIVES(SEALITE_NOT_ALLOWED, sealite_transaction_tenant_table(transaction, T("other"), T("notes"), &elsewhere, &error));
  sealite_transaction_free(transaction);
  OK(sealite_vault_begin(vault, &transaction, &error));
  OK(sealite_transaction_tenant_table(transaction, T("acme"), T("notes"), &elsewhere, &error));
  uint64_t count;
  OK(sealite_table_count(elsewhere, &count, &error));
  CHECK(count == 1);
  sealite_table_free(elsewhere);
  sealite_transaction_free(transaction);
  sealite_snapshot *snapshot;
  OK(sealite_tenant_snapshot(acme, &snapshot, &error));
  OK(sealite_snapshot_table(snapshot, T("notes"), &elsewhere, &error));
  OK(sealite_table_count(elsewhere, &count, &error));
  CHECK(count == 1);
  sealite_table_free(elsewhere);
  GIVES(SEALITE_NOT_ALLOWED, sealite_snapshot_tenant_table(snapshot, T("other"), T("notes"), &elsewhere, &error));
  sealite_snapshot_free(snapshot);
  OK(sealite_vault_snapshot(vault, &snapshot, &error));
  OK(sealite_snapshot_tenant_table(snapshot, T("acme"), T("notes"), &elsewhere, &error));
  OK(sealite_table_count(elsewhere, &count, &error));
  CHECK(count == 1);
  sealite_table_free(elsewhere);
  sealite_snapshot_free(snapshot);
  sealite_table_free(notes);
  sealite_tenant_free(other);
  sealite_tenant_free(acme);
}

static void schema(sealite_vault *vault) {
  bool pending = true;
  OK(sealite_vault_add_column(vault, T("people"), T("phone text sealed default '+44'"), &pending, &error));
  CHECK(!pending);
  OK(sealite_vault_add_index(vault, T("people"), T("phone"), T("lookup 50000 digits"), &error));
  OK(sealite_vault_protect_column(vault, T("people"), T("plan"), SEALITE_SEALED, &pending, &error));
  OK(sealite_vault_drop_index(vault, T("people"), T("phone"), &pending, &error));
  OK(sealite_vault_rename_column(vault, T("people"), T("phone"), T("telephone"), &error));
  OK(sealite_vault_drop_column(vault, T("people"), T("telephone"), &pending, &error));
  OK(sealite_vault_rename_table(vault, T("notes"), T("papers"), &error));
  OK(sealite_vault_finish_alteration(vault, T("papers"), &pending, &error));
  OK(sealite_vault_finish_erasure(vault, &pending, &error));
  CHECK(!pending);
  sealite_rows *rows;
  OK(sealite_vault_tables(vault, &rows, &error));
  CHECK(rows_in(rows) == 2 && holds(rows, 0, "name", "papers") && holds(rows, 0, "padding", "padme"));
  CHECK(cell(rows, 0, "text_key").kind == SEALITE_BOOLEAN && cell(rows, 0, "text_key").integer == 1);
  CHECK(cell(rows, 1, "block").integer == 32);
  sealite_rows_free(rows);
  OK(sealite_vault_drop_table(vault, T("papers"), NULL, &error));
  OK(sealite_vault_query(vault, T("SELECT count(*) AS n FROM people_sealed"), NULL, 0, &rows, &error));
  CHECK(cell(rows, 0, "n").integer > 300);
  sealite_rows_free(rows);
  GIVES(SEALITE_SQL, sealite_vault_execute(vault, T("NOT SQL"), NULL, 0, NULL, &error));
}

/* A plain table becomes a sealed one with its rows, and plain again. */
static void protection(sealite_vault *vault) {
  const char *table = "CREATE TABLE members (id INTEGER PRIMARY KEY, email TEXT, plan TEXT)";
  const char *row = "INSERT INTO members VALUES (7, 'Ada@Example.org', 'pro')";
  const sealite_string columns[] = {{"email sealed unique email", SEALITE_NTS}};
  sealite_rows *rows;
  bool pending = true;
  OK(sealite_vault_execute(vault, T(table), NULL, 0, NULL, &error));
  OK(sealite_vault_execute(vault, T(row), NULL, 0, NULL, &error));
  OK(sealite_vault_plan_protection(vault, T("members"), columns, 1, &rows, &error));
  CHECK(rows_in(rows) >= 2 && holds(rows, 0, "what", "column"));
  for (size_t at = 0; at < rows_in(rows); at++) CHECK(!holds(rows, at, "what", "obstacle"));
  sealite_rows_free(rows);
  OK(sealite_vault_protect_table(vault, T("members"), columns, 1, &pending, &error));
  CHECK(!pending);
  sealite_table *members;
  sealite_value email = sealite_text(T(" ada@example.ORG"));
  OK(sealite_vault_table(vault, T("members"), &members, &error));
  OK(sealite_table_find(members, T("email"), &email, &rows, &error));
  CHECK(rows_in(rows) == 1 && cell(rows, 0, "id").integer == 7 && holds(rows, 0, "plan", "pro"));
  sealite_rows_free(rows);
  sealite_table_free(members);
  OK(sealite_vault_unprotect_table(vault, T("members"), &error));
  GIVES(SEALITE_NOT_FOUND, sealite_vault_table(vault, T("members"), &members, &error));
  OK(sealite_vault_query(vault, T("SELECT email FROM members"), NULL, 0, &rows, &error));
  CHECK(holds(rows, 0, "email", "Ada@Example.org"));
  sealite_rows_free(rows);
  GIVES(SEALITE_NOT_FOUND, sealite_vault_protect_table(vault, T("nobody"), columns, 1, NULL, &error));
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_protect_table(vault, T("members"), NULL, 1, NULL, &error));
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/tables.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  sealite_unlock_free(unlock);
  define_people(vault);
  rows_and_columns(vault);
  transactions(vault);
  tenants(vault);
  schema(vault);
  protection(vault);
  sealite_vault_free(vault);
  return done();
}
