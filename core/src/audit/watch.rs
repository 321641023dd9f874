//! What checks of the health know of the trail from one to the next.

use super::tail::{Place, tail};
use crate::db::Conn;
use crate::error::Result;
use crate::fork::{Inherit, PerProcess};
use crate::table::attached::Attached;
use crate::table::engine::State;

/// The trail as it was found last.
#[derive(Default)]
pub(crate) struct Watch(PerProcess<Trail>);

#[derive(Default)]
struct Trail {
    good: Option<Place>,
    broken: bool,
}

impl Inherit for Trail {
    fn inherit(parent: Option<&Self>) -> Self {
        // Where it was found sound is found again.
        Trail { good: None, broken: parent.is_some_and(|parent| parent.broken) }
    }
}

/// The end of the trail.
pub(crate) struct End {
    /// The time of the last entry, in milliseconds since 1970; 0 where there is none.
    pub(crate) at: i64,
    /// True from the first check that found it broken.
    pub(crate) is_broken: bool,
}

impl Attached for Watch {}

impl Watch {
    /// Walks the end of the trail.
    pub(crate) fn check(&self, conn: &Conn, state: &State) -> Result<End> {
        let mut trail = self.0.write();
        let end = tail(conn, state, trail.good.as_ref())?;
        if end.is_sound {
            trail.good = end.last;
        } else {
            trail.broken = true;
        }
        Ok(End { at: end.at, is_broken: trail.broken })
    }

    /// After the whole trail was found sound.
    pub(super) fn is_sound(&self) {
        self.0.write().broken = false;
    }
}
