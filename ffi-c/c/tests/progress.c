/* Long work that tells how far it is, and is stopped: backup, restoration, the checks, rotation. argv[1] is a folder to work in. */

#include "check.h"

#include <unistd.h>

enum { PEOPLE = 300, PHASES = SEALITE_PHASE_ROTATING + 1 };

/* What a progress function has heard, and in which phase it is to stop, -1 for none, or at which call, 0 for none. */
struct heard {
  int32_t stop_in;
  unsigned stop_at;
  unsigned calls[PHASES];
  uint64_t last[PHASES];
  char what[16];
};

static int32_t hear(void *context, int32_t phase, const char *what, size_t what_length, uint64_t done, uint64_t total) {
  struct heard *heard = context;
  CHECK(phase >= 0 && phase < PHASES && (total == 0 || done <= total));
  CHECK(what_length < sizeof heard->what);
  memcpy(heard->what, what, what_length);
  heard->what[what_length] = '\0';
  heard->calls[phase] += 1;
  heard->last[phase] = done;
  return phase == heard->stop_in || heard->calls[phase] == heard->stop_at;
}

static struct heard stopping_in(int32_t phase) {
  struct heard heard = {0};
  heard.stop_in = phase;
  return heard;
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

static void backups(sealite_vault *vault, const char *folder, const sealite_unlock *unlock) {
  const int32_t phases[] = {SEALITE_PHASE_COPYING, SEALITE_PHASE_OPENING, SEALITE_PHASE_AUDITING};
  char copy[4096], restored[4096];
  CHECK(snprintf(copy, sizeof copy, "%s/copy.db", folder) < (int)sizeof copy);
  CHECK(snprintf(restored, sizeof restored, "%s/restored.db", folder) < (int)sizeof restored);
  struct heard heard;
  sealite_rows *rows;
  for (int at = 0; at < 3; at++) {
    heard = stopping_in(phases[at]);
    GIVES(SEALITE_INTERRUPTED, sealite_vault_backup_while(vault, T(copy), 0, hear, &heard, &rows, &error));
    CHECK(rows == NULL && heard.calls[phases[at]] == 1 && !exists(copy));
  }
  heard = stopping_in(-1);
  GIVES(SEALITE_INVALID_INPUT, sealite_vault_backup_while(vault, T(copy), 2, hear, &heard, &rows, &error));
  CHECK(!exists(copy));
  OK(sealite_vault_backup_while(vault, T(copy), 0, hear, &heard, &rows, &error));
  for (int at = 0; at < 3; at++) CHECK(heard.calls[phases[at]] > 0 && heard.last[phases[at]] > 0);
  CHECK(exists(copy) && heard.calls[SEALITE_PHASE_SEALING] == 0 && cell(rows, 0, "rows").integer > PEOPLE);
  sealite_rows_free(rows);
  GIVES(SEALITE_REFUSED, sealite_vault_backup_while(vault, T(copy), 1, NULL, NULL, NULL, &error));

  for (int at = 0; at < 3; at++) {
    heard = stopping_in(phases[at]);
    GIVES(SEALITE_INTERRUPTED, sealite_restore_while(T(copy), T(restored), unlock, NULL, 0, 0, hear, &heard, &rows, &error));
    CHECK(!exists(restored));
  }
  heard = stopping_in(-1);
  OK(sealite_restore_while(T(copy), T(restored), unlock, NULL, 0, 1, hear, &heard, &rows, &error));
  CHECK(!exists(restored) && heard.calls[SEALITE_PHASE_AUDITING] > 0);
  sealite_rows_free(rows);
  GIVES(SEALITE_INVALID_INPUT, sealite_restore_while(T(copy), T(restored), unlock, NULL, 0, -1, NULL, NULL, NULL, &error));
  OK(sealite_restore_while(T(copy), T(restored), unlock, NULL, 0, 0, NULL, NULL, NULL, &error));
  CHECK(exists(restored));
}

static void checks(sealite_vault *vault) {
  struct heard heard = stopping_in(SEALITE_PHASE_OPENING);
  sealite_rows *rows;
  bool sound = true;
  GIVES(SEALITE_INTERRUPTED, sealite_vault_verify_while(vault, hear, &heard, &sound, &rows, &error));
  CHECK(!sound && rows == NULL);
  heard = stopping_in(-1);
  OK(sealite_vault_verify_while(vault, hear, &heard, &sound, &rows, &error));
  CHECK(sound && heard.last[SEALITE_PHASE_OPENING] > PEOPLE);
  bool people = false, trail = false;
  for (size_t at = 0; at < rows_in(rows); at++) {
    if (holds(rows, at, "table", "people")) people = holds(rows, at, "check", "table") && cell(rows, at, "rows").integer == PEOPLE;
    else trail = trail || (holds(rows, at, "check", "internal") && cell(rows, at, "rows").integer > 0);
  }
  CHECK(people && trail);
  sealite_rows_free(rows);
  OK(sealite_vault_verify_while(vault, NULL, NULL, &sound, &rows, &error));
  sealite_rows_free(rows);

  sealite_audit *audit;
  sealite_bytes *checkpoint;
  OK(sealite_vault_audit(vault, &audit, &error));
  OK(sealite_audit_checkpoint(audit, &checkpoint, &error));
  heard = stopping_in(SEALITE_PHASE_AUDITING);
  GIVES(SEALITE_INTERRUPTED, sealite_audit_verify_while(audit, NULL, 0, hear, &heard, &sound, &rows, &error));
  CHECK(!sound && rows == NULL);
  heard = stopping_in(-1);
  OK(sealite_audit_verify_while(audit, sealite_bytes_data(checkpoint), sealite_bytes_length(checkpoint), hear, &heard, &sound, &rows, &error));
  CHECK(sound && rows_in(rows) == 0 && heard.last[SEALITE_PHASE_AUDITING] > 0);
  sealite_rows_free(rows);
  sealite_bytes_free(checkpoint);
  sealite_audit_free(audit);
}

static int64_t running(sealite_vault *vault) {
  sealite_rows *rows;
  int64_t found = 0;
  OK(sealite_rotation_status(vault, &rows, &error));
  for (size_t at = 0; at < rows_in(rows); at++) found += holds(rows, at, "state", "running");
  sealite_rows_free(rows);
  return found;
}

static void rotations(sealite_vault *vault, const sealite_unlock *unlock) {
  const int32_t data = SEALITE_ROTATION_DATA;
  struct heard heard = stopping_in(SEALITE_PHASE_ROTATING);
  sealite_rows *rows, *slots;
  GIVES(SEALITE_INVALID_INPUT, sealite_rotation_run_while(vault, 4, NULL, 0, hear, &heard, &rows, &error));
  GIVES(SEALITE_INTERRUPTED, sealite_rotation_run_while(vault, data, NULL, 0, hear, &heard, &rows, &error));
  CHECK(rows == NULL && running(vault) == 1 && strcmp(heard.what, "data") == 0);
  heard = stopping_in(-1);
  OK(sealite_rotation_run_while(vault, data, NULL, 0, hear, &heard, &rows, &error));
  CHECK(holds(rows, 0, "state", "finished") && heard.last[SEALITE_PHASE_ROTATING] > PEOPLE && running(vault) == 0);
  sealite_rows_free(rows);

  const sealite_unlock *keep[] = {unlock};
  heard = stopping_in(SEALITE_PHASE_ROTATING);
  GIVES(SEALITE_INTERRUPTED, sealite_rotation_run_all_while(vault, keep, 1, 0, hear, &heard, &slots, &rows, &error));
  CHECK(slots == NULL && rows == NULL && heard.calls[SEALITE_PHASE_ROTATING] == 1 && strcmp(heard.what, "audit") == 0);
  heard = stopping_in(-1);
  OK(sealite_rotation_run_all_while(vault, keep, 1, 0, hear, &heard, &slots, &rows, &error));
  CHECK(rows_in(slots) == 1 && rows_in(rows) >= 3 && running(vault) == 0);
  sealite_rows_free(slots);
  sealite_rows_free(rows);

  /* The last call is at the end of the last key: a no there stops nothing. */
  const unsigned calls = heard.calls[SEALITE_PHASE_ROTATING];
  heard = stopping_in(-1);
  heard.stop_at = calls;
  OK(sealite_rotation_run_all_while(vault, keep, 1, 0, hear, &heard, &slots, &rows, &error));
  CHECK(heard.calls[SEALITE_PHASE_ROTATING] == calls && rows_in(slots) == 1 && running(vault) == 0);
  sealite_rows_free(slots);
  sealite_rows_free(rows);
  heard = stopping_in(-1);
  heard.stop_at = calls - 1;
  GIVES(SEALITE_INTERRUPTED, sealite_rotation_run_all_while(vault, keep, 1, 0, hear, &heard, &slots, &rows, &error));
  CHECK(slots == NULL && rows == NULL);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char path[4096];
  CHECK(snprintf(path, sizeof path, "%s/progress.db", argv[1]) < (int)sizeof path);
  sealite_unlock *unlock = key_unlock();
  sealite_vault *vault;
  OK(sealite_vault_create(T(path), unlock, NULL, &vault, &error));
  define_people(vault);
  sealite_table *table = people(vault);
  for (int number = 0; number < PEOPLE; number++) {
    char email[64];
    CHECK(snprintf(email, sizeof email, "person%d@example.org", number) > 0);
    insert_person(table, email, "somebody");
  }
  sealite_table_free(table);
  backups(vault, argv[1], unlock);
  checks(vault);
  rotations(vault, unlock);
  sealite_vault_free(vault);
  sealite_unlock_free(unlock);
  return done();
}
