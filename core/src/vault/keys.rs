//! The keys of a vault: listing them, and changing what wraps them.

use std::sync::Arc;

use super::Vault;
use crate::audit::note;
use crate::error::Result;
use crate::keys::master::Plan;
use crate::keys::{KeyInfo, Unlock, slots};
use crate::table::engine::Engine;
use crate::table::session::Session;

/// The life of a vault's keys. From [`Vault::keys`]; `Send`, `Sync`, and cheap to clone.
#[derive(Clone)]
pub struct Keys {
    pub(super) engine: Arc<Engine>,
}

/// What [`Keys::rotate_master`] has done.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct MasterRotation {
    /// The ids of the slots that stayed.
    pub kept: Vec<i64>,
    /// The ids of the slots that were dropped.
    pub dropped: Vec<i64>,
    /// Keys wrapped again, those among them that are only kept by their number.
    pub keys: u32,
}

impl Vault {
    /// The keys of the vault.
    ///
    /// ```
    /// let vault = sealite::Vault::in_memory()?;
    /// let purposes: Vec<_> = vault.keys().list()?.iter().map(|key| key.purpose.name()).collect();
    /// assert_eq!(purposes, ["data", "index", "audit"]);
    /// # Ok::<(), sealite::Error>(())
    /// ```
    pub fn keys(&self) -> Keys {
        Keys { engine: Arc::clone(&self.engine) }
    }
}

impl Keys {
    /// All keys that there are and were, of all tenants, in the order of their ids. No secret is among it. Costs about a
    /// microsecond for each: every row is authenticated, and that none is missing or was put back.
    ///
    /// # Errors
    /// `authentication_failed` where a row was edited, taken away or put back as it once was; `locked`.
    pub fn list(&self) -> Result<Vec<KeyInfo>> {
        self.engine.read(|conn, state| state.ring.list(conn))
    }

    /// Makes a new master key, and wraps every key, and every slot that one of the secrets opens, under it: what to do when
    /// somebody who must no longer have the vault has had a secret of a slot, or a copy of the file and will learn one.
    /// One transaction, all or nothing: 10,000 keys take some 100 ms. No row of any table is written; data that was
    /// readable with keys that somebody has taken stays readable to them until the data keys are changed too.
    ///
    /// The secrets and parameters of slots stay as they are. Other handles, in this process and in others, read the new
    /// master key from the slot that they were unlocked with, at their next transaction; where that was dropped, they
    /// become locked: at their next transaction; reads by keys that they have in memory go on until they look at the
    /// file for changes, or until those are older than [`crate::Config::key_age`]. The change is audited as
    /// `key.master_rotated`.
    ///
    /// # Errors
    /// `wrong_key` where a secret opens no slot; `refused` where a slot is opened by none and `drop_others` is false;
    /// `last_slot` without any secret; `authentication_failed` where a key is not what was written: nothing has changed
    /// then.
    ///
    /// ```
    /// # use sealite::{ExposeSecret, Unlock, Vault, generate_key};
    /// # let path = std::env::temp_dir().join(format!("sealite-master-{}.db", std::process::id()));
    /// let key = Unlock::key_text(generate_key()?.expose_secret())?;
    /// let vault = Vault::create(&path, &key)?;
    /// let (_, code) = vault.add_recovery_slot("safe")?;
    /// let paper = Unlock::recovery_code(code.reveal())?;
    /// let rotation = vault.keys().rotate_master(&[key, paper], false)?;
    /// assert_eq!((rotation.kept.len(), rotation.dropped.len()), (2, 0));
    /// # vault.close();
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), sealite::Error>(())
    /// ```
    pub fn rotate_master(&self, keep: &[Unlock], drop_others: bool) -> Result<MasterRotation> {
        let state = self.engine.state()?;
        let stored = self.engine.read(|conn, _| slots::read(conn))?;
        let plan = Plan::new(stored, state.ring.vault(), keep, drop_others)?;
        let keys = Session::run(&self.engine, |session| {
            let keys = session.rotate_master(&plan)?;
            let kept: Vec<i64> = plan.kept().iter().map(|slot| slot.id).collect();
            let payload = serde_json::json!({"kept": kept, "dropped": plan.dropped()});
            note(session, "key.master_rotated", payload)?;
            // Another thread may read the new master key before this one has told the engine of it.
            self.engine.slot(|own| {
                let stays = plan.kept().iter().any(|slot| slot.id == own.id);
                plan.kept().first().filter(|_| !stays).cloned()
            });
            Ok(keys)
        })?;
        let kept = plan.kept().iter().map(|slot| slot.id).collect();
        Ok(MasterRotation { kept, dropped: plan.dropped().to_vec(), keys })
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}
