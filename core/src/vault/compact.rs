//! Giving free space back.

use super::Vault;
use crate::erasure::{self, Erasure};
use crate::error::Result;
use crate::sql;

/// What [`Vault::compact`] has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Compaction {
    /// Bytes on the disk before: the file and its log. 0 for a vault in memory.
    pub before: u64,
    /// Bytes on the disk afterwards.
    pub after: u64,
    /// Whether the file was written anew and the log emptied. Where another process reads or writes meanwhile it is
    /// pending, and [`Vault::finish_erasure`] goes on.
    pub erasure: Erasure,
}

impl Vault {
    /// Writes the file anew without its free pages (`VACUUM`) and empties its log: what deleted rows have left is
    /// overwritten, and space given back. Others wait meanwhile. Memory is that of two page caches, some 8 MiB; the disk
    /// needs room for the file a second time in the log, and a third time in the folder for temporary files
    /// (`SQLITE_TMPDIR`, `TMPDIR`, `/var/tmp`, `/tmp`), unless the file fits into the cache.
    ///
    /// What lies there for a while is a copy of the file's pages, sealed as they are, in a file without a name; where
    /// no folder for it can be written, the copy is made in memory.
    ///
    /// `VACUUM` in SQL does the same, and fails as `busy` where it is pending.
    pub fn compact(&self) -> Result<Compaction> {
        let before = self.engine.pool.bytes_on_disk();
        self.engine.state()?;
        erasure::resume(&self.engine)?;
        let erasure =
            if sql::compact(&self.engine)? { Erasure::Complete } else { Erasure::Pending };
        Ok(Compaction { before, after: self.engine.pool.bytes_on_disk(), erasure })
    }
}
