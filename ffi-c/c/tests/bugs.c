/* Bugs on purpose: a test that passes under the sanitizers and valgrind says something only where these don't. */

#include "check.h"

int main(int argc, char **argv) {
  CHECK(argc == 2);
  sealite_vault *vault = memory_vault();
  define_people(vault);
  sealite_table *table = people(vault);
  int64_t id = insert_person(table, "ada@example.org", "Ada Lovelace");
  sealite_value key = sealite_integer(id);
  sealite_rows *rows;
  OK(sealite_table_get(table, &key, &rows, &error));
  sealite_value name = cell(rows, 0, "name");
  if (strcmp(argv[1], "use-after-free") == 0) { /* Of memory that the library has freed. */
    sealite_rows_free(rows);
    rows = NULL;
    printf("%c\n", ((const volatile char *)name.data)[0]);
  }
  if (strcmp(argv[1], "overflow") == 0) {
    volatile int most = 2147483647;
    printf("%d\n", most + argc);
  }
  if (strcmp(argv[1], "leak") == 0) {
    volatile char *lost = (volatile char *)malloc(100);
    lost[0] = 1;
    lost = NULL;
  }
  sealite_rows_free(rows);
  sealite_table_free(table);
  sealite_vault_free(vault);
  return done();
}
