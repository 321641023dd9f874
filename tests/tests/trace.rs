//! The trace of a request is in every entry that the request leads to, and in no other.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use sealite::{
    ApprovalRequest, Author, Change, Column, Entry, ErrorKind, ExposeSecret, Rotation,
    SettingDefinition, TableDefinition, TokenKind, TokenRequest, Trace, Type, Vault, Verdict,
    values,
};

fn definition(name: &str) -> TableDefinition {
    TableDefinition::new(name).column(Column::text("name").sealed()).subject_is_row()
}

/// Whatever of the engine's own writes entries, for the vault and for a tenant.
fn everything(vault: &Vault) {
    vault.define_table(&definition("people")).unwrap();
    vault.table("people").unwrap().insert(values! {"id" => 7, "name" => "Ada"}).unwrap();
    vault.settings().define(&SettingDefinition::new("mail.host", Type::Text)).unwrap();
    let acme = vault.tenant("acme").unwrap();
    for (settings, tokens, approvals) in [
        (vault.settings(), vault.tokens(), vault.approvals()),
        (acme.settings(), acme.tokens(), acme.approvals()),
    ] {
        let ada = Author::new("ada").reason("because");
        settings.write("mail.host", Change::Set("a".into()), &ada).unwrap();
        settings.reveal("mail.host", &ada).unwrap();
        let issued =
            tokens.issue(&TokenRequest::new(TokenKind::MagicLink).subject("7").label("x")).unwrap();
        tokens.consume(issued.text.expose_secret(), TokenKind::MagicLink).unwrap();
        tokens.revoke_subject("7").unwrap();
        let request = approvals.create(&ApprovalRequest::new("a", "{}", "ada")).unwrap();
        let denied = approvals.decide(&request, "ada", None, Verdict::Approve, None);
        assert_eq!(denied.unwrap_err().kind(), ErrorKind::Denied);
        approvals.decide(&request, "grace", None, Verdict::Approve, None).unwrap();
        approvals.claim(&request, "{}").unwrap();
    }
    vault
        .transaction(|tx| {
            tx.define_table(&definition("others"))?;
            tx.tokens().issue(&TokenRequest::new(TokenKind::Session))?;
            tx.audit(&Entry::new("its.own")).map(|_| ())
        })
        .unwrap();
    vault.execute("SELECT sealite_define_table('third', 'a sealed')", &[]).unwrap_or_default();
    vault.keys().run(&Rotation::data(None), |_| ()).unwrap();
    vault.export_subject(None, "7", &mut Vec::new()).unwrap();
    let _ = vault.erase_subject(None, "7").unwrap();
    let _ = vault.compact().unwrap();
    vault.accept_clock().unwrap();
}

#[test]
fn every_entry_of_the_engine_carries_the_trace_and_the_correlation() {
    let vault = Vault::in_memory().unwrap();
    let before = vault.audit().tail(1_000).unwrap().len();
    let trace = Trace::new("trace-1").unwrap().correlation_id("order-1").unwrap();
    trace.run(|| everything(&vault));
    vault.audit().append(&Entry::new("after")).unwrap();
    let events = vault.audit().tail(1_000).unwrap();
    let (own, after) = events[before..].split_at(events.len() - before - 1);
    let kinds: std::collections::HashSet<_> = own.iter().map(sealite::Event::event).collect();
    for kind in [
        "table.defined",
        "setting.defined",
        "setting.changed",
        "setting.revealed",
        "token.issued",
        "token.consumed",
        "approval.created",
        "approval.denied",
        "approval.approved",
        "approval.executed",
        "key.rotated",
        "subject.exported",
        "subject.erased",
        "vault.compacted",
        "its.own",
    ] {
        assert!(kinds.contains(kind), "{kind} is not among {kinds:?}");
    }
    for event in own {
        assert_eq!(event.trace_id(), Some("trace-1"), "{}", event.event());
        assert_eq!(event.correlation_id(), Some("order-1"), "{}", event.event());
    }
    assert_eq!((after[0].trace_id(), after[0].correlation_id()), (None, None));
    assert!(vault.audit().verify(None).unwrap().is_sound());
}

fn ids(vault: &Vault, entry: &Entry) -> (Option<String>, Option<String>) {
    vault.audit().append(entry).unwrap();
    let event = vault.audit().tail(1).unwrap().remove(0);
    (event.trace_id().map(str::to_owned), event.correlation_id().map(str::to_owned))
}

#[test]
fn an_id_that_an_entry_names_goes_before_the_trace_s() {
    let vault = Vault::in_memory().unwrap();
    let text = |text: &str| Some(text.to_owned());
    let trace = Trace::new("outer").unwrap().correlation_id("order").unwrap();
    trace.run(|| {
        assert_eq!(ids(&vault, &Entry::new("a")), (text("outer"), text("order")));
        assert_eq!(ids(&vault, &Entry::new("a").trace_id("t")), (text("t"), text("order")));
        assert_eq!(ids(&vault, &Entry::new("a").correlation_id("c")), (text("outer"), text("c")));
        // One within another is alone while it holds.
        let inner = Trace::new("inner").unwrap();
        inner.run(|| assert_eq!(ids(&vault, &Entry::new("a")), (text("inner"), None)));
        assert_eq!(Trace::current().as_ref(), Some(&trace));
    });
    assert_eq!(ids(&vault, &Entry::new("a")), (None, None));
}

#[test]
fn a_trace_ends_with_a_panic_and_is_of_one_thread() {
    let vault = Vault::in_memory().unwrap();
    let trace = Trace::new("here").unwrap();
    trace.run(|| {
        let elsewhere = std::thread::scope(|scope| {
            scope.spawn(|| ids(&vault, &Entry::new("elsewhere"))).join().unwrap()
        });
        assert_eq!(elsewhere, (None, None));
    });
    let panicked = catch_unwind(AssertUnwindSafe(|| trace.run(|| panic!("a fault of the work"))));
    assert!(panicked.is_err());
    assert_eq!(Trace::current(), None);
    assert_eq!(Trace::set(Some(trace.clone())), None);
    assert_eq!(Trace::set(None), Some(trace));
}

#[test]
fn ids_that_no_entry_could_have_are_refused() {
    assert_eq!(Trace::new("").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(Trace::new(&"x".repeat(257)).unwrap_err().kind(), ErrorKind::Limit);
    let trace = Trace::new(&"x".repeat(256)).unwrap();
    assert_eq!(trace.clone().correlation_id("").unwrap_err().kind(), ErrorKind::InvalidInput);
    trace.run(|| Vault::in_memory().unwrap().audit().append(&Entry::new("a")).unwrap());
}
