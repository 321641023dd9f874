#ifndef SEALITE_H
#define SEALITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* Sealite: an embedded crypto storage engine. One SQLite file keeps an application's keys and personal data sealed.
 *
 * Conventions, of every function unless its own words say otherwise (docs/c-api.md has more):
 *
 * - It returns SEALITE_OK or why not. `error`, always the last parameter, may be NULL; else it gets NULL or, after a
 *   failure, an error object for the caller to free. What it held before is not freed.
 * - Handles (pointers to the types without a definition here) are checked: NULL, a handle that was freed, one of another
 *   kind and any other pointer are a status, never a crash. What a function makes, the caller frees with the function of
 *   that name; freeing twice does nothing. A handle may be freed in any order: what was made from it goes on.
 * - Texts are UTF-8, as a pointer and a length in bytes; SEALITE_NTS in the place of the length takes all up to the first
 *   NUL. NULL with length 0 or SEALITE_NTS is no text, where that may be. Arguments are copied or used up before the call
 *   returns: the library keeps no pointer of the caller's.
 * - Out-parameters are set to 0, false or NULL first. One that "may be NULL" can be left out.
 * - What arguments point to does not overlap the place of an out-parameter, nor do two such places overlap; no other
 *   thread writes to any of it during the call.
 * - Enumerations, and flags as 0 or 1, go in as int32_t and are checked, as are lengths beyond half the address space.
 * - Any function may be called from any thread, at the same time as others, unless its type says otherwise.
 */

/** The version of this header. */
#define SEALITE_VERSION "0.1.0"
#define SEALITE_VERSION_MAJOR 0
#define SEALITE_VERSION_MINOR 1
#define SEALITE_VERSION_PATCH 0
/** major * 1,000,000 + minor * 1,000 + patch; see sealite_version_number(). */
#define SEALITE_VERSION_NUMBER 1000

/** In the place of a length: the text ends with its first NUL. */
#define SEALITE_NTS SIZE_MAX


/**
 * What a call returns. The numbers are the engine's own (Rust and Python share them) and append-only: none is ever
 * renumbered or reused. A program must expect numbers that it does not know yet.
 */
enum sealite_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The call did what it says.
   */
  SEALITE_OK = 0,
  /**
   * The vault has not been initialised: no file, or a file without a master key.
   */
  SEALITE_NOT_INITIALISED = 1,
  /**
   * The vault exists already; creating it twice is refused.
   */
  SEALITE_ALREADY_INITIALISED = 2,
  /**
   * The vault is locked: no key is in memory.
   */
  SEALITE_LOCKED = 3,
  /**
   * No slot opens with this secret.
   */
  SEALITE_WRONG_KEY = 4,
  /**
   * A record, or the row that carries it, is not what was written: edited, moved, swapped or damaged.
   */
  SEALITE_AUTHENTICATION_FAILED = 5,
  /**
   * A record names a key that the vault does not have.
   */
  SEALITE_UNKNOWN_KEY = 6,
  /**
   * A record names a key that has been destroyed: its content is gone for good.
   */
  SEALITE_DESTROYED_KEY = 7,
  /**
   * A search on a sealed column that has no (finished) blind index.
   */
  SEALITE_NOT_INDEXED = 8,
  /**
   * A unique value or an id is taken already, or a constraint of the application's own SQL failed.
   */
  SEALITE_CONFLICT = 9,
  /**
   * Another process or thread holds the lock; nothing was done; try again.
   */
  SEALITE_BUSY = 10,
  /**
   * The file is damaged.
   */
  SEALITE_CORRUPT = 11,
  /**
   * A documented limit is exceeded; a length or count that no memory can have.
   */
  SEALITE_LIMIT = 12,
  /**
   * The vault or transaction has been closed or has ended; a handle that was freed, or that is none.
   */
  SEALITE_CLOSED = 13,
  /**
   * Another SQLite library in this process has the file open.
   */
  SEALITE_ANOTHER_LIBRARY = 14,
  /**
   * A key or passphrase that is empty, short, regular or well known.
   */
  SEALITE_WEAK_KEY = 15,
  /**
   * An argument is not acceptable: NULL where there has to be something, text that is not UTF-8, a number that
   * stands for no choice, a handle of another kind.
   */
  SEALITE_INVALID_INPUT = 16,
  /**
   * A value does not fit the declared type or NOT NULL.
   */
  SEALITE_TYPE_MISMATCH = 17,
  /**
   * No table, column, slot, setting or request of this name.
   */
  SEALITE_NOT_FOUND = 18,
  /**
   * The file is not a SQLite database, or belongs to another program.
   */
  SEALITE_NOT_A_VAULT = 19,
  /**
   * The file was written by a newer version of the format.
   */
  SEALITE_NEWER_FORMAT = 20,
  /**
   * The file, folder or handle cannot be written.
   */
  SEALITE_READ_ONLY = 21,
  /**
   * The disk or the page limit is full; the transaction left no trace.
   */
  SEALITE_FULL = 22,
  /**
   * The operating system refused to read or write.
   */
  SEALITE_IO = 23,
  /**
   * What was in use when the process forked is the parent's. The child may open the file anew.
   */
  SEALITE_FORKED = 24,
  /**
   * What is stored differs from what is declared: a weaker protection, another type, a missing column.
   */
  SEALITE_DEFINITION = 25,
  /**
   * Refused by policy, with the way out in the message.
   */
  SEALITE_REFUSED = 26,
  /**
   * Plain SQL, or a tenant's handle, may not do this.
   */
  SEALITE_NOT_ALLOWED = 27,
  /**
   * The application's own SQL is wrong.
   */
  SEALITE_SQL = 28,
  /**
   * The last slot cannot be removed.
   */
  SEALITE_LAST_SLOT = 29,
  /**
   * A fault in the engine itself, or a handle on which there was one: please report it.
   */
  SEALITE_INTERNAL = 30,
  /**
   * The approval has been decided, or its action executed, already.
   */
  SEALITE_ALREADY_DECIDED = 31,
  /**
   * It was valid up to a time that is past.
   */
  SEALITE_EXPIRED = 32,
  /**
   * The policy of the request, or the decision, does not allow it.
   */
  SEALITE_DENIED = 33,
  /**
   * The payload is not the one that was approved.
   */
  SEALITE_PAYLOAD_CHANGED = 34,
  /**
   * What was presented as a token does not hold.
   */
  SEALITE_TOKEN_REJECTED = 35,
  /**
   * The program has interrupted the call.
   */
  SEALITE_INTERRUPTED = 36,
  /**
   * The file is older than the checkpoint that was kept outside, or went on from an older one.
   */
  SEALITE_ROLLED_BACK = 37,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_status sealite_status;
#else
typedef int32_t sealite_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What long work is doing.
 */
enum sealite_phase
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Rows are sealed, in batches, beside the table, which others go on using.
   */
  SEALITE_PHASE_SEALING = 0,
  /**
   * Every row is opened and compared with what it was.
   */
  SEALITE_PHASE_VERIFYING = 1,
  /**
   * The file is written anew, so that nothing is left of what was in clear.
   */
  SEALITE_PHASE_ERASING = 2,
  /**
   * Pages of the file are copied.
   */
  SEALITE_PHASE_COPYING = 3,
  /**
   * Every row is opened.
   */
  SEALITE_PHASE_OPENING = 4,
  /**
   * The audit trail is walked, entry by entry.
   */
  SEALITE_PHASE_AUDITING = 5,
  /**
   * Records are sealed anew under a new key.
   */
  SEALITE_PHASE_ROTATING = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_phase sealite_phase;
#else
typedef int32_t sealite_phase;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a value is.
 */
enum sealite_type
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * No value. Distinct from an empty text and from a column that was not given.
   */
  SEALITE_NULL = 0,
  /**
   * A signed 64-bit integer, in `integer`.
   */
  SEALITE_INTEGER = 1,
  /**
   * An IEEE 754 double, in `real`; NaN is refused.
   */
  SEALITE_REAL = 2,
  /**
   * UTF-8 text, `length` bytes at `data`; NULs are allowed inside.
   */
  SEALITE_TEXT = 3,
  /**
   * Bytes, `length` of them at `data`.
   */
  SEALITE_BLOB = 4,
  /**
   * 0 or 1, in `integer`.
   */
  SEALITE_BOOLEAN = 5,
  /**
   * JSON text (RFC 8259), `length` bytes at `data`, kept byte for byte.
   */
  SEALITE_JSON = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_type sealite_type;
#else
typedef int32_t sealite_type;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The state of a vault.
 */
enum sealite_vault_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * There is no file.
   */
  SEALITE_VAULT_ABSENT = 0,
  /**
   * There is a file, and no vault in it yet.
   */
  SEALITE_VAULT_UNINITIALISED = 1,
  /**
   * There is a vault, and this handle holds no key.
   */
  SEALITE_VAULT_LOCKED = 2,
  /**
   * The keys are in memory.
   */
  SEALITE_VAULT_OPEN = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_vault_state sealite_vault_state;
#else
typedef int32_t sealite_vault_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * When a commit is on the disk.
 */
enum sealite_synchronous
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Before the call returns: a commit survives a power cut. The default.
   */
  SEALITE_SYNCHRONOUS_FULL = 0,
  /**
   * At the next checkpoint: a commit survives a crash of the process at once, and a power cut may take back the last
   * commits; the file stays whole.
   */
  SEALITE_SYNCHRONOUS_NORMAL = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_synchronous sealite_synchronous;
#else
typedef int32_t sealite_synchronous;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Which key a rotation replaces.
 */
enum sealite_rotation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The key that records are sealed under, and those of the subjects that own rows.
   */
  SEALITE_ROTATION_DATA = 0,
  /**
   * The key that the values of blind indexes are made with.
   */
  SEALITE_ROTATION_INDEX = 1,
  /**
   * The pepper of tokens.
   */
  SEALITE_ROTATION_TOKEN = 2,
  /**
   * The key of the audit trail. It is the vault's own, whichever tenant is named.
   */
  SEALITE_ROTATION_AUDIT = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_rotation sealite_rotation;
#else
typedef int32_t sealite_rotation;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What SQL does with sealed tables.
 */
enum sealite_sealed_sql
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * They are not there: SQL that is injected into the application reaches plain columns only.
   */
  SEALITE_SEALED_SQL_OFF = 0,
  /**
   * They are tables, and a statement that would open every record of one, since no key or index leads to the rows, fails
   * as SEALITE_NOT_INDEXED.
   */
  SEALITE_SEALED_SQL_INDEXED = 1,
  /**
   * They are tables. The default.
   */
  SEALITE_SEALED_SQL_FULL = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_sealed_sql sealite_sealed_sql;
#else
typedef int32_t sealite_sealed_sql;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the sealed values of a row are padded, so that their length does not show.
 */
enum sealite_padding
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Not at all: the length shows.
   */
  SEALITE_PADDING_NONE = 0,
  /**
   * To the next multiple of a number of bytes. The default, with 32 bytes.
   */
  SEALITE_PADDING_BLOCK = 1,
  /**
   * Padmé (Nikitin et al., PETS 2019): at most 12% longer, and only O(log log n) bits of the length show.
   */
  SEALITE_PADDING_PADME = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_padding sealite_padding;
#else
typedef int32_t sealite_padding;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a column is kept.
 */
enum sealite_protection
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * An ordinary SQL column, not protected.
   */
  SEALITE_PLAIN = 0,
  /**
   * Readable in the file, and bound to the row: an edit from outside is refused when the row is read.
   */
  SEALITE_AUTHENTICATED = 1,
  /**
   * Only inside the sealed record.
   */
  SEALITE_SEALED = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_protection sealite_protection;
#else
typedef int32_t sealite_protection;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What somebody decides.
 */
enum sealite_verdict
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The action may be executed, once.
   */
  SEALITE_APPROVE = 0,
  /**
   * It may not.
   */
  SEALITE_REJECT = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_verdict sealite_verdict;
#else
typedef int32_t sealite_verdict;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How settings are written out.
 */
enum sealite_format
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A `.env` file.
   */
  SEALITE_FORMAT_ENV = 0,
  /**
   * One JSON object of names and values.
   */
  SEALITE_FORMAT_JSON = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_format sealite_format;
#else
typedef int32_t sealite_format;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a token is for. A token is never accepted as one of another kind. Its name in rows is that of the choice, in small
 * letters.
 */
enum sealite_token_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Of an administrator. Does not expire by default.
   */
  SEALITE_TOKEN_ADMIN = 0,
  /**
   * Of a user, kept for long. Does not expire by default.
   */
  SEALITE_TOKEN_USER = 1,
  /**
   * Of a program, with scopes and perhaps limits of its own. Does not expire by default.
   */
  SEALITE_TOKEN_API_KEY = 2,
  /**
   * For emergencies: valid only while it is armed, once for each arming.
   */
  SEALITE_TOKEN_BREAK_GLASS = 3,
  /**
   * Logs in from an e-mail: once, for 15 minutes by default.
   */
  SEALITE_TOKEN_MAGIC_LINK = 4,
  /**
   * Resets a password: once, for an hour by default.
   */
  SEALITE_TOKEN_RESET = 5,
  /**
   * Invites: once, for 7 days by default.
   */
  SEALITE_TOKEN_INVITE = 6,
  /**
   * Of a session, or an access token: for 7 days by default.
   */
  SEALITE_TOKEN_SESSION = 7,
  /**
   * Gets new tokens, and is rotated when it does: for 30 days by default.
   */
  SEALITE_TOKEN_REFRESH = 8,
  /**
   * Digits that a person types: see sealite_tokens_issue_code().
   */
  SEALITE_TOKEN_SHORT_CODE = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sealite_token_kind sealite_token_kind;
#else
typedef int32_t sealite_token_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What becomes of an existing database: which columns of which tables are sealed, and how. Not for two threads at once
 * (SEALITE_BUSY).
 */
typedef struct sealite_adoption sealite_adoption;

/**
 * A request for approval. By default it expires after an hour, and anybody but the requester may decide it. Not for two
 * threads at once (SEALITE_BUSY).
 */
typedef struct sealite_approval_request sealite_approval_request;

/**
 * Requests for approval, of one vault or one tenant: decided once, executed once, whatever the number of processes. It may
 * be used from any thread.
 */
typedef struct sealite_approvals sealite_approvals;

/**
 * The audit trail of a vault. A tenant's handle appends entries of that tenant only, and reads only those. It may be used
 * from any thread.
 */
typedef struct sealite_audit sealite_audit;

/**
 * Bytes that the engine has made: a sealed value, a code, an export. They are followed by a NUL that does not count, so
 * that a text among them can be used as one of C's. Wiped by sealite_bytes_free().
 */
typedef struct sealite_bytes sealite_bytes;

/**
 * What sealite_settings_write() writes, all or nothing. Not for two threads at once (SEALITE_BUSY). Wiped by
 * sealite_changes_free().
 */
typedef struct sealite_changes sealite_changes;

/**
 * A short code to issue: by default of 6 digits, with 5 attempts, valid for 10 minutes, and in the place of those that
 * the subject still has. Not for two threads at once (SEALITE_BUSY).
 */
typedef struct sealite_code_request sealite_code_request;

/**
 * How a vault uses SQLite. What is not set keeps its default, which is the safe one.
 */
typedef struct sealite_config sealite_config;

/**
 * A long-lived connection for SQL, as `sqlite3` has it: outside of BEGIN and COMMIT each statement commits by itself. The
 * application's own tables and sealed ones alike are tables on it, unless sealite_config_set_sealed_sql() says otherwise.
 *
 * It may be used from any thread: calls take turns. It outlives a fork where it is outside of a transaction and none of
 * its statements stands on a row; else it stays the parent's, and the child gets SEALITE_FORKED. A vault in memory has
 * one SQLite connection: between BEGIN and COMMIT nothing else of the vault gets it.
 */
typedef struct sealite_connection sealite_connection;

/**
 * A place in a table that is being read. Memory is bounded by one batch. Not for two threads at once (SEALITE_BUSY); a
 * forked child gets SEALITE_FORKED.
 */
typedef struct sealite_cursor sealite_cursor;

/**
 * The declaration of a table. Not for two threads at once (SEALITE_BUSY).
 */
typedef struct sealite_definition sealite_definition;

/**
 * An entry to append to the audit trail. Never put a secret into one: the trail is meant to be exported. Not for two
 * threads at once (SEALITE_BUSY).
 */
typedef struct sealite_entry sealite_entry;

/**
 * What went wrong, beside the status: a short message that is safe to log. It names tables, columns and files, never a
 * value, a key or a secret. Free it with sealite_error_free().
 */
typedef struct sealite_error sealite_error;

/**
 * A kind of value, such as `users.email`, that is sealed one by one and kept elsewhere. What is sealed under one name,
 * tenant and record id opens only under the same. It may be used from any thread.
 */
typedef struct sealite_field sealite_field;

/**
 * Tokens that were made elsewhere, known by the SHA-256 of their texts: what sealite_tokens_import_legacy() takes. Not for
 * two threads at once (SEALITE_BUSY).
 */
typedef struct sealite_legacy_entries sealite_legacy_entries;

/**
 * The limits that a charge is held against, at most 8. Not for two threads at once (SEALITE_BUSY).
 */
typedef struct sealite_limits sealite_limits;

/**
 * Hashes and verifies users' passwords: Argon2id (RFC 9106), as PHC strings; bcrypt is verified and upgraded. Needs no
 * vault. It may be used from any thread. A call takes tenths of a second and the memory of its cost: limit the rate of
 * log-ins first, and call it outside of transactions.
 *
 * A password is taken as the bytes that it is, at most 4,096: never cut, trimmed or normalised. No copy of it is kept; the
 * caller wipes its own.
 */
typedef struct sealite_password_hasher sealite_password_hasher;

/**
 * Limits on how often something happens, of a vault or tenant: shared by all processes, kept over restarts. A charge is a
 * transaction of its own, and refused inside another one of the same thread. It may be used from any thread.
 */
typedef struct sealite_quotas sealite_quotas;

/**
 * Rows with named columns: those of a table, and the results of every call that tells more than a number. Which columns
 * there are is said where the rows come from; later versions may add some.
 *
 * It does not change, may be read from any thread, and needs neither the vault nor the transaction any more. Wiped by
 * sealite_rows_free().
 */
typedef struct sealite_rows sealite_rows;

/**
 * The declaration of a setting. Not for two threads at once (SEALITE_BUSY).
 */
typedef struct sealite_setting_definition sealite_setting_definition;

/**
 * The settings of a vault, or of one of its tenants. Every change writes its audit entry, without the value: `actor` says
 * who acts, `reason` (it may be NULL where nothing is revealed) why. It may be used from any thread.
 */
typedef struct sealite_settings sealite_settings;

/**
 * A view of the vault at one moment. It reads only, holds a connection until it is freed, and holds back the
 * write-ahead log while it lives: keep it short. Calls on it take turns; a forked child gets SEALITE_FORKED.
 */
typedef struct sealite_snapshot sealite_snapshot;

/**
 * A statement of a connection, a transaction or a snapshot, compiled once and run as often as wanted. Rows come one at a
 * time: memory is bounded whatever their number, but for RETURNING on a sealed table, whose rows are kept until they have
 * been stepped through.
 *
 * Not for two threads at once (SEALITE_BUSY). What a value of its row points to lives until the statement is next stepped,
 * reset, bound or freed. What it belongs to may be closed or ended before it: a step is SEALITE_CLOSED then, and it is
 * still to be freed.
 */
typedef struct sealite_stmt sealite_stmt;

/**
 * A sealed table, reached through a vault, a tenant, a transaction or a snapshot. On a vault or tenant each call is a
 * transaction of its own, and the handle may be used from any thread.
 */
typedef struct sealite_table sealite_table;

/**
 * One tenant of a vault. It can't reach what belongs to another, or to the vault itself. It may be used from any thread.
 */
typedef struct sealite_tenant sealite_tenant;

/**
 * A token to issue: sealite_tokens_issue(). What is not set has the default of the kind. A request may be used for any
 * number of tokens. Not for two threads at once (SEALITE_BUSY).
 */
typedef struct sealite_token_request sealite_token_request;

/**
 * Tokens, of a vault or tenant, each call a transaction of its own, or of a transaction. A tenant's reach only the tenant's
 * tokens, the vault's own only those without a tenant. It may be used from any thread.
 *
 * Whatever is presented, the answer to what does not hold is SEALITE_TOKEN_REJECTED; why, only the metrics and the audit
 * trail tell. SEALITE_DENIED is the answer to a token that holds and lacks a scope. To a web client: 401 and 403.
 */
typedef struct sealite_tokens sealite_tokens;

/**
 * A write transaction: what is done in it is committed together or not at all. Calls on it take turns; a forked child
 * gets SEALITE_FORKED.
 */
typedef struct sealite_transaction sealite_transaction;

/**
 * A secret that opens one kind of slot. A copy of what it was made from, wiped by sealite_unlock_free(): the caller
 * wipes its own.
 */
typedef struct sealite_unlock sealite_unlock;

/**
 * Column names and values, to insert or update a row with. Not for two threads at once (SEALITE_BUSY). Wiped by
 * sealite_values_free().
 */
typedef struct sealite_values sealite_values;

/**
 * A vault. It may be used from any thread, and by a forked child where it was idle at the fork. Its file must not be
 * opened by another SQLite library of the same process.
 */
typedef struct sealite_vault sealite_vault;

/**
 * Hears how far a call is, and says whether it goes on: `phase` is a sealite_phase; `what` (UTF-8, not ended by a NUL, for the
 * time of the call) names what it is at, a table or a key, or is empty; `done` of `total` rows, pages or entries are done, and
 * `total` is 0 where nobody knows it. `context` is what the call was given. 0 goes on; anything else ends the call as
 * SEALITE_INTERRUPTED.
 *
 * It is called on the thread of that call, often, and in the middle of transactions: it may not throw or jump out of it, and
 * what it writes to the vault or the database may be SEALITE_BUSY.
 */
typedef int32_t (*sealite_progress)(void *context,
                                    int32_t phase,
                                    const char *what,
                                    size_t what_length,
                                    uint64_t done,
                                    uint64_t total);

/**
 * A value, or the id of a row (an integer or a text). What `kind` does not use is ignored on the way in, and 0 or NULL
 * on the way out.
 *
 * On the way in `data` is borrowed for the call; on the way out it belongs to the object that the value was read from.
 */
typedef struct {
  /**
   * A sealite_type.
   */
  int32_t kind;
  /**
   * Of SEALITE_INTEGER and SEALITE_BOOLEAN.
   */
  int64_t integer;
  /**
   * Of SEALITE_REAL.
   */
  double real;
  /**
   * Of SEALITE_TEXT, SEALITE_BLOB and SEALITE_JSON. On the way out it is not ended by a NUL.
   */
  const void *data;
  /**
   * The bytes at `data`; on the way in SEALITE_NTS for a text that ends with its first NUL.
   */
  size_t length;
} sealite_value;

/**
 * A text in an array of texts.
 */
typedef struct {
  /**
   * UTF-8.
   */
  const char *data;
  /**
   * In bytes, or SEALITE_NTS.
   */
  size_t length;
} sealite_string;

/**
 * What became of a charge.
 */
typedef struct {
  /**
   * Whether the charge went through; of sealite_quotas_peek() and sealite_quotas_charge_failure(), whether a charge of
   * 1 would.
   */
  bool allowed;
  /**
   * What is left in the window that has least left.
   */
  uint32_t remaining;
  /**
   * Milliseconds until the same charge can go through, if nobody else charges; 0 where it is allowed. For HTTP's
   * `Retry-After` round up to seconds.
   */
  uint64_t retry_after_ms;
  /**
   * Milliseconds until nothing counts any more in the window of `limit`.
   */
  uint64_t reset_after_ms;
  /**
   * Which of the limits this is about, counted from 0.
   */
  size_t limit;
} sealite_decision;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The first of the bytes; NULL for NULL or what are no bytes. They live as long as the object.
 *
 * @param bytes  A handle; NULL is fine.
 * @note From any thread, also at once.
 */
const void *sealite_bytes_data(const sealite_bytes *bytes);

/**
 * How many bytes there are, without the NUL behind them; 0 for NULL or what are no bytes.
 *
 * @param bytes  A handle; NULL is fine.
 * @note From any thread, also at once.
 */
