//! An older file in the vault's place is refused, where a checkpoint is given at opening.

use std::fs;

use sealite::Entry;

use crate::harness::Scene;

const KEY: &str = "--key file:key";

#[test]
fn every_command_that_opens_refuses_an_older_file_where_a_checkpoint_is_given() {
    let scene = Scene::with_rows();
    fs::copy(scene.path("v.db"), scene.path("old.db")).expect("a copy");
    let vault = scene.vault();
    vault.audit().append(&Entry::new("something.happened")).expect("an entry");
    vault.close();
    scene.run(&format!("audit checkpoint v.db --out point {KEY}")).ok();
    let text = fs::read_to_string(scene.path("point")).expect("a file");
    for given in ["point", text.trim()] {
        for command in [
            "status FILE",
            "table list FILE",
            "verify FILE",
            "key list FILE",
            "token list FILE",
            "setting list FILE",
            "slot add FILE --new-key-file more --label x",
            "audit tail FILE",
            "compact FILE",
            "subject erase FILE 7 --yes",
            "rotate data FILE",
            "rotate master FILE",
            "rotate all FILE",
        ] {
            let old = command.replace("FILE", "old.db");
            scene.run(&format!("{old} --checkpoint {given} {KEY}")).fails(5, "rolled_back");
        }
        assert!(!scene.path("more").exists());
        scene.run(&format!("status v.db --checkpoint {given} {KEY}")).ok();
        scene.run(&format!("rotate data v.db --checkpoint {given} {KEY}")).ok();
        // These open the file whatever it lacks, and report.
        for command in ["audit verify", "doctor"] {
            scene.run(&format!("{command} v.db --checkpoint {given} {KEY}")).ok();
            let run = scene.run(&format!("{command} old.db --checkpoint {given} {KEY}"));
            assert_eq!(run.code, 1, "{run:?}");
        }
    }
    // Without one nothing tells.
    scene.run(&format!("status old.db {KEY}")).ok();
    scene.run("status v.db --checkpoint point").fails(2, "invalid_input");
    scene.run(&format!("status v.db --checkpoint nothing {KEY}")).fails(7, "not_found");
    scene.write("wrong", "no checkpoint", 0o600);
    scene.run(&format!("status v.db --checkpoint wrong {KEY}")).fails(2, "invalid_input");
}
