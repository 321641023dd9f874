//! What a program declares: tables, columns, protections, indexes.

use super::names::check_name;
use super::subject::{Whose, check_subject};
use crate::error::{Result, fail};
use crate::format::padding::Padding;
use crate::index::normalise::Normaliser;
use crate::index::planner::{MIN_DISTINCT, plan_bits};
use crate::value::{Type, Value};

pub(crate) use super::names::{MAX_NAME, check_own, check_table_name, check_tenant, is_internal};

/// How a column is kept. The order is that of strength.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Protection {
    /// An ordinary SQL column, not protected.
    Plain,
    /// Readable in the file, and bound to the row: an edit from outside is refused when the row is read.
    Authenticated,
    /// Only inside the sealed record.
    Sealed,
}

impl Protection {
    /// The name used in column specifications.
    pub fn name(self) -> &'static str {
        match self {
            Protection::Plain => "plain",
            Protection::Authenticated => "authenticated",
            Protection::Sealed => "sealed",
        }
    }
}

/// An index on a column: on a sealed column a blind index, on any other one of SQLite's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Index {
    pub(crate) unique: bool,
    pub(crate) normaliser: Normaliser,
    /// How many different values are expected; what a look-up index is planned from.
    pub(crate) expected_distinct: Option<u64>,
    pub(crate) override_reason: Option<String>,
}

impl Index {
    /// No two rows (of one tenant) have the same value; NULL may stand in many. Blind: 128 bits of HMAC-SHA-256 are kept.
    pub fn unique() -> Self {
        Index {
            unique: true,
            normaliser: Normaliser::Exact,
            expected_distinct: None,
            override_reason: None,
        }
    }

    /// Finds rows by value. Blind: so few bits are kept that every index value stands for several of the expected
    /// number of different values; what is found is filtered by the opened value.
    ///
    /// Fewer than 1,024 different values are refused when the table is declared: their frequencies would show in the
    /// index. [`Index::accept_leakage`] overrides that.
    pub fn lookup(expected_distinct: u64) -> Self {
        Index { unique: false, expected_distinct: Some(expected_distinct), ..Index::unique() }
    }

    /// The form in which values are compared. Default: [`Normaliser::Exact`]. Others are for text.
    #[must_use]
    pub fn normaliser(mut self, normaliser: Normaliser) -> Self {
        self.normaliser = normaliser;
        self
    }

    /// Accepts what a blind index over few values, or over a boolean, reveals. The reason is kept in the catalog.
    #[must_use]
    pub fn accept_leakage(mut self, reason: impl Into<String>) -> Self {
        self.override_reason = Some(reason.into());
        self
    }

    /// True for [`Index::unique`].
    pub fn is_unique(&self) -> bool {
        self.unique
    }

    /// The form in which values are compared.
    pub fn declared_normaliser(&self) -> Normaliser {
        self.normaliser
    }

    /// The reason for which the leakage of a blind index was accepted.
    pub fn accepted_leakage(&self) -> Option<&str> {
        self.override_reason.as_deref()
    }

    /// The bits that a blind index keeps: `None` for 128 (unique), else the planned number.
    pub fn bits(&self) -> Option<u8> {
        if self.unique {
            return None;
        }
        // Where a population is too small for the rule, the reason that overrides it allows the fewest bits.
        Some(self.expected_distinct.and_then(plan_bits).unwrap_or(1))
    }
}

/// A column of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    pub(crate) name: String,
    pub(crate) kind: Type,
    pub(crate) protection: Protection,
    pub(crate) not_null: bool,
    pub(crate) default: Option<Value>,
    pub(crate) index: Option<Index>,
}

impl Column {
    /// A plain column that may be NULL.
    pub fn new(name: impl Into<String>, kind: Type) -> Self {
        Column {
            name: name.into(),
            kind,
            protection: Protection::Plain,
            not_null: false,
            default: None,
            index: None,
        }
    }