size_t sealite_bytes_length(const sealite_bytes *bytes);

/**
 * Overwrites the bytes with zeros and frees them. NULL is fine.
 *
 * @param bytes  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_bytes_free(sealite_bytes *bytes);

/**
 * The status that the failed call returned; SEALITE_INVALID_INPUT for NULL or what is no error.
 *
 * @param error  A handle; NULL is fine.
 * @note From any thread, also at once.
 */
sealite_status sealite_error_status(const sealite_error *error);

/**
 * The message, ended by a NUL, in UTF-8; an empty text for NULL or what is no error. It lives as long as the error
 * object.
 *
 * @param error  A handle; NULL is fine.
 * @note From any thread, also at once.
 */
const char *sealite_error_message(const sealite_error *error);

/**
 * SQLite's extended result code, where SQLite reported the error; else 0.
 *
 * @param error  A handle; NULL is fine.
 * @note From any thread, also at once.
 */
int32_t sealite_error_sqlite_code(const sealite_error *error);

/**
 * Frees the error. NULL is fine.
 *
 * @param error  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_error_free(sealite_error *error);

/**
 * The stable name of a status, in snake case, such as "not_found"; "ok" for SEALITE_OK, "unknown" for a number that
 * this version does not have. Static.
 *
 * @param status  An int32_t.
 * @note From any thread, also at once.
 */
const char *sealite_status_name(int32_t status);

/**
 * Makes the canonical form of JSON text (RFC 8785): one text for everything that means the same, to full depth; what to hash,
 * sign or compare. Free it with sealite_bytes_free().
 *
 * SEALITE_INVALID_INPUT for what is no JSON text, is more than 128 deep, or has no one meaning (RFC 7493): a name twice in an
 * object, or an integer that no double holds.
 *
 * @param json,json_length  UTF-8; not NULL.
 * @param[out] canonical  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_canonical_json(const char *json,
                                      size_t json_length,
                                      sealite_bytes **canonical,
                                      sealite_error **error);

/**
 * As sealite_vault_backup() of `vault` to the new file `to`, telling `progress` how far it is: SEALITE_PHASE_COPYING, and
 * unless `unchecked` is 1, SEALITE_PHASE_OPENING and SEALITE_PHASE_AUDITING. `progress` may be NULL; it runs on this
 * thread and is handed `context`. `unchecked` is 0 or 1. `rows`, free it with sealite_rows_free(), may be NULL.
 *
 * SEALITE_INTERRUPTED where `progress` has stopped it: there is no copy then. Otherwise as of sealite_vault_backup().
 *
 * @param vault  A handle; not NULL.
 * @param to,to_length  UTF-8; not NULL.
 * @param unchecked  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @param progress  A function; may be NULL.
 * @param context  Handed to the function; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_backup_while(sealite_vault *vault,
                                          const char *to,
                                          size_t to_length,
                                          int32_t unchecked,
                                          sealite_progress progress,
                                          void *context,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * As sealite_restore() of `backup` to the new file `to`, with `unlock` and `checkpoint` (it may be NULL) as there, telling
 * `progress` how far it is: SEALITE_PHASE_COPYING, SEALITE_PHASE_OPENING and SEALITE_PHASE_AUDITING. `progress` may be
 * NULL; it runs on this thread and is handed `context`. `drill` is 0 or 1. `rows`, free it with sealite_rows_free(), may
 * be NULL.
 *
 * SEALITE_INTERRUPTED where `progress` has stopped it: there is no new file then. Otherwise as of sealite_restore().
 *
 * @param backup,backup_length  UTF-8; not NULL.
 * @param to,to_length  UTF-8; not NULL.
 * @param unlock  A handle; not NULL.
 * @param checkpoint,checkpoint_length  UTF-8; may be NULL.
 * @param drill  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @param progress  A function; may be NULL.
 * @param context  Handed to the function; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_restore_while(const char *backup,
                                     size_t backup_length,
                                     const char *to,
                                     size_t to_length,
                                     const sealite_unlock *unlock,
                                     const char *checkpoint,
                                     size_t checkpoint_length,
                                     int32_t drill,
                                     sealite_progress progress,
                                     void *context,
                                     sealite_rows **rows,
                                     sealite_error **error);

/**
 * As sealite_vault_verify() of `vault`, telling `progress` how many rows it has opened: SEALITE_PHASE_OPENING. `progress`
 * may be NULL; it runs on this thread and is handed `context`. `sound` and `rows` as there.
 *
 * SEALITE_INTERRUPTED where `progress` has stopped it. Otherwise as of sealite_vault_verify().
 *
 * @param vault  A handle; not NULL.
 * @param progress  A function; may be NULL.
 * @param context  Handed to the function; may be NULL.
 * @param[out] sound  The caller's own; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_verify_while(sealite_vault *vault,
                                          sealite_progress progress,
                                          void *context,
                                          bool *sound,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * As sealite_audit_verify() of `audit`, telling `progress` how many entries it has walked: SEALITE_PHASE_AUDITING.
 * `progress` may be NULL; it runs on this thread and is handed `context`. `checkpoint` (it may be NULL), `sound` and
 * `rows` as there.
 *
 * SEALITE_INTERRUPTED where `progress` has stopped it. Otherwise as of sealite_audit_verify().
 *
 * @param audit  A handle; not NULL.
 * @param checkpoint,checkpoint_length  UTF-8; may be NULL.
 * @param progress  A function; may be NULL.
 * @param context  Handed to the function; may be NULL.
 * @param[out] sound  The caller's own; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_verify_while(sealite_audit *audit,
                                          const char *checkpoint,
                                          size_t checkpoint_length,
                                          sealite_progress progress,
                                          void *context,
                                          bool *sound,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * As sealite_rotation_run() of `vault`, telling `progress` how far it is before the first step and after every one:
 * SEALITE_PHASE_ROTATING, with the kind of key ("data", "index", "token" or "audit"). `progress` may be NULL; it runs on this thread and is handed
 * `context`. `kind`, `tenant` and `rows` as there.
 *
 * SEALITE_INTERRUPTED where `progress` has stopped a rotation that is not at its end: what is done stays, and the same
 * call goes on. Otherwise as of sealite_rotation_run().
 *
 * @param vault  A handle; not NULL.
 * @param kind  A sealite_rotation; any other number is SEALITE_INVALID_INPUT.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param progress  A function; may be NULL.
 * @param context  Handed to the function; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rotation_run_while(sealite_vault *vault,
                                          int32_t kind,
                                          const char *tenant,
                                          size_t tenant_length,
                                          sealite_progress progress,
                                          void *context,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * As sealite_rotation_run_all() of `vault`, telling `progress` how far each key is, as of sealite_rotation_run_while().
 * `progress` may be NULL; it runs on this thread and is handed `context`. `keep` of `keep_count` handles, `drop_others`,
 * `slots` and `rows` as there.
 *
 * SEALITE_INTERRUPTED where `progress` has stopped it before all was done: the master key has changed then, sealite_rotation_status() says how
 * the others stand, and sealite_rotation_run() goes on with one that is running. Otherwise as of
 * sealite_rotation_run_all().
 *
 * @param vault  A handle; not NULL.
 * @param keep,keep_count  An array of handles; none may be NULL.
 * @param drop_others  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @param progress  A function; may be NULL.
 * @param context  Handed to the function; may be NULL.
 * @param[out] slots  To be freed with sealite_rows_free(); may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rotation_run_all_while(sealite_vault *vault,
                                              const sealite_unlock *const *keep,
                                              size_t keep_count,
                                              int32_t drop_others,
                                              sealite_progress progress,
                                              void *context,
                                              sealite_rows **slots,
                                              sealite_rows **rows,
                                              sealite_error **error);

/**
 * Writes how many rows there are to `count`.
 *
 * @param rows  A handle; not NULL.
 * @param[out] count  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rows_count(const sealite_rows *rows, size_t *count, sealite_error **error);

/**
 * Writes how many columns each row has to `count`: 0 where there is no row of a table. Of a table's rows the first
 * column is the primary key.
 *
 * @param rows  A handle; not NULL.
 * @param[out] count  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rows_columns(const sealite_rows *rows,
                                    size_t *count,
                                    sealite_error **error);

/**
 * Writes the name of the column at `position`, counted from 0. It is not ended by a NUL, and lives as long as the rows.
 *
 * SEALITE_NOT_FOUND where there is no such column.
 *
 * @param rows  A handle; not NULL.
 * @param position  A size_t.
 * @param[out] name  The library's own, not to be freed; not NULL.
 * @param[out] name_length  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rows_column_name(const sealite_rows *rows,
                                        size_t position,
                                        const char **name,
                                        size_t *name_length,
                                        sealite_error **error);

/**
 * Writes the value of the named column in the row at `index`, counted from 0, to `value`. What it points to lives as
 * long as the rows.
 *
 * SEALITE_NOT_FOUND where there is no such row or column.
 *
 * @param rows  A handle; not NULL.
 * @param index  A size_t.
 * @param column,column_length  UTF-8; not NULL.
 * @param[out] value  What it points to is not the caller's; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rows_value(const sealite_rows *rows,
                                  size_t index,
                                  const char *column,
                                  size_t column_length,
                                  sealite_value *value,
                                  sealite_error **error);

/**
 * As sealite_rows_value(), by the position of the column.
 *
 * @param rows  A handle; not NULL.
 * @param index  A size_t.
 * @param position  A size_t.
 * @param[out] value  What it points to is not the caller's; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rows_value_at(const sealite_rows *rows,
                                     size_t index,
                                     size_t position,
                                     sealite_value *value,
                                     sealite_error **error);

/**
 * Writes the first `count` values of the row at `index` to the array `values`, in the order of the columns: one call in
 * the place of one for each. What they point to lives as long as the rows.
 *
 * SEALITE_NOT_FOUND where there is no such row, or it has fewer columns.
 *
 * @param rows  A handle; not NULL.
 * @param index  A size_t.
 * @param[out] values,count  An array of the caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rows_read(const sealite_rows *rows,
                                 size_t index,
                                 sealite_value *values,
                                 size_t count,
                                 sealite_error **error);

/**
 * Wipes and frees the rows; pointers read from them are void from then on. NULL is fine.
 *
 * @param rows  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_rows_free(sealite_rows *rows);

/**
 * Makes an empty row builder. Free it with sealite_values_free().
 *
 * @param[out] values  To be freed with sealite_values_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_values_create(sealite_values **values, sealite_error **error);

/**
 * Sets the value of a column, in place of one that was set before. Name and value are copied.
 *
 * @param values  A handle; not NULL.
 * @param column,column_length  UTF-8; not NULL.
 * @param value  A value; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `values` are SEALITE_BUSY.
 */
sealite_status sealite_values_set(sealite_values *values,
                                  const char *column,
                                  size_t column_length,
                                  const sealite_value *value,
                                  sealite_error **error);

/**
 * Wipes what was set, for the next row.
 *
 * @param values  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `values` are SEALITE_BUSY.
 */
sealite_status sealite_values_clear(sealite_values *values, sealite_error **error);

/**
 * Wipes and frees the builder. NULL is fine.
 *
 * @param values  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_values_free(sealite_values *values);

/**
 * The version of the library that is linked, such as "0.1.0". Static. SEALITE_VERSION is the header's.
 */
const char *sealite_version(void);

/**
 * The version of the library that is linked as a number: major * 1,000,000 + minor * 1,000 + patch. At least as great as
 * SEALITE_VERSION_NUMBER where everything that the header names is there.
 */
uint32_t sealite_version_number(void);

/**
 * How many handles of this process have not been freed: for tests that look for leaks.
 */
size_t sealite_handles_live(void);

/**
 * Makes a configuration of defaults. Free it with sealite_config_free(); the vault keeps a copy.
 *
 * @param[out] config  To be freed with sealite_config_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_config_create(sealite_config **config, sealite_error **error);

/**
 * Sets how long a call waits for a lock that another thread or process holds before it fails with SEALITE_BUSY, in
 * milliseconds. Default: 5,000.
 *
 * @param config  A handle; not NULL.
 * @param milliseconds  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `config` are SEALITE_BUSY.
 */
sealite_status sealite_config_set_busy_timeout(sealite_config *config,
                                               uint64_t milliseconds,
                                               sealite_error **error);

/**
 * Sets whether a commit waits for the disk: a sealite_synchronous.
 *
 * @param config  A handle; not NULL.
 * @param synchronous  A sealite_synchronous; any other number is SEALITE_INVALID_INPUT.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `config` are SEALITE_BUSY.
 */
sealite_status sealite_config_set_synchronous(sealite_config *config,
                                              int32_t synchronous,
                                              sealite_error **error);

/**
 * Sets whether a vault may be added to a SQLite database that has tables already: 1 for yes. Default: 0.
 *
 * @param config  A handle; not NULL.
 * @param allowed  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `config` are SEALITE_BUSY.
 */
sealite_status sealite_config_set_existing_database(sealite_config *config,
                                                    int32_t allowed,
                                                    sealite_error **error);

/**
 * Sets how many bytes have to be free on the disk for sealite_vault_health() to be content. Default: 64 MiB, or the size
 * of the file where that is more.
 *
 * @param config  A handle; not NULL.
 * @param bytes  A uint64_t, in bytes.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `config` are SEALITE_BUSY.
 */
sealite_status sealite_config_set_disk_reserve(sealite_config *config,
                                               uint64_t bytes,
                                               sealite_error **error);

/**
 * Sets what SQL does with sealed tables: a sealite_sealed_sql.
 *
 * @param config  A handle; not NULL.
 * @param sealed_sql  A sealite_sealed_sql; any other number is SEALITE_INVALID_INPUT.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `config` are SEALITE_BUSY.
 */
sealite_status sealite_config_set_sealed_sql(sealite_config *config,
                                             int32_t sealed_sql,
                                             sealite_error **error);

/**
 * Sets whether an SQL statement may write into a plain table what it reads from sealed columns (`CREATE TABLE … AS
 * SELECT`, `INSERT … SELECT`, `UPDATE … FROM`): 1 for yes. Default: 0.
 *
 * @param config  A handle; not NULL.
 * @param allowed  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `config` are SEALITE_BUSY.
 */
sealite_status sealite_config_set_sealed_to_plain(sealite_config *config,
                                                  int32_t allowed,
                                                  sealite_error **error);

/**
 * Sets the text of an audit checkpoint that was kept outside: sealite_audit_checkpoint(). A file that does not contain it,
 * since an older one was put back, is refused as SEALITE_ROLLED_BACK when it is unlocked. NULL for none, the default.
 *
 * @param config  A handle; not NULL.
 * @param checkpoint,checkpoint_length  UTF-8; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `config` are SEALITE_BUSY.
 */
sealite_status sealite_config_set_checkpoint(sealite_config *config,
                                             const char *checkpoint,
                                             size_t checkpoint_length,
                                             sealite_error **error);

/**
 * Sets how many unwrapped keys are kept in memory, at most, and for how many milliseconds. Default: 4,096 keys for
 * 900,000, which is 15 minutes. Others are unwrapped when they are needed, which costs some microseconds.
 *
 * @param config  A handle; not NULL.
 * @param keys  A size_t.
 * @param milliseconds  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `config` are SEALITE_BUSY.
 */
sealite_status sealite_config_set_key_cache(sealite_config *config,
                                            size_t keys,
                                            uint64_t milliseconds,
                                            sealite_error **error);

