//! Subjects: whose a row is. A subject's rows are sealed under keys of its own, and destroying them erases the rows
//! wherever copies of them are.

use std::borrow::Cow;

use super::definition::{Protection, TableDefinition};
use super::schema::{Schema, Stored};
use crate::error::{Result, err, fail};
use crate::value::{Type, ValueRef};

/// The longest name of a subject, in bytes.
const MAX_SUBJECT: usize = 1_000;

/// What says whose a row is; `C` names a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose<C> {
    /// The row's own key.
    Row,
    /// The value of a column.
    Column(C),
    /// The key that the record names: for a table of the engine's own, which keeps the subject inside the record.
    Key,
}

impl<C> Whose<C> {
    /// The same with the column as somebody else names it; `None` where they do not know it.
    pub(super) fn place<D>(&self, column: impl FnOnce(&C) -> Option<D>) -> Option<Whose<D>> {
        Some(match self {
            Whose::Row => Whose::Row,
            Whose::Column(id) => Whose::Column(column(id)?),
            Whose::Key => Whose::Key,
        })
    }
}

impl TableDefinition {
    /// Names the column, of integers or texts, whose value says whose a row is: the id of a user, say. It is
    /// authenticated, not sealed, because the key has to be known before the record is opened. Each subject's rows are
    /// sealed under a key of its own, made with its first row, which [`crate::Vault::erase_subject`] destroys; rows in
    /// which the column is NULL are the tenant's, or the vault's. The name of the primary key means what
    /// [`TableDefinition::subject_is_row`] means.
    ///
    /// A subject is the same in every table of a tenant, and the integer 7 is the subject `7`. Its name has 1 to 1,000
    /// bytes, and stays readable in the file, also after an erasure: an id, never an e-mail address.
    #[must_use]
    pub fn subject(mut self, column: impl Into<String>) -> Self {
        self.subject = Some(Whose::Column(column.into()));
        self
    }

    /// Every row is its own subject, named by its primary key: for the table of the users themselves.
    #[must_use]
    pub fn subject_is_row(mut self) -> Self {
        self.subject = Some(Whose::Row);
        self
    }

    /// The column that says whose a row is; the primary key where every row is its own subject.
    pub fn declared_subject(&self) -> Option<&str> {
        match self.subject.as_ref()? {
            Whose::Column(name) => Some(name),
            Whose::Row => Some(&self.key),
            Whose::Key => None,
        }
    }

    /// What says whose a row is, the primary key as the row itself.
    pub(super) fn whose(&self) -> Option<Whose<String>> {
        match self.subject.clone()? {
            Whose::Column(name) if name.eq_ignore_ascii_case(&self.key) => Some(Whose::Row),
            whose => Some(whose),
        }
    }

    /// For the engine's own tables: see [`Whose::Key`].
    pub(crate) fn subject_is_of_key(mut self) -> Self {
        self.subject = Some(Whose::Key);
        self
    }
}

impl Schema {
    /// What says whose a row is, as it is declared.
    pub(super) fn declared_subject(&self) -> Option<Whose<String>> {
        let mut columns = self.stored.columns.iter();
        let mut named = |id: &u32| columns.find(|column| column.id == *id);
        self.stored.subject.as_ref()?.place(|id| named(id).map(|column| column.column.name.clone()))
    }
}

/// Reads `with subject NAME`, the column that says whose a row is, or `with subject row`; none for other words.
pub(crate) fn subject_words(words: &str) -> Result<Option<Whose<String>>> {
    let mut parts = words.split_whitespace();
    let mut is = |wanted: &str| parts.next().is_some_and(|word| word.eq_ignore_ascii_case(wanted));
    if !is("with") || !is("subject") {
        return Ok(None);
    }
    let name: Vec<&str> = parts.collect();
    match name.join(" ").trim_matches('"') {
        "" => fail!(InvalidInput, "with subject is followed by a column, or by row"),
        word if word.eq_ignore_ascii_case("row") => Ok(Some(Whose::Row)),
        name => Ok(Some(Whose::Column(name.to_owned()))),
    }
}

