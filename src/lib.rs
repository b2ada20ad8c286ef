//! curvebook: an offline surrogate-benchmark simulator for hyperparameter optimisation.
//!
//! The way of the data is
//! `space -> sobol -> trainer (gpu | cpu) -> table -> replay (clock, samplers, schedulers,
//! stoppers) -> answers -> report`.
//!
//! This crate is a thin facade over the rooms under `src/`, each a crate of its own, so that the
//! compiler keeps the dependency rule: a room can name only those that its `Cargo.toml` lists.
//!
//! ```text
//! base -> methods -> replay -> answers -> app -> cli
//! base -> store -> train ----------------> app
//!         store -----------> answers
//! ```
//!
//! Methods see a [`methods::interface::View`] of what has happened by *now* on the simulated clock
//! and nothing else: they cannot name the table.

pub use answers;
pub use app;
pub use base;
pub use cli;
pub use methods;
pub use replay;
pub use store;
pub use train;
