//! Learning curves as sums of parametric families: Domhan, Springenberg & Hutter, "Speeding up
//! automatic hyperparameter optimization of deep neural networks by extrapolation of learning
//! curves", IJCAI 2015, as their code has it (pylearningcurvepredictor).
//!
//! `family.rs`: the eleven families, with values, derivatives and where a fit starts. `fit.rs`: the
//! recency-weighted least-squares fit of one of them to a beginning of a curve (`prefix.rs`). What
//! a model then says of the curve's end is an [`Extrapolation`](crate::interface::Extrapolation)
//! (`extrapolation.rs`): [`posterior()`] samples a weighted combination of all families
//! (`combination.rs`, `lanes.rs`) by an ensemble of walkers (`ensemble.rs`), which is the paper's;
//! [`laplace()`] is a shortcut of ours.
//!
//! All runs on a table share them, in the [`Library`](crate::interface::Library) of the context;
//! `forecasts.rs` is the way from a trial to its own.
//!
//! A curve is what the metric says at `x` = 1, 2, ...: higher is better, and 0 to 1 is best.
//! Everything is a function of its arguments. Transcendental functions are `libm`'s, and within the
//! chain those of [`base::elementary`].

mod combination;
mod ensemble;
mod extrapolation;
mod family;
mod fit;
mod forecasts;
mod lanes;
mod laplace;
mod posterior;
mod prefix;

pub use extrapolation::{Part, of_parts};
pub use family::{Family, PARAMETERS_MAX};
pub use fit::{Fit, fit, recency_weights};
pub use forecasts::{EPOCHS_MIN, Forecasts, Model, Scale};
pub use laplace::laplace;
#[cfg(test)]
pub(crate) use posterior::posterior_from;
pub use posterior::{Sampling, fits, posterior};
pub use prefix::Prefix;

#[cfg(test)]
pub(crate) mod tests;
