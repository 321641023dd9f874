//! Any exported function with any arguments: what handles there are, others, and junk. Nothing crashes or fails inside
//! the engine, results are cleared after a failure, no handle is lost, and the vault is sound in the end.

use sealite_ffi::value::sealite_value;
use sealite_ffi::version::sealite_handles_live;

use crate::abi::call::{Call, free};
use crate::abi::world::World;
use crate::abi::{FUNCTIONS, Function, Returned, Slot, function};
use crate::calls::{integer, text};
use sealite_ffi::status::sealite_status::*;

/// Choices, from bytes; 0 when they are used up.
struct Choices<'b>(&'b [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn below(&mut self, bound: usize) -> usize {
        let number = usize::from(u16::from_le_bytes([self.byte(), self.byte()]));
        number % bound
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// The calls that bytes say.
pub(crate) fn run(bytes: &[u8]) {
    let before = sealite_handles_live();
    let mut world = World::new();
    let mut choices = Choices(bytes);
    while !choices.0.is_empty() {
        let function = choices.of(FUNCTIONS.iter().collect::<Vec<_>>().as_slice());
        step(function, &mut world, &mut choices);
    }
    let vault = world.vault();
    world.free();
    sound(&vault);
    assert_eq!(sealite_handles_live(), before);
}

fn step(function: &'static Function, world: &mut World, choices: &mut Choices<'_>) {
    let mut call = world.good(function);
    for (at, parameter) in function.parameters.iter().enumerate() {
        argument(at, parameter.slot, parameter.name, &mut call, world, choices);
    }
    let outcome = call.make();
    if let Returned::Status(status) = outcome.returned {
        assert_ne!(status, SEALITE_INTERNAL, "{call:?}");
    }
    if function.name().ends_with("_free") {
        world.forget(call.numbers[0] as usize);
    }
    for (kind, handle) in outcome.made {
        // In the end the vault has to open with the key, and nothing waits longer than it has to.
        if matches!(kind, "unlock" | "config") {
            free(kind, handle);
        } else {
            world.keep_few(kind, handle);
        }
    }
}

/// Puts another argument in the place of the good one, mostly one that may do too.
fn argument(
    at: usize,
    slot: Slot,
    name: &str,
    call: &mut Call,
    world: &World,
    choices: &mut Choices<'_>,
) {
    let junk = choices.byte().is_multiple_of(24);
    let number = match slot {
        Slot::Handle(kind) | Slot::OptionalHandle(kind) | Slot::Quiet(kind) => {
            let all = world.alive.get(kind).map_or(&[][..], Vec::as_slice);
            if junk || all.is_empty() {
                let of = choices.of(&World::kinds().collect::<Vec<_>>());
                // What is freed, and what is of another kind, but not by the function for that kind.
                let other = if matches!(slot, Slot::Quiet(_)) { 0 } else { world.other(of) };
                choices.of(&[0, 1, usize::MAX, world.freed[of], other]) as u64
            } else if kind == "config" {
                all[0] as u64
            } else {
                choices.of(all) as u64
            }
        }
        Slot::Text(_) | Slot::Presented => {
            if !matches!(name, "path" | "to" | "folder" | "backup" | "reference" | "variable") {
                let given = some_text(name, choices);
                call.numbers[at] = call.bytes(given);
                call.numbers[at + 1] = given.len() as u64;
            }
            if !junk {
                return;
            }
            let (pointer, length) = (call.numbers[at], call.numbers[at + 1]);
            let latin = call.bytes(b"caf\xe9");
            (call.numbers[at], call.numbers[at + 1]) = choices.of(&[
                (0, 0),
                (0, 7),
                (latin, 4),
                (pointer, u64::MAX),
                (pointer, u64::MAX - 1),
                (pointer, length / 2),
            ]);
            return;
        }
        Slot::Value | Slot::Id(_) | Slot::Values | Slot::Ids(_) => {
            let all = [some_value(call, choices), some_value(call, choices)];
            if junk { 0 } else { call.array(&all) }
        }
        // Of arrays: there are two elements.
        Slot::Length
            if matches!(call.function.parameters[at - 1].slot, Slot::Values | Slot::Choices) =>
        {
            if junk {
                u64::MAX / 2
            } else {
                choices.below(3) as u64
            }
        }
        Slot::Flag | Slot::Number("bool") => u64::from(choices.byte() % 2),
        Slot::Choice => choices.of(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, u64::MAX]),
        Slot::Number(_) => some_number(name, call.numbers[at], junk, choices),
        Slot::OptionalNumber => {
            let some = [0, 1, -1, i64::MIN, i64::MAX, 1 << 41];
            call.array(&[choices.of(&some)])
        }
        Slot::Out(..) | Slot::Places(..) | Slot::Error if junk => {
            choices.of(&[0, call.numbers[at] + 1])
        }
        _ if junk => 0,
        _ => return,
    };
    call.numbers[at] = number;
}

fn some_number(name: &str, good: u64, junk: bool, choices: &mut Choices<'_>) -> u64 {
    match name {
        // What waits.
        "timeout_ms" | "milliseconds" if !junk => choices.of(&[0, 1]),
        "timeout_ms" => 1,
        "memory_kib" | "passes" | "lanes" => good,
        _ if junk => choices.of(&[u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 31, 0]),
        _ => choices.of(&[good, 0, 1, 2, 3, 5]),
    }
}

fn some_text(name: &str, choices: &mut Choices<'_>) -> &'static [u8] {
    let all: &[&str] = match name {
        "sql" => &[
            "SELECT ? AS x",
            "SELECT * FROM people",
            "SELECT email FROM people WHERE id = ?",
            "INSERT INTO people (email, plan) VALUES ('a@example.org', ?)",
            "UPDATE people SET plan = ?",
            "DELETE FROM people",
            "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text)",
            "INSERT INTO notes (text) VALUES (?) RETURNING id, text",
            "BEGIN IMMEDIATE",
            "SAVEPOINT one",
            "COMMIT",
            "ROLLBACK",
            "SELECT '' AS nothing, x'' AS none, NULL",
            "SELEKT",
            "",
        ],
        "name" | "table" | "to" => &["people", "notes", "acme", "other", "x_total", ""],
        "tenant" => &["acme", "other", ""],
        "column" => &["email", "plan", "name", "id", "extra", "x"],
        "specification" => &["extra text sealed", "more integer plain", "email text", "x", ""],
        "json" | "payload_json" | "data_json" => &["{}", "{\"a\":[1,2]}", "[", "null", ""],
        "limits" | "text" | "token" | "code" | "session" | "csrf" => {
            &["5/minute", "2/second; 10/hour", "A=1\nB=2", "{\"a\":\"b\"}", "x", "sl_user_x", ""]
        }
        "key" => &[crate::calls::KEY, "k", ""],
        _ => &["some", "other", "admin", "email", "a\0b", ""],
    };
    choices.of(all).as_bytes()
}

fn some_value(call: &mut Call, choices: &mut Choices<'_>) -> sealite_value {
    let kind = i32::from(choices.byte() % 8);
    let of = choices.of(&["", "a@example.org", "{\"a\":1}", "\u{1f512}\0\n", "people"]);
    let data = std::ptr::with_exposed_provenance(call.bytes(of.as_bytes()) as usize);
    let number = choices.of(&[0, 1, 2, 3, -1, i64::MIN, i64::MAX]);
    match kind {
        1 => integer(number),
        3 => sealite_value { data, ..text(of) },
        kind => sealite_value { kind, integer: number & 1, real: 0.5, data, length: of.len() },
    }
}

/// Opens the vault anew, and verifies it.
fn sound(path: &std::path::Path) {
    let mut world = World::empty();
    let mut call = world.good(function("sealite_vault_open"));
    let text = path.to_str().unwrap();
    call.numbers[0] = call.bytes(text.as_bytes());
    call.numbers[1] = text.len() as u64;
    let outcome = call.make();
    assert_eq!(outcome.message, "", "{call:?}");
    outcome.made.into_iter().for_each(|(kind, handle)| world.keep_few(kind, handle));
    let mut call = world.good(function("sealite_vault_verify"));
    let sound = call.words(vec![0]);
    call.numbers[1] = sound;
    let outcome = call.make();
    assert_eq!(outcome.message, "", "{call:?}");
    // SAFETY: (1) a place of the call's own.
    assert!(unsafe { *std::ptr::with_exposed_provenance::<bool>(sound as usize) });
    outcome.made.into_iter().for_each(|(kind, handle)| world.keep_few(kind, handle));
    world.free();
}
