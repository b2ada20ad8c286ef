//! The rule on trials by hand, and its posterior and decisions beside emcee's samples
//! (`tests/golden/curves/make_posteriors.py`).

use std::sync::Arc;

use base::error::internal;
use base::space::{Direction, Domain, Metric, Parameter, Space};
use base::units::{ConfigId, SimTime};
use serde_json::Value;

use super::*;
use crate::interface::{
    CurveAt, EpochScore, Extrapolation, Library, Past, Points, Readers, RowOrder, RunContext,
    Shelf, State, Trial, resolve,
};
use crate::stoppers::REGISTRY;
use crate::surrogates::curves::tests::{CURVES, beginning, family, numbers, parse};
use crate::surrogates::curves::{Prefix, posterior, posterior_from};

const EPOCHS: u16 = 30;
const RISING: [f64; 12] = [0.2, 0.4, 0.5, 0.55, 0.58, 0.6, 0.61, 0.62, 0.625, 0.63, 0.632, 0.634];

/// Some trials of a run, all of which have ended but the last.
struct Run {
    trials: Vec<Trial>,
    ended: Vec<TrialId>,
    scores: Vec<EpochScore>,
    starts: Vec<usize>,
    order: RowOrder,
    goal: Direction,
}

impl Run {
    /// `ended` are values of trials, `curve` the scores of the running one.
    fn new(goal: Direction, ended: &[f64], curve: &[f64]) -> Self {
        let trial = |config: usize, state, executed: usize, value| Trial {
            config: ConfigId(u32::try_from(config).unwrap()),
            curve_repeat: 0,
            bracket: 0,
            state,
            executed: Epoch(u16::try_from(executed).unwrap()),
            until: Epoch(EPOCHS),
            last_epoch: Epoch(EPOCHS),
            value,
            reported: value,
            point: None,
            snap_distance: None,
            segment_start: SimTime(0),
            charged: SimTime(0),
        };
        let mut trials: Vec<Trial> = ended
            .iter()
            .enumerate()
            .map(|(config, value)| trial(config, State::Completed, 0, *value))
            .collect();
        trials.push(trial(ended.len(), State::Running, curve.len(), f64::NAN));
        let read = |y: &f64| {
            if base::measured::is_measured(*y) {
                EpochScore::measured(*y)
            } else {
                EpochScore::NOT_MEASURED
            }
        };
        Self {
            starts: vec![0; trials.len()],
            ended: (0..).map(TrialId).take(ended.len()).collect(),
            scores: curve.iter().map(read).collect(),
            order: RowOrder::empty(),
            trials,
            goal,
        }
    }

    fn view(&self) -> View<'_> {
        let past = Past::new(&self.order, &self.trials, &self.ended, &self.scores, &self.starts);
        View {
            now: SimTime(0),
            workers: 1,
            epochs: Epoch(EPOCHS),
            chance: Some(0.1),
            gain_offset: 0.0,
            goal: None,
            budget: None,
            trials_max: None,
            past,
        }
    }

    /// What a rule says of the running trial at its last epoch, without what others have made.
    fn verdict(&self, rule: &str) -> Verdict {
        let mut rule = self.rule(rule, &Library::default()).unwrap();
        let trial = TrialId(u32::try_from(self.ended.len()).unwrap());
        let epoch = self.trials[trial.index()].executed;
        rule.at_epoch(&self.view(), trial, epoch)
    }

    fn rule(&self, text: &str, extrapolations: &Library) -> Result<Box<dyn Stopper>> {
        let domain = Domain::Float { low: 0.0, high: 1.0, log: false };
        let x = Parameter { name: "x".into(), domain, condition: None };
        let context = Context {
            table: "hand",
            space: &Space::new("test", "parameter", "line".into(), vec![x]).unwrap(),
            metric: &Metric { name: "y".into(), goal: self.goal, chance: Some(0.1) },
            rows: 1,
            points: &Arc::new(Points::default()),
            epochs: Epoch(EPOCHS),
            repeats: 1,
            readers: Readers::NONE,
            extrapolations,
        };
        let factory = resolve("--stopper", text, REGISTRY)?.build(&context)?;
        Ok(factory(&RunContext { seed: 0, repeat: 0, threads: 1 }).expect("a rule that stops"))
    }
}

