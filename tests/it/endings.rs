//! Endings: against the programs that they come from, by hand, and through the command line.

use curvebook::base::space::Metric;
use curvebook::methods::endings;
use curvebook::methods::interface::resolve;
use curvebook::replay::{EndReason, Settings};
use curvebook::store::runs::RunRow;
use serde_json::Value as Json;

use crate::command_line::{done, run, with_table};
use crate::replay_common::{accuracy, grid, loss, pool, rows_of, run_grid, unit_cost_pool};
use crate::stoppers::NAN;

fn settings(ending: &str) -> Settings {
    let ending = resolve("--end", ending, endings::REGISTRY).unwrap();
    Settings { ending: Some(ending), ..Settings::default() }
}

/// One run over curves in their order, without a goal that anything meets.
fn ended(metric: &Metric, settings: &Settings, rule: &str, curves: &[&[f64]]) -> RunRow {
    let epochs = curves.iter().map(|curve| curve.len()).max().unwrap();
    let pool = unit_cost_pool(metric, epochs as u16, curves);
    let far = pool.value_of(1e9).to_string();
    // The first choice of each level is the next row.
    let orders = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    let rows = (0..curves.len()).map(|row| format!("\n0,{row}"));
    let text = rows.fold("repeat,config_id".to_string(), |text, row| text + &row);
    std::fs::write(orders.path(), text).unwrap();
    let sampler = format!("recorded:file={}", orders.path().display());
    let grid = grid(&sampler, &[rule], &[&far], 1, settings);
    rows_of(run_grid(&grid, &pool, 1).unwrap()).remove(0)
}

fn trials(metric: &Metric, ending: &str, rule: &str, curves: &[&[f64]]) -> (u32, String) {
    let row = ended(metric, &settings(ending), rule, curves);
    (row.trials, row.end_reason)
}

fn over(trials: u32) -> (u32, String) {
    (trials, EndReason::Ending.word().to_string())
}

fn not_over(trials: u32) -> (u32, String) {
    (trials, EndReason::Exhausted.word().to_string())
}

