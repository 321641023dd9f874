//! Unwrapped keys in memory: how much, where, and after a fork.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::time::Duration;

use sealite::{Column, Config, ExposeSecret, Index, TableDefinition, Unlock, Vault, values};
use sealite_tests::process::{drop_privileges, fork, staged, tell};
use sealite_tests::vaults::{Home, open_in, unlock_in};

const TENANTS: usize = 10_000;

/// Anonymous memory of this process, in KiB.
fn anonymous_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn clients() -> TableDefinition {
    TableDefinition::new("clients")
        .per_tenant()
        .column(Column::text("email").sealed().index(Index::unique()))
}

/// Uses every tenant's keys, twice round.
fn use_all(vault: &Vault) {
    for _ in 0..2 {
        for n in 0..TENANTS {
            let tenant = vault.tenant(&format!("tenant{n}")).unwrap();
            let table = tenant.table_handle("clients");
            assert_eq!(table.find("email", "ada@example.org").unwrap().len(), 1);
        }
    }
}

/// The memory of an open vault of 10,000 tenants is that of 4,096 keys, not of 20,000.
#[test]
#[cfg(target_os = "linux")]
fn memory_of_ten_thousand_tenants_is_bounded_by_the_cache() {
    let test = "memory_of_ten_thousand_tenants_is_bounded_by_the_cache";
    staged(test, 170, |stage| {
        if let Some(keys) = stage.role().strip_prefix("reader") {
            let mut config = Config::default();
            config.key_cache = keys.parse().unwrap();
            let before = anonymous_kib();
            let vault = Vault::at_with(stage.path().join("vault.db"), config).unwrap();
            vault.unlock(&unlock_in(&stage.path())).unwrap();
            use_all(&vault);
            return tell(anonymous_kib() - before);
        }
        let home = Home::new();
        let vault = Vault::create(home.file(), &home.unlock()).unwrap();
        home.share_key();
        vault.define_table(&clients()).unwrap();
        vault
            .transaction(|tx| {
                (0..TENANTS).try_for_each(|n| {
                    let table = tx.tenant_table(&format!("tenant{n}"), "clients")?;
                    table.insert(values! {"email" => "ada@example.org"}).map(|_| ())
                })
            })
            .unwrap();
        assert_eq!(vault.keys().list().unwrap().len(), 3 + 2 * TENANTS);
        vault.close();
        let used = |keys: usize| -> usize {
            let mut reader = stage.process(&format!("reader{keys}"), home.folder());
            let used = reader.hear().parse().unwrap();
            reader.succeed();
            tell(format_args!("{used} KiB with at most {keys} keys in memory"));
            used
        };
        let (few, usual, all) = (used(64), used(4_096), used(1 << 20));
        assert!(usual < 24 << 10, "{usual} KiB");
        assert!(few < usual && usual * 3 < all * 2, "{few}, {usual}, {all} KiB");
    });
}

#[test]
fn a_forked_child_unwraps_its_keys_again_and_its_parent_keeps_them() {
    let test = "a_forked_child_unwraps_its_keys_again_and_its_parent_keeps_them";
    staged(test, 60, |_| {
        let home = Home::new();
        let vault = home.create();
        let field = vault.tenant("acme").unwrap().field("f").unwrap();
        let sealed = field.seal("before", None).unwrap();
        let sum = |vault: &Vault| {
            let metrics = vault.metrics();
            metrics.keys_locked + metrics.keys_not_locked
        };
        let before = sum(&vault);
        fork(|| {
            let inherited = vault.metrics().keys_not_locked;
            assert_eq!(inherited, before, "a lock on memory is not inherited");
            assert_eq!(field.open(&sealed, None).unwrap(), "before".into());
            assert!(vault.metrics().keys_not_locked < inherited, "the parent's keys are wiped");
            assert!(field.seal("after", None).is_ok());
            vault.table("people").unwrap().insert(values! {"email" => "c@example.org"}).unwrap();
        })
        .succeed();
        assert_eq!(sum(&vault), before);
        assert_eq!(field.open(&sealed, None).unwrap(), "before".into());
        assert_eq!(vault.table("people").unwrap().count().unwrap(), 1);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn keys_work_and_are_counted_where_no_memory_may_be_locked() {
    let test = "keys_work_and_are_counted_where_no_memory_may_be_locked";
    staged(test, 60, |stage| {
        let limit = |bytes| {
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            // SAFETY: setrlimit reads the structure.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) }, 0);
        };
        if stage.role() == "none" {
            limit(0);
            drop_privileges();
        }
        let vault = Vault::in_memory().unwrap();
        let key = sealite::generate_key().unwrap();
        drop(Unlock::key_text(key.expose_secret()).unwrap());
        let sealed: Vec<_> = (0..50)
            .map(|n| {
                let field = vault.tenant(&format!("t{n}")).unwrap().field("f").unwrap();
                (field.clone(), field.seal(n, None).unwrap())
            })
            .collect();
        for (n, (field, sealed)) in (0_i64..).zip(&sealed) {
            assert_eq!(field.open(sealed, None).unwrap(), n.into());
        }
        let metrics = vault.metrics();
        assert!(metrics.keys_locked + metrics.keys_not_locked >= 50);
        let shown = metrics.prometheus();
        assert!(shown.contains(&format!("sealite_keys_not_locked {}\n", metrics.keys_not_locked)));
        if stage.role() == "none" {
            assert_eq!(metrics.keys_locked, 0);
        } else {
            stage.process("none", "").succeed();
        }
    });
}

#[test]
fn a_key_age_of_nothing_works() {
    let home = Home::new();
    let mut config = Config::default();
    (config.key_cache, config.key_age) = (0, Duration::ZERO);
    let vault = Vault::at_with(home.file(), config).unwrap();
    vault.initialise(&home.unlock()).unwrap();
    home.share_key();
    vault.define_table(&clients()).unwrap();
    let tenant = vault.tenant("acme").unwrap();
    let clients = tenant.table("clients").unwrap();
    let id = clients.insert(values! {"email" => "ada@example.org"}).unwrap();
    clients.update(&id, values! {"email" => "eve@example.org"}).unwrap();
    assert_eq!(clients.find("email", "eve@example.org").unwrap().len(), 1);
    let token = vault.tokens().issue(&sealite::TokenRequest::new(sealite::TokenKind::Session));
    let token = token.unwrap();
    vault.tokens().verify(token.text.expose_secret(), sealite::TokenKind::Session).unwrap();
    assert!(vault.verify(|_| ()).unwrap().is_sound() && vault.health().ready);
    drop(clients);
    drop(open_in(home.folder()));
}
