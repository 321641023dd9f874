//! Every exported function with every argument wrong in every way that can be told: each gives the status that says so,
//! about that argument, with the places for results cleared and no handle made or lost.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;
#[path = "support/abi/mod.rs"]
mod abi;

use abi::call::{Call, free};
use abi::world::World;
use abi::{FUNCTIONS, Function, Place, Returned, Slot};
use sealite_ffi::status::sealite_status::{self, *};
use sealite_ffi::value::{sealite_string, sealite_value};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, with_exposed_provenance};

/// What a call has to give.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// That status, and a message that names the argument and says this.
    Fails(sealite_status, &'static str),
    /// Whatever there is to say, but not that this argument can't be read.
    Accepts(#[allow(dead_code, reason = "for who reads a failure")] &'static str),
}
use Expected::*;

const NULL: Expected = Fails(SEALITE_INVALID_INPUT, "is NULL");
const FREED: Expected = Fails(SEALITE_CLOSED, "is no handle, or one that was freed");
const OTHER: Expected = Fails(SEALITE_INVALID_INPUT, "is a handle of another kind");
const ASKEW: Expected = Fails(SEALITE_INVALID_INPUT, "is not aligned");
const LONG: Expected = Fails(SEALITE_LIMIT, "is longer than memory");
const NO_CHOICE: Expected = Fails(SEALITE_INVALID_INPUT, "stands for no choice");
const NO_FLAG: Expected = Fails(SEALITE_INVALID_INPUT, "is neither 0 nor 1");
const KIND: Expected = Fails(SEALITE_INVALID_INPUT, "no kind");
const NO_TEXT: Expected = Fails(SEALITE_INVALID_INPUT, "is not UTF-8");

/// A change of some numbers of a call, and what comes of it.
type Variation = (Vec<(usize, u64)>, Expected);

/// The handles of a thread's tests are counted: one test at a time.
#[test]
fn every_argument_of_every_function_that_is_wrong_is_a_status() {
    let (mut calls, mut wrong, mut world) = (0, 0, World::new());
    for function in FUNCTIONS {
        if function.parameters.iter().any(|one| matches!(one.slot, Slot::Quiet(_))) {
            quiet(function, &world);
            continue;
        }
        for at in 0..function.parameters.len() {
            let count = variations(&mut world.good(function), at, &world).len();
            for which in 0..count {
                let mut call = world.good(function);
                let (changes, expected) = variations(&mut call, at, &world).swap_remove(which);
                for (at, number) in changes {
                    call.numbers[at] = number;
                }
                calls += 1;
                // All of them are told, and not the first only.
                let checked = catch_unwind(AssertUnwindSafe(|| check(&call, at, expected)));
                wrong += usize::from(checked.is_err());
                if checked.unwrap_or(true) && does_something(function) {
                    // The next one begins anew.
                    drop(std::mem::replace(&mut world, World::new()));
                }
            }
        }
    }
    assert_eq!(wrong, 0, "of {calls} calls");
    assert!(calls > 2_000, "{calls} calls");
    drop(world);
    assert_eq!(sealite_ffi::version::sealite_handles_live(), 0);
}

/// Whether a call that succeeds may stand in the way of others. Builders and results do not.
fn does_something(function: &Function) -> bool {
    let lasting = ["vault", "tenant", "transaction", "snapshot", "table", "connection", "tokens"];
    let lasting = [&lasting[..], &["settings", "quotas", "approvals", "cursor"]].concat();
    let first = function.parameters.first().map(|one| one.slot);
    matches!(first, Some(Slot::Handle(kind)) if lasting.contains(&kind))
}

/// Whether it succeeded.
fn check(call: &Call, at: usize, expected: Expected) -> bool {
    let outcome = call.make();
    let Returned::Status(status) = outcome.returned else { return false };
    let name = call.function.parameters[at].name;
    let about = format!("the argument {name} ");
    match expected {
        Fails(wanted, says) => {
            assert_eq!(status, wanted, "{call:?}: {name} {expected:?}: {}", outcome.message);
            let message = &outcome.message;
            assert!(message.contains(says), "{call:?}: {name} {expected:?}: {message}");
            // The elements of an array of values are told by its name too.
            assert!(message.contains(name), "{call:?}: {name} {expected:?}: {message}");
        }
        Accepts(_) => {
            assert_ne!(status, SEALITE_INTERNAL, "{call:?}: {name} {expected:?}");
            let said = &outcome.message;
            assert!(!said.starts_with(&about), "{call:?}: {name} {expected:?}: {said}");
        }
    }
    outcome.made.into_iter().for_each(|(kind, handle)| free(kind, handle));
    status == SEALITE_OK
}

/// What can be wrong with the argument at that place, and what else it may be.
#[allow(clippy::too_many_lines, reason = "a line or two for each kind of parameter")]
fn variations(call: &mut Call, at: usize, world: &World) -> Vec<Variation> {
    let one = |number: u64, expected| (vec![(at, number)], expected);
    let parameter = call.function.parameters[at];
    let length = |number: u64, expected| (vec![(length_of(call.function, at), number)], expected);
    let good = call.numbers[at];
    let handle = |kind| {
        vec![
            one(world.freed[kind] as u64, FREED),
            one(world.other(kind) as u64, OTHER),
            one(1, FREED),
            one(u64::MAX, FREED),
            one((&raw const parameter).addr() as u64, FREED),
        ]
    };
    match parameter.slot {
        Slot::Handle(kind) => [handle(kind), vec![one(0, NULL)]].concat(),
        Slot::OptionalHandle(kind) => [handle(kind), vec![one(0, Accepts("NULL"))]].concat(),
        Slot::Handles(kind) => {
            let freed = call.words(vec![world.freed[kind] as u64]);
            let other = call.words(vec![world.other(kind) as u64]);
            let none = call.words(vec![0]);
            vec![
                one(0, NULL),
                one(good + 1, ASKEW),
                one(freed, FREED),
                one(other, OTHER),
                one(none, NULL),
                length(u64::MAX - 1, LONG),
                length(u64::MAX, LONG),
            ]
        }
        Slot::Text(optional) => {
            let latin = call.bytes(b"caf\xe9 of the corner");
            let some = if good == 0 { call.bytes(b"some") } else { good };
            let text = |data, length, expected| (vec![(at, data), (at + 1, length)], expected);
            let mut all = vec![
                text(0, 5, NULL),
                text(latin, 4, NO_TEXT),
                text(some, u64::MAX - 1, LONG),
                text(some, 1 << 63, LONG),
                text(some, u64::MAX, Accepts("SEALITE_NTS")),
                text(some, 0, Accepts("an empty text")),
            ];
            if optional {
                all.push(text(0, 0, Accepts("NULL")));
                all.push(text(0, u64::MAX, Accepts("NULL as SEALITE_NTS")));
            } else {
                all.push(text(0, u64::MAX, NULL));
            }
            all
        }
        Slot::Presented => {
            let latin = call.bytes(b"caf\xe9 of the corner");
            vec![
                one(0, NULL),
                one(latin, Accepts("any bytes")),
                length(u64::MAX - 1, LONG),
                length(u64::MAX, Accepts("SEALITE_NTS")),
                length(0, Accepts("nothing")),
                (vec![(at, 0), (at + 1, u64::MAX)], NULL),
            ]
        }
        Slot::Bytes => vec![
            one(0, NULL),
            length(u64::MAX - 1, LONG),
            length(u64::MAX, LONG),
            length(0, Accepts("nothing")),
        ],
        Slot::Strings => strings(call, at),
        Slot::Value | Slot::Values | Slot::Id(_) | Slot::Ids(_) => values(call, at),
        Slot::Choices => vec![
            one(0, NULL),
            one(good + 1, ASKEW),
            length(u64::MAX - 1, LONG),
            length(u64::MAX, LONG),
        ],
        Slot::OptionalChoice => {
            let (less, more) = (call.array(&[-1_i32]), call.array(&[99_i32]));
            vec![
                one(0, Accepts("NULL")),
                one(good + 1, ASKEW),
                one(less, NO_CHOICE),
                one(more, NO_CHOICE),
            ]
        }
        Slot::OptionalNumber => {
            let numbers = [i64::MIN, i64::MAX, 0, -1];
            let mut all: Vec<_> =
                numbers.map(|number| one(call.array(&[number]), Accepts("any number"))).into();
            all.extend([one(0, Accepts("NULL")), one(good + 1, ASKEW)]);
            all
        }
        Slot::Flag => [2, 99, u64::MAX].map(|number| one(number, NO_FLAG)).into(),
        Slot::Choice => [99, u64::MAX, 1 << 31].map(|number| one(number, NO_CHOICE)).into(),
        Slot::Number("bool") => vec![one(1, Accepts("any"))],
        Slot::Number(_) => {
            let numbers = [0, u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 31];
            numbers.map(|number| one(number, Accepts("any number"))).into()
        }
        Slot::Progress => vec![one(0, Accepts("NULL"))],
        Slot::Out(place, optional) | Slot::Places(place, optional) => {
            let null = if optional { Accepts("NULL") } else { NULL };
            let mut all = vec![one(0, null)];
            if place != Place::Bool {
                all.push(one(good + 1, ASKEW));
            }
            if matches!(parameter.slot, Slot::Places(..)) && is_counted(call.function, at) {
                all.extend([length(u64::MAX - 1, LONG), length(u64::MAX, LONG)]);
            }
            all
        }
        // Misaligned, it is not written to; the call does what it does.
        Slot::Error => vec![one(0, Accepts("NULL")), one(good + 1, Accepts("misaligned"))],
        Slot::Length | Slot::Context | Slot::Quiet(_) => Vec::new(),
    }
}

/// Whether the length after an array of places is its own.
fn is_counted(function: &Function, at: usize) -> bool {
    function.parameters.get(at + 1).is_some_and(|next| next.slot == Slot::Length)
}

fn length_of(function: &Function, at: usize) -> usize {
    let all = function.parameters.iter().enumerate().skip(at);
    let mut lengths = all.filter(|(_, one)| one.slot == Slot::Length);
    lengths.next().map_or(at, |(at, _)| at)
}

fn strings(call: &mut Call, at: usize) -> Vec<Variation> {
    let good = call.numbers[at];
    let one = |number: u64, expected| (vec![(at, number)], expected);
    let count = length_of(call.function, at);
    let latin = call.bytes(b"caf\xe9");
    let data = with_exposed_provenance(latin as usize);
    let bad = [
        (sealite_string { data: null(), length: 5 }, NULL),
        (sealite_string { data: null(), length: usize::MAX }, NULL),
        (sealite_string { data, length: usize::MAX - 1 }, LONG),
        (sealite_string { data, length: 4 }, NO_TEXT),
    ];
    let mut all: Vec<Variation> = Vec::new();
    for (string, expected) in bad {
        let fine = call.string("some");
        // As the first, and after a good one.
        let (first, second) = (call.array(&[string, fine]), call.array(&[fine, string]));
        all.push(one(first, expected));
        all.push((vec![(at, second), (count, 2)], expected));
    }
    all.extend([one(0, NULL), one(good + 1, ASKEW)]);
    all.push((vec![(count, u64::MAX - 1)], LONG));
    all.push((vec![(count, u64::MAX)], LONG));
    all
}

fn values(call: &mut Call, at: usize) -> Vec<Variation> {
    let good = call.numbers[at];
    let one = |number: u64, expected| (vec![(at, number)], expected);
    let slot = call.function.parameters[at].slot;
    let latin = with_exposed_provenance(call.bytes(b"caf\xe9") as usize);
    let of = |kind, data, length| sealite_value { kind, integer: 2, real: 0.5, data, length };
    let mut bad = vec![
        (of(-1, latin, 4), KIND),
        (of(99, latin, 4), KIND),
        (of(3, latin, 4), NO_TEXT),
        (of(3, null(), 4), NULL),
        (of(3, null(), usize::MAX), NULL),
        (of(3, latin, usize::MAX - 1), LONG),
        (of(4, null(), 4), NULL),
        (of(4, latin, usize::MAX), LONG),
        (of(5, latin, 4), Fails(SEALITE_INVALID_INPUT, "a boolean is 0 or 1")),
        (of(6, latin, 4), NO_TEXT),
    ];
    if matches!(slot, Slot::Id(_) | Slot::Ids(_)) {
        let no_id = Fails(SEALITE_INVALID_INPUT, "an id is an integer or a text");
        bad.extend([
            (of(0, null(), 0), no_id),
            (of(2, null(), 0), no_id),
            (of(4, latin, 4), no_id),
        ]);
    }
    let mut all: Vec<Variation> = Vec::new();
    for (value, expected) in bad {
        all.push(one(call.array(&[value, calls::integer(1)]), expected));
    }
    let optional = matches!(slot, Slot::Id(true) | Slot::Ids(true));
    all.extend([one(0, if optional { Accepts("NULL") } else { NULL }), one(good + 1, ASKEW)]);
    // Those that may be missing are as long as the array before them, which is told first.
    if matches!(slot, Slot::Values | Slot::Ids(false)) {
        let count = length_of(call.function, at);
        all.push((vec![(count, u64::MAX - 1)], LONG));
        all.push((vec![(count, u64::MAX)], LONG));
    }
    all
}

/// What reports no error leaves alone what is no handle of its kind.
fn quiet(function: &Function, world: &World) {
    let Slot::Quiet(kind) = function.parameters[0].slot else { panic!("{}", function.name()) };
    let wrong = [0, 1, usize::MAX, world.freed[kind], world.other(kind)];
    let before = sealite_ffi::version::sealite_handles_live();
    for handle in wrong {
        let returned = (function.call)(&[handle as u64]);
        match (function.name(), returned) {
            (_, Returned::Nothing)
            | ("sealite_bytes_length" | "sealite_error_sqlite_code", Returned::Number(0)) => {}
            ("sealite_bytes_data", Returned::Pointer(data)) => assert_eq!(data, 0),
            ("sealite_error_message", Returned::Pointer(text)) => assert_ne!(text, 0),
            ("sealite_error_status", Returned::Status(status)) => {
                assert_eq!(status, SEALITE_INVALID_INPUT);
            }
            (name, returned) => panic!("{name}({handle:#x}): {returned:?}"),
        }
        assert_eq!(sealite_ffi::version::sealite_handles_live(), before, "{}", function.name());
    }
}
