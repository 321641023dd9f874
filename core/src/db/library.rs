//! SQLite's own part in a fork: the mutexes of the whole library, and its table of the files that it has open.

/// Here SQLite is the program's own, and so is the care for it.
#[cfg(any(not(unix), feature = "loadable"))]
mod own {
    use std::time::Instant;

    pub(in crate::db) const SEPARATES: bool = false;

    pub(in crate::db) struct Mutexes;

    impl Mutexes {
        #[allow(clippy::unnecessary_wraps)]
        pub(in crate::db) fn hold(_latest: Instant) -> Option<Self> {
            Some(Mutexes)
        }
    }

    pub(in crate::db) fn leave_files_to_the_parent() -> bool {
        true
    }
}

#[cfg(all(unix, not(feature = "loadable")))]
#[allow(unsafe_code)]
mod own {
    use std::ffi::{c_char, c_int};
    use std::mem::transmute;
    use std::time::{Duration, Instant};

    use once_cell::race::OnceBox;
    use rusqlite::ffi::{self, sqlite3_vfs};

    use crate::fork::{self, About, Device};

    /// Whether a child's SQLite is kept from what its parent had open.
    pub(in crate::db) const SEPARATES: bool = true;

    /// The static mutexes in use, each before those that are taken while it is held: a temporary file's name is made of
    /// random bytes, the generator of those looks for the VFS, and all of them allocate.
    const MUTEXES: [c_int; 6] = [
        ffi::SQLITE_MUTEX_STATIC_VFS1,
        ffi::SQLITE_MUTEX_STATIC_PRNG,
        ffi::SQLITE_MUTEX_STATIC_MAIN,
        ffi::SQLITE_MUTEX_STATIC_LRU,
        ffi::SQLITE_MUTEX_STATIC_PMEM,
        ffi::SQLITE_MUTEX_STATIC_MEM,
    ];

    /// SQLite's static mutexes, held by this thread until it goes. Whoever holds them calls SQLite for nothing else.
    pub(in crate::db) struct Mutexes(Vec<*mut ffi::sqlite3_mutex>);

    impl Mutexes {
        /// Holds every one; `None` where that does not succeed until then.
        pub(in crate::db) fn hold(latest: Instant) -> Option<Self> {
            // SAFETY: (1) any thread may call it at any time. Another that is at it is waited for.
            if unsafe { ffi::sqlite3_initialize() } != ffi::SQLITE_OK {
                return None;
            }
            let mut held = Mutexes(Vec::with_capacity(MUTEXES.len()));
            for number in MUTEXES {
                // SAFETY: (2) a static mutex lives as long as the process, and is its own address each time.
                let mutex = unsafe { ffi::sqlite3_mutex_alloc(number) };
                // SAFETY: (2), and this thread does not hold it: it is inside no call of SQLite's that does.
                while unsafe { ffi::sqlite3_mutex_try(mutex) } != ffi::SQLITE_OK {
                    if Instant::now() >= latest {
                        return None;
                    }
                    std::thread::sleep(Duration::from_micros(100));
                }
                held.0.push(mutex);
            }
            Some(held)
        }
    }

    impl Drop for Mutexes {
        fn drop(&mut self) {
            while let Some(mutex) = self.0.pop() {
                // SAFETY: (2), and this thread holds it: the child of a fork has the thread that forked.
                unsafe { ffi::sqlite3_mutex_leave(mutex) };
            }
        }
    }

    type Stat = unsafe extern "C" fn(*const c_char, *mut About) -> c_int;
    type Fstat = unsafe extern "C" fn(c_int, *mut About) -> c_int;
    type Any = unsafe extern "C" fn();

    /// What SQLite asked the system with before.
    static ASKED: OnceBox<(Stat, Fstat)> = OnceBox::new();

    /// In the child: SQLite finds none of the files again that its parent had open, with the locks that it believes to hold
    /// on them. It knows a file by device and inode, and from now on every device has another number than in the parent.
    /// False where that is not to be had.
    pub(in crate::db) fn leave_files_to_the_parent() -> bool {
        if ASKED.get().is_some() {
            return true;
        }
        // SAFETY: (3) the name is a C string; a VFS that is found is SQLite's own, and lives as long as the process.
        let vfs = unsafe { ffi::sqlite3_vfs_find(c"unix".as_ptr()) };
        // SAFETY: (3)
        let Some(sqlite3_vfs { xGetSystemCall: Some(get), xSetSystemCall: Some(set), .. }) =
            (unsafe { vfs.as_ref() })
        else {
            return false;
        };
        // SAFETY: (3)
        let asked = unsafe { (get(vfs, c"stat".as_ptr()), get(vfs, c"fstat".as_ptr())) };
        let (Some(stat), Some(fstat)) = asked else { return false };
        // SAFETY: (4) they are stat(2) and fstat(2), or what stands for them, of the C library that is linked here too.
        let asked = unsafe { (transmute::<Any, Stat>(stat), transmute::<Any, Fstat>(fstat)) };
        if ASKED.set(Box::new(asked)).is_err() {
            return true;
        }
        // SAFETY: (4), the other way round.
        let own = unsafe { (transmute::<Stat, Any>(own_stat), transmute::<Fstat, Any>(own_fstat)) };
        // SAFETY: (3); the child has one thread, and it is inside no other call of SQLite's.
        let set = unsafe {
            (set(vfs, c"stat".as_ptr(), Some(own.0)), set(vfs, c"fstat".as_ptr(), Some(own.1)))
        };
        set == (ffi::SQLITE_OK, ffi::SQLITE_OK)
    }

    unsafe extern "C" fn own_stat(path: *const c_char, about: *mut About) -> c_int {
        let Some((stat, _)) = ASKED.get() else { return -1 };
        // SAFETY: (4), with the arguments that SQLite has for it.
        unsafe { of_this_process(stat(path, about), about) }
    }

    unsafe extern "C" fn own_fstat(file: c_int, about: *mut About) -> c_int {
        let Some((_, fstat)) = ASKED.get() else { return -1 };
        // SAFETY: (4), with the arguments that SQLite has for it.
        unsafe { of_this_process(fstat(file, about), about) }
    }

    /// Numbers the device as no parent of this process does. Linux itself uses no more than half of the number.
    #[allow(clippy::unnecessary_cast, clippy::cast_possible_truncation)] // it differs by system
    unsafe fn of_this_process(found: c_int, about: *mut About) -> c_int {
        // Otherwise nothing was filled in.
        if found == 0 {
            // SAFETY: (4) SQLite's own structure, which has just been filled.
            let device = unsafe { &mut (*about).st_dev };
            let bits = u32::try_from(8 * size_of_val(device)).unwrap_or(64);
            *device ^= (fork::depth() << (bits / 2)) as Device;
        }
        found
    }
}

pub(super) use own::{Mutexes, SEPARATES, leave_files_to_the_parent};
