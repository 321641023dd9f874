//! A file that gets its name once it is whole: written under another one, brought to the disk, renamed.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};

use crate::crypto::random;
use crate::error::{Error, Result, err, fail};
use crate::keys::seal::no_randomness;

/// What SQLite writes beside a database; such a file of another one would be taken for this one's.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A new file under a temporary name. Dropped before [`NewFile::keep`], it is removed.
pub(super) struct NewFile {
    wanted: PathBuf,
    path: PathBuf,
    kept: bool,
}

impl NewFile {
    /// Creates an empty file, for its owner alone, beside the place that it is wanted at.
    ///
    /// # Errors
    /// `refused` where something has the wanted name, or one that SQLite would take for a part of it.
    pub(super) fn create(wanted: &Path) -> Result<Self> {
        let wanted = std::path::absolute(wanted)
            .map_err(|_| err!(InvalidInput, "an empty path names no file"))?;
        check_free(&wanted)?;
        let mut number = [0; 8];
        random::fill(&mut number).map_err(|_| no_randomness())?;
        let ending = format!(".{:016x}.partial", u64::from_be_bytes(number));
        let path = beside(&wanted, &ending);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map_err(|error| refusal("the copy can't be created", &error))?;
        Ok(NewFile { wanted, path, kept: false })
    }

    /// Where it is until it is kept. No descriptor of this process is open on it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its size in bytes.
    pub(super) fn size(&self) -> Result<u64> {
        let about = std::fs::metadata(&self.path);
        about.map(|about| about.len()).map_err(|error| refusal("the copy is gone", &error))
    }

    /// Brings the file to the disk and gives it its name. SQLite must have closed it.
    pub(super) fn keep(mut self) -> Result<()> {
        let wal = beside(&self.path, "-wal");
        if wal.exists() {
            fail!(Io, "the log of the copy could not be written back");
        }
        let unwritten = |error: std::io::Error| refusal("the copy can't be written", &error);
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(unwritten)?;
        check_free(&self.wanted)?;
        rename_new(&self.path, &self.wanted).map_err(|error| match error.kind() {
            IoKind::AlreadyExists => taken(&self.wanted),
            _ => refusal("the copy can't be given its name", &error),
        })?;
        self.kept = true;
        // The name survives a power cut only with the folder on the disk.
        sync_folder(&self.wanted).map_err(unwritten)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
            for ending in BESIDE {
                let _ = std::fs::remove_file(beside(&self.path, ending));
            }
        }
    }
}

/// The path with an ending behind its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Refuses a name that is taken. A log that lies beside it would be read as the new file's own.
fn check_free(wanted: &Path) -> Result<()> {
    if wanted.file_name().is_none() {
        fail!(InvalidInput, "the path names a folder, and no file");
    }
    for ending in ["", "-wal", "-shm", "-journal"] {
        let path = beside(wanted, ending);
        // A link that leads nowhere is there, too.
        if std::fs::symlink_metadata(&path).is_ok() {
            return Err(taken(&path));
        }
    }
    let name = wanted.to_string_lossy();
    for ending in BESIDE {
        let database = name.strip_suffix(ending).is_some_and(|name| Path::new(name).exists());
        if database {
            fail!(
                Refused,
                "{} is a name of SQLite's own files: give another one",
                wanted.display()
            );
        }
    }
    Ok(())
}

fn taken(path: &Path) -> Error {
    err!(Refused, "{} exists, and is not overwritten: give another name", path.display())
}

fn refusal(what: &str, error: &std::io::Error) -> Error {
    match error.kind() {
        IoKind::StorageFull => err!(Full, "{what}: the disk is full"),
        IoKind::NotFound => err!(NotFound, "{what}: there is no such folder"),
        IoKind::ReadOnlyFilesystem | IoKind::PermissionDenied => {
            err!(ReadOnly, "{what}: the folder can't be written")
        }
        _ => err!(Io, "{what}: {error}"),
    }
}

/// Renames, and never over another file.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn rename_new(from: &Path, to: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that does not have it.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_new(from, to),
        renamed => Ok(renamed?),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn rename_new(from: &Path, to: &Path) -> std::io::Result<()> {
    link_new(from, to)
}

/// A second name, which is never given twice, and then without the first.
fn link_new(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::hard_link(from, to)?;
    std::fs::remove_file(from)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
