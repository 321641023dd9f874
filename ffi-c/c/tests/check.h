/* What the C tests check with. */

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sealite.h>

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

/* The call ends with this status, and its error object, if any, says the same. Calls name their error `&error`. */
#define GIVES(expected, call)                                                     \
  do {                                                                            \
    sealite_error *error = NULL;                                                  \
    sealite_status status_ = (call);                                              \
    if (status_ != (expected)) {                                                  \
      fprintf(stderr, "%s:%d: %s: %s (%s), expected %s\n", __FILE__, __LINE__, #call, \
              sealite_status_name(status_), sealite_error_message(error),         \
              sealite_status_name(expected));                                     \
      exit(1);                                                                    \
    }                                                                             \
    CHECK((error == NULL) == (status_ == SEALITE_OK));                            \
    CHECK(error == NULL || sealite_error_status(error) == status_);               \
    CHECK(error == NULL || strlen(sealite_error_message(error)) > 0);             \
    sealite_error_free(error);                                                    \
  } while (0)

#define OK(call) GIVES(SEALITE_OK, call)

/* A text literal or C string as two arguments. */
#define T(text) (text), SEALITE_NTS

/* True where the row's column holds this text. */
static inline bool holds(const sealite_rows *rows, size_t index, const char *column, const char *text) {
  sealite_value value;
  OK(sealite_rows_value(rows, index, T(column), &value, &error));
  return (value.kind == SEALITE_TEXT || value.kind == SEALITE_JSON) && value.length == strlen(text) &&
         memcmp(value.data, text, value.length) == 0;
}

static inline sealite_value cell(const sealite_rows *rows, size_t index, const char *column) {
  sealite_value value;
  OK(sealite_rows_value(rows, index, T(column), &value, &error));
  return value;
}

static inline size_t rows_in(const sealite_rows *rows) {
  size_t count;
  OK(sealite_rows_count(rows, &count, &error));
  return count;
}

/* A 32-byte key that nobody should use. */
static const unsigned char KEY[32] = {0x3a, 0x91, 0x07, 0xfe, 0x5c, 0x28, 0xb3, 0x60, 0x4d, 0xe2, 0x19,
                                      0x8f, 0x74, 0xc5, 0x0b, 0xd6, 0x2e, 0xa9, 0x53, 0x81, 0xf7, 0x16,
                                      0x6b, 0xcc, 0x40, 0x9d, 0x35, 0xea, 0x02, 0x78, 0xb1, 0x5f};

static inline sealite_unlock *key_unlock(void) {
  sealite_unlock *unlock;
  OK(sealite_unlock_key(KEY, sizeof KEY, &unlock, &error));
  return unlock;
}

static inline sealite_vault *memory_vault(void) {
  sealite_vault *vault;
  OK(sealite_vault_in_memory(&vault, &error));
  return vault;
}

/* The table of people that most tests use. */
static inline void define_people(sealite_vault *vault) {
  const char *columns[] = {"email text sealed not null unique email", "name text sealed", "age integer sealed",
                           "role text authenticated default 'user'", "plan text"};
  sealite_definition *definition;
  OK(sealite_definition_create(T("people"), &definition, &error));
  for (size_t at = 0; at < sizeof columns / sizeof *columns; at++)
    OK(sealite_definition_add_column(definition, T(columns[at]), &error));
  bool created;
  OK(sealite_vault_define_table(vault, definition, &created, &error));
  sealite_definition_free(definition);
}

static inline sealite_table *people(sealite_vault *vault) {
  sealite_table *table;
  OK(sealite_vault_table(vault, T("people"), &table, &error));
  return table;
}

static inline void set_text(sealite_values *values, const char *column, const char *text) {
  sealite_value value = sealite_text(T(text));
  OK(sealite_values_set(values, T(column), &value, &error));
}

static inline int64_t insert_person(sealite_table *table, const char *email, const char *name) {
  sealite_values *values;
  int64_t id;
  OK(sealite_values_create(&values, &error));
  set_text(values, "email", email);
  if (name != NULL) set_text(values, "name", name);
  OK(sealite_table_insert(table, values, &id, &error));
  sealite_values_free(values);
  return id;
}

/* Every test frees all that it has made. */
static inline int done(void) {
  CHECK(sealite_handles_live() == 0);
  return 0;
}

#endif
