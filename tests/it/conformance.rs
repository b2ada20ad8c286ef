//! What every method must do, over every entry of the three registries: a method is covered by
//! standing in one.
//!
//! Each method runs once with neutral partners and then in the pairs of [`combinations`].
//! `CURVEBOOK_CONFORMANCE=full` runs every method with every other instead, which takes as long as
//! it takes; `CURVEBOOK_CONFORMANCE_METHODS=60` adds copies until there are so many methods, to see
//! what that will cost.

mod combinations;
mod phases;
mod registries;
mod rooms;

use std::collections::BTreeSet;
use std::path::Path;

use combinations::{Combination, Methods, wants_all};
use curvebook::app::runs::{self, RunRecord, write};
use curvebook::base::error::Error;
use curvebook::base::measured::NOT_MEASURED;
use curvebook::base::rng::Stream;
use curvebook::base::units::plural;
use curvebook::methods::interface::{Entry, Kind, Trait, describe, resolve};
use curvebook::replay::{
    self, EndReason, Experiment, Goal, Grid, Phase, Pool, RunOptions, Settings, Workspace,
};
use curvebook::store::Output;
use rand::RngExt;
use registries::registries;
use rooms::{every_entry, write_order};

use crate::reference_engine::tables::{self, pool};
use crate::reference_engine::{Case, Naming};
use crate::replay_common::{accuracy, context, loss, run_grid, unit_cost_pool};

/// Out of reach in either direction.
const NEVER: &str = "7";

/// The runs of one combination.
fn grid(
    combination: &Combination,
    goals: &[&str],
    repeats: u32,
    workers: &[u32],
    settings: &Settings,
) -> Grid {
    let Combination { sampler, scheduler, stopper } = combination.clone();
    Grid {
        samplers: vec![sampler],
        schedulers: vec![scheduler],
        stoppers: vec![stopper],
        further: Vec::new(),
        goals: goals.iter().map(|goal| Goal::parse(goal).unwrap()).collect(),
        repeats,
        workers: workers.to_vec(),
        settings: settings.clone(),
    }
}

/// Every run twice: the same, each row once, and over only when it should be. `turn` chooses who
/// stands for a kind of methods.
#[track_caller]
fn check(name: &str, turn: usize, pool: &Pool, settings: &Settings) -> Vec<RunRecord> {
    let dir = tempfile::tempdir().unwrap();
    let order = write_order(dir.path(), pool.rows(), 2);
    let methods = Methods::all(&order, pool.metric().chance.is_some());
    let goal = pool.value_of(7.0).to_string();
    let mut all = Vec::new();
    let blind = format!("has {}", plural(pool.epochs().0, "epoch"));
    for combination in methods.combinations(pool, turn) {
        let grid = grid(&combination, &[&goal], 2, &[1, 3, 16], settings);
        let runs = match run_grid(&grid, pool, 1) {
            // A rule that looks after the last epoch for the first time is refused, and said so.
            Err(e) if e.to_string().contains(&blind) => continue,
            runs => runs.unwrap_or_else(|e| panic!("{name}: {e}")),
        };
        let again = run_grid(&grid, pool, 2).unwrap();
        let place = format!("{name}: {}", combination.name());
        assert!(format!("{runs:?}") == format!("{again:?}"), "{place} comes out two ways");
        for run in &runs {
            check_run(&place, run, pool, settings);
        }
        all.extend(runs);
    }
    all
}

fn check_run(place: &str, run: &RunRecord, pool: &Pool, settings: &Settings) {
    let row = &run.rows[0];
    let mut rows: Vec<u32> =
        run.segments.iter().filter(|s| s.epoch_first.0 == 1).map(|s| s.config.0).collect();
    assert_eq!(rows.len(), row.trials as usize, "{place}");
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), row.trials as usize, "a row ran twice: {place}");
    let ends = match settings.trials_max {
        Some(max) if max < pool.rows() => (max, EndReason::MaxTrials),
        _ => (pool.rows(), EndReason::Exhausted),
    };
    assert!(row.trials > 0 && row.trials <= pool.rows(), "{place}");
    assert_eq!((row.trials, &row.end_reason[..]), (ends.0, ends.1.word()), "{place}");
}

