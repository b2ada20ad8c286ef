//! Integration tests, one binary.

mod table_common;
mod table_round_trip;
