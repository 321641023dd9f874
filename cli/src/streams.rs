//! Where a command reads from and writes to.

use std::io::{self, BufRead, ErrorKind, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::Failure;
use crate::report::Report;
use crate::text::printable;

/// The streams of a command.
pub struct Streams<'a> {
    /// Read one line at a time, where an option asks for a secret from it.
    pub stdin: &'a mut dyn BufRead,
    /// Results.
    pub stdout: &'a mut dyn Write,
    /// Errors and warnings.
    pub stderr: &'a mut dyn Write,
    /// Which of them people see.
    pub terminals: Terminals,
}

/// Which streams end at a terminal.
#[derive(Clone, Copy, Default, Debug)]
pub struct Terminals {
    /// The standard output.
    pub stdout: bool,
    /// The standard error.
    pub stderr: bool,
}

/// The streams, and the form in which results are written.
pub(crate) struct Console<'a> {
    streams: Streams<'a>,
    json: bool,
}

impl<'a> Console<'a> {
    pub(crate) fn new(streams: Streams<'a>, json: bool) -> Self {
        Console { streams, json }
    }

    pub(crate) fn stdin(&mut self) -> &mut dyn BufRead {
        self.streams.stdin
    }

    /// For a result that is too long to be held.
    pub(crate) fn stdout(&mut self) -> &mut dyn Write {
        self.streams.stdout
    }

    /// True where the standard output is shown to people.
    pub(crate) fn stdout_is_terminal(&self) -> bool {
        self.streams.terminals.stdout
    }

    /// True where a progress bar is seen and disturbs no program.
    pub(crate) fn shows_progress(&self) -> bool {
        self.streams.terminals.stderr && !self.json
    }

    /// A bar for long work, as indicatif's template says; hidden where [`Console::shows_progress`] is false.
    pub(crate) fn progress(&self, length: Option<u64>, template: &str) -> ProgressBar {
        if !self.shows_progress() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    /// Writes a result, for a caller that must know whether it arrived.
    pub(crate) fn deliver(&mut self, report: &Report) -> io::Result<()> {
        if report.is_delivered() {
            return Ok(());
        }
        if self.json {
            writeln!(self.streams.stdout, "{}", report.json)?;
        } else {
            self.streams.stdout.write_all(report.text.as_bytes())?;
        }
        self.streams.stdout.flush()?;
        for warning in report.warnings.iter().filter(|_| !self.json) {
            // Worth losing, once the result is out.
            let _ = writeln!(self.streams.stderr, "sealite: {warning}");
        }
        Ok(())
    }

    /// Writes the result of a command; its exit code. A reader that has gone (`| head`) changes nothing about it.
    pub(crate) fn finish(&mut self, report: &Report) -> u8 {
        match self.deliver(report) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                self.fail(&Failure::io("the result can't be written", &error))
            }
            _ => report.exit,
        }
    }

    /// Writes an error; its exit code.
    pub(crate) fn fail(&mut self, failure: &Failure) -> u8 {
        let _ = if self.json {
            writeln!(self.streams.stdout, "{}", failure.json())
        } else {
            writeln!(self.streams.stderr, "sealite: {}", printable(&failure.to_string()))
        };
        let _ = self.streams.stdout.flush();
        failure.exit()
    }

    /// Writes what the parser of the arguments answers.
    pub(crate) fn show(&mut self, text: &str, is_error: bool) {
        let stream = if is_error { &mut *self.streams.stderr } else { &mut *self.streams.stdout };
        let _ = stream.write_all(text.as_bytes());
        let _ = stream.flush();
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }
}
