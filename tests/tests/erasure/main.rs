//! Erasing subjects and tenants: what must be gone, what must stay, and what a crash or a reader makes of it.

#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::type_complexity)]

mod crash;
mod export;
mod processes;
mod remnants;
mod rotation;
mod subject;
mod tenant;
mod trail;

use std::path::Path;
use std::time::Duration;

use sealite::{
    ApprovalRequest, Column, Entry, ExposeSecret, Index, TableDefinition, Tenant, TokenKind,
    TokenRequest, Value, Vault, values,
};
use sealite_tests::vaults::plain;

const SUBJECTS: [&str; 3] = ["1", "2", "3"];

/// The users, each its own subject, and what belongs to them.
fn tables() -> [TableDefinition; 3] {
    [
        TableDefinition::new("users")
            .column(Column::text("email").sealed().index(Index::unique()))
            .column(Column::text("role").authenticated())
            .subject_is_row(),
        TableDefinition::new("notes")
            .text_key("slug")
            .column(Column::integer("user_id").authenticated())
            .column(Column::text("body").sealed().index(Index::lookup(5_000)))
            .subject("user_id"),
        TableDefinition::new("files")
            .column(Column::text("owner").authenticated().index(Index::lookup(5_000)))
            .column(Column::blob("bytes").sealed())
            .column(Column::text("kind"))
            .subject("owner"),
    ]
}

/// Fills the vault: every subject has rows in three tables, two tokens, an approval and audit entries.
fn fill(vault: &Vault) -> Vec<String> {
    for table in tables() {
        vault.define_table(&table).unwrap();
    }
    let mut tokens = Vec::new();
    for subject in SUBJECTS {
        let id: i64 = subject.parse().unwrap();
        let email = format!("{subject}@example.org");
        let users = vault.table("users").unwrap();
        users.insert(values! {"id" => id, "email" => email.as_str(), "role" => "user"}).unwrap();
        for n in 0..4 {
            let (slug, body) = (format!("{subject}-{n}"), format!("{subject} body {n}"));
            let row = values! {"slug" => slug.as_str(), "user_id" => id, "body" => body.as_str()};
            vault.table("notes").unwrap().insert(row).unwrap();
            let bytes = vec![n as u8; 3_000];
            let row = values! {"owner" => subject, "bytes" => bytes.as_slice(), "kind" => "photo"};
            vault.table("files").unwrap().insert(row).unwrap();
        }
        for kind in [TokenKind::Session, TokenKind::ApiKey] {
            let request = TokenRequest::new(kind).subject(subject).label("a device");
            let issued = vault.tokens().issue(&request).unwrap();
            tokens.push(issued.text.expose_secret().to_owned());
        }
        let request = ApprovalRequest::new("delete", "{}", "somebody").subject(subject);
        vault.approvals().create(&request).unwrap();
        let entry = Entry::new("user.seen").subject(subject).actor("them").payload("{\"a\":1}");
        vault.audit().append(&entry).unwrap();
    }
    // Nobody's, and the vault's own.
    let row = values! {"slug" => "nobody", "body" => "shared"};
    vault.table("notes").unwrap().insert(row).unwrap();
    tokens
}

/// Every row of every table but those of the subject, table by table in the order of the keys.
fn others(vault: &Vault, but: &str) -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    for (table, owner) in [("users", "id"), ("notes", "user_id"), ("files", "owner")] {
        let but = if table == "files" { format!("'{but}'") } else { but.to_owned() };
        let sql = format!("SELECT * FROM {table} WHERE {owner} IS NOT {but} ORDER BY 1");
        found.extend(vault.query(&sql, &[]).unwrap().rows);
    }
    found
}

/// True where one of the vault's files, or of its log's, holds the bytes. They are read by another process: this one would
/// lose its locks with the descriptor that it closes.
fn holds(folder: &Path, what: &[u8]) -> bool {
    assert!(what.len() >= 8, "short bytes are found anywhere");
    files(folder).iter().any(|bytes| bytes.windows(what.len()).any(|window| window == what))
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let read = std::process::Command::new("cat").arg(&path).output().unwrap();
        read.status.success().then_some(read.stdout)
    };
    names.filter_map(read).collect()
}

/// As [`holds`], for each of several at one look.
fn holds_any<'t>(folder: &Path, mut what: impl Iterator<Item = &'t [u8]>) -> bool {
    let files = files(folder);
    what.any(|what| {
        assert!(what.len() >= 8, "short bytes are found anywhere");
        files.iter().any(|bytes| bytes.windows(what.len()).any(|window| window == what))
    })
}

/// What of a subject stands in the file: its wrapped keys, its records and index values, and those of its tokens.
fn traces(file: &Path, subject: &str) -> Vec<Vec<u8>> {
    let conn = plain(file);
    let blobs = |sql: &str| -> Vec<Vec<u8>> {
        let mut stmt = conn.prepare(sql).unwrap();
        let count = stmt.column_count();
        let mut found = Vec::new();
        let mut rows = stmt.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for at in 0..count {
                match row.get_ref(at).unwrap() {
                    rusqlite::types::ValueRef::Blob(bytes)
                    | rusqlite::types::ValueRef::Text(bytes) => {
                        found.push(bytes.to_vec());
                    }
                    _ => {}
                }
            }
        }
        found
    };
    let mut found = blobs(&format!("SELECT sealed FROM sealite_keys WHERE subject = '{subject}'"));
    assert_eq!(found.len(), 1);
    found.extend(blobs(&format!(
        "SELECT sealed, email_bidx FROM users_sealed WHERE id = {subject}"
    )));
    found.extend(blobs(&format!("SELECT sealed FROM notes_sealed WHERE user_id = {subject}")));
    found.extend(blobs(&format!("SELECT sealed FROM files_sealed WHERE owner = '{subject}'")));
    assert_eq!(found.len(), 1 + 2 + 4 + 4);
    found
}

fn tenant(vault: &Vault, name: &str) -> Tenant {
    vault.tenant(name).unwrap()
}

fn day() -> Duration {
    Duration::from_secs(86_400)
}
