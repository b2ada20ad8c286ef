//! Every decision of a rule or a rung has its reason, and the reason says the same as the decision:
//! on random experiments with NaN, gaps, ties and early ends, in both directions.

mod experiments;

use curvebook::base::units::{Epoch, TrialId};
use curvebook::methods::interface::{Measure, Reason, RunContext, Scheduler, resolve};
use curvebook::methods::schedulers;
use curvebook::replay::{
    Decided, Decider, Decision, Decisions, Experiment, Goal, Methods, Outcome, Phase, Settings,
    Workspace, replay, replay_watched,
};

use self::experiments::{Random, percentile};
use crate::replay_common::{InOrder, context, experiment, fifo, stopper};

/// Every rule, and every way in which they differ.
const RULES: [&str; 39] = [
    "etr1:tau=2,epsilon=0.1",
    "etr2",
    "etr2:gap=absolute,reference=max",
    "median",
    "median:least=1,warmup=1,interval=2",
    "median:variant=sagemaker,least=2",
    "median:variant=optuna,startup=2",
    "median:variant=ray,least=2,warmup=1",
    "median:variant=nni",
    "median:variant=nni,warmup=2",
    "median:variant=synetune,least=3",
    "median:variant=synetune,cutoff=0.3",
    "percentile:startup=1",
    "percentile:percentile=60,least=3,interval=3",
    "threshold:lower=0.4",
    "threshold:upper=0.6,warmup=2",
    "threshold:lower=0.2,upper=0.8",
    "threshold",
    "patient:patience=1",
    "patient:rule=(median:least=1),patience=1",
    "patient:rule=(etr1:tau=5,epsilon=0.5),patience=2,min_delta=0.05",
    "wilcoxon",
    "wilcoxon:p=0.4,steps=3",
    "interval:low=0.1,high=0.5,warmup=1",
    "tercet:beta=0.3",
    "wandb-hyperband:min_iter=2,eta=1.5",
    "wandb-hyperband:max_iter=9,eta=2,s=3,strict=no,check=report",
    "curve-fast:threshold=0.5",
    "curve-fast:threshold=0.5,deviation=0.1,interval=2",
    "curve-fast:mode=optimistic,threshold=0.2,deviation=0.05",
    "curve:threshold=0.5,walkers=2,steps=8,burn_in=4,thin=1,least=5,interval=5",
    "rho-lce:rho=0.5,patience=1,peers=3,iqr=0",
    "rho-lce:rho=0.7,objective=max,points=5",
    "svr-curve:train=6,search=3,delta=0.6",
    "svr-curve:train=6,search=3,delta=0.6,offset=0.1,interval=2",
    "gp-curve:least=3,threshold=0.5",
    "gp-curve:least=4,threshold=0.3,interval=3",
    "bnn-curve:least=3,networks=2,steps=20,threshold=0.5",
    "bnn-curve:least=4,networks=3,steps=10,threshold=0.3,interval=3",
];

/// Every rung method, and every way in which they differ.
const RUNGS: [&str; 24] = [
    "successive-halving",
    "successive-halving:free=begin,trials=14",
    "hyperband",
    "hyperband:arithmetic=floor,free=begin,max=6",
    "hyperband:arithmetic=kerastuner,eta=2,min=2",
    "asha",
    "asha:max=6",
    "asha:cutoff=quantile",
    "asha:cutoff=rank,eta=2",
    "asha:cutoff=optuna,eta=2",
    "asha:type=stopping",
    "asha:type=stopping,cutoff=quantile,eta=2",
    "asha:type=stopping,cutoff=rank",
    "asha:type=stopping,cutoff=optuna,eta=2",
    "pasha:eta=2",
    "pasha:cutoff=quantile,eta=2",
    "optuna-hyperband:eta=2",
    "i-epoch:epochs=2,trials=6,top=2",
    "dehb:eta=2",
    "dehb:eta=2,max=6",
    "pop:boundary=2,model=laplace,kill=0.3",
    "dpl:networks=2,units=4,epochs=4,refine=2,step=2",
    "dyhpo:units=3,epochs=4,refine=2,step=2",
    "freeze-thaw:fresh=3,step=2",
];

