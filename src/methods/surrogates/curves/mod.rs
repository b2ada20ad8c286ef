//! Learning curves as sums of parametric families: Domhan, Springenberg & Hutter, "Speeding up
//! automatic hyperparameter optimization of deep neural networks by extrapolation of learning
//! curves", IJCAI 2015, as their code has it (pylearningcurvepredictor).
//!
//! `family.rs`: the eleven families, with values, derivatives and where a fit starts. `fit.rs`: the
//! recency-weighted least-squares fit of one of them to a beginning of a curve.
//!
//! A curve is what the metric says, higher is better, at `x` = 1, 2, ... Everything is a function
//! of its arguments; transcendental functions are `libm`'s.

mod family;
mod fit;

pub use family::{Family, PARAMETERS_MAX};
pub use fit::{Fit, fit, recency_weights};

#[cfg(test)]
mod tests;
