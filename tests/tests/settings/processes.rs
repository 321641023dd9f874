//! Several processes and threads, and the environment.

use std::time::Duration;

use crate::{Filed, PASSWORD, author, kind, parents_vault, text, used, vault};
use sealite::{
    Change, ErrorKind, Result, SettingDefinition, SettingFault, SettingSource, SettingVersion,
    Type, Unlock, ValueRef,
};
use sealite_tests::process::{listen, staged, tell};

#[test]
fn the_vault_comes_before_the_environment_and_that_before_the_default() {
    const TEST: &str =
        "processes::the_vault_comes_before_the_environment_and_that_before_the_default";
    staged(TEST, 60, |stage| {
        if stage.role() == "reader" {
            return read_with_an_environment().unwrap();
        }
        let (file, vault) = Filed::new();
        let definitions = [
            text("from.environment").environment("SETTINGS_TEST_TEXT").default("standard"),
            SettingDefinition::new("number", Type::Integer).environment("SETTINGS_TEST_NUMBER"),
            SettingDefinition::new("broken", Type::Integer).environment("SETTINGS_TEST_BROKEN"),
            text("blank").environment("SETTINGS_TEST_BLANK").default("standard"),
        ];
        vault.settings().define_all(&definitions).unwrap();
        vault.close();
        let variables = [
            ("SETTINGS_TEST_TEXT", "outside"),
            ("SETTINGS_TEST_NUMBER", " 42 "),
            ("SETTINGS_TEST_BROKEN", "hunter2"),
            ("SETTINGS_TEST_BLANK", ""),
        ];
        file.process_with(stage, "reader", &variables).succeed();
        let read = file.open().settings().read("from.environment").unwrap();
        assert_eq!((read.shown(), read.source().name()), ("standard", "default"));
    });
}

fn read_with_an_environment() -> Result<()> {
    let vault = parents_vault();
    let settings = vault.settings();
    let name = "from.environment";
    let source = || settings.read(name).map(|setting| setting.source().name());
    assert_eq!((used(&settings, name).as_deref(), source()?), (Some("outside"), "environment"));
    settings.write(name, Change::set("inside"), &author())?;
    assert_eq!((used(&settings, name).as_deref(), source()?), (Some("inside"), "vault"));
    settings.write(name, Change::Clear, &author())?;
    assert_eq!((used(&settings, name).as_deref(), source()?), (Some("outside"), "environment"));
    assert!(settings.use_value("number")?.is_some_and(|v| v.expose() == ValueRef::Integer(42)));
    let error = settings.use_value("broken").expect_err("no integer");
    assert_eq!(error.kind(), ErrorKind::TypeMismatch);
    assert!(!error.to_string().contains("hunter2") && error.to_string().contains("BROKEN"));
    let report = settings.check(&["broken"])?;
    assert!(report.problems.iter().all(|problem| problem.fault == SettingFault::Invalid));
    assert_eq!(report.problems.len(), 1);
    assert_eq!(settings.read("blank")?.source(), SettingSource::Default);
    Ok(())
}

#[test]
fn changed_settings_that_need_a_restart_are_listed() -> Result<()> {
    let (file, vault) = Filed::new();
    vault.settings().write("smtp.port", Change::set(26i64), &author())?;
    assert!(vault.settings().restart_pending()?.is_empty());
    vault.settings().write("smtp.host", Change::set("a"), &author())?;
    assert_eq!(vault.settings().restart_pending()?, ["smtp.host"]);
    vault.lock();
    vault.unlock(&Unlock::key_text(file.key.as_str())?)?;
    assert_eq!(vault.settings().restart_pending()?, ["smtp.host"], "a lock is no restart");
    vault.close();
    let vault = file.open();
    assert!(vault.settings().restart_pending()?.is_empty());
    let acme = vault.tenant("acme")?.settings();
    acme.write("smtp.host", Change::set("b"), &author())?;
    assert_eq!(acme.restart_pending()?, ["smtp.host"]);
    assert!(vault.settings().restart_pending()?.is_empty());
    Ok(())
}

#[test]
fn a_used_value_is_counted_and_not_audited() -> Result<()> {
    let vault = vault()?;
    let settings = vault.settings();
    settings.write(PASSWORD, Change::set("hunter2"), &author())?;
    let before = vault.audit().checkpoint()?.seq();
    for _ in 0..1_000 {
        assert_eq!(used(&settings, PASSWORD).as_deref(), Some("hunter2"));
    }
    assert_eq!((settings.uses(PASSWORD), settings.uses("smtp.host")), (1_000, 0));
    assert_eq!(vault.audit().checkpoint()?.seq(), before);
    Ok(())
}

