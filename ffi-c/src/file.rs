//! Files that are written for the caller.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::status::sealite_status::*;
use crate::status::{Failure, Result};

/// A new file, for its owner alone. Dropped before [`NewFile::keep`], it is removed.
pub(crate) struct NewFile {
    path: PathBuf,
    file: File,
    /// What the system has refused to write, which the engine only knows as an error of its writer.
    refused: Option<Failure>,
    kept: bool,
}

impl NewFile {
    /// # Errors
    /// SEALITE_REFUSED where a file has the name already; SEALITE_NOT_FOUND without the folder; SEALITE_READ_ONLY.
    pub(crate) fn create(path: &str) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| refusal(&error))?;
        Ok(NewFile::of(Path::new(path).to_owned(), file))
    }

    fn of(path: PathBuf, file: File) -> Self {
        NewFile { path, file, refused: None, kept: false }
    }

    /// Lets `work` write to it.
    ///
    /// # Errors
    /// As `work`; where the file could not be written, SEALITE_FULL, SEALITE_READ_ONLY or SEALITE_IO.
    pub(crate) fn write_by<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> sealite::Result<T>,
    ) -> Result<T> {
        let done = work(self);
        done.map_err(|error| self.refused.take().unwrap_or_else(|| error.into()))
    }

    /// Brings it to the disk, with its name: without its folder, that would not survive a power cut.
    pub(crate) fn keep(mut self) -> Result<()> {
        let synced = self.file.sync_all().and_then(|()| sync_folder(&self.path));
        synced.map_err(|error| refusal(&error))?;
        self.kept = true;
        Ok(())
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// What comes from the engine comes in blocks.
impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        if let Err(error) = &written {
            self.refused = Some(refusal(error));
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn refusal(error: &io::Error) -> Failure {
    let (status, message) = match error.kind() {
        ErrorKind::AlreadyExists => {
            (SEALITE_REFUSED, "a file has the name, and is not overwritten")
        }
        ErrorKind::NotFound => (SEALITE_NOT_FOUND, "there is no folder for the file"),
        ErrorKind::StorageFull => (SEALITE_FULL, "the disk is full"),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            (SEALITE_READ_ONLY, "the folder can't be written")
        }
        _ => (SEALITE_IO, "the file can't be written"),
    };
    Failure::new(status, message)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_on_the_way_is_full_and_not_an_error_of_the_writer() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut file = NewFile::of(PathBuf::from("/nowhere/export.json"), full);
        let vault = sealite::Vault::in_memory().unwrap();
        let work = |file: &mut NewFile| {
            let written = file.write_all(b"x");
            assert_eq!(written.unwrap_err().kind(), ErrorKind::StorageFull);
            vault.table("none").map(|_| ())
        };
        assert_eq!(file.write_by(work).unwrap_err().status, SEALITE_FULL);
        let other = file.write_by(|_| vault.table("none").map(|_| ()));
        assert_eq!(other.unwrap_err().status, SEALITE_NOT_FOUND);
    }
}
