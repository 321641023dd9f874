//! Everything that a subject has, as JSON, streaming.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use serde_json::json;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::Whom;
use crate::audit::{Audit, Entry, ExportOptions, append_for, json_line, timestamp};
use crate::error::{Error, Result, err};
use crate::format::json::WipedJson;
use crate::secret::Gathered;
use crate::table::engine::Engine;
use crate::table::schema::Schema;
use crate::table::session::Session;
use crate::table::subject::{Whose, value_of};
use crate::table::{ReadSession, Row, Target, find};
use crate::token::Token;
use crate::value::{IdRef, Type, ValueRef};
use crate::{approval, token};

/// The format's name and version.
const FORMAT: &str = "sealite-subject-1";

/// What an export has written.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct SubjectExport {
    /// Rows of the application's tables.
    pub rows: u64,
    /// Tokens.
    pub tokens: u64,
    /// Approvals.
    pub approvals: u64,
    /// Audit entries.
    pub entries: u64,
}

/// Writes everything that the subject has.
pub(crate) fn export(
    engine: &Arc<Engine>,
    whom: Whom<'_>,
    out: &mut dyn Write,
) -> Result<SubjectExport> {
    whom.check()?;
    let subject = whom.subject.unwrap_or_default();
    let snapshot = ReadSession::begin(engine)?;
    snapshot.state.ring.check_subject(&snapshot.conn, whom.tenant, subject)?;
    let mut out = Gathered::new(out);
    let written = write_all(engine, whom, snapshot, &mut out);
    // What there is before a row that does not open is the caller's to see; an error on the way is the one to report.
    let flushed = out.flush().map_err(|_| unwritten());
    let found = written.and_then(|found| flushed.map(|()| found))?;
    Session::run(engine, |session| {
        let payload = json!({
            "rows": found.rows, "tokens": found.tokens, "approvals": found.approvals,
            "entries": found.entries,
        });
        let entry = Entry::new("subject.exported").subject(subject).json(payload);
        append_for(session, &entry, whom.tenant)
    })?;
    Ok(found)
}

