//! Search spaces: parameters with their types and ranges, the unit cube, TOML and Sobol points.
//!
//! A [`Space`] is what methods and tables know: a name and parameters. A [`Definition`] is a whole
//! space file: the space, the data set, the network and the training that its parameters configure.

mod definition;
mod layer;
mod metric;
mod network;
mod parameter;
pub mod presets;
pub mod raw;
mod read_layer;
pub mod sobol;

pub use definition::{Definition, Optimizer, Scope, Setting, Training};
pub use definition::{Schedule, Word};
pub use layer::{
    Activation, BatchNormSettings, INPUT, Layer, LayerKind, Padding, Pool, Regularizer,
};
pub use metric::{Direction, Metric};
pub use parameter::{Condition, Domain, Literal, Parameter, Space, Value};