/// True where both say the same of a table's rows.
pub(super) fn same_subject(there: &TableDefinition, declared: &TableDefinition) -> bool {
    let (there, wanted) = (there.declared_subject(), declared.declared_subject());
    there.zip(wanted).is_some_and(|(there, wanted)| there.eq_ignore_ascii_case(wanted))
}

/// What names a subject is readable, and nobody edits it unseen.
pub(super) fn check_subject(definition: &TableDefinition) -> Result<()> {
    let Some(Whose::Column(name)) = &definition.subject else { return Ok(()) };
    if name.eq_ignore_ascii_case(&definition.key) {
        return Ok(());
    }
    let mut columns = definition.columns.iter();
    let Some(column) = columns.find(|column| column.name.eq_ignore_ascii_case(name)) else {
        fail!(NotFound, "table {} has no column {name} to name its subjects", definition.name);
    };
    if !matches!(column.kind, Type::Integer | Type::Text) {
        fail!(Definition, "column {name} names the subject of a row: it is integer or text");
    }
    match column.protection {
        Protection::Authenticated => Ok(()),
        Protection::Sealed => fail!(
            Definition,
            "column {name} names the subject of a row, and so its key, which has to be known before the record is \
             opened: make it authenticated, not sealed"
        ),
        Protection::Plain => fail!(
            Definition,
            "column {name} names the subject of a row: make it authenticated, since whoever edits a plain column would \
             give the row to somebody else"
        ),
    }
}

/// The column that names the subject of every row is nothing else.
pub(super) fn check_no_subject(stored: &Stored, column: usize) -> Result<()> {
    let column = stored
        .columns
        .get(column)
        .filter(|column| stored.subject == Some(Whose::Column(column.id)));
    match column {
        None => Ok(()),
        Some(column) => fail!(
            Refused,
            "column {} says whose the rows of table {} are: it stays, and stays authenticated",
            column.column.name,
            stored.name
        ),
    }
}

/// The subject that a value names; none for NULL.
pub(crate) fn subject_of(value: ValueRef<'_>) -> Result<Option<Cow<'_, str>>> {
    Ok(match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(Cow::Owned(number.to_string())),
        ValueRef::Text(text) => {
            check_name(text)?;
            Some(Cow::Borrowed(text))
        }
        _ => return Err(err!(TypeMismatch, "a subject is named by an integer or a text")),
    })
}

/// A subject's name.
pub(crate) fn check_name(subject: &str) -> Result<()> {
    if subject.is_empty() || subject.len() > MAX_SUBJECT || subject.contains('\0') {
        fail!(InvalidInput, "a subject's name has 1 to {MAX_SUBJECT} bytes and no NUL");
    }
    Ok(())
}

/// The value that names a subject in a column of that type; none where no value of it does.
pub(crate) fn value_of(subject: &str, kind: Type) -> Option<ValueRef<'_>> {
    if kind == Type::Text {
        return Some(ValueRef::Text(subject));
    }
    let number: i64 = subject.parse().ok()?;
    // `+7` and `007` are texts of other subjects.
    (number.to_string() == subject).then_some(ValueRef::Integer(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_and_the_subject_that_it_names_belong_to_each_other() {
        for value in [ValueRef::Integer(7), ValueRef::Integer(i64::MIN), ValueRef::Text("ada")] {
            let name = subject_of(value).expect("a subject").expect("a name");
            let kind =
                if matches!(value, ValueRef::Integer(_)) { Type::Integer } else { Type::Text };
            assert_eq!(value_of(&name, kind), Some(value));
        }
        for none in ["+7", "007", "7 ", "", "-0", "9223372036854775808"] {
            assert_eq!(value_of(none, Type::Integer), None, "{none}");
        }
        assert!(subject_of(ValueRef::Null).expect("none").is_none());
        for wrong in ["", "a\0b", "x".repeat(1_001).as_str()] {
            assert!(subject_of(ValueRef::Text(wrong)).is_err());
        }
    }
}