/// A chain that is long enough for what is clear.
const SHORT: &str = "curve:steps=300,burn_in=100";
const BOTH: [&str; 2] = [SHORT, "curve-fast"];

#[test]
fn what_will_not_reach_the_best_is_stopped_with_its_prediction() {
    for rule in BOTH {
        let Verdict::Stop { predicted: Some(value) } =
            Run::new(Direction::Maximize, &[0.3, 0.95], &RISING).verdict(rule)
        else {
            panic!("{rule} lets it go")
        };
        assert!((0.6..0.75).contains(&value), "{rule} predicts {value}");
        // An error rate is an accuracy less 1.
        let errors = RISING.map(|y| y - 1.0);
        let error = Run::new(Direction::Minimize, &[-0.7, -0.05], &errors).verdict(rule);
        let Verdict::Stop { predicted: Some(error) } = error else { panic!("{rule}: {error:?}") };
        assert!((value - 1.0 - error).abs() < 0.01, "{rule}: {value} and {error}");
    }
}

#[test]
fn what_may_win_goes_on() {
    for rule in BOTH {
        // No best yet; above the best; NaN is none; where it is heading; too little to see.
        for ended in [&[][..], &[0.6], &[f64::NAN], &[0.64]] {
            let run = Run::new(Direction::Maximize, ended, &RISING);
            assert_eq!(run.verdict(rule), Verdict::Go, "{rule} {ended:?}");
        }
        for curve in [&RISING[..3], &[-3.0; 12], &[1.4; 12]] {
            let run = Run::new(Direction::Maximize, &[2.0], curve);
            assert_eq!(run.verdict(rule), Verdict::Go, "{rule} {curve:?}");
        }
    }
}

#[test]
fn what_was_not_measured_stops_nothing_and_is_left_out() {
    let gap = base::measured::NOT_MEASURED;
    for rule in BOTH {
        let mut curve = RISING;
        curve[11] = gap;
        let run = Run::new(Direction::Maximize, &[0.95], &curve);
        assert_eq!(run.verdict(rule), Verdict::Go, "{rule}");
        curve = RISING;
        curve[4] = gap;
        let run = Run::new(Direction::Maximize, &[0.95], &curve);
        assert!(matches!(run.verdict(rule), Verdict::Stop { .. }), "{rule}");
        let few = [gap, gap, gap, gap, 0.3, 0.4, 0.5];
        let run = Run::new(Direction::Maximize, &[0.95], &few);
        assert_eq!(run.verdict(rule), Verdict::Go, "{rule}");
    }
}

#[test]
fn diverged_epochs_are_chance() {
    let mut curve = RISING;
    curve[0] = f64::NAN;
    let run = Run::new(Direction::Maximize, &[0.95], &curve);
    curve[0] = 0.1;
    for rule in BOTH {
        let wanted = Run::new(Direction::Maximize, &[0.95], &curve).verdict(rule);
        assert_eq!(run.verdict(rule), wanted, "{rule}");
        let mut view = run.view();
        view.chance = None;
        let mut stopper = run.rule(rule, &Library::default()).unwrap();
        assert_eq!(stopper.at_epoch(&view, TrialId(1), Epoch(12)), Verdict::Go, "{rule}");
    }
}

#[test]
fn checks_lie_on_their_beat_from_the_least_epoch_on() {
    let run = Run::new(Direction::Maximize, &[], &RISING);
    let looks = |text: &str| run.rule(text, &Library::default()).unwrap().looks();
    let from = |first, step| Looks::From { first: Epoch(first), step };
    assert_eq!(looks("curve"), from(6, 3));
    assert_eq!(looks("curve-fast"), from(6, 3));
    assert_eq!(looks("curve-fast:interval=1"), from(4, 1));
    assert_eq!(looks("curve:interval=5,least=11"), from(15, 5));
    assert_eq!(looks("curve:interval=60000,least=60001"), from(65_535, 60_000));
}

