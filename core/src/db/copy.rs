//! A copy of the file as one connection sees it, by SQLite's online backup.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::conn::Conn;
use super::error::Checked;
use crate::error::{Result, fail};
use crate::fork;

/// Pages copied at a time: 4 MiB of the usual size.
const STEP: i32 = 1024;

impl Conn {
    /// Copies every page that this connection sees into the empty file at `path`, and brings them to the disk. `go_on` gets
    /// the pages copied so far and the pages of all; false where it says no, and the file is torn then.
    ///
    /// To be called inside a transaction: its snapshot is what is copied, so that others may write meanwhile and nothing
    /// is copied twice. Memory is that of two page caches.
    pub(crate) fn copy_to(
        &self,
        path: &Path,
        go_on: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut copy = Connection::open_with_flags(path, flags).checked()?;
        // A torn copy is thrown away: there is nothing to roll back to.
        copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL").checked()?;
        let whole = {
            let backup = Backup::new(self.raw()?, &mut copy).checked()?;
            loop {
                let step = backup.step(STEP).checked()?;
                let progress = backup.progress();
                let all = u64::try_from(progress.pagecount).unwrap_or(0);
                let left = u64::try_from(progress.remaining).unwrap_or(0);
                let wanted = fork::called_back(|| go_on(all.saturating_sub(left), all));
                match step {
                    StepResult::Done | StepResult::More if !wanted => break false,
                    StepResult::Done => break true,
                    StepResult::More => {}
                    // Inside a transaction nobody else's lock stands in the way.
                    _ => fail!(Busy, "the vault is locked, and can't be copied"),
                }
            }
        };
        copy.close().map_err(|(_, error)| error).checked()?;
        Ok(whole)
    }
}
