//! Search spaces: parameters with their types and ranges, the unit cube, TOML and Sobol points.
//!
//! A [`Space`] is what methods and tables know: a name and parameters. A [`Definition`] is a whole
//! space file: the space, the data set, the network and the training that its parameters configure.

pub mod definition;
pub mod parameter;
pub mod presets;
pub mod sobol;

pub use definition::{
    Activation, BatchNormSettings, Definition, Layer, Optimizer, Padding, Regularizer, Scope,
    Setting, Training,
};
pub use parameter::{Condition, Direction, Domain, Literal, Metric, Parameter, Space, Value};
