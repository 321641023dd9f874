//! The buffers that opening a record takes.

use std::cell::Cell;
use std::sync::Arc;

use crate::format::context::Context;
use crate::keys::ring::Key;
use crate::secret::wipe;

/// Buffers for one record after the other. Those of a thread's last ones are used again: a record that is opened alone
/// needs no new ones.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) context: Context,
    /// What was opened. Wiped at the end.
    pub(crate) payload: Vec<u8>,
    /// The key of the last record, and its id.
    pub(crate) last: Option<(u32, Arc<Key>)>,
}

impl Buffers {
    pub(crate) fn take() -> Self {
        let spare = SPARE.try_with(Cell::take).ok().flatten();
        let (context, payload) = spare.unwrap_or_default();
        Buffers { context, payload, last: None }
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        wipe(&mut self.payload);
        if self.payload.capacity() <= SPARE_LEN {
            let buffers = (std::mem::take(&mut self.context), std::mem::take(&mut self.payload));
            // While the thread ends there is nowhere to keep them.
            let _ = SPARE.try_with(|spare| spare.set(Some(buffers)));
        }
    }
}

/// Buffers longer than this are not kept.
const SPARE_LEN: usize = 1 << 16;

thread_local! {
    static SPARE: Cell<Option<(Context, Vec<u8>)>> = const { Cell::new(None) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_empty_and_large_ones_not_at_all() {
        let mut first = Buffers::take();
        first.payload.extend([7; 300]);
        drop(first);
        let again = Buffers::take();
        assert!(again.payload.is_empty() && again.payload.capacity() >= 300);
        let mut large = again;
        large.payload.resize(SPARE_LEN + 1, 7);
        drop(large);
        assert_eq!(Buffers::take().payload.capacity(), 0);
    }
}
