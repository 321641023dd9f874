//! Every exported function of the library, to be called by its place in a table: what takes a program in C a day of
//! typing takes a loop here.

#![allow(dead_code)]

pub(crate) mod call;
pub(crate) mod world;

use std::ffi::{c_char, c_void};
use std::ptr::with_exposed_provenance;
use std::ptr::with_exposed_provenance_mut;

use sealite_ffi::status::sealite_status;

/// An exported function.
pub(crate) struct Function {
    path: &'static str,
    pub(crate) parameters: &'static [Parameter],
    /// Calls it with a number for each parameter: pointers are addresses.
    pub(crate) call: fn(&[u64]) -> Returned,
}

impl Function {
    pub(crate) fn name(&self) -> &'static str {
        self.path.rsplit("::").next().unwrap().trim()
    }
}

/// One of its parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) slot: Slot,
}

/// What a parameter is. A flag says that NULL may stand in its place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Slot {
    /// A handle of that kind.
    Handle(&'static str),
    /// Such a handle, or NULL.
    OptionalHandle(&'static str),
    /// An array of handles.
    Handles(&'static str),
    /// The handle of a function that reports no error.
    Quiet(&'static str),
    /// UTF-8.
    Text(bool),
    /// What somebody presents: any bytes.
    Presented,
    /// Bytes.
    Bytes,
    /// An array of sealite_string.
    Strings,
    /// A sealite_value.
    Value,
    /// An array of them.
    Values,
    /// The id of a row, as a value.
    Id(bool),
    /// An array of them.
    Ids(bool),
    /// An array of numbers of an enumeration.
    Choices,
    /// A pointer to a number of an enumeration, or NULL.
    OptionalChoice,
    /// A pointer to an i64, or NULL.
    OptionalNumber,
    /// How long the parameter before it is.
    Length,
    /// 0 or 1.
    Flag,
    /// A number of an enumeration.
    Choice,
    /// A number of that type, of which any value is one.
    Number(&'static str),
    /// A function of the caller's, or NULL.
    Progress,
    /// What is handed to it.
    Context,
    /// A place for a result.
    Out(Place, bool),
    /// An array of places.
    Places(Place, bool),
    /// The place for the error object.
    Error,
}

/// What is written to a place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Place {
    Bool,
    /// A number of four bytes.
    Four,
    /// Of eight.
    Eight,
    /// A pointer to what is not the caller's.
    Pointer,
    AValue,
    Decision,
    /// A handle of that kind, to be freed.
    AHandle(&'static str),
}

/// What a function returned.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Returned {
    Status(sealite_status),
    Nothing,
    Number(u64),
    Pointer(usize),
}

/// A number as a parameter.
trait Argument {
    fn of(number: u64) -> Self;
}

impl<T> Argument for *const T {
    fn of(number: u64) -> Self {
        with_exposed_provenance(usize::of(number))
    }
}

impl<T> Argument for *mut T {
    fn of(number: u64) -> Self {
        with_exposed_provenance_mut(usize::of(number))
    }
}

macro_rules! arguments {
    ($($number:ty),*) => {$(
        impl Argument for $number {
            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
            fn of(number: u64) -> Self {
                number as $number
            }
        }
    )*};
}
arguments! { i32, u32, i64, u64, usize }

impl Argument for bool {
    fn of(number: u64) -> Self {
        number != 0
    }
}

/// A function of the caller's that hears how far a call is.
type Progress =
    Option<unsafe extern "C" fn(*mut c_void, i32, *const c_char, usize, u64, u64) -> i32>;

impl Argument for Progress {
    fn of(number: u64) -> Self {
        unsafe extern "C" fn goes_on(
            _: *mut c_void,
            _: i32,
            _: *const c_char,
            _: usize,
            _: u64,
            _: u64,
        ) -> i32 {
            0
        }
        (number != 0).then_some(goes_on)
    }
}

/// A result, whatever its type.
trait Result {
    fn returned(self) -> Returned;
}

impl Result for sealite_status {
    fn returned(self) -> Returned {
        Returned::Status(self)
    }
}

impl Result for () {
    fn returned(self) -> Returned {
        Returned::Nothing
    }
}

impl<T> Result for *const T {
    fn returned(self) -> Returned {
        Returned::Pointer(self.expose_provenance())
    }
}

impl Result for usize {
    fn returned(self) -> Returned {
        Returned::Number(self as u64)
    }
}

impl Result for u32 {
    fn returned(self) -> Returned {
        Returned::Number(self.into())
    }
}

impl Result for i32 {
    fn returned(self) -> Returned {
        Returned::Number(u64::from(self.cast_unsigned()))
    }
}

macro_rules! functions {
    ($($($path:ident)::+ ($($name:ident: $slot:expr),*);)*) => {
        /// All of them, in the order of `symbols.txt`.
        pub(crate) static FUNCTIONS: &[Function] = {
            use self::{Place::*, Slot::*};
            &[$(Function {
                path: stringify!($($path)::+),
                parameters: &[$(Parameter { name: stringify!($name), slot: $slot }),*],
                call: |numbers| {
                    #[allow(unused_mut, unused_variables)]
                    let mut numbers = numbers.iter();
                    // SAFETY: (1), (3): the numbers are addresses of memory of the call's own and live as long as it, or
                    // such as the library has to refuse.
                    #[allow(unused_unsafe)]
                    let result = unsafe {
                        sealite_ffi::$($path)::+($({
                            let _parameter = stringify!($name);
                            Argument::of(*numbers.next().unwrap())
                        }),*)
                    };
                    #[allow(clippy::unit_arg)]
                    result.returned()
                },
            }),*]
        };
    };
}

include!("functions.rs");

/// The function of that name.
pub(crate) fn function(name: &str) -> &'static Function {
    let found = FUNCTIONS.iter().find(|function| function.name() == name);
    found.unwrap_or_else(|| panic!("no function {name}"))
}
