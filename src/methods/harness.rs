//! A small engine for the samplers' own tests: tables of unlike kinds, workers, pauses, and a check
//! that every row of a table is visited once.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use base::error::Result;
use base::rng::Stream;
use base::space::{
    Condition, Direction, Domain, Literal, Metric, Numbers, Parameter, Space, Value,
};
use base::units::{ConfigId, Epoch, SimTime, TrialId};
use rand::RngExt;

use crate::interface::{
    Ask, Context, EpochScore, Fresh, Origin, Past, Points, Proposal, RecordedOrders, RowOrder,
    RunContext, Sampler, State, Trial, View, resolve,
};
use crate::interface::{Library, Readers};
use crate::kit::draws::{index, uniform_open};

/// A table without curves: its rows report what a test says.
pub(crate) struct Room {
    pub(crate) space: Space,
    pub(crate) points: Arc<Points>,
    pub(crate) rows: u32,
    metric: Metric,
}

pub(crate) fn parameter(name: &str, domain: Domain) -> Parameter {
    Parameter { name: name.into(), domain, condition: None }
}

pub(crate) fn float(name: &str) -> Parameter {
    parameter(name, Domain::Float { low: 0.0, high: 1.0, log: false })
}

pub(crate) fn int(name: &str, low: i64, high: i64) -> Parameter {
    parameter(name, Domain::Int { low, high, log: false })
}

pub(crate) fn choices(name: &str, count: usize) -> Parameter {
    let choices = (0..count).map(|at| format!("c{at}")).collect();
    parameter(name, Domain::Categorical { choices })
}

/// Nothing was kept beside these tables.
static NO_EXTRAPOLATIONS: LazyLock<Library> = LazyLock::new(Library::default);

#[expect(clippy::unnecessary_wraps, reason = "the context's signature")]
fn read_no_orders(_: &Path) -> Result<RecordedOrders> {
    Ok(Vec::new())
}

impl Room {
    /// Rows drawn uniformly from the space.
    pub(crate) fn random(parameters: Vec<Parameter>, rows: u32, seed: u64) -> Self {
        let space = Space::new("test", "parameter", "room".into(), parameters).unwrap();
        let mut stream = Stream::new(seed, 0, "room");
        let width = space.parameters.len();
        let coordinates = (0..rows).flat_map(|_| {
            let point: Vec<f64> = (0..width).map(|_| uniform_open(&mut stream)).collect();
            space.to_unit(&space.from_unit(&point))
        });
        let coordinates = coordinates.collect();
        let metric =
            Metric { name: "val_accuracy".into(), goal: Direction::Maximize, chance: Some(0.1) };
        Self { points: Arc::new(Points { width, coordinates }), rows, metric, space }
    }

    /// Every type of parameter, one of them under a condition, one without a choice.
    pub(crate) fn mixed(rows: u32, seed: u64) -> Self {
        let condition =
            Condition::In { name: "optimizer".into(), values: vec![Literal::Text("c1".into())] };
        let parameters = vec![
            int("filters", 1, 350),
            parameter("units", Domain::Int { low: 1, high: 1024, log: true }),
            parameter("rate", Domain::Float { low: 1e-4, high: 0.3, log: true }),
            choices("optimizer", 3),
            Parameter { condition: Some(condition), ..float("momentum") },
            parameter("batch", Domain::Ordinal { values: Numbers::Int(vec![16, 32, 256]) }),
            int("fixed", 3, 3),
        ];
        Self::random(parameters, rows, seed)
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            table: "room",
            space: &self.space,
            metric: &self.metric,
            rows: self.rows,
            points: &self.points,
            epochs: Epoch(2),
            repeats: 1,
            readers: Readers { orders: &read_no_orders, ..Readers::NONE },
            extrapolations: &NO_EXTRAPOLATIONS,
        }
    }

    /// The sampler that a text describes, for one repeat.
    pub(crate) fn sampler(&self, text: &str, repeat: u32) -> Box<dyn Sampler> {
        let method = resolve("--sampler", text, crate::samplers::REGISTRY).unwrap();
        let factory = method.build(&self.context()).unwrap();
        factory(&RunContext { seed: 7, repeat, threads: 1 })
    }
}

