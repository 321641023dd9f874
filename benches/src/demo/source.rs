//! The application's database: made for the demonstration, or the user's own.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use sealite::{Column, Id, Index, Normaliser, Type, Value, ValueRef};

use super::guess::{self, Kind};
use crate::Outcome;
use crate::dataset::Dataset;
use crate::people::people;
use crate::plain::{Plain, quote, value};

/// The seed of the people that are made.
pub(super) const SEED: u64 = 1;
/// The fewest distinct values that a look-up index is declared for.
const FEWEST_DISTINCT: usize = 1_024;

/// A table of the application's, read into memory, and what is to become of its columns.
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// True where the people were made up here.
    pub(super) made: bool,
    pub(super) data: Dataset,
    /// What the personal columns hold, by position.
    pub(super) kinds: Vec<Option<Kind>>,
    /// What a person should know about how the table was understood.
    pub(super) remarks: Vec<String>,
}

impl Source {
    /// Makes a unique index a look-up one; false where there is none.
    pub(super) fn weaken_unique(&mut self) -> bool {
        let unique = |column: &Column| column.declared_index().is_some_and(Index::is_unique);
        let Some(column) = self.data.columns.iter_mut().find(|column| unique(column)) else {
            return false;
        };
        let expected = self.data.rows.len().max(FEWEST_DISTINCT) as u64;
        *column = column.clone().index(Index::lookup(expected).normaliser(Normaliser::Email));
        let name = column.name();
        self.remarks.push(format!("{name} has duplicates: look-up index instead of unique"));
        true
    }

    /// The position of a column that holds that.
    pub(super) fn position(&self, holds: Kind) -> Option<usize> {
        self.kinds.iter().position(|kind| *kind == Some(holds))
    }

    /// The texts of a column with the ids of their rows; NULL is left out.
    pub(super) fn texts(&self, position: usize) -> impl Iterator<Item = (&Id, &str)> {
        let rows = self.data.ids.iter().zip(&self.data.rows);
        rows.filter_map(move |(id, row)| Some((id, row.get(position)?.as_ref().as_str()?)))
    }
}

/// Writes a database of made-up people, in clear.
pub(super) fn make(path: &Path, count: usize) -> Outcome<()> {
    let rows = people(count, SEED).map(|person| {
        let texts = [person.name, person.email, person.phone, person.address];
        let texts = texts.into_iter().map(Value::Text);
        texts.chain([Value::from(person.role), Value::from(person.plan)]).collect()
    });
    let columns = ["name", "email", "phone", "address", "role", "plan"].map(Column::text);
    let data = Dataset {
        table: "users".into(),
        key: "id".into(),
        text_key: false,
        give_ids: false,
        columns: columns.into(),
        ids: (1..).take(count).map(Id::Integer).collect(),
        rows: rows.collect(),
    };
    let plain = Plain::create(path, &data)?;
    plain.insert(&data.insert_names(), &data.insert_rows(), 10_000)?;
    plain.checkpoint()
}

/// Reads a table and decides, by the columns' names or as told in `sealed`, how each is kept.
pub(super) fn read(
    path: &Path,
    table: Option<&str>,
    sealed: Option<&[String]>,
    made: bool,
) -> Outcome<Source> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    let table = match table {
        Some(table) => table.to_owned(),
        None => only_table(&conn)?,
    };
    let declared = declared(&conn, &table)?;
    let names: Vec<&str> = declared.iter().map(|column| column.name.as_str()).collect();
    if let Some(unknown) = sealed.into_iter().flatten().find(|name| !names.contains(&name.as_str()))
    {
        return Err(
            format!("table {table} has no column {unknown}: it has {}", names.join(", ")).into()
        );
    }
    let (rows, row_ids) = rows(&conn, &table, &names)?;
    let key = key_column(&declared, &rows, &row_ids)?;
    let mut source = Source {
        path: path.to_owned(),
        made,
        data: Dataset {
            table,
            key: key.name,
            text_key: key.text,
            give_ids: true,
            columns: Vec::new(),
            ids: key.ids,
            rows: vec![Vec::new(); rows.len()],
        },
        kinds: Vec::new(),
        remarks: Vec::new(),
    };
    for (at, about) in declared.iter().enumerate().filter(|(at, _)| Some(*at) != key.position) {
        let values = || rows.iter().filter_map(|row| row.get(at));
        let told = sealed.map(|sealed| sealed.contains(&about.name));
        let guessed = guess::kind(&about.name);
        let is_sealed = told.unwrap_or(guessed.is_some());
        let Some(kind) = one_type(values()) else {
            if is_sealed {
                return Err(format!("column {} holds values of several types", about.name).into());
            }
            source
                .remarks
                .push(format!("{} left out: it holds values of several types", about.name));
            continue;
        };
        let holds = guessed.filter(|_| is_sealed);
        let column = Column::new(&about.name, kind);
        let column = if about.not_null { column.not_null() } else { column };
        let column = if is_sealed {
            let column = column.sealed();
            match index(holds, kind, values(), &about.name, &mut source.remarks) {
                Some(index) => column.index(index),
                None => column,
            }
        } else if guess::grants_rights(&about.name) {
            column.authenticated()
        } else {
            column
        };
        source.kinds.push(holds);
        source.data.columns.push(column);
        for (to, from) in source.data.rows.iter_mut().zip(&rows) {
            to.push(from.get(at).cloned().unwrap_or(Value::Null));
        }
    }
    if !source.data.columns.iter().any(is_sealed_text) {
        return Err(format!(
            "no text column of {} has a personal name: say which to seal with --columns, of {}",
            source.data.table,
            names.join(", ")
        )
        .into());
    }
    Ok(source)
}

