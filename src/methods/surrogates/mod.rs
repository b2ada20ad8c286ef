//! Models of the objective that methods and analysis share: pure functions of what has been
//! observed, with their randomness as an argument.
//!
//! What a model knows of a configuration is its row of a table, as the kit's
//! [`encoding`](crate::kit::encoding) has it. Everything *minimises*, a target being a loss, but
//! [`curves`], [`deep_kernel`] and [`freeze_thaw`]: those say what a curve or a value will be,
//! whichever way is better. [`curves`] are models of the epochs of one trial, and know nothing of
//! configurations.

pub mod adam;
pub mod boosting;
pub mod curves;
pub mod deep_kernel;
pub mod expected_improvement;
pub mod forest;
pub mod forest_improvement;
pub mod freeze_thaw;
pub mod functional_anova;
pub mod gaussian_process;
pub mod kernel_density;
pub mod networks;
pub mod parzen;
pub mod power_laws;
pub mod products;
pub mod radial_basis;
pub mod svr;
