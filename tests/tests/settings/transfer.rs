//! Export, import, and the check at start-up.

use crate::{PASSWORD, author, kind, mail, text, used, vault};
use sealite::{
    Author, Change, ErrorKind, ExposeSecret, Result, SettingDefinition, Type, Value, ValueRef,
    Vault,
};

#[test]
fn an_export_as_env_reads_back_as_it_was() -> Result<()> {
    let values = [
        "plain",
        "",
        "two words # no comment",
        "it's \"quoted\" $HOME",
        "C:\\new\\\\",
        "line\nbreak\r\n\ttab",
        "********",
        " ",
        "é 漢字 🔑",
    ];
    for json in [false, true] {
        let (from, to) = (Vault::in_memory()?.settings(), Vault::in_memory()?.settings());
        let mut definitions = mail();
        definitions.push(SettingDefinition::new("ratio", Type::Real));
        for at in 0..values.len() {
            definitions.push(text(&format!("text.{at}")).secret());
        }
        for settings in [&from, &to] {
            settings.define_all(&definitions)?;
        }
        let names: Vec<String> = (0..values.len()).map(|at| format!("text.{at}")).collect();
        for (name, value) in names.iter().zip(values) {
            from.write(name, Change::set(value), &author())?;
        }
        let options = Value::Json("{\"n\": 12345678901234567890123, \"a\": \"it's\"}".into());
        from.write("mail.options", Change::Set(options.clone()), &author())?;
        from.write("mail.enabled", Change::set(true), &author())?;
        from.write("smtp.port", Change::set(-1i64), &author())?;
        from.write("ratio", Change::set(0.1), &author())?;
        let (exported, report) = if json {
            let exported = from.export_json(&author(), true)?;
            let report = to.import_json(exported.expose_secret(), &author())?;
            (exported, report)
        } else {
            let exported = from.export_env(&author(), true)?;
            let report = to.import_env(exported.expose_secret(), &author())?;
            (exported, report)
        };
        assert!(!format!("{exported:?}").contains("plain"));
        assert!(report.unknown.is_empty());
        for definition in &definitions {
            let name = definition.name();
            let (one, other) = (from.use_value(name)?, to.use_value(name)?);
            assert!(
                one.as_ref().map(|v| v.expose()) == other.as_ref().map(|v| v.expose()),
                "{name}"
            );
        }
        assert!(to.use_value("mail.options")?.is_some_and(|v| v.expose() == options.as_ref()));
    }
    Ok(())
}

#[test]
fn an_export_without_secrets_holds_none_and_imports_without_harm() -> Result<()> {
    let settings = vault()?.settings();
    settings.write(PASSWORD, Change::set("hunter2"), &author())?;
    settings.write("smtp.host", Change::set("mail.example"), &author())?;
    let nobody = Author::new("ada");
    assert_eq!(kind(settings.export_env(&nobody, true)), "invalid_input", "takes a reason");
    let env = settings.export_env(&nobody, false)?;
    assert_eq!(env.expose_secret(), "SMTP_HOST=mail.example\n# SMTP_PASSWORD is set, and secret\n");
    let json = settings.export_json(&nobody, false)?;
    assert_eq!(json.expose_secret(), "{\n  \"smtp.host\": \"mail.example\"\n}\n");
    settings.import_env(env.expose_secret(), &nobody)?;
    settings.import_json(json.expose_secret(), &nobody)?;
    assert_eq!(used(&settings, PASSWORD).as_deref(), Some("hunter2"));
    let report = settings.import_env("SMTP_HOST=new\nNOBODY=1\nSMTP_PASSWORD=\n", &nobody)?;
    assert_eq!((report.changed, report.unknown), (vec!["smtp.host".into()], vec!["NOBODY".into()]));
    assert_eq!(used(&settings, PASSWORD).as_deref(), Some("hunter2"));
    let failed = settings.import_env("SMTP_HOST=newer\nSMTP_PORT=many\n", &nobody);
    assert_eq!(kind(failed), "type_mismatch");
    assert_eq!(used(&settings, "smtp.host").as_deref(), Some("new"), "all or nothing");
    Ok(())
}

#[test]
fn reveal_and_export_are_audited_without_the_value() -> Result<()> {
    let vault = vault()?;
    let settings = vault.settings();
    settings.write(PASSWORD, Change::set("hunter2"), &author())?;
    assert_eq!(kind(settings.reveal(PASSWORD, &Author::new("ada"))), "invalid_input");
    assert_eq!(kind(settings.reveal(PASSWORD, &Author::new("ada").reason(" "))), "invalid_input");
    let revealed = settings.reveal(PASSWORD, &author())?;
    assert!(revealed.expose() == ValueRef::Text("hunter2"));
    assert_eq!(format!("{revealed} {revealed:?}"), "******** SettingValue(********)");
    settings.export_json(&author(), true)?;
    let seen: Vec<(String, Option<String>, String)> = vault
        .audit()
        .tail(3)?
        .iter()
        .map(|e| {
            let payload = e.payload().unwrap_or("").to_owned();
            (e.event().to_owned(), e.actor().map(str::to_owned), payload)
        })
        .collect();
    let events: Vec<&str> = seen.iter().map(|(event, _, _)| event.as_str()).collect();
    assert_eq!(events, ["setting.changed", "setting.revealed", "setting.exported"]);
    assert_eq!(
        seen[0].2,
        "{\"change\":\"set\",\"name\":\"smtp.password\",\"reason\":\"ticket 4\",\"version\":1}"
    );
    assert!(seen.iter().all(|(_, actor, payload)| {
        actor.as_deref() == Some("ada")
            && payload.contains("ticket 4")
            && !payload.contains("hunter2")
    }));
    assert_eq!(kind(settings.reveal("smtp.host", &author())), "not_found");
    Ok(())
}

#[test]
fn readiness_never_shows_values() -> Result<()> {
    let settings = Vault::in_memory()?.settings();
    settings.define_all(&[
        text("jwt.secret").secret().required().min_length(32).environment("SETTINGS_TEST_UNSET"),
        text("missing").required().environment("SETTINGS_TEST_UNSET"),
        text("short").secret().min_length(32),
        text("known").secret(),
        text("empty").required(),
        text("regular").secret().min_length(32),
        text("good").secret().min_length(32),
        text("optional"),
    ])?;
    for (name, value) in [
        ("jwt.secret", "correct horse battery staple!!!!"),
        ("short", "hunter2"),
        ("known", "changeme"),
        ("empty", " "),
        ("regular", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"),
        ("good", "f3b1c0de9a8b7c6d5e4f30211203f4e5"),
    ] {
        settings.write(name, Change::set(value), &author())?;
    }
    let report = settings.check(&["short", "known", "regular", "good", "nowhere"])?;
    let found: Vec<(&str, &str)> =
        report.problems.iter().map(|p| (p.name.as_str(), p.fault.name())).collect();
    assert_eq!(
        found,
        [
            ("empty", "missing"),
            ("known", "well_known"),
            ("missing", "missing"),
            ("nowhere", "undefined"),
            ("regular", "well_known"),
            ("short", "too_short"),
        ]
    );
    let shown = format!("{report} {report:?}");
    assert!(shown.contains("missing is missing (environment: SETTINGS_TEST_UNSET)"));
    for value in ["hunter2", "changeme", "zzzz", "battery"] {
        assert!(!shown.contains(value));
    }
    let error = report.into_result().expect_err("problems");
    assert!(
        error.kind() == ErrorKind::Refused && error.message().contains("short has fewer than 32")
    );
    settings.check(&["good"])?.into_result().expect_err("the required ones are always checked");
    Ok(())
}
