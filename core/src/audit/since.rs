//! A checkpoint that is given when the vault is opened: what is older than it is refused.

use super::checkpoint::Checkpoint;
use super::keys::Keys;
use super::read::link_at;
use super::retain::Base;
use crate::db::Conn;
use crate::error::{ErrorKind, Result, fail};
use crate::table::engine::State;

/// Refuses a file whose trail does not contain the checkpoint's entry: it is older, or has gone on from an older one. One
/// entry is read.
///
/// # Errors
/// `rolled_back`; as of [`Checkpoint::read`] for a text that is no checkpoint of this vault.
pub(crate) fn require(conn: &Conn, state: &State, checkpoint: &str) -> Result<()> {
    let checkpoint =
        Checkpoint::read(state.ring.vault(), checkpoint, |id| Keys::of(conn, state, id))?;
    // What has been dropped was recorded, with a base that an older file does not have.
    let dropped = Base::read(conn, state)?.is_some_and(|base| base.through > checkpoint.seq);
    if dropped || checkpoint.seq == 0 {
        return Ok(());
    }
    match link_at(conn, state, checkpoint.seq) {
        Ok(Some(link)) if link == checkpoint.link => Ok(()),
        Err(error) if error.kind() != ErrorKind::AuthenticationFailed => Err(error),
        _ => fail!(
            RolledBack,
            "the file is older than the checkpoint, or went on from an older one: entry {} of its audit trail is not the \
             one that the checkpoint was made of",
            checkpoint.seq
        ),
    }
}
