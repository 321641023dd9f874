//! A tenant that is erased is gone with everything that is its.

use sealite::{
    ApprovalRequest, Author, Change, Column, Entry, Erasure, ErrorKind, ExposeSecret, Index, Limit,
    SettingDefinition, TableDefinition, TokenKind, TokenRequest, Type, Vault, values,
};
use sealite_tests::vaults::{Home, plain};

use super::{day, holds, tenant};

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

fn fill(vault: &Vault) {
    let notes = TableDefinition::new("notes")
        .per_tenant()
        .column(Column::integer("user_id").authenticated())
        .column(Column::text("body").sealed().index(Index::unique()))
        .subject("user_id");
    vault.define_table(&notes).unwrap();
    let plain = TableDefinition::new("flags").per_tenant().column(Column::text("a").sealed());
    vault.define_table(&plain).unwrap();
    let setting = SettingDefinition::new("smtp.password", Type::Text).secret();
    vault.settings().define_all(&[setting]).unwrap();
    for name in TENANTS {
        let tenant = tenant(vault, name);
        for n in 0..30 {
            let body = format!("{name} {n}");
            let row = values! {"user_id" => n % 5, "body" => body.as_str()};
            tenant.table("notes").unwrap().insert(row).unwrap();
        }
        tenant.table("flags").unwrap().insert(values! {"a" => name}).unwrap();
        let author = Author::new("ada");
        tenant.settings().write("smtp.password", Change::Set(name.into()), &author).unwrap();
        let request = TokenRequest::new(TokenKind::Session).subject("1");
        tenant.tokens().issue(&request).unwrap();
        tenant.quotas().check_and_charge("ip", &limits(), 1).unwrap();
        tenant.approvals().create(&ApprovalRequest::new("a", "{}", "b").subject("1")).unwrap();
        tenant.audit().append(&Entry::new("seen").subject("1").payload("{\"x\":1}")).unwrap();
        tenant.audit().append(&Entry::new("plain").payload("{\"x\":2}")).unwrap();
        tenant.field("phone").unwrap().seal("1", None).unwrap();
    }
    vault.quotas().check_and_charge("ip", &limits(), 1).unwrap();
}

fn limits() -> [Limit; 1] {
    [Limit::sliding(5, day()).unwrap()]
}

/// The number of rows of each table in which the tenant is named, and of the quotas.
fn counts(home: &Home, name: &str) -> Vec<(String, i64)> {
    let conn = plain(&home.file());
    let sql =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%tenant TEXT NOT NULL%'
               ORDER BY name";
    let mut stmt = conn.prepare(sql).unwrap();
    let tables = stmt.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap);
    let count = |table: String| {
        let sql = format!("SELECT count(*) FROM \"{table}\" WHERE tenant = ?");
        let count = conn.query_row(&sql, [name], |row| row.get(0)).unwrap();
        (table, count)
    };
    tables.map(count).collect()
}

fn quotas(home: &Home) -> i64 {
    let sql = "SELECT count(*) FROM sealite_quotas_sealed";
    plain(&home.file()).query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn everything_of_an_erased_tenant_goes_and_nothing_of_another() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault);
    vault.close();
    let others: Vec<_> = ["acme", "initech"].map(|other| counts(&home, other)).into();
    let own = counts(&home, "globex");
    assert!(own.len() >= 6 && own.iter().all(|(_, count)| *count > 0), "{own:?}");
    assert_eq!(quotas(&home), 4);
    let total: i64 = own.iter().map(|(_, count)| count).sum();

    let vault = home.open();
    let keys = vault.tenants().unwrap();
    assert_eq!(
        keys.iter().map(|t| (t.name.as_str(), t.subjects)).collect::<Vec<_>>(),
        TENANTS.map(|name| (name, 5))
    );
    let receipt = vault.erase_tenant("globex").unwrap();
    assert_eq!(receipt.erasure(), Erasure::Complete);
    assert_eq!(receipt.rows(), 31);
    // And what it has used of its quota.
    assert_eq!(receipt.rows() + receipt.internal(), total as u64 + 1);
    assert!(receipt.keys() >= 5 + 4, "its own keys and those of its subjects");
    assert_eq!((receipt.tenant(), receipt.subject()), (Some("globex"), None));
    let listed = vault.tenants().unwrap();
    let erased: Vec<_> = listed.iter().map(|tenant| tenant.erased_at.is_some()).collect();
    assert_eq!(erased, [false, true, false]);
    assert_eq!(listed[1].subjects, 0);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    assert!(vault.audit().verify(None).unwrap().is_sound());

    let gone = tenant(&vault, "globex");
    let refused = [
        gone.table("flags").unwrap().insert(values! {"a" => "x"}).map(|_| ()),
        gone.table("notes").unwrap().insert(values! {"user_id" => 99, "body" => "x"}).map(|_| ()),
        gone.tokens().issue(&TokenRequest::new(TokenKind::Session)).map(|_| ()),
        gone.quotas().check_and_charge("ip", &limits(), 1).map(|_| ()),
        gone.field("phone").unwrap().seal("1", None).map(|_| ()),
        gone.settings()
            .write("smtp.password", Change::Set("x".into()), &Author::new("ada"))
            .map(|_| ()),
    ];
    for (n, refused) in refused.into_iter().enumerate() {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::DestroyedKey, "{n}");
    }
    for name in ["acme", "initech"] {
        let other = tenant(&vault, name);
        assert_eq!(other.table("notes").unwrap().count().unwrap(), 30);
        let revealed =
            other.settings().reveal("smtp.password", &Author::new("ada").reason("why")).unwrap();
        assert_eq!(revealed.expose().as_str(), Some(name));
        let decision = other.quotas().peek("ip", &limits()).unwrap();
        assert_eq!(decision.remaining, 4);
    }
    vault.close();
    assert_eq!(["acme", "initech"].map(|other| counts(&home, other)).to_vec(), others);
    assert!(counts(&home, "globex").iter().all(|(_, count)| *count == 0));
    assert_eq!(quotas(&home), 3);
}

