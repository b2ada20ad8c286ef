//! Search spaces: parameters with their types and ranges, the unit cube, TOML and Sobol points.
//!
//! A [`Space`] is what methods and tables know: a name and parameters. A [`Definition`] is a whole
//! space file: the space, the data set, the network and the training that its parameters configure.

mod definition;
mod metric;
mod network;
mod parameter;
pub mod presets;
pub mod raw;
pub mod sobol;

pub use definition::{
    Activation, BatchNormSettings, Definition, Layer, Optimizer, Padding, Regularizer, Scope,
    Setting, Training,
};
pub use definition::{Schedule, Word};
pub use metric::{Direction, Metric};
pub use parameter::{Condition, Domain, Literal, Parameter, Space, Value};
