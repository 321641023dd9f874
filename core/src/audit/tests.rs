//! What can't be provoked through the public calls, or needs to look inside: whoever has some of the keys, limits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod retention;

use super::append::link_of;
use super::checkpoint::Checkpoint;
use super::keys::Keys;
use super::read::{TARGET, entry};
use super::{AuditFault, Entry, ExportOptions, append, require};
use crate::health::Reason;
use crate::keys::ring::{Owner, Purpose};
use crate::table::session::Session;
use crate::table::{ReadSession, Writer};
use crate::value::{IdRef, ValueRef};
use crate::{ErrorKind, Result, Vault};

fn run<T>(vault: &Vault, work: impl FnOnce(&Session) -> Result<T>) -> Result<T> {
    Session::run(vault.engine(), work)
}

/// As somebody else who writes the file.
fn edit(vault: &Vault, sql: &str) {
    run(vault, |session| session.conn().execute(sql, &[]).map(|_| ())).unwrap();
}

/// A vault whose trail has that many entries.
fn trail(entries: i64) -> Vault {
    let vault = Vault::in_memory().unwrap();
    vault
        .transaction(|tx| (2..=entries).try_for_each(|_| tx.audit(&Entry::new("tick")).map(|_| ())))
        .unwrap();
    vault
}

/// As somebody who has the data key, and not the audit key: seals the entry anew with another value.
fn reseal(vault: &Vault, seq: i64, column: usize, value: ValueRef<'_>) {
    let changed = run(vault, |session| {
        Writer::new(session, TARGET)?.update(IdRef::Integer(seq), &[(column, value)], true)
    });
    assert!(changed.unwrap());
}

fn faults(vault: &Vault) -> Vec<AuditFault> {
    vault.audit().verify(None).unwrap().faults
}

#[test]
fn an_entry_that_was_sealed_anew_without_the_audit_key_is_found_by_the_chain() {
    // Readable columns, which the link is made of.
    for (column, value) in [
        (0, ValueRef::Integer(1)),
        (1, ValueRef::Text("tock")),
        (2, ValueRef::Text("acme")),
        (3, ValueRef::Text("trace")),
        (4, ValueRef::Text("correlation")),
    ] {
        let vault = trail(4);
        reseal(&vault, 3, column, value);
        assert_eq!(faults(&vault), [AuditFault::Broken(3)], "{column}");
    }
    // Sealed ones, which the digest is made of.
    for (column, value) in [
        (9, ValueRef::Text("ada")),
        (11, ValueRef::Json("{}")),
        (12, ValueRef::Blob(&[0; 24])),
        (12, ValueRef::Blob(&[0; 23])),
    ] {
        let vault = trail(4);
        reseal(&vault, 3, column, value);
        assert_eq!(faults(&vault), [AuditFault::Edited(3)], "{column}");
    }
    // The link itself: the entry behind it does not continue it either.
    let vault = trail(4);
    reseal(&vault, 3, 6, ValueRef::Blob(&[0; 32]));
    assert_eq!(faults(&vault), [AuditFault::Broken(3), AuditFault::Broken(4)]);
}

#[test]
fn an_entry_behind_a_new_audit_key_of_its_transaction_is_linked_by_that() {
    let vault = trail(2);
    let (old, new) = run(&vault, |session| {
        append(session, &Entry::new("before"))?;
        let keys = session.succeed_key(Owner::of(Purpose::Audit, None))?;
        append(session, &Entry::new("behind"))?;
        Ok(keys)
    })
    .unwrap();
    let tail = vault.audit().tail(2).unwrap();
    assert_eq!([tail[0].key(), tail[1].key()], [i64::from(old), i64::from(new)]);
    assert_eq!(faults(&vault), []);
}

