//! `sealite audit export`.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;
use sealite::{Error, ExportOptions};
use serde_json::json;

use super::{counted_entries, progress};
use crate::arguments::AuditExport;
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text::{counted, moment, printable};
use crate::unlock;

/// How often a bar without a count moves.
const TICK: Duration = Duration::from_millis(100);

pub(super) fn export(arguments: &AuditExport, console: &mut Console<'_>) -> Result<Report> {
    let mut options = ExportOptions::default();
    options.from_ms = arguments.from.as_deref().map(time).transpose()?;
    options.until_ms = arguments.until.as_deref().map(time).transpose()?;
    options.tenant.clone_from(&arguments.tenant);
    if arguments.out.is_none() && arguments.daily.is_none() && console.is_json() {
        return Err(Failure::usage(
            "--json answers with one object, and the export is JSON Lines: add --out or --daily, or leave --json out",
        ));
    }
    let vault = unlock::open(&arguments.file, &arguments.open, console)?;
    let audit = vault.audit();
    if let Some(folder) = &arguments.daily {
        let bar = progress(console);
        // How far it is, the files tell; that it works, the bar.
        bar.enable_steady_tick(TICK);
        let files = audit.export_daily(folder, &options);
        bar.finish_and_clear();
        let files = files?;
        let entries = files.iter().map(|(_, entries)| entries).sum();
        let text = format!(
            "Wrote {} to {} in {}.\n",
            counted_entries(entries),
            counted(files.len() as u64, "file"),
            printable(&folder.display().to_string())
        );
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let names: Vec<String> = files.iter().filter_map(|(path, _)| name(path)).collect();
        return Ok(Report::new(text, json!({"entries": entries, "files": names})));
    }
    if let Some(path) = &arguments.out {
        let mut file = SecretFile::create(path)?;
        let mut out = Watched::new(file.file(), progress(console));
        let exported = audit.export(&mut out, &options);
        let entries = out.end(exported).map_err(|ended| match ended {
            Ended::Core(error) => error.into(),
            Ended::Out(error) => file.unwritten(&error),
        })?;
        file.sync()?;
        file.keep();
        let path = path.display().to_string();
        let text = format!("Wrote {} to {}.\n", counted_entries(entries), printable(&path));
        return Ok(Report::new(text, json!({"entries": entries, "file": path})));
    }
    let mut out = Watched::new(console.stdout(), ProgressBar::hidden());
    let exported = audit.export(&mut out, &options);
    match out.end(exported) {
        Ok(_) => Ok(Report::delivered()),
        // A reader that has gone (`| head`) has had enough.
        Err(Ended::Out(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Report::delivered())
        }
        Err(Ended::Out(error)) => Err(Failure::io("the export can't be written", &error)),
        Err(Ended::Core(error)) => Err(error.into()),
    }
}

fn time(text: &str) -> Result<i64> {
    moment(text).ok_or_else(|| {
        Failure::usage("a time is 2026-01-31 or 2026-01-31T23:59:59Z, in UTC, from 1970 on")
    })
}

/// A writer that counts lines, and remembers why a write failed: the core says only that it did.
struct Watched<'a> {
    out: &'a mut dyn Write,
    failed: Option<io::Error>,
    lines: ProgressBar,
}

/// Why an export ended early.
enum Ended {
    Core(Error),
    Out(io::Error),
}

impl<'a> Watched<'a> {
    fn new(out: &'a mut dyn Write, lines: ProgressBar) -> Self {
        Watched { out, failed: None, lines }
    }

    fn note(&mut self, error: io::Error) -> io::Error {
        let kind = error.kind();
        self.failed = Some(error);
        io::Error::from(kind)
    }

    fn end(self, exported: sealite::Result<u64>) -> std::result::Result<u64, Ended> {
        self.lines.finish_and_clear();
        if let Some(error) = self.failed {
            return Err(Ended::Out(error));
        }
        exported.map_err(Ended::Core)
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes).map_err(|error| self.note(error))?;
        let lines = bytes.iter().take(written).filter(|byte| **byte == b'\n').count();
        self.lines.inc(lines as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush().map_err(|error| self.note(error))
    }
}
