//! Files: tables, runs, traces and recorded orders. Alone in naming arrow and parquet.

pub mod columns;
pub mod orders;
mod output;
mod parquet_file;
mod parts;
pub mod runs;
pub mod table;
pub mod trace;

pub use output::Output;
pub use parts::Parts;