/// Methods with a model that they train at every step: they take their time, and see fewer
/// experiments. What they compare are no recorded scores, which a bar could be made anew of.
fn is_slow(text: &str) -> bool {
    ["dpl", "dyhpo", "freeze-thaw"].iter().any(|name| text.starts_with(name))
}

fn scheduler(random: &Random, text: &str) -> Box<dyn Scheduler> {
    let method = resolve("--scheduler", text, schedulers::REGISTRY).unwrap();
    let run = RunContext { seed: 0, repeat: 0, threads: 1 };
    method.build(&context(&random.pool)).unwrap()(&run)
}

/// A run until no row is left, watched, which must be the one that it is unwatched.
fn watched(random: &Random, rule: Option<&str>, rungs: Option<&str>) -> (Outcome, Decisions) {
    let settings = Settings { workers: random.workers, ..Settings::default() };
    // What is told the goal needs one that is not beyond all hope.
    let tells_goal = rungs.is_some_and(|text| text.starts_with("pop"));
    let far = if tells_goal { 0.99 - random.gain_offset_of_losses() } else { 1e9 };
    let goal = random.pool.value_of(far).to_string();
    let target = Goal::parse(&goal).unwrap().on(&random.pool, settings.value).unwrap();
    let targets = [target];
    let phases = || {
        let methods = Methods {
            sampler: Box::new(InOrder(0)),
            scheduler: rungs.map_or_else(fifo, |text| scheduler(random, text)),
            stopper: rule.and_then(|text| stopper(&random.pool, text)),
        };
        [Phase { methods, trials_max: None, ending: None }]
    };
    let experiment = Experiment { tells_goal, ..experiment(&random.pool, &settings, &targets) };
    let plain = replay(&experiment, &mut phases(), &mut Workspace::default());
    let all = |_: &Decision| true;
    let found = replay_watched(&experiment, &mut phases(), &mut Workspace::default(), &all);
    // Debug, since NaN is no more equal to itself than to anything else.
    assert_eq!(format!("{:?}", found.0), format!("{plain:?}"), "asking changes nothing");
    found
}

/// What a reason may say of a decision of a rung, where equals are told apart by who came first.
fn agrees_but_for_ties(decision: &Decision) -> bool {
    let fails = |r: &Reason| match (r.seen, r.bar) {
        (Some(seen), Some(bar)) => r.fails() || seen == bar || (seen - bar).abs() < 1e-6,
        _ => false,
    };
    match decision.decided {
        Decided::Stop => decision.reasons.iter().any(fails),
        Decided::GoOn | Decided::Resume => !decision.reasons.iter().any(Reason::fails),
        Decided::Pause | Decided::StayPaused => true,
    }
}

/// How far the trials that made the bar must have come: to the epoch itself, unless the rule counts
/// something else.
fn epoch_of_makers(text: &str, epoch: Epoch) -> Epoch {
    let counts_otherwise = [
        "nni",
        "wilcoxon",
        "wandb",
        "optuna-hyperband",
        "cutoff=optuna",
        "curve",
        "rho-lce",
        "dehb",
        "pop",
        "dpl",
        "dyhpo",
        "freeze-thaw",
    ];
    if counts_otherwise.iter().any(|word| text.contains(word)) { Epoch(1) } else { epoch }
}

/// What holds of every reason.
#[track_caller]
fn check(place: &str, random: &Random, outcome: &Outcome, decision: &Decision, text: &str) {
    let place = format!("{place}: {decision:?}");
    assert!(!decision.reasons.is_empty(), "{place}");
    for reason in &decision.reasons {
        assert!(!reason.what.is_empty() && !reason.bar_is.is_empty(), "{place}");
        assert!(reason.trials.is_sorted_by(|a, b| a < b), "each once: {place}");
        let wanted = epoch_of_makers(text, decision.epoch);
        for maker in &reason.trials {
            let come = random.executed_at(outcome, *maker, decision.at);
            assert!(come >= wanted, "trial {maker} had come to {come}: {place}");
        }
        if reason.what == "value at the epoch" && reason.bar.is_some() {
            let chance = if text.contains("threshold") { None } else { random.chance };
            let seen = random.seen_as(decision.trial, decision.epoch, chance);
            assert!(same(reason.seen, seen), "{seen:?}: {place}");
        }
    }
}

