/* Values, for C and C++; other languages fill the struct themselves. */

/** No value. */
static inline sealite_value sealite_null(void) {
  sealite_value value = {SEALITE_NULL, 0, 0.0, NULL, 0};
  return value;
}

/** An integer, also as the id of a row. */
static inline sealite_value sealite_integer(int64_t integer) {
  sealite_value value = sealite_null();
  value.kind = SEALITE_INTEGER;
  value.integer = integer;
  return value;
}

/** A double. */
static inline sealite_value sealite_real(double real) {
  sealite_value value = sealite_null();
  value.kind = SEALITE_REAL;
  value.real = real;
  return value;
}

/** A boolean. */
static inline sealite_value sealite_boolean(bool boolean) {
  sealite_value value = sealite_null();
  value.kind = SEALITE_BOOLEAN;
  value.integer = boolean ? 1 : 0;
  return value;
}

/** A text of that length, or SEALITE_NTS; also as the id of a row. */
static inline sealite_value sealite_text(const char *data, size_t length) {
  sealite_value value = sealite_null();
  value.kind = SEALITE_TEXT;
  value.data = data;
  value.length = length;
  return value;
}

/** JSON text of that length, or SEALITE_NTS. */
static inline sealite_value sealite_json(const char *data, size_t length) {
  sealite_value value = sealite_text(data, length);
  value.kind = SEALITE_JSON;
  return value;
}

/** Bytes. */
static inline sealite_value sealite_blob(const void *data, size_t length) {
  sealite_value value = sealite_null();
  value.kind = SEALITE_BLOB;
  value.data = data;
  value.length = length;
  return value;
}
