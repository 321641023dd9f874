//! Connections that a program keeps for itself, longer than for one call: closed before a fork where they are idle, as
//! the pool's are, and opened anew on both sides. One that is in use then stays the parent's.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::conn::Conn;
use super::gate::{Gate, try_lock};
use crate::error::{Result, err, fail};
use crate::fork;

/// Who keeps a connection.
pub(crate) trait Keeper: Any + Send {
    /// Closes the connection unless it is in use: false where it is.
    fn close_idle(&mut self, forking: bool) -> bool;
}

/// The slots of the process. They are never freed, only used again, so that a fork can hold their locks.
static SLOTS: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());

type Content = Option<Box<dyn Keeper>>;

pub(super) struct Slot {
    /// The generation that may use it.
    generation: AtomicU64,
    /// The address of the gate that the connection is of; 0 where the slot is free.
    gate: AtomicUsize,
    keeper: Mutex<Content>,
    /// The thread that works with the keeper ([`this_thread`]), or 0.
    worker: AtomicUsize,
    /// The vault was closed by that thread, in a function that a statement calls: the connection goes when the call ends.
    closing: AtomicBool,
}

/// A keeper's place.
pub(crate) struct Kept(&'static Slot);

/// The keeper, locked.
pub(crate) struct Locked<'k, K> {
    content: MutexGuard<'k, Content>,
    slot: &'static Slot,
    kind: std::marker::PhantomData<K>,
}

/// What tells this thread from every other that lives.
fn this_thread() -> usize {
    thread_local! {
        static PLACE: u8 = const { 0 };
    }
    PLACE.with(|place| std::ptr::from_ref(place).addr())
}

impl Kept {
    pub(super) fn new(gate: &'static Gate, keeper: Box<dyn Keeper>) -> Result<Self> {
        fork::check()?;
        let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
        let now = fork::generation();
        let is_free = |slot: &&&'static Slot| {
            slot.gate.load(Ordering::Acquire) == 0 && slot.generation.load(Ordering::Relaxed) == now
        };
        let slot = slots.iter().find(is_free).copied().unwrap_or_else(|| {
            let slot: &'static Slot = Box::leak(Box::new(Slot {
                generation: AtomicU64::new(now),
                gate: AtomicUsize::new(0),
                keeper: Mutex::new(None),
                worker: AtomicUsize::new(0),
                closing: AtomicBool::new(false),
            }));
            slots.push(slot);
            slot
        });
        *slot.lock() = Some(keeper);
        slot.gate.store(address(gate), Ordering::Release);
        Ok(Kept(slot))
    }

    /// The keeper, for one call.
    ///
    /// # Errors
    /// `forked` in the child where its connection was in use when the process forked; `busy` inside another call on it.
    pub(crate) fn lock<K: Keeper>(&self) -> Result<Locked<'_, K>> {
        if !self.0.is_of_this_process() {
            fail!(
                Forked,
                "the connection was in use when the process forked, and can't be used in the child"
            );
        }
        let slot = self.0;
        if slot.is_worked_with_here() {
            fail!(
                Busy,
                "a function that a statement calls can't use the statement's own connection: open another one"
            );
        }
        let content = slot.lock();
        let is_there = content.as_deref().is_some_and(|keeper| (keeper as &dyn Any).is::<K>());
        if is_there {
            slot.worker.store(this_thread(), Ordering::Relaxed);
            Ok(Locked { content, slot, kind: std::marker::PhantomData })
        } else {
            Err(err!(Closed, "the connection has been closed"))
        }
    }
}

impl Drop for Kept {
    #[allow(clippy::mem_forget)]
    fn drop(&mut self) {
        if !self.0.is_of_this_process() {
            // Its lock may be one that nobody opens.
            return;
        }
        let keeper = self.0.lock().take();
        drop(keeper);
        self.0.gate.store(0, Ordering::Release);
    }
}

impl<K: Keeper> std::ops::Deref for Locked<'_, K> {
    type Target = K;

    #[allow(clippy::expect_used)]
    fn deref(&self) -> &K {
        let keeper = self.content.as_deref().and_then(|keeper| (keeper as &dyn Any).downcast_ref());
        keeper.expect("a lock is handed out for a keeper that is there")
    }
}

