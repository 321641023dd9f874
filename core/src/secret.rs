//! Secrets in memory: `secrecy`'s types, re-exported, and a key that is wiped when it is dropped.

use std::fmt;

use crate::locked::Locked;

pub use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};

/// 32 secret bytes, in memory for keys. Wiped on drop; never shown.
pub(crate) struct Secret32(Locked<[u8; 32]>);

impl Secret32 {
    pub(crate) fn zeroed() -> Self {
        Secret32(Locked::new([0; 32]))
    }

    pub(crate) fn copy_of(bytes: &[u8; 32]) -> Self {
        let mut secret = Self::zeroed();
        secret.expose_mut().copy_from_slice(bytes);
        secret
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn expose_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }
}

impl Clone for Secret32 {
    fn clone(&self) -> Self {
        Secret32::copy_of(self.expose())
    }
}

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret32(..)")
    }
}
