//! What the program does, without a terminal: settings in; results, progress and warnings out.
//!
//! Every command is a module with `Settings`, plain data that is checked when it is made, and a
//! function that does the work and returns what it came to. What there is to tell on the way goes
//! to an [`Events`], and a flag asks the work to stop. Front ends (the command line, Python)
//! read settings, print results, and do nothing else: they depend on this crate alone, which shows
//! the types of the rooms below that they need.

pub mod analyze;
pub mod audit;
#[cfg(feature = "download")]
pub mod data;
#[cfg(feature = "gpu")]
pub mod devices;
mod events;
pub mod example;
pub mod export;
pub mod extrapolate;
mod forecast;
pub mod import;
pub mod loaded;
pub mod methods;
mod objective;
pub mod optimizer;
pub mod pools;
pub mod prior;
pub mod replay;
pub mod report_page;
mod robustness;
pub mod runner;
pub mod runs;
pub mod settings;
pub mod simulator;
pub mod slurm;
pub mod space;
pub mod study;
pub mod table;
mod table_hash;
pub mod table_look;
pub mod table_plot;
pub mod train;
pub mod verify;
pub mod why;

pub use answers::{analysis, report};
pub use base::error;
pub use base::units::plural;
pub use events::{Events, GO_ON, Silent};
pub use store::discard_unfinished;
