//! Databases that released formats wrote, which every later version opens.

use std::path::PathBuf;
use std::time::Duration;

use sealite::{
    ApprovalRequest, ApprovalState, Author, Change, Column, Entry, IdRef, Index, Limit, Normaliser,
    PassphraseCost, Protection, Result, SettingDefinition, TableDefinition, Type, Unlock, Value,
    ValueRef, Vault, Verdict, values,
};

/// The fixture's secrets: they protect nothing.
const KEY: &str = "5b6f1c9a2e7d40833fd1a6c4b9e80257184ac3f96d2b70e5f1c8934ea05d7b62";
const PASSPHRASE: &str = "a passphrase of the fixture";

const PASSWORD: &str = "a password of the fixture";
const PAYLOAD: &str = r#"{"amount":900,"to":["a","b"]}"#;
const LIMIT: &str = "10/day";
/// When the fixture was made, as its clock says: 2027-01-15, in milliseconds since 1970.
const MADE: i64 = 1_800_000_000_000;
const YEAR: Duration = Duration::from_secs(366 * 86_400);

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

fn settings() -> Vec<SettingDefinition> {
    vec![
        SettingDefinition::new("mail.password", Type::Text).secret().category("mail"),
        SettingDefinition::new("mail.port", Type::Integer).default(25),
    ]
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
    vault.set_clock(Some(MADE));
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
    let ada = Author::new("ada").reason("the fixture");
    vault.settings().define_all(&settings())?;
    vault.settings().write("mail.password", Change::set("first"), &ada)?;
    vault.settings().write("mail.password", Change::set(PASSWORD), &ada)?;
    vault.tenant("acme")?.settings().write("mail.port", Change::set(2525), &ada)?;
    vault.audit().append(&Entry::new("fixture.made").actor("ada").payload(r#"{"n":1}"#))?;
    vault.quotas().check_and_charge("login:ada", &Limit::parse(LIMIT)?, 3)?;
    let approvals = vault.approvals();
    let request = |action| ApprovalRequest::new(action, PAYLOAD, "ada").expires_in(YEAR);
    approvals.create(&request("pending").subject("pending"))?;
    let approved = approvals.create(&request("approved"))?;
    approvals.decide(&approved, "grace", None, Verdict::Approve, Some("checked"))?;
    std::fs::write(folder().join("format-1.approval"), approved).expect("approval");
    let checkpoint = vault.audit().checkpoint()?.text().to_owned();
    std::fs::write(folder().join("format-1.checkpoint"), checkpoint).expect("checkpoint");
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
fn the_other_state_of_format_1_reads_as_it_was_written_and_goes_on() -> Result<()> {
    let home = tempfile::tempdir().expect("folder");
    let path = home.path().join("vault.db");
    std::fs::copy(folder().join("format-1.db"), &path).expect("copy");
    let text = |name: &str| std::fs::read_to_string(folder().join(name)).expect("text");
    let vault = Vault::open(&path, &Unlock::key_text(KEY)?)?;
    // Its quota and approvals hold for a while only.
    vault.set_clock(Some(MADE));

    let checkpoint = text("format-1.checkpoint");
    assert!(vault.audit().verify(Some(&checkpoint))?.is_sound());
    let made = vault.audit().tail(100)?;
    let made = made.iter().find(|event| event.event() == "fixture.made").expect("entry");
    assert_eq!((made.actor(), made.payload()), (Some("ada"), Some(r#"{"n":1}"#)));

    assert!(!vault.settings().define_all(&settings())?, "stored as they are declared");
    let settings = vault.settings();
    assert_eq!(settings.read("mail.password")?.shown(), "********");
    let password = settings.use_value("mail.password")?.expect("set");
    assert_eq!(password.expose().as_str(), Some(PASSWORD));
    assert_eq!(settings.history("mail.password")?.len(), 2);
    assert_eq!(vault.tenant("acme")?.settings().read("mail.port")?.shown(), "2525");
    assert_eq!(settings.read("mail.port")?.shown(), "25");

    let left = vault.quotas().peek("login:ada", &Limit::parse(LIMIT)?)?;
    assert_eq!(left.remaining, 7);

    let approvals = vault.approvals();
    assert_eq!(approvals.list_pending(Some("pending"), None)?.len(), 1);
    let approved = approvals.get(&text("format-1.approval"))?;
    assert_eq!(
        (approved.state, approved.reason.as_deref()),
        (ApprovalState::Approved, Some("checked"))
    );
    assert_eq!(approvals.claim(&approved.id, PAYLOAD)?.state, ApprovalState::Executed);

    let ada = Author::new("ada");
    assert_eq!(settings.roll_back("mail.password", 1, &ada)?, 3);
    assert!(vault.audit().verify(Some(&checkpoint))?.is_sound());
    assert!(vault.verify(|_| ())?.is_sound());
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