/**
 * Frees the configuration. NULL is fine.
 *
 * @param config  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_config_free(sealite_config *config);

/**
 * Copies the vault as it is at this moment, while others read and write, into a new file with mode 0600. Unless `unchecked`
 * is 1, every record of the copy is opened, SQLite's own check is run and the audit trail walked before the copy gets its
 * name. Memory is bounded by some 8 MiB. A crash leaves at most a file `NAME.….partial`. `rows` may be NULL; one row:
 * `bytes`, and where it was checked `rows` (that were opened) and `audit_entries`.
 *
 * SEALITE_REFUSED where a file has the name already; SEALITE_AUTHENTICATION_FAILED or SEALITE_CORRUPT where the copy, and so
 * the vault, is not sound; SEALITE_FULL, SEALITE_IO, SEALITE_READ_ONLY. There is no copy then. SEALITE_LIMIT where there
 * are too many handles for `rows`: the copy is there.
 *
 * @param vault  A handle; not NULL.
 * @param to,to_length  UTF-8; not NULL.
 * @param unchecked  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_backup(sealite_vault *vault,
                                    const char *to,
                                    size_t to_length,
                                    int32_t unchecked,
                                    sealite_rows **rows,
                                    sealite_error **error);

/**
 * Copies a backup to a new file with mode 0600, which gets its name once every record of it has opened, SQLite's own check
 * has passed and its whole audit trail has been walked. `unlock` is of a slot that the backup has. `checkpoint` is the text of
 * a checkpoint kept outside, or NULL: with one, a backup that does not reach as far is refused; without one, an old backup is
 * not recognised as old. Where `drill` is 1, all of it is done and nothing kept; `to` may be taken then. `rows` as of
 * sealite_vault_backup().
 *
 * SEALITE_WRONG_KEY where no slot of the backup opens; SEALITE_REFUSED where a file has the name already, and where the backup
 * is older than the checkpoint; SEALITE_AUTHENTICATION_FAILED or SEALITE_CORRUPT where it is not sound. There is no new file
 * then. SEALITE_LIMIT where there are too many handles for `rows`: it is there, unless this was a drill.
 *
 * @param backup,backup_length  UTF-8; not NULL.
 * @param to,to_length  UTF-8; not NULL.
 * @param unlock  A handle; not NULL.
 * @param checkpoint,checkpoint_length  UTF-8; may be NULL.
 * @param drill  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_restore(const char *backup,
                               size_t backup_length,
                               const char *to,
                               size_t to_length,
                               const sealite_unlock *unlock,
                               const char *checkpoint,
                               size_t checkpoint_length,
                               int32_t drill,
                               sealite_rows **rows,
                               sealite_error **error);

/**
 * Writes the file anew without its free pages, and empties its log: what deleted rows have left is overwritten, and space
 * given back. Others wait meanwhile. Memory is bounded; the disk needs room for the file twice more. Writes the bytes on the
 * disk before and after, and true to `erasure_pending` where another process has held it back: see
 * sealite_vault_finish_erasure(). Each may be NULL.
 *
 * @param vault  A handle; not NULL.
 * @param[out] before  The caller's own; may be NULL.
 * @param[out] after  The caller's own; may be NULL.
 * @param[out] erasure_pending  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_compact(sealite_vault *vault,
                                     uint64_t *before,
                                     uint64_t *after,
                                     bool *erasure_pending,
                                     sealite_error **error);

/**
 * Lists all keys that there are and were, in the order of their ids, without any secret. Every row of the table of keys is
 * authenticated, and that none is missing or was put back. Rows: `id`, `purpose` ("data", "index", "audit", "token" or
 * "lookup"), `tenant`, `subject` (NULL for the vault itself, or the tenant as a whole), `generation`, `state` ("active",
 * "retired" or "destroyed"), `created_at`, `changed_at` (seconds since 1970).
 *
 * SEALITE_AUTHENTICATION_FAILED where a row was edited, taken away or put back as it once was.
 *
 * @param vault  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_keys_list(sealite_vault *vault,
                                 sealite_rows **rows,
                                 sealite_error **error);

/**
 * Makes a new master key, and wraps every key, and every slot that one of the secrets opens, under it, in one transaction.
 * Slots that none opens are refused, or dropped where `drop_others` is 1. Other handles go on by the slot that they were
 * unlocked with, or become locked where that was dropped. No row of a table is written: data that was readable with keys
 * that somebody has taken stays readable to them until the data keys are changed too. Audited.
 *
 * `keep` holds `keep_count` secrets, which are not taken over. Rows: `slot` (its id), `kept`. `rows` may be NULL.
 *
 * SEALITE_WRONG_KEY where a secret opens no slot; SEALITE_REFUSED where a slot is opened by none and `drop_others` is 0;
 * SEALITE_LAST_SLOT without any secret; SEALITE_AUTHENTICATION_FAILED where a key is not what was written. Nothing has
 * changed then.
 *
 * @param vault  A handle; not NULL.
 * @param keep,keep_count  An array of handles; none may be NULL.
 * @param drop_others  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_keys_rotate_master(sealite_vault *vault,
                                          const sealite_unlock *const *keep,
                                          size_t keep_count,
                                          int32_t drop_others,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * Lists the ways to unlock, in the order of their ids. Needs no key. Rows: `id`, `kind` ("key", "passphrase" or
 * "recovery"), `label`, `created_at` (seconds since 1970).
 *
 * SEALITE_NOT_INITIALISED without a vault; SEALITE_CORRUPT where a slot is damaged.
 *
 * @param vault  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_slots(sealite_vault *vault,
                                   sealite_rows **rows,
                                   sealite_error **error);

/**
 * Adds a way to unlock, and writes its id. `id` may be NULL.
 *
 * SEALITE_LOCKED while there is no key in memory; SEALITE_INVALID_INPUT for a label that is too long; SEALITE_BUSY
 * where another writes.
 *
 * @param vault  A handle; not NULL.
 * @param label,label_length  UTF-8; not NULL.
 * @param unlock  A handle; not NULL.
 * @param[out] id  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_add_slot(sealite_vault *vault,
                                      const char *label,
                                      size_t label_length,
                                      const sealite_unlock *unlock,
                                      int64_t *id,
                                      sealite_error **error);

/**
 * Adds a recovery code, writes the slot's id, and reveals the code, which is kept nowhere: print it and lock it away.
 * `id` may be NULL. Free the code with sealite_bytes_free().
 *
 * @param vault  A handle; not NULL.
 * @param label,label_length  UTF-8; not NULL.
 * @param[out] id  The caller's own; may be NULL.
 * @param[out] code  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_add_recovery_slot_reveal(sealite_vault *vault,
                                                      const char *label,
                                                      size_t label_length,
                                                      int64_t *id,
                                                      sealite_bytes **code,
                                                      sealite_error **error);

/**
 * As sealite_vault_add_recovery_slot_reveal(), and reveals a page to be printed, in plain text of at most 70 columns: which
 * vault the code opens, the code on a line of its own, and what to do with it. Free the sheet with sealite_bytes_free().
 *
 * @param vault  A handle; not NULL.
 * @param label,label_length  UTF-8; not NULL.
 * @param[out] id  The caller's own; may be NULL.
 * @param[out] sheet  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_add_recovery_sheet_reveal(sealite_vault *vault,
                                                       const char *label,
                                                       size_t label_length,
                                                       int64_t *id,
                                                       sealite_bytes **sheet,
                                                       sealite_error **error);

/**
 * Removes a way to unlock. Whoever has had the secret may have kept the master key, or an old copy of the file: this
 * takes back neither.
 *
 * SEALITE_LAST_SLOT for the last one.
 *
 * @param vault  A handle; not NULL.
 * @param id  An int64_t.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_remove_slot(sealite_vault *vault,
                                         int64_t id,
                                         sealite_error **error);

/**
 * Takes a 32-byte key, as bytes.
 *
 * SEALITE_WEAK_KEY for another length, and for a key that is all one byte, counts up or repeats.
 *
 * @param key,key_length  Bytes; NULL where there are none.
 * @param[out] unlock  To be freed with sealite_unlock_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_unlock_key(const void *key,
                                  size_t key_length,
                                  sealite_unlock **unlock,
                                  sealite_error **error);

/**
 * Takes a 32-byte key, as 64 hexadecimal digits, or in base64 or base64url.
 *
 * SEALITE_INVALID_INPUT for what is no such text; SEALITE_WEAK_KEY as of sealite_unlock_key().
 *
 * @param key,key_length  UTF-8; not NULL.
 * @param[out] unlock  To be freed with sealite_unlock_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_unlock_key_text(const char *key,
                                       size_t key_length,
                                       sealite_unlock **unlock,
                                       sealite_error **error);

/**
 * Takes a key by reference: `env:VARIABLE`, `file:/path` (mode 0600 or stricter), `credential:name` (systemd) or
 * `docker:name`. A key itself is refused, so that none ends up in a configuration file.
 *
 * SEALITE_NOT_FOUND where there is no such variable, file or credential; SEALITE_INVALID_INPUT for what is no
 * reference; SEALITE_WEAK_KEY as of sealite_unlock_key().
 *
 * @param reference,reference_length  UTF-8; not NULL.
 * @param[out] unlock  To be freed with sealite_unlock_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_unlock_reference(const char *reference,
                                        size_t reference_length,
                                        sealite_unlock **unlock,
                                        sealite_error **error);

/**
 * Takes a passphrase of at least 12 characters. It is stretched with Argon2id (RFC 9106) when it is used.
 *
 * `memory_kib` (19,456 to 1,048,576), `passes` (2 to 16) and `lanes` (1 to 16) are the cost of a slot that is made with
 * it; all 0 for the default: 65,536, 3 and 4. A slot that is there keeps its own.
 *
 * SEALITE_WEAK_KEY for a passphrase that is short, regular or well known; SEALITE_LIMIT for a cost out of range.
 *
 * @param passphrase,passphrase_length  UTF-8; not NULL.
 * @param memory_kib  A uint32_t, in KiB.
 * @param passes  A uint32_t.
 * @param lanes  A uint32_t.
 * @param[out] unlock  To be freed with sealite_unlock_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_unlock_passphrase(const char *passphrase,
                                         size_t passphrase_length,
                                         uint32_t memory_kib,
                                         uint32_t passes,
                                         uint32_t lanes,
                                         sealite_unlock **unlock,
                                         sealite_error **error);

/**
 * Takes a recovery code, as it was shown once. Case, hyphens and spaces do not matter.
 *
 * SEALITE_INVALID_INPUT for what is no recovery code.
 *
 * @param code,code_length  UTF-8; not NULL.
 * @param[out] unlock  To be freed with sealite_unlock_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_unlock_recovery_code(const char *code,
                                            size_t code_length,
                                            sealite_unlock **unlock,
                                            sealite_error **error);

/**
 * Writes to `kind` which kind of slot `unlock` opens, as a text that is ended by a NUL and lives as long as the library:
 * "key", "passphrase" or "recovery", as sealite_vault_slots() has it.
 *
 * SEALITE_CLOSED for a handle that was freed.
 *
 * @param unlock  A handle; not NULL.
 * @param[out] kind  The library's own, not to be freed; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_unlock_kind(const sealite_unlock *unlock,
                                   const char **kind,
                                   sealite_error **error);

/**
 * Writes the least cost that sealite_unlock_passphrase() and sealite_password_hasher_create() accept, OWASP's minimum, for
 * tests and small machines, to `memory_kib`, `passes` and `lanes`. Each may be NULL.
 *
 * SEALITE_INVALID_INPUT for a place that is not aligned.
 *
 * @param[out] memory_kib  The caller's own; may be NULL.
 * @param[out] passes  The caller's own; may be NULL.
 * @param[out] lanes  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_passphrase_cost_floor(uint32_t *memory_kib,
                                             uint32_t *passes,
                                             uint32_t *lanes,
                                             sealite_error **error);

/**
 * Wipes and frees the secret. NULL is fine.
 *
 * @param unlock  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_unlock_free(sealite_unlock *unlock);

/**
 * Makes a random 32-byte key and reveals it, as 64 hexadecimal digits, for sealite_unlock_key_text(). The engine never
 * makes a key by itself: this is for a program that sets a vault up. Free it with sealite_bytes_free().
 *
 * @param[out] key  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_key_reveal_new(sealite_bytes **key,
                                      sealite_error **error);

/**
 * Makes a handle to the file in whatever state it is; nothing is created or unlocked. `config` may be NULL. Free it with
 * sealite_vault_free().
 *
 * SEALITE_ANOTHER_LIBRARY where other code of this process has the file open.
 *
 * @param path,path_length  UTF-8; not NULL.
 * @param config  A handle, or NULL for the defaults.
 * @param[out] vault  To be freed with sealite_vault_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_at(const char *path,
                                size_t path_length,
                                const sealite_config *config,
                                sealite_vault **vault,
                                sealite_error **error);

/**
 * Creates a vault with its first slot, exactly once: of several processes that try, one succeeds. `config` may be NULL.
 *
 * SEALITE_ALREADY_INITIALISED where there is one.
 *
 * @param path,path_length  UTF-8; not NULL.
 * @param unlock  A handle; not NULL.
 * @param config  A handle, or NULL for the defaults.
 * @param[out] vault  To be freed with sealite_vault_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_create(const char *path,
                                    size_t path_length,
                                    const sealite_unlock *unlock,
                                    const sealite_config *config,
                                    sealite_vault **vault,
                                    sealite_error **error);

/**
 * Opens an existing vault. `config` may be NULL.
 *
 * SEALITE_NOT_INITIALISED where there is none, SEALITE_WRONG_KEY where no slot opens, SEALITE_NOT_A_VAULT,
 * SEALITE_NEWER_FORMAT.
 *
 * @param path,path_length  UTF-8; not NULL.
 * @param unlock  A handle; not NULL.
 * @param config  A handle, or NULL for the defaults.
 * @param[out] vault  To be freed with sealite_vault_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_open(const char *path,
                                  size_t path_length,
                                  const sealite_unlock *unlock,
                                  const sealite_config *config,
                                  sealite_vault **vault,
                                  sealite_error **error);

/**
 * Makes a vault in memory, for tests and examples. Its key is random and never leaves the process. It has one
 * connection, so a transaction or snapshot excludes every other call meanwhile.
 *
 * @param[out] vault  To be freed with sealite_vault_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_in_memory(sealite_vault **vault,
                                       sealite_error **error);

/**
 * Writes the state, a sealite_vault_state, to `state`.
 *
 * SEALITE_NOT_A_VAULT and SEALITE_CORRUPT where the file is another program's, or damaged.
 *
 * @param vault  A handle; not NULL.
 * @param[out] state  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_status(sealite_vault *vault, int32_t *state, sealite_error **error);

/**
 * Creates the vault in the file with its first slot, and opens it. See sealite_vault_create().
 *
 * @param vault  A handle; not NULL.
 * @param unlock  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_initialise(sealite_vault *vault,
                                        const sealite_unlock *unlock,
                                        sealite_error **error);

/**
 * Takes the keys into memory, with the secret of any slot.
 *
 * SEALITE_WRONG_KEY where no slot opens with it; SEALITE_NOT_INITIALISED without a vault; SEALITE_ROLLED_BACK where
 * the file is older than the checkpoint of its configuration.
 *
 * @param vault  A handle; not NULL.
 * @param unlock  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_unlock(sealite_vault *vault,
                                    const sealite_unlock *unlock,
                                    sealite_error **error);

/**
 * Wipes the keys from memory. Calls fail with SEALITE_LOCKED from then on; transactions and snapshots that are open go
 * on to their end.
 *
 * @param vault  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_lock(sealite_vault *vault,
                                  sealite_error **error);

/**
 * Wipes the keys and closes every connection: calls on this handle, and on those made from it, fail with SEALITE_CLOSED
 * from then on. The handle is still to be freed.
 *
 * @param vault  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_close(sealite_vault *vault,
                                   sealite_error **error);

/**
 * Frees the handle. The vault closes when the last handle that was made from it is freed as well. NULL is fine.
 *
 * @param vault  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_vault_free(sealite_vault *vault);

/**
 * Writes true to `holds` where a vault of this process has the file open: another SQLite library must not open it then.
 *
 * @param path,path_length  UTF-8; not NULL.
 * @param[out] holds  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_holds_file(const char *path,
                                        size_t path_length,
                                        bool *holds,
                                        sealite_error **error);

/**
 * Writes the path of the file of `vault`, as sealite_vault_at() got it, to `path`: NULL for a vault in memory. Free it
 * with sealite_bytes_free().
 *
 * SEALITE_CLOSED for a handle that was freed.
 *
 * @param vault  A handle; not NULL.
 * @param[out] path  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_path(sealite_vault *vault,
                                  sealite_bytes **path,
                                  sealite_error **error);

/**
 * Makes a handle that reaches one tenant's rows, fields, settings, tokens, audit entries, quotas and approvals, and
 * nothing else. Free it with sealite_tenant_free().
 *
 * @param vault  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] tenant  To be freed with sealite_tenant_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_tenant(sealite_vault *vault,
                                    const char *name,
                                    size_t name_length,
                                    sealite_tenant **tenant,
                                    sealite_error **error);

/**
 * Makes a handle to a table. Each call on it is a transaction of its own, and it may be used from any thread. Free it
 * with sealite_table_free().
 *
 * SEALITE_NOT_FOUND where there is no such table.
 *
 * @param vault  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] table  To be freed with sealite_table_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_table(sealite_vault *vault,
                                   const char *name,
                                   size_t name_length,
                                   sealite_table **table,
                                   sealite_error **error);

/**
 * Begins a transaction. Only one writes at a time; another waits for the busy time-out. End it with
 * sealite_transaction_commit() or sealite_transaction_roll_back(), and free it with sealite_transaction_free().
 *
 * @param vault  A handle; not NULL.
 * @param[out] transaction  To be freed with sealite_transaction_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_begin(sealite_vault *vault,
                                   sealite_transaction **transaction,
                                   sealite_error **error);

/**
 * Takes a view of the vault at this moment, for reads that must agree with each other. Reads are cheaper in it, too.
 * Free it with sealite_snapshot_free().
 *
 * @param vault  A handle; not NULL.
 * @param[out] snapshot  To be freed with sealite_snapshot_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_snapshot(sealite_vault *vault,
                                      sealite_snapshot **snapshot,
                                      sealite_error **error);

/**
 * Before a fork, for a program whose other threads can't go on once the forking thread is inside `fork`, as under an
 * interpreter's global lock: waits at most 200 ms for what they do with a vault. Others need not call it.
 *
 * @return SEALITE_OK, or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_prepare_fork(sealite_error **error);

/**
 * Opens every record and runs SQLite's own check; takes as long as reading the whole file. Writes true to `sound` where
 * nothing was found. Rows: `check` ("table": what was read, "internal": what was read of the engine's own, "row": one that does
 * not open, "keys": what is wrong with the table of keys, "integrity": what SQLite says), `table`, `tenant`, `id`, `rows` (of
 * "table" and "internal": how many), `error`; what a row has nothing of is SEALITE_NULL.
 *
 * What is not sound is no failure: it stands in `rows`. SEALITE_LOCKED while there is no key in memory.
 *
 * @param vault  A handle; not NULL.
 * @param[out] sound  The caller's own; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_verify(sealite_vault *vault,
                                    bool *sound,
                                    sealite_rows **rows,
                                    sealite_error **error);

/**
 * Makes a plan from the text of a plan file (TOML, as docs/adopt.md describes it), or an empty one for NULL. The keys that it
 * refers to are read at once. Free it with sealite_adoption_free().
 *
 * SEALITE_INVALID_INPUT for what is not understood, a misspelt word too; SEALITE_WEAK_KEY, SEALITE_NOT_FOUND and others for a
 * key that can't be had.
 *
 * @param plan,plan_length  UTF-8; may be NULL.
 * @param[out] adoption  To be freed with sealite_adoption_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_adoption_create(const char *plan,
                                       size_t plan_length,
                                       sealite_adoption **adoption,
                                       sealite_error **error);

/**
 * Adds a column, such as `users.email: sealed, unique email`: behind the colon stands what sealite_definition_add_column()
 * takes behind a name.
 *
 * SEALITE_INVALID_INPUT for another form, and for a column that is in the plan already.
 *
 * @param adoption  A handle; not NULL.
 * @param column,column_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `adoption` are SEALITE_BUSY.
 */
sealite_status sealite_adoption_add_column(sealite_adoption *adoption,
                                           const char *column,
                                           size_t column_length,
                                           sealite_error **error);

/**
 * Names the application's own database, where it is not the vault's file: its tables are copied into the vault, or, after
 * sealite_adoption_set_values(), its values are sealed in place. No other SQLite library of this process may have it open.
 *
 * @param adoption  A handle; not NULL.
 * @param path,path_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `adoption` are SEALITE_BUSY.
 */
sealite_status sealite_adoption_set_source(sealite_adoption *adoption,
                                           const char *path,
                                           size_t path_length,
                                           sealite_error **error);

/**
 * Seals single values in the application's own database, as sealite_field does, in place of making sealed tables.
 *
 * @param adoption  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `adoption` are SEALITE_BUSY.
 */
sealite_status sealite_adoption_set_values(sealite_adoption *adoption,
                                           sealite_error **error);

/**
 * Drops the tables from the application's own database once the vault has them.
 *
 * @param adoption  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `adoption` are SEALITE_BUSY.
 */
sealite_status sealite_adoption_set_remove_source(sealite_adoption *adoption,
                                                  sealite_error **error);

/**
 * Frees the plan. NULL is fine.
 *
 * @param adoption  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_adoption_free(sealite_adoption *adoption);

/**
 * Says what sealite_vault_adopt() would do: reads the tables, and writes nothing. Rows: for each table one with `what`
 * "table", `done` (an earlier call has converted it), `rows`, `bytes` (of the values as they are), `bytes_after` and
 * `estimate_ms` (estimated from a sample of rows); then one for each thing that stays as it is ("kept"), becomes another
 * ("changed") or stands against it ("refused"), with its `text`. `possible` is whether nothing stands against it; it may be
 * NULL.
 *
 * SEALITE_NOT_FOUND for a database, table or column that is not there.
 *
 * @param vault  A handle; not NULL.
 * @param adoption  A handle; not NULL.
 * @param[out] possible  The caller's own; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_preview_adoption(sealite_vault *vault,
                                              const sealite_adoption *adoption,
                                              bool *possible,
                                              sealite_rows **rows,
                                              sealite_error **error);

/**
 * Adopts an existing database: seals what the plan names, opens and compares every row with what it was, and only then
 * removes what was in clear; the file is written anew and its log emptied. After a crash at any moment the same call goes on.
 * Memory is bounded; the disk needs room for the file once more. `progress` may be NULL; `context` is handed to it; its phases are
 * SEALITE_PHASE_SEALING, SEALITE_PHASE_VERIFYING and SEALITE_PHASE_ERASING, with the name of the table.
 * `erasure_pending` (it may be NULL) is true where a reader held the log back: the same call finishes it. Rows: one for each
 * table, `table`, `rows`, `was_done` (by an earlier call), `removed` (from the application's database), `time_ms` (of
 * the whole call, in each); `rows` may be NULL.
 *
 * SEALITE_REFUSED with a list where something stands against it; SEALITE_AUTHENTICATION_FAILED for a value that another key
 * has encrypted; SEALITE_CONFLICT where a value stands twice in a column that is to be unique; SEALITE_TYPE_MISMATCH;
 * SEALITE_INTERRUPTED where `progress` has stopped it; SEALITE_ANOTHER_LIBRARY; SEALITE_FULL. Tables that were not finished
 * are as they were then.
 *
 * @param vault  A handle; not NULL.
 * @param adoption  A handle; not NULL.
 * @param progress  A function; may be NULL.
 * @param context  Handed to the function; may be NULL.
 * @param[out] erasure_pending  The caller's own; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_adopt(sealite_vault *vault,
                                   const sealite_adoption *adoption,
                                   sealite_progress progress,
                                   void *context,
                                   bool *erasure_pending,
                                   sealite_rows **rows,
                                   sealite_error **error);

/**
 * Opens a connection for SQL to the vault; several may be open at once. Free it with sealite_connection_free().
 *
 * @param vault  A handle; not NULL.
 * @param[out] connection  To be freed with sealite_connection_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_connect(sealite_vault *vault,
                                     sealite_connection **connection,
                                     sealite_error **error);

/**
 * Prepares the first statement of a text, to be bound and stepped. Writes to `tail` at which byte the text goes on; `stmt`
 * is NULL where only blanks and comments are left. With NULL for `tail` the text has to be one statement. Free it with
 * sealite_stmt_free().
 *
 * SEALITE_SQL where the statement is wrong, and, without `tail`, where there is none or more than one;
 * SEALITE_NOT_ALLOWED for what only the engine may do, such as writing the table that lies under a sealed one.
 *
 * @param connection  A handle; not NULL.
 * @param sql,sql_length  UTF-8; not NULL.
 * @param[out] stmt  To be freed with sealite_stmt_free(); not NULL.
 * @param[out] tail  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `connection` take turns.
 */
sealite_status sealite_connection_prepare(sealite_connection *connection,
                                          const char *sql,
                                          size_t sql_length,
                                          sealite_stmt **stmt,
                                          size_t *tail,
                                          sealite_error **error);

/**
 * Runs one statement to its end, BEGIN and COMMIT among them, and writes the number of rows changed; `changed` may be
 * NULL. Rows that it returns are passed over.
 *
 * SEALITE_SQL where the statement is wrong; SEALITE_CLOSED after sealite_connection_close(); SEALITE_INTERRUPTED after
 * sealite_connection_interrupt(); SEALITE_BUSY where another writes; SEALITE_CONFLICT.
 *
 * @param connection  A handle; not NULL.
 * @param sql,sql_length  UTF-8; not NULL.
 * @param parameters,parameter_count  An array of values; NULL where there are none.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `connection` take turns.
 */
sealite_status sealite_connection_execute(sealite_connection *connection,
                                          const char *sql,
                                          size_t sql_length,
                                          const sealite_value *parameters,
                                          size_t parameter_count,
                                          uint64_t *changed,
                                          sealite_error **error);

/**
 * Runs one statement and reads all of its rows. Rows: those of the statement.
 *
 * SEALITE_SQL where the statement is wrong; the rest as of sealite_connection_execute().
 *
 * @param connection  A handle; not NULL.
 * @param sql,sql_length  UTF-8; not NULL.
 * @param parameters,parameter_count  An array of values; NULL where there are none.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `connection` take turns.
 */
sealite_status sealite_connection_query(sealite_connection *connection,
                                        const char *sql,
                                        size_t sql_length,
                                        const sealite_value *parameters,
                                        size_t parameter_count,
                                        sealite_rows **rows,
                                        sealite_error **error);

/**
 * Writes true to `within` between BEGIN and the COMMIT or ROLLBACK that ends it.
 *
 * @param connection  A handle; not NULL.
 * @param[out] within  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `connection` take turns.
 */
sealite_status sealite_connection_in_transaction(sealite_connection *connection,
                                                 bool *within,
                                                 sealite_error **error);

/**
 * Writes how many rows the last INSERT, UPDATE or DELETE has changed.
 *
 * @param connection  A handle; not NULL.
 * @param[out] changes  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `connection` take turns.
 */
sealite_status sealite_connection_changes(sealite_connection *connection,
                                          uint64_t *changes,
                                          sealite_error **error);

/**
 * Writes how many rows were changed since the connection was opened.
 *
 * @param connection  A handle; not NULL.
 * @param[out] changes  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `connection` take turns.
 */
sealite_status sealite_connection_total_changes(sealite_connection *connection,
                                                uint64_t *changes,
                                                sealite_error **error);

/**
 * Writes the row id of the last INSERT; 0 before the first.
 *
 * @param connection  A handle; not NULL.
 * @param[out] id  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `connection` take turns.
 */
sealite_status sealite_connection_last_insert_rowid(sealite_connection *connection,
                                                    int64_t *id,
                                                    sealite_error **error);

/**
 * Writes how often the SQLite connection under it has been opened: more than once after a fork. What was in the temp
 * schema is gone then.
 *
 * @param connection  A handle; not NULL.
 * @param[out] times  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `connection` take turns.
 */
sealite_status sealite_connection_opened(sealite_connection *connection,
                                         uint64_t *times,
                                         sealite_error **error);

/**
 * Makes the statement that runs now, on whatever thread, fail with SEALITE_INTERRUPTED. Does not wait for it.
 *
 * @param connection  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_connection_interrupt(sealite_connection *connection,
                                            sealite_error **error);

/**
 * Rolls back what is open and closes: calls on it and its statements fail with SEALITE_CLOSED from then on. The handle
 * is still to be freed. Waits for a call that runs on it on another thread: sealite_connection_interrupt() ends that
 * early.
 *
 * @param connection  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `connection` take turns.
 */
sealite_status sealite_connection_close(sealite_connection *connection,
                                        sealite_error **error);

/**
 * Closes the connection, as sealite_connection_close() does, and frees it. Its statements are still to be freed. NULL is
 * fine.
 *
 * @param connection  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_connection_free(sealite_connection *connection);

/**
 * Reads the next rows, at most 256: `rows` is NULL at the end. A failure ends the cursor. Rows: as of
 * sealite_table_get().
 *
 * @param cursor  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `cursor` are SEALITE_BUSY.
 */
sealite_status sealite_cursor_next(sealite_cursor *cursor,
                                   sealite_rows **rows,
                                   sealite_error **error);

