//! What the program does, without a terminal: settings in; results, progress and warnings out.

pub mod pools;
pub mod runner;
pub mod runs;
pub mod study;
