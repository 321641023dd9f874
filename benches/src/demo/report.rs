//! The report: numbered steps, aligned lines, claims.

use std::io::Write;

use crate::Outcome;

/// The width of the labels.
const LABEL: usize = 16;

/// Writes the report and remembers what did not hold.
pub(super) struct Report<'o> {
    out: &'o mut dyn Write,
    steps: usize,
    failed: usize,
}

impl<'o> Report<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        Report { out, steps: 0, failed: 0 }
    }

    /// A line as it is.
    pub(super) fn plain(&mut self, text: &str) -> Outcome<()> {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// A new numbered step.
    pub(super) fn step(&mut self, title: &str) -> Outcome<()> {
        self.steps += 1;
        writeln!(self.out, "\n{}  {title}", self.steps)?;
        Ok(self.out.flush()?)
    }

    /// A fact, or what goes on in the line below its label.
    pub(super) fn fact(&mut self, label: &str, text: &str) -> Outcome<()> {
        Ok(writeln!(self.out, "   {label:<LABEL$}{text}")?)
    }

    /// A claim, and whether it holds.
    pub(super) fn claim(&mut self, holds: bool, text: &str) -> Outcome<()> {
        self.failed += usize::from(!holds);
        let mark = if holds { "ok" } else { "FAILED" };
        Ok(writeln!(self.out, "   {mark:<LABEL$}{text}")?)
    }

    /// How many claims did not hold.
    pub(super) fn failed(&self) -> usize {
        self.failed
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn claims_that_fail_are_marked_and_counted() {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out);
        report.step("One").unwrap();
        report.fact("label", "text").unwrap();
        report.claim(true, "holds").unwrap();
        assert_eq!(report.failed(), 0);
        report.claim(false, "does not").unwrap();
        assert_eq!(report.failed(), 1);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "\n1  One\n   label           text\n   ok              holds\n   FAILED          does not\n"
        );
    }
}
