//! Faults between a program and its files: kills, power cuts, failing writes, a full disk. See `tests/shim/faults.c`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What happens at an event: a write, sync, truncation or removal of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// Nothing; events are counted.
    None = 0,
    /// The process is killed before it, or halfway through a write.
    Kill = 1,
    /// The machine loses power before it: of what no sync has followed, whichever sectors survive.
    PowerCut = 2,
    /// It fails once with `EIO`.
    Io = 3,
    /// It fails with `ENOSPC`, and every write after it. Only writes count.
    Full = 4,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 4] = [Fault::Kill, Fault::PowerCut, Fault::Io, Fault::Full];

    /// True where the process does not survive it.
    pub fn is_fatal(self) -> bool {
        matches!(self, Fault::Kill | Fault::PowerCut)
    }
}

/// Compiles the shim into the folder; the value for `LD_PRELOAD`.
pub fn shim(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/faults.c");
    let library = folder.join("faults.so");
    let compiled = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .args(["-ldl", "-lpthread"])
        .output()
        .expect("a C compiler, which is needed here");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    library
}

/// From here on `fault` happens at the event of that number below the folder, counted from 1.
pub fn arm(folder: &Path, fault: Fault, at: usize, seed: u64) {
    let folder = CString::new(folder.as_os_str().as_bytes()).unwrap();
    type Arm = unsafe extern "C" fn(*const c_char, c_int, c_long, u64);
    // SAFETY: the shim exports the function with this signature, and copies the text.
    unsafe {
        let function: Arm = std::mem::transmute::<*mut c_void, Arm>(find(c"sealite_faults_arm"));
        function(folder.as_ptr(), fault as c_int, c_long::try_from(at).unwrap(), seed);
    }
}

/// From here on nothing happens; the number of events since [`arm`].
pub fn disarm() -> usize {
    type Disarm = unsafe extern "C" fn() -> c_long;
    // SAFETY: the shim exports the function with this signature.
    let events = unsafe {
        let function = std::mem::transmute::<*mut c_void, Disarm>(find(c"sealite_faults_disarm"));
        function()
    };
    usize::try_from(events).unwrap()
}

fn find(name: &CStr) -> *mut c_void {
    // SAFETY: the name is NUL-terminated and outlives the call.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    assert!(!found.is_null(), "the shim is loaded into this process");
    found
}
