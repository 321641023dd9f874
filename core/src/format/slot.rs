//! The parameters of a slot: what beside the secret goes into its slot key.

use super::Malformed;
use super::bytes::Reader;

/// The ways to unlock. The numbers are stored; append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SlotKind {
    /// A 32-byte key.
    Key,
    /// A passphrase, by Argon2id.
    Passphrase,
    /// A recovery code.
    Recovery,
}

impl SlotKind {
    /// The name: `key`, `passphrase` or `recovery`.
    pub fn name(self) -> &'static str {
        match self {
            SlotKind::Key => "key",
            SlotKind::Passphrase => "passphrase",
            SlotKind::Recovery => "recovery",
        }
    }

    pub(crate) fn code(self) -> i64 {
        match self {
            SlotKind::Key => 1,
            SlotKind::Passphrase => 2,
            SlotKind::Recovery => 3,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        [SlotKind::Key, SlotKind::Passphrase, SlotKind::Recovery]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// Salt, and the cost where the secret is a passphrase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SlotParameters {
    pub(crate) salt: [u8; 16],
    /// Memory in KiB, passes, lanes.
    pub(crate) cost: Option<[u32; 3]>,
}

impl SlotParameters {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = self.salt.to_vec();
        for number in self.cost.into_iter().flatten() {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out
    }

    /// The cost is present exactly for a passphrase.
    pub(crate) fn decode(kind: SlotKind, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let salt = *reader.array::<16>()?;
        let cost = match kind {
            SlotKind::Passphrase => Some([reader.u32()?, reader.u32()?, reader.u32()?]),
            SlotKind::Key | SlotKind::Recovery => None,
        };
        reader.finish()?;
        Ok(SlotParameters { salt, cost })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_read_back_and_nothing_else_does() {
        let slow = SlotParameters { salt: [7; 16], cost: Some([65_536, 3, 4]) };
        let fast = SlotParameters { salt: [7; 16], cost: None };
        assert_eq!(SlotParameters::decode(SlotKind::Passphrase, &slow.encode()), Ok(slow));
        assert_eq!(SlotParameters::decode(SlotKind::Key, &fast.encode()), Ok(fast));
        assert!(SlotParameters::decode(SlotKind::Key, &slow.encode()).is_err());
        assert!(SlotParameters::decode(SlotKind::Passphrase, &fast.encode()).is_err());
        assert!(SlotParameters::decode(SlotKind::Recovery, &[0; 15]).is_err());
    }
}
