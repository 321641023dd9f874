//! The table that a person reads and the object that a program reads.

use std::io::Write;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Measured, Options, Unit};
use crate::Outcome;
use crate::units::{self, grouped};

pub(super) fn heading(options: &Options, sha: f64, out: &mut dyn Write) -> Outcome<()> {
    let Options { rows, pairs, .. } = options;
    writeln!(
        out,
        "{} rows, {pairs} interleaved pairs, SHA-256 {sha:.2} ns a byte\n",
        grouped(*rows as u64)
    )?;
    let (name, plain, sealed) = ("", "plain", "sealed");
    writeln!(out, "{name:<36}{plain:>12}{sealed:>12}{:>8}{:>8}   spread", "ratio", "CPU")?;
    Ok(())
}

pub(super) fn line(one: &Measured, out: &mut dyn Write) -> Outcome<()> {
    let Measured { name, comparison, unit, .. } = one;
    let (low, high) = comparison.spread;
    writeln!(
        out,
        "{name:<36}{:>12}{:>12}{:>8.2}{:>8}   {low:.2} to {high:.2}",
        amount(comparison.plain, *unit),
        amount(comparison.sealed, *unit),
        comparison.ratio,
        comparison.cpu_ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
    )?;
    Ok(out.flush()?)
}

pub(super) fn python(ratios: &Map<String, Value>, out: &mut dyn Write) -> Outcome<()> {
    for (name, about) in ratios {
        let ratio = about.get("ratio").and_then(Value::as_f64).unwrap_or(f64::NAN);
        let end =
            |at| about.get("spread").and_then(|spread| spread.get(at)).and_then(Value::as_f64);
        write!(out, "{name:<60}{ratio:>8.2}{:>8}", "")?;
        match (end(0), end(1)) {
            (Some(low), Some(high)) => writeln!(out, "   {low:.2} to {high:.2}")?,
            _ => writeln!(out)?,
        }
    }
    Ok(())
}

/// The ratios by name.
pub(super) fn json(measured: &[Measured]) -> Map<String, Value> {
    let object = |one: &Measured| {
        let (low, high) = one.comparison.spread;
        let about = json!({
            "ratio": rounded(one.comparison.ratio),
            "better": "lower",
            "what": one.what,
            "spread": [rounded(low), rounded(high)],
            "pairs": one.comparison.pairs,
            "cpu_ratio": one.comparison.cpu_ratio.map(rounded),
        });
        (one.name.to_owned(), about)
    };
    measured.iter().map(object).collect()
}

fn rounded(ratio: f64) -> f64 {
    (ratio * 1e4).round() / 1e4
}

fn amount(value: Duration, unit: Unit) -> String {
    match unit {
        Unit::Bytes => format!("{} B", value.as_nanos()),
        Unit::Time => units::time(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Comparison;

    #[test]
    fn file_has_what_readers_of_it_expect() {
        let second = Duration::from_secs(1);
        let comparison = Comparison {
            plain: second,
            sealed: second,
            ratio: 1.23456,
            spread: (1.0, 1.5),
            cpu_ratio: Some(1.1),
            pairs: 7,
        };
        let what = "one against the other".to_owned();
        let one = Measured { name: "a_vs_b", what, comparison, unit: Unit::Time };
        let expected = json!({"a_vs_b": {"ratio": 1.2346, "better": "lower", "what": "one against the other",
            "spread": [1.0, 1.5], "pairs": 7, "cpu_ratio": 1.1}});
        assert_eq!(Value::Object(json(&[one])), expected);
    }
}
