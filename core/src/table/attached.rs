//! What the capabilities above keep in memory: with an open vault, and for one transaction.

use std::any::Any;
use std::cell::{RefCell, RefMut};

use super::engine::State;
use crate::db::Conn;
use crate::error::{Result, err};

/// What a capability keeps with an open vault, one of each type.
pub(crate) trait Attached: Any + Send + Sync {
    /// The vault has just been unlocked.
    fn opened(&self, _conn: &Conn, _state: &State) {}

    /// The vault is locked: nothing secret may stay.
    fn locked(&self) {}
}

/// The attachments of one vault.
pub(crate) struct Attachments(Vec<Box<dyn Attached>>);

impl Attachments {
    pub(crate) fn new(all: Vec<Box<dyn Attached>>) -> Self {
        Attachments(all)
    }

    pub(super) fn opened(&self, conn: &Conn, state: &State) {
        self.0.iter().for_each(|attached| attached.opened(conn, state));
    }

    pub(super) fn locked(&self) {
        self.0.iter().for_each(|attached| attached.locked());
    }

    pub(super) fn get<T: Attached>(&self) -> Result<&T> {
        self.0
            .iter()
            .find_map(|attached| (&**attached as &dyn Any).downcast_ref())
            .ok_or_else(|| err!(Internal, "a capability is not attached to the vault"))
    }
}

/// What capabilities keep for the rest of a transaction, one of each type.
#[derive(Default)]
pub(super) struct Kept(RefCell<Vec<Box<dyn Any + Send>>>);

impl Kept {
    /// What is kept of this type, made where there is none yet.
    pub(super) fn get<T: Any + Send>(
        &self,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<RefMut<'_, T>> {
        if !self.0.borrow().iter().any(|kept| kept.is::<T>()) {
            let fresh = make()?;
            self.0.borrow_mut().push(Box::new(fresh));
        }
        RefMut::filter_map(self.0.borrow_mut(), |kept| {
            kept.iter_mut().find_map(|kept| kept.downcast_mut())
        })
        .map_err(|_| err!(Internal, "what was kept for the transaction has gone"))
    }

    pub(super) fn forget(&self) {
        self.0.borrow_mut().clear();
    }
}
