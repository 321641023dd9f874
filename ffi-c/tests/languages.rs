//! The quick start from languages that did not help design the interface.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::path::{Path, PathBuf};

use support::{fresh, installed, root, run, tool};

const KEY: &str = "3a9107fe5c28b3604de2198f74c50bd62ea95381f7166bcc409d35ea0278b15f";

/// A copy of the example to build in; what was fetched for it stays from one run to the next.
fn workshop(language: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(language);
    std::fs::create_dir_all(&folder).unwrap();
    for entry in std::fs::read_dir(root().join("ffi-c/examples").join(language)).unwrap() {
        let entry = entry.unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(text.lines().count() < 100, "an example stays short");
        std::fs::write(folder.join(entry.file_name()), text).unwrap();
    }
    folder
}

#[test]
fn node_runs_the_quick_start() {
    let folder = workshop("node");
    if !folder.join("node_modules/koffi/package.json").exists() {
        run(tool("npm", "npm").current_dir(&folder).args([
            "install",
            "--ignore-scripts",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
        ]));
    }
    let output = run(tool("node", "nodejs")
        .current_dir(&folder)
        .env("SEALITE_LIBRARY", installed().join("lib/libsealite.so.0"))
        .env("APP_KEY", KEY)
        .arg("quick_start.js")
        .arg(fresh("node").join("app.db")));
    assert_eq!(output, "Ada Lovelace\n");
}

#[test]
fn go_runs_the_quick_start() {
    let output = run(tool("go", "golang-go")
        .current_dir(workshop("go"))
        .env("PKG_CONFIG_PATH", installed().join("lib/pkgconfig"))
        .env("LD_LIBRARY_PATH", installed().join("lib"))
        .env("GOTOOLCHAIN", "local")
        // Go's cache does not know what pkg-config answered: a package kept from another build links what was there then.
        .env("GOCACHE", fresh("go-cache"))
        // Checks every pointer that passes between Go and C.
        .env("GODEBUG", "cgocheck=1")
        .env("APP_KEY", KEY)
        .args(["run", "."])
        .arg(fresh("go").join("app.db")));
    assert_eq!(output, "Ada Lovelace\n");
}