    /// A text column.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name, Type::Text)
    }

    /// An integer column.
    pub fn integer(name: impl Into<String>) -> Self {
        Self::new(name, Type::Integer)
    }

    /// A column of doubles.
    pub fn real(name: impl Into<String>) -> Self {
        Self::new(name, Type::Real)
    }

    /// A column of bytes.
    pub fn blob(name: impl Into<String>) -> Self {
        Self::new(name, Type::Blob)
    }

    /// A boolean column.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::new(name, Type::Boolean)
    }

    /// A column of JSON text.
    pub fn json(name: impl Into<String>) -> Self {
        Self::new(name, Type::Json)
    }

    /// Keeps the column sealed.
    #[must_use]
    pub fn sealed(self) -> Self {
        self.protection(Protection::Sealed)
    }

    /// Keeps the column authenticated.
    #[must_use]
    pub fn authenticated(self) -> Self {
        self.protection(Protection::Authenticated)
    }

    /// Sets the protection.
    #[must_use]
    pub fn protection(mut self, protection: Protection) -> Self {
        self.protection = protection;
        self
    }

    /// Refuses NULL.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.not_null = true;
        self
    }

    /// The value where none is given, and for the rows that were there before the column.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// Adds an index.
    #[must_use]
    pub fn index(mut self, index: Index) -> Self {
        self.index = Some(index);
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The declared type.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// The declared protection.
    pub fn declared_protection(&self) -> Protection {
        self.protection
    }

    /// The declared index.
    pub fn declared_index(&self) -> Option<&Index> {
        self.index.as_ref()
    }

    /// True where NULL is refused.
    pub fn is_not_null(&self) -> bool {
        self.not_null
    }

    pub(crate) fn check(&self) -> Result<()> {
        check_name(&self.name, "column")?;
        let name = &self.name;
        if let Some(default) = &self.default {
            let admitted = self.kind.admit(default.as_ref(), name)?;
            if admitted.is_null() && self.not_null {
                fail!(InvalidInput, "column {name} is NOT NULL, and its default is NULL");
            }
        }
        let Some(index) = &self.index else { return Ok(()) };
        if index.normaliser != Normaliser::Exact && self.kind != Type::Text {
            fail!(InvalidInput, "column {name}: only text has a normaliser other than exact");
        }
        if self.protection != Protection::Sealed {
            if index.normaliser != Normaliser::Exact {
                fail!(InvalidInput, "column {name} is not sealed: SQL compares it exactly");
            }
            return Ok(());
        }
        if matches!(self.kind, Type::Real | Type::Json) {
            fail!(
                InvalidInput,
                "column {name}: a blind index compares for equality, which {} values \
                 have no dependable form for",
                self.kind.name()
            );
        }
        let few = index.expected_distinct.is_some_and(|count| count < MIN_DISTINCT);
        if (few || self.kind == Type::Boolean) && index.override_reason.is_none() {
            fail!(
                Refused,
                "column {name}: a blind index over fewer than {MIN_DISTINCT} different values shows their \
                 frequencies; leave it without an index, or accept the leakage with a reason"
            );
        }
        Ok(())
    }
}

/// A table to declare with [`crate::Vault::define_table`].
#[derive(Clone, PartialEq, Debug)]
pub struct TableDefinition {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) text_key: bool,
    /// How many columns SQL shows before the key.
    pub(crate) key_at: usize,
    pub(crate) per_tenant: bool,
    pub(crate) padding: Padding,
    pub(crate) subject: Option<Whose<String>>,
    pub(crate) columns: Vec<Column>,
}

impl TableDefinition {
    /// A table with an integer primary key named `id`.
    pub fn new(name: impl Into<String>) -> Self {
        TableDefinition {
            name: name.into(),
            key: "id".to_owned(),
            text_key: false,
            key_at: 0,
            per_tenant: false,
            padding: Padding::default(),
            subject: None,
            columns: Vec::new(),
        }
    }

    /// Names the integer primary key.
    #[must_use]
    pub fn integer_key(mut self, name: impl Into<String>) -> Self {
        (self.key, self.text_key) = (name.into(), false);
        self
    }

    /// Makes the primary key a text that the application chooses, compared byte for byte.
    #[must_use]
    pub fn text_key(mut self, name: impl Into<String>) -> Self {
        (self.key, self.text_key) = (name.into(), true);
        self
    }

    /// Every row belongs to a tenant and is sealed under that tenant's key; the table is reached through
    /// [`crate::Vault::tenant`] only.
    #[must_use]
    pub fn per_tenant(mut self) -> Self {
        self.per_tenant = true;
        self
    }

    /// Sets the padding of the sealed payload.
    #[must_use]
    pub fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the primary key.
    pub fn key_name(&self) -> &str {
        &self.key
    }

    /// True where the primary key is text.
    pub fn has_text_key(&self) -> bool {
        self.text_key
    }

    /// True where every row belongs to a tenant.
    pub fn is_per_tenant(&self) -> bool {
        self.per_tenant
    }

    /// The columns, without the primary key.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The padding.
    pub fn declared_padding(&self) -> Padding {
        self.padding
    }

    pub(crate) fn check(&self) -> Result<()> {
        check_name(&self.name, "table")?;
        check_name(&self.key, "key")?;
        if matches!(self.padding, Padding::Block(0 | u16::MAX)) {
            fail!(InvalidInput, "a padding block has 1 to 65,534 bytes");
        }
        let mut seen = vec![self.key.to_lowercase()];
        if self.per_tenant {
            seen.push("tenant".to_owned());
        }
        for column in &self.columns {
            column.check()?;
            let lower = column.name.to_lowercase();
            if seen.contains(&lower) {
                fail!(
                    InvalidInput,
                    "the name {} stands twice, or is taken by the engine",
                    column.name
                );
            }
            seen.push(lower);
        }
        check_subject(self)
    }
}
