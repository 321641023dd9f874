//! Disks of a given size, for the process that asks for one.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use std::ffi::CString;
use std::io::{Error, Result};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Mounts an empty disk of `bytes` at the folder, visible to this process and its children only and gone with them.
/// False where the system lets nobody do that, not even with a user namespace of its own.
pub fn mount(folder: &Path, bytes: usize) -> bool {
    own_namespace().and_then(|()| tmpfs(folder, bytes, 0)).is_ok()
}

/// Changes the size of a disk that [`mount`] has made.
pub fn resize(folder: &Path, bytes: usize) {
    tmpfs(folder, bytes, libc::MS_REMOUNT).unwrap();
}

/// Bytes that are free on the disk.
pub fn free(folder: &Path) -> usize {
    let path = CString::new(folder.as_os_str().as_bytes()).unwrap();
    let mut about = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path is NUL-terminated, and both outlive the call.
    assert_eq!(unsafe { libc::statvfs(path.as_ptr(), about.as_mut_ptr()) }, 0);
    // SAFETY: the call has succeeded and filled the structure.
    let about = unsafe { about.assume_init() };
    usize::try_from(about.f_bavail * about.f_frsize).unwrap()
}

fn own_namespace() -> Result<()> {
    // SAFETY: the flags are the only argument; the process belongs to this test.
    let private = unsafe {
        libc::unshare(libc::CLONE_NEWNS) == 0
            || libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) == 0
    };
    if !private {
        return Err(Error::last_os_error());
    }
    let (none, root) = (c"none".as_ptr(), c"/".as_ptr());
    let flags = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: the strings are static, the other arguments may be null here (mount(2)).
    match unsafe { libc::mount(none, root, std::ptr::null(), flags, std::ptr::null()) } {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}

fn tmpfs(folder: &Path, bytes: usize, flags: libc::c_ulong) -> Result<()> {
    let path = CString::new(folder.as_os_str().as_bytes())?;
    let options = CString::new(format!("size={bytes},mode=0777"))?;
    let kind = c"tmpfs".as_ptr();
    // SAFETY: all strings are NUL-terminated and outlive the call.
    match unsafe { libc::mount(kind, path.as_ptr(), kind, flags, options.as_ptr().cast()) } {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}
