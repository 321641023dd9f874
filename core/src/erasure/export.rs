//! Everything that a subject has, as JSON, streaming.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value as Json, json};
use zeroize::Zeroize;

use super::Whom;
use crate::audit::{Audit, Entry, ExportOptions, append_for, timestamp};
use crate::error::{Error, Result, err};
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
    let mut found = SubjectExport::default();
    let mut writer = Objects { out, first: true };
    let head = json!({
        "format": FORMAT,
        "tenant": whom.tenant,
        "subject": subject,
        "exported_at": timestamp(engine.clock_ms()),
    });
    writer.text(head.to_string().trim_end_matches('}'))?;
    writer.text(",\"tables\":{")?;
    let mut schemas: Vec<&Arc<Schema>> = snapshot.state.tables.values().collect();
    schemas.sort_by_key(|schema| schema.name());
    let mut first = true;
    for schema in schemas {
        let Some(set) = rows_of(&snapshot, schema, whom)? else { continue };
        let comma = if std::mem::take(&mut first) { "" } else { "," };
        writer.text(&format!("{comma}{}:[", Json::from(schema.name())))?;
        writer.first = true;
        for row in set {
            writer.object(row_json(schema, &row)?)?;
            found.rows += 1;
        }
        writer.text("]")?;
    }
    writer.text("},\"tokens\":[")?;
    writer.first = true;
    let (conn, state) = (&snapshot.conn, &snapshot.state);
    for token in token::of_subject(engine, conn, state, whom.tenant, subject)? {
        writer.object(token_json(&token))?;
        found.tokens += 1;
    }
    writer.text("],\"approvals\":[")?;
    writer.first = true;
    for approval in approval::of_subject(conn, state, whom.tenant, subject)? {
        writer.object(approval)?;
        found.approvals += 1;
    }
    writer.text("],\"audit\":[")?;
    writer.first = true;
    drop(snapshot);
    // By the trail's own handle, whose reading is bounded: a batch at a time.
    Audit::new(engine, whom.tenant.map(Arc::from)).each(&ExportOptions::default(), |event| {
        if event.subject() == Some(subject) && event.tenant() == whom.tenant {
            writer.separated(event.json_line()?.trim_end())?;
            found.entries += 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    writer.text("]}\n")?;
    Session::run(engine, |session| {
        let payload = json!({
            "rows": found.rows, "tokens": found.tokens, "approvals": found.approvals,
            "entries": found.entries,
        });
        let entry = Entry::new("subject.exported").subject(subject).payload(payload.to_string());
        append_for(session, &entry, whom.tenant)
    })?;
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

fn row_json(schema: &Schema, row: &Row) -> Result<Json> {
    let mut object = Map::new();
    let key = match row.id() {
        IdRef::Integer(id) => Json::from(id),
        IdRef::Text(id) => Json::from(id),
    };
    object.insert(schema.stored.key.clone(), key);
    for (position, column) in schema.columns().enumerate() {
        let value = value_json(row.at(position).unwrap_or(ValueRef::Null))?;
        object.insert(column.column.name.clone(), value);
    }
    Ok(Json::Object(object))
}

fn value_json(value: ValueRef<'_>) -> Result<Json> {
    Ok(match value {
        ValueRef::Null => Json::Null,
        ValueRef::Integer(number) => number.into(),
        // Infinity has no word in JSON.
        ValueRef::Real(number) => serde_json::Number::from_f64(number)
            .map_or_else(|| number.to_string().into(), Json::Number),
        ValueRef::Text(text) => text.into(),
        ValueRef::Blob(bytes) => json!({"base64": Base64::encode_string(bytes)}),
        ValueRef::Boolean(flag) => flag.into(),
        ValueRef::Json(text) => serde_json::from_str(text)
            .map_err(|_| err!(Corrupt, "a JSON value that does not read"))?,
    })
}

fn token_json(token: &Token) -> Json {
    let scopes: Vec<&str> = token.scopes().collect();
    let data = token.data().and_then(|data| serde_json::from_str::<Json>(data).ok());
    json!({
        "id": token.id(),
        "kind": token.kind().name(),
        "label": token.label(),
        "prefix": token.prefix(),
        "scopes": scopes,
        "enabled": token.enabled(),
        "created_at": token.created_at(),
        "not_before": token.not_before(),
        "expires_at": token.expires_at(),
        "last_used_at": token.last_used_at(),
        "revoked_at": token.revoked_at(),
        "data": data,
    })
}

fn unwritten() -> Error {
    err!(Io, "the export can't be written")
}

/// JSON whose names and texts are overwritten when it goes.
struct Wiped(Json);

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Json) {
    match value {
        Json::String(text) => text.zeroize(),
        Json::Array(all) => all.iter_mut().for_each(wipe),
        Json::Object(all) => {
            for (mut name, mut value) in std::mem::take(all) {
                name.zeroize();
                wipe(&mut value);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// JSON values one behind the other.
struct Objects<'w> {
    out: &'w mut dyn Write,
    first: bool,
}

impl Objects<'_> {
    /// Written as it is spelled: no text of the whole of it is made.
    fn object(&mut self, value: Json) -> Result<()> {
        let value = Wiped(value);
        self.separated("")?;
        serde_json::to_writer(&mut *self.out, &value.0).map_err(|_| unwritten())
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