fn write_all(
    engine: &Arc<Engine>,
    whom: Whom<'_>,
    snapshot: ReadSession,
    out: &mut dyn Write,
) -> Result<SubjectExport> {
    let subject = whom.subject.unwrap_or_default();
    let mut found = SubjectExport::default();
    let mut writer = Objects { out, first: true };
    let head = WipedJson(json!({
        "format": FORMAT,
        "tenant": whom.tenant,
        "subject": subject,
        "exported_at": timestamp(engine.clock_ms()),
    }));
    writer.text(head.text().trim_end_matches('}'))?;
    writer.text(",\"tables\":{")?;
    let mut schemas: Vec<&Arc<Schema>> = snapshot.state.tables.values().collect();
    schemas.sort_by_key(|schema| schema.name());
    let mut first = true;
    for schema in schemas {
        let Some(set) = rows_of(&snapshot, schema, whom)? else { continue };
        let comma = if std::mem::take(&mut first) { "" } else { "," };
        writer.text(&format!("{comma}{}:[", serde_json::Value::from(schema.name())))?;
        writer.first = true;
        for row in set {
            writer.object(&Object(&members(schema, &row)))?;
            found.rows += 1;
        }
        writer.text("]")?;
    }
    writer.text("},\"tokens\":[")?;
    writer.first = true;
    let (conn, state) = (&snapshot.conn, &snapshot.state);
    for token in token::of_subject(engine, conn, state, whom.tenant, subject)? {
        writer.object(&Object(&token_members(&token)))?;
        found.tokens += 1;
    }
    writer.text("],\"approvals\":[")?;
    writer.first = true;
    for approval in approval::of_subject(conn, state, whom.tenant, subject)? {
        writer.object(&WipedJson(approval).0)?;
        found.approvals += 1;
    }
    writer.text("],\"audit\":[")?;
    writer.first = true;
    drop(snapshot);
    // By the trail's own handle, whose reading is bounded: a batch at a time.
    Audit::new(engine, whom.tenant.map(Arc::from)).each(&ExportOptions::default(), |event| {
        if event.subject() == Some(subject) && event.tenant() == whom.tenant {
            writer.separated(json_line(event).trim_end())?;
            found.entries += 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    writer.text("]}\n")?;
    Ok(found)
}

/// The subject's rows of a table; `None` where the table has none of subjects.
fn rows_of(snapshot: &ReadSession, schema: &Schema, whom: Whom<'_>) -> Result<Option<Vec<Row>>> {
    let stored = &schema.stored;
    if stored.per_tenant != whom.tenant.is_some() {
        return Ok(None);
    }
    let (name, kind) = match stored.subject {
        Some(Whose::Row) => (&stored.key, if stored.text_key { Type::Text } else { Type::Integer }),
        Some(Whose::Column(id)) => {
            let column = stored.columns.iter().find(|column| column.id == id);
            let column = column.ok_or_else(|| err!(Internal, "a subject without its column"))?;
            (&column.column.name, column.column.kind)
        }
        Some(Whose::Key) | None => return Ok(None),
    };
    let Some(value) = value_of(whom.subject.unwrap_or_default(), kind) else {
        return Ok(Some(Vec::new()));
    };
    let target = Target { name: schema.name(), tenant: whom.tenant };
    Ok(Some(find(&snapshot.conn, &snapshot.state, target, name, value)?.into_rows()))
}

/// What stands behind a name of an object.
enum Member<'a> {
    Value(ValueRef<'a>),
    Texts(Vec<&'a str>),
}

impl<'a, T: Into<ValueRef<'a>>> From<T> for Member<'a> {
    fn from(value: T) -> Self {
        Member::Value(value.into())
    }
}

fn members<'a>(schema: &'a Schema, row: &'a Row) -> Vec<(&'a str, Member<'a>)> {
    let key = match row.id() {
        IdRef::Integer(id) => id.into(),
        IdRef::Text(id) => id.into(),
    };
    let columns = schema.columns().enumerate().map(|(position, column)| {
        (column.column.name.as_str(), row.at(position).unwrap_or(ValueRef::Null).into())
    });
    std::iter::once((schema.stored.key.as_str(), key)).chain(columns).collect()
}

fn token_members(token: &Token) -> [(&'static str, Member<'_>); 12] {
    let data = token.data().map_or(ValueRef::Null, ValueRef::Json);
    [
        ("id", token.id().into()),
        ("kind", token.kind().name().into()),
        ("label", token.label().into()),
        ("prefix", token.prefix().into()),
        ("scopes", Member::Texts(token.scopes().collect())),
        ("enabled", token.enabled().into()),
        ("created_at", token.created_at().into()),
        ("not_before", token.not_before().into()),
        ("expires_at", token.expires_at().into()),
        ("last_used_at", token.last_used_at().into()),
        ("revoked_at", token.revoked_at().into()),
        ("data", data.into()),
    ]
}

/// An object that is spelled from what is in memory already: no second copy of it is made.
struct Object<'a>(&'a [(&'a str, Member<'a>)]);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(Some(self.0.len()))?;
        for (name, member) in self.0 {
            map.serialize_entry(name, member)?;
        }
        map.end()
    }
}

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        let value = match self {
            Member::Value(value) => *value,
            Member::Texts(all) => return all.serialize(out),
        };
        match value {
            ValueRef::Null => out.serialize_unit(),
            ValueRef::Integer(number) => out.serialize_i64(number),
            // Infinity has no word in JSON.
            ValueRef::Real(number) if number.is_finite() => out.serialize_f64(number),
            ValueRef::Real(number) => out.collect_str(&number),
            ValueRef::Text(text) => out.serialize_str(text),
            ValueRef::Blob(bytes) => {
                let text = Zeroizing::new(Base64::encode_string(bytes));
                let mut map = out.serialize_map(Some(1))?;
                map.serialize_entry("base64", text.as_str())?;
                map.end()
            }
            ValueRef::Boolean(flag) => out.serialize_bool(flag),
            // As it is spelled in the row.
            ValueRef::Json(text) => serde_json::from_str::<&RawValue>(text)
                .map_err(|_| S::Error::custom("a JSON value that does not read"))?
                .serialize(out),
        }
    }
}

fn unwritten() -> Error {
    err!(Io, "the export can't be written")
}

/// JSON values one behind the other.
struct Objects<'w> {
    out: &'w mut dyn Write,
    first: bool,
}

impl Objects<'_> {
    /// Written as it is spelled: no text of the whole of it is made.
    fn object(&mut self, value: &impl Serialize) -> Result<()> {
        self.separated("")?;
        serde_json::to_writer(&mut *self.out, value).map_err(|error| {
            if error.is_io() {
                unwritten()
            } else {
                err!(Corrupt, "a JSON value that does not read")
            }
        })
    }

    fn separated(&mut self, json: &str) -> Result<()> {
        let comma = if std::mem::take(&mut self.first) { "\n" } else { ",\n" };
        self.text(comma)?;
        self.text(json)
    }

    fn text(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes()).map_err(|_| unwritten())
    }
}
