//! Models of the objective that methods and analysis share: pure functions of what has been
//! observed, with their randomness as an argument.
//!
//! Everything here *minimises*: a target is a loss. What a model knows of a configuration is its
//! row of a table, as the kit's [`encoding`](crate::kit::encoding) has it.

pub mod expected_improvement;
pub mod forest;
pub mod forest_improvement;
pub mod kernel_density;
pub mod parzen;
