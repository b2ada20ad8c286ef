//! After which epochs the rules that compare trials with trials look, and what is refused.

use curvebook::base::units::Epoch;
use curvebook::methods::interface::{Looks, resolve};
use curvebook::methods::schedulers;
use curvebook::methods::stoppers::REGISTRY;
use curvebook::replay::Settings;

use crate::replay_common::{accuracy, context, grid, run_grid, stopper, unit_cost_pool};

/// The value of guessing.
const GUESS: Option<f64> = Some(0.125);

#[test]
fn they_look_no_oftener_than_they_must() {
    let pool = unit_cost_pool(&accuracy(GUESS), 10, &[&[0.1; 10]]);
    let looks = |rule| stopper(&pool, rule).map(|rule| rule.looks());
    let from = |first| Some(Looks::From { first: Epoch(first), step: 1 });
    for (rule, wanted) in [
        ("median", from(1)),
        ("median:variant=ray,warmup=4", from(5)),
        ("median:variant=optuna,warmup=2,interval=3", from(3)),
        ("percentile:warmup=7", from(8)),
        ("threshold", from(1)),
        ("interval:warmup=1", from(2)),
        ("wilcoxon", from(2)),
        ("wilcoxon:steps=5", from(5)),
        ("patient", from(4)),
        ("patient:rule=(wilcoxon:steps=9)", from(9)),
        ("patient:rule=(etr2)", Some(Looks::EveryEpoch)),
        ("patient:rule=(etr1:tau=7)", Some(Looks::only(Epoch(7)))),
        ("tercet", Some(Looks::These([5, 9].map(Epoch).into()))),
        ("wandb-hyperband", from(3)),
        ("wandb-hyperband:max_iter=9,s=1", from(3)),
    ] {
        assert_eq!(looks(rule), wanted, "{rule}");
    }
}

#[test]
fn what_can_never_look_or_makes_no_sense_is_refused_by_name() {
    let pool = unit_cost_pool(&accuracy(GUESS), 4, &[&[0.1; 4]]);
    let blind = |rule: &str, epoch: u16| {
        let grid = grid("random", &[rule], &["0.5"], 1, &Settings::default());
        let message = run_grid(&grid, &pool, 1).unwrap_err().to_string();
        let looks = format!("looks after epoch {epoch}, and `small` has 4 epochs");
        assert!(message.contains(&grid.stoppers[0].canonical), "{message}");
        assert!(message.contains(&looks), "{message}");
    };
    blind("median:warmup=4", 5);
    blind("median:variant=nni,warmup=9", 10);
    blind("percentile:warmup=4", 5);
    blind("threshold:warmup=20", 21);
    blind("interval:warmup=4", 5);
    blind("wilcoxon:steps=5", 5);
    blind("patient:patience=3", 5);
    blind("patient:rule=(median),patience=3", 5);
    blind("patient:rule=(etr1:tau=9),patience=1", 9);
    blind("wandb-hyperband:min_iter=5", 5);
    let one = unit_cost_pool(&accuracy(GUESS), 1, &[&[0.1]]);
    let tercet = grid("random", &["tercet"], &["0.5"], 1, &Settings::default());
    let message = run_grid(&tercet, &one, 1).unwrap_err().to_string();
    assert!(message.contains("looks after epoch 2, and `small` has 1 epoch"), "{message}");
    let refused = |rule: &str| {
        let method = resolve("--stopper", rule, REGISTRY).unwrap();
        method.build(&context(&pool)).err().expect("it is refused").to_string()
    };
    for (rule, message) in [
        ("threshold:lower=0.5,upper=0.25", "threshold:lower = 0.5: is above `upper`"),
        ("interval:low=0.5,high=0.5", "interval:low = 0.5: is not below `high`"),
        ("patient:rule=(etr1:tau=1),patience=1", "etr1:tau=1,epsilon=0.05: looks for the last"),
        ("wandb-hyperband:max_iter=2", "wandb-hyperband:max_iter = 2: leaves no band"),
    ] {
        assert!(refused(rule).contains(message), "{}", refused(rule));
    }
}

#[test]
fn a_rule_that_looks_after_a_scheduler_has_ended_every_trial_is_refused() {
    let pool = unit_cost_pool(&accuracy(GUESS), 9, &[&[0.1; 9], &[0.2; 9]]);
    let ran = |scheduler: &str, rule: &str| {
        let mut grid = grid("random", &["none", rule], &["0.5"], 1, &Settings::default());
        let queue = resolve("--scheduler", scheduler, schedulers::REGISTRY).unwrap();
        let canonical = queue.canonical.clone();
        grid.schedulers.push(queue);
        (run_grid(&grid, &pool, 1).map(|_| ()), canonical, grid.stoppers[1].canonical.clone())
    };
    for scheduler in [
        "successive-halving:max=4,trials=3",
        "hyperband:max=4",
        "hyperband:arithmetic=floor,max=4",
        "hyperband:arithmetic=kerastuner,max=4",
        "asha:max=4",
        "asha:max=4,type=stopping",
        "asha:max=4,cutoff=optuna",
        "pasha:max=4",
        "optuna-hyperband:max=4",
        "dehb:max=4",
    ] {
        for rule in ["median:warmup=4", "etr1:tau=5", "patient:rule=(etr1:tau=9),patience=1"] {
            let (result, canonical, of_rule) = ran(scheduler, rule);
            let message = result.expect_err(scheduler).to_string();
            let first = if rule.contains('9') { 9 } else { 5 };
            let wanted = format!(
                "--stopper: stopper = {of_rule}: looks after epoch {first}, and `{canonical}` ends \
                 trials at 4; let it look earlier, raise the scheduler's max, or leave it out"
            );
            assert_eq!(message, wanted);
        }
        // At that epoch itself it is still asked.
        for rule in ["median:warmup=3", "etr1:tau=4", "etr2"] {
            ran(scheduler, rule).0.unwrap_or_else(|e| panic!("{scheduler}, {rule}: {e}"));
        }
    }
    for scheduler in ["asha", "i-epoch:epochs=1,trials=2,top=1", "hyperband:max=9", "pop"] {
        ran(scheduler, "etr1:tau=8").0.unwrap_or_else(|e| panic!("{scheduler}: {e}"));
    }
}
