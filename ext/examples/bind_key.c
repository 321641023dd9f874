/* Usage: bind_key extension app.db, with the key's 64 hexadecimal digits on the standard input */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* What sealite_unlock(?) takes, bound as a pointer of the type "sealite_key": a key of 32 bytes. */
struct sealite_key {
    const unsigned char *bytes;
    size_t length;
};

static int failed(sqlite3 *db, const char *what) {
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    sqlite3_close_v2(db);
    return 1;
}

int main(int count, char **arguments) {
    unsigned char bytes[32] = {0};
    struct sealite_key key = {bytes, sizeof bytes};
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    if (count != 3) return 2;
    for (size_t at = 0; at < sizeof bytes; at++) {
        unsigned digits;
        if (scanf("%2x", &digits) != 1) return 2;
        bytes[at] = (unsigned char)digits;
    }
    if (sqlite3_open_v2(arguments[2], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) return failed(db, "open");
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
    if (sqlite3_load_extension(db, arguments[1], "sqlite3_sealiteext_init", NULL) != SQLITE_OK) return failed(db, "load");

    if (sqlite3_prepare_v2(db, "SELECT sealite_unlock(?1)", -1, &statement, NULL) != SQLITE_OK) return failed(db, "prepare");
    sqlite3_bind_pointer(statement, 1, &key, "sealite_key", NULL);
    int step = sqlite3_step(statement);
    explicit_bzero(bytes, sizeof bytes); /* the extension has a copy of its own */
    if (step != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return failed(db, "unlock");
    }
    sqlite3_finalize(statement);

    if (sqlite3_prepare_v2(db, "SELECT name FROM people WHERE email = 'ann@example.org'", -1, &statement, NULL) != SQLITE_OK)
        return failed(db, "select");
    while (sqlite3_step(statement) == SQLITE_ROW) puts((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
