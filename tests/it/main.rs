//! Integration tests, one binary.

mod table_common;
mod table_faults;
mod table_foreign;
mod table_round_trip;
