//! Secrets in memory: `secrecy`'s types, re-exported, and a key that is wiped when it is dropped.

use std::fmt;
use std::ops::Deref;

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

/// Makes room for `more` bytes behind the end. A buffer that is left for a larger one is overwritten: an allocator that
/// moves it would leave what it held.
#[inline]
pub(crate) fn make_room(buffer: &mut Vec<u8>, more: usize) {
    if buffer.capacity() - buffer.len() < more {
        let mut larger = Vec::with_capacity(larger(buffer.capacity(), buffer.len(), more));
        larger.extend_from_slice(buffer);
        wipe(&mut std::mem::replace(buffer, larger));
    }
}

/// As [`make_room`].
#[inline]
pub(crate) fn make_room_for_text(buffer: &mut String, more: usize) {
    if buffer.capacity() - buffer.len() < more {
        let mut larger = String::with_capacity(larger(buffer.capacity(), buffer.len(), more));
        larger.push_str(buffer);
        wipe(&mut std::mem::replace(buffer, larger).into_bytes());
    }
}

/// Twice the room, so that growing by little pieces copies each byte a few times only.
fn larger(capacity: usize, length: usize, more: usize) -> usize {
    capacity.saturating_mul(2).max(length.saturating_add(more))
}

/// Overwrites by capacity, not by length: what was taken back lies behind the end. In one pass of the compiler's own
/// fill, which a volatile write for each byte is many times slower than.
pub(crate) fn wipe(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.resize(buffer.capacity(), 0);
    zeroize::optimization_barrier(buffer);
    buffer.clear();
}

/// A text that is wiped when it goes: what the application has said of a person.
#[derive(Clone)]
pub(crate) struct WipedText(String);

impl WipedText {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        WipedText(text.into())
    }
}

impl Deref for WipedText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for WipedText {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret32(..)")
    }
}
