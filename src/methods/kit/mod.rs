//! What methods are built from, models above all but also rules that compare trials, so that a
//! method's own file holds its idea and not the bookkeeping of every other method again.
//!
//! | module | for |
//! |---|---|
//! | [`history`] | what a method was told: revisions, what reports nothing, what is pending |
//! | [`encoding`] | points of the unit cube as the numbers a model takes; a table's rows in them |
//! | [`rows`] | the free row with the largest acquisition, first in the repeat's order on ties |
//! | [`row_tree`] | the free row nearest to a point |
//! | [`linear_algebra`] | Cholesky factors, eigenvectors, least squares, linear systems |
//! | [`lbfgs`] | minima of smooth functions in a box, for a model's own parameters |
//! | [`levenberg_marquardt`] | least squares of a nonlinear curve |
//! | [`streams`] | labelled random streams, and how decisions stay paired |
//! | [`ranked`] | scores in order, for rules that compare a trial with many others |
//! | [`pacing`] | when rules of Optuna's kind check, and the best that a trial has shown by then |
//! | [`epochwise`] | schedulers that give one more epoch to whoever a model likes best |
//! | [`prefix`] | beginnings of curves without gaps, and what a finished one came to |
//! | [`draws`] | normal, truncated, weighted draws, permutations: the same on every machine |
//! | [`bins`] | a space cut into bins, and free rows of them |
//! | [`differential`] | differential evolution's operators |
//! | [`genes`] | coordinates as genes, for methods that breed configurations |
//! | [`incumbent`] | the best trial of a descent, for methods that move from point to point |
//!
//! A model of the objective is no part of the kit but a room of its own
//! ([`surrogates`](crate::surrogates)), and so is what a method may see
//! ([`interface`](crate::interface)). Nothing here knows a method by name, reads a clock or a file,
//! or decides anything: each part is a function of its arguments, with the same result on every
//! machine, instruction set and number of threads.
//!
//! A sampler that fits a model usually goes like `samplers/rf_ei.rs`: `build` encodes the table
//! once ([`Encoded`](encoding::Encoded), shared by all runs), `tell` passes to
//! [`History::tell`](history::History::tell), and `propose` asks
//! [`History::catch_up`](history::History::catch_up) what has changed, fits, and lets
//! [`RowSearch`](rows::RowSearch) find the row.

pub mod bins;
pub mod differential;
pub mod draws;
pub mod encoding;
pub mod epochwise;
#[cfg(test)]
pub(crate) mod fixed_histories;
pub mod genes;
pub mod history;
pub mod incumbent;
pub mod lbfgs;
pub mod levenberg_marquardt;
pub mod linear_algebra;
pub mod pacing;
pub mod prefix;
pub mod ranked;
#[cfg(test)]
pub(crate) mod rehearsal;
pub mod row_tree;
pub mod rows;
pub mod streams;