#[test]
fn every_method_takes_every_kind_of_table() {
    const NAN: f64 = f64::NAN;
    const NULL: f64 = NOT_MEASURED;
    let rising: &[f64] = &[0.1, 0.3, 0.5, 0.6];
    let plain = Settings::default();
    let metric = accuracy(Some(0.1));

    let nan: [&[f64]; 6] =
        [&[NAN; 4], &[NAN, NAN, 0.5, NAN], &[f64::INFINITY; 4], rising, &[0.2, NAN], &[]];
    check("NaN", 0, &unit_cost_pool(&metric, 4, &nan), &plain);
    check("nothing but NaN", 1, &unit_cost_pool(&metric, 4, &[&[NAN; 4][..]; 5]), &plain);
    let gaps: [&[f64]; 5] =
        [&[NULL, 0.3, NULL, 0.4], &[NULL; 4], &[0.2, NULL, NAN, NULL], rising, &[0.2, NULL]];
    check("gaps", 9, &unit_cost_pool(&metric, 4, &gaps), &plain);
    check("nothing measured", 10, &unit_cost_pool(&metric, 4, &[&[NULL; 4][..]; 5]), &plain);
    check("one row", 2, &unit_cost_pool(&metric, 4, &[rising]), &plain);
    check("one epoch", 3, &unit_cost_pool(&metric, 1, &[&[0.1][..], &[0.9], &[NAN]]), &plain);
    check("all alike", 4, &unit_cost_pool(&metric, 4, &[rising; 9]), &plain);
    let falling: [&[f64]; 4] = [&[2.2, 1.9, 1.5, 1.4], &[2.3; 4], &[9.0, NAN, NAN, NAN], &[0.1; 4]];
    check("minimised", 5, &unit_cost_pool(&loss(Some(2.3)), 4, &falling), &plain);
    check("without chance", 6, &unit_cost_pool(&accuracy(None), 4, &[rising; 4]), &plain);
    check("one value a dimension", 7, &rooms::one_value_pool(), &plain);

    // The first trial of all knows nothing; nor does it with all trials at once.
    let first = Settings { trials_max: Some(1), ..Settings::default() };
    let runs = check("empty history", 8, &unit_cost_pool(&metric, 4, &[rising; 9]), &first);
    assert!(runs.iter().all(|run| run.segments[0].start.0 == 0));
}

#[test]
fn every_method_takes_random_tables() {
    for seed in 0..12 {
        let _naming = Naming(seed);
        let mut stream = Stream::new(seed, 0, "conformance");
        let mut case = Case::random(&mut stream, 1);
        (case.rules.budget_ns, case.rules.trials_max) = (None, None);
        let mut settings = tables::settings(&case.rules, seed);
        // What a sampler may refuse.
        settings.report = Settings::default().report;
        check("random", seed as usize, &pool(&case.table), &settings);
    }
}

/// How many combinations run on one seed: so many that each has its turn many times in a hundred
/// seeds, however many methods there are.
const WINDOW: usize = 12;

/// Some combinations, spread over the list, that move on with every turn; all of them where all are
/// asked for.
fn some(list: &[Combination], turn: usize) -> Vec<Combination> {
    let count = if wants_all() { list.len() } else { WINDOW.min(list.len()) };
    let place = |nth: usize| (turn + nth * list.len() / count) % list.len();
    (0..count).map(|nth| list[place(nth)].clone()).collect()
}

