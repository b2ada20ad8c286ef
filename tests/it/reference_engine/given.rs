//! What the slow implementation is given: a table and the options of the command line.

#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its place in the unit cube.
    pub at: Vec<f64>,
    /// In the metric's own direction; null is `NOT_MEASURED`.
    pub values: Vec<f64>,
    pub cost_ns: Vec<u64>,
    /// NaN where it was not measured.
    pub test: Vec<f64>,
    pub setup_ns: u64,
    /// Where it is complete, if before the table's last epoch.
    pub last_epoch: Option<u16>,
}

#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub minimise: bool,
    pub chance: Option<f64>,
    pub epochs: u16,
    /// Of each hyperparameter: how many choices it has, if they have no order.
    pub choices: Vec<Option<usize>>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(crate) struct Rules {
    pub workers: u32,
    /// Whether a value is the best epoch, not the last.
    pub best: bool,
    pub report: &'static str,
    pub stop_on_nan: bool,
    pub budget_ns: Option<u64>,
    pub trials_max: Option<u32>,
    pub restart: bool,
    pub trial_overhead_ns: u64,
    /// Charged to each resume of a paused trial.
    pub resume_ns: u64,
    pub charge_setup: bool,
    pub fixed_overhead_ns: u64,
}
