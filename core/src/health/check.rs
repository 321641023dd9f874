//! The check itself: bounded work, from the file as it is now.

use std::path::Path;

use super::keys::Search;
use super::report::{Health, Reason};
use crate::audit::Watch;
use crate::creation::inspect;
use crate::db::{Config, Location};
use crate::error::{Result, fail};
use crate::fork::{Inherit, PerProcess};
use crate::table::attached::Attached;
use crate::table::engine::{Engine, State};

/// Room on the disk that is asked for by default: 64 MiB.
const DISK_RESERVE: u64 = 64 << 20;

/// What is known from earlier checks.
#[derive(Default)]
pub(crate) struct Memory {
    search: PerProcess<Search>,
}

/// A search begins anew.
impl Inherit for Search {}

impl Attached for Memory {}

/// Checks the vault. Waits for no lock of a writer.
pub(crate) fn check(engine: &Engine) -> Health {
    let mut reasons = Vec::new();
    let mut error = None;
    let there = match engine.pool.location() {
        Location::Memory => true,
        Location::File(path) => look_at_file(path, engine, &mut reasons),
    };
    if there && let Err(found) = look_inside(engine, &mut reasons) {
        reasons.push(Reason::of(found.kind()));
        error = Some(found);
    }
    Health::new(reasons, error)
}

/// What shows from outside; true where the file is there and the one that was opened. Nothing is opened here: closing
/// a descriptor of the file would drop SQLite's locks.
fn look_at_file(path: &Path, engine: &Engine, reasons: &mut Vec<Reason>) -> bool {
    let about = std::fs::metadata(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let there = about.is_ok();
    if !there {
        let missing = about.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound);
        let never = missing && !engine.is_open() && !engine.pool.knows_file();
        reasons.push(if never { Reason::NotInitialised } else { Reason::Unreadable });
    } else if engine.pool.knows_file() && !engine.pool.is_same_file() {
        reasons.push(Reason::Unreadable);
    }
    if system::is_read_only(folder) || (there && system::is_read_only(path)) {
        reasons.push(Reason::ReadOnly);
    }
    let size = about.map_or(0, |about| about.len());
    let Config { disk_reserve, .. } = *engine.pool.config();
    let wanted = disk_reserve.unwrap_or(DISK_RESERVE.max(size));
    if system::free_space(folder).is_some_and(|free| free < wanted) {
        reasons.push(Reason::DiskNearlyFull);
    }
    there && !reasons.contains(&Reason::Unreadable)
}

fn look_inside(engine: &Engine, reasons: &mut Vec<Reason>) -> Result<()> {
    // A new connection has nothing in its cache: what it reads stands in the file.
    let conn = engine.pool.fresh_reader()?;
    conn.execute("BEGIN", &[])?;
    let Some(meta) = inspect(&conn)? else {
        // Where there were keys to it, it has gone.
        reasons.push(if engine.is_open() { Reason::Unreadable } else { Reason::NotInitialised });
        return Ok(());
    };
    if meta.erasure_pending != 0 {
        reasons.push(Reason::ErasurePending);
    }
    if !engine.is_open() {
        reasons.push(Reason::Locked);
        return Ok(());
    }
    let ring = engine.state()?.ring.renewed(false);
    if *ring.vault() != meta.vault {
        fail!(Corrupt, "the file holds another vault than the one that was opened");
    }
    let state = State::load(&conn, ring, meta.epoch)?;
    let trail = engine.attached::<Watch>()?.check(&conn, &state)?;
    if trail.is_broken {
        reasons.push(Reason::AuditBroken);
    }
    if engine.clock.stepped_back(&conn, &state, trail.at, engine.clock_ms())? {
        reasons.push(Reason::ClockSteppedBack);
    }
    let memory = engine.attached::<Memory>()?;
    if memory.search.write().step(&conn, &state)? {
        reasons.push(Reason::KeyRetiredInUse);
    }
    conn.execute("COMMIT", &[])?;
    Ok(())
}

#[cfg(unix)]
mod system {
    use std::path::Path;

    use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};

    /// True where the effective user may not write there, by mode, attribute or mount.
    pub(super) fn is_read_only(path: &Path) -> bool {
        use rustix::io::Errno;
        let refused = accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).err();
        refused.is_some_and(|error| [Errno::ACCESS, Errno::PERM, Errno::ROFS].contains(&error))
    }

    /// Bytes that a user who is not root can still write.
    pub(super) fn free_space(path: &Path) -> Option<u64> {
        let about = statvfs(path).ok()?;
        Some(about.f_bavail.saturating_mul(about.f_frsize))
    }
}

#[cfg(not(unix))]
mod system {
    use std::path::Path;

    pub(super) fn is_read_only(path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().readonly())
    }

    pub(super) fn free_space(_path: &Path) -> Option<u64> {
        None
    }
}
