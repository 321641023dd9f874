#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sealite_fuzz::stateful_faults(data));
