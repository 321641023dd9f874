//! The same questions from Python, asked by `python/benches/quick.py`.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use crate::Outcome;

/// Runs the script; `None` where the interpreter has no wheel installed.
pub(super) fn measure(interpreter: &Path, work: &Path) -> Outcome<Option<Map<String, Value>>> {
    let probe = Command::new(interpreter).args(["-c", "import sealite"]).output();
    let probe = probe.map_err(|error| format!("{}: {error}", interpreter.display()))?;
    if !probe.status.success() {
        return Ok(None);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/benches/quick.py");
    let results = work.join("python.json");
    let run = Command::new(interpreter).arg(&script).arg(&results).output()?;
    if !run.status.success() {
        let message = String::from_utf8_lossy(&run.stderr);
        return Err(format!("{} failed:\n{message}", script.display()).into());
    }
    parse(&std::fs::read_to_string(&results)?).map(Some)
}

/// What names of ratios from Python begin with.
const PREFIXES: [&str; 3] = ["py_", "orm_", "dbapi_"];

/// The ratios of the script's file. Names that could be mistaken for ours are refused.
fn parse(text: &str) -> Outcome<Map<String, Value>> {
    let Value::Object(ratios) = serde_json::from_str(text)? else {
        return Err("the script's results are no object".into());
    };
    for (name, about) in &ratios {
        let ratio = about.get("ratio").and_then(Value::as_f64);
        if !PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || ratio.is_none() {
            return Err(format!("{name} is not a ratio of Python's").into());
        }
    }
    Ok(ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_ratios_of_python_are_taken() {
        let good = parse(r#"{"py_get_vs_sqlite3": {"ratio": 0.7, "better": "lower"}}"#);
        assert!(good.is_ok_and(|ratios| ratios.len() == 1));
        for bad in [r#"{"get": {"ratio": 1}}"#, r#"{"py_get": {"ratio": "1"}}"#, "[]", "{"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
