#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| isthmus_fuzz::smpp_pdu::run(data));