#[test]
fn endings_end_where_optuna_and_ray_do() {
    let golden: Json =
        serde_json::from_str(include_str!("../golden/endings/endings.json")).unwrap();
    let numbers = |json: &Json| -> Vec<f64> {
        json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let histories: Vec<Vec<f64>> =
        golden["histories"].as_array().unwrap().iter().map(numbers).collect();
    let mut compared = 0;
    for (name, parameters) in
        [("stagnation", &["trials"][..]), ("plateau", &["top", "std", "patience"])]
    {
        for case in golden[name].as_array().unwrap() {
            let given: Vec<String> =
                parameters.iter().map(|name| format!("{name}={}", case[*name])).collect();
            let text = format!("{name}:{}", given.join(","));
            let text = if name == "stagnation" { text + ",count=completed" } else { text };
            for (history, ends) in histories.iter().zip(case["ends"].as_array().unwrap()) {
                let curves: Vec<&[f64]> = history.chunks(1).collect();
                let wanted = ends.as_u64().map_or(not_over(120), |n| over(n as u32));
                assert_eq!(trials(&accuracy(None), &text, "none", &curves), wanted, "{text}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 1600);
}

#[test]
fn stagnation_by_hand_in_both_directions() {
    let up: [&[f64]; 8] = [&[0.5], &[0.4], &[0.55], &[0.5], &[NAN], &[0.55], &[0.6], &[0.1]];
    let down = up.map(|curve| curve.iter().map(|y| -y).collect::<Vec<f64>>());
    let down: Vec<&[f64]> = down.iter().map(Vec::as_slice).collect();
    for (ending, wanted) in [
        // Worse, without a value, and equal: three in a row that do not improve.
        ("stagnation:trials=2", over(6)),
        ("stagnation:trials=3", not_over(8)),
        // The third is no improvement by a tenth, and the seventh is not more than one.
        ("stagnation:trials=5,delta=0.1", over(7)),
        ("stagnation:trials=4,delta=0.04", not_over(8)),
        ("stagnation:trials=0", over(2)),
    ] {
        assert_eq!(trials(&accuracy(None), ending, "none", &up), wanted, "{ending}");
        assert_eq!(trials(&loss(None), ending, "none", &down), wanted, "{ending}");
    }
}

#[test]
fn stopped_trials_count_unless_completed_ones_alone_shall() {
    // The threshold rule stops whoever is below 0.3 at epoch 1.
    let low: &[f64] = &[0.1, 0.9];
    let curves: [&[f64]; 6] = [&[0.5, 0.5], low, low, low, &[0.4, 0.5], &[0.4, 0.5]];
    let rule = "threshold:lower=0.3";
    let all = trials(&accuracy(None), "stagnation:trials=2", rule, &curves);
    assert_eq!(all, over(4));
    let completed = "stagnation:trials=1,count=completed";
    assert_eq!(trials(&accuracy(None), completed, rule, &curves), over(6));
}

#[test]
fn a_plateau_takes_as_many_values_as_it_is_made_of() {
    let curves: [&[f64]; 7] = [&[NAN], &[0.5], &[0.75], &[0.5], &[0.75], &[0.0], &[0.75]];
    // 0.75 twice, after the fifth; the sixth changes nothing of the best two.
    for (ending, wanted) in [
        ("plateau:top=2,std=0", over(5)),
        ("plateau:top=2,std=0,patience=2", over(6)),
        ("plateau:top=3,std=0", over(7)),
        // The deviation of 0.75, 0.75, 0.5, 0.5 is 0.125.
        ("plateau:top=4,std=0.125", over(5)),
        ("plateau:top=4,std=0.12", over(7)),
        ("plateau:top=7,std=1", not_over(7)),
    ] {
        assert_eq!(trials(&accuracy(None), ending, "none", &curves), wanted, "{ending}");
    }
}

#[test]
fn a_search_without_regret_ends_once_enough_trials_have() {
    // Equal values leave nothing to gain, and what has none counts for nothing.
    let [same, none, low]: [&[f64]; 3] = [&[0.5, 0.5], &[NAN, NAN], &[0.1, 0.5]];
    let curves: Vec<&[f64]> = [vec![none; 3], vec![low; 2], vec![same; 25]].concat();
    let fixed = "regret:error=fixed,threshold=1e-6";
    for (ending, rule, wanted) in [
        (fixed.to_string(), "none", over(23)),
        // Those that a rule ends are not complete.
        (fixed.to_string(), "threshold:lower=0.3", over(25)),
        (format!("{fixed},least=22"), "none", over(25)),
        // Nothing falls below nothing.
        ("regret:error=fixed,threshold=0".to_string(), "none", not_over(30)),
        ("regret:error=fixed,threshold=0,improvement=emmr".to_string(), "none", not_over(30)),
        ("regret".to_string(), "none", not_over(30)),
    ] {
        assert_eq!(trials(&accuracy(None), &ending, rule, &curves), wanted, "{ending}, {rule}");
    }
}

#[test]
fn what_runs_is_cut_and_the_goal_comes_first() {
    let curve = |y: f64, cost: u64| (vec![y; 2], vec![cost; 2]);
    let pool = pool(&accuracy(None), 2, &[curve(0.5, 1), curve(0.25, 10), curve(0.25, 1)]);
    for (ending, goal, wanted) in [
        ("stagnation:trials=0", "0.9", ("ending", false)),
        ("stagnation:trials=0", "0.5", ("goal", true)),
    ] {
        let settings = Settings { workers: 3, ..settings(ending) };
        let runs = run_grid(&grid("random", &["none"], &[goal], 1, &settings), &pool, 1).unwrap();
        let (row, segments) = (&runs[0].rows[0], &runs[0].segments);
        assert_eq!((&row.end_reason[..], row.reached), wanted);
        // Both short ones end at 2, the long one is cut there before its first epoch has ended.
        assert_eq!(row.end_s, 2e-9);
        assert_eq!((row.trials, row.epochs), (3, 4));
        let cut = segments.iter().filter(|s| s.end_state.word() == "cut").count();
        assert_eq!((segments.len(), cut), (3, 1));
        assert_eq!(row.settings, "end=stagnation:trials=0,delta=0,count=all");
    }
}

#[test]
fn the_command_line_ends_runs_and_says_so() {
    let t = with_table();
    let replay = |more: &str| {
        done(t.path(), &format!("replay --table T --goal 5 --repeats 4 --format json {more}"))
    };
    let answer: Json = serde_json::from_str(&replay("--end stagnation:trials=2")).unwrap();
    let text = answer.to_string();
    assert!(text.contains("\"censored\":4"), "{text}");
    assert!(text.contains("end=stagnation:trials=2"), "{text}");
    assert_eq!(replay("--end never"), replay(""), "saying so changes nothing");
    let wrong = run(t.path(), "replay --table T --goal 5 --end stagnatoin");
    assert!(wrong.stderr.contains("--end: name = stagnatoin"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("stagnation"), "{}", wrong.stderr);
    let methods = done(t.path(), "methods");
    assert!(methods.contains("Endings (--end)"), "{methods}");
}