#[test]
fn keys_and_index_values_of_an_erased_tenant_are_in_no_file() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault);
    vault.close();
    let conn = plain(&home.file());
    let mut traces: Vec<Vec<u8>> = Vec::new();
    for sql in [
        "SELECT sealed FROM sealite_keys WHERE tenant = 'globex'",
        "SELECT sealed FROM notes_sealed WHERE tenant = 'globex'",
        "SELECT body_bidx FROM notes_sealed WHERE tenant = 'globex'",
        "SELECT sealed FROM sealite_tenant_tokens_sealed WHERE tenant = 'globex'",
        "SELECT sealed FROM sealite_settings_of_tenants_sealed WHERE tenant = 'globex'",
    ] {
        let mut stmt = conn.prepare(sql).unwrap();
        traces.extend(stmt.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap));
    }
    drop(conn);
    assert!(traces.len() > 70);
    assert!(traces.iter().all(|trace| holds(home.folder(), trace.get(..14).unwrap())));
    let vault = home.open();
    let _ = vault.erase_tenant("globex").unwrap();
    for trace in &traces {
        assert!(!holds(home.folder(), &trace[..14]));
        assert!(!holds(home.folder(), &trace[trace.len() - 14..]));
    }
}

#[test]
fn the_trail_of_an_erased_tenant_stays_without_what_its_subjects_said() {
    let vault = Vault::in_memory().unwrap();
    fill(&vault);
    let events = |vault: &Vault| {
        let found = tenant(vault, "globex").audit().tail(100).unwrap();
        let seen = found.into_iter().filter(|e| ["seen", "plain"].contains(&e.event()));
        seen.map(|e| (e.event().to_owned(), e.is_erased(), e.payload().map(str::to_owned)))
            .collect::<Vec<_>>()
    };
    let one = Some("{\"x\":1}".to_owned());
    let two = Some("{\"x\":2}".to_owned());
    assert_eq!(events(&vault), [("seen".into(), false, one), ("plain".into(), false, two.clone())]);
    let _ = vault.erase_tenant("globex").unwrap();
    assert_eq!(events(&vault), [("seen".into(), true, None), ("plain".into(), false, two)]);
}

#[test]
fn a_subject_of_one_tenant_is_erased_alone() {
    let vault = Vault::in_memory().unwrap();
    fill(&vault);
    let receipt = vault.erase_subject(Some("acme"), "1").unwrap();
    assert_eq!((receipt.tenant(), receipt.rows()), (Some("acme"), 6));
    let left = |name: &str| tenant(&vault, name).table("notes").unwrap().count().unwrap();
    assert_eq!(TENANTS.map(left), [24, 30, 30]);
    let acme = tenant(&vault, "acme");
    let again = acme.table("notes").unwrap().insert(values! {"user_id" => 1, "body" => "x"});
    assert_eq!(again.unwrap_err().kind(), ErrorKind::DestroyedKey);
    let other = tenant(&vault, "globex");
    other.table("notes").unwrap().insert(values! {"user_id" => 1, "body" => "x"}).unwrap();
    let token = other.tokens().issue(&TokenRequest::new(TokenKind::Session).subject("1")).unwrap();
    assert!(other.tokens().verify(token.text.expose_secret(), TokenKind::Session).is_ok());
}
