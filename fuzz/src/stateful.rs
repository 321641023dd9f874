//! Operations on a table, decoded from bytes, against a model: whatever is done in whatever order, what is read is what
//! the model says.

use std::collections::BTreeMap;

use sealite::{
    Alteration, Column, ErrorKind, Id, Index, Normaliser, Row, Savepoint, Table, TableDefinition,
    Transaction, ValueRef, Vault, values,
};

/// Mail, name and level of a row.
type Content = (u8, u8, i64);
/// Rows by their ids.
pub(crate) type Rows = BTreeMap<i64, Content>;

/// The open transaction: the rows that it sees, and those of its savepoints.
struct Open {
    transaction: Transaction,
    rows: Rows,
    savepoints: Vec<(Savepoint, Rows, i64)>,
    /// The greatest id before it.
    last: i64,
}

/// What the step that runs commits, if it does.
pub(crate) enum Pending {
    Nothing,
    Rows(Rows),
    /// A row more, under an id that is new.
    Row(Content),
}

pub(crate) struct World {
    pub(crate) vault: Vault,
    committed: Rows,
    open: Option<Open>,
    /// The greatest id that was given out; those of what was rolled back are given out again.
    last: i64,
    indexed: bool,
    pending: Pending,
}

/// Runs the operations in a vault in memory, where nothing fails: an operation and its argument are two bytes.
pub fn stateful(data: &[u8]) {
    let mut world = World::new(Vault::in_memory().expect("a vault")).expect("a table");
    for pair in data.chunks_exact(2).take(MAX_STEPS) {
        if let [what, with] = pair {
            world.step(*what, *with).expect("nothing fails");
        }
    }
    world.end();
}

impl World {
    /// The table, in a vault that is new.
    pub(crate) fn new(vault: Vault) -> sealite::Result<Self> {
        let unique = Index::unique().normaliser(Normaliser::Email);
        let definition = TableDefinition::new("people")
            .column(Column::text("mail").sealed().not_null().index(unique))
            .column(Column::text("name").sealed())
            .column(Column::integer("level").authenticated());
        vault.define_table(&definition)?;
        let (committed, pending) = (Rows::new(), Pending::Nothing);
        Ok(World { vault, committed, open: None, last: 0, indexed: false, pending })
    }

    /// Rolls back what is open; what is there then is what the model says, and every record opens.
    pub(crate) fn end(mut self) {
        self.open = None;
        self.compare().expect("it can be read");
        let report = self.vault.verify(|_| ()).expect("it can be verified");
        assert!(report.is_sound());
    }

    /// After a step that failed: whether these can be the rows now. Before it they were the committed ones.
    pub(crate) fn may_be(&self, rows: &Rows) -> bool {
        let after = match &self.pending {
            Pending::Nothing => false,
            Pending::Rows(after) => rows == after,
            Pending::Row(content) => rows.last_key_value().is_some_and(|(id, last)| {
                let others = rows.len() == self.committed.len() + 1;
                let same = self.committed.iter().all(|(id, row)| rows.get(id) == Some(row));
                *id > self.last && last == content && others && same
            }),
        };
        after || *rows == self.committed
    }