impl<K: Keeper> std::ops::DerefMut for Locked<'_, K> {
    #[allow(clippy::expect_used)]
    fn deref_mut(&mut self) -> &mut K {
        let keeper =
            self.content.as_deref_mut().and_then(|keeper| (keeper as &mut dyn Any).downcast_mut());
        keeper.expect("a lock is handed out for a keeper that is there")
    }
}

impl<K> Drop for Locked<'_, K> {
    fn drop(&mut self) {
        if self.slot.closing.swap(false, Ordering::Relaxed)
            && let Some(keeper) = &mut *self.content
        {
            keeper.close_idle(false);
        }
        self.slot.worker.store(0, Ordering::Relaxed);
    }
}

impl Slot {
    fn is_worked_with_here(&self) -> bool {
        self.worker.load(Ordering::Relaxed) == this_thread()
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_of_this_process(&self) -> bool {
        self.generation.load(Ordering::Relaxed) == fork::generation()
    }
}

/// The connection of a keeper. Counted by the gate while it is open.
pub(crate) struct Own {
    conn: Option<Conn>,
    gate: &'static Gate,
}

impl Own {
    /// For a connection that is yet to be opened.
    pub(super) fn reserve(gate: &'static Gate) -> Self {
        gate.lock().kept += 1;
        Own { conn: None, gate }
    }

    pub(super) fn with(mut self, conn: Conn) -> Self {
        self.conn = Some(conn);
        self
    }

    /// Closes without writing the log back: a program that forks often would write the whole log each time.
    pub(crate) fn close_quietly(self) {
        if let Some(conn) = &self.conn {
            conn.keep_log();
        }
    }
}

impl std::ops::Deref for Own {
    type Target = Conn;

    #[allow(clippy::expect_used)]
    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("it is handed out with a connection")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Closing may write the log back: not under the gate's lock.
        drop(self.conn.take());
        let mut state = self.gate.lock();
        state.kept = state.kept.saturating_sub(1);
        state.release();
    }
}

/// Closes what keepers of a gate have open and do not use.
pub(super) fn close_idle(gate: &'static Gate) {
    if fork::is_lost() {
        return;
    }
    let slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for slot in slots {
        if slot.gate.load(Ordering::Acquire) != address(gate) || !slot.is_of_this_process() {
            continue;
        }
        if slot.is_worked_with_here() {
            slot.closing.store(true, Ordering::Relaxed);
        } else if let Some(keeper) = &mut *slot.lock() {
            keeper.close_idle(false);
        }
    }
}

/// What a fork holds of the slots.
#[derive(Default)]
pub(super) struct ThroughFork {
    slots: Option<MutexGuard<'static, Vec<&'static Slot>>>,
    held: Vec<(usize, MutexGuard<'static, Content>)>,
    /// Those whose connections stay the parent's.
    lost: Vec<usize>,
}

impl ThroughFork {
    /// Closes what is idle, and holds every lock that it can have in time. A keeper's is held as long as a statement runs.
    pub(super) fn hold(deadline: Instant, latest: Instant) -> Self {
        let Some(slots) = try_lock(&SLOTS, latest) else { return ThroughFork::default() };
        let (mut held, mut lost) = (Vec::new(), Vec::new());
        for (at, slot) in slots.iter().enumerate() {
            match try_lock(&slot.keeper, deadline) {
                Some(mut content) => {
                    let idle = content.as_mut().is_none_or(|keeper| keeper.close_idle(true));
                    if !idle {
                        lost.push(at);
                    }
                    held.push((at, content));
                }
                None => lost.push(at),
            }
        }
        ThroughFork { slots: Some(slots), held, lost }
    }

    /// True where the list of the slots is held.
    pub(super) fn is_whole(&self) -> bool {
        self.slots.is_some()
    }

    /// In the child: what was closed belongs to this process now. The gates of what was not.
    pub(super) fn take_over(&mut self) -> Vec<usize> {
        let Some(slots) = &self.slots else { return Vec::new() };
        let mut gates = Vec::new();
        let current = fork::generation();
        for (at, slot) in slots.iter().enumerate() {
            if self.lost.contains(&at) {
                gates.push(slot.gate.load(Ordering::Acquire));
            } else if self.held.iter().any(|(held, _)| *held == at) {
                slot.generation.store(current, Ordering::Relaxed);
            }
        }
        gates
    }
}

/// What tells one gate from another.
pub(super) fn address(gate: &'static Gate) -> usize {
    std::ptr::from_ref(gate).addr()
}
