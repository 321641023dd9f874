//! One call: its arguments, the memory that they lie in, and what came back.

use std::ffi::CStr;
use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use sealite_ffi::error::{
    sealite_error, sealite_error_free, sealite_error_message, sealite_error_status,
};
use sealite_ffi::quota::sealite_decision;
use sealite_ffi::status::sealite_status;
use sealite_ffi::value::{sealite_string, sealite_value};
use sealite_ffi::version::sealite_handles_live;

use super::{Function, Place, Returned, Slot, function};

/// What a place holds before the call.
const JUNK: u64 = 0xa5a5_a5a5_a5a5_a5a5;

/// What a place of results has room for.
const ROOM: usize = 64;

/// A call that is being put together.
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    /// One for each parameter.
    pub(crate) numbers: Vec<u64>,
    memory: Vec<Box<[u64]>>,
}

/// What it gave.
pub(crate) struct Outcome {
    pub(crate) returned: Returned,
    /// Empty where there is no error object.
    pub(crate) message: String,
    /// Handles made, for the caller to free.
    pub(crate) made: Vec<(&'static str, usize)>,
}

impl Outcome {
    pub(crate) fn status(&self) -> sealite_status {
        match self.returned {
            Returned::Status(status) => status,
            other => panic!("no status: {other:?}"),
        }
    }
}

impl Call {
    pub(crate) fn new(function: &'static Function) -> Self {
        Call { function, numbers: vec![0; function.parameters.len()], memory: Vec::new() }
    }

    /// Memory for words, which lives as long as the call; its address.
    pub(crate) fn words(&mut self, words: Vec<u64>) -> u64 {
        let mut words = words.into_boxed_slice();
        let address = words.as_mut_ptr().expose_provenance() as u64;
        self.memory.push(words);
        address
    }

    /// For bytes, with a NUL after them.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> u64 {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len() / 8 * 8 + 8, 0);
        let words = padded.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap()));
        self.words(words.collect())
    }

    /// For one or more values, texts or numbers.
    pub(crate) fn array<T: Copy>(&mut self, all: &[T]) -> u64 {
        assert!(align_of::<T>() <= 8);
        let address = self.words(vec![0; size_of_val(all).div_ceil(8)]);
        let start: *mut T = with_exposed_provenance_mut(address as usize);
        for (at, one) in all.iter().enumerate() {
            // SAFETY: (1) memory of the call's own, aligned to 8 bytes and as long as the array.
            unsafe { start.add(at).write(*one) };
        }
        address
    }

    pub(crate) fn string(&mut self, text: &str) -> sealite_string {
        let data = with_exposed_provenance(self.bytes(text.as_bytes()) as usize);
        sealite_string { data, length: text.len() }
    }

    /// Puts junk into the places for results.
    pub(crate) fn places(&mut self) {
        for (at, parameter) in self.function.parameters.iter().enumerate() {
            if matches!(parameter.slot, Slot::Out(..) | Slot::Places(..) | Slot::Error) {
                self.numbers[at] = self.words(vec![JUNK; ROOM]);
            }
        }
    }

    /// Makes the call, and checks what holds of each: that the error object agrees with the status, that places are
    /// cleared where it failed, and that no other handle has been made or lost.
    pub(crate) fn make(&self) -> Outcome {
        let before = sealite_handles_live();
        let returned = (self.function.call)(&self.numbers);
        let message = self.error(returned);
        let failed = !matches!(returned, Returned::Status(sealite_status::SEALITE_OK));
        let mut made = Vec::new();
        for (at, parameter) in self.function.parameters.iter().enumerate() {
            let address = self.numbers[at];
            if let Slot::Out(place, _) | Slot::Places(place, _) = parameter.slot
                && self.is_place(address)
            {
                if failed && !self.is_no_array(at) {
                    assert!(place.is_cleared(address), "{self:?}: {} not cleared", parameter.name);
                } else if let (false, Place::AHandle(kind)) = (failed, place) {
                    // SAFETY: (1) a place of the call's own.
                    let handle = unsafe { *with_exposed_provenance::<usize>(address as usize) };
                    made.extend((handle != 0).then_some((kind, handle)));
                }
            }
        }
        let frees = self.function.name().ends_with("_free");
        let after = sealite_handles_live();
        assert!(frees || after == before + made.len(), "{self:?}: {before} handles, then {after}");
        Outcome { returned, message, made }
    }

    /// Whether the place is an array of length 0, or one that can't be as long as is said: none of it is cleared.
    fn is_no_array(&self, at: usize) -> bool {
        let mut lengths = self.function.parameters.iter().zip(&self.numbers);
        matches!(self.function.parameters[at].slot, Slot::Places(..))
            && lengths.any(|(one, number)| one.slot == Slot::Length && !(1..=8).contains(number))
    }

    /// Whether an address is one that the library writes to: neither NULL nor misaligned.
    fn is_place(&self, address: u64) -> bool {
        self.memory.iter().any(|memory| memory.as_ptr().addr() as u64 == address)
    }

    /// The message of the error object, which is freed.
    fn error(&self, returned: Returned) -> String {
        let at = self.function.parameters.iter().position(|one| one.slot == Slot::Error);
        let Some(address) = at.map(|at| self.numbers[at]).filter(|at| self.is_place(*at)) else {
            return String::new();
        };
        // SAFETY: (1), (3) a place of the call's own, and what the library has written there.
        unsafe {
            let error = *with_exposed_provenance::<*mut sealite_error>(address as usize);
            let Returned::Status(status) = returned else { return String::new() };
            let ok = status == sealite_status::SEALITE_OK;
            assert_eq!(error.is_null(), ok, "{self:?}: {status:?}");
            if ok {
                return String::new();
            }
            assert_eq!(sealite_error_status(error), status, "{self:?}");
            let message = CStr::from_ptr(sealite_error_message(error)).to_str().unwrap().to_owned();
            sealite_error_free(error);
            assert!(!message.is_empty(), "{self:?}: {status:?} without a message");
            message
        }
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}(", self.function.name())?;
        for (parameter, number) in self.function.parameters.iter().zip(&self.numbers) {
            write!(f, "{}: {number:#x}, ", parameter.name)?;
        }
        write!(f, ")")
    }
}

impl Place {
    /// Whether the place at the address holds 0, false or NULL.
    fn is_cleared(self, address: u64) -> bool {
        let address = address as usize;
        // SAFETY: (1) a place of the call's own, written to by the library.
        unsafe {
            match self {
                Place::Bool => *with_exposed_provenance::<u8>(address) == 0,
                Place::Four => *with_exposed_provenance::<u32>(address) == 0,
                Place::Eight | Place::Pointer | Place::AHandle(_) => {
                    *with_exposed_provenance::<u64>(address) == 0
                }
                Place::AValue => {
                    let value = *with_exposed_provenance::<sealite_value>(address);
                    value.kind == 0
                        && value.integer == 0
                        && value.real == 0.0
                        && value.data.is_null()
                        && value.length == 0
                }
                Place::Decision => {
                    let decision = &*with_exposed_provenance::<sealite_decision>(address);
                    !decision.allowed
                        && decision.remaining == 0
                        && decision.retry_after_ms == 0
                        && decision.reset_after_ms == 0
                        && decision.limit == 0
                }
            }
        }
    }
}

/// Frees a handle of that kind.
pub(crate) fn free(kind: &str, handle: usize) {
    let returned = (function(&format!("sealite_{kind}_free")).call)(&[handle as u64]);
    assert_eq!(returned, Returned::Nothing);
}
