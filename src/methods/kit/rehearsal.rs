//! For tests: a sampler run through a table whose trials are one epoch each, one after another,
//! without an engine.

use std::sync::Arc;

use base::space::{Direction, Domain, Metric, Parameter, Space};
use base::units::{ConfigId, Epoch, SimTime, TrialId};

use crate::interface::{
    Ask, Context, Library, Past, Points, Proposal, Readers, RowOrder, RunContext, SamplerFactory,
    State, Trial, View,
};

/// A table with a score a row.
pub(crate) struct Rehearsal {
    pub(crate) space: Space,
    pub(crate) points: Arc<Points>,
    pub(crate) scores: Vec<f64>,
}

impl Rehearsal {
    /// Of a text of columns between 0 and 1, the last of them the score, under a line of names.
    pub(crate) fn of_csv(text: &str) -> Self {
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').map(|word| word.parse().unwrap()).collect())
            .collect();
        let width = rows[0].len() - 1;
        let parameter = |at| Parameter {
            name: format!("x{at}"),
            domain: Domain::Float { low: 0.0, high: 1.0, log: false },
            condition: None,
        };
        let space =
            Space::new("test", "parameter", "table".into(), (0..width).map(parameter).collect());
        let coordinates = rows.iter().flat_map(|row| row[..width].to_vec()).collect();
        Self {
            space: space.unwrap(),
            points: Arc::new(Points { width, coordinates }),
            scores: rows.iter().map(|row| row[width]).collect(),
        }
    }

    pub(crate) fn rows(&self) -> u32 {
        u32::try_from(self.scores.len()).unwrap()
    }

    /// What something makes of the table.
    pub(crate) fn with_context<T>(&self, make: impl FnOnce(&Context<'_>) -> T) -> T {
        let metric = Metric { name: "accuracy".into(), goal: Direction::Maximize, chance: None };
        make(&Context {
            extrapolations: &Library::default(),
            table: "test",
            space: &self.space,
            metric: &metric,
            rows: self.rows(),
            points: &self.points,
            epochs: Epoch(1),
            repeats: 1,
            readers: Readers::NONE,
        })
    }

    /// The nearest free row of a point, the first in the repeat's order on ties.
    fn nearest(&self, order: &RowOrder, point: &[f64]) -> ConfigId {
        let distance = |row: &ConfigId| {
            let both = self.points.row(*row).iter().zip(point);
            both.map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
        };
        order.free().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()
    }

    /// The rows that a sampler runs until `ends` says so of one, or all of them.
    pub(crate) fn run(
        &self,
        factory: &SamplerFactory,
        repeat: u32,
        ends: impl Fn(u32) -> bool,
    ) -> Vec<u32> {
        let mut order = RowOrder::empty();
        order.begin(self.rows(), 5, repeat);
        let mut sampler = factory(&RunContext { seed: 5, repeat, threads: 1 });
        let mut trials: Vec<Trial> = Vec::new();
        let starts = vec![0; self.scores.len()];
        while trials.len() < self.scores.len() {
            let next = TrialId(u32::try_from(trials.len()).unwrap());
            let ask = Ask { trial: next, until: Epoch(1), bracket: 0 };
            let row = match sampler.propose(&view(&order, &trials, &starts[..trials.len()]), &ask) {
                Proposal::Row(row) => row,
                Proposal::Point(point) => self.nearest(&order, &point),
            };
            order.take(row);
            trials.push(trial(row, self.scores[row.index()]));
            sampler.tell(&view(&order, &trials, &starts[..trials.len()]), next);
            if ends(row.0) {
                break;
            }
        }
        trials.iter().map(|trial| trial.config.0).collect()
    }
}

/// A run by now, of trials that have all ended.
pub(crate) fn view<'a>(order: &'a RowOrder, trials: &'a [Trial], starts: &'a [usize]) -> View<'a> {
    View {
        now: SimTime(0),
        workers: 1,
        epochs: Epoch(1),
        chance: None,
        gain_offset: 0.0,
        goal: None,
        budget: None,
        trials_max: None,
        past: Past::new(order, trials, &[], &[], starts),
    }
}

/// A trial that is complete.
pub(crate) fn trial(config: ConfigId, reported: f64) -> Trial {
    Trial {
        config,
        curve_repeat: 0,
        bracket: 0,
        state: State::Completed,
        executed: Epoch(1),
        until: Epoch(1),
        last_epoch: Epoch(1),
        value: reported,
        reported,
        point: None,
        snap_distance: None,
        segment_start: SimTime(0),
        charged: SimTime(0),
    }
}
