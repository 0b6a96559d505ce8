//! Our server against a client that says what the test says.
