//! Files that a secret is written to: new ones only, for their owner alone.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind as IoKind, Write};
use std::path::{Path, PathBuf};

use sealite::ErrorKind;

use crate::failure::{Failure, Result};

/// A new file that is not yet kept: dropped before [`SecretFile::keep`], it is removed again.
pub(crate) struct SecretFile {
    path: PathBuf,
    file: File,
    keep: bool,
}

impl SecretFile {
    /// Creates the file with mode 0600. One that exists is never written to, a link never followed.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(file) => Ok(SecretFile { path: path.to_owned(), file, keep: false }),
            Err(error) if error.kind() == IoKind::AlreadyExists => Err(Failure::new(
                ErrorKind::Refused,
                format!("{} exists, and is not overwritten: give another name", path.display()),
            )),
            Err(error) => {
                Err(Failure::io(format_args!("{} can't be created", path.display()), &error))
            }
        }
    }

    /// Writes the secret and a line feed, down to the disk.
    pub(crate) fn write(&mut self, secret: &str) -> Result<()> {
        let written =
            self.file.write_all(secret.as_bytes()).and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|error| self.unwritten(&error))?;
        self.sync()
    }

    /// The file, for what is too long to be held. [`SecretFile::sync`] ends it.
    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Brings what was written to the disk.
    pub(crate) fn sync(&mut self) -> Result<()> {
        let synced = self.file.sync_all().and_then(|()| sync_folder(&self.path));
        synced.map_err(|error| self.unwritten(&error))
    }

    /// The failure of a write to it.
    pub(crate) fn unwritten(&self, error: &std::io::Error) -> Failure {
        Failure::io(format_args!("{} can't be written", self.path.display()), error)
    }

    /// Leaves the file where it is.
    pub(crate) fn keep(mut self) {
        self.keep = true;
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The new name survives a power cut only with its folder on the disk.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