#[test]
fn texts_of_an_entry_have_256_bytes_and_its_payload_a_mebibyte_at_most() {
    let kind =
        |entry: &Entry, tenant: Option<&str>| entry.canonical(tenant).err().map(|e| e.kind());
    for (length, refused) in [(256, None), (257, Some(ErrorKind::Limit))] {
        let text = "x".repeat(length);
        assert_eq!(kind(&Entry::new(text.as_str()), None), refused);
        let entry = || Entry::new("e");
        assert_eq!(kind(&entry(), Some(&text)), refused);
        for entry in [
            entry().actor(text.as_str()),
            entry().subject(text.as_str()),
            entry().trace_id(text.as_str()),
            entry().correlation_id(text.as_str()),
        ] {
            assert_eq!(kind(&entry, None), refused, "{length}");
        }
    }
    for (length, refused) in [(1 << 20, None), ((1 << 20) + 1, Some(ErrorKind::Limit))] {
        let payload = format!("\"{}\"", "x".repeat(length - 2));
        assert_eq!(kind(&Entry::new("e").payload(payload), None), refused);
    }
    assert_eq!(kind(&Entry::new(""), None), Some(ErrorKind::InvalidInput));
}

#[test]
fn debug_shows_the_name_and_the_place_and_nothing_that_is_sealed() {
    let vault = trail(1);
    let entry = Entry::new("user.login").actor("ada").subject("grace").payload("{\"a\":1}");
    assert_eq!(format!("{entry:?}"), "Entry(user.login)");
    vault.audit().append(&entry).unwrap();
    assert_eq!(format!("{:?}", vault.audit().tail(1).unwrap()), "[Event(2, user.login)]");
    let checkpoint = vault.audit().checkpoint().unwrap();
    assert_eq!(format!("{checkpoint:?}"), "Checkpoint(2)");
    assert_eq!(checkpoint.to_string(), checkpoint.text());
    assert!(checkpoint.text().starts_with("sealite-audit-1."));
}

#[test]
fn entries_of_best_effort_that_are_lost_are_counted() {
    let vault = trail(1);
    assert_eq!(vault.audit().lost(), 0);
    for lost in 1..=3 {
        vault.audit().append_best_effort(&Entry::new(""));
        assert_eq!(vault.audit().lost(), lost);
    }
    vault.audit().append_best_effort(&Entry::new("kept"));
    assert_eq!(vault.audit().lost(), 3);
    assert_eq!(vault.audit().tail(1).unwrap()[0].event(), "kept");
}

#[test]
fn a_walk_since_a_checkpoint_begins_at_its_entry_and_finds_what_is_wrong_behind() {
    let vault = trail(10);
    let checkpoint = vault.audit().checkpoint().unwrap();
    for _ in 0..5 {
        vault.audit().append(&Entry::new("tick")).unwrap();
    }
    let report = vault.audit().verify_since(checkpoint.text()).unwrap();
    assert!(report.is_sound());
    assert_eq!((report.entries, report.first, report.last), (6, Some(10), Some(15)));
    edit(&vault, "UPDATE sealite_audit_sealed SET at = at + 1 WHERE seq = 5");
    assert!(vault.audit().verify_since(checkpoint.text()).unwrap().is_sound(), "before it");
    edit(&vault, "UPDATE sealite_audit_sealed SET at = at + 1 WHERE seq = 12");
    let report = vault.audit().verify_since(checkpoint.text()).unwrap();
    assert_eq!(report.faults, [AuditFault::Edited(12)]);
}

#[test]
fn only_a_whole_trail_that_is_sound_ends_a_broken_one() {
    let vault = trail(10);
    let is_broken = || vault.health().reasons.contains(&Reason::AuditBroken);
    assert!(!is_broken());
    let checkpoint = vault.audit().checkpoint().unwrap();
    edit(&vault, "UPDATE sealite_audit_sealed SET at = at + 1 WHERE seq = 10");
    assert!(is_broken());
    assert!(!vault.audit().verify(None).unwrap().is_sound());
    edit(&vault, "UPDATE sealite_audit_sealed SET at = at - 1 WHERE seq = 10");
    assert!(is_broken());
    assert!(vault.audit().verify_since(checkpoint.text()).unwrap().is_sound());
    assert!(is_broken(), "only the end was walked");
    assert!(vault.audit().verify(None).unwrap().is_sound());
    assert!(!is_broken());
}

