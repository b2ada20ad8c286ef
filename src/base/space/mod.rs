//! Search spaces: parameters with their types and ranges, the unit cube, TOML and Sobol points.
//!
//! A [`Space`] is what methods and tables know: a name and parameters. What else a space file
//! holds, the network and the training that these configure, is the `train` room's.

mod condition;
mod metric;
mod ordinal;
mod parameter;
pub mod raw;
pub mod sobol;
mod validate;

pub use condition::Condition;
pub use metric::{Direction, Metric};
pub use ordinal::Numbers;
pub use parameter::{Domain, Literal, Parameter, Space, Value, ValueKind};
