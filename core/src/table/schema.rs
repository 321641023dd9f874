//! A table as it stands in the catalog, resolved for use: physical names, layouts, SQL text.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use once_cell::race::OnceBox;

use super::definition::{Column, Protection};
use super::join::JoinSql;
use super::subject::Whose;
use super::write_plan::WritePlan;
use crate::db::schema::quote;
use crate::error::{Result, err};
use crate::format::padding::Padding;
use crate::value::Type;

/// What the catalog keeps of a table.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Stored {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) text_key: bool,
    /// How many of the columns SQL shows before the key.
    pub(crate) key_at: usize,
    pub(crate) per_tenant: bool,
    pub(crate) padding: Padding,
    /// What says whose a row is: a column by its surrogate id.
    pub(crate) subject: Option<Whose<u32>>,
    pub(crate) columns: Vec<StoredColumn>,
    /// Indexes that are gone from their columns and still stand in the associated data of some rows.
    pub(crate) retired: Vec<Blind>,
    /// The last is the one that new records have; more than one only while rows are being moved.
    pub(crate) layouts: Vec<Layout>,
    /// The next surrogate id of a column or index. None is ever given out twice.
    pub(crate) next_id: u32,
}

/// A column in the catalog.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct StoredColumn {
    pub(crate) id: u32,
    pub(crate) column: Column,
    /// True where the physical table has a column for it.
    pub(crate) physical: bool,
    /// True for a column that is going; its values are read no more.
    pub(crate) dropping: bool,
    /// Records of an older layout have the default.
    pub(crate) since: u16,
    pub(crate) blind: Option<Blind>,
}

/// A blind index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Blind {
    pub(crate) id: u32,
    pub(crate) generation: u16,
    pub(crate) physical: String,
    /// Bits kept; `None` for 128.
    pub(crate) bits: Option<u8>,
    /// True until every row has its value.
    pub(crate) building: bool,
}

/// What the records of one layout hold and authenticate, as surrogate ids in ascending order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Layout {
    pub(crate) number: u16,
    pub(crate) authenticated: Vec<u32>,
    pub(crate) sealed: Vec<u32>,
}

/// A table, resolved.
pub(crate) struct Schema {
    pub(crate) stored: Stored,
    /// The columns that a program sees, as positions in `stored.columns`.
    pub(crate) active: Vec<usize>,
    names: HashMap<String, usize>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) plans: Vec<Plan>,
    /// How new records are made.
    pub(crate) write: WritePlan,
    pub(crate) sql: Sql,
    /// The statements of a row with one of another table, made at their first use.
    pub(crate) joined: OnceBox<JoinSql>,
}

/// A physical column beside the key, the tenant and the record.
pub(crate) struct Slot {
    pub(crate) name: String,
    /// The SELECT of the rows that hold a value here.
    pub(crate) find: String,
    pub(crate) source: SlotSource,
}

/// What a physical column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotSource {
    /// A column, by its position in `stored.columns`.
    Column(usize),
    /// The blind index of the column at that position.
    Blind(usize),
    /// An index that is going.
    Retired,
}

/// How a record of one layout is read.
pub(crate) struct Plan {
    pub(crate) layout: u16,
    /// Surrogate id, slot, type (none for a blind index).
    pub(crate) authenticated: Vec<(u32, usize, Option<Type>)>,
    /// Surrogate id and the active position; none for a column that is going.
    pub(crate) sealed: Vec<(u32, Option<usize>)>,
    /// Where each active column's value is when it is not in the payload.
    pub(crate) outside: Vec<Outside>,
    /// What says whose the row is: a column by its slot, with its type.
    pub(crate) subject: Option<Whose<usize>>,
}

/// Where a value outside the payload comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    Slot(usize),
    Default,
    /// It is in the payload, or NULL.
    Payload,
}

/// The SQL text of the table's statements. Every SELECT gives row id, key, record, slots, in this order.
pub(crate) struct Sql {
    pub(crate) physical: String,
    pub(crate) select: String,
    pub(crate) insert: String,
    pub(crate) get: String,
    pub(crate) scan: String,
    pub(crate) count: String,
    pub(crate) delete: String,
    /// A new record, and nothing else.
    pub(crate) reseal: String,
}

/// Rows that a scan reads at a time, at most. It stands in the SQL text: SQLite compiles a statement with a bound LIMIT
/// anew for each value.
pub(crate) const SCAN_ROWS: usize = 256;

/// The result columns before the slots.
pub(crate) const FIRST_SLOT: usize = 3;

