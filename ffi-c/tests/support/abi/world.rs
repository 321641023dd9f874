//! What calls are made on: a vault in a file, and a handle of every kind, made by calling whatever makes one.

use std::collections::BTreeMap;
use std::path::Path;

use sealite_ffi::value::sealite_value;

use super::call::{Call, free};
use super::{FUNCTIONS, Function, Place, Returned, Slot, function};
use crate::calls::{KEY, integer, text};

/// Handles by kind.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) alive: BTreeMap<&'static str, Vec<usize>>,
    /// One that was freed, by kind.
    pub(crate) freed: BTreeMap<&'static str, usize>,
    files: u32,
}

/// A column of each protection, indexed and not.
const COLUMNS: [&str; 3] =
    ["email text sealed not null unique email", "plan text sealed", "name text plain"];

impl World {
    /// A key and a configuration, and no vault.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World { folder, alive: BTreeMap::new(), freed: BTreeMap::new(), files: 0 };
        world.succeed("sealite_unlock_key_text", &[]);
        // Nothing here waits for anybody but for itself.
        world.succeed("sealite_config_create", &[]);
        world.succeed("sealite_config_set_busy_timeout", &[("milliseconds", 1)]);
        world.succeed("sealite_config_set_synchronous", &[("synchronous", 1)]);
        world
    }

    pub(crate) fn new() -> Self {
        let mut world = World::empty();
        world.succeed("sealite_vault_create", &[]);
        world.succeed("sealite_definition_create", &[]);
        for column in COLUMNS {
            let function = function("sealite_definition_add_column");
            let mut call = world.good(function);
            call.numbers[1] = call.bytes(column.as_bytes());
            call.numbers[2] = column.len() as u64;
            assert_eq!(call.make().message, "");
        }
        world.succeed("sealite_vault_define_table", &[]);
        world.succeed("sealite_vault_add_slot", &[]);
        world.make_every_kind();
        world
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn vault(&self) -> std::path::PathBuf {
        self.path().join("1.db")
    }

    /// Makes one call that has to succeed, with some numbers set.
    fn succeed(&mut self, name: &str, numbers: &[(&str, u64)]) {
        let mut call = self.good(function(name));
        for (name, number) in numbers {
            let at = call.function.parameters.iter().position(|one| one.name == *name).unwrap();
            call.numbers[at] = *number;
        }
        let outcome = call.make();
        assert_eq!(outcome.message, "", "{call:?}");
        self.keep(outcome.made);
    }

    fn keep(&mut self, made: Vec<(&'static str, usize)>) {
        for (kind, handle) in made {
            self.alive.entry(kind).or_default().push(handle);
        }
    }

    /// The kinds that there are, by the functions that free them.
    pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().filter(|one| one.name().ends_with("_free")).map(|free| {
            match free.parameters[0].slot {
                Slot::Quiet(kind) => kind,
                slot => panic!("{slot:?}"),
            }
        })
    }

    /// Calls what makes handles, until there is one of each kind; and frees another of each.
    fn make_every_kind(&mut self) {
        let makes = |function: &Function, wanted: &'static str| {
            // One transaction at a time, and nothing that ends what there is.
            function
                .parameters
                .iter()
                .any(|one| one.slot == Slot::Out(Place::AHandle(wanted), false))
        };
        let kinds: Vec<&'static str> = Self::kinds().filter(|kind| *kind != "error").collect();
        for round in 0.. {
            let missing: Vec<_> = kinds.iter().filter(|kind| !self.has(kind)).copied().collect();
            if missing.is_empty() {
                break;
            }
            assert!(round < 5, "nothing makes {missing:?}");
            for kind in missing {
                for function in FUNCTIONS.iter().filter(|one| makes(one, kind)) {
                    if self.has(kind) || !self.can_be_called(function) {
                        continue;
                    }
                    let outcome = self.good(function).make();
                    self.keep(outcome.made);
                }
            }
        }
        self.alive.insert("error", vec![an_error()]);
        self.freed.insert("error", 0);
        for kind in Self::kinds() {
            let spare = self.spare(kind);
            free(kind, spare);
            self.freed.insert(kind, spare);
        }
    }

    fn has(&self, kind: &str) -> bool {
        self.alive.get(kind).is_some_and(|all| !all.is_empty())
    }

    /// Whether there is a handle for each that it takes.
    fn can_be_called(&self, function: &Function) -> bool {
        function.parameters.iter().all(|one| match one.slot {
            Slot::Handle(kind) | Slot::Quiet(kind) | Slot::Handles(kind) => self.has(kind),
            _ => true,
        })
    }

    /// Another handle of the kind, made as the one that there is.
    fn spare(&mut self, kind: &'static str) -> usize {
        match kind {
            "error" => return an_error(),
            // The one that there is writes: a second one would wait for it.
            "transaction" => {
                let first = self.alive.get_mut(kind).unwrap().pop().unwrap();
                free(kind, first);
                let outcome = self.good(function("sealite_vault_begin")).make();
                self.keep(outcome.made);
                return first;
            }
            _ => {}
        }
        let wanted = Slot::Out(Place::AHandle(kind), false);
        for function in FUNCTIONS {
            let makes = function.parameters.iter().any(|one| one.slot == wanted);
            if makes && self.can_be_called(function) && function.name() != "sealite_vault_begin" {
                let mut outcome = self.good(function).make();
                let at = outcome.made.iter().position(|(made, _)| *made == kind);
                let found = at.map(|at| outcome.made.remove(at).1);
                outcome.made.into_iter().for_each(|(kind, handle)| free(kind, handle));
                if let Some(found) = found {
                    return found;
                }
            }
        }
        panic!("no other {kind}");
    }

    /// Keeps a few of each kind, and frees the oldest but one: the first is what all began with.
    pub(crate) fn keep_few(&mut self, kind: &'static str, handle: usize) {
        let all = self.alive.entry(kind).or_default();
        all.push(handle);
        if all.len() > 4 {
            let old = all.remove(1);
            free(kind, old);
            self.freed.insert(kind, old);
        }
    }

    /// A handle that somebody has freed.
    pub(crate) fn forget(&mut self, handle: usize) {
        for (kind, all) in &mut self.alive {
            if let Some(at) = all.iter().position(|one| *one == handle) {
                self.freed.insert(kind, all.remove(at));
            }
        }
    }

    /// Frees every handle; the files stay until this goes.
    pub(crate) fn free(&mut self) {
        // What was made from others first, though any order will do.
        for (kind, all) in std::mem::take(&mut self.alive).into_iter().rev() {
            for handle in all {
                free(kind, handle);
            }
        }
    }

    pub(crate) fn handle(&self, kind: &str) -> usize {
        self.alive.get(kind).and_then(|all| all.last()).copied().unwrap_or(0)
    }

    /// A handle of another kind.
    pub(crate) fn other(&self, kind: &str) -> usize {
        self.handle(if kind == "limits" { "values" } else { "limits" })
    }

    /// A call whose arguments are all such as can be read.
    #[allow(clippy::match_same_arms, reason = "a line for each kind of parameter")]
    pub(crate) fn good(&mut self, function: &'static Function) -> Call {
        let mut call = Call::new(function);
        call.places();
        let mut length = 0;
        for (at, parameter) in function.parameters.iter().enumerate() {
            let name = parameter.name;
            let number = match parameter.slot {
                Slot::Handle(kind) | Slot::OptionalHandle(kind) | Slot::Quiet(kind) => {
                    self.alive.get(kind).and_then(|all| all.last()).map_or(0, |one| *one as u64)
                }
                Slot::Handles(kind) => call.words(vec![self.handle(kind) as u64]),
                Slot::Text(true) if name == "plan" => {
                    length = 0;
                    0
                }
                Slot::Text(_) | Slot::Presented => {
                    let text = self.text(function, name);
                    length = text.len() as u64;
                    call.bytes(text.as_bytes())
                }
                Slot::Bytes => {
                    length = 32;
                    call.bytes(KEY.get(..32).unwrap().as_bytes())
                }
                Slot::Strings => {
                    let (one, other) = (call.string("email"), call.string("name"));
                    call.array(&[one, other])
                }
                Slot::Value | Slot::Values => call.array(&[value(), value()]),
                Slot::Id(_) | Slot::Ids(_) => call.array(&[integer(1), integer(2)]),
                Slot::Choices | Slot::OptionalChoice => call.array(&[7_i32, 7]),
                Slot::OptionalNumber => call.array(&[1_i64 << 40]),
                Slot::Flag | Slot::Number("bool") => 0,
                Slot::Choice => 1,
                Slot::Number(_) => number(name),
                Slot::Length => length,
                Slot::Progress => 1,
                Slot::Context => 0,
                Slot::Out(..) | Slot::Places(..) | Slot::Error => call.numbers[at],
            };
            // Arrays have one element, of which there is a second.
            if matches!(
                parameter.slot,
                Slot::Handles(_) | Slot::Strings | Slot::Values | Slot::Ids(_) | Slot::Choices
            ) || matches!(parameter.slot, Slot::Places(..)) && length == 0
            {
                length = 1;
            }
            call.numbers[at] = number;
        }
        call
    }

    /// A text for the parameter of that name.
    fn text(&mut self, function: &Function, name: &str) -> String {
        let text = match (function.name(), name) {
            ("sealite_vault_create" | "sealite_vault_at", _) | (_, "path" | "to" | "folder")
                if !function.name().starts_with("sealite_vault_rename") =>
            {
                self.files += 1;
                return self.path().join(format!("{}.db", self.files)).display().to_string();
            }
            ("sealite_unlock_key_text", _) => KEY,
            ("sealite_definition_create", _) => "people",
            ("sealite_vault_tenant", _) | (_, "tenant") => "acme",
            ("sealite_limits_parse", _) | (_, "limits") => "5/minute",
            (_, "backup") => {
                return self.path().join("1.db").display().to_string();
            }
            (_, "sql") => "SELECT ? AS x",
            (_, "name" | "table") => "people",
            (_, "column") => "plan",
            (_, "specification") => "extra text sealed",
            (_, "to") => "other",
            (_, "json" | "payload_json" | "data_json") => "{\"a\":1}",
            (_, "event" | "action") => "thing.done",
            (_, "reference") => "env:SEALITE_TEST_NO_SUCH_KEY",
            (_, "passphrase") => "nine quiet herons walk east",
            (_, "variable") => "SEALITE_TEST_NO_SUCH",
            (_, "trace_id") => "0af7651916cd43dd8448eb211c80319c",
            (_, "index") => "email",
            (_, "code") => "123456",
            _ => "some",
        };
        text.to_owned()
    }
}

fn value() -> sealite_value {
    text("value")
}

/// A number for the parameter of that name: of a cost, the least.
fn number(name: &str) -> u64 {
    match name {
        "memory_kib" => 19_456,
        "passes" => 2,
        "block" => 32,
        "digits" => 6,
        "milliseconds" | "window_ms" => 60_000,
        _ => 1,
    }
}

/// An error object.
fn an_error() -> usize {
    let place = Box::into_raw(Box::new(0_usize));
    let numbers = [0, place.expose_provenance() as u64];
    let returned = (function("sealite_values_create").call)(&numbers);
    assert!(matches!(returned, Returned::Status(_)));
    // SAFETY: (1) made above.
    let error = *unsafe { Box::from_raw(place) };
    assert!(error != 0);
    error
}

impl Drop for World {
    fn drop(&mut self) {
        self.free();
    }
}
