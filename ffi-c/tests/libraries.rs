//! The header from every language level, the names that the libraries export, and what is installed.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use support::{STRICT, both, fresh, install, installed, root, run, scratch, shared, tool};

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
    for header in ["sealite.h", "sealite.hpp", "sealite_sql.hpp"] {
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

/// What pkg-config answers, of the libraries below a prefix.
fn pkg_config(prefix: &Path, flags: &[&str]) -> Vec<String> {
    let text = run(tool("pkg-config", "pkg-config")
        .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"))
        .args(flags)
        .arg("sealite"));
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn staged_install_names_the_prefix_alone() {
    let stage = fresh("stage");
    // Characters that mean something to sed.
    let prefix = "/opt/a&b|c";
    install(Path::new(prefix), Some(&stage));
    let placed = stage.join(&prefix[1..]);
    for file in ["include/sealite.h", "include/sealite.hpp", "include/sealite_sql.hpp"] {
        let source = std::fs::read(root().join(file)).unwrap();
        assert!(std::fs::read(placed.join(file)).unwrap() == source, "{file}");
    }
    for library in ["libsealite.so", "libsealite.so.0", "libsealite.a"] {
        assert!(placed.join("lib").join(library).exists(), "{library}");
    }
    let link = std::fs::read_link(placed.join("lib/libsealite.so")).unwrap();
    assert_eq!(link, Path::new("libsealite.so.0"));
    let text = std::fs::read_to_string(placed.join("lib/pkgconfig/sealite.pc")).unwrap();
    assert!(text.starts_with(&format!("prefix={prefix}\n")), "{text}");
    assert!(!text.contains(stage.to_str().unwrap()) && !text.contains('@'), "{text}");
}

/// Builds programs on the static library alone, as `pkg-config --static` says, and runs them where no shared one is.
#[test]
fn static_library_carries_whole_programs() {
    // Without the shared library beside it, `-lsealite` is the static one.
    let prefix = scratch().join("static");
    install(&prefix, None);
    for library in std::fs::read_dir(prefix.join("lib")).unwrap() {
        let path = library.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().contains(".so") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let flags = pkg_config(&prefix, &["--static", "--cflags", "--libs"]);
    let build = |source: &str, name: &str| {
        let program = scratch().join(name);
        let mut compiler = tool("cc", "gcc");
        compiler.args(["-std=c11", "-D_POSIX_C_SOURCE=200809L"]).args(STRICT).arg("-I");
        compiler.arg(root().join("ffi-c/c/tests")).arg(root().join(source));
        run(compiler.arg("-o").arg(&program).args(&flags));
        let needed = run(tool("readelf", "binutils").arg("-d").arg(&program));
        assert!(!needed.contains("libsealite"), "{needed}");
        program
    };
    for name in ["tables", "sql", "capabilities", "fork"] {
        let program = build(&format!("ffi-c/c/tests/{name}.c"), &format!("{name}-static"));
        run(Command::new(program).arg(fresh(format!("{name}-static"))));
    }
    let program = build("ffi-c/examples/quick_start.c", "quick_start-static");
    let file = fresh("quick_start-static").join("app.db");
    assert_eq!(run(Command::new(program).env("APP_KEY", KEY).arg(file)), "Ada Lovelace\n");
}

#[test]
fn pkg_config_builds_the_quick_starts() {
    let pkg_config = |flags: &[&str]| pkg_config(installed(), flags);
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

/// The compiler of C++, with the sanitizers.
fn sanitized_cpp() -> Command {
    let mut compiler = tool("c++", "g++");
    compiler.args([
        "-std=c++17",
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ]);
    compiler.args(STRICT).arg("-I").arg(installed().join("include"));
    compiler
}

#[test]
fn cpp_quick_starts_run_under_the_sanitizers() {
    for (name, printed) in
        [("quick_start", "Ada Lovelace\n"), ("quick_start_sql", "Ada Lovelace /pricing\n")]
    {
        let program = scratch().join(format!("{name}_cpp"));
        let mut compiler = sanitized_cpp();
        compiler.arg(root().join(format!("ffi-c/examples/{name}.cpp"))).arg("-o").arg(&program);
        run(shared(&mut compiler));
        let file = fresh(format!("{name}_cpp")).join("app.db");
        assert_eq!(run(Command::new(&program).env("APP_KEY", KEY).arg(file)), printed);
    }
    for (header, most) in [("sealite.hpp", 300), ("sealite_sql.hpp", 150)] {
        let text = std::fs::read_to_string(root().join("include").join(header)).unwrap();
        let lines = text.lines().count();
        assert!(lines < most, "{header} has {lines} lines: it is to stay small");
    }
}

#[test]
fn cpp_values_take_every_integer_and_views_do_not_outlive_their_rows() {
    let main = |body: &str| {
        format!(
            "#include <sealite_sql.hpp>\n#include <cstdint>\nint main() {{\n\
             auto vault = sealite::vault::in_memory();\n\
             vault.define_table(\"t\", {{\"a text sealed unique\", \"n integer\"}});\n\
             auto table = vault.table(\"t\");\n{body}\nreturn 0; }}\n"
        )
    };
    let compiled = |name: &str, body: &str| {
        let (source, program) = (scratch().join(format!("{name}.cpp")), scratch().join(name));
        std::fs::write(&source, main(body)).unwrap();
        let mut compiler = sanitized_cpp();
        shared(compiler.arg(source).arg("-o").arg(&program));
        (compiler.output().unwrap(), program)
    };
    let (output, program) = compiled(
        "integers",
        "for (const sealite::value &v : {sealite::value(7U), sealite::value(std::size_t(7)), \
           sealite::value(7LL), sealite::value(7ULL), sealite::value(7L), sealite::value(short(7)), \
           sealite::value(char16_t(7)), sealite::value(7)})\n\
           if (v.integer() != 7) return 1;\n\
         enum Plain { THREE = 3 }; enum class Scoped { FOUR = 4 };\n\
         if (sealite::value(THREE).integer() != 3 || sealite::value(SEALITE_ROTATION_INDEX).integer() != 1) return 1;\n\
         static_assert(!std::is_constructible_v<sealite::value, Scoped>);\n\
         if (!sealite::value(true).boolean() || sealite::value(-1).integer() != -1) return 1;\n\
         if (sealite::value(INT64_MIN).integer() != INT64_MIN) return 1;\n\
         try { sealite::value too_much(UINT64_MAX); return 1; } catch (const sealite::error &) {}\n\
         auto id = table.insert({{\"a\", \"\"}, {\"n\", std::size_t(3)}});\n\
         auto row = table.get(id);\n\
         if (!row || (*row)[\"n\"].integer() != 3 || !row->text(\"a\").empty()) return 1;\n\
         sealite::connection db(vault);\n\
         try { db.transact([&] {\n\
           db.execute(\"INSERT INTO t (a) VALUES ('x')\"); throw 7; }); return 1; } catch (int) {}\n\
         if (table.count() != 1) return 1;\n\
         // Where its connection is gone, what the work has thrown is still what is seen.\n\
         try { db.transact([&] { sealite::connection gone(std::move(db)); throw 7; }); return 1; } catch (int) {}",
    );
    assert!(output.status.success(), "{}", both(&output));
    run(&mut Command::new(program));
    for (name, body) in [
        ("dangling_text", "auto text = table.find(\"a\", \"x\").text(\"a\");"),
        ("dangling_value", "auto value = table.find(\"a\", \"x\")[\"a\"];"),
        (
            "dangling_statement",
            "auto value = sealite::connection(vault).prepare(\"SELECT 1\").at(0);",
        ),
    ] {
        let (output, _) = compiled(name, body);
        let text = both(&output);
        assert!(!output.status.success() && text.contains("use of deleted function"), "{text}");
    }
}
