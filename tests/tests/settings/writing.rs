//! Masks, forms, history and types.

use crate::{Filed, PASSWORD, author, kind, mail, text, used, vault};
use rusqlite::Connection;
use sealite::{
    Author, Change, Result, SettingDefinition, SettingSource, Settings, Type, Value, ValueRef,
};

#[test]
fn a_secret_reads_as_a_mask_and_an_unset_one_as_empty() -> Result<()> {
    let settings = vault()?.settings();
    let unset = settings.read(PASSWORD)?;
    assert_eq!((unset.shown(), unset.is_set(), unset.version()), ("", false, 0));
    assert_eq!(unset.source(), SettingSource::Unset);
    settings.write(PASSWORD, Change::set("hunter2"), &author())?;
    let set = settings.read(PASSWORD)?;
    assert_eq!((set.shown(), set.is_set(), set.version()), ("********", true, 1));
    assert!(set.value().is_none());
    assert_eq!((set.source().name(), set.changed_by()), ("vault", Some("ada")));
    settings.write(PASSWORD, Change::set(""), &author())?;
    assert_eq!(settings.read(PASSWORD)?.shown(), "********", "empty is not unset");
    Ok(())
}

#[test]
fn posting_the_form_back_with_the_mask_in_it_changes_nothing() -> Result<()> {
    let vault = vault()?;
    let settings = vault.settings();
    settings.write(PASSWORD, Change::set("hunter2"), &author())?;
    settings.write("smtp.host", Change::set("two\nlines"), &author())?;
    settings.write("mail.enabled", Change::set(true), &author())?;
    let posted = Change::from_form("two\r\nlines", true);
    assert!(!settings.write("smtp.host", posted, &author())?, "as a browser ends lines");
    let before = vault.audit().checkpoint()?.seq();
    for blank_keeps in [true, false] {
        let shown = settings.list(None)?;
        let form: Vec<_> = shown
            .iter()
            .filter(|setting| setting.is_set())
            .map(|setting| (setting.name(), Change::from_form(setting.shown(), blank_keeps)))
            .collect();
        assert_eq!(form.len(), 4);
        assert!(settings.write_many(&form, &author())?.is_empty());
    }
    assert_eq!(vault.audit().checkpoint()?.seq(), before);
    assert_eq!(used(&settings, PASSWORD).as_deref(), Some("hunter2"));
    Ok(())
}

#[test]
fn blank_keeps_and_clearing_is_explicit() -> Result<()> {
    let settings = vault()?.settings();
    settings.write(PASSWORD, Change::set("hunter2"), &author())?;
    assert!(!settings.write(PASSWORD, Change::from_form("", true), &author())?);
    assert!(!settings.write(PASSWORD, Change::Keep, &author())?);
    assert_eq!(used(&settings, PASSWORD).as_deref(), Some("hunter2"));
    assert!(settings.write(PASSWORD, Change::Clear, &author())?);
    assert_eq!(used(&settings, PASSWORD), None);
    settings.write(PASSWORD, Change::set("again"), &author())?;
    assert!(settings.write(PASSWORD, Change::from_form("", false), &author())?);
    assert!(!settings.read(PASSWORD)?.is_set());
    Ok(())
}

#[test]
fn a_secret_that_looks_like_the_mask_or_a_ciphertext_survives() -> Result<()> {
    let settings = vault()?.settings();
    let mut version = 0;
    for odd in ["********", "*", "*********", "gAAAAABlx9v2", "sealite1.AAAA", "ENC[AES256]", " "] {
        assert!(settings.write(PASSWORD, Change::set(odd), &author())?);
        version += 1;
        assert_eq!(used(&settings, PASSWORD).as_deref(), Some(odd));
        assert!(!settings.write(PASSWORD, Change::from_form("********", false), &author())?);
        assert_eq!(used(&settings, PASSWORD).as_deref(), Some(odd));
        assert_eq!(settings.read(PASSWORD)?.version(), version);
    }
    for odd in ["gAAAAABlx9v2", "*******", "sealite1.AAAA"] {
        assert!(settings.write(PASSWORD, Change::from_form(odd, true), &author())?);
        assert_eq!(used(&settings, PASSWORD).as_deref(), Some(odd));
    }
    Ok(())
}

