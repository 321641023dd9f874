//! The commands. Each takes its arguments and gives a report; none prints by itself, except where a secret must be
//! known to have arrived.

mod approval;
mod audit;
mod copy;
mod doctor;
mod erasure;
mod init;
mod key;
mod recovery;
mod rotate;
mod rotation;
mod setting;
mod slot;
mod status;
mod table;
mod token;
mod verify;

use serde_json::{Value, json};

use crate::arguments::{Command, Key, Recovery, Slot, Table};
use crate::failure::Result;
use crate::report::Report;
use crate::streams::Console;
use crate::text::{aligned, date};

/// Runs a command.
pub(crate) fn run(command: Command, console: &mut Console<'_>) -> Result<Report> {
    match command {
        Command::Init(arguments) => init::init(&arguments, console),
        Command::Status(arguments) => status::status(&arguments, console),
        Command::Slot(Slot::List { file }) => slot::list(&file),
        Command::Slot(Slot::Add(arguments)) => slot::add(&arguments, console),
        Command::Slot(Slot::Remove(arguments)) => slot::remove(&arguments, console),
        Command::Table(Table::List { file, open }) => table::list(&file, &open, console),
        Command::Table(Table::Describe { file, table, open }) => {
            table::describe(&file, table.as_deref(), &open, console)
        }
        Command::Verify(arguments) => verify::verify(&arguments, console),
        Command::Backup(arguments) => copy::backup(&arguments, console),
        Command::Restore(arguments) => copy::restore(&arguments, console),
        Command::Compact(arguments) => copy::compact(&arguments, console),
        Command::Recovery(Recovery::New(arguments)) => recovery::new(&arguments, console),
        Command::Setting(command) => setting::run(&command, console),
        Command::Token(command) => token::run(&command, console),
        Command::Approval(command) => approval::run(&command, console),
        Command::Quota(command) => approval::quota(&command, console),
        Command::Clock(command) => approval::clock(&command, console),
        Command::Audit(command) => audit::run(&command, console),
        Command::Doctor(arguments) => doctor::doctor(&arguments, console),
        Command::Subject(command) => erasure::subject(&command, console),
        Command::Tenant(command) => erasure::tenant(&command, console),
        Command::Key(Key::Generate { shown }) => key::generate(&shown, console),
        Command::Key(Key::List { file, open }) => key::list(&file, &open, console),
        Command::Rotate(command) => rotation::command(&command, console),
    }
}

fn slots_json(slots: &[sealite::Slot]) -> Value {
    let one = |slot: &sealite::Slot| {
        json!({
            "id": slot.id,
            "kind": slot.kind.name(),
            "label": slot.label,
            "created_at": slot.created_at,
        })
    };
    slots.iter().map(one).collect()
}

fn slots_text(slots: &[sealite::Slot]) -> String {
    let rows: Vec<[String; 4]> = slots
        .iter()
        .map(|slot| {
            let kind = slot.kind.name().to_owned();
            [slot.id.to_string(), kind, date(slot.created_at), slot.label.clone()]
        })
        .collect();
    aligned(["slot", "kind", "created", "label"], &rows)
}
