//! `sealite_tables()`: the sealed tables as JSON, for whoever wants to know in SQL what they are.
//!
//! `SELECT value ->> 'name' FROM json_each(sealite_tables())`. Of each table: `name`, `physical`, `key`, `key_type`,
//! `padding`, `subject` (the column that says whose a row is) and `columns`; of each column `name`, `type`, `protection`, `not_null`, `default` as a literal, `index` as
//! it is declared (`unique email`), and all of that as one `specification`.

use serde_json::{Value as Json, json};

use super::face::Face;
use super::table::shows;
use crate::error::Result;
use crate::format::padding::Padding;
use crate::table::schema::Schema;
use crate::table::specification::{index_words, written};

/// The tables that SQL shows, in the order of their names.
pub(super) fn tables(face: &Face) -> Result<String> {
    if !face.authority.shows {
        return Ok("[]".to_owned());
    }
    let step = face.step()?;
    let mut shown: Vec<_> = step.state.tables.values().filter(|schema| shows(schema)).collect();
    shown.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(Json::Array(shown.into_iter().map(|schema| table(schema)).collect()).to_string())
}

fn table(schema: &Schema) -> Json {
    let stored = &schema.stored;
    let column = |column: &crate::table::schema::StoredColumn| {
        let column = &column.column;
        json!({
            "name": column.name,
            "type": column.kind.name(),
            "protection": column.protection.name(),
            "not_null": column.not_null,
            "default": column.default.as_ref().map(written),
            "index": column.index.as_ref().map(index_words),
            "specification": column.specification(),
        })
    };
    json!({
        "name": stored.name,
        "physical": stored.physical(),
        "key": stored.key,
        "columns_before_key": schema.key_at(),
        "key_type": if stored.text_key { "text" } else { "integer" },
        "padding": match stored.padding {
            Padding::None => json!("none"),
            Padding::Padme => json!("padme"),
            Padding::Block(block) => json!(block),
        },
        "subject": schema.definition().declared_subject(),
        "columns": schema.columns().map(column).collect::<Vec<_>>(),
    })
}