#[test]
fn a_stale_mask_is_refused_rather_than_stored() -> Result<()> {
    let settings = vault()?.settings();
    settings.define(&text("api.key").secret().show_last_four())?;
    settings.write("api.key", Change::set("0123456789abcdef"), &author())?;
    let stale = settings.read("api.key")?.shown().to_owned();
    assert_eq!(stale, "********cdef");
    settings.write("api.key", Change::set("fedcba9876543210"), &author())?;
    let posted = settings.write("api.key", Change::from_form(stale, true), &author());
    assert_eq!(kind(posted), "refused");
    settings.write("api.key", Change::Clear, &author())?;
    let posted = settings.write("api.key", Change::from_form("********", true), &author());
    assert_eq!(kind(posted), "refused");
    Ok(())
}

#[test]
fn a_declared_secret_is_a_floor() -> Result<()> {
    let settings = vault()?.settings();
    assert_eq!(kind(settings.set_secret(PASSWORD, false, &author())), "refused");
    settings.set_secret("smtp.host", true, &author())?;
    settings.define_all(&mail())?;
    assert!(settings.read("smtp.host")?.is_secret(), "declared again without secret");
    assert_eq!(kind(settings.set_secret("smtp.host", false, &Author::new("ada"))), "invalid_input");
    assert!(settings.set_secret("smtp.host", false, &author())?);
    settings.define(&text("smtp.host").secret())?;
    assert!(settings.read("smtp.host")?.is_secret());
    assert_eq!(kind(settings.define(&SettingDefinition::new(PASSWORD, Type::Json))), "definition");
    assert!(!settings.define(&mail()[0])?, "nothing to write");
    Ok(())
}

#[test]
fn history_is_masked_and_rolls_back_exactly() -> Result<()> {
    let settings = vault()?.settings();
    for value in ["one", "two"] {
        settings.write(PASSWORD, Change::set(value), &author())?;
    }
    settings.write(PASSWORD, Change::Clear, &Author::new("bob"))?;
    assert_eq!(settings.roll_back(PASSWORD, 1, &author())?, 4);
    assert_eq!(used(&settings, PASSWORD).as_deref(), Some("one"));
    let history = settings.history(PASSWORD)?;
    let seen: Vec<_> = history.iter().map(|v| (v.version(), v.shown(), v.restored())).collect();
    let mask = "********";
    assert_eq!(seen, [(1, mask, None), (2, mask, None), (3, "", None), (4, mask, Some(1))]);
    assert_eq!((history[2].changed_by(), history[2].reason()), ("bob", None));
    assert_eq!(history[3].reason(), Some("ticket 4"));
    for version in [0, 5, -1] {
        assert_eq!(kind(settings.roll_back(PASSWORD, version, &author())), "not_found");
    }
    assert_eq!(settings.roll_back(PASSWORD, 4, &author())?, 4);
    settings.write("mail.enabled", Change::set(true), &author())?;
    assert_eq!(kind(settings.roll_back(PASSWORD, 3, &author())), "refused", "guarded");
    Ok(())
}

#[test]
fn the_history_is_bounded_as_declared() -> Result<()> {
    let (file, vault) = Filed::new();
    let settings = vault.settings();
    let kept = |versions: u32| text("app.theme").keep_versions(versions);
    for versions in [0, 10_001] {
        assert_eq!(kind(settings.define(&kept(versions))), "invalid_input");
    }
    settings.define(&kept(3))?;
    let acme = vault.tenant("acme")?.settings();
    for number in 1..=7 {
        settings.write("app.theme", Change::set(format!("theme {number}")), &author())?;
        acme.write("app.theme", Change::set(format!("acme {number}")), &author())?;
    }
    let versions = |settings: &Settings| -> Result<Vec<(i64, String)>> {
        let history = settings.history("app.theme")?;
        Ok(history.iter().map(|one| (one.version(), one.shown().to_owned())).collect())
    };
    let last = |name: &str| (5..=7).map(|n| (n, format!("{name} {n}"))).collect::<Vec<_>>();
    assert_eq!(versions(&settings)?, last("theme"));
    assert_eq!(versions(&acme)?, last("acme"));
    for gone in [0, 1, 4, 8] {
        assert_eq!(kind(settings.roll_back("app.theme", gone, &author())), "not_found");
    }
    assert_eq!(settings.roll_back("app.theme", 5, &author())?, 8);
    assert_eq!(versions(&settings)?.last(), Some(&(8, "theme 5".to_owned())));
    // More room keeps more from then on, less drops the rest with the next change.
    settings.define(&kept(5))?;
    settings.write("app.theme", Change::set("wide"), &author())?;
    assert_eq!(versions(&settings)?.iter().map(|one| one.0).collect::<Vec<_>>(), [6, 7, 8, 9]);
    settings.define(&kept(1))?;
    settings.write("app.theme", Change::set("narrow"), &author())?;
    assert_eq!(versions(&settings)?, [(10, "narrow".to_owned())]);
    assert!(vault.verify(|_| ())?.is_sound());
    vault.close();
    // Of a version that was dropped nothing is left.
    let raw = Connection::open(&file.path).expect("raw");
    let rows = "SELECT count(*) FROM sealite_setting_versions_sealed";
    assert_eq!(raw.query_row(rows, [], |row| row.get::<_, i64>(0)).expect("rows"), 1);
    Ok(())
}