/**
 * Frees the cursor. NULL is fine.
 *
 * @param cursor  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_cursor_free(sealite_cursor *cursor);

/**
 * Declares a table with an integer primary key named `id`. Free it with sealite_definition_free().
 *
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] definition  To be freed with sealite_definition_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_definition_create(const char *name,
                                         size_t name_length,
                                         sealite_definition **definition,
                                         sealite_error **error);

/**
 * Names the primary key; with `is_text` 1 it is a text that the application chooses, compared byte for byte.
 *
 * @param definition  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param is_text  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_definition_set_key(sealite_definition *definition,
                                          const char *name,
                                          size_t name_length,
                                          int32_t is_text,
                                          sealite_error **error);

/**
 * Makes every row belong to a tenant, sealed under that tenant's key: the table is reached through sealite_tenant_table()
 * only.
 *
 * @param definition  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_definition_set_per_tenant(sealite_definition *definition,
                                                 sealite_error **error);

/**
 * Sets the padding: a sealite_padding, and for SEALITE_PADDING_BLOCK the bytes of a block, 1 to 65,534.
 *
 * @param definition  A handle; not NULL.
 * @param kind  A sealite_padding; any other number is SEALITE_INVALID_INPUT.
 * @param block  A uint32_t.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_definition_set_padding(sealite_definition *definition,
                                              int32_t kind,
                                              uint32_t block,
                                              sealite_error **error);

/**
 * Names the column, of integers or texts, whose value says whose a row is; it is authenticated. Each subject's rows are
 * sealed under a key of its own, which sealite_vault_erase_subject() destroys. The name of the primary key makes every row
 * its own subject. A subject's name stays readable in the file: an id, never an e-mail address.
 *
 * @param definition  A handle; not NULL.
 * @param column,column_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_definition_set_subject(sealite_definition *definition,
                                              const char *column,
                                              size_t column_length,
                                              sealite_error **error);

/**
 * Adds a column, from its specification:
 *
 *     NAME [TYPE] [plain | authenticated | sealed] [not null] [default LITERAL]
 *          [unique [NORMALISER] | lookup COUNT [NORMALISER]] [accept leakage 'REASON']
 *
 * such as `email text sealed not null unique email` or `surname text sealed lookup 50000 text`. Types: integer, real,
 * text, blob, boolean, json. Normalisers: exact, text, email, digits.
 *
 * SEALITE_INVALID_INPUT where it is no such text.
 *
 * @param definition  A handle; not NULL.
 * @param specification,specification_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_definition_add_column(sealite_definition *definition,
                                             const char *specification,
                                             size_t specification_length,
                                             sealite_error **error);

/**
 * Frees the declaration. NULL is fine.
 *
 * @param definition  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_definition_free(sealite_definition *definition);

/**
 * Erases a subject, of a tenant or, where `tenant` is NULL, of the vault itself: deletes its rows of every table that names
 * it (sealite_definition_set_subject()), its tokens and the approvals about it, and destroys its keys, in one transaction.
 * From then on nothing of it opens any more, in any process, and what is written for it fails as SEALITE_DESTROYED_KEY.
 * Then the file is rewritten and its log emptied. Of a subject that has been erased the call gives the receipt again.
 *
 * Rows, exactly one: `tenant`, `subject`, `at` (milliseconds since 1970), `rows` deleted from the application's tables,
 * `internal` rows deleted from the engine's own, `keys` destroyed, `audit_seq`, `erasure` ("complete", or "pending" where a
 * reader holds the log back: sealite_vault_finish_erasure()), `text` (the receipt, to be kept outside).
 *
 * SEALITE_NOT_FOUND where the vault has nothing of the subject; SEALITE_AUTHENTICATION_FAILED where one of its rows is not
 * what was written; SEALITE_CONFLICT where a foreign key refers to one. Nothing is erased then.
 *
 * @param vault  A handle; not NULL.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param subject,subject_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_erase_subject(sealite_vault *vault,
                                           const char *tenant,
                                           size_t tenant_length,
                                           const char *subject,
                                           size_t subject_length,
                                           sealite_rows **rows,
                                           sealite_error **error);

/**
 * Erases several subjects, each in a transaction of its own, and rewrites the file once behind all of them: the way for many,
 * since that costs as much as the whole file. Rows: as of sealite_vault_erase_subject(), in the order of `subjects`.
 *
 * As sealite_vault_erase_subject() for the first that fails: those before it are erased, those behind it are not, and the
 * same call without it gives the receipts of all.
 *
 * @param vault  A handle; not NULL.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param subjects,subject_count  An array of texts; NULL where there are none.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_erase_subjects(sealite_vault *vault,
                                            const char *tenant,
                                            size_t tenant_length,
                                            const sealite_string *subjects,
                                            size_t subject_count,
                                            sealite_rows **rows,
                                            sealite_error **error);

/**
 * Erases a tenant: its rows, its subjects, settings, tokens, quotas and approvals, and every key of it; its audit entries
 * stay. Rows go in batches while others read and write; a call that was interrupted is continued by the next, and by
 * sealite_vault_finish_erasure(). Otherwise as sealite_vault_erase_subject().
 *
 * @param vault  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_erase_tenant(sealite_vault *vault,
                                          const char *name,
                                          size_t name_length,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * Checks that the vault has written this receipt of an erasure, and reads it. Rows: as of sealite_vault_erase_subject();
 * `erasure` is of now.
 *
 * SEALITE_INVALID_INPUT for a text that is none; SEALITE_AUTHENTICATION_FAILED for another vault's, or an altered one.
 *
 * @param vault  A handle; not NULL.
 * @param text,text_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_verify_receipt(sealite_vault *vault,
                                            const char *text,
                                            size_t text_length,
                                            sealite_rows **rows,
                                            sealite_error **error);

/**
 * Lists the tenants that have, or had, keys, in the order of their names. Rows: `name`, `created_at` and `erased_at`
 * (seconds since 1970; NULL for one that is there), `subjects` that have keys.
 *
 * SEALITE_AUTHENTICATION_FAILED where the table of keys is not what was written: no tenant can be hidden.
 * SEALITE_LOCKED.
 *
 * @param vault  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_tenants(sealite_vault *vault,
                                     sealite_rows **rows,
                                     sealite_error **error);

/**
 * Writes everything that a subject has, of a tenant or, where `tenant` is NULL, of the vault itself, as JSON text in UTF-8:
 * `tables`, `tokens`, `approvals`, `audit`. No key, hash or token is in it; everything else is in clear. Free it with
 * sealite_bytes_free(). Audited.
 *
 * @param vault  A handle; not NULL.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param subject,subject_length  UTF-8; not NULL.
 * @param[out] json  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_export_subject(sealite_vault *vault,
                                            const char *tenant,
                                            size_t tenant_length,
                                            const char *subject,
                                            size_t subject_length,
                                            sealite_bytes **json,
                                            sealite_error **error);

/**
 * As sealite_vault_export_subject() of `vault`, `tenant` and `subject`, to the new file `path` with mode 0600, in bounded
 * memory. `rows` has exactly one, free it with sealite_rows_free(): `rows` of the application's tables, `tokens`,
 * `approvals`, `entries` of the audit trail; it may be NULL.
 *
 * SEALITE_REFUSED where a file has the name already; SEALITE_NOT_FOUND without the folder; SEALITE_READ_ONLY,
 * SEALITE_FULL, SEALITE_IO; SEALITE_DESTROYED_KEY where the subject has been erased. There is no file then.
 *
 * @param vault  A handle; not NULL.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param subject,subject_length  UTF-8; not NULL.
 * @param path,path_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_export_subject_to(sealite_vault *vault,
                                               const char *tenant,
                                               size_t tenant_length,
                                               const char *subject,
                                               size_t subject_length,
                                               const char *path,
                                               size_t path_length,
                                               sealite_rows **rows,
                                               sealite_error **error);

/**
 * Converts a plain table of the file into a sealed one of the same name, with its rows under their ids. `columns` holds
 * `column_count` specifications as sealite_definition_add_column() has them, such as `email sealed unique email`; columns
 * that none names stay plain, and what a specification does not say comes from the table. After a crash at any moment the
 * table is as it was, or sealed; the same call goes on. `erasure_pending` (it may be NULL): see
 * sealite_vault_add_column().
 *
 * SEALITE_REFUSED where something of the table can't be kept, with a list; SEALITE_NOT_FOUND; SEALITE_CONFLICT where a value
 * stands twice in a column that is to be unique, or the table is sealed already in another way. The table is as it was
 * then.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param columns,column_count  An array of texts; NULL where there are none.
 * @param[out] erasure_pending  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_protect_table(sealite_vault *vault,
                                           const char *table,
                                           size_t table_length,
                                           const sealite_string *columns,
                                           size_t column_count,
                                           bool *erasure_pending,
                                           sealite_error **error);

/**
 * Says what sealite_vault_protect_table() would do; nothing is written. Rows: `what` ("column", "kept", "changed" or
 * "obstacle"), `text`. Where there is an obstacle, the table is not converted.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param columns,column_count  An array of texts; NULL where there are none.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_plan_protection(sealite_vault *vault,
                                             const char *table,
                                             size_t table_length,
                                             const sealite_string *columns,
                                             size_t column_count,
                                             sealite_rows **rows,
                                             sealite_error **error);

/**
 * Makes a sealed table plain again, in one transaction: every row is opened, written in clear and read back. Blind indexes
 * become plain ones, which compare byte for byte. Where sealite_vault_protect_table() was interrupted, drops what it has
 * left.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_unprotect_table(sealite_vault *vault,
                                             const char *table,
                                             size_t table_length,
                                             sealite_error **error);

/**
 * Declares a table: creates it, or checks that what is stored is no weaker than what is declared. Writes true to
 * `created` where it was created; `created` may be NULL.
 *
 * SEALITE_DEFINITION where the stored table lacks a column, has another type, a weaker protection or no such index.
 *
 * @param vault  A handle; not NULL.
 * @param definition  A handle; not NULL.
 * @param[out] created  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_define_table(sealite_vault *vault,
                                          const sealite_definition *definition,
                                          bool *created,
                                          sealite_error **error);

/**
 * Lists the sealed tables, in the order of their names. Rows: `name`, `key`, `text_key`, `per_tenant`, `padding` ("none",
 * "block" or "padme"), `block`, `subject` (the column that says whose a row is).
 *
 * SEALITE_LOCKED while there is no key in memory.
 *
 * @param vault  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_tables(sealite_vault *vault,
                                    sealite_rows **rows,
                                    sealite_error **error);

/**
 * Adds a column, from its specification: see sealite_definition_add_column(). The rows that are there have its default.
 *
 * This and the following calls change a table while others use it, and move its rows in batches. What a crash interrupts,
 * the next call finishes first. `erasure_pending` (it may be NULL) tells whether a reader kept remnants of plaintext from
 * being overwritten: then call sealite_vault_finish_erasure() later.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param specification,specification_length  UTF-8; not NULL.
 * @param[out] erasure_pending  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_add_column(sealite_vault *vault,
                                        const char *table,
                                        size_t table_length,
                                        const char *specification,
                                        size_t specification_length,
                                        bool *erasure_pending,
                                        sealite_error **error);

/**
 * Drops a column.
 *
 * SEALITE_NOT_FOUND where there is no such table or column; SEALITE_LOCKED; SEALITE_BUSY where another writes;
 * SEALITE_NOT_ALLOWED for a table of the engine's own. SEALITE_INVALID_INPUT for the column that says whose a row is.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param column,column_length  UTF-8; not NULL.
 * @param[out] erasure_pending  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_drop_column(sealite_vault *vault,
                                         const char *table,
                                         size_t table_length,
                                         const char *column,
                                         size_t column_length,
                                         bool *erasure_pending,
                                         sealite_error **error);

/**
 * Renames a column. `column` becomes `to`.
 *
 * SEALITE_NOT_FOUND where there is no such table or column; SEALITE_CONFLICT where `to` is taken; SEALITE_INVALID_INPUT where it is no name;
 * SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param column,column_length  UTF-8; not NULL.
 * @param to,to_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_rename_column(sealite_vault *vault,
                                           const char *table,
                                           size_t table_length,
                                           const char *column,
                                           size_t column_length,
                                           const char *to,
                                           size_t to_length,
                                           sealite_error **error);

/**
 * Renames a table. `table` becomes `to`.
 *
 * SEALITE_NOT_FOUND where there is no such table; SEALITE_CONFLICT where `to` is taken; SEALITE_INVALID_INPUT where it
 * is no name; SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param to,to_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_rename_table(sealite_vault *vault,
                                          const char *table,
                                          size_t table_length,
                                          const char *to,
                                          size_t to_length,
                                          sealite_error **error);

/**
 * Changes how a column is kept, a sealite_protection, and moves the values that are there.
 *
 * SEALITE_NOT_FOUND where there is no such table or column; SEALITE_INVALID_INPUT for the column that says whose a row
 * is; SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param column,column_length  UTF-8; not NULL.
 * @param protection  A sealite_protection; any other number is SEALITE_INVALID_INPUT.
 * @param[out] erasure_pending  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_protect_column(sealite_vault *vault,
                                            const char *table,
                                            size_t table_length,
                                            const char *column,
                                            size_t column_length,
                                            int32_t protection,
                                            bool *erasure_pending,
                                            sealite_error **error);

/**
 * Adds an index to a column: `unique email`, `lookup 5000 text`.
 *
 * SEALITE_NOT_FOUND where there is no such table or column; SEALITE_CONFLICT where the column holds a value twice and
 * `index` is unique: there is no index then; SEALITE_INVALID_INPUT where `index` is no such text; SEALITE_LOCKED;
 * SEALITE_BUSY where another writes.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param column,column_length  UTF-8; not NULL.
 * @param index,index_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_add_index(sealite_vault *vault,
                                       const char *table,
                                       size_t table_length,
                                       const char *column,
                                       size_t column_length,
                                       const char *index,
                                       size_t index_length,
                                       sealite_error **error);

/**
 * Drops the index of a column.
 *
 * SEALITE_NOT_FOUND where there is no such table or column; SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param column,column_length  UTF-8; not NULL.
 * @param[out] erasure_pending  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_drop_index(sealite_vault *vault,
                                        const char *table,
                                        size_t table_length,
                                        const char *column,
                                        size_t column_length,
                                        bool *erasure_pending,
                                        sealite_error **error);

/**
 * Drops a table with all its rows.
 *
 * SEALITE_NOT_FOUND where there is no such table; SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param[out] erasure_pending  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_drop_table(sealite_vault *vault,
                                        const char *table,
                                        size_t table_length,
                                        bool *erasure_pending,
                                        sealite_error **error);

/**
 * Finishes an alteration of the table that was interrupted.
 *
 * SEALITE_NOT_FOUND where there is no such table; SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param vault  A handle; not NULL.
 * @param table,table_length  UTF-8; not NULL.
 * @param[out] erasure_pending  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_finish_alteration(sealite_vault *vault,
                                               const char *table,
                                               size_t table_length,
                                               bool *erasure_pending,
                                               sealite_error **error);

/**
 * Overwrites what remnants of plaintext an alteration has left, where that is still to be done. Rewrites the file: its
 * cost is that of the whole file.
 *
 * `erasure_pending` (it may be NULL) is true where a reader, or another process that writes, is in the way: nothing
 * was lost, call it again. SEALITE_LOCKED; SEALITE_BUSY; SEALITE_FULL.
 *
 * @param vault  A handle; not NULL.
 * @param[out] erasure_pending  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_finish_erasure(sealite_vault *vault,
                                            bool *erasure_pending,
                                            sealite_error **error);

/**
 * Makes a handle to a table as it was when the snapshot was taken. It ends with the snapshot and is still to be freed.
 *
 * SEALITE_CLOSED where the snapshot has ended. A table that is not there is told by the first call on it.
 *
 * @param snapshot  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] table  To be freed with sealite_table_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `snapshot` take turns.
 */
sealite_status sealite_snapshot_table(sealite_snapshot *snapshot,
                                      const char *name,
                                      size_t name_length,
                                      sealite_table **table,
                                      sealite_error **error);

/**
 * Makes a handle to a tenant's rows of a table. A tenant's own snapshot reaches no other.
 *
 * SEALITE_CLOSED where the snapshot has ended. A table that is not there is told by the first call on it.
 *
 * @param snapshot  A handle; not NULL.
 * @param tenant,tenant_length  UTF-8; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] table  To be freed with sealite_table_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `snapshot` take turns.
 */
sealite_status sealite_snapshot_tenant_table(sealite_snapshot *snapshot,
                                             const char *tenant,
                                             size_t tenant_length,
                                             const char *name,
                                             size_t name_length,
                                             sealite_table **table,
                                             sealite_error **error);

/**
 * Ends and frees the snapshot. NULL is fine.
 *
 * @param snapshot  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_snapshot_free(sealite_snapshot *snapshot);

/**
 * Runs one statement of SQL that returns no rows, in a transaction of its own, and writes the number of rows changed;
 * `changed` may be NULL. The application's own tables and sealed ones alike are tables in it, unless
 * sealite_config_set_sealed_sql() says otherwise.
 *
 * SEALITE_SQL where the statement is wrong or returns rows; SEALITE_NOT_ALLOWED for what only the engine may do, such as
 * writing the table that lies under a sealed one.
 *
 * @param vault  A handle; not NULL.
 * @param sql,sql_length  UTF-8; not NULL.
 * @param parameters,parameter_count  An array of values; NULL where there are none.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_execute(sealite_vault *vault,
                                     const char *sql,
                                     size_t sql_length,
                                     const sealite_value *parameters,
                                     size_t parameter_count,
                                     uint64_t *changed,
                                     sealite_error **error);

/**
 * Runs a statement of SQL that returns rows, and reads all of them. Rows: those of the statement.
 *
 * SEALITE_SQL where the statement is wrong; the rest as of sealite_vault_execute().
 *
 * @param vault  A handle; not NULL.
 * @param sql,sql_length  UTF-8; not NULL.
 * @param parameters,parameter_count  An array of values; NULL where there are none.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_query(sealite_vault *vault,
                                   const char *sql,
                                   size_t sql_length,
                                   const sealite_value *parameters,
                                   size_t parameter_count,
                                   sealite_rows **rows,
                                   sealite_error **error);

/**
 * As sealite_vault_execute(), within the transaction.
 *
 * @param transaction  A handle; not NULL.
 * @param sql,sql_length  UTF-8; not NULL.
 * @param parameters,parameter_count  An array of values; NULL where there are none.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_execute(sealite_transaction *transaction,
                                           const char *sql,
                                           size_t sql_length,
                                           const sealite_value *parameters,
                                           size_t parameter_count,
                                           uint64_t *changed,
                                           sealite_error **error);

/**
 * As sealite_vault_query(); it sees what the transaction has written.
 *
 * @param transaction  A handle; not NULL.
 * @param sql,sql_length  UTF-8; not NULL.
 * @param parameters,parameter_count  An array of values; NULL where there are none.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_query(sealite_transaction *transaction,
                                         const char *sql,
                                         size_t sql_length,
                                         const sealite_value *parameters,
                                         size_t parameter_count,
                                         sealite_rows **rows,
                                         sealite_error **error);

/**
 * As sealite_vault_query(), as of the snapshot.
 *
 * @param snapshot  A handle; not NULL.
 * @param sql,sql_length  UTF-8; not NULL.
 * @param parameters,parameter_count  An array of values; NULL where there are none.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `snapshot` take turns.
 */
sealite_status sealite_snapshot_query(sealite_snapshot *snapshot,
                                      const char *sql,
                                      size_t sql_length,
                                      const sealite_value *parameters,
                                      size_t parameter_count,
                                      sealite_rows **rows,
                                      sealite_error **error);

/**
 * Prepares the first statement of the text `sql`, to be bound and stepped within `transaction`; it sees what that has
 * written. `stmt` is NULL where only blanks and comments are left; free it with sealite_stmt_free(). Writes to `tail` at
 * which byte the text goes on; with NULL for `tail` the text has to be one statement.
 *
 * It ends with the transaction, wherever it stands: every step after sealite_transaction_commit() or
 * sealite_transaction_roll_back() is SEALITE_CLOSED, and it is still to be freed. Its calls and the transaction's take
 * turns; a forked child gets SEALITE_FORKED.
 *
 * SEALITE_SQL where the statement is wrong, and, without `tail`, where there is none or more than one; SEALITE_NOT_ALLOWED
 * for BEGIN and COMMIT, for a tenant's transaction, and for what only the engine may do; SEALITE_CLOSED where the
 * transaction has ended.
 *
 * @param transaction  A handle; not NULL.
 * @param sql,sql_length  UTF-8; not NULL.
 * @param[out] stmt  To be freed with sealite_stmt_free(); not NULL.
 * @param[out] tail  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_prepare(sealite_transaction *transaction,
                                           const char *sql,
                                           size_t sql_length,
                                           sealite_stmt **stmt,
                                           size_t *tail,
                                           sealite_error **error);

/**
 * As sealite_transaction_prepare(), of a query, as of `snapshot`; `sql`, `stmt` and `tail` as there. It ends with
 * sealite_snapshot_free(). A write fails when it is stepped, as SEALITE_READ_ONLY.
 *
 * @param snapshot  A handle; not NULL.
 * @param sql,sql_length  UTF-8; not NULL.
 * @param[out] stmt  To be freed with sealite_stmt_free(); not NULL.
 * @param[out] tail  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `snapshot` take turns.
 */
sealite_status sealite_snapshot_prepare(sealite_snapshot *snapshot,
                                        const char *sql,
                                        size_t sql_length,
                                        sealite_stmt **stmt,
                                        size_t *tail,
                                        sealite_error **error);

/**
 * Lists the columns of its rows; none where it returns no rows. Rows: `name`, `declared_type` (of a column of a table, as
 * its declaration has it; SEALITE_NULL of an expression).
 *
 * @param stmt  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_columns(sealite_stmt *stmt,
                                    sealite_rows **rows,
                                    sealite_error **error);

/**
 * Lists its parameters, in order. Rows: `name` (with its `:`, `@`, `$` or `?`; SEALITE_NULL of a bare `?`).
 *
 * @param stmt  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_parameters(sealite_stmt *stmt,
                                       sealite_rows **rows,
                                       sealite_error **error);

/**
 * Writes how many columns its rows have; 0 where it returns no rows.
 *
 * @param stmt  A handle; not NULL.
 * @param[out] count  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_column_count(sealite_stmt *stmt, size_t *count, sealite_error **error);

/**
 * Writes the name of the column at `position`, counted from 0. It is not ended by a NUL, and lives until the statement is
 * next stepped, executed, queried or freed: one that finds the table changed has its columns anew.
 *
 * SEALITE_SQL where there is no such column.
 *
 * @param stmt  A handle; not NULL.
 * @param position  A size_t.
 * @param[out] name  The library's own, not to be freed; not NULL.
 * @param[out] name_length  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_column_name(sealite_stmt *stmt,
                                        size_t position,
                                        const char **name,
                                        size_t *name_length,
                                        sealite_error **error);

/**
 * Writes true to `is` where it changes nothing in the file.
 *
 * @param stmt  A handle; not NULL.
 * @param[out] is  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_is_read_only(sealite_stmt *stmt, bool *is, sealite_error **error);

/**
 * Binds the parameter at `index`, counted from 1, and resets the statement. The value is copied. What is not bound is
 * NULL.
 *
 * SEALITE_SQL where there is no such parameter.
 *
 * @param stmt  A handle; not NULL.
 * @param index  A size_t.
 * @param value  A value; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_bind(sealite_stmt *stmt,
                                 size_t index,
                                 const sealite_value *value,
                                 sealite_error **error);

/**
 * As sealite_stmt_bind(), by the name of the parameter, with its `:`, `@` or `$`.
 *
 * @param stmt  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param value  A value; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_bind_name(sealite_stmt *stmt,
                                      const char *name,
                                      size_t name_length,
                                      const sealite_value *value,
                                      sealite_error **error);

/**
 * Binds every parameter, in order, and resets the statement.
 *
 * SEALITE_SQL where `value_count` is not how many it takes.
 *
 * @param stmt  A handle; not NULL.
 * @param values,value_count  An array of values; NULL where there are none.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_bind_all(sealite_stmt *stmt,
                                     const sealite_value *values,
                                     size_t value_count,
                                     sealite_error **error);

/**
 * Makes every parameter NULL again, and resets the statement.
 *
 * @param stmt  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_clear_bindings(sealite_stmt *stmt, sealite_error **error);

/**
 * Goes to the next row: writes true to `row` where there is one, false at the end and for a statement that returns none.
 * The step after the end, or after a failure, begins anew.
 *
 * SEALITE_INTERRUPTED after sealite_connection_interrupt(); SEALITE_BUSY where another connection writes.
 *
 * @param stmt  A handle; not NULL.
 * @param[out] row  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_step(sealite_stmt *stmt,
                                 bool *row,
                                 sealite_error **error);

/**
 * Writes the value of the column at `position`, counted from 0, in the row that the statement stands on, as one of SQLite's
 * types: SEALITE_NULL, SEALITE_INTEGER, SEALITE_REAL, SEALITE_TEXT or SEALITE_BLOB. What it points to lives until the
 * statement is next stepped, reset, bound or freed.
 *
 * SEALITE_SQL where it stands on no row or has no such column.
 *
 * @param stmt  A handle; not NULL.
 * @param position  A size_t.
 * @param[out] value  What it points to is not the caller's; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_value(sealite_stmt *stmt,
                                  size_t position,
                                  sealite_value *value,
                                  sealite_error **error);

/**
 * As sealite_stmt_value(), of the first `count` columns in one call, to the array `values`; all or none.
 *
 * @param stmt  A handle; not NULL.
 * @param[out] values,count  An array of the caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_read(sealite_stmt *stmt,
                                 sealite_value *values,
                                 size_t count,
                                 sealite_error **error);

/**
 * Makes the statement ready for another run, and lets go of the locks that it holds. What was bound stays.
 *
 * @param stmt  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_reset(sealite_stmt *stmt,
                                  sealite_error **error);

/**
 * Binds every parameter and runs to the end, and writes the number of rows changed; `changed` may be NULL. Rows that it
 * returns are passed over.
 *
 * SEALITE_SQL where `value_count` is not how many it takes; the rest as of sealite_stmt_step().
 *
 * @param stmt  A handle; not NULL.
 * @param values,value_count  An array of values; NULL where there are none.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_execute(sealite_stmt *stmt,
                                    const sealite_value *values,
                                    size_t value_count,
                                    uint64_t *changed,
                                    sealite_error **error);

/**
 * Binds every parameter and reads all rows. Rows: those of the statement.
 *
 * SEALITE_SQL where `value_count` is not how many it takes; the rest as of sealite_stmt_step().
 *
 * @param stmt  A handle; not NULL.
 * @param values,value_count  An array of values; NULL where there are none.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_query(sealite_stmt *stmt,
                                  const sealite_value *values,
                                  size_t value_count,
                                  sealite_rows **rows,
                                  sealite_error **error);

/**
 * Writes how many rows its last run has changed; 0 while it still runs.
 *
 * @param stmt  A handle; not NULL.
 * @param[out] changes  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `stmt` are SEALITE_BUSY.
 */
sealite_status sealite_stmt_changes(sealite_stmt *stmt, uint64_t *changes, sealite_error **error);

