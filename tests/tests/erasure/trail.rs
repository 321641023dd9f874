//! The audit trail after an erasure, and checkpoints that are given when a vault is opened.

use std::path::Path;

use sealite::{AuditFault, Config, Entry, ErrorKind, Vault, values};
use sealite_tests::vaults::{Home, plain};

use super::{fill, holds};

fn entries(vault: &Vault) -> Vec<(i64, String, bool, Option<String>, Option<String>)> {
    let events = vault.audit().tail(1_000).unwrap();
    let read = |e: &sealite::Event| {
        let text = |text: Option<&str>| text.map(str::to_owned);
        (e.seq(), e.event().to_owned(), e.is_erased(), text(e.subject()), text(e.payload()))
    };
    events.iter().map(read).collect()
}

#[test]
fn entries_about_an_erased_subject_read_as_erased_and_the_chain_is_whole() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault);
    let before = entries(&vault);
    let own: Vec<i64> =
        before.iter().filter(|e| e.3.as_deref() == Some("2")).map(|e| e.0).collect();
    assert!(own.len() >= 3, "seen, and the tokens and approvals");
    let _ = vault.erase_subject(None, "2").unwrap();
    for vault in [vault, home.open()] {
        let after = entries(&vault);
        for (then, now) in before.iter().zip(&after) {
            if own.contains(&now.0) {
                assert_eq!((now.0, &now.1), (then.0, &then.1));
                assert!(now.2 && now.3.is_none() && now.4.is_none());
            } else {
                assert_eq!(then, now);
            }
        }
        let report = vault.audit().verify(None).unwrap();
        assert!(report.is_sound() && report.entries as usize == after.len());
        let mut lines = Vec::new();
        vault.audit().export(&mut lines, &sealite::ExportOptions::default()).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        assert_eq!(lines.matches("\"erased\":true").count(), own.len());
        assert_eq!(
            vault.audit().page(0, &sealite::ExportOptions::default()).unwrap().0.len(),
            after.len()
        );
        // What is said of the name from now on is the vault's own.
        let entry = Entry::new("later").subject("2");
        vault.audit().append(&entry).unwrap();
        assert_eq!(vault.audit().tail(1).unwrap()[0].subject(), Some("2"));
        vault.close();
    }
    assert!(!holds(home.folder(), b"user.seen\0"));
}

/// Edits the file, and says what verification and reading find.
fn after_edit(home: &Home, sql: &str) -> (Vec<AuditFault>, Option<ErrorKind>) {
    plain(&home.file()).execute_batch(sql).unwrap();
    let vault = home.open();
    let faults = vault.audit().verify(None).unwrap().faults;
    let read = vault.audit().tail(1_000).err().map(|error| error.kind());
    vault.close();
    (faults, read)
}

#[test]
fn an_erased_entry_that_is_edited_is_found() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault);
    let seq = |subject: &str| {
        let found = entries(&vault).into_iter();
        found
            .filter(|e| e.1 == "user.seen" && e.3.as_deref() == Some(subject))
            .map(|e| e.0)
            .next()
            .unwrap()
    };
    let (erased, live) = (seq("2"), seq("1"));
    let _ = vault.erase_subject(None, "2").unwrap();
    vault.close();
    let copy = home.folder().join("copy");
    std::fs::copy(home.file(), &copy).unwrap();
    let table = "sealite_audit_sealed";
    let key = format!("(SELECT substr(sealed, 4, 4) FROM {table} WHERE seq = {erased})");
    let owner = format!("(SELECT owner FROM {table} WHERE seq = {erased})");
    for (at, edit) in [
        (erased, "SET event = 'user.gone'".to_owned()),
        (erased, "SET at = at + 1".to_owned()),
        (erased, "SET tenant = 'acme'".to_owned()),
        (erased, "SET digest = zeroblob(32)".to_owned()),
        (erased, "SET chain = zeroblob(32)".to_owned()),
        (erased, "SET owner = owner + 1".to_owned()),
        (erased, "SET owner = NULL".to_owned()),
        (erased, "SET sealed = zeroblob(20)".to_owned()),
        // An entry that is there is made to look like one that is gone.
        (
            live,
            format!(
                "SET sealed = CAST(substr(sealed, 1, 3) || {key} || substr(sealed, 8) AS BLOB)"
            ),
        ),
        (
            live,
            format!(
                "SET owner = {owner}, sealed = CAST(substr(sealed, 1, 3) || {key} || substr(sealed, 8) AS BLOB)"
            ),
        ),
    ] {
        let (faults, read) = after_edit(&home, &format!("UPDATE {table} {edit} WHERE seq = {at}"));
        assert!(faults.contains(&AuditFault::Edited(at)), "{edit}: {faults:?}");
        assert_eq!(read, Some(ErrorKind::AuthenticationFailed), "{edit}");
        std::fs::copy(&copy, home.file()).unwrap();
    }
    let (faults, read) = after_edit(&home, "SELECT 1");
    assert!(faults.is_empty() && read.is_none());
    let (faults, _) = after_edit(&home, &format!("DELETE FROM {table} WHERE seq = {erased}"));
    assert!(faults.contains(&AuditFault::Missing(erased, erased)));
}

