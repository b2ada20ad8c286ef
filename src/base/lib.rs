//! What every room stands on: errors, fields of TOML and JSON, arithmetic that people write, units,
//! random numbers, statistics, spaces.

pub mod elementary;
pub mod error;
pub mod fields;
pub mod formula;
mod hex;
pub mod measured;
pub mod rng;
pub mod space;
pub mod stats;
pub mod units;

pub use hex::hex;
