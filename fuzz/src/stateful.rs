//! Operations on a table, decoded from bytes, against a model: whatever is done in whatever order, what is read is what
//! the model says.

use std::collections::BTreeMap;

use sealite::{
    Alteration, Column, ErrorKind, Id, Index, Normaliser, Row, Savepoint, Table, TableDefinition,
    Transaction, ValueRef, Vault, values,
};

/// Mail, name and level of a row, by its id.
type Rows = BTreeMap<i64, (u8, u8, i64)>;

/// The open transaction: the rows that it sees, and those of its savepoints.
struct Open {
    transaction: Transaction,
    rows: Rows,
    savepoints: Vec<(Savepoint, Rows, i64)>,
    /// The greatest id before it.
    last: i64,
}

struct World {
    vault: Vault,
    committed: Rows,
    open: Option<Open>,
    /// The greatest id that was given out; those of what was rolled back are given out again.
    last: i64,
    indexed: bool,
}

/// Runs the operations: an operation and its argument are two bytes.
pub fn stateful(data: &[u8]) {
    let vault = Vault::in_memory().expect("a vault");
    let unique = Index::unique().normaliser(Normaliser::Email);
    let definition = TableDefinition::new("people")
        .column(Column::text("mail").sealed().not_null().index(unique))
        .column(Column::text("name").sealed())
        .column(Column::integer("level").authenticated());
    vault.define_table(&definition).expect("a table");
    let mut world = World { vault, committed: Rows::new(), open: None, last: 0, indexed: false };
    for pair in data.chunks_exact(2).take(MAX_STEPS) {
        if let [what, with] = pair {
            world.step(what % 16, *with);
        }
    }
    world.open = None;
    world.compare();
    let report = world.vault.verify(|_| ()).expect("it can be read");
    assert!(report.is_sound());
}

impl World {
    fn rows(&mut self) -> &mut Rows {
        self.open.as_mut().map_or(&mut self.committed, |open| &mut open.rows)
    }

    fn with<T>(&self, work: impl FnOnce(&Table<'_>) -> sealite::Result<T>) -> sealite::Result<T> {
        match &self.open {
            Some(open) => work(&open.transaction.table("people")?),
            None => work(&self.vault.table("people")?),
        }
    }

    fn step(&mut self, what: u8, with: u8) {
        let (mail, name, level) = (with % 8, with / 8 % 4, i64::from(with / 32) - 2);
        let id = self.last - i64::from(with / 8 % 6);
        match what {
            0..=3 => {
                let taken = self.rows().values().any(|row| row.0 == mail);
                let (text, name_text) = (mail_text(mail), name_text(name));
                let pairs = values! {"mail" => &*text, "name" => &*name_text, "level" => level};
                match self.with(|table| table.insert(pairs)) {
                    Ok(Id::Integer(id)) => {
                        assert!(!taken && id > self.last);
                        self.last = id;
                        self.rows().insert(id, (mail, name, level));
                    }
                    Ok(other) => panic!("{other} is no integer"),
                    Err(error) => assert!(taken && error.kind() == ErrorKind::Conflict, "{error}"),
                }
            }
            4 | 5 => {
                let text = name_text(name);
                let done = self.with(|table| table.update(id, values! {"name" => &*text}));
                let row = self.rows().get_mut(&id);
                assert_eq!(done.expect("an update"), row.is_some());
                if let Some(row) = row {
                    row.1 = name;
                }
            }
            6 => {
                let taken = self.rows().iter().any(|(other, row)| *other != id && row.0 == mail);
                let there = self.rows().contains_key(&id);
                let text = mail_text(mail).to_uppercase();
                match self.with(|table| table.update(id, values! {"mail" => &*text})) {
                    Ok(done) => {
                        assert!(done == there && !(there && taken));
                        self.rows().get_mut(&id).into_iter().for_each(|row| row.0 = mail);
                    }
                    Err(error) => {
                        assert!(there && taken && error.kind() == ErrorKind::Conflict, "{error}");
                    }
                }
            }
            7 => {
                let done = self.with(|table| table.delete(id)).expect("a deletion");
                assert_eq!(done, self.rows().remove(&id).is_some());
            }
            8 => {
                let text = mail_text(mail);
                let found = self.with(|table| table.find_one("mail", &*text)).expect("a search");
                let expected = self.rows().iter().find(|(_, row)| row.0 == mail);
                let expected = expected.map(|(id, row)| (*id, *row));
                assert_eq!(found.is_some(), expected.is_some());
                if let (Some(found), Some((id, row))) = (found, expected) {
                    same(&found, id, row);
                }
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
                    Err(error) => {
                        assert!(!self.indexed && error.kind() == ErrorKind::NotIndexed, "{error}");
                    }
                }
            }
        }
    }

