//! What the program does, without a terminal: settings in; results, progress and warnings out.
//!
//! Every command is a module with `Settings`, plain data that is checked when it is made, and a
//! function that does the work and returns what it came to. What there is to tell on the way goes
//! to an [`Events`], and a flag asks the work to stop. Front ends (the command line, later Python)
//! read settings, print results, and do nothing else: they depend on this crate alone, which shows
//! the types of the rooms below that they need.

pub mod analyze;
pub mod data;
pub mod devices;
mod events;
pub mod methods;
pub mod pools;
pub mod replay;
pub mod runner;
pub mod runs;
pub mod settings;
pub mod space;
pub mod study;
pub mod table;
pub mod train;

pub use answers::{analysis, report};
pub use base::error;
pub use events::{Events, GO_ON, Silent};

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).expect("below 16");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