/**
 * Frees the statement, wherever it stands. NULL is fine.
 *
 * @param stmt  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_stmt_free(sealite_stmt *stmt);

/**
 * Inserts a row. Columns that are not given hold their default or NULL. A column named like the primary key gives the
 * id; without one an integer id is given out that the table has never had. Writes the id of an integer key to `id`, 0
 * of a text key; `id` may be NULL.
 *
 * SEALITE_CONFLICT where a unique value or the id is taken, SEALITE_TYPE_MISMATCH where a value does not fit exactly,
 * SEALITE_NOT_FOUND for an unknown column.
 *
 * @param table  A handle; not NULL.
 * @param values  A handle; not NULL.
 * @param[out] id  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_insert(sealite_table *table,
                                    const sealite_values *values,
                                    int64_t *id,
                                    sealite_error **error);

/**
 * Inserts rows, all or none: `row_count` times the values of the `column_count` columns, one row after the other.
 * Writes `row_count` ids to `ids`, 0 for each of a text key; `ids` may be NULL.
 *
 * As of sealite_table_insert(); SEALITE_INVALID_INPUT for rows without columns.
 *
 * @param table  A handle; not NULL.
 * @param columns,column_count  An array of texts; NULL where there are none.
 * @param values,row_count  An array of values; NULL where there are none.
 * @param[out] ids  An array of the caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_insert_many(sealite_table *table,
                                         const sealite_string *columns,
                                         size_t column_count,
                                         const sealite_value *values,
                                         size_t row_count,
                                         int64_t *ids,
                                         sealite_error **error);

/**
 * Reads the row of that id, verified: `rows` has one row, or is NULL where there is none. Rows: the primary key, then the
 * columns in the order of declaration.
 *
 * SEALITE_AUTHENTICATION_FAILED where the row is not what was written.
 *
 * @param table  A handle; not NULL.
 * @param id  The id of a row; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_get(sealite_table *table,
                                 const sealite_value *id,
                                 sealite_rows **rows,
                                 sealite_error **error);

/**
 * Reads the rows of those ids, in their order; cheaper than one call for each. Those that are not there are left out, and
 * `present`, an array of `id_count` or NULL, tells which are.
 *
 * SEALITE_AUTHENTICATION_FAILED where a row is not what was written.
 *
 * @param table  A handle; not NULL.
 * @param ids,id_count  An array of ids; NULL where there are none.
 * @param[out] present  An array of the caller's own; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_get_many(sealite_table *table,
                                      const sealite_value *ids,
                                      size_t id_count,
                                      bool *present,
                                      sealite_rows **rows,
                                      sealite_error **error);

/**
 * Reads the rows whose column has that value. A sealed column is found by its blind index, compared in the index's normal
 * form; any other exactly. Rows: as of sealite_table_get(); none where nothing is found.
 *
 * SEALITE_NOT_INDEXED for a sealed column without an index.
 *
 * @param table  A handle; not NULL.
 * @param column,column_length  UTF-8; not NULL.
 * @param value  A value; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_find(sealite_table *table,
                                  const char *column,
                                  size_t column_length,
                                  const sealite_value *value,
                                  sealite_rows **rows,
                                  sealite_error **error);

/**
 * As sealite_table_find(), of the first row that is found, in the order of their ids: for a unique column the only one. `rows`
 * has one row, as of sealite_table_get(), or is NULL where there is none.
 *
 * SEALITE_NOT_INDEXED for a sealed column without an index.
 *
 * @param table  A handle; not NULL.
 * @param column,column_length  UTF-8; not NULL.
 * @param value  A value; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_find_one(sealite_table *table,
                                      const char *column,
                                      size_t column_length,
                                      const sealite_value *value,
                                      sealite_rows **rows,
                                      sealite_error **error);

/**
 * Changes the given columns of a row and leaves the others, all or nothing. Writes false to `updated` where there is no
 * such row; `updated` may be NULL.
 *
 * As of sealite_table_insert(); SEALITE_AUTHENTICATION_FAILED where the row is not what was written.
 *
 * @param table  A handle; not NULL.
 * @param id  The id of a row; not NULL.
 * @param values  A handle; not NULL.
 * @param[out] updated  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_update(sealite_table *table,
                                    const sealite_value *id,
                                    const sealite_values *values,
                                    bool *updated,
                                    sealite_error **error);

/**
 * Deletes a row, verified first. Writes false to `deleted` where there is none; `deleted` may be NULL.
 *
 * SEALITE_AUTHENTICATION_FAILED where the row is not what was written: see sealite_table_discard().
 *
 * @param table  A handle; not NULL.
 * @param id  The id of a row; not NULL.
 * @param[out] deleted  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_delete(sealite_table *table,
                                    const sealite_value *id,
                                    bool *deleted,
                                    sealite_error **error);

/**
 * Deletes a row without opening it: for one that fails to authenticate. `deleted` as of sealite_table_delete().
 *
 * @param table  A handle; not NULL.
 * @param id  The id of a row; not NULL.
 * @param[out] deleted  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_discard(sealite_table *table,
                                     const sealite_value *id,
                                     bool *deleted,
                                     sealite_error **error);

/**
 * Writes the number of rows. Opens none of them.
 *
 * SEALITE_NOT_FOUND where there is no such table; SEALITE_LOCKED.
 *
 * @param table  A handle; not NULL.
 * @param[out] count  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_count(sealite_table *table, uint64_t *count, sealite_error **error);

/**
 * Begins to read every row, in the order of insertion. Of a vault in a file the cursor sees one moment, and holds a
 * connection until it is at its end or freed. Free it with sealite_cursor_free().
 *
 * @param table  A handle; not NULL.
 * @param[out] cursor  To be freed with sealite_cursor_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_scan(sealite_table *table,
                                  sealite_cursor **cursor,
                                  sealite_error **error);

/**
 * Lists the columns as they are declared now. Rows: `name`, `specification` (see sealite_definition_add_column()).
 *
 * @param table  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_table_columns(sealite_table *table,
                                     sealite_rows **rows,
                                     sealite_error **error);

/**
 * Frees the handle. NULL is fine.
 *
 * @param table  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_table_free(sealite_table *table);

/**
 * Makes a handle to the tenant's rows of a table. See sealite_vault_table().
 *
 * @param tenant  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] table  To be freed with sealite_table_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tenant_table(sealite_tenant *tenant,
                                    const char *name,
                                    size_t name_length,
                                    sealite_table **table,
                                    sealite_error **error);

/**
 * Begins a transaction that reaches the tenant's rows only. See sealite_vault_begin().
 *
 * @param tenant  A handle; not NULL.
 * @param[out] transaction  To be freed with sealite_transaction_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tenant_begin(sealite_tenant *tenant,
                                    sealite_transaction **transaction,
                                    sealite_error **error);

/**
 * Takes a view of the tenant's rows at this moment. See sealite_vault_snapshot().
 *
 * @param tenant  A handle; not NULL.
 * @param[out] snapshot  To be freed with sealite_snapshot_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tenant_snapshot(sealite_tenant *tenant,
                                       sealite_snapshot **snapshot,
                                       sealite_error **error);

/**
 * Writes the name of `tenant` to `name`. Free it with sealite_bytes_free().
 *
 * SEALITE_CLOSED for a handle that was freed.
 *
 * @param tenant  A handle; not NULL.
 * @param[out] name  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tenant_name(sealite_tenant *tenant,
                                   sealite_bytes **name,
                                   sealite_error **error);

/**
 * Frees the handle. NULL is fine.
 *
 * @param tenant  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_tenant_free(sealite_tenant *tenant);

/**
 * Makes a handle to a table, within the transaction. It ends with the transaction and is still to be freed.
 *
 * SEALITE_CLOSED where the transaction has ended. A table that is not there is told by the first call on it.
 *
 * @param transaction  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] table  To be freed with sealite_table_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_table(sealite_transaction *transaction,
                                         const char *name,
                                         size_t name_length,
                                         sealite_table **table,
                                         sealite_error **error);

/**
 * Makes a handle to a tenant's rows of a table, within the transaction. A tenant's own transaction reaches no other.
 *
 * SEALITE_CLOSED where the transaction has ended. A table that is not there is told by the first call on it.
 *
 * @param transaction  A handle; not NULL.
 * @param tenant,tenant_length  UTF-8; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] table  To be freed with sealite_table_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_tenant_table(sealite_transaction *transaction,
                                                const char *tenant,
                                                size_t tenant_length,
                                                const char *name,
                                                size_t name_length,
                                                sealite_table **table,
                                                sealite_error **error);

/**
 * As sealite_vault_define_table(), within the transaction.
 *
 * @param transaction  A handle; not NULL.
 * @param definition  A handle; not NULL.
 * @param[out] created  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_define_table(sealite_transaction *transaction,
                                                const sealite_definition *definition,
                                                bool *created,
                                                sealite_error **error);

/**
 * Sets a savepoint: a place to go back to, inside those that are set already.
 *
 * SEALITE_CLOSED where the transaction has ended.
 *
 * @param transaction  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_begin_savepoint(sealite_transaction *transaction,
                                                   sealite_error **error);

/**
 * Ends the innermost savepoint: with `keep` 1 keeps what was done since, with 0 takes it back. What is not ended ends
 * with the transaction.
 *
 * SEALITE_CLOSED where none is set. SEALITE_BUSY where it is to be kept and a statement that writes stands on a row: it is
 * still set.
 *
 * @param transaction  A handle; not NULL.
 * @param keep  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_end_savepoint(sealite_transaction *transaction,
                                                 int32_t keep,
                                                 sealite_error **error);

/**
 * Commits. After a failure nothing was committed; after SEALITE_IO, whether it was shows when the vault is opened again.
 * The transaction has ended in any case, and is still to be freed.
 *
 * @param transaction  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_commit(sealite_transaction *transaction,
                                          sealite_error **error);

/**
 * Takes everything back. The transaction has ended, and is still to be freed.
 *
 * SEALITE_CLOSED where it has ended; not where SQLite has taken it back by itself, as after a full disk.
 *
 * @param transaction  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_roll_back(sealite_transaction *transaction,
                                             sealite_error **error);

/**
 * Frees the transaction; one that has not ended is rolled back. NULL is fine.
 *
 * @param transaction  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_transaction_free(sealite_transaction *transaction);

/**
 * Makes a handle to the vault's approvals. Free it with sealite_approvals_free().
 *
 * @param vault  A handle; not NULL.
 * @param[out] approvals  To be freed with sealite_approvals_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_approvals(sealite_vault *vault,
                                       sealite_approvals **approvals,
                                       sealite_error **error);

/**
 * Makes a handle to the tenant's approvals. Free it with sealite_approvals_free().
 *
 * @param tenant  A handle; not NULL.
 * @param[out] approvals  To be freed with sealite_approvals_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tenant_approvals(sealite_tenant *tenant,
                                        sealite_approvals **approvals,
                                        sealite_error **error);

/**
 * Asks for approval, and gives the id of the request, which no one can guess. Free it with sealite_bytes_free().
 *
 * SEALITE_INVALID_INPUT for an empty or overlong text, an expiry out of range, or a payload that is not JSON with one
 * meaning (RFC 7493); SEALITE_LIMIT for a payload of more than 1 MiB.
 *
 * @param approvals  A handle; not NULL.
 * @param request  A handle; not NULL.
 * @param[out] id  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_approvals_ask(sealite_approvals *approvals,
                                     const sealite_approval_request *request,
                                     sealite_bytes **id,
                                     sealite_error **error);

/**
 * Reads a request as it stands now. One row: `id`, `action`, `payload_hash` (32 bytes), `requester`, `subject`,
 * `session`, `state` ("pending", "approved", "rejected", "executed" or "expired"), `exclude_requester`, `allowed_roles`
 * (one a line), `created_at`, `expires_at`, `approver`, `role`, `reason`, `decided_at`, `executed_at`, `keep_ms`
 * (how long it can still be read once it has ended). Times are in milliseconds since 1970.
 *
 * SEALITE_NOT_FOUND where there is none of this id.
 *
 * @param approvals  A handle; not NULL.
 * @param id,id_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_approvals_get(sealite_approvals *approvals,
                                     const char *id,
                                     size_t id_length,
                                     sealite_rows **rows,
                                     sealite_error **error);

/**
 * Reads the requests that wait for a decision, of a subject, of a session, or of both; with NULL for both all of them. In
 * the order in which they were made. Rows: as of sealite_approvals_get().
 *
 * @param approvals  A handle; not NULL.
 * @param subject,subject_length  UTF-8; may be NULL.
 * @param session,session_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_approvals_list_pending(sealite_approvals *approvals,
                                              const char *subject,
                                              size_t subject_length,
                                              const char *session,
                                              size_t session_length,
                                              sealite_rows **rows,
                                              sealite_error **error);

/**
 * Decides a request, once: `verdict` is a sealite_verdict. `approver` is compared with the requester byte for byte; `role`
 * is what the application has found the approver to be. `role`, `reason` and `rows` may be NULL. Rows: as of
 * sealite_approvals_get().
 *
 * SEALITE_NOT_FOUND; SEALITE_ALREADY_DECIDED; SEALITE_EXPIRED; SEALITE_DENIED where the policy keeps this approver or
 * role from deciding.
 *
 * @param approvals  A handle; not NULL.
 * @param id,id_length  UTF-8; not NULL.
 * @param verdict  A sealite_verdict; any other number is SEALITE_INVALID_INPUT.
 * @param approver,approver_length  UTF-8; not NULL.
 * @param role,role_length  UTF-8; may be NULL.
 * @param reason,reason_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_approvals_decide(sealite_approvals *approvals,
                                        const char *id,
                                        size_t id_length,
                                        int32_t verdict,
                                        const char *approver,
                                        size_t approver_length,
                                        const char *role,
                                        size_t role_length,
                                        const char *reason,
                                        size_t reason_length,
                                        sealite_rows **rows,
                                        sealite_error **error);

/**
 * Claims the execution of an approved request, once, for the payload that was approved. Whoever gets SEALITE_OK is the
 * only one who does. `rows`, as of sealite_approvals_get(), may be NULL.
 *
 * SEALITE_NOT_FOUND; SEALITE_DENIED where it is not approved; SEALITE_ALREADY_DECIDED where it has been executed;
 * SEALITE_EXPIRED; SEALITE_PAYLOAD_CHANGED.
 *
 * @param approvals  A handle; not NULL.
 * @param id,id_length  UTF-8; not NULL.
 * @param payload_json,payload_json_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_approvals_claim(sealite_approvals *approvals,
                                       const char *id,
                                       size_t id_length,
                                       const char *payload_json,
                                       size_t payload_json_length,
                                       sealite_rows **rows,
                                       sealite_error **error);

/**
 * Waits until the request is no longer pending, at most so many milliseconds; the row is the request as it then stands,
 * pending still where the time is up. Blocks the calling thread, and holds neither a lock nor a connection meanwhile.
 * Rows: as of sealite_approvals_get().
 *
 * @param approvals  A handle; not NULL.
 * @param id,id_length  UTF-8; not NULL.
 * @param timeout_ms  A uint64_t, in milliseconds.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_approvals_wait(sealite_approvals *approvals,
                                      const char *id,
                                      size_t id_length,
                                      uint64_t timeout_ms,
                                      sealite_rows **rows,
                                      sealite_error **error);

/**
 * Writes down what has expired, in short transactions, and writes how many; `expired` may be NULL. The vault's own handle
 * does so for every tenant. Without it an overdue request is refused all the same.
 *
 * SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param approvals  A handle; not NULL.
 * @param[out] expired  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_approvals_sweep(sealite_approvals *approvals,
                                       uint64_t *expired,
                                       sealite_error **error);

/**
 * Frees the handle. NULL is fine.
 *
 * @param approvals  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_approvals_free(sealite_approvals *approvals);

/**
 * Makes a request for an action with a payload, as JSON text. Of the payload only its hash is kept: SHA-256 of its
 * canonical form (RFC 8785). Free it with sealite_approval_request_free().
 *
 * @param action,action_length  UTF-8; not NULL.
 * @param payload_json,payload_json_length  UTF-8; not NULL.
 * @param requester,requester_length  UTF-8; not NULL.
 * @param[out] request  To be freed with sealite_approval_request_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_approval_request_create(const char *action,
                                               size_t action_length,
                                               const char *payload_json,
                                               size_t payload_json_length,
                                               const char *requester,
                                               size_t requester_length,
                                               sealite_approval_request **request,
                                               sealite_error **error);

/**
 * Says whom or what it concerns.
 *
 * @param request  A handle; not NULL.
 * @param subject,subject_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_approval_request_set_subject(sealite_approval_request *request,
                                                    const char *subject,
                                                    size_t subject_length,
                                                    sealite_error **error);

/**
 * Names the session that it belongs to.
 *
 * @param request  A handle; not NULL.
 * @param session,session_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_approval_request_set_session(sealite_approval_request *request,
                                                    const char *session,
                                                    size_t session_length,
                                                    sealite_error **error);

/**
 * Sets how long it can be decided, and once approved executed: a millisecond to 366 days.
 *
 * @param request  A handle; not NULL.
 * @param milliseconds  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_approval_request_set_expires_in(sealite_approval_request *request,
                                                       uint64_t milliseconds,
                                                       sealite_error **error);

/**
 * Sets for how many `milliseconds` the request can still be read once it was rejected, executed, or has expired: up to
 * 3,660 days, by default 30. Then it is removed, and unknown; what has become of it stays in the audit trail.
 *
 * The time is checked by sealite_approvals_ask(): SEALITE_INVALID_INPUT for a longer one. SEALITE_BUSY where another
 * thread uses `request`.
 *
 * @param request  A handle; not NULL.
 * @param milliseconds  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_approval_request_set_keep_for(sealite_approval_request *request,
                                                     uint64_t milliseconds,
                                                     sealite_error **error);

/**
 * Lets the requester decide, too.
 *
 * @param request  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_approval_request_set_requester_may_decide(sealite_approval_request *request,
                                                                 sealite_error **error);

/**
 * Adds a role to those that may decide; without one any role may.
 *
 * @param request  A handle; not NULL.
 * @param role,role_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_approval_request_add_allowed_role(sealite_approval_request *request,
                                                         const char *role,
                                                         size_t role_length,
                                                         sealite_error **error);

/**
 * Frees the request. NULL is fine.
 *
 * @param request  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_approval_request_free(sealite_approval_request *request);

/**
 * Makes an entry with the name of its event, such as `user.login`. Free it with sealite_entry_free().
 *
 * @param event,event_length  UTF-8; not NULL.
 * @param[out] entry  To be freed with sealite_entry_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_entry_create(const char *event,
                                    size_t event_length,
                                    sealite_entry **entry,
                                    sealite_error **error);

/**
 * Says who did it. Sealed.
 *
 * @param entry  A handle; not NULL.
 * @param actor,actor_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `entry` are SEALITE_BUSY.
 */
sealite_status sealite_entry_set_actor(sealite_entry *entry,
                                       const char *actor,
                                       size_t actor_length,
                                       sealite_error **error);

/**
 * Says whose data it concerns. Sealed.
 *
 * @param entry  A handle; not NULL.
 * @param subject,subject_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `entry` are SEALITE_BUSY.
 */
sealite_status sealite_entry_set_subject(sealite_entry *entry,
                                         const char *subject,
                                         size_t subject_length,
                                         sealite_error **error);

/**
 * Sets the trace that it belongs to. Readable in the file.
 *
 * @param entry  A handle; not NULL.
 * @param trace_id,trace_id_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `entry` are SEALITE_BUSY.
 */
sealite_status sealite_entry_set_trace_id(sealite_entry *entry,
                                          const char *trace_id,
                                          size_t trace_id_length,
                                          sealite_error **error);

/**
 * Sets a correlation id. Readable in the file.
 *
 * @param entry  A handle; not NULL.
 * @param correlation_id,correlation_id_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `entry` are SEALITE_BUSY.
 */
sealite_status sealite_entry_set_correlation_id(sealite_entry *entry,
                                                const char *correlation_id,
                                                size_t correlation_id_length,
                                                sealite_error **error);

/**
 * Says what happened, as JSON text. It is brought to its canonical form (RFC 8785) and sealed.
 *
 * @param entry  A handle; not NULL.
 * @param json,json_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `entry` are SEALITE_BUSY.
 */
sealite_status sealite_entry_set_payload(sealite_entry *entry,
                                         const char *json,
                                         size_t json_length,
                                         sealite_error **error);

