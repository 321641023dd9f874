//! `sealite backup`, `restore` and `compact`.

use indicatif::ProgressBar;
use sealite::{BackupOptions, BackupProgress, BackupReport, Erasure, RestoreOptions, Vault};
use serde_json::json;

use crate::arguments::{Backup, Compact, Restore};
use crate::failure::Result;
use crate::report::Report;
use crate::streams::Console;
use crate::text::{counted, printable};
use crate::{text_source, unlock};

const UNCHECKED: &str = "the copy was not checked: sealite verify and sealite audit verify do that";
const NO_CHECKPOINT: &str = "without a checkpoint kept outside, an old backup is not recognised as old: what was deleted \
     since is there again, and slots that were removed since open it";

pub(super) fn backup(arguments: &Backup, console: &mut Console<'_>) -> Result<Report> {
    let vault = unlock::open(&arguments.file, &arguments.open, console)?;
    let mut options = BackupOptions::default();
    options.verify = !arguments.unchecked;
    let bar = Bar::new(console);
    let made = vault.backup_with(&arguments.to, &options, |at| bar.show(at));
    bar.0.finish_and_clear();
    let made = made?;
    let to = arguments.to.display().to_string();
    let text = format!("{} holds the vault: {}.\n", printable(&to), held(&made));
    let report = Report::new(text, object(&to, &made));
    Ok(if arguments.unchecked { report.warn(UNCHECKED) } else { report })
}

pub(super) fn restore(arguments: &Restore, console: &mut Console<'_>) -> Result<Report> {
    unlock::existing(&arguments.backup, None)?.close();
    let secret = unlock::secret_of(&arguments.open.secret, console)?;
    let mut options = RestoreOptions::default();
    options.drill = arguments.drill;
    let checkpoint = arguments.open.checkpoint.as_deref();
    options.checkpoint = checkpoint.map(text_source::checkpoint).transpose()?;
    let bar = Bar::new(console);
    let made =
        Vault::restore_with(&arguments.backup, &arguments.to, &secret, &options, |at| bar.show(at));
    bar.0.finish_and_clear();
    let made = made?;
    let to = arguments.to.display().to_string();
    let text = if arguments.drill {
        format!("The backup can be restored: {}. Nothing was kept.\n", held(&made))
    } else {
        format!("{} is the restored vault: {}.\n", printable(&to), held(&made))
    };
    let mut report = Report::new(text, object(&to, &made));
    report.set("drill", json!(arguments.drill));
    let unguarded = options.checkpoint.is_none() && !arguments.drill;
    Ok(if unguarded { report.warn(NO_CHECKPOINT) } else { report })
}

pub(super) fn compact(arguments: &Compact, console: &mut Console<'_>) -> Result<Report> {
    let vault = unlock::open(&arguments.file, &arguments.open, console)?;
    let done = vault.compact()?;
    let pending = done.erasure == Erasure::Pending;
    let (before, after) = (done.before, done.after);
    let text = if pending {
        "Pending: another process reads or writes the vault. Run the command again.\n".to_owned()
    } else {
        format!("{before} bytes before, {after} bytes now.\n")
    };
    let state = if pending { "pending" } else { "complete" };
    Ok(Report::new(text, json!({"before": before, "after": after, "erasure": state})))
}

/// What the copy holds, in words.
fn held(made: &BackupReport) -> String {
    let bytes = counted(made.bytes, "byte");
    match (made.rows, made.audit_entries) {
        (Some(rows), Some(entries)) => {
            format!("{bytes}, {} opened, {entries} of the audit trail walked", counted(rows, "row"))
        }
        _ => bytes,
    }
}

fn object(to: &str, made: &BackupReport) -> serde_json::Value {
    json!({
        "file": to,
        "bytes": made.bytes,
        "rows": made.rows,
        "audit_entries": made.audit_entries,
    })
}

/// The progress, on a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new(console: &Console<'_>) -> Self {
        Bar(console.progress(Some(0), "{msg} {bar:40} {human_pos} of {human_len} pages"))
    }

    fn show(&self, at: BackupProgress) -> bool {
        match at {
            BackupProgress::Copied(done, all) => {
                self.0.set_message("copying");
                self.0.set_length(all);
                self.0.set_position(done);
            }
            BackupProgress::Opened(rows) => self.0.set_message(format!("{rows} rows opened")),
            BackupProgress::Audited(entries) => {
                self.0.set_message(format!("{entries} of the audit trail"));
            }
            _ => {}
        }
        true
    }
}
