//! What the tests of the C interface share: the libraries, installed as `make install` does, and the compilers.

#![allow(dead_code)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The strictness that the header is promised for.
pub(crate) const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A folder of this test binary, emptied when the tests begin.
pub(crate) fn scratch() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let exe = std::env::current_exe().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(exe.file_stem().unwrap());
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    })
}

/// Where the libraries of this build are installed.
pub(crate) fn installed() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let prefix = scratch().join("installed");
        install(&prefix, None);
        prefix
    })
}

/// Installs the libraries of this build below a prefix, staged in a folder where one is given.
pub(crate) fn install(prefix: &Path, stage: Option<&Path>) {
    let exe = std::env::current_exe().unwrap();
    let mut script = Command::new("sh");
    script.arg(root().join("ffi-c/install.sh")).arg(exe.parent().unwrap()).arg(prefix);
    run(script.args(stage));
}

/// A tool; without it the test fails, and says what to install. Nothing is skipped.
pub(crate) fn tool(name: &str, package: &str) -> Command {
    let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
    assert!(found.status.success(), "{name} is needed here: install {package}");
    Command::new(name)
}

/// Runs a command that has to succeed; what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", both(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn both(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Compiles C, against the shared library; the program.
pub(crate) fn compile(source: &Path, name: &str, flags: &[&str]) -> PathBuf {
    let program = scratch().join(name);
    let mut compiler = tool("cc", "gcc");
    compiler
        .args(["-std=c11", "-g", "-pthread", "-D_POSIX_C_SOURCE=200809L"])
        .args(STRICT)
        .args(flags);
    compiler.arg("-I").arg(installed().join("include")).arg("-I").arg(root().join("ffi-c/c/tests"));
    compiler.arg(source).arg("-o").arg(&program);
    run(shared(&mut compiler));
    program
}

/// Links the shared library.
pub(crate) fn shared(compiler: &mut Command) -> &mut Command {
    let folder = installed().join("lib");
    compiler.arg("-L").arg(&folder).arg("-lsealite");
    compiler.arg(format!("-Wl,-rpath,{}", folder.display()))
}

/// A folder for the files of one run.
pub(crate) fn fresh(name: impl AsRef<OsStr>) -> PathBuf {
    let folder = scratch().join("runs").join(Path::new(&name));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
