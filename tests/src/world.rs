//! A vault with every kind of table, what its rows hold, and what must be seen of it after somebody edited the file.

#![allow(clippy::expect_used, clippy::missing_panics_doc, clippy::too_many_lines)]

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use sealite::{
    Column, ErrorKind, Id, Row, Snapshot, Table, TableDefinition, Value, ValueRef, Vault, values,
};

use crate::bits::identical;
use crate::scratch::{Scratch, raw};

/// Where a row is: its table, its tenant, its id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The table.
    pub table: String,
    /// The tenant, in a table of tenants.
    pub tenant: Option<String>,
    /// The id.
    pub id: Id,
}

/// What a row holds, by column.
pub type Values = BTreeMap<String, Value>;

/// What an edit must lead to.
#[derive(Clone, Default, Debug)]
pub struct Outcome {
    /// Rows that must be refused, and how.
    pub refused: BTreeMap<Place, ErrorKind>,
    /// Rows that are no longer where they were: nobody can tell that from a row that was deleted.
    pub gone: BTreeSet<Place>,
    /// Rows whose plain columns may differ.
    pub plain: BTreeSet<Place>,
}

impl Outcome {
    /// These rows are refused with the one authentication error, all others are as they were.
    pub fn refused(places: impl IntoIterator<Item = Place>) -> Self {
        let forged = |place| (place, ErrorKind::AuthenticationFailed);
        Outcome { refused: places.into_iter().map(forged).collect(), ..Outcome::default() }
    }

    /// These rows are no longer where they were.
    #[must_use]
    pub fn gone(mut self, places: impl IntoIterator<Item = Place>) -> Self {
        self.gone.extend(places);
        self
    }

    /// These rows may have other plain columns.
    #[must_use]
    pub fn plain(mut self, places: impl IntoIterator<Item = Place>) -> Self {
        self.plain.extend(places);
        self
    }
}

/// The vault and its rows.
pub struct World {
    /// Where it is.
    pub scratch: Scratch,
    /// Every row.
    pub rows: BTreeMap<Place, Values>,
    image: Vec<u8>,
}

/// The columns of `users` and `members`.
const COLUMNS: &[&str] = &[
    "email text sealed not null unique email",
    "surname text sealed lookup 5000 text",
    "phone text sealed",
    "role text authenticated",
    "level integer authenticated",
    "score real authenticated",
    "active boolean authenticated",
    "extra json authenticated",
    "photo blob authenticated",
    "code text authenticated unique",
    "plan text plain",
];

/// The columns that only `verify` and the reading of a row protect, with their tables.
pub const AUTHENTICATED: &[&str] = &["role", "level", "score", "active", "extra", "photo", "code"];

/// The tables of people, as they are declared.
pub fn people(name: &str) -> TableDefinition {
    COLUMNS.iter().fold(TableDefinition::new(name), |table, text| {
        table.column(Column::parse(text).expect("a specification"))
    })
}

impl Default for World {
    fn default() -> Self {
        Self::new(Scratch::new())
    }
}

impl World {
    /// Makes the vault, and closes it.
    pub fn new(scratch: Scratch) -> Self {
        let vault = scratch.create();
        for name in ["users", "members"] {
            vault.define_table(&people(name)).expect("a table");
        }
        vault.define_table(&people("clients").per_tenant()).expect("a table");
        for definition in [
            TableDefinition::new("pages").text_key("slug"),
            TableDefinition::new("notes").text_key("slug").per_tenant(),
        ] {
            let column = |text| Column::parse(text).expect("a specification");
            let definition = definition
                .column(column("body text sealed"))
                .column(column("kind text authenticated"))
                .column(column("views integer plain default 0"));
            vault.define_table(&definition).expect("a table");
        }
        let mut rows = BTreeMap::new();
        for (table, tenant, count) in [
            ("users", None, 3),
            ("members", None, 2),
            ("clients", Some("acme"), 2),
            ("clients", Some("beta"), 2),
        ] {
            for number in 1..=count {
                // The same people everywhere: nothing but the place tells the records apart.
                let values = person(number);
                let id = insert(&vault, table, tenant, &values);
                rows.insert(place(table, tenant, id), values);
            }
        }
        for (table, tenant) in [("pages", None), ("notes", Some("acme")), ("notes", Some("beta"))] {
            for number in 1..=2 {
                let mut values = page(number);
                values.insert("slug".into(), Value::Text(format!("page-{number}")));
                let id = insert(&vault, table, tenant, &values);
                values.remove("slug");
                rows.insert(place(table, tenant, id), values);
            }
        }
        vault.close();
        drop(vault);
        let image = std::fs::read(scratch.path()).expect("the closed file");
        World { scratch, rows, image }
    }

