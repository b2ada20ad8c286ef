//! Ray Tune's plateau: the best values lie so close together that no more is to be expected.
//!
//! Ray 2.x, `ExperimentPlateauStopper`: the `top` best values so far are kept; a trial after which
//! there are `top` of them and their standard deviation (over `n`, not `n - 1`) is at most `std` is
//! one on the plateau, any other starts the count anew. Over once there were `patience` of them in
//! a row, and one at the least.
//!
//! Difference: Ray counts every result of every trial, and so ten epochs of one good trial make a
//! plateau; here a trial counts once, with its value, when it has ended for good.
//!
//! * A trial without a value (NaN) is passed over.
//! * The deviation is computed from the values kept, in their order, so that it is the same
//!   whatever came between.
//!
//! A check takes `O(top)` a trial.

use base::error::Result;

use crate::interface::{
    Arguments, Comparison, Context, Ending, EndingFactory, Entry, View, parameters,
};

parameters! {
    struct Parameters {
        /// Values that must lie close together.
        top: u32 in 2..=100_000 = 10,
        /// How close: their standard deviation, in the metric's unit.
        std: f64 in 0.0.. = 0.001,
        /// Trials in a row on the plateau to wait for.
        patience: u32 in 0.. = 0,
    }
}

pub(super) const ENTRY: Entry<EndingFactory> = Entry {
    name: "plateau",
    summary: "Over once the best values lie within a small standard deviation.",
    citation: "ExperimentPlateauStopper of Ray Tune (Liaw et al., 2018), a value a trial",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "Ray Tune 2.55.1",
        what: "the trial after which 200 random histories end (tests/golden/endings)",
        result: "all equal",
    }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, _: &Context<'_>) -> Result<EndingFactory> {
    let parameters = Parameters::read(arguments)?;
    Ok(Box::new(move |_| {
        Some(Box::new(Plateau { parameters: parameters.clone(), told: 0, best: vec![], on_it: 0 }))
    }))
}

struct Plateau {
    parameters: Parameters,
    /// How many of the ended trials have been counted.
    told: usize,
    /// The best values, the best one first.
    best: Vec<f64>,
    /// Trials in a row on the plateau.
    on_it: u32,
}

impl Plateau {
    fn has_plateaued(&self) -> bool {
        let top = self.parameters.top;
        if self.best.len() < top as usize {
            return false;
        }
        let count = f64::from(top);
        let mean = self.best.iter().sum::<f64>() / count;
        let squares = self.best.iter().map(|value| (value - mean) * (value - mean));
        (squares.sum::<f64>() / count).sqrt() <= self.parameters.std
    }
}

impl Ending for Plateau {
    fn is_over(&mut self, view: &View<'_>) -> bool {
        for id in &view.ended()[self.told..] {
            let value = view.trial(*id).value;
            if value.is_nan() {
                continue;
            }
            let at = self.best.partition_point(|other| *other >= value);
            self.best.insert(at, value);
            self.best.truncate(self.parameters.top as usize);
            self.on_it = if self.has_plateaued() { self.on_it + 1 } else { 0 };
        }
        self.told = view.ended().len();
        self.on_it > 0 && self.on_it >= self.parameters.patience
    }
}