impl Schema {
    pub(crate) fn resolve(stored: Stored) -> Result<Arc<Self>> {
        let active: Vec<usize> = (0..stored.columns.len())
            .filter(|at| stored.columns.get(*at).is_some_and(|c| !c.dropping))
            .collect();
        let names = active
            .iter()
            .enumerate()
            .filter_map(|(position, at)| {
                Some((stored.columns.get(*at)?.column.name.to_lowercase(), position))
            })
            .collect();
        let mut slots = slots(&stored);
        let plans = stored.layouts.iter().map(|layout| plan(&stored, &active, &slots, layout));
        let plans = plans.collect::<Option<Vec<_>>>();
        let contradiction =
            || err!(Corrupt, "the catalog's entry of table {} contradicts itself", stored.name);
        let plans = plans.ok_or_else(contradiction)?;
        let newest = plans.last().ok_or_else(contradiction)?;
        let write = WritePlan::new(&stored, &active, &slots, newest);
        let sql = sql(&stored, &slots);
        let mine = if stored.per_tenant { " AND tenant = ?2" } else { "" };
        for slot in &mut slots {
            slot.find = format!("{} WHERE {} IS ?1{mine}", sql.select, quote(&slot.name));
        }
        let joined = OnceBox::new();
        Ok(Arc::new(Schema { stored, active, names, slots, plans, write, sql, joined }))
    }

    pub(crate) fn name(&self) -> &str {
        &self.stored.name
    }

    /// The active position of a column; case does not matter.
    pub(crate) fn position(&self, name: &str) -> Result<usize> {
        let found = self.names.get(name).or_else(|| self.names.get(&name.to_lowercase()));
        found.copied().ok_or_else(|| err!(NotFound, "table {} has no column {name}", self.name()))
    }

    /// True for the primary key and for a column that no two rows have the same value of.
    pub(crate) fn is_unique(&self, name: &str) -> bool {
        let column = self.position(name).and_then(|position| self.column(position));
        self.is_key(name)
            || column.is_ok_and(|c| c.column.index.as_ref().is_some_and(|index| index.unique))
    }

    /// The column at an active position.
    pub(crate) fn column(&self, position: usize) -> Result<&StoredColumn> {
        self.active
            .get(position)
            .and_then(|at| self.stored.columns.get(*at))
            .ok_or_else(|| err!(Internal, "a column position out of range"))
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = &StoredColumn> {
        self.active.iter().filter_map(|at| self.stored.columns.get(*at))
    }

    pub(crate) fn plan(&self, layout: u16) -> Option<&Plan> {
        self.plans.iter().rev().find(|plan| plan.layout == layout)
    }

    /// True while rows of more than one layout may exist.
    pub(crate) fn in_transition(&self) -> bool {
        self.plans.len() > 1
    }

    pub(crate) fn is_key(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.stored.key)
    }

    /// What plain SQL may read of the physical table: the key, the tenant, plain columns.
    pub(crate) fn readable(&self) -> HashSet<String> {
        let plain = self.stored.columns.iter().filter(|c| c.column.protection == Protection::Plain);
        let mut names: HashSet<String> =
            plain.map(|c| c.column.name.to_ascii_lowercase()).collect();
        // SQLite asks for the row id under the name of the integer primary key.
        names.extend([self.stored.key.to_ascii_lowercase(), "sealite_rowid".into()]);
        if self.stored.per_tenant {
            names.insert("tenant".into());
        }
        names
    }

    /// The names of the sealed columns.
    pub(crate) fn sealed(&self) -> HashSet<String> {
        let columns = self.stored.columns.iter();
        let sealed = columns.filter(|c| c.column.protection == Protection::Sealed);
        sealed.map(|c| c.column.name.to_ascii_lowercase()).collect()
    }

    /// How many columns SQL shows before the key.
    pub(crate) fn key_at(&self) -> usize {
        self.active.iter().filter(|at| **at < self.stored.key_at).count()
    }
}

impl Stored {
    /// Forgets columns.
    pub(crate) fn forget(&mut self, is_gone: impl Fn(&StoredColumn) -> bool) {
        let before = self.columns.iter().take(self.key_at);
        self.key_at = before.filter(|column| !is_gone(column)).count();
        self.columns.retain(|column| !is_gone(column));
    }

    /// The physical table.
    pub(crate) fn physical(&self) -> String {
        physical_name(&self.name)
    }

    /// The physical primary key.
    pub(crate) fn row_id(&self) -> &str {
        if self.text_key { "sealite_rowid" } else { &self.key }
    }

    /// The layout that the columns ask for now.
    pub(crate) fn layout_wanted(&self, number: u16) -> Layout {
        let (mut authenticated, mut sealed) = (Vec::new(), Vec::new());
        for column in self.columns.iter().filter(|c| !c.dropping) {
            match column.column.protection {
                Protection::Authenticated => authenticated.push(column.id),
                Protection::Sealed => sealed.push(column.id),
                Protection::Plain => {}
            }
            authenticated.extend(column.blind.as_ref().map(|blind| blind.id));
        }
        authenticated.sort_unstable();
        sealed.sort_unstable();
        Layout { number, authenticated, sealed }
    }
}