#[test]
fn a_text_is_read_in_the_type_of_the_setting() -> Result<()> {
    let vault = vault()?;
    let settings = vault.settings();
    let write = |name: &str, text: &str| settings.write(name, Change::from_text(text), &author());
    assert!(write("smtp.port", " 587 ")?);
    assert!(write("mail.enabled", "On")?);
    assert!(write("mail.options", "{\"a\": 1}")?);
    assert!(write("smtp.host", " a ")?);
    let shown = |name: &str| settings.read(name).map(|setting| setting.shown().to_owned());
    assert_eq!((shown("smtp.port")?, shown("mail.enabled")?), ("587".into(), "true".into()));
    assert_eq!((shown("mail.options")?, shown("smtp.host")?), ("{\"a\": 1}".into(), " a ".into()));
    assert!(!write("smtp.port", "587")?, "it is so already");
    for (name, text) in [("smtp.port", "many"), ("mail.enabled", "perhaps"), ("mail.options", "{")]
    {
        let refused = write(name, text).expect_err("not of the type");
        assert_eq!(refused.kind().name(), "type_mismatch");
        assert!(!refused.to_string().contains(text), "{refused}");
    }
    assert_eq!(format!("{:?}", Change::from_text("hunter2")), "Text(..)");
    Ok(())
}

#[test]
fn values_keep_their_declared_type() -> Result<()> {
    let settings = vault()?.settings();
    let write = |name: &str, change| kind(settings.write(name, change, &author()));
    assert_eq!(write("smtp.port", Change::set("25")), "type_mismatch");
    assert_eq!(write("smtp.port", Change::from_form("many", true)), "type_mismatch");
    assert_eq!(write("smtp.port", Change::from_form(" 587 ", true)), "ok");
    assert_eq!(settings.read("smtp.port")?.value(), Some(ValueRef::Integer(587)));
    assert_eq!(write("mail.enabled", Change::from_form("on", true)), "ok");
    assert_eq!(settings.read("mail.enabled")?.shown(), "true");
    assert_eq!(write("mail.options", Change::set("{")), "type_mismatch");
    assert_eq!(write("smtp.host", Change::Set(Value::Null)), "type_mismatch");
    assert_eq!(write("nowhere", Change::set("x")), "not_found");
    assert_eq!(kind(settings.define(&SettingDefinition::new("b", Type::Blob))), "invalid_input");
    assert_eq!(
        kind(settings.write("smtp.host", Change::set("x"), &Author::new(""))),
        "invalid_input"
    );
    Ok(())
}

#[test]
fn nothing_is_shown_by_debug() -> Result<()> {
    let settings = vault()?.settings();
    settings.write("smtp.host", Change::set("hunter2"), &author())?;
    let change = Change::from_form("hunter2", true);
    let shown = format!(
        "{:?} {:?} {change:?} {:?} {:?} {settings:?}",
        settings.read("smtp.host")?,
        settings.history("smtp.host")?,
        Change::set("hunter2"),
        text("x").default("hunter2"),
    );
    assert!(!shown.contains("hunter2"), "{shown}");
    Ok(())
}

#[test]
fn several_settings_are_written_all_or_none() -> Result<()> {
    let vault = vault()?;
    let settings = vault.settings();
    let before = vault.audit().checkpoint()?.seq();
    let failed = settings.write_many(
        &[("smtp.host", Change::set("a")), ("smtp.port", Change::set("no integer"))],
        &author(),
    );
    assert_eq!(kind(failed), "type_mismatch");
    assert!(!settings.read("smtp.host")?.is_set());
    assert_eq!(vault.audit().checkpoint()?.seq(), before);
    Ok(())
}
