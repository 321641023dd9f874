//! The sealite command.
fn main() {}