pub(crate) fn physical_name(table: &str) -> String {
    format!("{table}_sealed")
}

fn slots(stored: &Stored) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (at, column) in stored.columns.iter().enumerate() {
        if column.physical {
            let name = column.column.name.clone();
            slots.push(Slot { name, find: String::new(), source: SlotSource::Column(at) });
        }
    }
    for (at, column) in stored.columns.iter().enumerate() {
        if let Some(blind) = &column.blind {
            slots.push(Slot {
                name: blind.physical.clone(),
                find: String::new(),
                source: SlotSource::Blind(at),
            });
        }
    }
    for blind in &stored.retired {
        slots.push(Slot {
            name: blind.physical.clone(),
            find: String::new(),
            source: SlotSource::Retired,
        });
    }
    slots
}

/// `None` where the layout names what the table does not have.
fn plan(stored: &Stored, active: &[usize], slots: &[Slot], layout: &Layout) -> Option<Plan> {
    let slot_of = |wanted: u32| {
        let mut retired = stored.retired.iter();
        slots.iter().position(|slot| match slot.source {
            SlotSource::Column(at) => stored.columns.get(at).is_some_and(|c| c.id == wanted),
            SlotSource::Blind(at) => stored
                .columns
                .get(at)
                .and_then(|c| c.blind.as_ref())
                .is_some_and(|b| b.id == wanted),
            SlotSource::Retired => retired.next().is_some_and(|blind| blind.id == wanted),
        })
    };
    let authenticated = layout
        .authenticated
        .iter()
        .map(|id| {
            let slot = slot_of(*id)?;
            let kind = match slots.get(slot)?.source {
                SlotSource::Column(at) => Some(stored.columns.get(at)?.column.kind),
                _ => None,
            };
            Some((*id, slot, kind))
        })
        .collect::<Option<Vec<_>>>()?;
    let position_of = |id: u32| {
        active.iter().position(|at| stored.columns.get(*at).is_some_and(|column| column.id == id))
    };
    let sealed = layout.sealed.iter().map(|id| (*id, position_of(*id))).collect();
    let outside = active
        .iter()
        .map(|at| {
            let column = stored.columns.get(*at)?;
            Some(if layout.sealed.contains(&column.id) {
                Outside::Payload
            } else if layout.number < column.since {
                Outside::Default
            } else if column.physical {
                Outside::Slot(slot_of(column.id)?)
            } else {
                Outside::Default
            })
        })
        .collect::<Option<Vec<_>>>()?;
    let subject = match &stored.subject {
        None => None,
        Some(whose) => {
            Some(whose.place(|id| slot_of(*id).filter(|_| layout.authenticated.contains(id)))?)
        }
    };
    Some(Plan { layout: layout.number, authenticated, sealed, outside, subject })
}

fn sql(stored: &Stored, slots: &[Slot]) -> Sql {
    let table = quote(&stored.physical());
    let (row_id, key) = (quote(stored.row_id()), quote(&stored.key));
    let names: Vec<String> = slots.iter().map(|slot| quote(&slot.name)).collect();
    let list = |first: &[&str]| {
        let names = names.iter().map(String::as_str);
        first.iter().copied().chain(names).collect::<Vec<_>>().join(", ")
    };
    let select = format!("SELECT {} FROM {table}", list(&[&row_id, &key, "sealed"]));
    let mut inserted = vec![row_id.as_str()];
    if stored.text_key {
        inserted.push(&key);
    }
    if stored.per_tenant {
        inserted.push("tenant");
    }
    inserted.push("sealed");
    let marks = vec!["?"; inserted.len() + slots.len()].join(", ");
    let mine = if stored.per_tenant { " AND tenant = ?2" } else { "" };
    let (scan_tenant, count_tenant) =
        if stored.per_tenant { (" AND tenant = ?2", " WHERE tenant = ?1") } else { ("", "") };
    Sql {
        insert: format!("INSERT INTO {table} ({}) VALUES ({marks})", list(&inserted)),
        get: format!("{select} WHERE {key} = ?1{mine}"),
        scan: format!(
            "{select} WHERE {row_id} >= ?1{scan_tenant} ORDER BY {row_id} LIMIT {SCAN_ROWS}"
        ),
        count: format!("SELECT count(*) FROM {table}{count_tenant}"),
        delete: format!("DELETE FROM {table} WHERE {key} = ?1{mine}"),
        reseal: super::rewrite::update_sql(stored, slots, &[], false),
        physical: table,
        select,
    }
}
