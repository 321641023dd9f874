#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sealite::fuzzing::audit_line(data));
