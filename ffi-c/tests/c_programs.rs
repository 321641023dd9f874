//! The tests in C: plain, under AddressSanitizer and UndefinedBehaviorSanitizer, and under valgrind.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{both, compile, fresh, root, run, tool};

const SANITIZED: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn source(name: &str) -> PathBuf {
    root().join(format!("ffi-c/c/tests/{name}.c"))
}

/// Every program in the folder, but the one whose bugs are on purpose.
fn programs() -> Vec<String> {
    let files = std::fs::read_dir(root().join("ffi-c/c/tests")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "c"));
    let mut names: Vec<String> =
        sources.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.retain(|name| name != "bugs");
    names.sort();
    assert!(names.len() > 10, "{names:?}");
    for name in &names {
        let lines = std::fs::read_to_string(source(name)).unwrap().lines().count();
        assert!(lines <= 400, "{name}.c has {lines} lines, at most 400");
    }
    names
}

fn valgrind(leaks: bool) -> Command {
    let mut command = tool("valgrind", "valgrind");
    command.args(["-q", "--error-exitcode=99", "--trace-children=no"]);
    if leaks {
        // Rust's reference counts are reached by pointers to the inside, which valgrind calls possibly lost: what nothing
        // points to at all is definitely or indirectly lost.
        command.args(["--leak-check=full", "--show-leak-kinds=definite,indirect"]);
        command.arg("--errors-for-leak-kinds=definite,indirect");
    }
    command
}

#[test]
fn c_programs_hold_plain() {
    for name in &programs() {
        let program = compile(&source(name), name, &[]);
        run(Command::new(program).arg(fresh(name)));
    }
}

#[test]
fn c_programs_hold_under_the_sanitizers() {
    // The address sanitizer's allocator may be locked by a thread that a forked child does not have; compilers of today
    // have none that is safe then.
    for name in programs().iter().filter(|name| *name != "fork_threads") {
        let program = compile(&source(name), &format!("{name}-sanitized"), &SANITIZED);
        run(Command::new(program).arg(fresh(format!("{name}-sanitized"))));
    }
}

#[test]
fn c_programs_hold_under_valgrind() {
    for name in &programs() {
        let program = compile(&source(name), &format!("{name}-valgrind"), &[]);
        // A forked child abandons its parent's connections: they are lost to it, on purpose.
        let mut command = valgrind(!(name.starts_with("fork") || name == "within"));
        run(command.arg(program).arg(fresh(format!("{name}-valgrind"))));
    }
}

fn found(mut command: Command, program: &Path, bug: &str, report: &str) {
    let output = command.arg(program).arg(bug).output().unwrap();
    let text = both(&output);
    assert!(!output.status.success() && text.contains(report), "{bug} went unseen: {text}");
}

#[test]
fn sanitizers_and_valgrind_are_there_and_see_into_the_library() {
    let sanitized = compile(&source("bugs"), "bugs-sanitized", &SANITIZED);
    run(Command::new(&sanitized).arg("none"));
    found(Command::new("env"), &sanitized, "use-after-free", "heap-use-after-free");
    found(Command::new("env"), &sanitized, "overflow", "signed integer overflow");
    found(Command::new("env"), &sanitized, "leak", "LeakSanitizer");
    let plain = compile(&source("bugs"), "bugs", &[]);
    run(valgrind(true).arg(&plain).arg("none"));
    found(valgrind(true), &plain, "use-after-free", "Invalid read");
    found(valgrind(true), &plain, "leak", "definitely lost");
}

/// A function that no program calls is one that nobody has tried.
#[test]
fn every_exported_function_is_called_by_a_program_in_c() {
    let mut called = BTreeSet::new();
    for name in &programs() {
        let program = compile(&source(name), &format!("{name}-called"), &[]);
        let undefined =
            run(tool("nm", "binutils").args(["-u", "--format=just-symbols"]).arg(program));
        called.extend(undefined.lines().map(|line| line.split('@').next().unwrap().to_owned()));
    }
    let symbols = std::fs::read_to_string(root().join("ffi-c/symbols.txt")).unwrap();
    let missing: Vec<&str> = symbols.lines().filter(|name| !called.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
