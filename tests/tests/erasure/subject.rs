//! A subject that is erased is gone, and nobody else is.

use sealite::{ApprovalRequest, Erasure, ErrorKind, TokenKind, TokenRequest, Vault, values};
use sealite_tests::vaults::{Home, assert_integrity, plain};

use super::{fill, holds, others, traces};

#[test]
fn nothing_of_an_erased_subject_is_left_and_all_others_are_untouched() {
    let home = Home::new();
    let vault = home.create();
    let tokens = fill(&vault);
    let before = others(&vault, "2");
    vault.close();
    let gone = traces(&home.file(), "2");
    let kept: Vec<_> = ["1", "3"].iter().flat_map(|other| traces(&home.file(), other)).collect();
    // What a token's subject is found by.
    let macs = |state: &str| -> Vec<String> {
        let conn = plain(&home.file());
        let sql = "SELECT DISTINCT owner FROM sealite_tokens_sealed ORDER BY rowid";
        let mut stmt = conn.prepare(sql).unwrap();
        let found = stmt.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert!(!state.is_empty());
        found
    };
    let owners = macs("before");
    assert_eq!(owners.len(), 3);
    assert!(gone.iter().chain(&kept).all(|trace| holds(home.folder(), &trace[trace.len() / 2..])));

    let vault = home.open();
    let receipt = vault.erase_subject(None, "2").unwrap();
    assert_eq!(receipt.erasure(), Erasure::Complete);
    assert_eq!((receipt.rows(), receipt.internal(), receipt.keys()), (9, 4, 1));
    // With the vault open: its log lies there, too.
    for trace in &gone {
        assert!(!holds(home.folder(), &trace[trace.len() / 2..]));
        assert!(!holds(home.folder(), &trace[..trace.len().min(40)]));
    }
    assert!(!holds(home.folder(), owners[1].as_bytes()));
    for trace in &kept {
        assert!(holds(home.folder(), &trace[trace.len() / 2..]), "another's record has moved");
    }
    assert_eq!(others(&vault, "2"), before);
    assert_eq!(others(&vault, "0"), before, "no row of the subject is left");
    for (n, token) in tokens.iter().enumerate() {
        let kind = if n % 2 == 0 { TokenKind::Session } else { TokenKind::ApiKey };
        assert_eq!(vault.tokens().verify(token, kind).is_ok(), n / 2 != 1);
    }
    assert_eq!(vault.approvals().list_pending(Some("2"), None).unwrap().len(), 0);
    assert_eq!(vault.approvals().list_pending(Some("1"), None).unwrap().len(), 1);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    assert!(vault.audit().verify(None).unwrap().is_sound());
    vault.close();
    assert_integrity(&home.file());
}

#[test]
fn what_is_written_for_an_erased_subject_is_refused() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault);
    let elsewhere = home.open();
    let notes = elsewhere.table("notes").unwrap();
    assert_eq!(notes.get("2-0").unwrap().unwrap().text("body").unwrap(), "2 body 0");
    let _ = vault.erase_subject(None, "2").unwrap();
    // Each handle has keys of its own in memory.
    for vault in [&elsewhere, &vault, &home.open()] {
        let notes = vault.table("notes").unwrap();
        let row = values! {"slug" => "new", "user_id" => 2, "body" => "x"};
        assert_eq!(notes.insert(row).unwrap_err().kind(), ErrorKind::DestroyedKey);
        let moved = notes.update("1-0", values! {"user_id" => 2});
        assert_eq!(moved.unwrap_err().kind(), ErrorKind::DestroyedKey);
        let sql = "INSERT INTO users (id, email) VALUES (2, 'again@example.org')";
        assert_eq!(vault.execute(sql, &[]).unwrap_err().kind(), ErrorKind::DestroyedKey);
        let request = TokenRequest::new(TokenKind::Session).subject("2");
        assert_eq!(vault.tokens().issue(&request).unwrap_err().kind(), ErrorKind::DestroyedKey);
        let request = ApprovalRequest::new("a", "{}", "b").subject("2");
        assert_eq!(vault.approvals().create(&request).unwrap_err().kind(), ErrorKind::DestroyedKey);
        assert!(notes.get("2-0").unwrap().is_none());
        assert!(notes.find("user_id", 2).unwrap().is_empty());
        assert_eq!(notes.get("1-0").unwrap().unwrap().text("body").unwrap(), "1 body 0");
    }
}

#[test]
fn an_erased_row_that_is_put_back_does_not_open() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault);
    vault.close();
    let old = home.folder().join("old");
    std::fs::copy(home.file(), &old).unwrap();
    let put_back = |sql: &str| {
        let conn = plain(&home.file());
        conn.execute("ATTACH ? AS old", [old.to_str().unwrap()]).unwrap();
        conn.execute_batch(sql).unwrap();
    };
    let vault = home.open();
    let _ = vault.erase_subject(None, "2").unwrap();
    vault.close();
    put_back("INSERT INTO notes_sealed SELECT * FROM old.notes_sealed WHERE user_id = 2");
    let vault = home.open();
    let error = vault.table("notes").unwrap().get("2-0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DestroyedKey);
    vault.close();
    // With the row of its key, too: the list of keys knows better.
    put_back(
        "INSERT OR REPLACE INTO sealite_keys SELECT * FROM old.sealite_keys WHERE subject = '2'",
    );
    let vault = home.open();
    assert_eq!(vault.tenants().unwrap_err().kind(), ErrorKind::AuthenticationFailed);
    let error = vault.erase_subject(None, "3").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthenticationFailed);
}

