//! The epoch ends of a run as rows.

store::columns! {
    /// An epoch end, in the order in which they were told.
    #[derive(Debug, Clone, PartialEq)]
    pub struct EventRow {
        /// Nanoseconds since the run began.
        now_ns: u64,
        /// From 0, in the order of their starts.
        trial: u32,
        /// The row of the table that the trial runs.
        config_id: u32,
        /// How many epochs of the trial have ended; 0 for a row that fails at once.
        epoch: u16,
        /// The metric at the epoch: null where it was not measured, NaN where training had
        /// diverged.
        value: Option<f64>,
        /// `running`, or how the trial ended with the epoch: `completed` or `failed`.
        state: &'static str,
    }
}