    /// Every place of a table, in order.
    pub fn places(&self, table: &str) -> Vec<Place> {
        self.rows.keys().filter(|place| place.table == table).cloned().collect()
    }

    /// Puts the file back as it was and lets somebody without a key edit it.
    pub fn edit(&self, edit: impl FnOnce(&Connection)) {
        let path = self.scratch.path();
        for suffix in ["-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            let _ = std::fs::remove_file(name);
        }
        std::fs::write(&path, &self.image).expect("the file is put back");
        let conn = raw(&path);
        edit(&conn);
        conn.close().expect("SQLite closes the file");
    }

    /// As [`World::edit`] with one statement, which must change at least one row.
    pub fn edit_sql(&self, sql: &str, parameters: &[&dyn rusqlite::ToSql]) {
        self.edit(|conn| {
            let changed = conn.execute(sql, parameters).unwrap_or_else(|e| panic!("{sql}: {e}"));
            assert!(changed > 0, "the edit changes something: {sql}");
        });
    }

    /// Opens the vault and holds it to the outcome.
    #[track_caller]
    pub fn check(&self, what: &str, outcome: &Outcome) {
        let vault = self.scratch.try_open().unwrap_or_else(|e| panic!("{what}: {e}"));
        self.check_rows(&vault, what, outcome);
        self.check_scans(&vault, what, outcome);
        self.check_finds(&vault, what, outcome);
        Self::check_writes(&vault, what, outcome);
        Self::check_verify(&vault, what, outcome);
    }

    /// Checks that every row is there, read, scanned and found by every way, in a vault that is open.
    pub fn check_open(&self, vault: &Vault, what: &str) {
        let outcome = Outcome::default();
        self.check_rows(vault, what, &outcome);
        self.check_scans(vault, what, &outcome);
        self.check_finds(vault, what, &outcome);
    }

    fn check_rows(&self, vault: &Vault, what: &str, outcome: &Outcome) {
        for (place, values) in &self.rows {
            if outcome.refused.contains_key(place) {
                continue;
            }
            let row = with(vault, place, |table| table.get(&place.id));
            let row = row.unwrap_or_else(|error| panic!("{what}: {place:?}: {error}"));
            if outcome.gone.contains(place) {
                assert!(row.is_none(), "{what}: {place:?} is still there");
                continue;
            }
            let row = row.unwrap_or_else(|| panic!("{what}: {place:?} has gone"));
            assert_row(what, place, &row, values, outcome);
        }
        for (place, kind) in reachable(outcome) {
            let refused = with(vault, place, |table| table.get(&place.id));
            assert_refused(what, place, refused, *kind);
            let refused = with(vault, place, |table| table.get_many(&[place.id.as_ref()]));
            assert_refused(what, place, refused, *kind);
            let snapshot = vault.snapshot().expect("a snapshot");
            let refused = within(&snapshot, place, |table| table.get_many(&[place.id.as_ref()]));
            assert_refused(what, place, refused, *kind);
        }
    }

    fn check_scans(&self, vault: &Vault, what: &str, outcome: &Outcome) {
        let groups: BTreeSet<_> = self
            .rows
            .keys()
            .chain(reachable(outcome).map(|(place, _)| place))
            .map(|place| (place.table.clone(), place.tenant.clone()))
            .collect();
        for (table, tenant) in groups {
            let any = place(&table, tenant.as_deref(), Id::Integer(0));
            let here = |place: &&Place| place.table == table && place.tenant == tenant;
            let expected = self.rows.keys().filter(here).filter(|place| {
                !outcome.gone.contains(place) && !outcome.refused.contains_key(place)
            });
            let kinds: Vec<_> =
                reachable(outcome).filter(|(p, _)| here(p)).map(|(_, kind)| *kind).collect();
            let mut seen = BTreeSet::new();
            let result = with(vault, &any, |table| {
                for row in table.scan()? {
                    let row = row?;
                    let place = Place { id: row.id().to_owned(), ..any.clone() };
                    let values = self.rows.get(&place);
                    let values = values.unwrap_or_else(|| panic!("{what}: {place:?} is nobody's"));
                    assert!(
                        !outcome.refused.contains_key(&place),
                        "{what}: {place:?} was given out"
                    );
                    assert_row(what, &place, &row, values, outcome);
                    seen.insert(place);
                }
                Ok(())
            });
            if let Err(error) = result {
                assert!(kinds.contains(&error.kind()), "{what}: scan of {any:?}: {error}");
                continue;
            }
            assert!(kinds.is_empty(), "{what}: a scan of {any:?} passed over a refused row");
            assert_eq!(seen, expected.cloned().collect(), "{what}");
        }
    }

