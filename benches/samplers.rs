//! Time of a sampler's trial: `cargo bench --bench samplers [-- RUNS] [ROWSr] [METHODS]`, such as
//! `-- 5 20000r hord cma-es`. 300 trials from the first on in 9 parameters, once all real numbers
//! and once those of `mnist-lenet` (six whole numbers, three real ones): what the sampler takes to
//! propose, to hear of the start and to be told, and apart from it what the nearest free row to a
//! proposed point takes, means over all trials, by the thread's CPU time, since the machine may be
//! busy. Prints a line a case and a hash of all rows, which must not change with the speed.
//! `benches/peers/tpe_optuna.py` does the same with Optuna and rustuna. Without `--bench`, as
//! `cargo test` runs it, a short run only shows that it works.

use std::sync::Arc;
use std::time::Duration;

use cpu_time::ThreadTime;
use curvebook::base::error::Result;
use curvebook::base::rng::Stream;
use curvebook::base::space::{Direction, Domain, Metric, Parameter, Space};
use curvebook::base::units::{ConfigId, Epoch, SimTime, TrialId};
use curvebook::methods::interface::{
    Ask, Context, EpochScore, Library, Origin, Past, Points, Proposal, Readers, RowOrder,
    RunContext, Sampler, State, Trial, View, resolve,
};
use curvebook::methods::kit::row_tree::{FreeCounts, RowTree};
use curvebook::methods::samplers;
use rand::RngExt;
use sha2::{Digest, Sha256};

/// Where nothing else is said.
const ROWS: u32 = 2_000;
/// Where none is named: those that fit no more than densities, or nothing.
const METHODS: &[&str] = &[
    "tpe",
    "tpe:variant=optuna5",
    "tpe:variant=hyperopt",
    "tpe-pool",
    "bohb-kde",
    "grid:levels=2",
    "ofat",
    "coordinate",
    "nelder-mead",
    "de",
    "evolution",
    "ga",
    "pso",
    "harmony",
    "cma-es",
    "q-learning",
    "reinforce",
];
const TRIALS: u32 = 300;

fn parameter(name: &str, domain: Domain) -> Parameter {
    Parameter { name: name.to_string(), domain, condition: None }
}

fn reals() -> Vec<Parameter> {
    let domain = Domain::Float { low: 0.0, high: 1.0, log: false };
    (0..9).map(|at| parameter(&format!("x{at}"), domain.clone())).collect()
}

fn mixed() -> Vec<Parameter> {
    let int = |low, high| Domain::Int { low, high, log: false };
    let float = |low, high, log| Domain::Float { low, high, log };
    vec![
        parameter("c1_filters", int(1, 350)),
        parameter("c2_filters", int(1, 350)),
        parameter("fc_units", int(1, 1024)),
        parameter("kernel", int(2, 10)),
        parameter("p1_size", int(2, 3)),
        parameter("p2_size", int(2, 3)),
        parameter("learning_rate", float(1e-4, 0.316, true)),
        parameter("l2_weight", float(0.0, 1.0, false)),
        parameter("dropout", float(0.0, 0.9, false)),
    ]
}

struct Table {
    rows: u32,
    tree: RowTree,
    space: Space,
    points: Arc<Points>,
    scores: Vec<f64>,
}

/// Scores fall with the square of the distance from 0.4, the first parameters the most.
fn table(rows: u32, parameters: Vec<Parameter>) -> Result<Table> {
    let mut rng = Stream::new(0, 0, "bench-tpe");
    let space = Space::new("bench", "parameter", "bench".to_string(), parameters)?;
    let mut points = Points { width: 9, coordinates: Vec::new() };
    let mut scores = Vec::new();
    for _ in 0..rows {
        let drawn: Vec<f64> = (0..9).map(|_| rng.random()).collect();
        let point = space.to_unit(&space.from_unit(&drawn));
        let terms =
            point.iter().zip(1_u8..).map(|(u, weight)| (u - 0.4) * (u - 0.4) / f64::from(weight));
        scores.push(-terms.sum::<f64>());
        points.coordinates.extend(point);
    }
    let tree = RowTree::new(&space, &points, rows);
    Ok(Table { rows, tree, space, points: Arc::new(points), scores })
}

impl Table {
    fn sampler(&self, text: &str, repeat: u32) -> Result<Box<dyn Sampler>> {
        let metric = Metric { name: "score".to_string(), goal: Direction::Maximize, chance: None };
        let extrapolations = Library::default();
        let context = Context {
            table: "bench",
            space: &self.space,
            metric: &metric,
            rows: self.rows,
            points: &self.points,
            epochs: Epoch(1),
            repeats: 1,
            readers: Readers::NONE,
            extrapolations: &extrapolations,
        };
        let method = resolve("--sampler", text, samplers::REGISTRY)?;
        Ok(method.build(&context)?(&RunContext { seed: 0, repeat, threads: 1 }))
    }

