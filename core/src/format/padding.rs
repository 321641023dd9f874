//! Padding of the payload, so that a record's length tells little about its content.

/// How the payload of a table's records is padded before it is sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Padding {
    /// No padding: the length of the row's sealed values shows.
    None,
    /// To the next multiple of this many bytes (1 to 65,534), at least one block.
    Block(u16),
    /// Padmé (Nikitin et al., PETS 2019): at most 12% longer, and only O(log log n) bits of the length show.
    Padme,
}

impl Default for Padding {
    /// Multiples of 32 bytes.
    fn default() -> Self {
        Padding::Block(32)
    }
}

impl Padding {
    /// The padded length of a payload of `length` bytes.
    pub(crate) fn padded(self, length: usize) -> usize {
        match self {
            Padding::None => length,
            Padding::Block(block) => {
                let block = usize::from(block.max(1));
                length.max(1).div_ceil(block) * block
            }
            Padding::Padme => padme(length),
        }
    }

    /// The two bytes of the catalog: 0 none, 65,535 Padmé, else the block.
    pub(crate) fn code(self) -> u16 {
        match self {
            Padding::None => 0,
            Padding::Block(block) => block,
            Padding::Padme => u16::MAX,
        }
    }

    pub(crate) fn from_code(code: u16) -> Self {
        match code {
            0 => Padding::None,
            u16::MAX => Padding::Padme,
            block => Padding::Block(block),
        }
    }
}

/// With E = floor(log2 L) and S = floor(log2 E) + 1, the low E - S bits of the length are rounded up.
fn padme(length: usize) -> usize {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let kept = if exponent == 0 { 1 } else { exponent.ilog2() + 1 };
    let mask = (1usize << exponent.saturating_sub(kept)) - 1;
    (length + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_round_up_and_hide_the_empty_payload() {
        let lengths = [0, 1, 31, 32, 33, 64].map(|l| Padding::default().padded(l));
        assert_eq!(lengths, [32, 32, 32, 32, 64, 64]);
        assert_eq!(Padding::None.padded(17), 17);
    }

    #[test]
    fn padme_follows_the_paper() {
        // 9 (1001b): E = 3, S = 2, one bit is rounded: 10. 1,025: E = 10, S = 4, six bits: 1,088.
        assert_eq!([9, 1_025, 1_024].map(padme), [10, 1_088, 1_024]);
        for length in 2..100_000 {
            let padded = padme(length);
            assert!(padded >= length && padded * 100 <= length * 112, "{length} -> {padded}");
        }
    }
}
