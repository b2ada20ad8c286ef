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
//! [`app`] is the front door: every command as a function, with settings in and an outcome out.
//!
//! ```
//! use curvebook::app::{GO_ON, Silent, replay};
//!
//! # fn main() -> Result<(), curvebook::app::error::Error> {
//! // Random search, with and without a rule that stops hopeless trials after an epoch: how long
//! // until a configuration of the table's best 2 % is found?
//! let asked = replay::keywords()
//!     .set("table", "tables/digits-lenet")
//!     .set("stoppers", ["none", "etr1:tau=1,epsilon=0.05"])
//!     .set("goal", "top:0.02")
//!     .set("repeats", 40);
//! // What is wrong is refused here or before the first run, with value, rule and remedy.
//! let outcome = replay::run(&replay::Settings::read(&asked)?, &Silent, &GO_ON)?;
//!
//! let analysis = outcome.analysis.expect("it was not turned off");
//! let mut medians = Vec::new();
//! for answer in &analysis.goals[0].answers {
//!     let stopper = &analysis.methods[answer.method].stopper;
//!     let median = answer.time_to_goal_s.median.low;
//!     println!("{stopper}: {median:.1} s until half of {} runs were there", answer.runs);
//!     medians.push(median);
//! }
//! assert!(medians[1] < medians[0], "stopping early pays");
//! # Ok(())
//! # }
//! ```
//!
//! The words that `asked` takes are those of a study file and of the command line; [`app::Events`]
//! hears of the progress, and a flag instead of [`app::GO_ON`] stops the work.
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