/// A run as the engine would lead it, but for curves and clock.
pub(crate) struct Session<'a, S: Sampler + ?Sized = dyn Sampler> {
    room: &'a Room,
    pub(crate) sampler: Box<S>,
    order: RowOrder,
    pub(crate) trials: Vec<Trial>,
    ended: Vec<TrialId>,
    scores: Vec<EpochScore>,
    starts: Vec<usize>,
    workers: u32,
}

impl<'a, S: Sampler + ?Sized> Session<'a, S> {
    pub(crate) fn new(room: &'a Room, sampler: Box<S>, workers: u32) -> Self {
        let mut order = RowOrder::empty();
        order.begin(room.rows, 7, 0);
        let scores = vec![EpochScore::measured(0.5); 2 * room.rows as usize];
        let (trials, ended, starts) = (Vec::new(), Vec::new(), Vec::new());
        Self { room, sampler, order, trials, ended, scores, starts, workers }
    }

    pub(crate) fn with_view<T>(&mut self, act: impl FnOnce(&mut S, &View<'_>) -> T) -> T {
        let view = View {
            now: SimTime(0),
            workers: self.workers,
            epochs: Epoch(2),
            chance: self.room.metric.chance,
            gain_offset: 0.0,
            goal: None,
            budget: None,
            trials_max: None,
            past: Past::new(&self.order, &self.trials, &self.ended, &self.scores, &self.starts),
        };
        act(self.sampler.as_mut(), &view)
    }

    pub(crate) fn ready(&mut self) -> Fresh {
        self.with_view(Sampler::ready)
    }

    pub(crate) fn propose(&mut self) -> Proposal {
        let id = TrialId(u32::try_from(self.trials.len()).unwrap());
        let ask = Ask { trial: id, until: Epoch(2), bracket: 0 };
        self.with_view(|sampler, view| sampler.propose(view, &ask))
    }

    /// Starts what was proposed, if it may be.
    pub(crate) fn start(&mut self) -> Option<TrialId> {
        match self.ready() {
            Fresh::Ready => {}
            Fresh::Wait => return None,
            Fresh::Exhausted => panic!("a row is free"),
        }
        let proposal = self.propose();
        Some(self.begin(proposal, Origin::Sampler))
    }

    /// Starts a trial at the nearest free row.
    pub(crate) fn begin(&mut self, proposal: Proposal, origin: Origin) -> TrialId {
        let (config, point) = match proposal {
            Proposal::Row(row) => (row, None),
            Proposal::Point(point) => {
                assert_eq!(point.len(), self.room.points.width);
                assert!(point.iter().all(|u| (0.0..=1.0).contains(u)), "{point:?}");
                (self.nearest(&point), Some(point.into_boxed_slice()))
            }
        };
        let id = TrialId(u32::try_from(self.trials.len()).unwrap());
        self.order.take(config);
        self.starts.push(2 * config.index());
        self.trials.push(Trial {
            config,
            curve_repeat: 0,
            bracket: 0,
            state: State::Running,
            executed: Epoch(0),
            until: Epoch(2),
            last_epoch: Epoch(2),
            value: f64::NAN,
            reported: f64::NAN,
            point,
            snap_distance: None,
            segment_start: SimTime(0),
            charged: SimTime(0),
        });
        self.with_view(|sampler, view| sampler.started(view, id, origin));
        id
    }

    /// As the engine's: choices differ or not, all else by its distance, ties by the order.
    fn nearest(&self, point: &[f64]) -> ConfigId {
        let space = &self.room.space;
        let settled = space.to_unit(&space.from_unit(point));
        let inactive: Vec<bool> =
            space.from_unit(point).iter().map(|value| *value == Value::Inactive).collect();
        let distance = |row: &ConfigId| {
            let parts = self.room.points.row(*row).iter().enumerate().map(|(at, u)| {
                if let Domain::Categorical { .. } = space.parameters[at].domain {
                    f64::from(u8::from(*u != settled[at]))
                } else {
                    let target = if inactive[at] { settled[at] } else { point[at] };
                    (u - target) * (u - target)
                }
            });
            parts.sum::<f64>()
        };
        let rows = self.order.free().map(|row| (distance(&row), row));
        rows.reduce(|a, b| if b.0 < a.0 { b } else { a }).expect("a row is free").1
    }

    /// Ends a segment of a running trial.
    pub(crate) fn tell(&mut self, id: TrialId, score: f64, state: State) {
        let trial = &mut self.trials[id.index()];
        (trial.value, trial.reported, trial.state) = (score, score, state);
        trial.executed = if state == State::Paused { Epoch(1) } else { Epoch(2) };
        if state != State::Paused {
            self.ended.push(id);
        }
        self.with_view(|sampler, view| sampler.tell(view, id));
    }

    /// Runs one trial after another, each with the score of its row.
    pub(crate) fn run_one_by_one(
        &mut self,
        trials: usize,
        score: impl Fn(&[f64]) -> f64,
    ) -> Vec<u32> {
        let rows = (0..trials).map(|_| {
            let id = self.start().expect("nothing runs");
            let row = self.trials[id.index()].config;
            let score = score(self.room.points.row(row));
            self.tell(id, score, State::Completed);
            row.0
        });
        rows.collect()
    }

    fn running(&self) -> Vec<TrialId> {
        self.in_state(State::Running)
    }

    fn in_state(&self, state: State) -> Vec<TrialId> {
        let ids = (0..).map(TrialId).zip(&self.trials);
        ids.filter(|(_, trial)| trial.state == state).map(|(id, _)| id).collect()
    }

    /// Runs until every row was visited, with trials that end in any order, are paused and told
    /// again, or stopped; the rows in their order.
    pub(crate) fn exhaust(&mut self, pauses: bool, score: impl Fn(&[f64]) -> f64) -> Vec<u32> {
        let mut chance = Stream::new(3, 0, "session");
        loop {
            while self.running().len() < self.workers as usize {
                let paused = self.in_state(State::Paused);
                if !paused.is_empty() && chance.random::<f64>() < 0.3 {
                    let id = paused[index(&mut chance, paused.len())];
                    self.trials[id.index()].state = State::Running;
                    continue;
                }
                if !self.order.has_free() || self.start().is_none() {
                    break;
                }
            }
            let running = self.running();
            if running.is_empty() {
                break;
            }
            let id = running[index(&mut chance, running.len())];
            let trial = &self.trials[id.index()];
            let full = score(self.room.points.row(trial.config));
            let pause = pauses && trial.executed == Epoch(0) && chance.random::<f64>() < 0.7;
            let (value, state) = match (pause, chance.random::<f64>() < 0.2) {
                (true, _) => (full * 0.5, State::Paused),
                (false, true) => (full * 0.75, State::Stopped),
                (false, false) => (full, State::Completed),
            };
            self.tell(id, value, state);
        }
        assert!(!self.order.has_free(), "a row was left: {} started", self.trials.len());
        self.trials.iter().map(|trial| trial.config.0).collect()
    }
}

/// What a row reports.
type Score = dyn Fn(&[f64]) -> f64;

/// Visits whole tables of every kind, twice, and expects the same both times.
pub(crate) fn check_everywhere(text: &str) {
    let rooms = [
        Room::mixed(60, 1),
        Room::mixed(1, 2),
        Room::random(vec![int("a", 3, 3), choices("b", 1)], 5, 3),
        Room::random(vec![choices("a", 3), choices("b", 2)], 20, 4),
        Room::random(vec![float("a"), float("b"), int("c", 0, 1)], 70, 5),
        Room::random(vec![int("a", 1, 3)], 12, 6),
    ];
    let sum = |point: &[f64]| point.iter().sum::<f64>();
    let some_nan = |point: &[f64]| if point[0] < 0.5 { f64::NAN } else { point[0] };
    let scores: [&Score; 4] = [&sum, &some_nan, &|_| f64::NAN, &|_| 0.1];
    for (at, room) in rooms.iter().enumerate() {
        for (score_at, score) in scores.iter().enumerate() {
            for (workers, pauses) in [(1, false), (8, false), (3, true), (16, true)] {
                let visit = || {
                    let sampler = room.sampler(text, 0);
                    Session::new(room, sampler, workers).exhaust(pauses, score)
                };
                let visited = visit();
                assert_eq!(visited, visit(), "{text}: room {at}, score {score_at}");
                let mut rows = visited;
                rows.sort_unstable();
                rows.dedup();
                assert_eq!(rows.len(), room.rows as usize, "{text}: a row ran twice");
            }
        }
    }
}

/// The p-value of two lists of counts being of one law (chi-squared; cells that both lack are left
/// out).
pub(crate) fn homogeneity(a: &[u32], b: &[u32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let totals = [a, b].map(|counts| f64::from(counts.iter().sum::<u32>()));
    let ratio = (totals[1] / totals[0]).sqrt();
    let mut statistic = 0.0;
    let mut cells = 0_u32;
    for (a, b) in a.iter().zip(b) {
        if a + b > 0 {
            let difference = f64::from(*a) * ratio - f64::from(*b) / ratio;
            statistic += difference * difference / f64::from(a + b);
            cells += 1;
        }
    }
    if cells < 2 { 1.0 } else { chi_squared_survival(statistic, cells - 1) }
}

/// By Wilson & Hilferty's cube root, good to a few parts in a thousand of probability.
fn chi_squared_survival(statistic: f64, freedom: u32) -> f64 {
    let k = 2.0 / (9.0 * f64::from(freedom));
    let cube_root = libm::cbrt(statistic / f64::from(freedom));
    base::stats::normal::survival((cube_root - (1.0 - k)) / k.sqrt()).clamp(0.0, 1.0)
}

/// Counts of coordinates in equal bins of 0..1.
pub(crate) fn binned(values: impl IntoIterator<Item = f64>, bins: u32) -> Vec<u32> {
    let mut counts = vec![0; bins as usize];
    let last = counts.len() - 1;
    for value in values {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bin")]
        let bin = (value * f64::from(bins)) as usize;
        counts[bin.min(last)] += 1;
    }
    counts
}

#[test]
fn the_chi_squared_approximation_is_close() {
    // scipy 1.17: chi2.sf.
    for (statistic, freedom, expected) in
        [(3.841_458_820_694_124, 1, 0.05), (30.0, 19, 0.051_798_378_775_9), (45.0, 19, 0.000_679)]
    {
        let found = chi_squared_survival(statistic, freedom);
        assert!((found - expected).abs() < 0.003, "{found}, not {expected}");
    }
    assert!(homogeneity(&[100, 100, 100], &[100, 100, 100]) > 0.99);
    assert!(homogeneity(&[100, 100, 100], &[150, 100, 50]) < 1e-4);
}

/// The histories of `population_histories.py`, and what references propose after each.
pub(crate) struct Histories {
    cases: Vec<(Vec<Vec<f64>>, Vec<f64>)>,
    references: serde_json::Value,
}

/// Bins of each coordinate: two floats, a whole number of 8 values, a choice of 4.
const BINS: [u32; 4] = [20, 20, 8, 4];
/// Proposals of a reference from each history, and of ours.
const DRAWS: usize = 500;

impl Histories {
    pub(crate) fn load() -> Self {
        let text = include_str!("../../tests/golden/samplers/population_histories.json");
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let list = |value: &serde_json::Value| -> Vec<f64> {
            // What reported nothing is null.
            value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
        };
        let case = |case: &serde_json::Value| {
            let points = case["points"].as_array().unwrap().iter().map(list).collect();
            (points, list(&case["losses"]))
        };
        let cases = json.as_array().unwrap().iter().map(case).collect();
        let references = serde_json::json!({
            "evolution": include_str!("../../tests/golden/samplers/evolution.json"),
            "ga": include_str!("../../tests/golden/samplers/ga.json"),
        });
        Self { cases, references }
    }

    /// A table that begins with the rows of a history.
    pub(crate) fn room(&self, at: usize) -> Room {
        let parameters = vec![
            float("momentum"),
            parameter("rate", Domain::Float { low: 1e-4, high: 1e-1, log: true }),
            int("units", 1, 8),
            choices("optimizer", 4),
        ];
        let mut room = Room::random(parameters, 36, 9);
        let mut coordinates = room.points.coordinates.clone();
        for (row, point) in self.cases[at].0.iter().enumerate() {
            coordinates[row * 4..][..4].copy_from_slice(point);
        }
        room.points = Arc::new(Points { width: 4, coordinates });
        room
    }

    /// Tells a sampler of one: trials in their order, and three that run on.
    pub(crate) fn tell(&self, session: &mut Session<'_>, at: usize) {
        let losses = &self.cases[at].1;
        for (row, loss) in (0..).map(ConfigId).zip(losses) {
            let id = session.begin(Proposal::Row(row), Origin::Scheduler);
            let state = if row.0.is_multiple_of(5) { State::Stopped } else { State::Completed };
            session.tell(id, -loss, state);
            session.ready();
        }
        let told = u32::try_from(losses.len()).unwrap();
        for row in (told..told + 3).map(ConfigId) {
            session.begin(Proposal::Row(row), Origin::Scheduler);
        }
    }

    /// The least p-value by Holm of all coordinates after all histories.
    fn least(&self, reference: &str, draw: impl Fn(usize, usize) -> Vec<Vec<f64>>) -> f64 {
        let text = self.references[reference].as_str().unwrap();
        let counts: Vec<Vec<Vec<u32>>> = serde_json::from_str(text).unwrap();
        assert_eq!(counts.len(), self.cases.len());
        let mut p_values = Vec::new();
        for (at, expected) in counts.iter().enumerate() {
            let points = draw(at, DRAWS);
            for (coordinate, expected) in expected.iter().enumerate() {
                let values = points.iter().map(|point| point[coordinate]);
                p_values.push(homogeneity(&binned(values, BINS[coordinate]), expected));
            }
        }
        base::stats::holm::holm(&p_values).into_iter().fold(1.0, f64::min)
    }

    pub(crate) fn assert_like(
        &self,
        reference: &str,
        draw: impl Fn(usize, usize) -> Vec<Vec<f64>>,
    ) {
        let least = self.least(reference, draw);
        assert!(least > 0.01, "{reference}: {least}");
    }

    pub(crate) fn assert_unlike(
        &self,
        reference: &str,
        draw: impl Fn(usize, usize) -> Vec<Vec<f64>>,
    ) {
        let least = self.least(reference, draw);
        assert!(least < 1e-6, "{reference}: nothing was noticed, {least}");
    }

    /// The points that a sampler proposes after a history.
    pub(crate) fn draw(&self, text: &str, at: usize, draws: usize) -> Vec<Vec<f64>> {
        let room = self.room(at);
        let mut session = Session::new(&room, room.sampler(text, 0), 1);
        self.tell(&mut session, at);
        let point = |_| match session.propose() {
            Proposal::Point(point) => point,
            Proposal::Row(row) => panic!("row {row}"),
        };
        (0..draws).map(point).collect()
    }
}
