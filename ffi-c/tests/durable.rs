//! A new file survives a power cut with its name: behind the file its folder is brought to the disk.

#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;

use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use calls::KEY;
use sealite::{ExportOptions, Unlock, Vault};
use sealite_ffi::audit::handle::*;
use sealite_ffi::erasure::*;
use sealite_ffi::status::sealite_status::*;
use sealite_ffi::vault::*;

static SYNCED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// In the place of the C library's: what was brought to the disk is written down.
#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    let path = std::fs::read_link(format!("/proc/self/fd/{file}")).unwrap_or_default();
    SYNCED.lock().unwrap().push(path);
    // SAFETY: a number that the system checks.
    let done = unsafe { libc::syscall(libc::SYS_fsync, file) };
    c_int::try_from(done).unwrap_or(-1)
}

/// Whether the work has brought a file and, behind it, its folder to the disk.
fn syncs(file: &Path, work: impl FnOnce()) -> bool {
    SYNCED.lock().unwrap().clear();
    work();
    let synced = std::mem::take(&mut *SYNCED.lock().unwrap());
    let last = |path: &Path| synced.iter().rposition(|synced| synced == path);
    let written = synced.iter().position(|synced| {
        // A copy is written under another name.
        synced == file || synced.to_string_lossy().contains(".partial")
    });
    written.is_some() && written < last(file.parent().unwrap())
}

/// One test: it is the whole process's function that is replaced, and its folder that is changed.
#[test]
fn a_file_is_on_the_disk_with_its_name() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().canonicalize().unwrap().join("out");
    std::fs::create_dir(&folder).unwrap();
    let unlock = calls::unlock(KEY);
    let file = home.path().join("vault.db");
    let vault = calls::create(&file, unlock);

    let written = folder.join("subject.json");
    let path = written.to_str().unwrap();
    assert!(syncs(&written, || {
        let status =
            ffi!(sealite_vault_export_subject_to; vault, null(), 0, ["ann"], [path], null_mut());
        assert_eq!(status, SEALITE_OK);
    }));
    let mut audit = null_mut();
    assert_eq!(ffi!(sealite_vault_audit; vault, &raw mut audit), SEALITE_OK);
    std::env::set_current_dir(&folder).unwrap();
    assert!(syncs(&folder.join("bare.jsonl"), || {
        let status = ffi!(sealite_audit_export; audit, ["bare.jsonl"], null(), null(), null(), 0,
                          null_mut());
        assert_eq!(status, SEALITE_OK);
    }));
    // SAFETY: (3).
    unsafe {
        sealite_audit_free(audit);
        sealite_vault_free(vault);
        sealite_ffi::unlock::sealite_unlock_free(unlock);
    }

    let vault = Vault::open(&file, &Unlock::key_text(KEY).unwrap()).unwrap();
    let copy = folder.join("copy.db");
    assert!(syncs(&copy, || {
        let _ = vault.backup(&copy).unwrap();
    }));
    SYNCED.lock().unwrap().clear();
    let files = vault.audit().export_daily(&folder, &ExportOptions::default()).unwrap();
    let day = files.first().unwrap().0.clone();
    let synced = SYNCED.lock().unwrap();
    assert_eq!(synced.get(synced.len() - 2..), Some([day, folder].as_slice()));
}
