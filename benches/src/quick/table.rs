//! The table of a document: medians and spreads are written into its rows, so that nobody copies a figure.

use serde_json::{Map, Value};

use crate::Outcome;

/// The document, with the last two cells of every row that begins with the name of a ratio written anew.
pub(super) fn write_into(document: &str, ratios: &Map<String, Value>) -> Outcome<String> {
    let mut out = String::with_capacity(document.len());
    let mut rows = 0;
    for line in document.split_inclusive('\n') {
        match row(line, ratios) {
            Some(row) => {
                rows += 1;
                out.push_str(&row);
            }
            None => out.push_str(line),
        }
    }
    if rows == 0 { Err("the document has no row of these ratios".into()) } else { Ok(out) }
}

fn row(line: &str, ratios: &Map<String, Value>) -> Option<String> {
    let (name, _) = line.strip_prefix("| `")?.split_once('`')?;
    let about = ratios.get(name)?;
    let (head, _) = line.trim_end().strip_suffix(" |")?.rsplit_once(" | ")?;
    let (head, _) = head.rsplit_once(" | ")?;
    let number = |at: Option<&Value>| at.and_then(Value::as_f64);
    let ratio = number(about.get("ratio"))?;
    let spread = about.get("spread")?;
    let (low, high) = (number(spread.get(0))?, number(spread.get(1))?);
    Some(format!("{head} | {ratio:.2} | {low:.2} to {high:.2} |\n"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_of_measured_ratios_get_their_figures_and_nothing_else_changes() {
        let Value::Object(ratios) = json!({"a_vs_b": {"ratio": 1.234, "spread": [1.0, 2.5]}})
        else {
            unreachable!()
        };
        let text = "# Costs\n| ratio | median | spread |\n| `a_vs_b` | a | b | 9 | 8 to 9 |\n| `c` | a | b | 7 | 7 |\n";
        let written = write_into(text, &ratios).unwrap();
        assert_eq!(written, text.replace("| 9 | 8 to 9 |", "| 1.23 | 1.00 to 2.50 |"));
        assert!(write_into("# Costs\n", &ratios).is_err());
    }
}