fn same(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        // Worst of all is what NaN is for some.
        (Some(one), Some(other)) if other.is_nan() => one.is_nan() || one == f64::NEG_INFINITY,
        (one, other) => one == other,
    }
}

/// The bar made anew of what the named trials recorded, where that is simple.
fn bar_anew(random: &Random, text: &str, decision: &Decision, makers: &[TrialId]) -> Option<f64> {
    let epoch = decision.epoch;
    let averages = || -> Vec<f64> {
        makers.iter().map(|trial| random.average(*trial, Epoch(1), epoch)).collect()
    };
    let numbers = || -> Vec<f64> {
        makers.iter().map(|trial| random.number(*trial, epoch).unwrap()).collect()
    };
    let is_plain_median = text == "median" || text.starts_with("median:least");
    Some(match text {
        _ if is_plain_median || text.contains("sagemaker") => percentile(averages(), 0.5),
        "median:variant=optuna,startup=2" => percentile(numbers(), 0.5),
        "percentile:startup=1" => percentile(numbers(), 0.75),
        "percentile:percentile=60,least=3,interval=3" => percentile(numbers(), 0.4),
        "etr2" => {
            let gain = random.seen(makers[0], epoch).unwrap() + random.gain_offset();
            0.9 * gain - random.gain_offset()
        }
        "etr2:gap=absolute,reference=max" => random.seen(makers[0], epoch).unwrap() - 0.05,
        "etr1:tau=2,epsilon=0.1" => random.chance.unwrap() + 0.1,
        _ => return None,
    })
}

fn check_rule(text: &str) {
    let (mut stops, mut goes, mut anew) = (0, 0, 0);
    // The chain of `curve` takes its time, too.
    let experiments = if text.starts_with("curve:") { 20 } else { 60 };
    for seed in 0..experiments {
        let random = Random::new(seed, text.starts_with("etr") || text.contains("etr1"));
        let place = format!("{text}, experiment {seed}");
        let (outcome, decisions) = watched(&random, Some(text), None);
        assert_eq!(decisions.wholes.len(), random.rows(), "{place}");
        let stopped = outcome.goals[0].facts.stopped_trials as usize;
        let of_rule = decisions.wanted.iter().filter(|d| d.by == Decider::Stopper);
        let (mut found, mut saved) = (0, 0);
        for decision in of_rule {
            check(&place, &random, &outcome, decision, text);
            let fails = decision.reasons.iter().all(Reason::fails);
            let stops_here = decision.decided == Decided::Stop;
            assert_eq!(fails, stops_here, "{place}: {decision:?}");
            found += usize::from(stops_here);
            saved += decision.saved.0;
            goes += u32::from(!stops_here);
            let first = &decision.reasons[0];
            if let (Some(bar), false) = (first.bar, first.seen.is_some_and(f64::is_nan))
                && let Some(wanted) = bar_anew(&random, text, decision, &first.trials)
            {
                assert!(bar == wanted || (bar - wanted).abs() < 1e-12, "{wanted}: {decision:?}");
                anew += 1;
            }
        }
        assert_eq!((found, saved), (stopped, outcome.goals[0].facts.saved.0), "{place}");
        stops += found;
    }
    let least = experiments / 2;
    assert!(
        stops > least as usize && goes > least as u32,
        "{text}: {stops} and {goes} decide little"
    );
    let is_simple = ["etr", "percentile"].iter().any(|name| text.starts_with(name));
    assert!(anew > 50 || !is_simple, "{text}: {anew} bars made anew");
}

#[test]
fn every_verdict_of_every_rule_has_a_reason_that_says_the_same() {
    RULES.into_iter().for_each(check_rule);
}