/**
 * Frees the entry. NULL is fine.
 *
 * @param entry  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_entry_free(sealite_entry *entry);

/**
 * Makes a handle to the vault's audit trail. Free it with sealite_audit_free().
 *
 * @param vault  A handle; not NULL.
 * @param[out] audit  To be freed with sealite_audit_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_audit(sealite_vault *vault,
                                   sealite_audit **audit,
                                   sealite_error **error);

/**
 * Makes a handle to the audit trail as far as it is the tenant's. Free it with sealite_audit_free().
 *
 * @param tenant  A handle; not NULL.
 * @param[out] audit  To be freed with sealite_audit_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tenant_audit(sealite_tenant *tenant,
                                    sealite_audit **audit,
                                    sealite_error **error);

/**
 * Appends an entry in a transaction of its own, and writes its place in the chain; `seq` may be NULL. To record a change,
 * append in the transaction of that change: sealite_transaction_audit().
 *
 * @param audit  A handle; not NULL.
 * @param entry  A handle; not NULL.
 * @param[out] seq  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_append(sealite_audit *audit,
                                    const sealite_entry *entry,
                                    int64_t *seq,
                                    sealite_error **error);

/**
 * Appends an entry in this transaction: the change that it records happens only with it. `seq` may be NULL.
 *
 * SEALITE_CLOSED where the transaction has ended; SEALITE_LIMIT for an entry that is too long.
 *
 * @param transaction  A handle; not NULL.
 * @param entry  A handle; not NULL.
 * @param[out] seq  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_audit(sealite_transaction *transaction,
                                         const sealite_entry *entry,
                                         int64_t *seq,
                                         sealite_error **error);

/**
 * As sealite_audit_append(), for what may be lost: a failure of the vault is counted, not returned.
 *
 * @param audit  A handle; not NULL.
 * @param entry  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_append_best_effort(sealite_audit *audit,
                                                const sealite_entry *entry,
                                                sealite_error **error);

/**
 * Writes how many entries of best effort this process has lost.
 *
 * @param audit  A handle; not NULL.
 * @param[out] lost  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_lost(sealite_audit *audit, uint64_t *lost, sealite_error **error);

/**
 * Reads the last entries, the newest last. Rows: `seq`, `at` (milliseconds since 1970), `event`, `actor`, `tenant`,
 * `subject`, `trace_id`, `correlation_id`, `payload` (canonical JSON), `json` (the entry as a line of JSON Lines, with
 * its line feed), `erased` (its subject has been erased: actor, subject and payload are gone).
 *
 * SEALITE_AUTHENTICATION_FAILED where one of the `entries` is not what was written: sealite_audit_verify() says which.
 *
 * @param audit  A handle; not NULL.
 * @param entries  A size_t.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_tail(sealite_audit *audit,
                                  size_t entries,
                                  sealite_rows **rows,
                                  sealite_error **error);

/**
 * Reads the next entries behind the place `after` in the chain, 0 for the first, and writes the place to go on from to
 * `next`, 0 at the end. A batch may be empty before the end. `from_ms` and `until_ms` (milliseconds since 1970) and
 * `tenant` limit which entries; each may be NULL. Rows: as of sealite_audit_tail().
 *
 * @param audit  A handle; not NULL.
 * @param after  An int64_t.
 * @param from_ms  An int64_t; may be NULL.
 * @param until_ms  An int64_t; may be NULL.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @param[out] next  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_page(sealite_audit *audit,
                                  int64_t after,
                                  const int64_t *from_ms,
                                  const int64_t *until_ms,
                                  const char *tenant,
                                  size_t tenant_length,
                                  sealite_rows **rows,
                                  int64_t *next,
                                  sealite_error **error);

/**
 * Writes entries as JSON Lines to one file a day (UTC) in the folder; a file that is there is continued behind its last
 * entry. `from_ms`, `until_ms` and `tenant` as of sealite_audit_page(). Rows: `path`, `entries` that were added.
 *
 * @param audit  A handle; not NULL.
 * @param folder,folder_length  UTF-8; not NULL.
 * @param from_ms  An int64_t; may be NULL.
 * @param until_ms  An int64_t; may be NULL.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_export_daily(sealite_audit *audit,
                                          const char *folder,
                                          size_t folder_length,
                                          const int64_t *from_ms,
                                          const int64_t *until_ms,
                                          const char *tenant,
                                          size_t tenant_length,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * Writes the entries of `audit` as JSON Lines to the new file `path` with mode 0600, in the order of the chain, and how
 * many to `entries`, which may be NULL. `from_ms`, `until_ms` and `tenant` as of sealite_audit_page(). Memory is bounded.
 *
 * SEALITE_REFUSED where a file has the name already; SEALITE_NOT_FOUND without the folder; SEALITE_READ_ONLY,
 * SEALITE_FULL, SEALITE_IO; SEALITE_AUTHENTICATION_FAILED where an entry is not what was written. There is no file then.
 *
 * @param audit  A handle; not NULL.
 * @param path,path_length  UTF-8; not NULL.
 * @param from_ms  An int64_t; may be NULL.
 * @param until_ms  An int64_t; may be NULL.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param[out] entries  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_export(sealite_audit *audit,
                                    const char *path,
                                    size_t path_length,
                                    const int64_t *from_ms,
                                    const int64_t *until_ms,
                                    const char *tenant,
                                    size_t tenant_length,
                                    uint64_t *entries,
                                    sealite_error **error);

/**
 * Walks the whole chain, and compares it with a checkpoint that was kept outside, or NULL. Writes true to `sound` where
 * nothing is wrong. Rows: `fault` ("edited", "missing", "broken", "truncated" or "replaced"), `seq`, `until` (of
 * "missing": the last one).
 *
 * SEALITE_ROLLED_BACK where the checkpoint is under an audit key that the file does not have yet;
 * SEALITE_AUTHENTICATION_FAILED for another vault's; SEALITE_INVALID_INPUT for a text that is none. What does not
 * verify is no failure: it stands in `rows`.
 *
 * @param audit  A handle; not NULL.
 * @param checkpoint,checkpoint_length  UTF-8; may be NULL.
 * @param[out] sound  The caller's own; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_verify(sealite_audit *audit,
                                    const char *checkpoint,
                                    size_t checkpoint_length,
                                    bool *sound,
                                    sealite_rows **rows,
                                    sealite_error **error);

/**
 * As sealite_audit_verify(), of what came after the checkpoint only.
 *
 * @param audit  A handle; not NULL.
 * @param checkpoint,checkpoint_length  UTF-8; not NULL.
 * @param[out] sound  The caller's own; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_verify_since(sealite_audit *audit,
                                          const char *checkpoint,
                                          size_t checkpoint_length,
                                          bool *sound,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * Says how far the chain goes now, as a text of 150 characters to be kept outside the file; no secret. Free it with
 * sealite_bytes_free().
 *
 * @param audit  A handle; not NULL.
 * @param[out] checkpoint  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_checkpoint(sealite_audit *audit,
                                        sealite_bytes **checkpoint,
                                        sealite_error **error);

/**
 * Reads a `checkpoint` of the vault of `audit` that was kept outside: writes to `seq` how many entries the chain had, and
 * to `at_ms` when it was made, in milliseconds since 1970. Each may be NULL.
 *
 * SEALITE_INVALID_INPUT for a text that is none; SEALITE_AUTHENTICATION_FAILED for another vault's, or an altered one;
 * SEALITE_ROLLED_BACK where it is under an audit key that the file does not have yet.
 *
 * @param audit  A handle; not NULL.
 * @param checkpoint,checkpoint_length  UTF-8; not NULL.
 * @param[out] seq  The caller's own; may be NULL.
 * @param[out] at_ms  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_read_checkpoint(sealite_audit *audit,
                                             const char *checkpoint,
                                             size_t checkpoint_length,
                                             int64_t *seq,
                                             int64_t *at_ms,
                                             sealite_error **error);

/**
 * Drops entries up to and including `through`, at most 10,000 in one call, and writes the last one dropped; `dropped` may
 * be NULL. The trail records it, and goes on from there. Export them before.
 *
 * SEALITE_AUTHENTICATION_FAILED where what is to be dropped, or an entry shortly behind it, does not verify: nothing
 * is dropped then; SEALITE_NOT_FOUND where the trail does not reach that far.
 *
 * @param audit  A handle; not NULL.
 * @param through  An int64_t.
 * @param[out] dropped  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_audit_retain_after(sealite_audit *audit,
                                          int64_t through,
                                          int64_t *dropped,
                                          sealite_error **error);

/**
 * Frees the handle. NULL is fine.
 *
 * @param audit  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_audit_free(sealite_audit *audit);

/**
 * Sets the ids of the request that the calling thread works at, for all entries of the audit trail that its calls lead to from
 * now on: the program's own and the engine's (`token.issued`, `setting.changed` and so on). An id that an entry names itself
 * goes before. `correlation_id` may be NULL. With NULL for both the request has ended: a thread that serves others calls it so.
 * A runtime that moves its tasks between threads sets it before each call, on the thread that makes the call.
 *
 * SEALITE_INVALID_INPUT for an empty id, and for a correlation id alone; SEALITE_LIMIT for one of more than 256 bytes.
 *
 * @param trace_id,trace_id_length  UTF-8; may be NULL.
 * @param correlation_id,correlation_id_length  UTF-8; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_trace_set(const char *trace_id,
                                 size_t trace_id_length,
                                 const char *correlation_id,
                                 size_t correlation_id_length,
                                 sealite_error **error);

/**
 * Reads what sealite_trace_set() has set for the calling thread: `trace_id` and `correlation_id`, each NULL where it has
 * none. Free both with sealite_bytes_free(). `correlation_id` may be left out with NULL.
 *
 * SEALITE_INVALID_INPUT where `trace_id` is left out.
 *
 * @param[out] trace_id  To be freed with sealite_bytes_free(); not NULL.
 * @param[out] correlation_id  To be freed with sealite_bytes_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_trace_current(sealite_bytes **trace_id,
                                     sealite_bytes **correlation_id,
                                     sealite_error **error);

/**
 * Makes a handle to a field of the vault. Free it with sealite_field_free().
 *
 * @param vault  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] field  To be freed with sealite_field_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_field(sealite_vault *vault,
                                   const char *name,
                                   size_t name_length,
                                   sealite_field **field,
                                   sealite_error **error);

/**
 * Makes a handle to a field of the tenant. Free it with sealite_field_free().
 *
 * @param tenant  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] field  To be freed with sealite_field_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tenant_field(sealite_tenant *tenant,
                                    const char *name,
                                    size_t name_length,
                                    sealite_field **field,
                                    sealite_error **error);

/**
 * Makes a handle to the same field that pads what it seals in another way: a sealite_padding, and for
 * SEALITE_PADDING_BLOCK the bytes of a block.
 *
 * @param field  A handle; not NULL.
 * @param kind  A sealite_padding; any other number is SEALITE_INVALID_INPUT.
 * @param block  A uint32_t.
 * @param[out] padded  To be freed with sealite_field_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_field_padded(const sealite_field *field,
                                    int32_t kind,
                                    uint32_t block,
                                    sealite_field **padded,
                                    sealite_error **error);

/**
 * Seals a value: a record of at least 79 bytes. NULL is sealed too, and hidden. `record` is the id of the row that will
 * hold it, or NULL: given, nobody can move the value to another row. Free what is sealed with sealite_bytes_free().
 *
 * @param field  A handle; not NULL.
 * @param value  A value; not NULL.
 * @param record  The id of a row; may be NULL.
 * @param[out] sealed  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_field_seal(const sealite_field *field,
                                  const sealite_value *value,
                                  const sealite_value *record,
                                  sealite_bytes **sealed,
                                  sealite_error **error);

/**
 * Seals many values. `records` has as many ids, or is NULL. Rows: `sealed`, in the order of the values.
 *
 * SEALITE_LOCKED; SEALITE_INVALID_INPUT as of sealite_field_seal().
 *
 * @param field  A handle; not NULL.
 * @param values  An array of values; NULL where there are none.
 * @param records,count  An array of ids, as long as the one before it; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_field_seal_many(const sealite_field *field,
                                       const sealite_value *values,
                                       const sealite_value *records,
                                       size_t count,
                                       sealite_rows **rows,
                                       sealite_error **error);

/**
 * Opens a sealed value. `value` points into `memory`, which is to be freed with sealite_bytes_free().
 *
 * SEALITE_AUTHENTICATION_FAILED where it was sealed for another field, tenant or record, or altered.
 *
 * @param field  A handle; not NULL.
 * @param sealed,sealed_length  Bytes; NULL where there are none.
 * @param record  The id of a row; may be NULL.
 * @param[out] value  What it points to is not the caller's; not NULL.
 * @param[out] memory  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_field_open(const sealite_field *field,
                                  const void *sealed,
                                  size_t sealed_length,
                                  const sealite_value *record,
                                  sealite_value *value,
                                  sealite_bytes **memory,
                                  sealite_error **error);

/**
 * Opens many sealed values, given as SEALITE_BLOB. `records` has as many ids, or is NULL. The first that does not open
 * fails the call. Rows: `value`, in their order.
 *
 * @param field  A handle; not NULL.
 * @param sealed  An array of values; NULL where there are none.
 * @param records,count  An array of ids, as long as the one before it; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_field_open_many(const sealite_field *field,
                                       const sealite_value *sealed,
                                       const sealite_value *records,
                                       size_t count,
                                       sealite_rows **rows,
                                       sealite_error **error);

/**
 * Makes the blind index of a value, to be kept in a column of its own and compared for equality: 16 bytes for `unique`,
 * an integer for `lookup COUNT`, NULL for NULL. `index` is the index's specification, such as `unique email`. `indexed`
 * points into `memory`, which is to be freed with sealite_bytes_free().
 *
 * SEALITE_REFUSED for a look-up over fewer than 1,024 different values, unless the leakage is accepted.
 *
 * @param field  A handle; not NULL.
 * @param value  A value; not NULL.
 * @param index,index_length  UTF-8; not NULL.
 * @param[out] indexed  What it points to is not the caller's; not NULL.
 * @param[out] memory  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_field_index(const sealite_field *field,
                                   const sealite_value *value,
                                   const char *index,
                                   size_t index_length,
                                   sealite_value *indexed,
                                   sealite_bytes **memory,
                                   sealite_error **error);

/**
 * As sealite_field_index() of `field`, of the `value_count` values at `values`. `index` is the index's specification.
 * `rows`, free it with sealite_rows_free(): `index`, in the order of `values`.
 *
 * SEALITE_REFUSED as there; the first value that has no index fails the call.
 *
 * @param field  A handle; not NULL.
 * @param values,value_count  An array of values; NULL where there are none.
 * @param index,index_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_field_index_many(const sealite_field *field,
                                        const sealite_value *values,
                                        size_t value_count,
                                        const char *index,
                                        size_t index_length,
                                        sealite_rows **rows,
                                        sealite_error **error);

/**
 * Makes every blind index that stands for a value: that of sealite_field_index() first and then, until the index keys that a
 * rotation has retired are destroyed, those under them. A look-up asks for all. Rows: `index`.
 *
 * @param field  A handle; not NULL.
 * @param value  A value; not NULL.
 * @param index,index_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_field_index_values(const sealite_field *field,
                                          const sealite_value *value,
                                          const char *index,
                                          size_t index_length,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * Seals a value anew where it is under a key that a rotation has retired; `fresh` is set to NULL where it is not. Free what
 * is sealed with sealite_bytes_free().
 *
 * SEALITE_AUTHENTICATION_FAILED where it was sealed for another field, tenant or record, or altered.
 *
 * @param field  A handle; not NULL.
 * @param sealed,sealed_length  Bytes; NULL where there are none.
 * @param record  The id of a row; may be NULL.
 * @param[out] fresh  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_field_reseal(const sealite_field *field,
                                    const void *sealed,
                                    size_t sealed_length,
                                    const sealite_value *record,
                                    sealite_bytes **fresh,
                                    sealite_error **error);

/**
 * Frees the handle. NULL is fine.
 *
 * @param field  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_field_free(sealite_field *field);

/**
 * Tells whether the vault is in order. Waits for no writer; the work is bounded, some milliseconds. Writes true to `ready`
 * where nothing is wrong, and to `usable` where reads and writes work, though something may ask for attention. Rows:
 * `reason` (such as "read_only" or "audit_broken"; safe to show), `blocking`, `error` (the name of the error that ended the
 * check early, such as "corrupt", and `message`, what it says, for a log; SEALITE_NULL where it ran to its end. The same in
 * each row).
 *
 * @param vault  A handle; not NULL.
 * @param[out] ready  The caller's own; not NULL.
 * @param[out] usable  The caller's own; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_health(sealite_vault *vault,
                                    bool *ready,
                                    bool *usable,
                                    sealite_rows **rows,
                                    sealite_error **error);

/**
 * Writes what this process has done with the vault as Prometheus reads it. Figures only: no value, key or name of a row,
 * table or tenant. `names` holds `name_count` pairs of a name wanted and the engine's, for metrics that are charted under
 * another name already. Free the text with sealite_bytes_free().
 *
 * @param vault  A handle; not NULL.
 * @param names,name_count  An array of texts; NULL where there are none.
 * @param[out] text  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_metrics(sealite_vault *vault,
                                     const sealite_string *names,
                                     size_t name_count,
                                     sealite_bytes **text,
                                     sealite_error **error);

/**
 * Adds to a counter of the application's own, which sealite_vault_metrics() shows under that name. Needs no key.
 *
 * SEALITE_INVALID_INPUT for a name that Prometheus does not take or that begins with `sealite_`; SEALITE_LIMIT for more
 * than 1,000 names.
 *
 * @param vault  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param by  A uint64_t.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_count(sealite_vault *vault,
                                   const char *name,
                                   size_t name_length,
                                   uint64_t by,
                                   sealite_error **error);

/**
 * Accepts the system's clock as it is, after it has been set back, or after it has been far ahead. Audited.
 *
 * SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param vault  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_accept_clock(sealite_vault *vault,
                                          sealite_error **error);

/**
 * Sets the clock of this handle and those made from it, in milliseconds since 1970, for tests; NULL gives it back to the
 * system.
 *
 * @param vault  A handle; not NULL.
 * @param clock_ms  An int64_t; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_set_clock(sealite_vault *vault,
                                       const int64_t *clock_ms,
                                       sealite_error **error);

/**
 * Reads the figures of sealite_vault_metrics() of `vault` one by one, for a program that shows them otherwise than
 * Prometheus reads them. Needs no key. `rows`, free it with sealite_rows_free(): `name`, `label`, `value`. `name` is
 * "uptime_ms", "gets", "finds", "inserts", "updates", "deletes", "scan_rows", "committed", "rolled_back", "busy",
 * "authentication_failures", "quota_charged", "quota_refused", "approvals_created", "approvals_decided", "settings_used",
 * "settings_revealed", "audit_appended", "audit_lost", "tokens_issued", "tokens_verified", "tokens_consumed",
 * "keys_locked", "keys_not_locked"; "tokens_rejected" with the reason as `label`; for each of "read", "write" and "commit"
 * as NAME "NAME_count" (calls that were measured), "NAME_ns" (their time in nanoseconds) and "NAME_bucket" (how many took
 * at most as many nanoseconds as `label` says); "application" with a name of sealite_vault_count() as `label`. `label` is
 * SEALITE_NULL otherwise. Later versions may add rows.
 *
 * @param vault  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_metrics_rows(sealite_vault *vault,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * Makes a hasher with a cost for new hashes: `memory_kib` (19,456 to 1,048,576), `passes` (2 to 16) and `lanes` (1 to 16);
 * all 0 for the default: 65,536, 3 and 4. Free it with sealite_password_hasher_free().
 *
 * SEALITE_LIMIT for a cost out of range.
 *
 * @param memory_kib  A uint32_t, in KiB.
 * @param passes  A uint32_t.
 * @param lanes  A uint32_t.
 * @param[out] hasher  To be freed with sealite_password_hasher_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_password_hasher_create(uint32_t memory_kib,
                                              uint32_t passes,
                                              uint32_t lanes,
                                              sealite_password_hasher **hasher,
                                              sealite_error **error);

/**
 * Makes the hash to store for a new password: ASCII, with the cost and a fresh salt in it. Keep it in a sealed column. Free
 * it with sealite_bytes_free().
 *
 * SEALITE_WEAK_KEY for an empty password; SEALITE_LIMIT for one of more than 4,096 bytes, and where the memory can't be had.
 *
 * @param hasher  A handle; not NULL.
 * @param password,password_length  Any bytes; not NULL.
 * @param[out] stored  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_password_hasher_hash(const sealite_password_hasher *hasher,
                                            const char *password,
                                            size_t password_length,
                                            sealite_bytes **stored,
                                            sealite_error **error);

/**
 * Writes true to `right` where the password is the one that `stored` was made of. NULL for `stored` is for a user who does
 * not exist: wrong, after as much work, so that the time does not tell who exists.
 *
 * SEALITE_INVALID_INPUT where `stored` is no hash that this reads, SEALITE_LIMIT where its cost is out of range; never for a
 * password, whatever it is.
 *
 * @param hasher  A handle; not NULL.
 * @param password,password_length  Any bytes; not NULL.
 * @param stored,stored_length  UTF-8; may be NULL.
 * @param[out] right  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_password_hasher_verify(const sealite_password_hasher *hasher,
                                              const char *password,
                                              size_t password_length,
                                              const char *stored,
                                              size_t stored_length,
                                              bool *right,
                                              sealite_error **error);

/**
 * As sealite_password_hasher_verify(). Where the password is right and its hash is not what this hasher would make, `better`
 * gets a new one, to be stored in the place of the old; else NULL. Free it with sealite_bytes_free().
 *
 * @param hasher  A handle; not NULL.
 * @param password,password_length  Any bytes; not NULL.
 * @param stored,stored_length  UTF-8; may be NULL.
 * @param[out] right  The caller's own; not NULL.
 * @param[out] better  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_password_hasher_verify_and_update(const sealite_password_hasher *hasher,
                                                         const char *password,
                                                         size_t password_length,
                                                         const char *stored,
                                                         size_t stored_length,
                                                         bool *right,
                                                         sealite_bytes **better,
                                                         sealite_error **error);

/**
 * Writes true to `needs` where a stored hash is not what this hasher would make: bcrypt, or another cost.
 *
 * SEALITE_INVALID_INPUT, SEALITE_LIMIT: as of sealite_password_hasher_verify().
 *
 * @param hasher  A handle; not NULL.
 * @param stored,stored_length  UTF-8; not NULL.
 * @param[out] needs  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_password_hasher_needs_rehash(const sealite_password_hasher *hasher,
                                                    const char *stored,
                                                    size_t stored_length,
                                                    bool *needs,
                                                    sealite_error **error);

/**
 * Frees the hasher. NULL is fine.
 *
 * @param hasher  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_password_hasher_free(sealite_password_hasher *hasher);

/**
 * Makes an empty set of limits. Free it with sealite_limits_free().
 *
 * @param[out] limits  To be freed with sealite_limits_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_limits_create(sealite_limits **limits, sealite_error **error);

/**
 * Adds limits as text: `30/minute`, `5 per 10 seconds`, `100/day`, several separated by `;` or `,`. All are sliding.
 *
 * SEALITE_INVALID_INPUT where it is no such text.
 *
 * @param limits  A handle; not NULL.
 * @param text,text_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `limits` are SEALITE_BUSY.
 */
sealite_status sealite_limits_parse(sealite_limits *limits,
                                    const char *text,
                                    size_t text_length,
                                    sealite_error **error);

/**
 * Adds a limit of `count` in any stretch of time as long as the window, 1 ms to 366 days.
 *
 * SEALITE_INVALID_INPUT for a count of 0, and a window that is not 1 ms to 366 days.
 *
 * @param limits  A handle; not NULL.
 * @param count  A uint32_t.
 * @param window_ms  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `limits` are SEALITE_BUSY.
 */
sealite_status sealite_limits_add_sliding(sealite_limits *limits,
                                          uint32_t count,
                                          uint64_t window_ms,
                                          sealite_error **error);

/**
 * Adds a limit of `count` in each window, where windows begin at multiples of their length since 1970 (UTC).
 *
 * SEALITE_INVALID_INPUT as of sealite_limits_add_sliding().
 *
 * @param limits  A handle; not NULL.
 * @param count  A uint32_t.
 * @param window_ms  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `limits` are SEALITE_BUSY.
 */
sealite_status sealite_limits_add_fixed(sealite_limits *limits,
                                        uint32_t count,
                                        uint64_t window_ms,
                                        sealite_error **error);

