/* What the tests of tokens share. */

#ifndef TOKENS_H
#define TOKENS_H

#include "check.h"

#define SECOND ((uint64_t)1000)
#define DAY (86400 * SECOND)

static const int32_t SESSION = SEALITE_TOKEN_SESSION, API_KEY = SEALITE_TOKEN_API_KEY, LINK = SEALITE_TOKEN_MAGIC_LINK,
                     GLASS = SEALITE_TOKEN_BREAK_GLASS, REFRESH = SEALITE_TOKEN_REFRESH, ADMIN = SEALITE_TOKEN_ADMIN,
                     USER = SEALITE_TOKEN_USER;

/* What was given out, as two arguments. */
#define B(bytes) (const char *)sealite_bytes_data(bytes), sealite_bytes_length(bytes)

static inline sealite_tokens *tokens_of(sealite_vault *vault) {
  sealite_tokens *tokens;
  OK(sealite_vault_tokens(vault, &tokens, &error));
  return tokens;
}

static inline sealite_token_request *request_for(int32_t kind, const char *subject) {
  sealite_token_request *request;
  OK(sealite_token_request_create(kind, &request, &error));
  if (subject != NULL) OK(sealite_token_request_set_subject(request, T(subject), &error));
  return request;
}

/* Issues, frees the request, and copies the public id. */
static inline sealite_bytes *issued(sealite_tokens *tokens, sealite_token_request *request, char id[25]) {
  sealite_bytes *text;
  sealite_rows *rows;
  OK(sealite_tokens_issue(tokens, request, &text, &rows, &error));
  sealite_token_request_free(request);
  sealite_value value = cell(rows, 0, "id");
  CHECK(rows_in(rows) == 1 && value.length == 24);
  memcpy(id, value.data, 24);
  id[24] = 0;
  bool is;
  OK(sealite_is_token_text(B(text), &is, &error));
  CHECK(is);
  sealite_rows_free(rows);
  return text;
}

static inline sealite_status verified(sealite_tokens *tokens, sealite_bytes *text, int32_t kind) {
  return sealite_tokens_verify(tokens, B(text), &kind, 1, NULL, 0, NULL, NULL);
}

static inline sealite_status consumed(sealite_tokens *tokens, sealite_bytes *text, int32_t kind) {
  return sealite_tokens_consume(tokens, B(text), &kind, 1, NULL, 0, NULL, NULL);
}

static inline size_t listed(sealite_tokens *tokens, const char *subject, const int32_t *kind, int32_t active) {
  sealite_rows *rows;
  OK(sealite_tokens_list(tokens, subject, SEALITE_NTS, kind, NULL, 0, active, 1000, &rows, &error));
  size_t count = rows_in(rows);
  sealite_rows_free(rows);
  return count;
}

#endif
