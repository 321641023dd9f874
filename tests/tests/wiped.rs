//! No block of memory that the engine frees holds what was said of a person: the allocator of this test looks at each.

#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used)]

use std::fmt::Write;

use sealite::{
    ApprovalRequest, Author, Change, Column, Entry, ExportOptions, SettingDefinition,
    TableDefinition, TokenKind, TokenRequest, Type, ValueRef, Vault, Verdict, WipedBuffer, values,
};
use sealite_tests::freed::{CANARY, Looking, left_by};

#[global_allocator]
static ALLOCATOR: Looking = Looking;

/// Who it is about: a name of a subject stands in the rows of keys, too, and is no secret of the file.
const SUBJECT: &str = "17";

/// JSON as programs write it that know no canonical form: with white space, and with escapes beside what matters.
fn spelled() -> String {
    // Room for all of it: what grows leaves copies behind.
    let mut text = String::with_capacity(256);
    write!(
        text,
        r#"{{ "z": [1.50, "{CANARY}\n"], "{CANARY}\u00e9" : {{"a":null, "A": "x{CANARY}"}} }}"#
    )
    .unwrap();
    text
}

fn vault() -> Vault {
    let vault = Vault::in_memory().unwrap();
    let people = TableDefinition::new("people")
        .column(Column::text("owner").authenticated())
        .column(Column::text("name").sealed())
        .column(Column::blob("photo").sealed())
        .column(Column::json("about").sealed())
        .subject("owner");
    vault.define_table(&people).unwrap();
    vault
}

fn rows(vault: &Vault) {
    let about = spelled();
    let row = values! {
        "owner" => SUBJECT, "name" => CANARY, "photo" => CANARY.as_bytes(),
        "about" => ValueRef::Json(&about)
    };
    vault.table("people").unwrap().insert(row).unwrap();
    forget(about);
}

/// Wiped: the test's own copies are not the engine's.
fn forget(text: String) {
    let mut bytes = text.into_bytes();
    bytes.fill(0);
    std::hint::black_box(&bytes);
}

fn trail(vault: &Vault) {
    for payload in [spelled(), format!("{{\"said\":\"{CANARY}\"}}")] {
        let entry = Entry::new("person.said").actor(CANARY).subject(SUBJECT).payload(payload);
        let _ = vault.audit().append(&entry).unwrap();
    }
}

fn tokens(vault: &Vault) {
    let request = || TokenRequest::new(TokenKind::ApiKey).subject(SUBJECT).label(CANARY);
    let issued = vault.tokens().issue(&request().data(spelled())).unwrap();
    let other = vault.tokens().issue(&request()).unwrap();
    assert!(vault.tokens().revoke(issued.token.id()).unwrap());
    drop((issued, other));
    vault.tokens().revoke_subject(SUBJECT).unwrap();
}

fn approvals(vault: &Vault) {
    let request = || ApprovalRequest::new("pay", spelled(), "ann").subject(SUBJECT);
    let id = vault.approvals().create(&request()).unwrap();
    vault.approvals().decide(&id, "bob", None, Verdict::Approve, None).unwrap();
    let payload = spelled();
    drop(vault.approvals().claim(&id, &payload).unwrap());
    forget(payload);
}

fn settings(vault: &Vault) {
    let settings = vault.settings();
    let _ = settings.define(&SettingDefinition::new("mail.from", Type::Text)).unwrap();
    let author = Author::new(CANARY).reason(CANARY);
    assert!(settings.write("mail.from", Change::set(CANARY), &author).unwrap());
}

fn exports(vault: &Vault) {
    let mut all = WipedBuffer::default();
    vault.export_subject(None, SUBJECT, &mut all).unwrap();
    let text = std::str::from_utf8(all.as_bytes()).unwrap();
    assert!(text.matches(CANARY).count() > 15, "{}", text.len());
    let mut lines = WipedBuffer::default();
    assert!(vault.audit().export(&mut lines, &ExportOptions::default()).unwrap() > 5);
    let folder = tempfile::tempdir().unwrap();
    let (audit, options) = (vault.audit(), ExportOptions::default());
    assert_eq!(audit.export_daily(folder.path(), &options).unwrap().len(), 1);
    // Once more: the last line is read, and compared.
    audit.export_daily(folder.path(), &options).unwrap();
}

type Stage = (&'static str, fn(&Vault));

const STAGES: [Stage; 6] = [
    ("rows", rows),
    ("trail", trail),
    ("tokens", tokens),
    ("approvals", approvals),
    ("settings", settings),
    ("exports", exports),
];

/// One test: every block of the process is looked at.
#[test]
fn no_block_is_freed_with_what_was_said_of_a_person_in_it() {
    assert_eq!(left_by(|| drop(CANARY.to_owned())), 1, "the allocator sees what is left");
    let vault = vault();
    let left: Vec<(&str, usize)> = STAGES
        .iter()
        .map(|(name, stage)| (*name, left_by(|| stage(&vault))))
        .filter(|(_, blocks)| *blocks > 0)
        .collect();
    let closing = left_by(|| drop(vault));
    assert_eq!((left, closing), (Vec::new(), 0));
}
