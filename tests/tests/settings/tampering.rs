//! What is done to the file from outside shows.

use crate::{Filed, PASSWORD, author, kind, text, vault};
use sealite::{Author, Change, Result, SettingSource};

#[test]
fn turning_a_setting_secret_leaves_its_old_value_nowhere() -> Result<()> {
    let (file, vault) = Filed::new();
    let settings = vault.settings();
    settings.define(&text("plain.CANARY-name").default("CANARY-default"))?;
    settings.write("smtp.host", Change::set("CANARY-open"), &author())?;
    settings.write(PASSWORD, Change::set("CANARY-first"), &author())?;
    settings.write(PASSWORD, Change::set("CANARY-second"), &author())?;
    vault.tenant("acme")?.settings().write(PASSWORD, Change::set("CANARY-acme"), &author())?;
    assert_eq!(settings.read("smtp.host")?.shown(), "CANARY-open");
    assert!(settings.set_secret("smtp.host", true, &author())?);
    assert_eq!(settings.read("smtp.host")?.shown(), "********");
    assert_eq!(settings.history("smtp.host")?[0].shown(), "********");
    settings.roll_back(PASSWORD, 1, &author())?;
    settings.reveal(PASSWORD, &author())?;
    let _ = settings.export_env(&author(), true)?;
    assert!(file.holds("plain.CANARY-name"), "the search finds what is there in clear");
    let values = ["open", "default", "first", "second", "acme"];
    let secrets = || values.iter().map(|value| format!("CANARY-{value}"));
    assert!(secrets().all(|secret| !file.holds(&secret)));
    let mut trail = Vec::new();
    vault.audit().export(&mut trail, &sealite::ExportOptions::default())?;
    let trail = String::from_utf8(trail).expect("UTF-8");
    assert!(trail.contains("setting.revealed") && trail.contains("setting.exported"));
    assert!(secrets().all(|secret| !trail.contains(&secret)));
    vault.close();
    assert!(secrets().all(|secret| !file.holds(&secret)));
    Ok(())
}

#[test]
fn moving_a_ciphertext_to_another_settings_row_is_detected() -> Result<()> {
    let (file, vault) = Filed::new();
    vault.settings().write(PASSWORD, Change::set("hunter2"), &author())?;
    vault.settings().write("smtp.host", Change::set("mail.example"), &author())?;
    vault.close();
    file.edit(
        "UPDATE sealite_settings_sealed SET sealed = (SELECT sealed FROM sealite_settings_sealed
         WHERE name = 'smtp.password') WHERE name = 'smtp.host'",
    );
    let settings = file.open().settings();
    for result in [
        kind(settings.read("smtp.host")),
        kind(settings.use_value("smtp.host")),
        kind(settings.reveal("smtp.host", &author())),
        kind(settings.write("smtp.host", Change::set("x"), &author())),
        kind(settings.list(None)),
        kind(settings.export_env(&author(), true)),
    ] {
        assert_eq!(result, "authentication_failed");
    }
    assert_eq!(kind(settings.read(PASSWORD)), "ok");
    Ok(())
}

#[test]
fn edited_rows_are_refused() -> Result<()> {
    for edit in [
        "UPDATE sealite_settings_sealed SET version = 1 WHERE name = 'smtp.password'",
        "UPDATE sealite_settings_sealed SET changed_at = 7 WHERE name = 'smtp.password'",
        "UPDATE sealite_setting_definitions_sealed SET secret = 0 WHERE name = 'smtp.password'",
        "UPDATE sealite_setting_definitions_sealed SET environment = 'HOME' WHERE name = 'smtp.password'",
        "DELETE FROM sealite_settings_sealed WHERE name = 'smtp.password'",
    ] {
        let (file, vault) = Filed::new();
        vault.settings().write(PASSWORD, Change::set("one"), &author())?;
        vault.settings().write(PASSWORD, Change::set("two"), &author())?;
        vault.close();
        file.edit(edit);
        let settings = file.open().settings();
        assert_eq!(kind(settings.read(PASSWORD)), "authentication_failed", "{edit}");
        assert_eq!(kind(settings.use_value(PASSWORD)), "authentication_failed", "{edit}");
    }
    Ok(())
}