/**
 * Frees the limits. NULL is fine.
 *
 * @param limits  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_limits_free(sealite_limits *limits);

/**
 * Makes a handle to the vault's quotas. Free it with sealite_quotas_free().
 *
 * @param vault  A handle; not NULL.
 * @param[out] quotas  To be freed with sealite_quotas_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_quotas(sealite_vault *vault,
                                    sealite_quotas **quotas,
                                    sealite_error **error);

/**
 * Makes a handle to the tenant's quotas. Free it with sealite_quotas_free().
 *
 * @param tenant  A handle; not NULL.
 * @param[out] quotas  To be freed with sealite_quotas_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tenant_quotas(sealite_tenant *tenant,
                                     sealite_quotas **quotas,
                                     sealite_error **error);

/**
 * Charges `cost` under every limit, or, where one of them has less left, under none. A charge that is refused is no
 * failure: SEALITE_OK, and `decision` tells. The key (an address, an account, with the name of what is limited) is kept
 * as a MAC only. All calls for one key should give the same limits.
 *
 * SEALITE_INVALID_INPUT without a key or limit, or for a cost of 0; SEALITE_LIMIT for more than 8 limits; SEALITE_REFUSED
 * inside a transaction.
 *
 * @param quotas  A handle; not NULL.
 * @param key,key_length  UTF-8; not NULL.
 * @param limits  A handle; not NULL.
 * @param cost  A uint32_t.
 * @param[out] decision  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_quotas_check_and_charge(sealite_quotas *quotas,
                                               const char *key,
                                               size_t key_length,
                                               const sealite_limits *limits,
                                               uint32_t cost,
                                               sealite_decision *decision,
                                               sealite_error **error);

/**
 * Charges a failed attempt, for limits that count failures only: sealite_quotas_peek() before the attempt, and where it
 * has failed, this.
 *
 * @param quotas  A handle; not NULL.
 * @param key,key_length  UTF-8; not NULL.
 * @param limits  A handle; not NULL.
 * @param[out] decision  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_quotas_charge_failure(sealite_quotas *quotas,
                                             const char *key,
                                             size_t key_length,
                                             const sealite_limits *limits,
                                             sealite_decision *decision,
                                             sealite_error **error);

/**
 * Tells whether a charge of 1 would go through now. Charges nothing.
 *
 * SEALITE_INVALID_INPUT without a key or a limit; SEALITE_LOCKED.
 *
 * @param quotas  A handle; not NULL.
 * @param key,key_length  UTF-8; not NULL.
 * @param limits  A handle; not NULL.
 * @param[out] decision  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_quotas_peek(sealite_quotas *quotas,
                                   const char *key,
                                   size_t key_length,
                                   const sealite_limits *limits,
                                   sealite_decision *decision,
                                   sealite_error **error);

/**
 * Forgets what the key has used. Writes false to `found` where there was nothing; `found` may be NULL.
 *
 * SEALITE_REFUSED inside a transaction of this thread; SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param quotas  A handle; not NULL.
 * @param key,key_length  UTF-8; not NULL.
 * @param[out] found  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_quotas_reset(sealite_quotas *quotas,
                                    const char *key,
                                    size_t key_length,
                                    bool *found,
                                    sealite_error **error);

/**
 * Removes every row in which nothing counts any more, of every tenant, and writes how many; `removed` may be NULL.
 * Charges do so by and by; this is for a job at night.
 *
 * SEALITE_REFUSED inside a transaction of this thread; SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param quotas  A handle; not NULL.
 * @param[out] removed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_quotas_sweep(sealite_quotas *quotas,
                                    uint64_t *removed,
                                    sealite_error **error);

/**
 * Frees the handle. NULL is fine.
 *
 * @param quotas  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_quotas_free(sealite_quotas *quotas);

/**
 * Says what a rotation would do, and writes nothing. `kind` is a sealite_rotation, `tenant` NULL for the vault's own key. Rows:
 * one for each table with something to do, `table`, `records`; and one with NULL for all, in which `key` is the id of the
 * key that is active now and `estimate_ms` about how long it takes.
 *
 * SEALITE_NOT_FOUND for a tenant that has no such key.
 *
 * @param vault  A handle; not NULL.
 * @param kind  A sealite_rotation; any other number is SEALITE_INVALID_INPUT.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rotation_plan(sealite_vault *vault,
                                     int32_t kind,
                                     const char *tenant,
                                     size_t tenant_length,
                                     sealite_rows **rows,
                                     sealite_error **error);

/**
 * Makes the new key, and begins to bring everything under it. From here on every process writes under it; what is there opens
 * under the one before, and sealite_rotation_step() moves it. An audit key needs no more. Audited. Rows: one, as of
 * sealite_rotation_status(); `rows` may be NULL.
 *
 * SEALITE_CONFLICT where a rotation of this key has begun and not finished; SEALITE_NOT_FOUND for a tenant that has no such
 * key; SEALITE_AUTHENTICATION_FAILED where the table of keys is not what was written.
 *
 * @param vault  A handle; not NULL.
 * @param kind  A sealite_rotation; any other number is SEALITE_INVALID_INPUT.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rotation_begin(sealite_vault *vault,
                                      int32_t kind,
                                      const char *tenant,
                                      size_t tenant_length,
                                      sealite_rows **rows,
                                      sealite_error **error);

/**
 * Seals the next records anew, at most 500 and some 1 MiB, in one transaction: a program that is killed loses nothing, and
 * any other goes on. Call it until `state` is no more "running", with pauses in which others write. Rows: one, as of
 * sealite_rotation_status(); `rows` may be NULL.
 *
 * SEALITE_NOT_FOUND where none has begun; SEALITE_BUSY; SEALITE_AUTHENTICATION_FAILED where a row is not what was written.
 *
 * @param vault  A handle; not NULL.
 * @param kind  A sealite_rotation; any other number is SEALITE_INVALID_INPUT.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rotation_step(sealite_vault *vault,
                                     int32_t kind,
                                     const char *tenant,
                                     size_t tenant_length,
                                     sealite_rows **rows,
                                     sealite_error **error);

/**
 * Begins the rotation where none is in progress, and steps to its end, with pauses in which others write. Rows: one, as of
 * sealite_rotation_status(); `rows` may be NULL. Otherwise as sealite_rotation_begin() and sealite_rotation_step().
 *
 * @param vault  A handle; not NULL.
 * @param kind  A sealite_rotation; any other number is SEALITE_INVALID_INPUT.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rotation_run(sealite_vault *vault,
                                    int32_t kind,
                                    const char *tenant,
                                    size_t tenant_length,
                                    sealite_rows **rows,
                                    sealite_error **error);

/**
 * Changes every key: the master key first, as sealite_keys_rotate_master() does with `keep` and `drop_others`, then the audit
 * key, and for the vault and each tenant the index key, the data key and the pepper, with pauses in which others write. Old
 * keys are destroyed by sealite_rotation_destroy_retired(). A program that is killed loses nothing: sealite_rotation_run() or
 * another call of this goes on. `slots`: rows as of sealite_keys_rotate_master(). `rows`: as of sealite_rotation_status(), one
 * for each key. Both may be NULL.
 *
 * SEALITE_WRONG_KEY, SEALITE_REFUSED, SEALITE_LAST_SLOT as of sealite_keys_rotate_master(): nothing has changed then.
 * Otherwise as sealite_rotation_run().
 *
 * @param vault  A handle; not NULL.
 * @param keep,keep_count  An array of handles; none may be NULL.
 * @param drop_others  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @param[out] slots  To be freed with sealite_rows_free(); may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rotation_run_all(sealite_vault *vault,
                                        const sealite_unlock *const *keep,
                                        size_t keep_count,
                                        int32_t drop_others,
                                        sealite_rows **slots,
                                        sealite_rows **rows,
                                        sealite_error **error);

/**
 * Says how the last rotation of each key stands, in the order of their beginning. Rows: `kind` ("data", "index", "token" or
 * "audit"), `tenant` (NULL for the vault itself), `state` ("running", "waiting" for tokens that are still under the old
 * pepper, or "finished"), `old_key`, `new_key` (ids), `done`, `total`, `moved` (records), `left` (tokens), `started_at`,
 * `finished_at` (milliseconds since 1970; NULL where it has not), `remaining_ms` (NULL where that can't be told).
 *
 * SEALITE_LOCKED; SEALITE_AUTHENTICATION_FAILED where the table of keys is not what was written.
 *
 * @param vault  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rotation_status(sealite_vault *vault,
                                       sealite_rows **rows,
                                       sealite_error **error);

/**
 * Revokes the tokens that are still hashed under a retired pepper; `revoked` is set to how many, and may be NULL.
 *
 * SEALITE_NOT_FOUND for a tenant that has no such key; SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param vault  A handle; not NULL.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param[out] revoked  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rotation_revoke_left(sealite_vault *vault,
                                            const char *tenant,
                                            size_t tenant_length,
                                            uint64_t *revoked,
                                            sealite_error **error);

/**
 * Destroys the retired keys that a rotation has replaced, and overwrites what is left of them in the file. From then on they
 * are refused, also where an old row of them is put back. Audited. For data and index keys `fields_resealed` is 1 where no
 * single value outside of this file (sealite_field) is under them any more, which the engine can't see. Where the keys were
 * replaced a moment ago it waits for one second. Rows: `key`, the id of each; `rows` may be NULL.
 *
 * SEALITE_REFUSED while the rotation has not finished, or anything is under the keys, and for audit keys, which stay.
 *
 * @param vault  A handle; not NULL.
 * @param kind  A sealite_rotation; any other number is SEALITE_INVALID_INPUT.
 * @param tenant,tenant_length  UTF-8; may be NULL.
 * @param fields_resealed  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_rotation_destroy_retired(sealite_vault *vault,
                                                int32_t kind,
                                                const char *tenant,
                                                size_t tenant_length,
                                                int32_t fields_resealed,
                                                sealite_rows **rows,
                                                sealite_error **error);

/**
 * Makes an empty set of changes. Free it with sealite_changes_free().
 *
 * @param[out] changes  To be freed with sealite_changes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_changes_create(sealite_changes **changes, sealite_error **error);

/**
 * Sets a value, whatever it looks like: also one that equals the mask.
 *
 * @param changes  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param value  A value; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `changes` are SEALITE_BUSY.
 */
sealite_status sealite_changes_set(sealite_changes *changes,
                                   const char *name,
                                   size_t name_length,
                                   const sealite_value *value,
                                   sealite_error **error);

/**
 * Takes the value away: what holds then is the platform's, the environment's or the default.
 *
 * @param changes  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `changes` are SEALITE_BUSY.
 */
sealite_status sealite_changes_clear(sealite_changes *changes,
                                     const char *name,
                                     size_t name_length,
                                     sealite_error **error);

/**
 * Does what a form has sent back: the text that the setting showed (`shown` of sealite_settings_read()) keeps, an empty
 * one keeps (`blank_keeps` 1) or clears (0), any other is set, read in the setting's type. A text that is the mask of
 * some other value is refused.
 *
 * @param changes  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param shown,shown_length  UTF-8; not NULL.
 * @param blank_keeps  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `changes` are SEALITE_BUSY.
 */
sealite_status sealite_changes_form(sealite_changes *changes,
                                    const char *name,
                                    size_t name_length,
                                    const char *shown,
                                    size_t shown_length,
                                    int32_t blank_keeps,
                                    sealite_error **error);

/**
 * Wipes and frees the changes. NULL is fine.
 *
 * @param changes  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_changes_free(sealite_changes *changes);

/**
 * Declares a setting that is not secret and has no default; `kind` is a sealite_type, and neither SEALITE_NULL nor
 * SEALITE_BLOB. Free it with sealite_setting_definition_free().
 *
 * @param name,name_length  UTF-8; not NULL.
 * @param kind  A sealite_type; any other number is SEALITE_INVALID_INPUT.
 * @param[out] definition  To be freed with sealite_setting_definition_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_setting_definition_create(const char *name,
                                                 size_t name_length,
                                                 int32_t kind,
                                                 sealite_setting_definition **definition,
                                                 sealite_error **error);

/**
 * Makes reads show a mask.
 *
 * @param definition  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_secret(sealite_setting_definition *definition,
                                                     sealite_error **error);

/**
 * Makes the mask of a secret text of 16 characters or more end with its last four.
 *
 * @param definition  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_show_last_four(sealite_setting_definition *definition,
                                                             sealite_error **error);

/**
 * Sets the category, for lists.
 *
 * @param definition  A handle; not NULL.
 * @param category,category_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_category(sealite_setting_definition *definition,
                                                       const char *category,
                                                       size_t category_length,
                                                       sealite_error **error);

/**
 * Sets the description. It is readable in the file.
 *
 * @param definition  A handle; not NULL.
 * @param description,description_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_description(sealite_setting_definition *definition,
                                                          const char *description,
                                                          size_t description_length,
                                                          sealite_error **error);

/**
 * Says that a change takes effect only after the application has been started anew.
 *
 * @param definition  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_requires_restart(sealite_setting_definition *definition,
                                                               sealite_error **error);

/**
 * Sets the value where neither the vault nor the environment has one. Kept sealed.
 *
 * @param definition  A handle; not NULL.
 * @param value  A value; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_default(sealite_setting_definition *definition,
                                                      const sealite_value *value,
                                                      sealite_error **error);

/**
 * Names the environment variable that counts where the vault has no value. An empty one counts as unset.
 *
 * @param definition  A handle; not NULL.
 * @param variable,variable_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_environment(sealite_setting_definition *definition,
                                                          const char *variable,
                                                          size_t variable_length,
                                                          sealite_error **error);

/**
 * Makes sealite_settings_check() always ask for it.
 *
 * @param definition  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_required(sealite_setting_definition *definition,
                                                       sealite_error **error);

/**
 * Sets the least number of characters that sealite_settings_check() accepts.
 *
 * @param definition  A handle; not NULL.
 * @param characters  A uint32_t.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_min_length(sealite_setting_definition *definition,
                                                         uint32_t characters,
                                                         sealite_error **error);

/**
 * Names a boolean setting: while it is true, this one can't be cleared.
 *
 * @param definition  A handle; not NULL.
 * @param setting,setting_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_guard(sealite_setting_definition *definition,
                                                    const char *setting,
                                                    size_t setting_length,
                                                    sealite_error **error);

/**
 * Sets how many `versions` are kept of each value, the one that holds among them: 1 to 10,000, by default 50. The write
 * after that drops the oldest. sealite_settings_history() and sealite_settings_roll_back() reach those that are kept.
 *
 * The number is checked where the setting is declared: SEALITE_INVALID_INPUT for another. SEALITE_BUSY where another
 * thread uses `definition`.
 *
 * @param definition  A handle; not NULL.
 * @param versions  A uint32_t.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `definition` are SEALITE_BUSY.
 */
sealite_status sealite_setting_definition_set_keep_versions(sealite_setting_definition *definition,
                                                            uint32_t versions,
                                                            sealite_error **error);

/**
 * Frees the declaration. NULL is fine.
 *
 * @param definition  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_setting_definition_free(sealite_setting_definition *definition);

/**
 * Makes a handle to the vault's settings. Free it with sealite_settings_free().
 *
 * @param vault  A handle; not NULL.
 * @param[out] settings  To be freed with sealite_settings_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_settings(sealite_vault *vault,
                                      sealite_settings **settings,
                                      sealite_error **error);

/**
 * Makes a handle to the settings as they hold for the tenant. Free it with sealite_settings_free().
 *
 * @param tenant  A handle; not NULL.
 * @param[out] settings  To be freed with sealite_settings_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tenant_settings(sealite_tenant *tenant,
                                       sealite_settings **settings,
                                       sealite_error **error);

/**
 * Declares a setting, or changes its declaration. Writes true to `changed` where anything was written; `changed` may be
 * NULL. What was secret stays so.
 *
 * SEALITE_DEFINITION where it is stored with another type; SEALITE_NOT_ALLOWED on a tenant.
 *
 * @param settings  A handle; not NULL.
 * @param definition  A handle; not NULL.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_define(sealite_settings *settings,
                                       const sealite_setting_definition *definition,
                                       bool *changed,
                                       sealite_error **error);

/**
 * Declares several settings in `settings`, all or none: as sealite_settings_define(). `definitions` holds
 * `definition_count` handles, which stay the caller's. `changed` may be NULL.
 *
 * SEALITE_DEFINITION where one is stored with another type; SEALITE_NOT_ALLOWED on a tenant.
 *
 * @param settings  A handle; not NULL.
 * @param definitions,definition_count  An array of handles; none may be NULL.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_define_all(sealite_settings *settings,
                                           const sealite_setting_definition *const *definitions,
                                           size_t definition_count,
                                           bool *changed,
                                           sealite_error **error);

/**
 * Reads a setting, with a mask where it is secret. One row: `name`, `type`, `category`, `description`, `source` ("tenant",
 * "vault", "environment", "default" or "unset"), `is_set`, `is_secret`, `shown` (the text for a form or a list),
 * `version`, `changed_at` (milliseconds since 1970), `changed_by`, `requires_restart`, `required`, `environment`,
 * `value` (in its own type; SEALITE_NULL of one that is secret or has none), `has_default`, `min_length` (in characters, or
 * SEALITE_NULL), `guard` (the setting that guards it, or SEALITE_NULL), `shows_last_four`, `kept_versions`.
 *
 * SEALITE_NOT_FOUND where it is not declared.
 *
 * @param settings  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_read(sealite_settings *settings,
                                     const char *name,
                                     size_t name_length,
                                     sealite_rows **rows,
                                     sealite_error **error);

/**
 * Reads the settings of a category, or with NULL all of them, in the order of their names. Rows: as of
 * sealite_settings_read().
 *
 * @param settings  A handle; not NULL.
 * @param category,category_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_list(sealite_settings *settings,
                                     const char *category,
                                     size_t category_length,
                                     sealite_rows **rows,
                                     sealite_error **error);

/**
 * Reveals the value for the program to use: SEALITE_NULL where there is none. A change by another process shows within
 * 100 ms. Counted, not audited. `value` points into `memory`, which is to be freed with sealite_bytes_free().
 *
 * @param settings  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] value  What it points to is not the caller's; not NULL.
 * @param[out] memory  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_reveal_for_use(sealite_settings *settings,
                                               const char *name,
                                               size_t name_length,
                                               sealite_value *value,
                                               sealite_bytes **memory,
                                               sealite_error **error);

/**
 * Reveals the value for a person to see. It takes a reason, and is audited in the same transaction. A tenant sees what is
 * its own only. `value` points into `memory`, which is to be freed with sealite_bytes_free().
 *
 * SEALITE_NOT_FOUND where there is no value; SEALITE_DENIED where a tenant asks for what it inherits.
 *
 * @param settings  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param actor,actor_length  UTF-8; not NULL.
 * @param reason,reason_length  UTF-8; may be NULL.
 * @param[out] value  What it points to is not the caller's; not NULL.
 * @param[out] memory  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_reveal(sealite_settings *settings,
                                       const char *name,
                                       size_t name_length,
                                       const char *actor,
                                       size_t actor_length,
                                       const char *reason,
                                       size_t reason_length,
                                       sealite_value *value,
                                       sealite_bytes **memory,
                                       sealite_error **error);

/**
 * Writes how often sealite_settings_reveal_for_use() gave this setting out in this process.
 *
 * @param settings  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] uses  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_uses(sealite_settings *settings,
                                     const char *name,
                                     size_t name_length,
                                     uint64_t *uses,
                                     sealite_error **error);

/**
 * Writes settings, all or nothing. Rows: `name` of those that have changed; `rows` may be NULL.
 *
 * SEALITE_TYPE_MISMATCH, SEALITE_NOT_FOUND, and SEALITE_REFUSED for clearing what is guarded.
 *
 * @param settings  A handle; not NULL.
 * @param changes  A handle; not NULL.
 * @param actor,actor_length  UTF-8; not NULL.
 * @param reason,reason_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_write(sealite_settings *settings,
                                      const sealite_changes *changes,
                                      const char *actor,
                                      size_t actor_length,
                                      const char *reason,
                                      size_t reason_length,
                                      sealite_rows **rows,
                                      sealite_error **error);

/**
 * Lists the values that the setting has had in this vault, or for this tenant, the oldest first. Rows: `version`,
 * `changed_at` (milliseconds since 1970), `changed_by`, `reason`, `restored` (the version that it came from), `shown`
 * (masked), `is_set`.
 *
 * SEALITE_NOT_FOUND where it is not declared; SEALITE_AUTHENTICATION_FAILED where its rows are not what was written.
 *
 * @param settings  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_history(sealite_settings *settings,
                                        const char *name,
                                        size_t name_length,
                                        sealite_rows **rows,
                                        sealite_error **error);

/**
 * Writes the value of an earlier version again, as a new one, and writes its number; `new_version` may be NULL.
 *
 * SEALITE_NOT_FOUND for a version that never was, or is kept no longer.
 *
 * @param settings  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param version  An int64_t.
 * @param actor,actor_length  UTF-8; not NULL.
 * @param reason,reason_length  UTF-8; may be NULL.
 * @param[out] new_version  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_roll_back(sealite_settings *settings,
                                          const char *name,
                                          size_t name_length,
                                          int64_t version,
                                          const char *actor,
                                          size_t actor_length,
                                          const char *reason,
                                          size_t reason_length,
                                          int64_t *new_version,
                                          sealite_error **error);

/**
 * Turns a setting secret (1), or, with a reason, makes it one to be shown (0). Writes true to `changed` where it was the
 * other; `changed` may be NULL.
 *
 * @param settings  A handle; not NULL.
 * @param name,name_length  UTF-8; not NULL.
 * @param secret  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @param actor,actor_length  UTF-8; not NULL.
 * @param reason,reason_length  UTF-8; may be NULL.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_set_secret(sealite_settings *settings,
                                           const char *name,
                                           size_t name_length,
                                           int32_t secret,
                                           const char *actor,
                                           size_t actor_length,
                                           const char *reason,
                                           size_t reason_length,
                                           bool *changed,
                                           sealite_error **error);

/**
 * Frees the handle. NULL is fine.
 *
 * @param settings  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_settings_free(sealite_settings *settings);

/**
 * Checks the named settings, and all that are declared as required: that they are there, long enough, and not well known.
 * For start-up. Writes true to `ok` where nothing is wrong. Rows: `name`, `fault` ("undefined", "missing", "too_short",
 * "well_known" or "invalid"), `environment`, `min_length`, `message`. No value is in them.
 *
 * SEALITE_NOT_FOUND for a name that is not declared; SEALITE_LOCKED.
 *
 * @param settings  A handle; not NULL.
 * @param names,name_count  An array of texts; NULL where there are none.
 * @param[out] ok  The caller's own; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_check(sealite_settings *settings,
                                      const sealite_string *names,
                                      size_t name_count,
                                      bool *ok,
                                      sealite_rows **rows,
                                      sealite_error **error);

/**
 * Lists the settings declared to need a restart that were changed since this vault was opened. Rows: `name`.
 *
 * SEALITE_LOCKED while there is no key in memory.
 *
 * @param settings  A handle; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_restart_pending(sealite_settings *settings,
                                                sealite_rows **rows,
                                                sealite_error **error);

/**
 * Writes out what this vault, or tenant, itself holds, without the secrets, in a sealite_format. Audited. Free the text
 * with sealite_bytes_free().
 *
 * @param settings  A handle; not NULL.
 * @param format  A sealite_format; any other number is SEALITE_INVALID_INPUT.
 * @param actor,actor_length  UTF-8; not NULL.
 * @param reason,reason_length  UTF-8; may be NULL.
 * @param[out] text  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_export(sealite_settings *settings,
                                       int32_t format,
                                       const char *actor,
                                       size_t actor_length,
                                       const char *reason,
                                       size_t reason_length,
                                       sealite_bytes **text,
                                       sealite_error **error);

/**
 * As sealite_settings_export(), and reveals the secrets: it takes a reason.
 *
 * @param settings  A handle; not NULL.
 * @param format  A sealite_format; any other number is SEALITE_INVALID_INPUT.
 * @param actor,actor_length  UTF-8; not NULL.
 * @param reason,reason_length  UTF-8; may be NULL.
 * @param[out] text  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_export_reveal(sealite_settings *settings,
                                              int32_t format,
                                              const char *actor,
                                              size_t actor_length,
                                              const char *reason,
                                              size_t reason_length,
                                              sealite_bytes **text,
                                              sealite_error **error);

/**
 * Sets what the text, in a sealite_format, names, all or nothing; what it does not name stays. Audited. Rows: `name`,
 * `changed` (false: no setting has this name, and nothing was done).
 *
 * SEALITE_INVALID_INPUT where it is no such text; SEALITE_TYPE_MISMATCH; nothing is written then.
 *
 * @param settings  A handle; not NULL.
 * @param format  A sealite_format; any other number is SEALITE_INVALID_INPUT.
 * @param text,text_length  UTF-8; not NULL.
 * @param actor,actor_length  UTF-8; not NULL.
 * @param reason,reason_length  UTF-8; may be NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_settings_import(sealite_settings *settings,
                                       int32_t format,
                                       const char *text,
                                       size_t text_length,
                                       const char *actor,
                                       size_t actor_length,
                                       const char *reason,
                                       size_t reason_length,
                                       sealite_rows **rows,
                                       sealite_error **error);

/**
 * Makes a request for a code of a subject, 1 to 256 bytes. Free it with sealite_code_request_free().
 *
 * @param subject,subject_length  UTF-8; not NULL.
 * @param[out] request  To be freed with sealite_code_request_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_code_request_create(const char *subject,
                                           size_t subject_length,
                                           sealite_code_request **request,
                                           sealite_error **error);

/**
 * Sets how many digits: 6 to 10.
 *
 * @param request  A handle; not NULL.
 * @param digits  A uint32_t.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_code_request_set_digits(sealite_code_request *request,
                                               uint32_t digits,
                                               sealite_error **error);

/**
 * Sets how many attempts: 1 to 10.
 *
 * @param request  A handle; not NULL.
 * @param attempts  A uint32_t.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_code_request_set_attempts(sealite_code_request *request,
                                                 uint32_t attempts,
                                                 sealite_error **error);

/**
 * Sets how long it is valid: a millisecond to a day.
 *
 * @param request  A handle; not NULL.
 * @param milliseconds  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_code_request_set_expires_in(sealite_code_request *request,
                                                   uint64_t milliseconds,
                                                   sealite_error **error);

/**
 * Sets what people know it by. Sealed.
 *
 * @param request  A handle; not NULL.
 * @param label,label_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_code_request_set_label(sealite_code_request *request,
                                              const char *label,
                                              size_t label_length,
                                              sealite_error **error);

/**
 * Sets what the application wants to know of it, as JSON text of at most 16 KiB. Sealed.
 *
 * @param request  A handle; not NULL.
 * @param data_json,data_json_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_code_request_set_data(sealite_code_request *request,
                                             const char *data_json,
                                             size_t data_json_length,
                                             sealite_error **error);

/**
 * Leaves the codes that the subject still has valid. Each has attempts of its own.
 *
 * @param request  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_code_request_set_keep_older(sealite_code_request *request,
                                                   sealite_error **error);

/**
 * Frees the request. NULL is fine.
 *
 * @param request  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_code_request_free(sealite_code_request *request);

/**
 * Issues a short code, and gives out its digits, which are kept nowhere. Free them with sealite_bytes_free(). The `id` of
 * the row goes into the form in which the person types the code. Takes some 50 ms of computing, and 19 MiB. `rows` may be
 * NULL. Rows: as of sealite_tokens_issue().
 *
 * SEALITE_REFUSED inside a transaction; SEALITE_INVALID_INPUT and SEALITE_LIMIT for a request out of bounds.
 *
 * @param tokens  A handle; not NULL.
 * @param request  A handle; not NULL.
 * @param[out] code  To be freed with sealite_bytes_free(); not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_issue_code(sealite_tokens *tokens,
                                         const sealite_code_request *request,
                                         sealite_bytes **code,
                                         sealite_rows **rows,
                                         sealite_error **error);

/**
 * Verifies a short code by the id that it was issued under, and uses it up. Each call is an attempt, whatever its outcome:
 * of any number of processes that guess at once, no more than the attempts are answered. `rows` may be NULL. Rows: as of
 * sealite_tokens_issue().
 *
 * SEALITE_TOKEN_REJECTED for a wrong code, and for everything else that does not hold; SEALITE_REFUSED inside a
 * transaction.
 *
 * @param tokens  A handle; not NULL.
 * @param id,id_length  Any bytes; not NULL.
 * @param code,code_length  Any bytes; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_verify_code(sealite_tokens *tokens,
                                          const char *id,
                                          size_t id_length,
                                          const char *code,
                                          size_t code_length,
                                          sealite_rows **rows,
                                          sealite_error **error);

/**
 * Makes a handle to the vault's own tokens. Free it with sealite_tokens_free().
 *
 * @param vault  A handle; not NULL.
 * @param[out] tokens  To be freed with sealite_tokens_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_vault_tokens(sealite_vault *vault,
                                    sealite_tokens **tokens,
                                    sealite_error **error);

/**
 * Makes a handle to the tenant's tokens. Free it with sealite_tokens_free().
 *
 * @param tenant  A handle; not NULL.
 * @param[out] tokens  To be freed with sealite_tokens_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tenant_tokens(sealite_tenant *tenant,
                                     sealite_tokens **tokens,
                                     sealite_error **error);

/**
 * Makes a handle to tokens within the transaction: what is issued, used or revoked is so where it commits. It ends with
 * the transaction (SEALITE_CLOSED) and is still to be freed, with sealite_tokens_free().
 *
 * @param transaction  A handle; not NULL.
 * @param[out] tokens  To be freed with sealite_tokens_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; calls on one `transaction` take turns.
 */