#[test]
fn lazily_and_eagerly_advanced_runs_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut lazy = Workspace::default();
    let mut eager = Workspace::default();
    eager.looks_at_every_epoch = true;
    let mut reached = 0;
    for seed in 0..150 {
        let _naming = Naming(seed);
        let mut stream = Stream::new(seed, 0, "lazy");
        let workers = [1, 2, 3, 5, 16][stream.random_range(0..5_u64) as usize];
        let mut case = Case::random(&mut stream, workers);
        for row in &mut case.table.rows {
            // Epochs of no cost are visited in any case.
            row.cost_ns.iter_mut().for_each(|cost| *cost += 1);
        }
        let (pool, settings) = (pool(&case.table), tables::settings(&case.rules, seed));
        let all = tables::targets(&pool, &settings, &case.goals);
        let order = write_order(dir.path(), pool.rows(), 1);
        let context = context(&pool);
        let warm_start = tables::one_in(&mut stream, 3);
        let methods = Methods::all(&order, case.table.chance.is_some());
        let combinations = methods.combinations(&pool, seed as usize);
        for combination in some(&combinations, seed as usize) {
            let Combination { sampler, scheduler, stopper } = &combination;
            let run = rooms::RUN;
            let methods = || replay::Methods {
                sampler: sampler.build(&context).unwrap()(&run),
                scheduler: scheduler.build(&context).unwrap()(&run),
                stopper: stopper.build(&context).unwrap()(&run),
            };
            let tells_goal = combination.tells_goal();
            let mut outcome = |workspace: &mut Workspace| {
                let mut phases = vec![Phase { methods: methods(), trials_max: None, ending: None }];
                if warm_start {
                    phases
                        .insert(0, Phase { methods: methods(), trials_max: Some(3), ending: None });
                }
                let experiment = Experiment {
                    pool: &pool,
                    settings: &settings,
                    targets: if tells_goal { &all[..1] } else { &all },
                    tells_goal,
                    repeat: 0,
                    trace: true,
                };
                let outcome = replay::replay(&experiment, &mut phases, workspace);
                reached += outcome.goals.iter().filter(|goal| goal.reached_at.is_some()).count();
                format!("{outcome:?}")
            };
            assert_eq!(outcome(&mut lazy), outcome(&mut eager), "{}", combination.name());
        }
    }
    assert!(reached > 500, "{reached}");
}

#[test]
fn the_same_bytes_at_1_2_and_16_threads_over_100_seeds() {
    let dir = tempfile::tempdir().unwrap();
    let mut stream = Stream::new(1, 0, "bytes");
    let curve = |_| -> Vec<f64> { (0..4).map(|_| stream.random_range(0.0..1.0)).collect() };
    let curves: Vec<Vec<f64>> = (0..20).map(curve).collect();
    let curves: Vec<&[f64]> = curves.iter().map(Vec::as_slice).collect();
    let pool = unit_cost_pool(&accuracy(Some(0.1)), 4, &curves);
    let order = write_order(dir.path(), pool.rows(), 2);
    let combinations = Methods::all(&order, true).combinations(&pool, 0);
    let bytes = |threads: usize| {
        let [runs, trace] = ["runs", "trace"].map(|file| dir.path().join(file));
        let mut output = Output::create(Some(&runs), Some(&trace)).unwrap();
        let (mut first_run, mut different) = (0, BTreeSet::new());
        for seed in 0..100 {
            let settings = Settings { seed, trials_max: Some(6), ..Settings::default() };
            let mut starts = Vec::new();
            for combination in some(&combinations, seed as usize) {
                let grid = grid(&combination, &["rank:2", NEVER], 2, &[2], &settings);
                let options = RunOptions { first_run, ..RunOptions::all(threads, true) };
                let keep = |block: Vec<RunRecord>| {
                    let segments = block.iter().flat_map(|run| &run.segments);
                    starts.extend(segments.map(|s| s.config.0));
                    write(&mut output, &pool, &block)
                };
                runs::run(&grid, &pool, &options, keep).unwrap();
                first_run += grid.runs().unwrap();
            }
            different.insert(starts);
        }
        output.finish().unwrap();
        assert_eq!(different.len(), 100, "every seed gives other runs");
        [runs, trace].map(|path| std::fs::read(path).unwrap())
    };
    let one = bytes(1);
    assert!(one == bytes(2) && one == bytes(16), "threads change the bytes");
}

fn check_texts<Factory>(registry: &'static [Entry<Factory>], order: &Path) {
    for text in every_entry(registry, order, true) {
        let method = resolve("--method", &text, registry).unwrap_or_else(|e| panic!("{e}"));
        let again = resolve("--method", &method.canonical, registry).unwrap();
        assert_eq!(again.canonical, method.canonical);
        assert_eq!(again.arguments, method.arguments);
        assert!(method.canonical.starts_with(method.entry.name));
        for parameter in method.entry.parameters {
            let written = format!("{}=", parameter.name);
            assert!(method.canonical.contains(&written), "{}: {written}", method.canonical);
        }
    }
}

