//! What makes no sense is refused, with the rule.

use curvebook::methods::interface::resolve;
use curvebook::methods::schedulers;
use curvebook::replay::Settings;

use super::constant;
use crate::replay_common::{context, grid, run_grid};

fn refused(text: &str) -> String {
    let pool = constant(9, &[0.1, 0.2]);
    let method = resolve("--scheduler", text, schedulers::REGISTRY);
    let built = method.and_then(|method| method.build(&context(&pool)));
    built.err().unwrap_or_else(|| panic!("{text} is refused")).to_string()
}

#[test]
fn rungs_that_make_no_sense_are_refused() {
    for (text, wanted) in [
        ("asha:eta=1", "--scheduler: asha:eta = 1: must be a whole number 2 to 65535"),
        ("hyperband:min=0", "hyperband:min = 0: must be a whole number 1 to 65535"),
        ("hyperband:max=10", "hyperband:max = 10: table `small` has epochs 1 to 9; leave it out"),
        ("pasha:min=10", "pasha:min = 10: table `small` has epochs 1 to 9; lower it"),
        (
            "asha:min=4,max=3",
            "asha:min = 4: the first rung cannot come after the last epoch of a trial, 3; lower \
             min or raise max",
        ),
        ("optuna-hyperband:max=99", "optuna-hyperband:max = 99: table `small` has epochs 1 to 9"),
        (
            "successive-halving:trials=8",
            "successive-halving:trials = 8: 2 cuts by eta = 3 leave nobody of fewer than 9 trials",
        ),
        ("hyperband:arithmetic=flor", "did you mean `floor`?"),
        ("asha:type=stop", "must be one of promotion, stopping"),
    ] {
        let message = refused(text);
        assert!(message.contains(wanted), "{text}: {message}");
    }
}

#[test]
fn a_cost_of_checkpoints_that_nobody_keeps_is_refused() {
    let pool = constant(9, &[0.1, 0.2]);
    let mut settings = Settings { restart: true, ..Settings::default() };
    settings.resume_cost.0 = 1;
    let grid = grid("random", &["none"], &["7"], 1, &settings);
    let message = run_grid(&grid, &pool, 1).unwrap_err().to_string();
    assert!(
        message.starts_with("--resume-cost: seconds = 0.000000001: under --restart"),
        "{message}"
    );
}
