#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| isthmus_fuzz::smtp_wire::run(data));
