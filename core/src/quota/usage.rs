//! What one key has used, and the decision over a charge. Pure: no clock and no storage.
//!
//! A window is a short list of entries, each a count under a stamp. An entry counts while `now < stamp + window`.
//! In a sliding window the stamp is never earlier than the last charge under it, so no charge ever counts for less than
//! the window; in a fixed one it is the window's beginning.

use std::time::Duration;

use super::limit::{Kind, Limit};

/// Entries of a sliding window, at most. A limit of so many is exact.
pub(super) const MAX_ENTRIES: usize = 32;
/// The parts of a window that are told apart beyond that: one less, since both ends of the window may cut one.
const PARTS: i64 = 31;
/// Windows that one key holds, at most: those of the limits in use, and older ones until they are over.
pub(super) const MAX_WINDOWS: usize = 16;

/// What one key has used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Usage {
    /// The latest time at which this was written. Milliseconds since 1970, as every time here.
    pub(super) seen: i64,
    pub(super) windows: Vec<Window>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Window {
    pub(super) kind: Kind,
    pub(super) span: i64,
    /// In ascending order of the stamps.
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) stamp: i64,
    pub(super) count: u32,
}

/// The answer to a charge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Decision {
    /// Whether the charge went through; of [`super::Quotas::peek`] and [`super::Quotas::charge_failure`], whether a
    /// charge of 1 would.
    pub allowed: bool,
    /// What is left in the window that has least left.
    pub remaining: u32,
    /// How long until the same charge can go through, if nobody else charges; zero where it is allowed. The value for
    /// HTTP's `Retry-After` (RFC 9110), rounded up to seconds.
    pub retry_after: Duration,
    /// How long until nothing counts any more in the window of [`Decision::limit`].
    pub reset_after: Duration,
    /// Which of the given limits this is about, counted from 0: of those that refused, the one that does so for
    /// longest; else the one that has least left.
    pub limit: usize,
}

/// What is charged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Charge {
    /// In every window, or in none.
    Whole(u32),
    /// In each window as much as is left.
    Failure(u32),
    /// Nothing.
    Peek,
}

impl Usage {
    pub(super) fn new(now: i64) -> Self {
        Usage { seen: now, windows: Vec::new() }
    }

    /// Moves on to `now` and drops what is over. True where the clock has stepped back: then this must be stored, or
    /// the step would stand until the clock has caught up.
    ///
    /// After a step back nothing is forgotten: what was charged keeps the age that it had when it was last written,
    /// so that it counts for its whole window, and for no longer than that from now on.
    pub(super) fn advance(&mut self, now: i64) -> bool {
        let back = self.seen.saturating_sub(now);
        if back > 0 {
            for window in &mut self.windows {
                let (kind, span) = (window.kind, window.span);
                for entry in &mut window.entries {
                    match kind {
                        Kind::Sliding => entry.stamp = entry.stamp.saturating_sub(back),
                        // A step over more than a window: what counts there now counts to the end of the next one.
                        Kind::Fixed if now < entry.stamp.saturating_sub(span) => {
                            entry.stamp = aligned(now, span).saturating_add(span);
                        }
                        Kind::Fixed => {}
                    }
                }
            }
        }
        self.seen = now;
        for window in &mut self.windows {
            let span = window.span;
            window.entries.retain(|entry| now < entry.stamp.saturating_add(span));
        }
        self.windows.retain(|window| !window.entries.is_empty());
        back > 0
    }

    /// When nothing of it counts any more.
    pub(super) fn expires(&self) -> i64 {
        self.windows.iter().map(Window::over).max().unwrap_or(self.seen)
    }

    /// Decides at the time that it was advanced to, and charges. The second value is true where anything was charged.
    pub(super) fn charge(&mut self, limits: &[Limit], charge: Charge) -> (Decision, bool) {
        let cost = if let Charge::Whole(cost) = charge { cost } else { 1 };
        let before = self.decide(limits, cost);
        let mut charged = false;
        for (at, limit) in limits.iter().enumerate() {
            let same = |other: &Limit| same_window(limit, other);
            // Two limits of one window count the same charges: once.
            if limits.iter().position(same) != Some(at) {
                continue;
            }
            let cost = match charge {
                Charge::Whole(cost) if before.allowed => cost,
                Charge::Failure(cost) => {
                    let shared = limits.iter().filter(|other| same(other));
                    let left = shared.map(|limit| self.left(limit)).min().unwrap_or(0);
                    cost.min(left)
                }
                _ => 0,
            };
            if cost > 0 {
                self.add(limit, cost);
                charged = true;
            }
        }
        if !charged {
            return (before, false);
        }
        let mut after = self.decide(limits, 1);
        if let Charge::Whole(_) = charge {
            (after.allowed, after.retry_after) = (true, Duration::ZERO);
            let least = (0..limits.len()).min_by_key(|at| limits.get(*at).map(|l| self.left(l)));
            after.limit = least.unwrap_or(0);
            after.reset_after = self.reset_after(limits.get(after.limit));
        }
        (after, true)
    }

