//! Adding a method touches one new file and one line: here the files are `stagnation.rs`, a rule,
//! and `extremes.rs`, a sampler, and the line is the one of a registry. Nothing else knows them by
//! name; their parameters, messages and forms come of what the one file declares.

mod extremes;
mod stagnation;

use curvebook::methods::interface::{
    Entry, SamplerFactory, State, StopperFactory, describe, resolve,
};
use curvebook::methods::{samplers, stoppers};
use curvebook::replay::{Goal, Settings};

use crate::replay_common::{accuracy, context, grid, run_grid, unit_cost_pool};

static REGISTRY: &[Entry<StopperFactory>] = &[stagnation::ENTRY];
static SAMPLERS: &[Entry<SamplerFactory>] = &[extremes::ENTRY];

#[test]
fn a_toy_stopper_runs_in_a_grid_beside_the_others() {
    let rising: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5];
    let flat: &[f64] = &[0.3, 0.3, 0.2, 0.3, 0.9];
    let pool = unit_cost_pool(&accuracy(Some(0.1)), 5, &[rising, flat]);
    let mut grid = grid("random", &["none", "etr1"], &["2"], 3, &Settings::default());
    grid.stoppers.push(resolve("--stopper", "stagnation", REGISTRY).unwrap());
    grid.stoppers.push(resolve("--stopper", "stagnation:epochs=1", REGISTRY).unwrap());
    grid.goals.push(Goal::parse("rank:1").unwrap());
    let runs = run_grid(&grid, &pool, 2).unwrap();
    assert_eq!(runs.len(), 4 * 3);
    for run in &runs {
        let [row, easy] = &run.rows[..] else { panic!("a row a goal") };
        let ends = run.segments.iter().map(|s| (s.config.0, s.epochs.0, s.end_state));
        let mut ends: Vec<_> = ends.collect();
        ends.sort_unstable_by_key(|end| end.0);
        let stops_at = match row.stopper.as_str() {
            "none" | "etr1:tau=1,epsilon=0.05" => None,
            "stagnation:epochs=2" => Some(3),
            "stagnation:epochs=1" => Some(2),
            other => panic!("{other}"),
        };
        let flat = stops_at.map_or((1, 5, State::Completed), |e| (1, e, State::Stopped));
        if row.stopper.starts_with("etr1") {
            assert_eq!(ends, [(0, 1, State::Stopped), (1, 5, State::Completed)]);
        } else {
            assert_eq!(ends, [(0, 5, State::Completed), flat], "{}", row.stopper);
        }
        assert_eq!(easy.reached, stops_at.is_none(), "the best row is the flat one");
    }
}

#[test]
fn a_toy_sampler_runs_in_a_grid_beside_the_others() {
    let curve: &[f64] = &[0.1, 0.2];
    let pool = unit_cost_pool(&accuracy(Some(0.1)), 2, &[curve; 5]);
    let mut grid = grid("random", &["none"], &["2"], 2, &Settings::default());
    for text in ["extremes", "extremes:first=high"] {
        grid.samplers.push(resolve("--sampler", text, SAMPLERS).unwrap());
    }
    let runs = run_grid(&grid, &pool, 2).unwrap();
    assert_eq!(runs.len(), 3 * 2);
    for run in &runs {
        let rows: Vec<u32> = run.segments.iter().map(|s| s.config.0).collect();
        match run.rows[0].sampler.as_str() {
            "random" => assert_eq!(rows.len(), 5),
            "extremes:axis=1,first=low" => assert_eq!(rows, [0, 4, 1, 3, 2]),
            "extremes:axis=1,first=high" => assert_eq!(rows, [4, 0, 3, 1, 2]),
            other => panic!("{other}"),
        }
    }
    let refused = |text| -> String {
        let method = resolve("--sampler", text, SAMPLERS);
        let built = method.and_then(|method| method.build(&context(&pool)));
        built.err().expect("it is refused").to_string()
    };
    assert_eq!(
        refused("extremes:axis=2"),
        "--sampler: extremes:axis = 2: table `small` has 1 parameters; choose one of them"
    );
    assert_eq!(
        refused("extremes:first=hihg"),
        "--sampler: extremes:first = hihg: must be one of low, high; did you mean `high`?"
    );
    let known = |name: &str| samplers::REGISTRY.iter().any(|entry| entry.name == name);
    assert!(!known("extremes") && known("random"), "the program itself knows nothing of it");
}

#[test]
fn its_messages_and_its_form_come_with_it() {
    let refused = |text| resolve("--stopper", text, REGISTRY).unwrap_err().to_string();
    assert_eq!(
        refused("stagnation:epochs=0"),
        "--stopper: stagnation:epochs = 0: must be a whole number 1 to 100; the default is 2"
    );
    assert!(refused("stagnation:epoch=1").contains("did you mean `epochs`?"));
    assert!(refused("stagnatoin").contains("did you mean `stagnation`?"));
    let described = describe(REGISTRY);
    assert_eq!(described[0]["parameters"][0]["default"], 2);
    assert_eq!(described[0]["parameters"][0]["high"], 100);
    let known = |name: &str| stoppers::REGISTRY.iter().any(|entry| entry.name == name);
    assert!(!known("stagnation") && known("none"), "the program itself knows nothing of it");
}