/// True for a text column that is kept sealed.
pub(super) fn is_sealed_text(column: &Column) -> bool {
    column.kind() == Type::Text && column.declared_protection() == sealite::Protection::Sealed
}

/// The index that fits what the column holds; a unique one only where no two values are the same.
fn index<'v>(
    holds: Option<Kind>,
    kind: Type,
    values: impl Iterator<Item = &'v Value>,
    name: &str,
    remarks: &mut Vec<String>,
) -> Option<Index> {
    if kind != Type::Text {
        return None;
    }
    let (mut count, mut distinct) = (0, HashSet::new());
    for text in values.filter_map(|value| value.as_ref().as_str()) {
        count += 1;
        distinct.insert(text.trim().to_lowercase());
    }
    let expected = distinct.len().max(FEWEST_DISTINCT) as u64;
    match holds? {
        Kind::Email if distinct.len() == count => {
            Some(Index::unique().normaliser(Normaliser::Email))
        }
        Kind::Email => {
            remarks.push(format!("{name} has duplicates: look-up index instead of unique"));
            Some(Index::lookup(expected).normaliser(Normaliser::Email))
        }
        Kind::Phone => Some(Index::lookup(expected).normaliser(Normaliser::Digits)),
        Kind::Name => Some(Index::lookup(expected).normaliser(Normaliser::Text)),
        Kind::Address => None,
    }
}

struct Declared {
    name: String,
    not_null: bool,
    in_key: bool,
}

fn declared(conn: &Connection, table: &str) -> Outcome<Vec<Declared>> {
    let mut stmt = conn.prepare("SELECT name, \"notnull\", pk FROM pragma_table_info(?)")?;
    let column = |row: &rusqlite::Row<'_>| {
        let in_key = row.get::<_, i64>(2)? > 0;
        Ok(Declared { name: row.get(0)?, not_null: row.get(1)?, in_key })
    };
    let columns = stmt.query_map([table], column)?.collect::<Result<Vec<_>, _>>()?;
    if columns.is_empty() {
        return Err(
            format!("there is no table {table}: there is {}", tables(conn)?.join(", ")).into()
        );
    }
    Ok(columns)
}

fn tables(conn: &Connection) -> Outcome<Vec<String>> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1";
    let names = conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}

fn only_table(conn: &Connection) -> Outcome<String> {
    let mut all = tables(conn)?;
    match (all.len(), all.pop()) {
        (1, Some(table)) => Ok(table),
        (0, _) => Err("the database has no table".into()),
        _ => Err(format!("say which table with --table: {}", tables(conn)?.join(", ")).into()),
    }
}

/// Every row, and SQLite's row ids.
fn rows(conn: &Connection, table: &str, names: &[&str]) -> Outcome<(Vec<Vec<Value>>, Vec<Id>)> {
    let list = names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ");
    let has_row_id = conn.prepare(&format!("SELECT rowid FROM {}", quote(table))).is_ok();
    let row_id = if has_row_id { "rowid" } else { "row_number() OVER ()" };
    let sql = format!("SELECT {row_id}, {list} FROM {} ORDER BY 1", quote(table));
    let mut stmt = conn.prepare(&sql)?;
    let (mut all, mut ids) = (Vec::new(), Vec::new());
    let mut cursor = stmt.query([])?;
    while let Some(row) = cursor.next()? {
        ids.push(Id::Integer(row.get(0)?));
        let values = names.iter().enumerate().map(|(at, name)| {
            let read = value(row.get_ref(at + 1)?);
            read.map_err(|_| format!("column {name} holds text that is not UTF-8").into())
        });
        all.push(values.collect::<Outcome<_>>()?);
    }
    Ok((all, ids))
}

struct KeyColumn {
    name: String,
    text: bool,
    position: Option<usize>,
    ids: Vec<Id>,
}

