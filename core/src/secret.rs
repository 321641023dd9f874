//! Secrets in memory: `secrecy`'s types, re-exported, and a key that is wiped when it is dropped.

use std::fmt;

use zeroize::Zeroizing;

pub use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};

/// 32 secret bytes. Wiped on drop; never shown.
#[derive(Clone)]
pub(crate) struct Secret32(Box<Zeroizing<[u8; 32]>>);

impl Secret32 {
    pub(crate) fn zeroed() -> Self {
        Secret32(Box::default())
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

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret32(..)")
    }
}