#[test]
fn every_answer_of_every_rung_has_a_reason_that_says_the_same() {
    for text in RUNGS {
        let (mut stops, mut resumes, mut bars) = (0, 0, 0);
        for seed in 0..if is_slow(text) { 10 } else { 40 } {
            let random = Random::new(seed, false);
            let place = format!("{text}, experiment {seed}");
            let (outcome, decisions) = watched(&random, None, Some(text));
            let mut paused = vec![false; random.rows()];
            for decision in &decisions.wanted {
                assert_eq!(decision.by, Decider::Scheduler, "{place}");
                check(&place, &random, &outcome, decision, text);
                assert!(agrees_but_for_ties(decision), "{place}: {decision:?}");
                let was_paused = &mut paused[decision.trial.index()];
                match decision.decided {
                    Decided::Stop => stops += 1,
                    Decided::Resume => {
                        assert!(*was_paused, "{place}: {decision:?}");
                        resumes += 1;
                    }
                    _ => {}
                }
                *was_paused = decision.decided == Decided::Pause;
                bars += u32::from(check_rung_bar(&place, &random, decision, text));
            }
            let stopped = outcome.goals[0].facts.stopped_trials as usize;
            let of_stops = decisions.wanted.iter().filter(|d| d.decided == Decided::Stop);
            assert_eq!(of_stops.count(), stopped, "{place}");
        }
        let never_stops =
            text == "asha" || text.starts_with("asha:cutoff") || text.contains("pasha");
        let never_pauses = text.contains("stopping") || text.starts_with("optuna");
        assert!(stops > 30 || never_stops, "{text}: {stops} stops");
        assert!(resumes > 30 || never_pauses, "{text}: {resumes} resumes");
        assert!(bars > 100, "{text}: {bars} bars made anew");
    }
}

/// The bar of a rung is the score that the one trial that it names had there, or lies between those
/// of two.
fn check_rung_bar(place: &str, random: &Random, decision: &Decision, text: &str) -> bool {
    let reason = &decision.reasons[0];
    let counts_elsewhere = ["optuna", "i-epoch", "dehb"].iter().any(|name| text.contains(name));
    if is_slow(text) || text.starts_with("pop") {
        return decision.reasons.iter().any(|reason| reason.bar.is_some());
    }
    let Some(bar) = reason.bar.filter(|_| reason.measure == Measure::Score) else { return false };
    if counts_elsewhere {
        return !reason.trials.is_empty();
    }
    let scores: Vec<f64> =
        reason.trials.iter().map(|trial| random.at_rung(*trial, decision.epoch)).collect();
    match scores[..] {
        [score] => assert_eq!(score, bar, "{place}: {decision:?}"),
        [a, b] => {
            assert!((a.min(b)..=a.max(b)).contains(&bar), "{place}: {a} {b} {decision:?}");
        }
        _ => panic!("{place}: {decision:?}"),
    }
    true
}

#[test]
fn a_rule_and_rungs_together_each_say_theirs() {
    let (mut rules, mut rungs) = (0, 0);
    for seed in 0..40 {
        let random = Random::new(seed, false);
        let (_, decisions) = watched(&random, Some("median:least=1"), Some("asha:eta=2"));
        for decision in &decisions.wanted {
            assert!(!decision.reasons.is_empty(), "{seed}: {decision:?}");
            match decision.by {
                Decider::Stopper => rules += 1,
                Decider::Scheduler => rungs += 1,
            }
        }
    }
    assert!(rules > 100 && rungs > 100, "{rules} and {rungs}");
}

#[test]
fn what_is_not_wanted_is_counted_alone() {
    let random = Random::new(3, false);
    let settings = Settings { workers: random.workers, ..Settings::default() };
    let goal = random.pool.value_of(1e9).to_string();
    let targets = [Goal::parse(&goal).unwrap().on(&random.pool, settings.value).unwrap()];
    let count = |wants: &dyn Fn(&Decision) -> bool| {
        let methods = Methods {
            sampler: Box::new(InOrder(0)),
            scheduler: fifo(),
            stopper: stopper(&random.pool, "median:least=1"),
        };
        let mut phases = [Phase { methods, trials_max: None, ending: None }];
        let experiment = experiment(&random.pool, &settings, &targets);
        let mut workspace = Workspace::default();
        let (_, found) = replay_watched(&experiment, &mut phases, &mut workspace, wants);
        (found.wanted.len(), found.others)
    };
    let (all, none) = count(&|_| true);
    let (stops, others) = count(&|decision| decision.decided == Decided::Stop);
    assert!(none == 0 && stops > 0 && others > 0);
    assert_eq!(stops + others, all);
}
