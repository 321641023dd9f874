//! Secrets in memory: `secrecy`'s types, re-exported, and a key that is wiped when it is dropped.

use std::fmt;
use std::io::{self, Write};
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

/// A buffer to write to, such as an export that is wanted in memory: what is left for a larger one when it grows is
/// overwritten, and so is the whole of it when it is dropped. Writing never fails. Its `Debug` shows the length only.
///
/// ```
/// use sealite::{Column, TableDefinition, Vault, WipedBuffer, values};
///
/// let vault = Vault::in_memory()?;
/// vault.define_table(
///     &TableDefinition::new("notes")
///         .column(Column::text("owner").authenticated())
///         .column(Column::text("body").sealed())
///         .subject("owner"),
/// )?;
/// vault.table("notes")?.insert(values! {"owner" => "ann", "body" => "hers"})?;
/// let mut all = WipedBuffer::default();
/// vault.export_subject(None, "ann", &mut all)?;
/// assert!(all.as_bytes().starts_with(b"{"));
/// # Ok::<(), sealite::Error>(())
/// ```
#[derive(Default)]
pub struct WipedBuffer(Vec<u8>);

impl WipedBuffer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        WipedBuffer(Vec::with_capacity(bytes))
    }

    /// What has been written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        make_room(&mut self.0, bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// What has been written, as text; empty where it is none.
    pub(crate) fn into_text(mut self) -> WipedText {
        match String::from_utf8(std::mem::take(&mut self.0)) {
            Ok(text) => WipedText(text),
            Err(error) => {
                self.0 = error.into_bytes();
                WipedText(String::new())
            }
        }
    }
}

impl Write for WipedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for WipedBuffer {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for WipedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WipedBuffer({} bytes)", self.0.len())
    }
}

/// How much of an export is gathered before it is passed on, in bytes.
const BLOCK: usize = 1 << 16;

/// Gathers what is written and passes it on in blocks. What has not been passed on when it is dropped is lost.
pub(crate) struct Gathered<W: Write> {
    out: W,
    held: WipedBuffer,
}

impl<W: Write> Gathered<W> {
    pub(crate) fn new(out: W) -> Self {
        Gathered { out, held: WipedBuffer::with_capacity(BLOCK) }
    }

    pub(crate) fn inner(&self) -> &W {
        &self.out
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let passed = self.out.write_all(&self.held.0);
        // Given up where it fails: some of it may have been written. Wiped in the end.
        self.held.0.clear();
        passed
    }
}

impl<W: Write> Write for Gathered<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.held.0.len() + bytes.len() > BLOCK {
            self.pass_on()?;
        }
        if bytes.len() > BLOCK {
            self.out.write_all(bytes)?;
        } else {
            self.held.push(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.out.flush()
    }
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
