//! The engine's own tables, and quoting.

/// `application_id` in the file's header: "Seal".
pub(crate) const APPLICATION_ID: i64 = 0x5365_616C;
/// The version of the format of the whole file.
pub(crate) const FORMAT_VERSION: i64 = 1;

/// Creates the engine's tables. `docs/format.md` describes them.
pub(crate) const CREATE: &str = "
    CREATE TABLE sealite_meta (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        format INTEGER NOT NULL,
        vault BLOB NOT NULL,
        epoch INTEGER NOT NULL,
        erasure_pending INTEGER NOT NULL,
        master INTEGER NOT NULL,
        keys BLOB NOT NULL
    );
    CREATE TABLE sealite_slots (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind INTEGER NOT NULL,
        label TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        parameters BLOB NOT NULL,
        sealed BLOB NOT NULL
    );
    CREATE TABLE sealite_keys (
        id INTEGER PRIMARY KEY,
        purpose INTEGER NOT NULL,
        tenant TEXT,
        subject TEXT,
        generation INTEGER NOT NULL,
        state INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        floor INTEGER NOT NULL,
        sealed BLOB NOT NULL
    );
    CREATE INDEX sealite_keys_use ON sealite_keys (purpose, tenant, subject, state);
    CREATE TABLE sealite_catalog (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
    CREATE TABLE sealite_sequences (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
";

/// An identifier, quoted.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
