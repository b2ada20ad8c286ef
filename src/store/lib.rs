//! Files: tables, runs, traces and recorded orders. Alone in naming arrow and parquet.

pub mod columns;
mod document;
pub mod export;
pub mod extrapolations;
mod finished;
mod foreign;
mod frame;
pub mod import;
pub mod inputs;
mod lock;
pub mod orders;
mod output;
mod parquet_file;
mod parquet_writer;
mod parts;
mod place;
pub mod runs;
pub mod table;
pub mod trace;
mod unfinished;

pub use document::{Document, Documents};
pub use finished::Finished;
pub use frame::{ArrowSchema, ArrowStream, Frame};
pub use output::{Output, Places};
pub use parts::{Opening, Parts};
pub use place::Replacing;
pub use unfinished::discard_unfinished;
