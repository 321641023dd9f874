//! `sealite adopt`.

use std::fmt::Write;
use std::time::Duration;

use indicatif::ProgressBar;
use sealite::{
    AdoptionPlan, AdoptionPreview, AdoptionProgress, AdoptionReport, Erasure, TablePreview,
};
use serde_json::{Value, json};

use crate::arguments::Adopt;
use crate::failure::{EXIT_FAULTS, Failure, Result};
use crate::report::Report;
use crate::streams::Console;
use crate::text::{counted, printable};
use crate::unlock;

const PENDING: &str =
    "a reader holds the log back: run the same command again to overwrite what was in clear";

pub(super) fn adopt(arguments: &Adopt, console: &mut Console<'_>) -> Result<Report> {
    let plan = plan(arguments)?;
    let file = arguments.vault.as_deref().unwrap_or(&arguments.database);
    let vault = unlock::open(file, &arguments.open, console)?;
    if arguments.dry_run {
        let preview = vault.preview_adoption(&plan)?;
        let exit = if preview.is_possible() { 0 } else { EXIT_FAULTS };
        return Ok(Report::new(preview_text(&preview), preview_json(&preview)).exit(exit));
    }
    let bar = Bar::new(console);
    let done = vault.adopt(&plan, |progress| {
        bar.show(progress);
        true
    });
    bar.0.finish_and_clear();
    let done = done?;
    let copied = arguments.vault.is_some() && !plan.is_values() && !plan.is_removing();
    let report = Report::new(done_text(&done, copied), done_json(&done));
    Ok(if done.erasure == Erasure::Pending { report.warn(PENDING) } else { report })
}

fn plan(arguments: &Adopt) -> Result<AdoptionPlan> {
    let mut plan = match &arguments.plan {
        None => AdoptionPlan::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure::io(format_args!("the plan {} can't be read", path.display()), &error)
            })?;
            AdoptionPlan::from_toml(&text)?
        }
    };
    for column in &arguments.columns {
        plan = plan.column(column)?;
    }
    if arguments.values {
        plan = plan.values();
    }
    if arguments.remove {
        plan = plan.remove_source();
    }
    Ok(match arguments.vault {
        Some(_) => plan.source(&arguments.database),
        None => plan,
    })
}

/// The bar of one phase after the other.
struct Bar(ProgressBar);

impl Bar {
    fn new(console: &Console<'_>) -> Self {
        let template = "{msg:30} {bar:30} {human_pos}/{human_len} rows, {eta} left";
        Bar(console.progress(Some(0), template))
    }

    fn show(&self, progress: AdoptionProgress<'_>) {
        let AdoptionProgress { table, phase, done, total, .. } = progress;
        let message = printable(&format!("{} {table}", phase.name())).trim_end().to_owned();
        if self.0.message() != message {
            self.0.set_length(total);
            self.0.reset();
            self.0.set_message(message);
        }
        self.0.set_position(done);
    }
}

fn preview_text(preview: &AdoptionPreview) -> String {
    let mut text = String::new();
    for table in &preview.tables {
        text.push_str(&table_text(table));
    }
    text.push_str(if preview.is_possible() {
        "Nothing stands against it, and nothing was written.\n"
    } else {
        "It can't be done as it is: see what is refused. Nothing was written.\n"
    });
    text
}

fn table_text(table: &TablePreview) -> String {
    let name = printable(&table.table);
    let rows = counted(table.rows, "row");
    if table.done {
        return format!("{name}: {rows}, done already\n\n");
    }
    let mut text = format!(
        "{name}: {rows}, {} of values; about {} and {} to come\n",
        size(table.bytes),
        size(table.bytes_after),
        time(table.time)
    );
    for (what, lines) in
        [("handled, stays", &table.kept), ("handled", &table.changed), ("REFUSED", &table.refused)]
    {
        for line in lines {
            let _ = writeln!(text, "  {what}: {}", printable(line));
        }
    }
    text.push('\n');
    text
}

/// A size for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => counted(bytes, "byte"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn time(time: Duration) -> String {
    match time.as_secs() {
        0 => "less than a second".to_owned(),
        seconds @ 1..120 => counted(seconds, "second"),
        seconds => counted(seconds / 60, "minute"),
    }
}

fn preview_json(preview: &AdoptionPreview) -> Value {
    let table = |table: &TablePreview| {
        json!({
            "table": table.table,
            "done": table.done,
            "rows": table.rows,
            "bytes": table.bytes,
            "bytes_after": table.bytes_after,
            "seconds": table.time.as_secs_f64(),
            "kept": table.kept,
            "changed": table.changed,
            "refused": table.refused,
        })
    };
    let tables: Vec<Value> = preview.tables.iter().map(table).collect();
    json!({"possible": preview.is_possible(), "tables": tables})
}

/// `copied` where the application's database stays as it is.
fn done_text(report: &AdoptionReport, copied: bool) -> String {
    let mut text = String::new();
    for table in &report.tables {
        let (name, rows) = (printable(&table.table), counted(table.rows, "row"));
        let how = match (table.was_done, table.removed) {
            (true, false) if copied => "done already; what the database got since is not copied",
            (true, false) => "done already",
            (true, true) => "done already, compared and removed from the database",
            (false, false) => "sealed and compared",
            (false, true) => "sealed, compared and removed from the database",
        };
        let _ = writeln!(text, "{name}: {rows}, {how}");
    }
    text.push_str(match report.erasure {
        _ if copied => {
            "Adopted. The database stays as it is, and holds all of it in clear; --remove drops its tables.\n"
        }
        Erasure::Complete => {
            "Adopted. What was to be removed is overwritten in the file and its log.\n"
        }
        Erasure::Pending => "Adopted. What was in clear is still to be overwritten.\n",
    });
    text
}

fn done_json(report: &AdoptionReport) -> Value {
    let table = |table: &sealite::AdoptedTable| {
        json!({
            "table": table.table,
            "rows": table.rows,
            "was_done": table.was_done,
            "removed": table.removed,
        })
    };
    let erasure = match report.erasure {
        Erasure::Complete => "complete",
        Erasure::Pending => "pending",
    };
    json!({
        "tables": report.tables.iter().map(table).collect::<Vec<_>>(),
        "erasure": erasure,
        "seconds": report.time.as_secs_f64(),
    })
}
