//! An allocator that looks at every block that is freed: what was secret in it should be gone by then.
//!
//! A test of its own, since every block of the process is looked at, with `#[global_allocator] static A: Looking = Looking;`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// What every secret has in it.
pub const CANARY: &str = "canary 5d1e of the coal mine";

/// The system's allocator, which looks at what is freed.
pub struct Looking;

static WATCHED: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system's; a block is read before it is given back, while it is the caller's own.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, since all of a block is looked at, and its user need not have written to all of it.
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe {
            look(std::slice::from_raw_parts(block, layout.size()));
            System.dealloc(block, layout);
        }
    }
    // `realloc` is the provided one: it allocates, copies and frees, and so what it leaves behind is looked at too.
}

fn look(block: &[u8]) {
    let holds = |block: &[u8]| block.windows(CANARY.len()).any(|part| part == CANARY.as_bytes());
    // What a backtrace frees is not looked at.
    if WATCHED.load(SeqCst) && holds(block) && WATCHED.swap(false, SeqCst) {
        FOUND.fetch_add(1, SeqCst);
        if std::env::var_os("SEALITE_TEST_WHERE").is_some() {
            eprintln!("{} bytes: {}", block.len(), std::backtrace::Backtrace::force_capture());
        }
        WATCHED.store(true, SeqCst);
    }
}

/// Blocks that `work` has freed with the canary in them. `SEALITE_TEST_WHERE=1` shows where.
pub fn left_by(work: impl FnOnce()) -> usize {
    FOUND.store(0, SeqCst);
    WATCHED.store(true, SeqCst);
    work();
    WATCHED.store(false, SeqCst);
    FOUND.load(SeqCst)
}