fn open_since(file: &Path, home: &Home, checkpoint: &str) -> sealite::Result<Vault> {
    let mut config = Config::default();
    config.checkpoint = Some(checkpoint.to_owned());
    let vault = Vault::at_with(file, config)?;
    vault
        .unlock(&home.unlock())
        .inspect_err(|_| assert_eq!(vault.status().unwrap().name(), "locked"))?;
    Ok(vault)
}

#[test]
fn a_restored_older_file_shows_to_who_kept_a_checkpoint_and_to_nobody_else() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault);
    let early = vault.audit().checkpoint().unwrap();
    vault.close();
    let backup = home.folder().join("backup");
    std::fs::copy(home.file(), &backup).unwrap();

    let vault = home.open();
    let _ = vault.erase_subject(None, "2").unwrap();
    let checkpoint = vault.audit().checkpoint().unwrap();
    vault.audit().append(&Entry::new("later")).unwrap();
    vault.close();
    // The file as it is: whatever has been kept of it.
    for kept in [&early, &checkpoint] {
        let vault = open_since(&home.file(), &home, kept.text()).unwrap();
        assert!(vault.table("users").unwrap().get(2).unwrap().is_none());
        vault.lock();
        vault.unlock(&home.unlock()).unwrap();
        vault.close();
    }
    // The backup in its place. Without a checkpoint nothing tells, and the subject is there again.
    std::fs::copy(&backup, home.file()).unwrap();
    let vault = home.open();
    assert_eq!(
        vault.table("users").unwrap().get(2).unwrap().unwrap().text("email").unwrap(),
        "2@example.org"
    );
    assert!(
        vault.verify(|_| ()).unwrap().is_sound() && vault.audit().verify(None).unwrap().is_sound()
    );
    vault.close();
    let error = open_since(&home.file(), &home, checkpoint.text()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RolledBack);
    open_since(&home.file(), &home, early.text()).unwrap().close();
    // It goes on, beyond the place of the checkpoint: another entry stands there.
    let vault = home.open();
    for _ in 0..10 {
        vault.audit().append(&Entry::new("later")).unwrap();
    }
    vault.close();
    let error = open_since(&home.file(), &home, checkpoint.text()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RolledBack);
}

#[test]
fn a_checkpoint_is_of_this_vault_and_outlives_retention() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault);
    let checkpoint = vault.audit().checkpoint().unwrap();
    let middle = checkpoint.seq();
    vault.audit().append(&Entry::new("later")).unwrap();
    let other = Vault::in_memory().unwrap().audit().checkpoint().unwrap();
    for through in [middle - 1, middle, middle + 1] {
        vault.audit().retain_after(through).unwrap();
        let again = open_since(&home.file(), &home, checkpoint.text()).unwrap();
        assert!(again.audit().verify(None).unwrap().is_sound());
        again.close();
    }
    vault.close();
    for (text, kind) in [
        (other.text(), ErrorKind::AuthenticationFailed),
        ("sealite-audit-1.x", ErrorKind::InvalidInput),
        ("", ErrorKind::InvalidInput),
    ] {
        assert_eq!(open_since(&home.file(), &home, text).unwrap_err().kind(), kind);
    }
}

#[test]
fn a_trail_that_begins_or_ends_with_an_erased_entry_goes_on() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault);
    let found = entries(&vault).into_iter();
    let own: Vec<i64> = found.filter(|e| e.3.as_deref() == Some("2")).map(|e| e.0).collect();
    let _ = vault.erase_subject(None, "2").unwrap();
    // Everything before the erased entry is dropped.
    vault.audit().retain_after(own[0] - 1).unwrap();
    assert_eq!(entries(&vault)[0].0, own[0]);
    assert!(entries(&vault)[0].2);
    assert!(vault.audit().verify(None).unwrap().is_sound());
    vault.close();
    // The tail is cut behind it: what is appended goes on from it, and the cut shows.
    let last = own.last().unwrap();
    let cut = format!("DELETE FROM sealite_audit_sealed WHERE seq > {last}");
    plain(&home.file()).execute_batch(&cut).unwrap();
    let vault = home.open();
    vault.audit().append(&Entry::new("later")).unwrap();
    assert!(!vault.audit().verify(None).unwrap().is_sound());
    vault.table("users").unwrap().update(1, values! {"role" => "admin"}).unwrap();
}
