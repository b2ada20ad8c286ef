//! curvebook: an offline surrogate-benchmark simulator for hyperparameter optimisation.
//!
//! The way of the data is
//! `space -> sobol -> trainer -> table -> replay (clock, samplers, schedulers, stoppers)
//! -> analysis -> report`.
//!
//! # The dependency rule
//!
//! A module imports only from its left, and neighbours joined by `|` never import each other:
//!
//! ```text
//! error, fields -> units -> rng | stats -> surrogates -> space -> method
//!       -> samplers | schedulers | stoppers -> replay -> analysis -> report -> cli
//! error, fields -> units -> rng | stats -> surrogates -> space -> data | model -> table
//!       -> trainer -> cli
//! ```
//!
//! `replay` and `analysis` may import `table`; methods never do: they see a
//! [`method::View`] of what has happened by *now* on the simulated clock and nothing else.
//! Only `table`, `replay::study` and `analysis` name arrow, parquet or polars; only `cli` names
//! clap, indicatif and anyhow; only `data::download` names ureq and tar; only `trainer::gpu` names
//! wgpu and pollster. `tests/it/tidy.rs` keeps all of this.

pub mod analysis;
pub mod cli;
pub mod data;
pub mod error;
pub mod fields;
pub mod method;
pub mod model;
pub mod replay;
pub mod report;
pub mod rng;
pub mod samplers;
pub mod schedulers;
pub mod space;
pub mod stats;
pub mod stoppers;
pub mod surrogates;
pub mod table;
pub mod trainer;
pub mod units;
