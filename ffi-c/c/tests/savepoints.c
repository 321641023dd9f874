/* Savepoints of a transaction, also where the engine can't end one. argv[1] is a folder to work in. */

#include "check.h"

static uint64_t count_of(sealite_table *table) {
  uint64_t count;
  OK(sealite_table_count(table, &count, &error));
  return count;
}

static void kept_and_taken_back(sealite_vault *vault) {
  sealite_transaction *transaction;
  sealite_table *table;
  OK(sealite_vault_begin(vault, &transaction, &error));
  OK(sealite_transaction_table(transaction, T("people"), &table, &error));
  OK(sealite_transaction_begin_savepoint(transaction, &error));
  insert_person(table, "ada@example.org", NULL);
  OK(sealite_transaction_begin_savepoint(transaction, &error));
  insert_person(table, "grace@example.org", NULL);
  OK(sealite_transaction_end_savepoint(transaction, 0, &error));
  CHECK(count_of(table) == 1);
  GIVES(SEALITE_INVALID_INPUT, sealite_transaction_end_savepoint(transaction, 2, &error));
  OK(sealite_transaction_end_savepoint(transaction, 1, &error));
  GIVES(SEALITE_CLOSED, sealite_transaction_end_savepoint(transaction, 1, &error));
  OK(sealite_transaction_commit(transaction, &error));
  sealite_table_free(table);
  sealite_transaction_free(transaction);
}

/* SQLite has ended the transaction by itself: nothing can be kept, and what could not be ended is still there. */
static void one_that_could_not_be_ended(sealite_vault *vault) {
  sealite_transaction *transaction;
  OK(sealite_vault_execute(vault, T("CREATE TABLE plain (a INTEGER UNIQUE)"), NULL, 0, NULL, &error));
  OK(sealite_vault_begin(vault, &transaction, &error));
  OK(sealite_transaction_execute(transaction, T("INSERT INTO plain VALUES (1)"), NULL, 0, NULL, &error));
  OK(sealite_transaction_begin_savepoint(transaction, &error));
  GIVES(SEALITE_CONFLICT,
        sealite_transaction_execute(transaction, T("INSERT OR ROLLBACK INTO plain VALUES (1)"), NULL, 0, NULL, &error));
  GIVES(SEALITE_CLOSED, sealite_transaction_end_savepoint(transaction, 1, &error));
  OK(sealite_transaction_end_savepoint(transaction, 0, &error));
  GIVES(SEALITE_CLOSED, sealite_transaction_end_savepoint(transaction, 0, &error));
  GIVES(SEALITE_CLOSED, sealite_transaction_commit(transaction, &error));
  sealite_transaction_free(transaction);
}

int main(int argc, char **argv) {
  CHECK(argc == 2 && argv[1] != NULL);
  sealite_vault *vault = memory_vault();
  define_people(vault);
  kept_and_taken_back(vault);
  one_that_could_not_be_ended(vault);
  sealite_vault_free(vault);
  return done();
}
