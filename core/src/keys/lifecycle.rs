//! From the first key of an owner to the destruction of the last.

use super::attributes::{Attributes, KeyState, Owner, Purpose};
use super::list::KeyList;
use super::now;
use super::ring::Ring;
use super::rows::{self, StoredKey};
use super::seal::{forged, no_randomness};
use crate::crypto::random;
use crate::db::Conn;
use crate::error::{Result, err, fail};
use crate::secret::Secret32;

/// A key as it is listed. It holds no secret.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct KeyInfo {
    /// The id that records name; never given out again.
    pub id: u32,
    /// What it is for.
    pub purpose: Purpose,
    /// The tenant; none for the vault itself.
    pub tenant: Option<String>,
    /// The subject; none for the tenant as a whole.
    pub subject: Option<String>,
    /// Counts from 1 for each purpose, tenant and subject.
    pub generation: u32,
    /// Whether it seals, opens, or is gone.
    pub state: KeyState,
    /// When it was made, in seconds since 1970.
    pub created_at: i64,
    /// When its state last changed, in seconds since 1970.
    pub changed_at: i64,
}

/// All of it inside the caller's write transaction. The ring must be that transaction's own: what a roll-back takes back
/// may be in no other.
impl Ring {
    /// Makes the first key of an owner; its id.
    ///
    /// # Errors
    /// `destroyed_key` where the owner, or its tenant as a whole, has been erased.
    pub(crate) fn create(&self, conn: &Conn, owner: Owner<'_>) -> Result<u32> {
        let mut list = KeyList::read(conn, &self.wrapping)?;
        if let Some(tenant) = owner.tenant {
            for purpose in Purpose::ALL {
                self.check_not_erased(conn, Owner::of(purpose, Some(tenant)))?;
            }
        }
        let before = self.check_not_erased(conn, owner)?;
        if before.iter().any(|attributes| attributes.is(KeyState::Active)) {
            fail!(Internal, "a second active key of one owner");
        }
        let newest = before.iter().map(|attributes| attributes.generation).max().unwrap_or(0);
        let id = self.insert(conn, &mut list, owner, newest + 1, 1)?;
        list.write(conn, &self.wrapping)?;
        Ok(id)
    }

    /// Makes the next key of an owner, which seals from now on; the one before only opens. The ids of both, the old first.
    pub(crate) fn succeed(&self, conn: &Conn, owner: Owner<'_>) -> Result<(u32, u32)> {
        let mut list = KeyList::read(conn, &self.wrapping)?;
        let Some(old) = self.active(conn, owner)? else {
            fail!(NotFound, "there is no key to succeed");
        };
        let (old, floor) = (old.id(), old.attributes.floor);
        let generation = old_generation(&self.attributes(conn, owner)?)?;
        self.change(conn, &mut list, old, |attributes| {
            attributes.state = KeyState::Retired as i64;
        })?;
        let new = self.insert(conn, &mut list, owner, generation + 1, floor)?;
        list.write(conn, &self.wrapping)?;
        Ok((old, new))
    }

    /// Destroys keys: what is sealed under them is lost. The floor of each owner that has a key left rises to its oldest.
    /// Those that are destroyed already are passed over.
    pub(crate) fn destroy(&self, conn: &Conn, ids: &[u32]) -> Result<()> {
        let mut list = KeyList::read(conn, &self.wrapping)?;
        let mut owners: Vec<Attributes> = Vec::new();
        for id in ids {
            if self.stored(conn, *id)?.0.attributes.is(KeyState::Destroyed) {
                continue;
            }
            let attributes = self.change(conn, &mut list, *id, |attributes| {
                attributes.state = KeyState::Destroyed as i64;
            })?;
            if !owners.iter().any(|other| other.owner() == attributes.owner()) {
                owners.push(attributes);
            }
        }
        for one in &owners {
            let owner = one.owner().ok_or_else(|| forged("a key"))?;
            let left = self.attributes(conn, owner)?;
            let left: Vec<_> = left.iter().filter(|a| !a.is(KeyState::Destroyed)).collect();
            let oldest = left.iter().map(|attributes| attributes.generation).min();
            let active = left.iter().find(|attributes| attributes.is(KeyState::Active));
            if let (Some(floor), Some(active)) = (oldest, active)
                && floor > active.floor
            {
                self.change(conn, &mut list, active.id, |attributes| attributes.floor = floor)?;
            }
        }
        list.write(conn, &self.wrapping)
    }

    /// All keys in the order of their ids, every row authenticated, and that none is missing or of an earlier time.
    pub(crate) fn list(&self, conn: &Conn) -> Result<Vec<KeyInfo>> {
        self.list_where(conn, |_| true)
    }

