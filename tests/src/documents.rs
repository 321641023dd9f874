//! The Rust blocks of the documents, compiled and run as doc tests.

macro_rules! documents {
    ($($name:ident = $path:literal;)*) => {
        $(
            #[doc = include_str!(concat!("../../", $path))]
            #[cfg(doctest)]
            struct $name;
        )*

        /// The documents whose Rust blocks are run here.
        pub const RUN: &[&str] = &[$($path),*];
    };
}

documents! {
    Readme = "README.md";
    RustGuide = "docs/rust.md";
    AdoptIn10Minutes = "docs/adopt-in-10-minutes.md";
    Passwords = "docs/passwords.md";
    State = "docs/state.md";
    Tokens = "docs/tokens.md";
    Sql = "docs/sql.md";
    Subjects = "docs/subjects.md";
}