#[test]
fn a_receipt_is_of_its_vault_and_not_to_be_altered() {
    let vault = Vault::in_memory().unwrap();
    fill(&vault);
    let receipt = vault.erase_subject(None, "2").unwrap();
    assert_eq!((receipt.tenant(), receipt.subject()), (None, Some("2")));
    let event = vault.audit().tail(1).unwrap().remove(0);
    assert_eq!((event.seq(), event.event()), (receipt.audit_seq(), "subject.erased"));
    assert_eq!(event.subject(), Some("2"));
    let known = vault.verify_receipt(&format!(" {}\n", receipt.text())).unwrap();
    assert_eq!(known, receipt);
    // Once more: nothing is left to do, and the receipt is the same.
    assert_eq!(vault.erase_subject(None, "2").unwrap().text(), receipt.text());
    assert_eq!(vault.audit().tail(1).unwrap()[0].seq(), event.seq());

    let text = receipt.text();
    let (prefix, _) = text.split_at("sealite-erasure-1.".len());
    for at in prefix.len()..text.len() {
        let mut altered = text.to_owned().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        let error = vault.verify_receipt(&altered).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::AuthenticationFailed | ErrorKind::InvalidInput));
    }
    let other = Vault::in_memory().unwrap();
    assert_eq!(other.verify_receipt(text).unwrap_err().kind(), ErrorKind::AuthenticationFailed);
    fill(&other);
    let _ = other.erase_subject(None, "1").unwrap();
    assert_eq!(other.verify_receipt(text).unwrap_err().kind(), ErrorKind::AuthenticationFailed);
    for wrong in ["", "sealite-erasure-1.", "sealite-audit-1.abc", "sealite-erasure-1.!.x"] {
        assert_eq!(other.verify_receipt(wrong).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn what_is_not_there_is_not_erased() {
    let vault = Vault::in_memory().unwrap();
    fill(&vault);
    for (subject, kind) in [
        ("77", ErrorKind::NotFound),
        ("02", ErrorKind::NotFound),
        ("", ErrorKind::InvalidInput),
        ("a\0", ErrorKind::InvalidInput),
    ] {
        assert_eq!(vault.erase_subject(None, subject).unwrap_err().kind(), kind, "{subject}");
    }
    let unknown = vault.erase_subject(Some("acme"), "2").unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    assert_eq!(vault.erase_tenant("acme").unwrap_err().kind(), ErrorKind::NotFound);
    // Its name was not used up.
    let row = values! {"slug" => "new", "user_id" => 77, "body" => "x"};
    vault.table("notes").unwrap().insert(row).unwrap();
}

#[test]
fn a_damaged_row_keeps_the_whole_erasure_from_happening_until_it_is_discarded() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault);
    let before = others(&vault, "0");
    vault.close();
    let edit_file = |sql: &str| plain(&home.file()).execute_batch(sql).unwrap();
    // Somebody else's row is made to look like the subject's, and the subject's like somebody else's.
    for edit in ["SET user_id = 2 WHERE slug = '1-1'", "SET user_id = 1 WHERE slug = '2-1'"] {
        edit_file(&format!("UPDATE notes_sealed {edit}"));
        let vault = home.open();
        let error = vault.erase_subject(None, "2").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{edit}");
        assert_eq!(vault.table("users").unwrap().count().unwrap(), 3);
        vault.close();
        edit_file(
            "UPDATE notes_sealed SET user_id = substr(slug, 1, 1) + 0 WHERE slug <> 'nobody'",
        );
    }
    edit_file("UPDATE notes_sealed SET user_id = 1 WHERE slug = '2-1'");
    let vault = home.open();
    assert!(vault.table("notes").unwrap().discard("2-1").unwrap());
    assert_eq!(vault.erase_subject(None, "2").unwrap().rows(), 8);
    assert_eq!(others(&vault, "2").len(), before.len() - 9);
}

#[test]
fn rows_that_refer_to_each_other_go_together_and_others_hold_the_erasure_back() {
    let vault = Vault::in_memory().unwrap();
    fill(&vault);
    let by = |table: &str, more: &str| {
        format!(
            "CREATE TABLE {table} (id INTEGER PRIMARY KEY, u INTEGER REFERENCES users_sealed (id) {more})"
        )
    };
    vault.execute(&by("cascading", "ON DELETE CASCADE"), &[]).unwrap();
    vault.execute(&by("strict", ""), &[]).unwrap();
    for table in ["cascading", "strict"] {
        vault.execute(&format!("INSERT INTO {table} (u) VALUES (1), (2)"), &[]).unwrap();
    }
    let before = others(&vault, "0");
    assert_eq!(vault.erase_subject(None, "2").unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(others(&vault, "0"), before);
    vault.execute("DELETE FROM strict WHERE u = 2", &[]).unwrap();
    let _ = vault.erase_subject(None, "2").unwrap();
    let left = vault.query("SELECT u FROM cascading", &[]).unwrap().rows;
    assert_eq!(left, [[sealite::Value::Integer(1)]]);
}
