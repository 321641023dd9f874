//! The header from every language level, the names that the libraries export, and what is installed.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeSet;
use std::process::Command;

use support::{STRICT, both, fresh, installed, root, run, scratch, shared, tool};

const KEY: &str = "3a9107fe5c28b3604de2198f74c50bd62ea95381f7166bcc409d35ea0278b15f";

fn symbols() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("ffi-c/symbols.txt")).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The names that `nm` shows as defined.
fn defined(flags: &[&str], library: &str) -> BTreeSet<String> {
    let library = installed().join("lib").join(library);
    let output = run(tool("nm", "binutils").args(flags).arg("--defined-only").arg(library));
    let name = |line: &str| line.split_whitespace().nth(2).map(str::to_owned);
    output.lines().filter_map(name).collect()
}

#[test]
fn header_compiles_without_a_warning_in_every_language() {
    let c = scratch().join("header.c");
    std::fs::write(&c, "#include <sealite.h>\nint main(void) { return SEALITE_OK; }\n").unwrap();
    for standard in ["c99", "c11", "c17", "c2x"] {
        run(tool("cc", "gcc")
            .arg(format!("-std={standard}"))
            .args(STRICT)
            .args(["-Wshadow", "-Wconversion", "-Wundef", "-fsyntax-only", "-I"])
            .arg(installed().join("include"))
            .arg(&c));
    }
    for header in ["sealite.h", "sealite.hpp"] {
        let cpp = scratch().join("header.cpp");
        std::fs::write(&cpp, format!("#include <{header}>\nint main() {{ return SEALITE_OK; }}\n"))
            .unwrap();
        for standard in ["c++17", "c++20", "c++23"] {
            run(tool("c++", "g++")
                .arg(format!("-std={standard}"))
                .args(STRICT)
                .args(["-Wconversion", "-Wundef", "-fsyntax-only", "-I"])
                .arg(installed().join("include"))
                .arg(&cpp));
        }
    }
}

#[test]
fn shared_library_exports_the_listed_names_and_no_others() {
    assert_eq!(defined(&["-D"], "libsealite.so"), symbols());
    let dynamic =
        run(tool("readelf", "binutils").arg("-d").arg(installed().join("lib/libsealite.so")));
    assert!(dynamic.contains("Library soname: [libsealite.so.0]"), "{dynamic}");
}

#[test]
fn static_library_defines_the_listed_names_and_no_others() {
    assert_eq!(defined(&["-g"], "libsealite.a"), symbols());
}

#[test]
fn static_library_lives_beside_another_sqlite() {
    // A program with functions of SQLite's names: the library neither takes them nor gives its own.
    let source = scratch().join("beside.c");
    let text = "#include <sealite.h>\n#include <stdio.h>\n\
        static int calls;\n\
        int sqlite3_open_v2(const char *, void **, int, const char *);\n\
        int sqlite3_open_v2(const char *a, void **b, int c, const char *d) {\n\
          (void)a; (void)b; (void)c; (void)d; return ++calls; }\n\
        int main(void) {\n\
          sealite_vault *vault;\n\
          if (sealite_vault_in_memory(&vault, NULL) != SEALITE_OK || calls != 0) return 1;\n\
          sealite_vault_free(vault);\n\
          return sqlite3_open_v2(\"\", NULL, 0, NULL) == 1 ? 0 : 1; }\n";
    std::fs::write(&source, text).unwrap();
    let program = scratch().join("beside");
    let mut compiler = tool("cc", "gcc");
    compiler.args(STRICT).arg("-I").arg(installed().join("include")).arg(source).arg("-o");
    compiler.arg(&program).arg(installed().join("lib/libsealite.a")).args([
        "-lpthread",
        "-ldl",
        "-lm",
    ]);
    run(&mut compiler);
    run(&mut Command::new(program));
}

#[test]
fn pkg_config_builds_the_quick_starts() {
    let pkg_config = |flags: &[&str]| {
        let text = run(tool("pkg-config", "pkg-config")
            .env("PKG_CONFIG_PATH", installed().join("lib/pkgconfig"))
            .args(flags)
            .arg("sealite"));
        text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(pkg_config(&["--modversion"]), [env!("CARGO_PKG_VERSION")]);
    for example in ["quick_start", "quick_start_sql"] {
        let program = scratch().join(example);
        run(tool("cc", "gcc")
            .arg("-std=c99")
            .args(STRICT)
            .arg(root().join(format!("ffi-c/examples/{example}.c")))
            .arg("-o")
            .arg(&program)
            .args(pkg_config(&["--cflags", "--libs"])));
        let folder = fresh(example);
        let shown = |key: &str| {
            Command::new(&program)
                .env("LD_LIBRARY_PATH", installed().join("lib"))
                .env("APP_KEY", key)
                .arg(folder.join("app.db"))
                .output()
                .unwrap()
        };
        for _ in 0..2 {
            let output = shown(KEY);
            assert_eq!((both(&output).as_str(), output.status.success()), ("Ada Lovelace\n", true));
        }
        let wrong = shown(&KEY.replace('3', "4"));
        let text = both(&wrong);
        assert!(!wrong.status.success() && text.starts_with("wrong_key: no key slot"), "{text}");
    }
}

/// The blocks of the documents in a language.
fn blocks(language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let folders = [root(), root().join("docs")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    for path in files.map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = std::fs::read_to_string(&path).unwrap();
            let start = format!("```{language}\n");
            let blocks = text.split(&start).skip(1);
            found.extend(blocks.map(|rest| rest.split("```").next().unwrap().to_owned()));
        }
    }
    found
}

#[test]
fn programs_of_the_documents_run() {
    for (language, compiler, package, standard) in
        [("c", "cc", "gcc", "-std=c99"), ("cpp", "c++", "g++", "-std=c++17")]
    {
        let blocks = blocks(language);
        assert!(!blocks.is_empty(), "no program in {language}");
        for (at, block) in blocks.iter().enumerate() {
            let source = scratch().join(format!("document{at}.{language}"));
            let program = scratch().join(format!("document{at}-{language}"));
            std::fs::write(&source, block).unwrap();
            let mut compiler = tool(compiler, package);
            compiler.arg(standard).args(STRICT).arg("-I").arg(installed().join("include"));
            run(shared(compiler.arg(source).arg("-o").arg(&program)));
            let output = run(&mut Command::new(program));
            assert!(["Ada@Example.org\n", "sound\n"].contains(&&*output), "{output}");
        }
    }
}

#[test]
fn cpp_quick_start_runs_under_the_sanitizers() {
    let program = scratch().join("quick_start_cpp");
    let mut compiler = tool("c++", "g++");
    compiler.args([
        "-std=c++17",
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ]);
    compiler.args(STRICT).arg("-I").arg(installed().join("include"));
    compiler.arg(root().join("ffi-c/examples/quick_start.cpp")).arg("-o").arg(&program);
    run(shared(&mut compiler));
    let output = run(Command::new(&program).env("APP_KEY", KEY).arg(fresh("cpp").join("app.db")));
    assert_eq!(output, "Ada Lovelace\n");
    let lines =
        std::fs::read_to_string(root().join("include/sealite.hpp")).unwrap().lines().count();
    assert!(lines < 300, "the C++ header has {lines} lines: it is to stay small");
}