    /// A search may miss an edited row; it never gives one, and never a wrong one.
    fn check_finds(&self, vault: &Vault, what: &str, outcome: &Outcome) {
        let searched: BTreeMap<&str, Vec<&Value>> = self.searches();
        let groups: BTreeSet<_> =
            self.rows.keys().map(|p| (p.table.clone(), p.tenant.clone())).collect();
        for (table, tenant) in groups {
            let any = place(&table, tenant.as_deref(), Id::Integer(0));
            let kinds: Vec<_> = outcome.refused.values().copied().collect();
            for (column, wanted) in &searched {
                if !self.rows.iter().any(|(p, v)| p.table == table && v.contains_key(*column)) {
                    continue;
                }
                for value in wanted {
                    let found = with(vault, &any, |table| table.find(column, value.as_ref()));
                    let found = match found {
                        Ok(found) => found,
                        Err(error) => {
                            let message = format!("{what}: find in {any:?} by {column}: {error}");
                            assert!(kinds.contains(&error.kind()), "{message}");
                            continue;
                        }
                    };
                    let mut ids = BTreeSet::new();
                    for row in found {
                        let place = Place { id: row.id().to_owned(), ..any.clone() };
                        let values = self.rows.get(&place);
                        let values =
                            values.unwrap_or_else(|| panic!("{what}: {place:?} is nobody's"));
                        assert!(
                            !outcome.refused.contains_key(&place),
                            "{what}: {place:?} was found"
                        );
                        assert!(
                            identical(values[*column].as_ref(), value.as_ref()),
                            "{what}: {column}"
                        );
                        assert_row(what, &place, &row, values, outcome);
                        ids.insert(place.id);
                    }
                    let untouched = self.rows.iter().filter(|(place, values)| {
                        place.table == table
                            && place.tenant == tenant
                            && !outcome.refused.contains_key(place)
                            && !outcome.gone.contains(place)
                            && identical(values[*column].as_ref(), value.as_ref())
                    });
                    for (place, _) in untouched {
                        assert!(
                            ids.contains(&place.id),
                            "{what}: {place:?} is not found by {column}"
                        );
                    }
                }
            }
        }
    }

    fn searches(&self) -> BTreeMap<&str, Vec<&Value>> {
        let mut searched: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for (column, value) in self.rows.values().flatten() {
            if !matches!(column.as_str(), "phone" | "body" | "plan" | "views") {
                let known = searched.entry(column).or_default();
                if !known.iter().any(|other| identical(other.as_ref(), value.as_ref())) {
                    known.push(value);
                }
            }
        }
        searched
    }

    fn check_writes(vault: &Vault, what: &str, outcome: &Outcome) {
        for (place, kind) in reachable(outcome) {
            let column = if matches!(place.id, Id::Text(_)) { "views" } else { "plan" };
            let value =
                if column == "views" { ValueRef::Integer(9) } else { ValueRef::Text("new") };
            let refused = with(vault, place, |table| table.update(&place.id, &[(column, value)]));
            assert_refused(what, place, refused, *kind);
            let refused = with(vault, place, |table| table.update(&place.id, &[]));
            assert_refused(what, place, refused, *kind);
            let refused = with(vault, place, |table| table.delete(&place.id));
            assert_refused(what, place, refused, *kind);
        }
    }