sealite_status sealite_transaction_tokens(sealite_transaction *transaction,
                                          sealite_tokens **tokens,
                                          sealite_error **error);

/**
 * Issues a token, and gives out its text, which is kept nowhere and can't be had again. Free it with sealite_bytes_free().
 *
 * `rows` may be NULL. One row: `id` (24 hexadecimal digits: names the token, and opens nothing), `kind`, `subject`, `label`,
 * `scopes` (in order, separated by spaces), `limits`, `quota_key` (for sealite_quotas_check_and_charge()), `data`, `prefix`,
 * `family`, `enabled`, `created_at`, `not_before`, `expires_at`, `idle_ms`, `last_used_at` (as far as it is written down),
 * `uses_left`, `attempts_left`, `armed_until`, `armed_reason`, `rotated_at`, `successor` (its id), `revoked_at` (by itself,
 * with its kind or family), `is_imported`. What a token does not have is SEALITE_NULL. Times are in milliseconds since 1970.
 *
 * SEALITE_INVALID_INPUT and SEALITE_LIMIT for a request out of bounds, and for a short code; SEALITE_NOT_FOUND for a family
 * that no valid token is of.
 *
 * @param tokens  A handle; not NULL.
 * @param request  A handle; not NULL.
 * @param[out] text  To be freed with sealite_bytes_free(); not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_issue(sealite_tokens *tokens,
                                    const sealite_token_request *request,
                                    sealite_bytes **text,
                                    sealite_rows **rows,
                                    sealite_error **error);

/**
 * Verifies a token that may be used any number of times: of one of `kinds`, an array of `kind_count` sealite_token_kind,
 * with all of the `scope_count` scopes. Writes nothing but its last use, at most once in the interval that it was issued
 * with. `rows` may be NULL. Rows: as of sealite_tokens_issue().
 *
 * `text` is read where it lies and kept nowhere. SEALITE_TOKEN_REJECTED for whatever does not hold, whatever its length
 * and bytes; SEALITE_DENIED for one that lacks a scope.
 *
 * @param tokens  A handle; not NULL.
 * @param text,text_length  Any bytes; not NULL.
 * @param kinds,kind_count  An array of sealite_token_kind; NULL where there are none.
 * @param scopes,scope_count  An array of texts; NULL where there are none.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_verify(sealite_tokens *tokens,
                                     const char *text,
                                     size_t text_length,
                                     const int32_t *kinds,
                                     size_t kind_count,
                                     const sealite_string *scopes,
                                     size_t scope_count,
                                     sealite_rows **rows,
                                     sealite_error **error);

/**
 * Whether sealite_tokens_consume() would take a use of the token now, without taking it: for the form that a link leads
 * to. Says nothing about break-glass. Parameters and results: as of sealite_tokens_verify().
 *
 * @param tokens  A handle; not NULL.
 * @param text,text_length  Any bytes; not NULL.
 * @param kinds,kind_count  An array of sealite_token_kind; NULL where there are none.
 * @param scopes,scope_count  An array of texts; NULL where there are none.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_peek(sealite_tokens *tokens,
                                   const char *text,
                                   size_t text_length,
                                   const int32_t *kinds,
                                   size_t kind_count,
                                   const sealite_string *scopes,
                                   size_t scope_count,
                                   sealite_rows **rows,
                                   sealite_error **error);

/**
 * Takes one use of the token, and of a break-glass token its arming: of any number of threads and processes that try, as
 * many get SEALITE_OK as there are uses. In a transaction the use is taken only where that commits. Parameters and results:
 * as of sealite_tokens_verify().
 *
 * @param tokens  A handle; not NULL.
 * @param text,text_length  Any bytes; not NULL.
 * @param kinds,kind_count  An array of sealite_token_kind; NULL where there are none.
 * @param scopes,scope_count  An array of texts; NULL where there are none.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_consume(sealite_tokens *tokens,
                                      const char *text,
                                      size_t text_length,
                                      const int32_t *kinds,
                                      size_t kind_count,
                                      const sealite_string *scopes,
                                      size_t scope_count,
                                      sealite_rows **rows,
                                      sealite_error **error);

/**
 * Issues a successor for a token that may be used any number of times, and gives out its text. For `grace_ms`, at most a
 * day, the old one gives the same successor again; presented after that, it revokes its family. `rows`, which may be NULL,
 * and `successor` are as of sealite_tokens_issue(); the other parameters as of sealite_tokens_verify().
 *
 * SEALITE_REFUSED inside a transaction; SEALITE_INVALID_INPUT for a grace of more than a day, and for an imported token.
 *
 * @param tokens  A handle; not NULL.
 * @param text,text_length  Any bytes; not NULL.
 * @param kinds,kind_count  An array of sealite_token_kind; NULL where there are none.
 * @param scopes,scope_count  An array of texts; NULL where there are none.
 * @param grace_ms  A uint64_t, in milliseconds.
 * @param[out] successor  To be freed with sealite_bytes_free(); not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_rotate(sealite_tokens *tokens,
                                     const char *text,
                                     size_t text_length,
                                     const int32_t *kinds,
                                     size_t kind_count,
                                     const sealite_string *scopes,
                                     size_t scope_count,
                                     uint64_t grace_ms,
                                     sealite_bytes **successor,
                                     sealite_rows **rows,
                                     sealite_error **error);

/**
 * Frees the handle. NULL is fine.
 *
 * @param tokens  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_tokens_free(sealite_tokens *tokens);

/**
 * Makes an empty list. Free it with sealite_legacy_entries_free().
 *
 * @param[out] entries  To be freed with sealite_legacy_entries_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_legacy_entries_create(sealite_legacy_entries **entries,
                                             sealite_error **error);

/**
 * Adds the entries of a file of admin tokens, from its JSON text: a list of entries with `id`, `hash`, `enabled` and
 * `breakglass`, the same under `tokens`, or an object that gives an entry, or a hash alone, for each id.
 *
 * SEALITE_CORRUPT for a torn file, SEALITE_INVALID_INPUT for one of another form, SEALITE_LIMIT above 16 MiB: it is refused
 * whole, and the message shows nothing of it.
 *
 * @param entries  A handle; not NULL.
 * @param json,json_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `entries` are SEALITE_BUSY.
 */
sealite_status sealite_legacy_entries_add_admin_tokens(sealite_legacy_entries *entries,
                                                       const char *json,
                                                       size_t json_length,
                                                       sealite_error **error);

/**
 * Adds the entries of a file of users' tokens, from its JSON text: a list of entries with `id`, `name`, `hash`, `enabled`
 * and `created`, an object that gives an entry for each id, or one whose names are the tokens themselves, which are hashed
 * at once and kept nowhere. Failures: as of sealite_legacy_entries_add_admin_tokens().
 *
 * @param entries  A handle; not NULL.
 * @param json,json_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `entries` are SEALITE_BUSY.
 */
sealite_status sealite_legacy_entries_add_users(sealite_legacy_entries *entries,
                                                const char *json,
                                                size_t json_length,
                                                sealite_error **error);

/**
 * Adds a token of which the SHA-256 is known: 64 hexadecimal digits, with or without `sha256:` before them. `kind` is a
 * sealite_token_kind; `subject` and `label` may be NULL; with `enabled` 0 it is refused until it is enabled.
 *
 * @param entries  A handle; not NULL.
 * @param kind  A sealite_token_kind; any other number is SEALITE_INVALID_INPUT.
 * @param hash,hash_length  UTF-8; not NULL.
 * @param subject,subject_length  UTF-8; may be NULL.
 * @param label,label_length  UTF-8; may be NULL.
 * @param enabled  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `entries` are SEALITE_BUSY.
 */
sealite_status sealite_legacy_entries_add_hash(sealite_legacy_entries *entries,
                                               int32_t kind,
                                               const char *hash,
                                               size_t hash_length,
                                               const char *subject,
                                               size_t subject_length,
                                               const char *label,
                                               size_t label_length,
                                               int32_t enabled,
                                               sealite_error **error);

/**
 * As sealite_legacy_entries_add_hash(), of a token that is known in clear, such as one of an environment variable: it is
 * hashed at once and not kept.
 *
 * @param entries  A handle; not NULL.
 * @param kind  A sealite_token_kind; any other number is SEALITE_INVALID_INPUT.
 * @param token,token_length  UTF-8; not NULL.
 * @param subject,subject_length  UTF-8; may be NULL.
 * @param label,label_length  UTF-8; may be NULL.
 * @param enabled  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `entries` are SEALITE_BUSY.
 */
sealite_status sealite_legacy_entries_add_token(sealite_legacy_entries *entries,
                                                int32_t kind,
                                                const char *token,
                                                size_t token_length,
                                                const char *subject,
                                                size_t subject_length,
                                                const char *label,
                                                size_t label_length,
                                                int32_t enabled,
                                                sealite_error **error);

/**
 * Frees the list. NULL is fine.
 *
 * @param entries  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_legacy_entries_free(sealite_legacy_entries *entries);

/**
 * Imports tokens that were made elsewhere, all or none. They keep their text, and get the keyed hash of it with their first
 * use. Importing again changes nothing: writes how many are new to `imported` and how many were here already, and stay as
 * they are, to `known`; each may be NULL.
 *
 * SEALITE_INVALID_INPUT for a subject or label that no token may have.
 *
 * @param tokens  A handle; not NULL.
 * @param entries  A handle; not NULL.
 * @param[out] imported  The caller's own; may be NULL.
 * @param[out] known  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_import_legacy(sealite_tokens *tokens,
                                            const sealite_legacy_entries *entries,
                                            uint64_t *imported,
                                            uint64_t *known,
                                            sealite_error **error);

/**
 * Reads what is known of the token of that id. Rows: as of sealite_tokens_issue().
 *
 * SEALITE_NOT_FOUND for an id that names no token, here and wherever an id is given.
 *
 * @param tokens  A handle; not NULL.
 * @param id,id_length  UTF-8; not NULL.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_get(sealite_tokens *tokens,
                                  const char *id,
                                  size_t id_length,
                                  sealite_rows **rows,
                                  sealite_error **error);

/**
 * Reads tokens, the newest first, at most `limit`: of a subject, of a kind (a sealite_token_kind), of a family; NULL for
 * each stands for all. With `active` 1 only those that are enabled and neither expired nor revoked, nor used up, nor
 * rotated. By subject or family an index finds them; else every token is read. Rows: as of sealite_tokens_issue().
 *
 * @param tokens  A handle; not NULL.
 * @param subject,subject_length  UTF-8; may be NULL.
 * @param kind  A sealite_token_kind; may be NULL.
 * @param family,family_length  UTF-8; may be NULL.
 * @param active  0 or 1; any other number is SEALITE_INVALID_INPUT.
 * @param limit  A size_t.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_list(sealite_tokens *tokens,
                                   const char *subject,
                                   size_t subject_length,
                                   const int32_t *kind,
                                   const char *family,
                                   size_t family_length,
                                   int32_t active,
                                   size_t limit,
                                   sealite_rows **rows,
                                   sealite_error **error);

/**
 * Takes sealite_tokens_disable() back. Writes false to `changed` where it was enabled; `changed` may be NULL.
 *
 * @param tokens  A handle; not NULL.
 * @param id,id_length  UTF-8; not NULL.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_enable(sealite_tokens *tokens,
                                     const char *id,
                                     size_t id_length,
                                     bool *changed,
                                     sealite_error **error);

/**
 * Makes a token unusable until it is enabled again. Writes false to `changed` where it was so already; `changed` may be
 * NULL.
 *
 * SEALITE_NOT_FOUND for an id that names no token.
 *
 * @param tokens  A handle; not NULL.
 * @param id,id_length  UTF-8; not NULL.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_disable(sealite_tokens *tokens,
                                      const char *id,
                                      size_t id_length,
                                      bool *changed,
                                      sealite_error **error);

/**
 * Revokes a token for good. Every process sees it with its next verification. Writes false to `changed` where it was
 * revoked already; `changed` may be NULL.
 *
 * SEALITE_NOT_FOUND for an id that names no token.
 *
 * @param tokens  A handle; not NULL.
 * @param id,id_length  UTF-8; not NULL.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_revoke(sealite_tokens *tokens,
                                     const char *id,
                                     size_t id_length,
                                     bool *changed,
                                     sealite_error **error);

/**
 * Revokes every token of a family, and writes how many; `revoked` may be NULL.
 *
 * SEALITE_INVALID_INPUT where `family` is no id of a token.
 *
 * @param tokens  A handle; not NULL.
 * @param family,family_length  UTF-8; not NULL.
 * @param[out] revoked  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_revoke_family(sealite_tokens *tokens,
                                            const char *family,
                                            size_t family_length,
                                            uint64_t *revoked,
                                            sealite_error **error);

/**
 * Revokes what a subject has of one kind, a sealite_token_kind, but for the token of the id `keep`, and writes how many:
 * the other sessions of somebody who has changed the password. `keep` and `revoked` may be NULL.
 *
 * SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param tokens  A handle; not NULL.
 * @param subject,subject_length  UTF-8; not NULL.
 * @param kind  A sealite_token_kind; any other number is SEALITE_INVALID_INPUT.
 * @param keep,keep_length  UTF-8; may be NULL.
 * @param[out] revoked  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_revoke_kind(sealite_tokens *tokens,
                                          const char *subject,
                                          size_t subject_length,
                                          int32_t kind,
                                          const char *keep,
                                          size_t keep_length,
                                          uint64_t *revoked,
                                          sealite_error **error);

/**
 * Revokes everything that was ever issued to a subject, of every kind: sessions, refresh tokens, API keys, links that are
 * still out. What is issued later revives nothing.
 *
 * SEALITE_LOCKED; SEALITE_BUSY where another writes.
 *
 * @param tokens  A handle; not NULL.
 * @param subject,subject_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_revoke_subject(sealite_tokens *tokens,
                                             const char *subject,
                                             size_t subject_length,
                                             sealite_error **error);

/**
 * Arms a break-glass token for one use within so many milliseconds, for a reason of 1 to 256 bytes. Audited. `rows` may be
 * NULL. Rows: as of sealite_tokens_issue().
 *
 * SEALITE_INVALID_INPUT for another kind, without a reason, and for a time out of bounds.
 *
 * @param tokens  A handle; not NULL.
 * @param id,id_length  UTF-8; not NULL.
 * @param reason,reason_length  UTF-8; not NULL.
 * @param valid_for_ms  A uint64_t, in milliseconds.
 * @param[out] rows  To be freed with sealite_rows_free(); may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_arm(sealite_tokens *tokens,
                                  const char *id,
                                  size_t id_length,
                                  const char *reason,
                                  size_t reason_length,
                                  uint64_t valid_for_ms,
                                  sealite_rows **rows,
                                  sealite_error **error);

/**
 * Takes an arming back. Writes false to `changed` where there was none; `changed` may be NULL.
 *
 * SEALITE_NOT_FOUND for an id that names no token.
 *
 * @param tokens  A handle; not NULL.
 * @param id,id_length  UTF-8; not NULL.
 * @param[out] changed  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_disarm(sealite_tokens *tokens,
                                     const char *id,
                                     size_t id_length,
                                     bool *changed,
                                     sealite_error **error);

/**
 * Deletes what was of no use to anybody for so many milliseconds (expired, revoked or used up), in short transactions, and
 * writes how many; `purged` may be NULL. The vault's own handle does so for every tenant.
 *
 * SEALITE_REFUSED inside a transaction.
 *
 * @param tokens  A handle; not NULL.
 * @param ended_for_ms  A uint64_t, in milliseconds.
 * @param[out] purged  The caller's own; may be NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_purge(sealite_tokens *tokens,
                                    uint64_t ended_for_ms,
                                    uint64_t *purged,
                                    sealite_error **error);

/**
 * Makes a request for a token of a kind, a sealite_token_kind. Free it with sealite_token_request_free().
 *
 * @param kind  A sealite_token_kind; any other number is SEALITE_INVALID_INPUT.
 * @param[out] request  To be freed with sealite_token_request_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_token_request_create(int32_t kind,
                                            sealite_token_request **request,
                                            sealite_error **error);

/**
 * Says whose it is: an id of the application's, 1 to 256 bytes, compared byte for byte. Sealed. Without one
 * sealite_tokens_revoke_subject() does not reach the token.
 *
 * @param request  A handle; not NULL.
 * @param subject,subject_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_subject(sealite_token_request *request,
                                                 const char *subject,
                                                 size_t subject_length,
                                                 sealite_error **error);

/**
 * Sets what people know it by, at most 256 bytes. Sealed.
 *
 * @param request  A handle; not NULL.
 * @param label,label_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_label(sealite_token_request *request,
                                               const char *label,
                                               size_t label_length,
                                               sealite_error **error);

/**
 * Adds a scope, as RFC 6749 (section 3.3) has them: printable ASCII without spaces, quotation marks and backslashes. At
 * most 64 of at most 128 bytes. Readable in the file.
 *
 * @param request  A handle; not NULL.
 * @param scope,scope_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_add_scope(sealite_token_request *request,
                                               const char *scope,
                                               size_t scope_length,
                                               sealite_error **error);

/**
 * Gives it limits of its own, as sealite_limits_parse() reads them: `30/minute; 1000/day`. The application charges them,
 * under the `quota_key` of the token.
 *
 * @param request  A handle; not NULL.
 * @param limits,limits_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_limits(sealite_token_request *request,
                                                const char *limits,
                                                size_t limits_length,
                                                sealite_error **error);

/**
 * Sets what the application wants to know of it, as JSON text of at most 16 KiB. Sealed.
 *
 * @param request  A handle; not NULL.
 * @param data_json,data_json_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_data(sealite_token_request *request,
                                              const char *data_json,
                                              size_t data_json_length,
                                              sealite_error **error);

/**
 * Sets what its text begins with: 1 to 24 small letters and digits, a letter first, in words that single underscores join.
 *
 * @param request  A handle; not NULL.
 * @param prefix,prefix_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_prefix(sealite_token_request *request,
                                                const char *prefix,
                                                size_t prefix_length,
                                                sealite_error **error);

/**
 * Puts it into the family of another token (its `family`): revoked with it.
 *
 * @param request  A handle; not NULL.
 * @param family,family_length  UTF-8; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_family(sealite_token_request *request,
                                                const char *family,
                                                size_t family_length,
                                                sealite_error **error);

/**
 * Makes it valid only after so many milliseconds.
 *
 * @param request  A handle; not NULL.
 * @param milliseconds  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_not_before_in(sealite_token_request *request,
                                                       uint64_t milliseconds,
                                                       sealite_error **error);

/**
 * Sets how long it is valid: a millisecond to 100 years, as every time of a token.
 *
 * @param request  A handle; not NULL.
 * @param milliseconds  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_expires_in(sealite_token_request *request,
                                                    uint64_t milliseconds,
                                                    sealite_error **error);

/**
 * Makes it valid until it is revoked.
 *
 * @param request  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_never_expires(sealite_token_request *request,
                                                       sealite_error **error);

/**
 * Ends it when it was not used for so long, at least 10 seconds; it may end a tenth of that earlier.
 *
 * @param request  A handle; not NULL.
 * @param milliseconds  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_idle(sealite_token_request *request,
                                              uint64_t milliseconds,
                                              sealite_error **error);

/**
 * Keeps rotation from giving a successor that is valid for longer than so long from now.
 *
 * @param request  A handle; not NULL.
 * @param milliseconds  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_renew_for(sealite_token_request *request,
                                                   uint64_t milliseconds,
                                                   sealite_error **error);

/**
 * Sets how often it can be used, by sealite_tokens_consume() alone; not 0.
 *
 * @param request  A handle; not NULL.
 * @param uses  A uint32_t.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_uses(sealite_token_request *request,
                                              uint32_t uses,
                                              sealite_error **error);

/**
 * Sets how often the last use is written down, at most: by default every minute, or a tenth of the idle time where that
 * is less.
 *
 * @param request  A handle; not NULL.
 * @param milliseconds  A uint64_t, in milliseconds.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_last_used_every(sealite_token_request *request,
                                                         uint64_t milliseconds,
                                                         sealite_error **error);

/**
 * Revokes what its subject has of this kind. Takes a subject.
 *
 * @param request  A handle; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED for its arguments; or as above.
 * @note From any thread; two at once on one `request` are SEALITE_BUSY.
 */
sealite_status sealite_token_request_set_replace_older(sealite_token_request *request,
                                                       sealite_error **error);

/**
 * Says what holds for tokens of a `kind` (a sealite_token_kind) where a request does not say otherwise. `rows` has one,
 * free it with sealite_rows_free(): `kind` (its name), `prefix` (SEALITE_NULL of a short code), `expires_in_ms` and `uses`
 * (SEALITE_NULL without a limit).
 *
 * SEALITE_INVALID_INPUT for a number that stands for no kind.
 *
 * @param kind  A sealite_token_kind; any other number is SEALITE_INVALID_INPUT.
 * @param[out] rows  To be freed with sealite_rows_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_token_kind_defaults(int32_t kind,
                                           sealite_rows **rows,
                                           sealite_error **error);

/**
 * Frees the request. NULL is fine.
 *
 * @param request  A handle; NULL is fine.
 * @note From any thread: a call on it that is under way is finished.
 */
void sealite_token_request_free(sealite_token_request *request);

/**
 * Issues a CSRF token for the forms of a session, from the session's own text: 86 characters, another one with each call,
 * good for as long as the session. Nothing is stored: verify the session first. Free it with sealite_bytes_free().
 *
 * SEALITE_TOKEN_REJECTED where the text is not that of a token.
 *
 * @param tokens  A handle; not NULL.
 * @param session,session_length  Any bytes; not NULL.
 * @param[out] csrf  To be freed with sealite_bytes_free(); not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_issue_csrf(sealite_tokens *tokens,
                                         const char *session,
                                         size_t session_length,
                                         sealite_bytes **csrf,
                                         sealite_error **error);

/**
 * Writes true to `valid` where a form's field or header holds a CSRF token of the session. In constant time.
 *
 * @param tokens  A handle; not NULL.
 * @param session,session_length  Any bytes; not NULL.
 * @param csrf,csrf_length  Any bytes; not NULL.
 * @param[out] valid  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_CLOSED, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_tokens_check_csrf(sealite_tokens *tokens,
                                         const char *session,
                                         size_t session_length,
                                         const char *csrf,
                                         size_t csrf_length,
                                         bool *valid,
                                         sealite_error **error);

/**
 * Writes true to `is` where a text has the form and the checksum of a token of the engine's: for scanners of secrets. Needs
 * no vault; whether the token is valid is another question.
 *
 * @param text,text_length  Any bytes; not NULL.
 * @param[out] is  The caller's own; not NULL.
 * @return SEALITE_OK; SEALITE_INVALID_INPUT, SEALITE_LIMIT for its arguments; or as above.
 * @note From any thread, also at once.
 */
sealite_status sealite_is_token_text(const char *text,
                                     size_t text_length,
                                     bool *is,
                                     sealite_error **error);

/**
 * A regular expression, in the common subset of RE2, PCRE, Python, JavaScript and Rust, for scanners of secrets and filters
 * of logs: it finds every token that the engine makes, whatever its prefix, and hardly anything else. Static.
 */
const char *sealite_token_pattern(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

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

#endif  /* SEALITE_H */
