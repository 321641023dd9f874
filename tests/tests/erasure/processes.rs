//! Erasures while other processes have the vault open.

use sealite::{Erasure, ErrorKind, values};
use sealite_tests::process::{listen, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, open_in};

use super::{fill, holds_any, traces};

#[test]
fn a_process_with_the_old_keys_writes_nothing_for_an_erased_subject() {
    let test = "processes::a_process_with_the_old_keys_writes_nothing_for_an_erased_subject";
    staged(test, scaled(60, 120), |stage| {
        if stage.role() == "other" {
            let vault = open_in(&stage.path());
            let notes = vault.table("notes").unwrap();
            // The keys of every subject are in memory.
            assert_eq!(notes.scan().unwrap().count(), 13);
            notes.update("2-0", values! {"body" => "changed"}).unwrap();
            tell("ready");
            while let Some(line) = listen() {
                assert_eq!(line, "write");
                let row = values! {"slug" => "x", "user_id" => 2, "body" => "x"};
                let refused = notes.insert(row).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::DestroyedKey);
                let moved = notes.update("1-0", values! {"user_id" => 2}).unwrap_err();
                assert_eq!(moved.kind(), ErrorKind::DestroyedKey);
                assert!(!notes.update("2-0", values! {"body" => "x"}).unwrap());
                assert!(notes.scan().unwrap().all(|row| row.is_ok()));
                assert_eq!(notes.count().unwrap(), 9);
                assert!(notes.update("1-0", values! {"body" => "goes on"}).unwrap());
                tell("refused");
            }
            return;
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        fill(&vault);
        let mut others: Vec<_> = (0..2).map(|_| stage.process("other", home.folder())).collect();
        for other in &mut others {
            assert_eq!(other.hear(), "ready");
        }
        let _ = vault.erase_subject(None, "2").unwrap();
        for other in &mut others {
            other.say("write");
            assert_eq!(other.hear(), "refused");
        }
        drop(others);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        assert!(vault.audit().verify(None).unwrap().is_sound());
    });
}

#[test]
fn a_reader_that_holds_the_log_back_makes_it_pending_and_it_is_finished_later() {
    let test =
        "processes::a_reader_that_holds_the_log_back_makes_it_pending_and_it_is_finished_later";
    staged(test, scaled(60, 120), |stage| {
        if stage.role() == "reader" {
            let vault = open_in(&stage.path());
            let snapshot = vault.snapshot().unwrap();
            let notes = snapshot.table("notes").unwrap();
            assert!(notes.get("2-0").unwrap().is_some());
            tell("reads");
            assert_eq!(listen().as_deref(), Some("end"));
            // What it sees is the moment that it began with.
            assert_eq!(notes.get("2-0").unwrap().unwrap().text("body").unwrap(), "2 body 0");
            drop(snapshot);
            tell("ended");
            return;
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        fill(&vault);
        vault.close();
        let gone = traces(&home.file(), "2");
        let mut config = sealite::Config::default();
        config.busy_timeout = std::time::Duration::from_millis(300);
        let vault = sealite::Vault::at_with(home.file(), config).unwrap();
        vault.unlock(&home.unlock()).unwrap();
        let mut reader = stage.process("reader", home.folder());
        assert_eq!(reader.hear(), "reads");
        let receipt = vault.erase_subject(None, "2").unwrap();
        assert_eq!(receipt.erasure(), Erasure::Pending);
        assert_eq!(vault.finish_erasure().unwrap(), Erasure::Pending);
        assert_eq!(vault.verify_receipt(receipt.text()).unwrap().erasure(), Erasure::Pending);
        // For everybody who begins now it is done.
        assert!(vault.table("notes").unwrap().get("2-0").unwrap().is_none());
        let halves = || gone.iter().map(|trace| &trace[trace.len() / 2..]);
        assert!(holds_any(home.folder(), halves()));
        reader.say("end");
        assert_eq!(reader.hear(), "ended");
        reader.succeed();
        assert_eq!(vault.finish_erasure().unwrap(), Erasure::Complete);
        assert_eq!(vault.verify_receipt(receipt.text()).unwrap().erasure(), Erasure::Complete);
        assert!(!holds_any(home.folder(), halves()));
    });
}
