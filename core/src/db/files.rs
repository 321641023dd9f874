//! Which files this process has open, and through which SQLite library.
//!
//! POSIX locks belong to the process, not to the descriptor: when any other code closes the same file, every lock that
//! our SQLite holds on it is gone. So a file that is open here through anything else is refused.

use std::path::Path;

use super::gate::Gate;

/// Device and inode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FileId(u64, u64);

impl FileId {
    /// The identity of a file that exists. Asks for metadata only: nothing is opened.
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let about = std::fs::metadata(path).ok()?;
        Some(FileId(about.dev(), about.ino()))
    }

    #[cfg(not(unix))]
    pub(super) fn of(_path: &Path) -> Option<Self> {
        None
    }

    /// True where some descriptor of this process is open on the file. Linux only; elsewhere never true.
    pub(super) fn has_descriptor(self) -> bool {
        let Ok(descriptors) = std::fs::read_dir("/proc/self/fd") else { return false };
        descriptors.flatten().any(|entry| FileId::of(&entry.path()) == Some(self))
    }
}

/// True where a vault of this process has the file open: another SQLite library must then leave it alone.
pub(crate) fn held_here(path: &Path) -> bool {
    FileId::of(path).is_some_and(Gate::holds)
}
