//! What can't be provoked through the public calls.

#![allow(clippy::unwrap_used)]

use super::Reason;
use crate::keys::ring::{Owner, Purpose};
use crate::table::ReadSession;
use crate::table::session::Session;
use crate::{Column, TableDefinition, Vault, values};

/// The data key of the tenant.
fn key_of(vault: &Vault, tenant: &str) -> u32 {
    let session = ReadSession::begin(vault.engine()).unwrap();
    let key = session.state.ring.sealing(&session.conn, Some(tenant), None).unwrap().unwrap();
    key.id()
}

fn retire(vault: &Vault, tenant: &str) {
    let owner = Owner::of(Purpose::Data, Some(tenant));
    Session::run(vault.engine(), |session| session.succeed_key(owner)).unwrap();
}

#[test]
fn records_under_a_retired_key_are_reported_until_they_are_sealed_anew() {
    let vault = Vault::in_memory().unwrap();
    let definition = TableDefinition::new("t").per_tenant().column(Column::text("a").sealed());
    vault.define_table(&definition).unwrap();
    let acme = vault.tenant("acme").unwrap();
    let table = acme.table("t").unwrap();
    // More rows than one check looks at, the last of them under the retired key.
    let old = table.insert(values! {"a" => "first"}).unwrap();
    let rows = (0..6_000).map(|_| ["more".into()]);
    let ids = table.insert_many(&["a"], rows).unwrap();
    let first = key_of(&vault, "acme");
    assert!(vault.health().ready);
    retire(&vault, "acme");
    let table = acme.table("t").unwrap();
    table.insert(values! {"a" => "new"}).unwrap();
    assert_ne!(key_of(&vault, "acme"), first);
    let reasons = || vault.health().reasons;
    assert_eq!(reasons(), [Reason::KeyRetiredInUse]);
    acme.transaction(|tx| {
        let table = tx.table("t")?;
        table.update(&old, values! {"a" => "first"})?;
        ids.iter()
            .take(5_990)
            .try_for_each(|id| table.update(id, values! {"a" => "more"}).map(|_| ()))
    })
    .unwrap();
    for _ in 0..6 {
        assert_eq!(reasons(), [Reason::KeyRetiredInUse], "ten rows are left");
    }
    acme.transaction(|tx| {
        let table = tx.table("t")?;
        ids.iter().try_for_each(|id| table.update(id, values! {"a" => "more"}).map(|_| ()))
    })
    .unwrap();
    for _ in 0..6 {
        reasons();
    }
    assert!(vault.health().ready, "{:?}", reasons());
}