#[test]
fn an_older_row_put_back_is_refused_and_so_is_a_gap_in_the_history() -> Result<()> {
    let (file, vault) = Filed::new();
    vault.settings().write(PASSWORD, Change::set("one"), &author())?;
    vault.close();
    file.edit("CREATE TABLE kept AS SELECT * FROM sealite_settings_sealed");
    let vault = file.open();
    vault.settings().write(PASSWORD, Change::set("two"), &author())?;
    vault.settings().write("smtp.host", Change::set("a"), &author())?;
    vault.settings().write("smtp.host", Change::set("b"), &author())?;
    vault.close();
    file.edit(
        "DELETE FROM sealite_settings_sealed WHERE name = 'smtp.password';
         INSERT INTO sealite_settings_sealed SELECT * FROM kept;
         DELETE FROM sealite_setting_versions_sealed WHERE id = 'smtp.host#1'",
    );
    let settings = file.open().settings();
    assert_eq!(kind(settings.use_value(PASSWORD)), "authentication_failed");
    assert_eq!(kind(settings.history("smtp.host")), "authentication_failed");
    assert_eq!(kind(settings.roll_back("smtp.host", 1, &author())), "authentication_failed");
    Ok(())
}

#[test]
fn an_older_row_put_back_is_refused_also_where_its_versions_are_kept_no_longer() -> Result<()> {
    let (file, vault) = Filed::new();
    vault.settings().define(&text("app.theme").keep_versions(2))?;
    vault.settings().write("app.theme", Change::set("1"), &author())?;
    vault.close();
    file.edit("CREATE TABLE kept AS SELECT * FROM sealite_settings_sealed");
    let vault = file.open();
    for number in 2..=5 {
        vault.settings().write("app.theme", Change::set(number.to_string()), &author())?;
    }
    vault.close();
    file.edit(
        "DELETE FROM sealite_settings_sealed;
         INSERT INTO sealite_settings_sealed SELECT * FROM kept",
    );
    let settings = file.open().settings();
    assert_eq!(kind(settings.read("app.theme")), "authentication_failed");
    assert_eq!(kind(settings.use_value("app.theme")), "authentication_failed");
    let write = settings.write("app.theme", Change::set("6"), &author());
    assert_eq!(kind(write), "authentication_failed");
    Ok(())
}

#[test]
fn a_tenants_row_moved_to_another_tenant_is_detected() -> Result<()> {
    let (file, vault) = Filed::new();
    vault.tenant("acme")?.settings().write(PASSWORD, Change::set("a"), &author())?;
    vault.close();
    file.edit("UPDATE sealite_settings_of_tenants_sealed SET tenant = 'beta'");
    let vault = file.open();
    for tenant in ["acme", "beta"] {
        let settings = vault.tenant(tenant)?.settings();
        assert_ne!(kind(settings.use_value(PASSWORD)), "ok", "{tenant}");
    }
    Ok(())
}

#[test]
fn a_change_whose_audit_entry_cannot_be_written_leaves_no_trace() -> Result<()> {
    let vault = vault()?;
    let settings = vault.settings();
    let nobody = Author::new("a".repeat(300)).reason("too long for an entry");
    assert_eq!(kind(settings.write(PASSWORD, Change::set("hunter2"), &nobody)), "limit");
    assert_eq!(kind(settings.set_secret("smtp.host", true, &nobody)), "limit");
    assert_eq!(kind(settings.import_json("{\"smtp.port\": 1}", &nobody)), "limit");
    assert!(settings.history(PASSWORD)?.is_empty());
    assert!(!settings.read("smtp.host")?.is_secret());
    assert_eq!(settings.read("smtp.port")?.source(), SettingSource::Default);
    settings.write(PASSWORD, Change::set("hunter2"), &author())?;
    assert_eq!(kind(settings.reveal(PASSWORD, &nobody)), "limit");
    assert_eq!(kind(settings.export_env(&nobody, true)), "limit");
    Ok(())
}