    fn decide(&self, limits: &[Limit], cost: u32) -> Decision {
        let mut decision = Decision {
            allowed: true,
            remaining: u32::MAX,
            retry_after: Duration::ZERO,
            reset_after: Duration::ZERO,
            limit: 0,
        };
        for (at, limit) in limits.iter().enumerate() {
            let left = self.left(limit);
            if left < decision.remaining && decision.allowed {
                decision.limit = at;
            }
            decision.remaining = decision.remaining.min(left);
            if left < cost {
                let retry_after = self.retry_after(limit, cost - left);
                if decision.allowed || retry_after > decision.retry_after {
                    (decision.limit, decision.retry_after) = (at, retry_after);
                }
                decision.allowed = false;
            }
        }
        decision.reset_after = self.reset_after(limits.get(decision.limit));
        decision
    }

    fn window(&self, limit: &Limit) -> Option<&Window> {
        self.windows.iter().find(|window| window.is_of(limit))
    }

    /// What is left under a limit.
    fn left(&self, limit: &Limit) -> u32 {
        limit.count().saturating_sub(self.window(limit).map_or(0, Window::used))
    }

    /// How long until so much more is free.
    fn retry_after(&self, limit: &Limit, mut wanted: u32) -> Duration {
        let Some(window) = self.window(limit) else { return Duration::ZERO };
        // Where the limit has been lowered, what is used beyond it has to go first.
        wanted = wanted.saturating_add(window.used().saturating_sub(limit.count()));
        let mut freed = 0u32;
        for entry in &window.entries {
            freed = freed.saturating_add(entry.count);
            if freed >= wanted {
                return span(entry.stamp.saturating_add(window.span).saturating_sub(self.seen));
            }
        }
        span(window.over().saturating_sub(self.seen))
    }

    fn reset_after(&self, limit: Option<&Limit>) -> Duration {
        let window = limit.and_then(|limit| self.window(limit));
        window.map_or(Duration::ZERO, |window| span(window.over().saturating_sub(self.seen)))
    }

    fn add(&mut self, limit: &Limit, cost: u32) {
        let now = self.seen;
        if let Some(window) = self.windows.iter_mut().find(|window| window.is_of(limit)) {
            window.add(now, cost, limit);
        } else {
            let (kind, span) = (limit.kind, limit.window_ms());
            let mut window = Window { kind, span, entries: Vec::with_capacity(1) };
            window.add(now, cost, limit);
            self.windows.push(window);
        }
    }
}

impl Window {
    fn is_of(&self, limit: &Limit) -> bool {
        self.kind == limit.kind && self.span == limit.window_ms()
    }

    fn used(&self) -> u32 {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.count))
    }

    /// When the last entry stops counting.
    fn over(&self) -> i64 {
        self.entries.last().map_or(i64::MIN, |entry| entry.stamp.saturating_add(self.span))
    }

    fn add(&mut self, now: i64, cost: u32, limit: &Limit) {
        // An entry whose stamp is not past takes the charge: it then counts for the window at least.
        if let Some(last) = self.entries.last_mut()
            && (self.kind == Kind::Fixed || last.stamp >= now)
        {
            last.count = last.count.saturating_add(cost);
            return;
        }
        let stamp = match self.kind {
            Kind::Fixed => aligned(now, self.span),
            Kind::Sliding => now.saturating_add(grain(limit) - 1),
        };
        self.entries.push(Entry { stamp, count: cost });
        // More than the limit's own grain gives: the limit was another one before.
        if self.entries.len() > MAX_ENTRIES {
            let oldest = self.entries.remove(0);
            if let Some(next) = self.entries.first_mut() {
                next.count = next.count.saturating_add(oldest.count);
            }
        }
    }
}

fn same_window(a: &Limit, b: &Limit) -> bool {
    a.kind == b.kind && a.window_ms() == b.window_ms()
}

/// Charges that are less than this apart are counted under one stamp.
fn grain(limit: &Limit) -> i64 {
    if limit.count() as usize <= MAX_ENTRIES {
        return 1;
    }
    (limit.window_ms() + PARTS - 1) / PARTS
}

fn aligned(now: i64, span: i64) -> i64 {
    now.saturating_sub(now.rem_euclid(span.max(1)))
}

fn span(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
