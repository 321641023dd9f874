//! Compiles the faults that the crash matrix loads, into the one target that has them in itself.

fn main() {
    println!("cargo::rerun-if-changed=../tests/shim/faults.c");
    let mut build = cc::Build::new();
    build.file("../tests/shim/faults.c").flag("-std=gnu11").cargo_metadata(false).compile("faults");
    let folder = std::env::var("OUT_DIR").expect("a folder for what is made");
    // All of it: SQLite calls these in place of the C library's, and they are found by name.
    let whole = format!("-Wl,--whole-archive,{folder}/libfaults.a,--no-whole-archive");
    for argument in [&*whole, "-rdynamic"] {
        println!("cargo::rustc-link-arg-bin=stateful_faults={argument}");
    }
}
