//! `SEALITE_TEST_FULL=1` runs the scaled tests at full size.

/// The second number in a full run, else the first.
pub fn scaled<T>(quick: T, full: T) -> T {
    if is_full() { full } else { quick }
}

/// True in a full run.
pub fn is_full() -> bool {
    std::env::var("SEALITE_TEST_FULL").is_ok_and(|value| value == "1")
}
