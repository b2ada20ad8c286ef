//! Learning curves as sums of parametric families: Domhan, Springenberg & Hutter, "Speeding up
//! automatic hyperparameter optimization of deep neural networks by extrapolation of learning
//! curves", IJCAI 2015, as their code has it (pylearningcurvepredictor).
//!
//! `family.rs`: the eleven families, with values, derivatives and where a fit starts. `fit.rs`: the
//! recency-weighted least-squares fit of one of them to a beginning of a curve (`prefix.rs`). What
//! a model then says of the curve's end is an [`Extrapolation`] (`extrapolation.rs`):
//! [`posterior()`] samples a weighted combination of all families (`combination.rs`, `lanes.rs`) by
//! an ensemble of walkers (`ensemble.rs`), which is the paper's; [`laplace()`] is a shortcut of ours.
//!
//! A posterior takes a tenth of a second and depends on nothing but the curve, so that all runs on a
//! table share them (`shared.rs`); `forecasts.rs` is the way from a trial to its own.
//!
//! A curve is what the metric says, higher is better, at `x` = 1, 2, ..., and best between 0 and 1.
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
mod shared;

pub use extrapolation::{Extrapolation, Knot, Part};
pub use family::{Family, PARAMETERS_MAX};
pub use fit::{Fit, fit, recency_weights};
pub use forecasts::{EPOCHS_MIN, Forecasts, Model, Scale};
pub use laplace::laplace;
#[cfg(test)]
pub(crate) use posterior::posterior_from;
pub use posterior::{Sampling, fits, posterior};
pub use prefix::Prefix;
pub use shared::{CurveAt, Found, Library, Shelf};

#[cfg(test)]
pub(crate) mod tests;
