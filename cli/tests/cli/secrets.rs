//! Secrets stay out of arguments and output.

use crate::harness::{Scene, key_in};

/// What the values of options may be: names of things, never a secret. PLAIN is the value of a setting that is not.
const VALUE_NAMES: &[&str] = &[
    "<CHECKPOINT>",
    "<REFERENCE>",
    "<PATH>",
    "<LABEL>",
    "<FILE>",
    "<TABLE>",
    "<ID>",
    "<VERSION>",
    "<COMMAND>",
    "<NAME>",
    "<TEXT>",
    "<PLAIN>",
    "<FORMAT>",
    "<FOLDER>",
    "<TIME>",
    "<SEQ>",
    "<COUNT>",
];
const COMMANDS: &[&str] = &[
    "",
    "init",
    "status",
    "slot",
    "slot list",
    "slot add",
    "slot remove",
    "table",
    "table list",
    "table describe",
    "verify",
    "setting",
    "setting list",
    "setting show",
    "setting set",
    "setting clear",
    "setting reveal",
    "setting history",
    "setting rollback",
    "setting check",
    "setting export",
    "setting import",
    "audit",
    "audit tail",
    "audit verify",
    "audit export",
    "audit checkpoint",
    "audit retain",
    "doctor",
    "key",
    "key generate",
];

#[test]
fn no_option_takes_a_secret() {
    let scene = Scene::new();
    for command in COMMANDS {
        let help = scene.run(&format!("{command} --help")).ok().stdout;
        for line in help.lines().filter(|line| line.trim_start().starts_with('-')) {
            for word in line.split_whitespace().filter(|word| word.starts_with('<')) {
                assert!(VALUE_NAMES.contains(&word), "{command}: {line}");
            }
            let secret = ["--passphrase ", "--recovery ", "--new-passphrase ", "--new-recovery "];
            if secret.iter().any(|option| line.contains(option)) {
                assert!(!line.contains('<'), "{command}: {line}");
            }
        }
        assert_eq!(help.contains("<PLAIN>"), *command == "setting set", "{command}");
        assert!(!help.contains("--secret") && !help.contains("--password"), "{command}");
    }
}

#[test]
fn what_is_typed_as_an_argument_by_mistake_is_not_repeated() {
    let scene = Scene::with_vault();
    for arguments in [
        "verify v.db --passphrase hunter2hunter2",
        "verify v.db --passphrase=hunter2hunter2",
        "verify v.db --recovery=hunter2hunter2",
        "verify v.db --recovery hunter2hunter2",
        "verify v.db --password=hunter2hunter2",
        "verify v.db --password hunter2hunter2",
        "verify v.db -phunter2hunter2",
        "verify v.db --key hunter2hunter2",
        "verify v.db --key=hunter2hunter2",
        "verify v.db --key key:hunter2hunter2",
        "slot remove v.db hunter2hunter2 --key file:key",
        "slot add v.db --key file:key --new-passphrase hunter2hunter2",
        "slot add v.db --key file:key --new-passphrase=hunter2hunter2",
        "init w.db --passphrase hunter2hunter2",
        "setting set v.db a.name hunter2hunter2 --prompt --key file:key",
        "setting set v.db a.name --prompt hunter2hunter2 --key file:key",
        "setting set v.db a.name --prompt=hunter2hunter2 --key file:key",
        "setting set v.db a.name --value-stdin=hunter2hunter2 --key file:key",
        "setting export v.db --format hunter2hunter2 --key file:key",
        "hunter2hunter2",
        "slot hunter2hunter2",
    ] {
        scene.run(arguments).fails(2, "invalid_input").never_says("hunter2hunter2");
        let (code, object) = scene.json(arguments);
        assert_eq!(code, 2, "{arguments}");
        assert!(!object.to_string().contains("hunter2hunter2"), "{arguments}");
    }
}

#[test]
fn no_command_prints_the_key() {
    let scene = Scene::with_rows();
    let key = key_in(&scene.path("key"));
    for command in [
        "status v.db --key file:key",
        "slot list v.db",
        "slot add v.db --key file:key --new-key file:key",
        "slot remove v.db 2 --key file:key",
        "table list v.db --key file:key",
        "table describe v.db --key file:key",
        "verify v.db --key file:key",
        "audit tail v.db --key file:key",
        "audit export v.db --out entries --key file:key",
        "audit checkpoint v.db --key file:key",
        "doctor v.db --key file:key",
        "init v.db --key file:key",
    ] {
        scene.run(command).never_says(&key);
        scene.run(&format!("{command} --json")).never_says(&key);
    }
}
