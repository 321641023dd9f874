//! Databases that released formats wrote, which every later version opens.

use std::path::PathBuf;

use sealite::{
    Column, IdRef, Index, Normaliser, PassphraseCost, Protection, Result, TableDefinition, Unlock,
    Value, ValueRef, Vault, values,
};

/// The fixture's secrets: they protect nothing.
const KEY: &str = "5b6f1c9a2e7d40833fd1a6c4b9e80257184ac3f96d2b70e5f1c8934ea05d7b62";
const PASSPHRASE: &str = "a passphrase of the fixture";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn users() -> Result<TableDefinition> {
    Ok(TableDefinition::new("users")
        .column(Column::parse("email text sealed not null unique email")?)
        .column(Column::parse("surname text sealed lookup 50000 text")?)
        .column(Column::parse("age integer sealed")?)
        .column(Column::parse("weight real sealed")?)
        .column(Column::parse("photo blob sealed")?)
        .column(Column::parse("vip boolean sealed")?)
        .column(Column::parse("extra json sealed")?)
        .column(Column::parse("role text authenticated default 'user'")?)
        .column(Column::parse("plan text")?))
}

fn notes() -> Result<TableDefinition> {
    Ok(TableDefinition::new("notes")
        .text_key("slug")
        .per_tenant()
        .column(Column::parse("body text sealed")?)
        .column(Column::parse("state text authenticated")?))
}

/// Writes the fixture of the format of today: `cargo test -p sealite-tests --test fixtures -- --ignored`. Once a format
/// is released, its fixture is never written again.
#[test]
#[ignore = "writes the fixture of a new format"]
fn write_the_fixture() -> Result<()> {
    let path = folder().join("format-1.db");
    std::fs::create_dir_all(folder()).expect("folder");
    assert!(!path.exists(), "the fixture of a released format stays as it is");
    let vault = Vault::create(&path, &Unlock::key_text(KEY)?)?;
    vault.add_slot("pass", &Unlock::passphrase_with(PASSPHRASE, PassphraseCost::floor())?)?;
    let (_, code) = vault.add_recovery_slot("paper")?;
    std::fs::write(folder().join("format-1.recovery"), code.reveal()).expect("code");
    vault.define_table(&users()?)?;
    vault.define_table(&notes()?)?;
    vault.table("users")?.insert(values! {
        "email" => "Ada@Bücher.example", "surname" => "Lovelace", "age" => 36, "weight" => -0.0,
        "photo" => b"\x00\xff", "vip" => true, "extra" => "{ \"b\":1, \"a\": [] }", "plan" => "pro",
    })?;
    let none: Option<&str> = None;
    vault.table("users")?.insert(values! {"email" => "x@y.example", "surname" => none})?;
    for tenant in ["acme", "beta"] {
        let body = format!("a note of {tenant}");
        vault.tenant(tenant)?.table("notes")?.insert(values! {
            "slug" => "one", "body" => &body, "state" => "open",
        })?;
    }
    let sealed = vault.field("users.phone")?.seal("+44 20 7946 0958", Some(IdRef::Integer(7)))?;
    std::fs::write(folder().join("format-1.field"), sealed).expect("field");
    vault.close();
    Ok(())
}

#[test]
fn a_vault_of_format_1_opens_with_every_slot_and_reads_as_it_was_written() -> Result<()> {
    let home = tempfile::tempdir().expect("folder");
    let path = home.path().join("vault.db");
    std::fs::copy(folder().join("format-1.db"), &path).expect("copy");
    let code = std::fs::read_to_string(folder().join("format-1.recovery")).expect("code");
    let unlocks =
        [Unlock::key_text(KEY)?, Unlock::passphrase(PASSPHRASE)?, Unlock::recovery_code(&code)?];
    for unlock in &unlocks {
        let vault = Vault::open(&path, unlock)?;
        assert!(vault.verify(|_| ())?.is_sound());
        assert!(!vault.define_table(&users()?)?, "the stored definition is what it was");
        assert!(!vault.define_table(&notes()?)?);
        let ada = vault.table("users")?.find_one("email", "ADA@bücher.EXAMPLE")?.expect("found");
        assert!(ada.id() == IdRef::Integer(1));
        let wanted: [(&str, ValueRef<'_>); 8] = [
            ("surname", "Lovelace".into()),
            ("age", 36.into()),
            ("photo", b"\x00\xff".into()),
            ("vip", true.into()),
            ("extra", ValueRef::Json("{ \"b\":1, \"a\": [] }")),
            ("role", "user".into()),
            ("plan", "pro".into()),
            ("email", "Ada@Bücher.example".into()),
        ];
        for (column, value) in wanted {
            assert!(ada.get(column)? == value, "{column}");
        }
        let weight = ada.get("weight")?.as_f64().expect("real");
        assert_eq!(weight.to_bits(), (-0.0f64).to_bits());
        assert_eq!(vault.table("users")?.find("surname", "LOVELACE")?.len(), 1);
        assert!(vault.table("users")?.get(2)?.expect("second").get("surname")?.is_null());
        for tenant in ["acme", "beta"] {
            let handle = vault.tenant(tenant)?;
            let note = handle.table("notes")?.get("one")?.expect("note");
            assert_eq!(note.text("body")?, format!("a note of {tenant}"));
        }
        let sealed = std::fs::read(folder().join("format-1.field")).expect("field");
        let phone = vault.field("users.phone")?.open(&sealed, Some(IdRef::Integer(7)))?;
        assert!(phone == Value::from("+44 20 7946 0958"));
        vault.close();
    }
    Ok(())
}

#[test]
fn a_vault_of_format_1_is_written_to_and_altered() -> Result<()> {
    let home = tempfile::tempdir().expect("folder");
    let path = home.path().join("vault.db");
    std::fs::copy(folder().join("format-1.db"), &path).expect("copy");
    let vault = Vault::open(&path, &Unlock::key_text(KEY)?)?;
    let refused = vault.table("users")?.insert(values! {"email" => "ada@bücher.example"});
    assert_eq!(refused.expect_err("taken").kind().name(), "conflict");
    let id = vault.table("users")?.insert(values! {"email" => "new@y.example"})?;
    assert_eq!(id.as_i64(), Some(3), "the high-water mark is read");
    let protect = sealite::Alteration::Protect("plan".into(), Protection::Sealed);
    let _ = vault.alter_table("users", &protect)?;
    let index = Index::unique().normaliser(Normaliser::Exact);
    let _ = vault.alter_table("users", &sealite::Alteration::AddIndex("plan".into(), index))?;
    assert_eq!(vault.table("users")?.find("plan", "pro")?.len(), 1);
    assert!(vault.verify(|_| ())?.is_sound());
    Ok(())
}
