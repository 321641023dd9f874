//! Random sequences of calls, against models: bytes say which, drawn by the tests or given by a fuzzer.

pub(crate) mod sql;
pub(crate) mod table;
mod token_model;
pub(crate) mod tokens;

/// The calls that bytes say, of the model that the first byte says.
pub(crate) fn run(data: &[u8]) {
    let Some((which, steps)) = data.split_first() else { return };
    let steps = &steps[..steps.len().min(MAX_LEN)];
    match which % 3 {
        0 => table::run(steps),
        1 => sql::run(steps),
        _ => tokens::run(steps),
    }
}

/// A number of any size.
fn number(byte: u8) -> usize {
    usize::from(byte).wrapping_mul(0x0101_0101_0101_0101)
}

/// Enough for every order of a few calls.
const MAX_LEN: usize = 480;