/// A checkpoint of the vault's own that says this of its trail.
fn checkpoint(vault: &Vault, seq: i64, link: Option<[u8; 32]>) -> String {
    let session = ReadSession::begin(vault.engine()).unwrap();
    let (conn, state) = (&session.conn, &session.state);
    let keys = Keys::active(conn, state).unwrap();
    let own = || link_of(&entry(conn, state, seq).unwrap().unwrap()).unwrap();
    let link = link.unwrap_or_else(own);
    Checkpoint::make(&keys, state.ring.vault(), seq, 0, link).text().to_owned()
}

/// What opening the vault with that checkpoint comes to.
fn required(vault: &Vault, checkpoint: &str) -> Option<ErrorKind> {
    let session = ReadSession::begin(vault.engine()).unwrap();
    require(&session.conn, &session.state, checkpoint).err().map(|error| error.kind())
}

#[test]
fn a_checkpoint_is_required_with_its_very_entry_wherever_the_trail_begins() {
    let vault = trail(6);
    let own: Vec<String> = (1..=6).map(|seq| checkpoint(&vault, seq, None)).collect();
    let other: Vec<String> = (0..=7).map(|seq| checkpoint(&vault, seq, Some([1; 32]))).collect();
    let rolled_back = Some(ErrorKind::RolledBack);
    for kept in &own {
        assert_eq!(required(&vault, kept), None);
    }
    assert_eq!(required(&vault, &other[0]), None, "it was made before the first entry");
    for other in &other[1..] {
        assert_eq!(required(&vault, other), rolled_back);
    }
    // What was dropped can't be compared any more, but for its last link.
    assert_eq!(vault.audit().retain_after(3).unwrap(), 3);
    for kept in &own {
        assert_eq!(required(&vault, kept), None);
    }
    let found: Vec<_> = other.iter().map(|other| required(&vault, other)).collect();
    let wanted =
        [None, None, None, rolled_back, rolled_back, rolled_back, rolled_back, rolled_back];
    assert_eq!(found, wanted);
    edit(&vault, "UPDATE sealite_audit_sealed SET at = at + 1 WHERE seq = 5");
    assert_eq!(required(&vault, &own[4]), rolled_back);
    assert_eq!(required(&vault, &own[5]), None);
}

#[test]
fn a_checkpoint_that_names_no_audit_key_is_called_foreign() {
    let vault = trail(1);
    let text = vault.audit().checkpoint().unwrap().text().to_owned();
    let read = |error: fn() -> crate::Error| {
        let vault = *vault.engine().state().unwrap().ring.vault();
        Checkpoint::read(&vault, &text, |_| Err(error())).err().unwrap()
    };
    let foreign = read(|| crate::error::err!(AuthenticationFailed, "some key"));
    assert_eq!(foreign.kind(), ErrorKind::AuthenticationFailed);
    assert!(
        foreign.message().starts_with("the checkpoint was not made by this vault"),
        "{foreign}"
    );
    assert_eq!(read(|| crate::error::err!(UnknownKey, "no key")).kind(), ErrorKind::RolledBack);
    let other = read(|| crate::error::err!(Io, "no disk"));
    assert_eq!((other.kind(), other.message()), (ErrorKind::Io, "no disk"));
}

#[test]
fn a_file_whose_last_entry_the_trail_has_lost_gets_no_other() {
    let folder = std::env::temp_dir().join(format!("sealite-daily-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let vault = trail(1);
    // A day of its own: the trail's first entry is in another file.
    vault.set_clock(Some(946_684_800_000));
    let until_ms = Some(946_684_800_000 + 86_400_000);
    let options = ExportOptions { until_ms, ..ExportOptions::default() };
    let append = || vault.audit().append(&Entry::new("tick")).unwrap();
    assert_eq!([append(), append(), append()], [2, 3, 4]);
    let files = vault.audit().export_daily(&folder, &options).unwrap();
    assert_eq!(files.len(), 1);
    let (file, lines) = &files[0];
    assert_eq!(*lines, 3);
    let before = std::fs::read(file).unwrap();
    edit(&vault, "DELETE FROM sealite_audit_sealed WHERE seq = 4");
    assert_eq!(append(), 5);
    for _ in 0..2 {
        let refused = vault.audit().export_daily(&folder, &options).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed);
        assert_eq!(std::fs::read(file).unwrap(), before);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
