//! Settings of tenants, and what guards a provider.

use crate::{PASSWORD, author, kind, text, used, vault};
use sealite::{Change, ExposeSecret, Result, SettingSource, Value, ValueRef};

#[test]
fn tenant_settings_inherit_override_and_partially_merge() -> Result<()> {
    let vault = vault()?;
    let (platform, acme) = (vault.settings(), vault.tenant("acme")?.settings());
    assert_eq!(acme.read("smtp.port")?.source(), SettingSource::Default);
    platform.write("smtp.port", Change::set(587i64), &author())?;
    let json = |text: &str| Change::Set(Value::Json(text.into()));
    platform.write("mail.options", json(r#"{"tls":{"min":1.2,"on":true},"pool":5}"#), &author())?;
    let port = acme.read("smtp.port")?;
    assert_eq!((port.shown(), port.source(), port.version()), ("587", SettingSource::Vault, 0));
    acme.write("smtp.port", Change::set(2525i64), &author())?;
    acme.write("mail.options", json(r#"{"tls":{"min":1.3},"pool":null,"from":"a"}"#), &author())?;
    let merged = acme.read("mail.options")?;
    assert_eq!(merged.source(), SettingSource::Tenant);
    assert_eq!(merged.shown(), r#"{"from":"a","tls":{"min":1.3,"on":true}}"#);
    assert!(!acme.write("mail.options", Change::from_form(merged.shown(), true), &author())?);
    platform.write("mail.options", json(r#"{"x":1}"#), &author())?;
    assert_eq!(
        used(&acme, "mail.options").as_deref(),
        Some(r#"{"from":"a","tls":{"min":1.3},"x":1}"#)
    );
    acme.write("smtp.port", Change::Clear, &author())?;
    assert_eq!(acme.read("smtp.port")?.shown(), "587");
    assert_eq!(platform.read("smtp.port")?.version(), 1);
    Ok(())
}

#[test]
fn tenants_are_apart_and_can_not_reveal_the_platforms_secrets() -> Result<()> {
    let vault = vault()?;
    let (acme, beta) = (vault.tenant("acme")?.settings(), vault.tenant("beta")?.settings());
    vault.settings().define(&text("api.key").secret().show_last_four())?;
    vault.settings().write("api.key", Change::set("platform-0123456789"), &author())?;
    assert_eq!(vault.settings().read("api.key")?.shown(), "********6789");
    assert_eq!(acme.read("api.key")?.shown(), "********", "not even the last four");
    assert_eq!(used(&acme, "api.key").as_deref(), Some("platform-0123456789"));
    assert_eq!(kind(acme.reveal("api.key", &author())), "denied");
    assert!(!acme.export_env(&author(), true)?.expose_secret().contains("platform"));
    acme.write("api.key", Change::set("acme-0123456789abc"), &author())?;
    assert_eq!(used(&beta, "api.key").as_deref(), Some("platform-0123456789"));
    assert!(acme.reveal("api.key", &author())?.expose() == ValueRef::Text("acme-0123456789abc"));
    assert!(beta.history("api.key")?.is_empty());
    assert_eq!(kind(beta.roll_back("api.key", 1, &author())), "not_found");
    assert_eq!(kind(acme.define(&text("x"))), "not_allowed");
    assert_eq!(kind(acme.set_secret("smtp.host", true, &author())), "not_allowed");
    let events = |name: &str| vault.tenant(name).and_then(|tenant| tenant.audit().tail(99));
    assert_eq!((events("acme")?.len(), events("beta")?.len()), (3, 0));
    Ok(())
}

#[test]
fn an_enabled_providers_secret_cannot_be_cleared_by_accident() -> Result<()> {
    let vault = vault()?;
    for settings in [vault.settings(), vault.tenant("acme")?.settings()] {
        settings.write(PASSWORD, Change::set("hunter2"), &author())?;
        settings.write("mail.enabled", Change::set(true), &author())?;
        for clear in [Change::Clear, Change::from_form("", false), Change::set("")] {
            assert_eq!(kind(settings.write(PASSWORD, clear, &author())), "refused");
        }
        assert_eq!(used(&settings, PASSWORD).as_deref(), Some("hunter2"));
        let off = Change::set(false);
        settings.write_many(&[(PASSWORD, Change::Clear), ("mail.enabled", off)], &author())?;
        assert_eq!(settings.read(PASSWORD)?.version(), 2);
    }
    Ok(())
}

#[test]
fn the_platforms_secret_is_not_cleared_under_an_enabled_tenant() -> Result<()> {
    let vault = vault()?;
    let (platform, acme) = (vault.settings(), vault.tenant("acme")?.settings());
    platform.write(PASSWORD, Change::set("platform's"), &author())?;
    acme.write("mail.enabled", Change::set(true), &author())?;
    assert_eq!(kind(platform.write(PASSWORD, Change::Clear, &author())), "refused");
    assert_eq!(used(&acme, PASSWORD).as_deref(), Some("platform's"));
    // With a secret of its own the tenant needs the platform's no more.
    acme.write(PASSWORD, Change::set("acme's"), &author())?;
    assert!(platform.write(PASSWORD, Change::Clear, &author())?);
    assert_eq!(used(&acme, PASSWORD).as_deref(), Some("acme's"));
    Ok(())
}