    /// Goes on with the vault opened again, as it is.
    pub(crate) fn reopened(self, vault: Vault) -> sealite::Result<Self> {
        let World { open, committed, mut last, .. } = self;
        last = open.map_or(last, |open| open.last);
        let mut world =
            World { vault, committed, open: None, last, indexed: false, pending: Pending::Nothing };
        // An alteration that was broken off goes on.
        let _ = world.vault.finish_alteration("people")?;
        world.committed = world.seen()?;
        world.last = world.committed.keys().last().map_or(last, |id| last.max(*id));
        world.indexed = match world.with(|table| table.find("name", "")) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::NotIndexed => false,
            Err(error) => return Err(error),
        };
        Ok(world)
    }

    /// Ends an open transaction without a commit.
    pub(crate) fn abandon(&mut self) {
        if let Some(open) = self.open.take() {
            self.last = open.last;
        }
    }

    /// The rows that are there.
    pub(crate) fn seen(&self) -> sealite::Result<Rows> {
        self.with(rows_in)
    }

    /// The rows of a vault.
    pub(crate) fn rows_of(vault: &Vault) -> sealite::Result<Rows> {
        rows_in(&vault.table("people")?)
    }

    fn rows(&mut self) -> &mut Rows {
        self.open.as_mut().map_or(&mut self.committed, |open| &mut open.rows)
    }

    fn with<T>(&self, work: impl FnOnce(&Table<'_>) -> sealite::Result<T>) -> sealite::Result<T> {
        match &self.open {
            Some(open) => work(&open.transaction.table("people")?),
            None => work(&self.vault.table("people")?),
        }
    }

    /// One operation. Its error is one that it may have: the file's.
    pub(crate) fn step(&mut self, what: u8, with: u8) -> sealite::Result<()> {
        let what = what % 16;
        let (mail, name, level) = (with % 8, with / 8 % 4, i64::from(with / 32) - 2);
        let id = self.last - i64::from(with / 8 % 6);
        self.pending = Pending::Nothing;
        match what {
            0..=3 => self.insert((mail, name, level)),
            4 | 5 => {
                let text = name_text(name);
                self.change(|rows| rows.get_mut(&id).into_iter().for_each(|row| row.1 = name));
                let done = self.with(|table| table.update(id, values! {"name" => &*text}))?;
                assert_eq!(done, self.rows().contains_key(&id));
                self.changed();
                Ok(())
            }
            6 => self.move_to(id, mail),
            7 => {
                self.change(|rows| {
                    let _ = rows.remove(&id);
                });
                let done = self.with(|table| table.delete(id))?;
                assert_eq!(done, self.rows().contains_key(&id));
                self.changed();
                Ok(())
            }
            8 => {
                let text = mail_text(mail);
                let found = self.with(|table| table.find_one("mail", &*text))?;
                let expected = self.rows().iter().find(|(_, row)| row.0 == mail);
                assert_eq!(found.as_ref().map(read), expected.map(|(id, row)| (*id, *row)));
                Ok(())
            }
            9 => self.compare(),
            10..=13 => self.transact(what, with),
            14 if self.open.is_none() => self.alter(with),
            _ => {
                let text = name_text(name);
                match self.with(|table| table.find("name", &*text)) {
                    Ok(found) => {
                        assert!(self.indexed);
                        let expected = self.rows().values().filter(|row| row.1 == name).count();
                        assert_eq!(found.len(), expected);
                    }
                    Err(error) if error.kind() == ErrorKind::NotIndexed => assert!(!self.indexed),
                    Err(error) => return Err(error),
                }
                Ok(())
            }
        }
    }

    fn insert(&mut self, row: Content) -> sealite::Result<()> {
        let (mail, name, level) = row;
        let taken = self.rows().values().any(|row| row.0 == mail);
        let (text, name_text) = (mail_text(mail), name_text(name));
        let pairs = values! {"mail" => &*text, "name" => &*name_text, "level" => level};
        if self.open.is_none() && !taken {
            self.pending = Pending::Row(row);
        }
        match self.with(|table| table.insert(pairs)) {
            Ok(Id::Integer(id)) => {
                assert!(!taken && id > self.last);
                self.last = id;
                self.rows().insert(id, row);
            }
            Ok(other) => panic!("{other} is no integer"),
            Err(error) if error.kind() == ErrorKind::Conflict => assert!(taken),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A row takes an address, in other letters.
    fn move_to(&mut self, id: i64, mail: u8) -> sealite::Result<()> {
        let taken = self.rows().iter().any(|(other, row)| *other != id && row.0 == mail);
        let there = self.rows().contains_key(&id);
        let text = mail_text(mail).to_uppercase();
        if !taken {
            self.change(|rows| rows.get_mut(&id).into_iter().for_each(|row| row.0 = mail));
        }
        match self.with(|table| table.update(id, values! {"mail" => &*text})) {
            Ok(done) => {
                assert!(done == there && !(there && taken));
                self.changed();
            }
            Err(error) if error.kind() == ErrorKind::Conflict => assert!(there && taken),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What the step is to make of the rows.
    fn change(&mut self, change: impl FnOnce(&mut Rows)) {
        let mut rows = self.rows().clone();
        change(&mut rows);
        self.pending = Pending::Rows(rows);
    }

    /// It has done so.
    fn changed(&mut self) {
        if let Pending::Rows(rows) = std::mem::replace(&mut self.pending, Pending::Nothing) {
            *self.rows() = rows;
        }
    }

    /// Begins, ends, sets savepoints and goes back to them.
    fn transact(&mut self, what: u8, with: u8) -> sealite::Result<()> {
        match what {
            10 | 11 if self.open.is_none() => {
                let transaction = self.vault.begin()?;
                let rows = self.committed.clone();
                let last = self.last;
                self.open = Some(Open { transaction, rows, savepoints: Vec::new(), last });
            }
            10 => {
                if let Some(open) = self.open.take() {
                    self.pending = Pending::Rows(open.rows);
                    let last = std::mem::replace(&mut self.last, open.last);
                    open.transaction.commit()?;
                    self.last = last;
                    self.changed();
                }
            }
            11 => {
                if let Some(open) = self.open.take() {
                    self.last = open.last;
                    open.transaction.roll_back()?;
                }
            }
            12 => {
                if let Some(open) = &mut self.open {
                    let savepoint = open.transaction.begin_savepoint()?;
                    open.savepoints.push((savepoint, open.rows.clone(), self.last));
                }
            }
            13 => {
                if let Some(open) = &mut self.open
                    && let Some((savepoint, before, last)) = open.savepoints.pop()
                {
                    let keep = with & 1 == 0;
                    open.transaction.end_savepoint(&savepoint, keep)?;
                    if !keep {
                        (open.rows, self.last) = (before, last);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// An index comes or goes.
    fn alter(&mut self, with: u8) -> sealite::Result<()> {
        let index = Index::lookup(2_000 + u64::from(with));
        let wanted = if self.indexed {
            Alteration::DropIndex("name".into())
        } else {
            Alteration::AddIndex("name".into(), index)
        };
        let _ = self.vault.alter_table("people", &wanted)?;
        self.indexed = !self.indexed;
        Ok(())
    }

    /// Everything that is there.
    fn compare(&mut self) -> sealite::Result<()> {
        #[allow(clippy::redundant_closure_for_method_calls)]
        // `Table::count` is for one lifetime only
        let count = self.with(|table| table.count())?;
        let seen = self.seen()?;
        assert_eq!(count, seen.len() as u64);
        assert_eq!(seen, *self.rows());
        Ok(())
    }
}

fn rows_in(table: &Table<'_>) -> sealite::Result<Rows> {
    table.scan()?.map(|row| row.map(|row| read(&row))).collect()
}

/// A row as the model has it.
fn read(found: &Row) -> (i64, Content) {
    let sealite::IdRef::Integer(id) = found.id() else { panic!("an id that is no integer") };
    let mail = found.text("mail").expect("a text").to_lowercase();
    let mail = (0..8).find(|number| mail_text(*number) == mail).expect("an address given out");
    let name = found.text("name").expect("a text");
    let name = (0..4).find(|number| name_text(*number) == name).expect("a name given out");
    let ValueRef::Integer(level) = found.get("level").expect("a column") else {
        panic!("a level that is no integer")
    };
    (id, (mail, name, level))
}

fn mail_text(number: u8) -> String {
    format!("person{number}@example.org")
}

/// Names of different lengths: one does not fit into a padded block, one into a page of the file.
fn name_text(number: u8) -> String {
    "n".repeat([0, 5, 300, 9_000][usize::from(number % 4)])
}

/// Enough for every order of a few operations.
pub(crate) const MAX_STEPS: usize = 200;
