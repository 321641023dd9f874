//! How far a rotation has come: one sealed row for each kind and tenant, written in the transaction of every step.

use super::kind::{Rotation, RotationKind};
use crate::db::Conn;
use crate::error::{Result, err};
use crate::table::engine::State;
use crate::table::session::Session;
use crate::table::{Column, Row, TableDefinition, Target, batch, define, get_one, put_row};
use crate::value::{IdRef, Type, ValueRef};

/// The internal table of rotations.
const TABLE: &str = "sealite_rotations";
const TARGET: Target<'static> = Target { name: TABLE, tenant: None };

/// A rotation as its row has it.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) rotation: Rotation,
    /// The key that was active before, and its successor.
    pub(super) old_key: u32,
    pub(super) new_key: u32,
    /// Milliseconds since 1970.
    pub(super) started_at: i64,
    pub(super) changed_at: i64,
    pub(super) finished_at: Option<i64>,
    /// Where to go on: see `place`.
    pub(super) at: (i64, i64),
    /// The last row of that table when the rotation came to it: what was inserted since needs nothing.
    pub(super) until: i64,
    /// Records looked at, and how many there were at the beginning.
    pub(super) done: i64,
    pub(super) total: i64,
    /// Records sealed anew.
    pub(super) moved: i64,
    /// The time that steps have taken.
    pub(super) worked_ms: i64,
    /// How often the end was reached and something was found again.
    pub(super) passes: i64,
}

fn definition() -> TableDefinition {
    let authenticated = |name, kind| Column::new(name, kind).authenticated();
    let integer = |name| authenticated(name, Type::Integer).not_null();
    TableDefinition::new(TABLE)
        .text_key("id")
        .column(authenticated("kind", Type::Text).not_null())
        .column(authenticated("tenant", Type::Text))
        .column(integer("old_key"))
        .column(integer("new_key"))
        .column(integer("started_at"))
        .column(integer("changed_at"))
        .column(authenticated("finished_at", Type::Integer))
        .column(integer("at_place"))
        .column(integer("at_row"))
        .column(integer("until_row"))
        .column(integer("done"))
        .column(integer("total"))
        .column(integer("moved"))
        .column(integer("worked_ms"))
        .column(integer("passes"))
}

impl Job {
    /// The last rotation of this kind and tenant, done or not.
    pub(super) fn read(conn: &Conn, state: &State, rotation: &Rotation) -> Result<Option<Self>> {
        if state.table(TABLE).is_err() {
            return Ok(None);
        }
        let found = get_one(conn, state, TARGET, IdRef::Text(&rotation.id()))?;
        let row = found.and_then(|(set, _)| set.into_rows().pop());
        row.as_ref().map(Self::of).transpose()
    }

    /// All of them, in the order of their beginning.
    pub(super) fn all(conn: &Conn, state: &State) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        let mut from = Some(i64::MIN).filter(|_| state.table(TABLE).is_ok());
        while let Some(at) = from {
            let (set, last) = batch(conn, state, TARGET, at, &mut None)?;
            for row in set.into_rows() {
                found.push(Self::of(&row)?);
            }
            from = last.and_then(|last| last.checked_add(1));
        }
        found.sort_by_key(|job: &Job| job.started_at);
        Ok(found)
    }

    /// Writes it. The table is made with the first.
    pub(super) fn save(&self, session: &Session) -> Result<()> {
        if session.state().table(TABLE).is_err() {
            define::define_internal(session, &definition())?;
        }
        let values = [
            ValueRef::Text(self.rotation.kind().name()),
            ValueRef::from(self.rotation.tenant()),
            ValueRef::from(self.old_key),
            ValueRef::from(self.new_key),
            ValueRef::Integer(self.started_at),
            ValueRef::Integer(self.changed_at),
            ValueRef::from(self.finished_at),
            ValueRef::Integer(self.at.0),
            ValueRef::Integer(self.at.1),
            ValueRef::Integer(self.until),
            ValueRef::Integer(self.done),
            ValueRef::Integer(self.total),
            ValueRef::Integer(self.moved),
            ValueRef::Integer(self.worked_ms),
            ValueRef::Integer(self.passes),
        ];
        put_row(session, TARGET, IdRef::Text(&self.rotation.id()), &values)
    }

    fn of(row: &Row) -> Result<Self> {
        let damaged = || err!(Corrupt, "a rotation's row opens and does not read");
        let integer = |name| row.get(name)?.as_i64().ok_or_else(damaged);
        let key = |name| integer(name).and_then(|id| u32::try_from(id).map_err(|_| damaged()));
        let kind = RotationKind::from_name(row.text("kind")?);
        let kind = kind.ok_or_else(|| err!(NewerFormat, "a rotation of an unknown kind"))?;
        Ok(Job {
            rotation: Rotation::new(kind, row.get("tenant")?.as_str()),
            old_key: key("old_key")?,
            new_key: key("new_key")?,
            started_at: integer("started_at")?,
            changed_at: integer("changed_at")?,
            finished_at: row.get("finished_at")?.as_i64(),
            at: (integer("at_place")?, integer("at_row")?),
            until: integer("until_row")?,
            done: integer("done")?,
            total: integer("total")?,
            moved: integer("moved")?,
            worked_ms: integer("worked_ms")?,
            passes: integer("passes")?,
        })
    }
}