#[test]
fn a_locked_vault_gives_no_value_out() -> Result<()> {
    let (file, vault) = Filed::new();
    let settings = vault.settings();
    settings.write(PASSWORD, Change::set("hunter2"), &author())?;
    assert!(settings.use_value(PASSWORD)?.is_some());
    vault.lock();
    assert_eq!(kind(settings.use_value(PASSWORD)), "locked");
    vault.unlock(&Unlock::key_text(file.key.as_str())?)?;
    assert!(settings.use_value(PASSWORD)?.is_some());
    vault.close();
    assert_ne!(kind(settings.use_value(PASSWORD)), "ok");
    Ok(())
}

#[test]
fn a_change_in_one_process_is_used_in_the_other_once_100_ms_have_passed() {
    const TEST: &str =
        "processes::a_change_in_one_process_is_used_in_the_other_once_100_ms_have_passed";
    staged(TEST, 120, |stage| {
        if stage.role() == "writer" {
            let vault = parents_vault();
            while let Some(value) = listen() {
                vault.settings().write(PASSWORD, Change::set(value), &author()).unwrap();
                tell("written");
            }
            return;
        }
        let (file, vault) = Filed::new();
        let settings = vault.settings();
        settings.write(PASSWORD, Change::set("0"), &author()).unwrap();
        let mut writer = file.process(stage, "writer");
        for number in 1..=5 {
            let (before, after) = ((number - 1).to_string(), number.to_string());
            // In memory, and asked for until just before the change.
            assert_eq!(used(&settings, PASSWORD), Some(before));
            writer.say(&after);
            assert_eq!(writer.hear(), "written");
            // Whoever reads sees it at once, and whoever uses after the time that is promised.
            assert_eq!(settings.read(PASSWORD).unwrap().version(), number + 1);
            std::thread::sleep(Duration::from_millis(100));
            assert_eq!(used(&settings, PASSWORD), Some(after));
        }
    });
}

#[test]
fn a_process_killed_while_it_writes_several_leaves_all_or_none() {
    const TEST: &str = "processes::a_process_killed_while_it_writes_several_leaves_all_or_none";
    staged(TEST, 240, |stage| {
        if stage.role() == "writer" {
            let settings = parents_vault().settings();
            let first = settings.read("smtp.host").unwrap().version();
            for number in first + 1.. {
                let value = || Change::set(number.to_string());
                let both = [("smtp.host", value()), (PASSWORD, value())];
                settings.write_many(&both, &author()).unwrap();
                tell(number);
            }
        }
        let (file, vault) = Filed::new();
        vault.close();
        for round in 0..8u64 {
            let mut writer = file.process(stage, "writer");
            let first: i64 = writer.hear().parse().unwrap();
            // A moment that lies in no step with the writing.
            std::thread::sleep(Duration::from_micros(round * 7_919 % 30_011));
            writer.kill();
            let told = writer.rest().iter().map(|line| line.parse().unwrap()).fold(first, i64::max);
            let vault = file.open();
            let settings = vault.settings();
            let (one, other) = (settings.read("smtp.host").unwrap(), used(&settings, PASSWORD));
            assert_eq!(one.value().and_then(ValueRef::as_str), other.as_deref());
            assert_eq!(one.version(), settings.read(PASSWORD).unwrap().version());
            assert!(one.version() >= told, "what was committed is lost");
            let history = settings.history(PASSWORD).unwrap();
            assert_eq!(history.last().map(SettingVersion::version), Some(one.version()));
            assert_eq!(i64::try_from(history.len()).unwrap(), one.version().min(50));
            assert!(vault.audit().verify(None).unwrap().is_sound());
            vault.close();
        }
    });
}

#[test]
fn a_written_value_is_used_at_once_in_every_thread() -> Result<()> {
    let (_file, vault) = Filed::new();
    let settings = vault.settings();
    let newest = std::sync::atomic::AtomicI64::new(0);
    let done = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::SeqCst;
    settings.write("smtp.port", Change::set(0i64), &author())?;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(order) {
                    let written = newest.load(order);
                    let value = settings.use_value("smtp.port").expect("use").expect("set");
                    assert!(value.expose().as_i64().expect("integer") >= written);
                }
            });
        }
        for number in 1..=150i64 {
            settings.write("smtp.port", Change::set(number), &author()).expect("write");
            newest.store(number, order);
        }
        done.store(true, order);
    });
    Ok(())
}
