//! The tests in C: plain, under AddressSanitizer and UndefinedBehaviorSanitizer, and under valgrind.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{both, compile, fresh, root, run, tool};

const PROGRAMS: [&str; 14] = [
    "life",
    "keys",
    "tables",
    "adoption",
    "sql",
    "within",
    "capabilities",
    "details",
    "progress",
    "tokens",
    "erasure",
    "rotation",
    "misuse",
    "fork",
];
const SANITIZED: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn source(name: &str) -> PathBuf {
    root().join(format!("ffi-c/c/tests/{name}.c"))
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
    for name in PROGRAMS {
        let program = compile(&source(name), name, &[]);
        run(Command::new(program).arg(fresh(name)));
    }
}

#[test]
fn c_programs_hold_under_the_sanitizers() {
    for name in PROGRAMS {
        let program = compile(&source(name), &format!("{name}-sanitized"), &SANITIZED);
        run(Command::new(program).arg(fresh(format!("{name}-sanitized"))));
    }
}

#[test]
fn c_programs_hold_under_valgrind() {
    for name in PROGRAMS {
        let program = compile(&source(name), &format!("{name}-valgrind"), &[]);
        // A forked child abandons its parent's connections: they are lost to it, on purpose.
        let mut command = valgrind(!["fork", "within"].contains(&name));
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
