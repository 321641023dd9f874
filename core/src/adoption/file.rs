//! The plan file.
//!
//! ```text
//! as = "values"                  # or "tables", the default
//! remove = true                  # drop the tables from the application's database
//! [tables.users]
//! email = "sealed unique email"
//! phone = { is = "sealed unique digits", from = "fernet", key = "env:OLD_KEY" }
//! ```

use toml::{Table, Value};

use super::import::{Importer, Settings};
use super::plan::{AdoptionPlan, ColumnPlan, When};
use crate::error::{Result, err, fail};

pub(super) fn read(text: &str) -> Result<AdoptionPlan> {
    let file: Table = match text.parse() {
        Ok(file) => file,
        Err(error) => {
            let error: toml::de::Error = error;
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            fail!(InvalidInput, "the plan is not TOML: line {line}: {}", error.message())
        }
    };
    let mut plan = AdoptionPlan::new();
    let mut tables = None;
    for (name, value) in &file {
        match (name.as_str(), value) {
            ("as", Value::String(how)) if how == "values" => plan.values = true,
            ("as", Value::String(how)) if how == "tables" => plan.values = false,
            ("as", _) => fail!(InvalidInput, "as is \"tables\" or \"values\""),
            ("remove", Value::Boolean(removes)) => plan.removes = *removes,
            ("remove", _) => fail!(InvalidInput, "remove is true or false"),
            ("tables", Value::Table(found)) => tables = Some(found),
            _ => fail!(InvalidInput, "{name} is nothing that a plan has"),
        }
    }
    for (table, columns) in tables.into_iter().flatten() {
        let Value::Table(columns) = columns else {
            fail!(InvalidInput, "tables.{table} has columns, one a line");
        };
        for (name, value) in columns {
            let planned = column(table, name, value)?;
            plan = plan.with(table, planned)?;
        }
    }
    Ok(plan)
}

fn column(table: &str, name: &str, value: &Value) -> Result<ColumnPlan> {
    let place = format!("{table}.{name}");
    let entry = match value {
        Value::String(words) => return ColumnPlan::new(name, words),
        Value::Table(entry) => entry,
        _ => fail!(InvalidInput, "{place} is a text, or has `is` and more"),
    };
    let text = |key: &str| match entry.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(err!(InvalidInput, "{place}: {key} is a text")),
    };
    for key in entry.keys() {
        if !KEYS.contains(&key.as_str()) {
            fail!(InvalidInput, "{place}: {key} is nothing that a column of a plan has");
        }
    }
    let Some(words) = text("is")? else {
        fail!(InvalidInput, "{place}: is says what becomes of it, such as \"sealed\"");
    };
    let mut planned = ColumnPlan::new(name, &words)?;
    planned.when = text("when")?.map(|when| When::parse(&when)).transpose()?;
    planned.into = text("into")?;
    planned.label = text("label")?;
    planned.tenant = text("tenant")?;
    planned.bind_row = match entry.get("bind_row") {
        None => false,
        Some(Value::Boolean(binds)) => *binds,
        Some(_) => fail!(InvalidInput, "{place}: bind_row is true or false"),
    };
    let settings = Settings {
        keys: keys(&place, entry.get("key"))?,
        layout: text("layout")?,
        encoding: text("encoding")?,
        associated: text("aad")?,
        padding: text("padding")?,
        nonce: match entry.get("nonce") {
            None => None,
            Some(Value::Integer(length)) => Some(*length),
            Some(_) => fail!(InvalidInput, "{place}: nonce is a number of bytes"),
        },
    };
    planned.importer = match text("from")? {
        Some(from) => Some(Importer::new(&place, &from, &settings)?),
        None if settings.is_empty() => None,
        None => fail!(InvalidInput, "{place}: from says what its values are encrypted by"),
    };
    Ok(planned)
}

/// One reference, or several: what an older one has encrypted opens, too.
fn keys(place: &str, value: Option<&Value>) -> Result<Vec<String>> {
    let one = |value: &Value| match value {
        Value::String(reference) => Ok(reference.clone()),
        _ => Err(err!(InvalidInput, "{place}: key is a reference such as env:NAME, or several")),
    };
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(several)) => several.iter().map(one).collect(),
        Some(value) => Ok(vec![one(value)?]),
    }
}

const KEYS: &[&str] = &[
    "is", "when", "into", "label", "tenant", "bind_row", "from", "key", "layout", "encoding",
    "aad", "padding", "nonce",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_plan_says_all_that_a_column_can_have() {
        let plan = read(
            "as = 'values'\n[tables.users]\nemail = 'sealed unique email'\n\
             note = { is = 'sealed', when = 'field -> fields.secret', into = 'note_sealed', label = 'n', bind_row = true }\n",
        )
        .expect("a plan");
        assert!(plan.values && !plan.removes);
        let [email, note] = &plan.tables[0].columns[..] else { panic!("{plan:?}") };
        assert_eq!(email.column.specification(), "email text sealed unique email");
        let when = note.when.as_ref().expect("a switch");
        assert_eq!(when.of, Some(("fields".to_owned(), "secret".to_owned())));
        assert!(note.bind_row && note.into.as_deref() == Some("note_sealed"));
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        for text in [
            "as = 'value'",
            "remove = 'yes'",
            "table = 1",
            "[tables.a]\nb = 1",
            "[tables.a]\nb = 'seled'",
            "[tables.a]\nb = { is = 'sealed', form = 'fernet' }",
            "[tables.a]\nb = { is = 'sealed', key = 'env:A' }",
            "[tables.a]\nb = { is = 'sealed', from = 'rot13', key = 'env:PATH' }",
            "[tables.a]\nb = { from = 'fernet' }",
            "[tables.a]\nb = { is = 'sealed', when = 'a -> b' }",
            "[tables.a]\nb = 'sealed'\nB = 'sealed'",
            "not toml",
        ] {
            assert_eq!(read(text).expect_err(text).kind(), ErrorKind::InvalidInput, "{text}");
        }
        // A table of the engine's own is not there.
        let own = read("[tables.sealite_meta]\nb = 'sealed'").expect_err("the engine's");
        assert_eq!(own.kind(), ErrorKind::NotFound);
    }
}
