//! Models of the objective that methods and analysis share: pure functions of what has been
//! observed, with their randomness as an argument.
//!
//! Everything but [`curves`] *minimises*: a target is a loss. What a model knows of a configuration
//! is its row of a table, as the kit's [`encoding`](crate::kit::encoding) has it. [`curves`] are
//! models of the epochs of one trial, and know nothing of configurations.

pub mod adam;
pub mod curves;
pub mod deep_kernel;
pub mod expected_improvement;
pub mod forest;
pub mod forest_improvement;
pub mod freeze_thaw;
pub mod gaussian_process;
pub mod networks;
pub mod parzen;
pub mod power_laws;
pub mod products;
pub mod radial_basis;
pub mod svr;