#[test]
fn canonical_strings_parse_back_to_themselves() {
    let order = Path::new("order.csv");
    check_texts(&registries().samplers, order);
    check_texts(&registries().schedulers, order);
    check_texts(&registries().stoppers, order);
}

/// What a form needs: a label, a help text, and for each field its type, range or choices, default
/// and rule.
fn check_description<Factory>(registry: &'static [Entry<Factory>]) {
    let described = describe(registry);
    let described = described.as_array().unwrap();
    assert_eq!(described.len(), registry.len());
    let mut names = BTreeSet::new();
    for (json, entry) in described.iter().zip(registry) {
        let text = |json: &serde_json::Value, field: &str| {
            let text = json[field].as_str().map(str::to_string);
            text.filter(|t| !t.is_empty()).unwrap_or_else(|| panic!("{json}: {field}"))
        };
        let name = text(json, "name");
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(name.chars().all(letters), "`{name}` is written on the command line");
        assert!(names.insert(name.clone()), "`{name}` stands twice");
        assert!(text(json, "summary").ends_with('.'), "{name}: the summary is a sentence");
        text(json, "citation");
        assert_eq!(json["traits"].as_array().unwrap().len(), entry.traits.len());
        let parameters = json["parameters"].as_array().unwrap();
        assert_eq!(parameters.len(), entry.parameters.len());
        for (json, spec) in parameters.iter().zip(entry.parameters) {
            assert_eq!(text(json, "name"), spec.name);
            for field in ["summary", "rule"] {
                text(json, field);
            }
            let choices = json["choices"].as_array().unwrap();
            match spec.kind {
                Kind::Int { .. } => assert_eq!(text(json, "type"), "int"),
                Kind::Float { .. } => assert_eq!(text(json, "type"), "float"),
                Kind::Word(words) => {
                    assert_eq!(text(json, "type"), "categorical");
                    assert_eq!((choices.len(), choices.len() > 1), (words.len(), true));
                }
                Kind::File => assert_eq!(text(json, "type"), "file"),
                Kind::Method(registry) => {
                    assert_eq!(text(json, "type"), "method");
                    assert_eq!(text(json, "registry"), registry.word());
                }
            }
            for end in ["low", "high"] {
                assert!(json[end].is_null() || json[end].is_number(), "{name}: {json}");
            }
            let fits = match spec.kind {
                Kind::Int { .. } => json["default"].is_i64(),
                Kind::Float { .. } => json["default"].is_number(),
                Kind::Word(_) | Kind::File | Kind::Method(_) => json["default"].is_string(),
            };
            assert!(fits || json["default"].is_null(), "{name}: {json}");
            assert_eq!(json["required"], json["default"].is_null());
        }
    }
}

#[test]
fn a_form_can_be_built_from_every_description() {
    check_description(&registries().samplers);
    check_description(&registries().schedulers);
    check_description(&registries().stoppers);
}

#[test]
fn a_method_that_needs_a_chance_level_says_so() {
    let pool = unit_cost_pool(&accuracy(None), 2, &[&[0.5, 0.5]]);
    let dir = tempfile::tempdir().unwrap();
    let order = write_order(dir.path(), 1, 1);
    let methods = Methods::all(&order, true);
    let context = context(&pool);
    let mut outcomes: Vec<(bool, Option<Error>)> = Vec::new();
    let needs = Trait::NeedsChance;
    let samplers = methods.samplers.iter();
    outcomes.extend(samplers.map(|method| (method.has(needs), method.build(&context).err())));
    let schedulers = methods.schedulers.iter();
    outcomes.extend(schedulers.map(|method| (method.has(needs), method.build(&context).err())));
    let stoppers = methods.stoppers.iter();
    outcomes.extend(stoppers.map(|method| (method.has(needs), method.build(&context).err())));
    let mut refused = 0;
    for (needs, error) in outcomes {
        assert_eq!(needs, error.is_some(), "{error:?}");
        refused += u32::from(needs);
        if let Some(error) = error {
            assert!(error.to_string().contains("metric.chance = missing: "), "{error}");
        }
    }
    assert!(refused > 1);
}