    /// The time that a run's sampler took, and that of the nearest rows.
    fn run(&self, text: &str, repeat: u32, hash: &mut Sha256) -> Result<[Duration; 2]> {
        let mut sampler = self.sampler(text, repeat)?;
        let mut order = RowOrder::empty();
        order.begin(self.rows, 0, repeat);
        let mut free = FreeCounts::default();
        free.prepare(&self.tree, &order);
        let (mut trials, mut scores, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        let (mut elapsed, mut snapping) = (Duration::ZERO, Duration::ZERO);
        for trial in (0..TRIALS).map(TrialId) {
            let ask = Ask { trial, until: Epoch(1), bracket: 0 };
            let start = ThreadTime::now();
            let proposal = {
                let view = view(&order, &trials, &scores, &starts);
                // The engine asks this first; nobody waits where nothing runs.
                sampler.ready(&view);
                sampler.propose(&view, &ask)
            };
            elapsed += start.elapsed();
            let (row, point) = match proposal {
                Proposal::Row(row) => (row, None),
                Proposal::Point(point) => {
                    let start = ThreadTime::now();
                    let nearest = self.tree.nearest(&point, &order, &free);
                    snapping += start.elapsed();
                    (nearest.expect("a free row").0, Some(point))
                }
            };
            hash.update(row.0.to_le_bytes());
            order.take(row);
            free.take(Some(&self.tree), row);
            let score = self.scores[row.index()];
            starts.push(scores.len());
            scores.push(EpochScore::measured(score));
            trials.push(running(row, point));
            let start = ThreadTime::now();
            sampler.started(&view(&order, &trials, &scores, &starts), trial, Origin::Sampler);
            elapsed += start.elapsed();
            let ended = trials.last_mut().expect("it was pushed");
            (ended.state, ended.executed) = (State::Completed, Epoch(1));
            (ended.value, ended.reported) = (score, score);
            let start = ThreadTime::now();
            sampler.tell(&view(&order, &trials, &scores, &starts), trial);
            elapsed += start.elapsed();
        }
        Ok([elapsed, snapping])
    }
}

fn view<'a>(
    order: &'a RowOrder,
    trials: &'a [Trial],
    scores: &'a [EpochScore],
    starts: &'a [usize],
) -> View<'a> {
    View {
        now: SimTime(0),
        workers: 1,
        epochs: Epoch(1),
        chance: None,
        gain_offset: 0.0,
        goal: None,
        budget: None,
        trials_max: None,
        past: Past::new(order, trials, &[], scores, starts),
    }
}

fn running(config: ConfigId, point: Option<Vec<f64>>) -> Trial {
    Trial {
        config,
        curve_repeat: 0,
        bracket: 0,
        state: State::Running,
        executed: Epoch(0),
        until: Epoch(1),
        last_epoch: Epoch(1),
        value: f64::NAN,
        reported: f64::NAN,
        point: point.map(Vec::into_boxed_slice),
        snap_distance: None,
        segment_start: SimTime(0),
        charged: SimTime(0),
    }
}

fn main() -> Result<()> {
    let is_quick = !std::env::args().any(|a| a == "--bench");
    let runs =
        std::env::args().find_map(|a| a.parse().ok()).unwrap_or(if is_quick { 1 } else { 20 });
    let rows = std::env::args().find_map(|a| a.strip_suffix('r')?.parse().ok()).unwrap_or(ROWS);
    let is_method = |text: &String| {
        let name = text.split(':').next().expect("there is a first part");
        samplers::REGISTRY.iter().any(|entry| entry.name == name)
    };
    let named: Vec<String> = std::env::args().skip(1).filter(is_method).collect();
    let mut methods: Vec<&str> = named.iter().map(String::as_str).collect();
    if methods.is_empty() {
        methods = METHODS.to_vec();
    }
    let mut hash = Sha256::new();
    for (name, parameters) in [("9 real", reals()), ("mnist-lenet", mixed())] {
        let table = table(rows, parameters)?;
        for text in &methods {
            let (mut elapsed, mut snapping) = (Vec::new(), Vec::new());
            for repeat in 0..runs {
                let [sampler, snap] = table.run(text, repeat, &mut hash)?;
                elapsed.push(sampler);
                snapping.push(snap);
            }
            elapsed.sort();
            snapping.sort();
            let micros =
                |all: &[Duration], at: usize| all[at].as_secs_f64() * 1e6 / f64::from(TRIALS);
            println!(
                "{name:>12}, {rows} rows, {text:>20}: median {:.1} us a trial, {:.1} to {:.1}, and \
                 {:.1} us for the nearest row",
                micros(&elapsed, elapsed.len() / 2),
                micros(&elapsed, 0),
                micros(&elapsed, elapsed.len() - 1),
                micros(&snapping, snapping.len() / 2),
            );
        }
    }
    let hash = hash.finalize();
    println!("rows {:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
    Ok(())
}