#[test]
fn an_extrapolation_is_made_once_and_taken_from_where_it_was_kept() {
    let run = Run::new(Direction::Maximize, &[0.95], &RISING);
    let library = Library::default();
    let first = run.verdict(SHORT);
    for _ in 0..2 {
        let mut rule = run.rule(SHORT, &library).unwrap();
        assert_eq!(rule.at_epoch(&run.view(), TrialId(1), Epoch(12)), first);
    }
    let model = "posterior-1:walkers=100,steps=300,burn_in=100,thin=10";
    assert_eq!(library.models(), [model]);
    assert_eq!(library.shelf(model).unwrap().count(), 1);
    // Its own run would stop it.
    let kept = Library::new(|_, shelf: &Shelf| {
        let at = CurveAt { config: ConfigId(1), curve_repeat: 0, epoch: Epoch(12) };
        shelf.put(at, None);
        Ok(())
    });
    let mut rule = run.rule(SHORT, &kept).unwrap();
    assert_eq!(rule.at_epoch(&run.view(), TrialId(1), Epoch(12)), Verdict::Go);
    let broken = Library::new(|_, _| Err(internal("reading", "damaged")));
    assert!(run.rule(SHORT, &broken).is_err());
}

#[test]
fn a_chain_of_which_nothing_is_left_is_refused() {
    let run = Run::new(Direction::Maximize, &[], &RISING);
    let refused = run.rule("curve:steps=500", &Library::default()).err().unwrap().to_string();
    assert!(refused.contains("drops all of the 500 steps"), "{refused}");
    assert!(run.rule("curve:steps=501", &Library::default()).is_ok());
}

const POSTERIORS: &str = include_str!("../../../../tests/golden/curves/posteriors.json");

/// One of the golden curves.
struct Golden {
    prefix: Prefix,
    own_best: f64,
    bars: Vec<f64>,
    families: Vec<&'static str>,
    curve: Value,
}

fn golden(at: usize) -> Golden {
    let (curves, recorded) = (parse(CURVES), parse(POSTERIORS));
    let curve = recorded["curves"][at].clone();
    let whole = beginning(&curves, at, usize::from(EPOCHS)).1;
    let seen = &whole[..usize::try_from(curve["n"].as_u64().unwrap()).unwrap()];
    let mut bars = numbers(&recorded["bars"]);
    bars.push(whole[whole.len() - 1]);
    let kept = curve["kept"].as_array().unwrap().iter();
    Golden {
        prefix: Prefix::new((1..).zip(seen.iter().copied()), EPOCHS),
        own_best: seen.iter().copied().fold(f64::MIN, f64::max),
        bars,
        families: kept.map(|name| family(name.as_str().unwrap()).name()).collect(),
        curve,
    }
}

impl Golden {
    /// From where emcee began; `None` where no family was left.
    fn by_their_start(&self) -> Option<Extrapolation> {
        let start = numbers(self.curve.get("start")?);
        let families = self.families.iter().map(|name| family(name)).collect();
        posterior_from(&self.prefix, families, start, &Sampling::default())
    }

    /// Whether their samples say anything.
    fn speaks(&self) -> bool {
        self.curve["seeds"][0]["p"][0].is_number()
    }

    fn theirs(&self, seed: usize, what: &str) -> Vec<f64> {
        numbers(&self.curve["seeds"][seed][what])
    }

    fn ours(&self, found: &Extrapolation) -> Vec<f64> {
        self.bars.iter().map(|bar| found.probability_above(*bar)).collect()
    }

    /// By bar, whether each mode stops: 1 or 0.
    fn decisions(&self, mode: Mode, found: &Extrapolation) -> Vec<f64> {
        let criterion = Criterion::new(mode, 0.05, 0.0);
        let stops = |bar: &f64| {
            let goes = criterion.lets_go(self.own_best, Some(*bar));
            f64::from(u8::from(!goes && criterion.stops(found, Some(*bar))))
        };
        self.bars[..self.bars.len() - 1].iter().map(stops).collect()
    }
}

/// How far two lists lie apart, place by place: median, 95th percentile, mean.
fn apart(a: &[Vec<f64>], b: &[Vec<f64>]) -> [f64; 3] {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    let mut apart: Vec<f64> = pairs.map(|(a, b)| (a - b).abs()).collect();
    apart.sort_by(f64::total_cmp);
    let mean = apart.iter().sum::<f64>() / f64::from(u32::try_from(apart.len()).unwrap());
    [apart[(apart.len() - 1) / 2], apart[(apart.len() - 1) * 95 / 100], mean]
}

/// Every curve where this is set, each with its own fits as well, which takes a minute where the
/// compiler optimises; else every tenth.
const ALL_VARIABLE: &str = "CURVEBOOK_POSTERIORS";

