//! Which files this process has open, and through which SQLite library.
//!
//! POSIX locks belong to the process, not to the descriptor: when any other code closes the same file, every lock that
//! our SQLite holds on it is gone. So a file that is open here through anything else is refused.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use super::gate::Gate;
use crate::error::{Result, fail};

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

/// Where the write-ahead log of a file is.
pub(super) fn log_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push("-wal");
    PathBuf::from(path)
}

/// The write-ahead log that a connection has open. Nobody can take it away meanwhile, as long as the locks of this process
/// hold.
pub(super) struct Log {
    path: PathBuf,
    opened: Cell<Option<FileId>>,
}

impl Log {
    /// The log of a file, as it is now.
    pub(super) fn of(file: &Path) -> Self {
        let path = log_of(file);
        let opened = Cell::new(FileId::of(&path));
        Log { path, opened }
    }

    /// False where the path names another file than the one that was opened, or none.
    pub(super) fn is_in_place(&self) -> bool {
        let now = FileId::of(&self.path);
        if self.opened.get().is_none() {
            self.opened.set(now);
        }
        self.opened.get() == now
    }

    /// Fails where what is written would go into a log that nobody reads.
    pub(super) fn check(&self) -> Result<()> {
        if !self.is_in_place() {
            fail!(
                AnotherLibrary,
                "the file's log was taken away while it was open. Other code in this process has opened and closed \
                 the file, which drops SQLite's locks, or somebody has moved files. Nothing was written. Close the \
                 vault and open it again"
            );
        }
        Ok(())
    }
}