    /// As [`Ring::list`], of those that are wanted only: a vault may have a key for each of very many subjects.
    pub(crate) fn list_where(
        &self,
        conn: &Conn,
        mut is_wanted: impl FnMut(&KeyInfo) -> bool,
    ) -> Result<Vec<KeyInfo>> {
        let mut found = Vec::new();
        KeyList::check(conn, &self.wrapping, |attributes| {
            let key = KeyInfo::of(attributes)?;
            if is_wanted(&key) {
                found.push(key);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The keys of one owner in the order of their ids, each row authenticated.
    pub(crate) fn keys_of(&self, conn: &Conn, owner: Owner<'_>) -> Result<Vec<KeyInfo>> {
        self.attributes(conn, owner)?.into_iter().map(KeyInfo::of).collect()
    }

    fn attributes(&self, conn: &Conn, owner: Owner<'_>) -> Result<Vec<Attributes>> {
        let ids = self.directory.ids(conn, &self.wrapping, owner)?;
        ids.into_iter().map(|id| Ok(self.stored(conn, id)?.0.attributes)).collect()
    }

    /// Refuses a subject that has been erased.
    pub(crate) fn check_subject(
        &self,
        conn: &Conn,
        tenant: Option<&str>,
        subject: &str,
    ) -> Result<()> {
        let owner = Owner { purpose: Purpose::Data, tenant, subject: Some(subject) };
        self.check_not_erased(conn, owner).map(|_| ())
    }

    /// The keys of the owner; an error where there were some and all are destroyed.
    fn check_not_erased(&self, conn: &Conn, owner: Owner<'_>) -> Result<Vec<Attributes>> {
        let found = self.attributes(conn, owner)?;
        if !found.is_empty() && found.iter().all(|key| key.is(KeyState::Destroyed)) {
            let whose = if owner.subject.is_some() { "subject" } else { "tenant" };
            fail!(DestroyedKey, "the {whose} has been erased: its name is not used again");
        }
        Ok(found)
    }

    /// A row that is what was written, and its key.
    fn stored(&self, conn: &Conn, id: u32) -> Result<(StoredKey, Option<Secret32>)> {
        let stored = StoredKey::find(conn, id)?;
        let stored = stored.ok_or_else(|| forged(format_args!("the row of key {id}")))?;
        let secret = self.wrapping.open(&stored)?;
        Ok((stored, secret))
    }

    fn insert(
        &self,
        conn: &Conn,
        list: &mut KeyList,
        owner: Owner<'_>,
        generation: i64,
        floor: i64,
    ) -> Result<u32> {
        let id = list.last.checked_add(1).ok_or_else(|| err!(Limit, "no key id is left"))?;
        let at = now();
        let attributes = Attributes {
            id,
            purpose: owner.purpose as i64,
            tenant: owner.tenant.map(str::to_owned),
            subject: owner.subject.map(str::to_owned),
            generation,
            state: KeyState::Active as i64,
            created_at: at,
            changed_at: at,
            floor,
        };
        let mut secret = Secret32::zeroed();
        random::fill(secret.expose_mut()).map_err(|_| no_randomness())?;
        let stored = self.wrapping.seal(attributes, Some(&secret))?;
        rows::insert(conn, &stored)?;
        list.add(&self.wrapping, &stored)?;
        Ok(id)
    }

    /// Changes a row, and the list with it; the attributes as they then are.
    fn change(
        &self,
        conn: &Conn,
        list: &mut KeyList,
        id: u32,
        change: impl FnOnce(&mut Attributes),
    ) -> Result<Attributes> {
        let (old, secret) = self.stored(conn, id)?;
        let mut attributes = old.attributes.clone();
        change(&mut attributes);
        attributes.changed_at = now();
        let kept = secret.filter(|_| !attributes.is(KeyState::Destroyed));
        let new = self.wrapping.seal(attributes, kept.as_ref())?;
        rows::update(conn, &new)?;
        list.toggle(&self.wrapping, &old)?;
        list.toggle(&self.wrapping, &new)?;
        Ok(new.attributes)
    }
}

impl KeyInfo {
    fn of(attributes: Attributes) -> Result<Self> {
        let refused = || forged(format_args!("key {}", attributes.id));
        Ok(KeyInfo {
            id: attributes.id,
            purpose: Purpose::from_code(attributes.purpose).ok_or_else(refused)?,
            generation: u32::try_from(attributes.generation).map_err(|_| refused())?,
            state: KeyState::from_code(attributes.state).ok_or_else(refused)?,
            created_at: attributes.created_at,
            changed_at: attributes.changed_at,
            tenant: attributes.tenant,
            subject: attributes.subject,
        })
    }
}

/// The highest generation so far.
fn old_generation(keys: &[Attributes]) -> Result<i64> {
    let newest = keys.iter().map(|attributes| attributes.generation).max();
    newest.ok_or_else(|| forged("the keys of an owner"))
}

/// Writes the list of a vault that has no key yet.
pub(crate) fn begin(conn: &Conn, ring: &Ring) -> Result<()> {
    KeyList::EMPTY.write(conn, &ring.wrapping)
}
