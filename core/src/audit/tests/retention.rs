//! Retention drops what it is told to, at most so much in one call, and records it.

use super::{edit, faults, run, trail};
use crate::Vault;
use crate::audit::AuditFault;

/// What the newest entry says: the first and the last that were dropped.
fn recorded(vault: &Vault) -> (i64, i64) {
    let event = vault.audit().tail(1).unwrap().remove(0);
    assert_eq!(event.event(), "audit.retained");
    let payload: serde_json::Value = serde_json::from_str(event.payload().unwrap()).unwrap();
    (payload["from"].as_i64().unwrap(), payload["through"].as_i64().unwrap())
}

fn places(vault: &Vault) -> Vec<i64> {
    vault.audit().tail(100).unwrap().iter().map(crate::Event::seq).collect()
}

#[test]
fn each_range_that_is_dropped_begins_behind_the_one_before() {
    let vault = trail(6);
    assert_eq!(vault.audit().retain_after(0).unwrap(), 0);
    assert_eq!(places(&vault), [1, 2, 3, 4, 5, 6], "nothing to drop, and nothing to record");
    assert_eq!(vault.audit().retain_after(1).unwrap(), 1);
    assert_eq!((places(&vault), recorded(&vault)), (vec![2, 3, 4, 5, 6, 7], (1, 1)));
    assert_eq!(vault.audit().retain_after(4).unwrap(), 4);
    assert_eq!((places(&vault), recorded(&vault)), (vec![5, 6, 7, 8], (2, 4)));
    for through in [4, 3, 0, -1, i64::MIN] {
        assert_eq!(vault.audit().retain_after(through).unwrap(), 4, "dropped already");
        assert_eq!(places(&vault), [5, 6, 7, 8]);
    }
    assert_eq!(vault.audit().retain_after(5).unwrap(), 5);
    assert_eq!((places(&vault), recorded(&vault)), (vec![6, 7, 8, 9], (5, 5)));
    assert_eq!(faults(&vault), []);
}

#[test]
fn ten_thousand_entries_are_dropped_in_one_call_at_most() {
    let vault = trail(10_002);
    assert_eq!(vault.audit().retain_after(10_002).unwrap(), 10_000);
    assert_eq!((places(&vault), recorded(&vault)), (vec![10_001, 10_002, 10_003], (1, 10_000)));
    assert_eq!(vault.audit().retain_after(10_002).unwrap(), 10_002);
    assert_eq!(recorded(&vault), (10_001, 10_002));
}

#[test]
fn an_entry_that_was_dropped_and_is_put_back_is_out_of_its_place() {
    let vault = trail(4);
    edit(&vault, "CREATE TEMP TABLE kept AS SELECT * FROM sealite_audit_sealed WHERE seq = 1");
    assert_eq!(vault.audit().retain_after(2).unwrap(), 2);
    assert_eq!(faults(&vault), []);
    let put_back = run(&vault, |session| {
        session.conn().execute("INSERT INTO sealite_audit_sealed SELECT * FROM kept", &[])
    });
    assert_eq!(put_back.unwrap(), 1);
    assert!(faults(&vault).contains(&AuditFault::Broken(1)), "{:?}", faults(&vault));
}