#[test]
fn probabilities_and_decisions_are_as_close_to_emcees_as_emcees_to_its_own() {
    let is_all = std::env::var_os(ALL_VARIABLE).is_some();
    let all: Vec<Golden> = (0..100).map(golden).collect();
    let (all, silent): (Vec<Golden>, Vec<Golden>) = all.into_iter().partition(Golden::speaks);
    assert_eq!(silent.len(), 3, "one without a family, two without a number at the horizon");
    assert!(silent.iter().all(|golden| golden.by_their_start().is_none()));
    let theirs = |seed, what: &str| -> Vec<Vec<f64>> {
        all.iter().map(|golden| golden.theirs(seed, what)).collect()
    };
    let own = apart(&theirs(0, "p"), &theirs(1, "p"));
    println!("P, emcee and emcee: median {:.4}, 95 % {:.4}", own[0], own[1]);
    let used: Vec<&Golden> = all.iter().skip(2).step_by(if is_all { 1 } else { 10 }).collect();
    let used = if is_all { all.iter().collect() } else { used };
    from_their_start(&used, own);
    if is_all {
        from_our_fits(&used);
    }
}

/// Within 1.3 times of what two seeds of emcee differ by, and 0.005.
fn from_their_start(used: &[&Golden], own: [f64; 3]) {
    let found: Vec<Extrapolation> =
        used.iter().map(|golden| golden.by_their_start().expect("a posterior")).collect();
    for seed in [0, 1] {
        let [median, upper, _] = differences("from their start", used, &found, seed);
        assert!(median <= 1.3 * own[0] + 0.005, "{median} and {}", own[0]);
        assert!(upper <= 1.3 * own[1] + 0.005, "{upper} and {}", own[1]);
    }
    for (mode, what) in [(Mode::Conservative, "c"), (Mode::Optimistic, "o")] {
        let alike = decisions("from their start", used, &found, mode, what);
        assert!(alike[0].min(alike[1]) >= alike[2].min(98.0) - 2.0, "{alike:?}");
    }
}

/// Where scipy's fits end early in a flat valley and ours do not, the chain begins elsewhere, and
/// is too short to forget it.
fn from_our_fits(used: &[&Golden]) {
    let found: Vec<Extrapolation> = used
        .iter()
        .map(|golden| posterior(&golden.prefix, &Sampling::default()).expect("a posterior"))
        .collect();
    for seed in [0, 1] {
        let [median, upper, _] = differences("from our fits", used, &found, seed);
        assert!(median < 0.02 && upper < 0.35, "{median} {upper}");
    }
    for (mode, what) in [(Mode::Conservative, "c"), (Mode::Optimistic, "o")] {
        let alike = decisions("from our fits", used, &found, mode, what);
        assert!(alike[0].min(alike[1]) > 88.0, "{alike:?}");
    }
}

/// How far probabilities lie from emcee's of a seed.
fn differences(kind: &str, used: &[&Golden], found: &[Extrapolation], seed: usize) -> [f64; 3] {
    let ours: Vec<Vec<f64>> = used.iter().zip(found).map(|(one, found)| one.ours(found)).collect();
    let theirs: Vec<Vec<f64>> = used.iter().map(|golden| golden.theirs(seed, "p")).collect();
    let apart = apart(&ours, &theirs);
    println!("P {kind}, emcee's seed {seed}: median {:.4}, 95 % {:.4}", apart[0], apart[1]);
    apart
}

/// How many decisions of a hundred are emcee's of either seed, and how many those have in common.
fn decisions(
    kind: &str,
    used: &[&Golden],
    found: &[Extrapolation],
    mode: Mode,
    what: &str,
) -> [f64; 3] {
    let theirs =
        |seed| -> Vec<Vec<f64>> { used.iter().map(|golden| golden.theirs(seed, what)).collect() };
    let ours = used.iter().zip(found).map(|(one, found)| one.decisions(mode, found));
    let (ours, one, two) = (ours.collect::<Vec<_>>(), theirs(0), theirs(1));
    let alike = |a: &[Vec<f64>], b: &[Vec<f64>]| 100.0 * (1.0 - apart(a, b)[2]);
    let found = [alike(&ours, &one), alike(&ours, &two), alike(&one, &two)];
    println!(
        "{mode:?} {kind}: {:.1} and {:.1} % alike, theirs {:.1} %",
        found[0], found[1], found[2]
    );
    found
}
