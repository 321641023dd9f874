/* A forked child has its parent's handles. argv[1] is a folder to work in. */

#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

static void wait_for(pid_t child) {
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* A vault that is idle at the fork serves both. */
static void idle_vault(sealite_vault *vault) {
  sealite_table *table = people(vault);
  uint64_t count;
  insert_person(table, "parent@example.org", NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    OK(sealite_table_count(table, &count, &error));
    CHECK(count == 1);
    insert_person(table, "child@example.org", NULL);
    _exit(0);
  }
  wait_for(child);
  OK(sealite_table_count(table, &count, &error));
  CHECK(count == 2);
  sealite_table_free(table);
}

/* What was open stays the parent's: the child is told so, and harms nothing by freeing it. */
static void open_transaction(sealite_vault *vault) {
  sealite_table *table = people(vault), *inside;
  sealite_transaction *transaction;
  sealite_cursor *cursor;
  uint64_t count;
  OK(sealite_vault_begin(vault, &transaction, &error));
  OK(sealite_transaction_table(transaction, T("people"), &inside, &error));
  insert_person(inside, "open@example.org", NULL);
  OK(sealite_table_scan(table, &cursor, &error));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    sealite_rows *rows;
    GIVES(SEALITE_FORKED, sealite_table_count(inside, &count, &error));
    GIVES(SEALITE_FORKED, sealite_cursor_next(cursor, &rows, &error));
    GIVES(SEALITE_FORKED, sealite_transaction_commit(transaction, &error));
    GIVES(SEALITE_FORKED, sealite_table_count(table, &count, &error));
    sealite_transaction_free(transaction);
    sealite_cursor_free(cursor);
    _exit(0);
  }
  wait_for(child);
  OK(sealite_transaction_commit(transaction, &error));
  OK(sealite_table_count(table, &count, &error));
  CHECK(count == 3);
  sealite_cursor_free(cursor);
  sealite_table_free(inside);
  sealite_transaction_free(transaction);
  sealite_table_free(table);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/fork.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  sealite_unlock_free(unlock);
  define_people(vault);
  idle_vault(vault);
  open_transaction(vault);
  sealite_vault_free(vault);
  return done();
}
