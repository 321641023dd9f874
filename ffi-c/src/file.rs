//! Files that are written for the caller.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::status::sealite_status::*;
use crate::status::{Failure, Result};

/// Bytes that are written at once.
const BATCH: usize = 64 * 1024;

/// A new file, for its owner alone. Dropped before [`NewFile::keep`], it is removed.
pub(crate) struct NewFile {
    path: PathBuf,
    file: File,
    /// Never more than it was made for: what it holds is somebody's data, and wiped.
    buffer: Zeroizing<Vec<u8>>,
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
        let buffer = Zeroizing::new(Vec::with_capacity(BATCH));
        Ok(NewFile { path: Path::new(path).to_owned(), file, buffer, kept: false })
    }

    /// Brings it to the disk.
    pub(crate) fn keep(mut self) -> Result<()> {
        let done = self.flush().and_then(|()| self.file.sync_all());
        done.map_err(|error| refusal(&error))?;
        self.kept = true;
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == BATCH {
            self.flush()?;
        }
        let taken = bytes.len().min(BATCH - self.buffer.len());
        self.buffer.extend(bytes.iter().take(taken));
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
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
