//! Rotation of every key but the master key, and the destruction of those before.

use super::schema::finish_erasure;
use super::{Keys, MasterRotation};
use crate::erasure::Erasure;
use crate::error::Result;
use crate::keys::Unlock;
use crate::rotation::{self, Rotation, RotationPlan, RotationStatus};
use crate::table::session::Session;
use crate::token;

impl Keys {
    /// Says what a rotation would do; writes nothing. Counts what is there, and so reads all of it.
    ///
    /// # Errors
    /// `not_found` for a tenant that has no such key.
    pub fn plan(&self, rotation: &Rotation) -> Result<RotationPlan> {
        self.engine.counters.checked(rotation::plan(&self.engine, rotation))
    }

    /// Makes the new key. From here on every process writes under it; what is there still opens under the one before, and
    /// [`Keys::step`] moves it. Audited as `key.rotated`. An audit key needs no more: its trail goes on.
    ///
    /// # Errors
    /// `conflict` where a rotation of this key has begun and not finished; `not_found` for a tenant that has no such key;
    /// `authentication_failed` where the list of keys is not what was written.
    pub fn begin(&self, rotation: &Rotation) -> Result<RotationStatus> {
        rotation::begin(&self.engine, rotation)
    }

    /// Seals the next records anew, at most 500 and some 1 MiB, in one transaction with the place to go on from: a process
    /// that is killed loses nothing, and any other goes on. The last step finds nothing left and finishes, audited as
    /// `key.rotation_finished`. Of a pepper it only looks whether tokens are left.
    ///
    /// # Errors
    /// `not_found` where none has begun; `busy`; `authentication_failed` where a row is not what was written: `discard` it,
    /// or put it right, and go on.
    pub fn step(&self, rotation: &Rotation) -> Result<RotationStatus> {
        rotation::step(&self.engine, rotation)
    }

    /// Begins the rotation where none is in progress, and steps to its end, with pauses in which others write. A pepper's
    /// ends as `waiting` while tokens are left under the old one. `progress` gets how it stands after every step.
    ///
    /// ```
    /// use sealite::{Rotation, RotationState};
    /// # let vault = sealite::Vault::in_memory()?;
    ///
    /// let keys = vault.keys();
    /// let done = keys.run(&Rotation::data(None), |now| eprintln!("{} of {}", now.done, now.total))?;
    /// assert_eq!(done.state, RotationState::Finished);
    /// let (destroyed, _) = keys.destroy_retired(&Rotation::data(None), true)?;
    /// assert_eq!(destroyed, [done.old_key]);
    /// # Ok::<(), sealite::Error>(())
    /// ```
    ///
    /// # Errors
    /// As of [`Keys::begin`] and [`Keys::step`]; `busy` once ten steps in a row have found the lock taken.
    pub fn run(
        &self,
        rotation: &Rotation,
        mut progress: impl FnMut(&RotationStatus),
    ) -> Result<RotationStatus> {
        self.run_while(rotation, |status| {
            progress(status);
            true
        })
    }

    /// As [`Keys::run`], until `go_on`, which gets how it stands, says no. The next call goes on.
    pub fn run_while(
        &self,
        rotation: &Rotation,
        mut go_on: impl FnMut(&RotationStatus) -> bool,
    ) -> Result<RotationStatus> {
        rotation::run(&self.engine, rotation, &mut go_on)
    }

    /// How the last rotation of a key stands; `None` where there was none.
    pub fn status(&self, rotation: &Rotation) -> Result<Option<RotationStatus>> {
        rotation::status(&self.engine, rotation)
    }

    /// How the last rotation of each key stands, in the order of their beginning.
    pub fn rotations(&self) -> Result<Vec<RotationStatus>> {
        rotation::statuses(&self.engine)
    }

    /// Changes everything, one key after the other: the master key first, as [`Keys::rotate_master`] does, then the audit key,
    /// and for the vault and each tenant the index key and the data key in one pass, and the pepper, which ends as
    /// `waiting` while tokens are left. Old keys are destroyed by [`Keys::destroy_retired`]. What a crash interrupts goes on
    /// with the next call of [`Keys::run`] or of this one, which then changes what was done before once more.
    ///
    /// # Errors
    /// As of [`Keys::rotate_master`] and [`Keys::run`].
    pub fn rotate_all(
        &self,
        keep: &[Unlock],
        drop_others: bool,
        mut progress: impl FnMut(&RotationStatus),
    ) -> Result<(MasterRotation, Vec<RotationStatus>)> {
        let (master, done, _) = self.rotate_all_while(keep, drop_others, |status| {
            progress(status);
            true
        })?;
        Ok((master, done))
    }

    /// As [`Keys::rotate_all`], until `go_on`, which gets how the key in hand stands, says no: [`Keys::run`] goes on with
    /// those that have begun. The master key has been changed before the first call of it. False where anything is left: a no
    /// to the last status of the last key stops nothing.
    pub fn rotate_all_while(
        &self,
        keep: &[Unlock],
        drop_others: bool,
        mut go_on: impl FnMut(&RotationStatus) -> bool,
    ) -> Result<(MasterRotation, Vec<RotationStatus>, bool)> {
        let master = self.rotate_master(keep, drop_others)?;
        let (done, all) = rotation::run_all(&self.engine, &mut go_on)?;
        Ok((master, done, all))
    }

    /// Revokes the tokens that are still hashed under a retired pepper, for who can't wait until they are presented or
    /// expire; how many. In transactions of at most 200.
    pub fn revoke_left(&self, tenant: Option<&str>) -> Result<u64> {
        let Some(status) = self.status(&Rotation::token(tenant))? else { return Ok(0) };
        let mut revoked = 0;
        loop {
            let batch = Session::run(&self.engine, |session| {
                token::revoke_under(session, tenant, status.new_key)
            })?;
            revoked += batch;
            if batch == 0 {
                return Ok(revoked);
            }
        }
    }

    /// Destroys the retired keys that a rotation has replaced, and overwrites what is left of them in the file; their ids.
    /// From then on they are refused, also where an old row of them is put back. Audited as `key.destroyed`.
    ///
    /// For data and index keys `fields_resealed` says that no single value (see [`crate::Field`]) outside of this file is
    /// under them any more, which the engine can't see. Where the keys were replaced a moment ago, waits for one second, so
    /// that every process knows their successors. Retired audit keys stay: they verify what they have signed.
    ///
    /// # Errors
    /// `refused` while the rotation has not finished, or anything is under the keys: records, or valid tokens.
    pub fn destroy_retired(
        &self,
        rotation: &Rotation,
        fields_resealed: bool,
    ) -> Result<(Vec<u32>, Erasure)> {
        let ids = rotation::destroy_retired(&self.engine, rotation, fields_resealed)?;
        Ok((ids, finish_erasure(&self.engine)?))
    }
}