/// The primary key where it is one column of integers or of texts, else SQLite's row ids under a name of their own.
fn key_column(declared: &[Declared], rows: &[Vec<Value>], row_ids: &[Id]) -> Outcome<KeyColumn> {
    let mut in_key = declared.iter().enumerate().filter(|(_, column)| column.in_key);
    if let (Some((at, column)), None) = (in_key.next(), in_key.next()) {
        let ids = |of: fn(&Value) -> Option<Id>| {
            rows.iter().map(|row| row.get(at).and_then(of)).collect::<Option<Vec<Id>>>()
        };
        let integers = || ids(|value| value.as_ref().as_i64().map(Id::Integer));
        let texts = || ids(|value| value.as_ref().as_str().map(|text| Id::Text(text.to_owned())));
        let found = integers().map(|ids| (false, ids)).or_else(|| texts().map(|ids| (true, ids)));
        if let Some((text, ids)) = found {
            return Ok(KeyColumn { name: column.name.clone(), text, position: Some(at), ids });
        }
    }
    let free = |name: &&str| !declared.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let name = ["id", "row_id", "row_number"].into_iter().find(free);
    let name = name.ok_or("no name is free for the row ids")?.to_owned();
    Ok(KeyColumn { name, text: false, position: None, ids: row_ids.to_vec() })
}

/// The one type of values that are not NULL: text where there are none; `None` where there are several.
fn one_type<'v>(values: impl Iterator<Item = &'v Value>) -> Option<Type> {
    let mut found = None;
    for value in values {
        let kind = match value.as_ref() {
            ValueRef::Null => continue,
            ValueRef::Integer(_) => Type::Integer,
            ValueRef::Real(_) => Type::Real,
            ValueRef::Blob(_) => Type::Blob,
            _ => Type::Text,
        };
        if found.is_some_and(|found| found != kind) {
            return None;
        }
        found = Some(kind);
    }
    Some(found.unwrap_or(Type::Text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn database(sql: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        (folder, path)
    }

    fn specifications(source: &Source) -> Vec<String> {
        source.data.columns.iter().map(Column::specification).collect()
    }

    #[test]
    fn columns_are_understood_by_name_and_by_what_they_hold() {
        let (_folder, path) = database(
            "CREATE TABLE people (uuid TEXT PRIMARY KEY, Email TEXT NOT NULL, tel INTEGER, full_name, is_admin, misc);
             INSERT INTO people VALUES ('b', 'A@x.example', 123456789, 'Ada', 1, 'text'),
                 ('a', 'b@x.example', NULL, NULL, 0, 7)",
        );
        let source = read(&path, None, None, false).unwrap();
        assert_eq!(
            specifications(&source),
            [
                "Email text sealed not null unique email",
                "tel integer sealed",
                "full_name text sealed lookup 1024 text",
                "is_admin integer authenticated",
            ]
        );
        assert_eq!((source.data.key.as_str(), source.data.text_key), ("uuid", true));
        assert_eq!(source.data.ids, [Id::Text("b".into()), Id::Text("a".into())]);
        assert!(source.remarks.iter().any(|remark| remark.starts_with("misc left out")));
        assert!(source.data.rows.iter().all(|row| row.len() == 4));
    }

    #[test]
    fn duplicates_of_an_address_in_any_case_make_it_a_look_up() {
        let (_folder, path) = database(
            "CREATE TABLE u (id INTEGER PRIMARY KEY, email TEXT);
             INSERT INTO u VALUES (7, 'a@x.example'), (9, 'A@X.example')",
        );
        let source = read(&path, Some("u"), None, false).unwrap();
        assert_eq!(specifications(&source), ["email text sealed lookup 1024 email"]);
        assert!(source.remarks.iter().any(|remark| remark.contains("duplicates")));
        assert_eq!(source.data.ids, [Id::Integer(7), Id::Integer(9)]);
    }

    #[test]
    fn columns_that_are_named_are_sealed_and_no_others() {
        let (_folder, path) = database(
            "CREATE TABLE u (a, b, email TEXT, PRIMARY KEY (a, b)); INSERT INTO u VALUES (1, 'x', 'y@z.example')",
        );
        let source = read(&path, None, Some(&["b".to_owned()]), false).unwrap();
        assert_eq!(
            specifications(&source),
            ["a integer plain", "b text sealed", "email text plain"]
        );
        assert_eq!((source.data.key.as_str(), &source.data.ids), ("id", &vec![Id::Integer(1)]));
        assert!(read(&path, None, Some(&["c".to_owned()]), false).is_err());
        assert!(read(&path, None, Some(&["a".to_owned()]), false).is_err());
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        let (_folder, path) = database("CREATE TABLE a (x); CREATE TABLE b (email)");
        let message = |table| read(&path, table, None, false).err().map(|error| error.to_string());
        assert_eq!(message(None).unwrap(), "say which table with --table: a, b");
        assert_eq!(message(Some("c")).unwrap(), "there is no table c: there is a, b");
        assert!(message(Some("a")).unwrap().contains("--columns"));
        assert_eq!(message(Some("b")), None);
    }

    #[test]
    fn made_people_come_back_with_the_columns_that_the_issue_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.db");
        make(&path, 1_500).unwrap();
        let source = read(&path, None, None, true).unwrap();
        assert_eq!(
            specifications(&source),
            [
                "name text sealed lookup 1423 text",
                "email text sealed unique email",
                "phone text sealed lookup 1500 digits",
                "address text sealed",
                "role text authenticated",
                "plan text plain",
            ]
        );
        assert_eq!(source.data.rows.len(), 1_500);
        assert!(source.remarks.is_empty());
    }
}