    /// Begins, ends, sets savepoints and goes back to them.
    fn transact(&mut self, what: u8, with: u8) {
        match what {
            10 | 11 if self.open.is_none() => {
                let transaction = self.vault.begin().expect("a transaction");
                let rows = self.committed.clone();
                let last = self.last;
                self.open = Some(Open { transaction, rows, savepoints: Vec::new(), last });
            }
            10 => {
                if let Some(open) = self.open.take() {
                    open.transaction.commit().expect("a commit");
                    self.committed = open.rows;
                }
            }
            11 => {
                if let Some(open) = self.open.take() {
                    open.transaction.roll_back().expect("a roll-back");
                    self.last = open.last;
                }
            }
            12 => {
                if let Some(open) = &mut self.open {
                    let savepoint = open.transaction.begin_savepoint().expect("a savepoint");
                    open.savepoints.push((savepoint, open.rows.clone(), self.last));
                }
            }
            13 => {
                if let Some(open) = &mut self.open
                    && let Some((savepoint, before, last)) = open.savepoints.pop()
                {
                    let keep = with & 1 == 0;
                    open.transaction.end_savepoint(&savepoint, keep).expect("its end");
                    if !keep {
                        (open.rows, self.last) = (before, last);
                    }
                }
            }
            _ => {}
        }
    }

    /// An index comes or goes.
    fn alter(&mut self, with: u8) {
        let index = Index::lookup(2_000 + u64::from(with));
        let wanted = if self.indexed {
            Alteration::DropIndex("name".into())
        } else {
            Alteration::AddIndex("name".into(), index)
        };
        let _ = self.vault.alter_table("people", &wanted).expect("an alteration");
        self.indexed = !self.indexed;
    }

    /// Everything that is there.
    fn compare(&mut self) {
        let rows = self.rows().clone();
        #[allow(clippy::redundant_closure_for_method_calls)]
        // `Table::count` is for one lifetime only
        let count = self.with(|table| table.count()).expect("a count");
        assert_eq!(count, rows.len() as u64);
        let scanned = self.with(|table| table.scan()?.collect::<sealite::Result<Vec<Row>>>());
        let scanned = scanned.expect("a scan");
        assert_eq!(scanned.len(), rows.len());
        for (found, (id, row)) in scanned.iter().zip(rows) {
            same(found, id, row);
        }
    }
}

fn same(found: &Row, id: i64, (mail, name, level): (u8, u8, i64)) {
    assert_eq!(found.id(), sealite::IdRef::Integer(id));
    let text = found.text("mail").expect("a text");
    assert!(text.eq_ignore_ascii_case(&mail_text(mail)));
    assert!(found.get("name").expect("a column") == ValueRef::Text(&name_text(name)));
    assert!(found.get("level").expect("a column") == ValueRef::Integer(level));
}

fn mail_text(number: u8) -> String {
    format!("person{number}@example.org")
}

/// Names of different lengths: one does not fit into a padded block, one into a page of the file.
fn name_text(number: u8) -> String {
    "n".repeat([0, 5, 300, 9_000][usize::from(number % 4)])
}

/// Enough for every order of a few operations.
const MAX_STEPS: usize = 200;
