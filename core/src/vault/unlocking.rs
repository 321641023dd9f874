//! The ways to unlock a vault.

use super::{RecoveryCode, Vault};
use crate::audit::note;
use crate::creation::inspect;
use crate::error::{Result, fail};
use crate::keys::{Slot, Unlock, now, slots};
use crate::table::session::Session;

impl Vault {
    /// The ways to unlock. Needs no key.
    pub fn slots(&self) -> Result<Vec<Slot>> {
        if !self.file_exists()? {
            fail!(NotInitialised, "there is no vault: the file does not exist");
        }
        let conn = self.engine.pool.reader()?;
        match inspect(&conn)? {
            Some(_) => slots::list(&conn),
            None => fail!(NotInitialised, "the file holds no vault yet"),
        }
    }

    /// Adds a way to unlock; its id.
    pub fn add_slot(&self, label: &str, unlock: &Unlock) -> Result<i64> {
        self.engine.state()?;
        let draft = slots::Draft::new(label, unlock)?;
        let kind = unlock.kind().name();
        Session::run(&self.engine, |session| {
            // Of this moment: another process may have changed it while a passphrase was stretched.
            let ring = &session.state().ring;
            let id = slots::add(session.conn(), ring.vault(), ring.master(), &draft)?.id;
            let payload = serde_json::json!({"slot": id, "kind": kind, "label": label});
            note(session, "slot.added", payload)?;
            Ok(id)
        })
    }

    /// Adds a recovery code; the slot's id, and the code, which is shown this once.
    pub fn add_recovery_slot(&self, label: &str) -> Result<(i64, RecoveryCode)> {
        let (code, unlock) = slots::generate_recovery()?;
        let slot = self.add_slot(label, &unlock)?;
        let vault = *self.engine.state()?.ring.vault();
        Ok((slot, RecoveryCode { code, vault, slot, label: label.to_owned(), made_at: now() }))
    }

    /// Removes a way to unlock; the last one stays. Whoever has had the secret may have kept the master key, or an old
    /// copy of the file: removing a slot takes back neither.
    pub fn remove_slot(&self, id: i64) -> Result<()> {
        Session::run(&self.engine, |session| {
            slots::remove(session.conn(), id)?;
            note(session, "slot.removed", serde_json::json!({"slot": id}))
        })
    }
}