    fn check_verify(vault: &Vault, what: &str, outcome: &Outcome) {
        let verification = vault.verify(|_| ()).unwrap_or_else(|e| panic!("{what}: verify: {e}"));
        assert!(verification.integrity.is_empty(), "{what}: {:?}", verification.integrity);
        let found: BTreeMap<Place, ErrorKind> = verification
            .faults
            .iter()
            .map(|fault| {
                let place = place(&fault.table, fault.tenant.as_deref(), fault.id.clone());
                (place, fault.error.kind())
            })
            .collect();
        assert_eq!(found, outcome.refused, "{what}: verify");
        assert_eq!(verification.is_sound(), outcome.refused.is_empty());
    }
}

/// The rows that a program can ask for.
fn reachable(outcome: &Outcome) -> impl Iterator<Item = (&Place, &ErrorKind)> {
    let text_key = |place: &Place| matches!(place.table.as_str(), "pages" | "notes");
    let askable = move |place: &Place| {
        place.tenant.as_ref().is_none_or(|tenant| !tenant.is_empty())
            && matches!(place.id, Id::Text(_)) == text_key(place)
    };
    outcome.refused.iter().filter(move |(place, _)| askable(place))
}

/// A place.
pub fn place(table: &str, tenant: Option<&str>, id: Id) -> Place {
    Place { table: table.to_owned(), tenant: tenant.map(str::to_owned), id }
}

/// What a person of that number holds.
pub fn person(number: i64) -> Values {
    let text = |text: String| Value::Text(text);
    [
        ("email", text(format!("person{number}@example.org"))),
        ("surname", text(format!("Surname {number}"))),
        ("phone", text(format!("+49 30 {number:06}"))),
        ("role", text(if number == 1 { "admin" } else { "user" }.into())),
        ("level", Value::Integer(number)),
        #[allow(clippy::cast_precision_loss)]
        ("score", Value::Real(number as f64)),
        ("active", Value::Boolean(number % 2 == 1)),
        ("extra", Value::Json(format!("{{\"n\": {number}}}"))),
        ("photo", if number == 2 { Value::Null } else { Value::Blob(vec![0xff, 0, 0xd8]) }),
        ("code", text(format!("code-{number}"))),
        ("plan", text("free".into())),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn page(number: i64) -> Values {
    let body = Value::Text(format!("the body of page {number}"));
    let kind = Value::Text(if number == 1 { "draft" } else { "public" }.into());
    [("body", body), ("kind", kind), ("views", Value::Integer(0))]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn insert(vault: &Vault, table: &str, tenant: Option<&str>, values: &Values) -> Id {
    let pairs: Vec<_> = values.iter().map(|(n, v)| (n.as_str(), v.as_ref())).collect();
    let place = place(table, tenant, Id::Integer(0));
    with(vault, &place, |table| table.insert(&pairs)).expect("a row")
}

/// Runs work on the table of a place, through its tenant where it has one.
///
/// # Errors
/// What the work or the table refuses with.
pub fn with<T>(
    vault: &Vault,
    place: &Place,
    work: impl FnOnce(&Table<'_>) -> sealite::Result<T>,
) -> sealite::Result<T> {
    match &place.tenant {
        None => work(&vault.table(&place.table)?),
        Some(name) => work(&vault.tenant(name)?.table(&place.table)?),
    }
}

fn within<T>(
    snapshot: &Snapshot,
    place: &Place,
    work: impl FnOnce(&Table<'_>) -> sealite::Result<T>,
) -> sealite::Result<T> {
    match &place.tenant {
        None => work(&snapshot.table(&place.table)?),
        Some(name) => work(&snapshot.tenant_table(name, &place.table)?),
    }
}

fn assert_row(what: &str, place: &Place, row: &Row, values: &Values, outcome: &Outcome) {
    assert_eq!(row.len(), values.len(), "{what}: {place:?}");
    for (name, value) in row.columns() {
        let plain = matches!(name, "plan" | "views");
        let same = identical(value, values[name].as_ref());
        assert!(same || (plain && outcome.plain.contains(place)), "{what}: {place:?}: {name}");
    }
}

fn assert_refused<T>(what: &str, place: &Place, result: sealite::Result<T>, kind: ErrorKind) {
    match result {
        Ok(_) => panic!("{what}: {place:?} was accepted"),
        Err(error) => assert_eq!(error.kind(), kind, "{what}: {place:?}: {error}"),
    }
}

/// A row more, which must go through in a vault that is as it was.
///
/// # Errors
/// What the vault refuses with.
pub fn insert_user(vault: &Vault, email: &str) -> sealite::Result<Id> {
    vault.table("users")?.insert(values! {"email" => email})
}
