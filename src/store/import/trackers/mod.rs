//! Programs that track runs: `TensorBoard`, `MLflow`, Ray Tune, W&B.
//!
//! Each of them keeps series of values by name, point by point with a step and a moment, and the
//! settings of the run. One series is the metric; its steps are the epochs, its moments become
//! what each epoch cost, and what other series say at the same steps are further columns. Tabular
//! benchmarks that keep lists a training, `LCBench` and PD1, are read as such runs.

mod benchmarks;
mod events;
mod files;
mod join;
mod mlflow;
mod protobuf;
mod ray;
mod series;
mod tensorboard;
mod wandb;
mod wandb_log;

pub(super) use benchmarks::{lcbench, pd1};
pub(super) use mlflow::read as mlflow;
pub(super) use ray::read as ray;
pub(super) use tensorboard::read as tensorboard;
pub(super) use wandb::read as wandb;
