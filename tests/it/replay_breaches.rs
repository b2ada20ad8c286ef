//! A method that breaks its contract is a bug, and is told so at once: each documented panic of
//! `replay`.

use curvebook::base::units::{ConfigId, Epoch, TrialId};
use curvebook::methods::interface::{Ask, Fate, Fresh, Looks, Proposal, Work};
use curvebook::replay::{Experiment, Phase, Settings, Target, Workspace, replay};

use crate::reference_engine::mind::{Mind, Seen, phase, shared};
use crate::replay_common::{accuracy, experiment, unit_cost_pool};

const CURVES: [&[f64]; 2] = [&[0.1, 0.2, 0.3], &[0.2, 0.3, 0.4]];

fn targets(count: usize) -> Vec<Target> {
    let target = Target { text: "2".into(), score: 2.0, value: 2.0, rows: 0 };
    vec![target; count]
}

fn run(mind: impl Mind + 'static) {
    run_of(1, false, &Settings::default(), &mut [phase(&shared(mind), None)]);
}

fn run_of(goals: usize, tells_goal: bool, settings: &Settings, phases: &mut [Phase]) {
    let pool = unit_cost_pool(&accuracy(None), 3, &CURVES);
    let targets = targets(goals);
    let experiment = Experiment { tells_goal, ..experiment(&pool, settings, &targets) };
    replay(&experiment, phases, &mut Workspace::default());
}

/// Proposes one thing, again and again.
struct Proposes(Proposal);

impl Mind for Proposes {
    fn propose(&mut self, _: &Seen, _: &Ask) -> Proposal {
        self.0.clone()
    }
}

#[test]
#[should_panic(expected = "row 1 was proposed twice")]
fn a_row_runs_once() {
    run(Proposes(Proposal::Row(ConfigId(1))));
}

#[test]
#[should_panic(expected = "row 2 was proposed, which the table does not have")]
fn a_row_is_of_the_table() {
    run(Proposes(Proposal::Row(ConfigId(2))));
}

#[test]
#[should_panic(expected = "a point [0.5, 0.5] was proposed that is not of the space")]
fn a_point_has_one_coordinate_a_parameter() {
    run(Proposes(Proposal::Point(vec![0.5, 0.5])));
}

#[test]
#[should_panic(expected = "a point [NaN] was proposed that is not of the space")]
fn a_point_is_finite() {
    run(Proposes(Proposal::Point(vec![f64::NAN])));
}

/// Starts one trial, lets it pause after an epoch, and then does something that it may not.
struct Then(Work);

impl Mind for Then {
    fn next(&mut self, seen: &Seen, _: Fresh) -> Work {
        match seen.trials.len() {
            0 => Work::New { until: Epoch(1), bracket: 0, own: None },
            _ => self.0.clone(),
        }
    }

    fn at_until(&mut self, seen: &Seen, trial: TrialId) -> Fate {
        assert_eq!(seen.trial(trial).executed, 1);
        Fate::Pause
    }
}

#[test]
#[should_panic(expected = "a trial that has run 1 of 3 epochs cannot run until 1")]
fn a_resumed_trial_runs_a_new_epoch() {
    run(Then(Work::Resume { trial: TrialId(0), until: Epoch(1) }));
}

#[test]
#[should_panic(expected = "a trial that has run 1 of 3 epochs cannot run until 4")]
fn a_resumed_trial_ends_with_the_table() {
    run(Then(Work::Resume { trial: TrialId(0), until: Epoch(4) }));
}

#[test]
#[should_panic(expected = "a trial that has run 0 of 3 epochs cannot run until 0")]
fn a_trial_starts_with_an_epoch() {
    run(Then(Work::New { until: Epoch(0), bracket: 0, own: None }));
}

/// Resumes, or drops, what is still running.
struct Hasty(fn(TrialId) -> Work);

impl Mind for Hasty {
    fn next(&mut self, seen: &Seen, _: Fresh) -> Work {
        match seen.trials.len() {
            0 => Work::New { until: Epoch(3), bracket: 0, own: None },
            _ => self.0(TrialId(0)),
        }
    }
}

fn run_hasty(work: fn(TrialId) -> Work) {
    let settings = Settings { workers: 2, ..Settings::default() };
    run_of(1, false, &settings, &mut [phase(&shared(Hasty(work)), None)]);
}

#[test]
#[should_panic(expected = "trial 0 is not paused")]
fn only_paused_trials_are_resumed() {
    run_hasty(|trial| Work::Resume { trial, until: Epoch(3) });
}

#[test]
#[should_panic(expected = "trial 0 is not paused")]
fn only_paused_trials_are_dropped() {
    run_hasty(Work::Drop);
}

struct GoesBack;

impl Mind for GoesBack {
    fn next(&mut self, _: &Seen, _: Fresh) -> Work {
        Work::New { until: Epoch(2), bracket: 0, own: None }
    }

    fn at_until(&mut self, _: &Seen, _: TrialId) -> Fate {
        Fate::Go { until: Epoch(2) }
    }
}

#[test]
#[should_panic(expected = "a trial cannot go on into its past")]
fn a_trial_goes_on_to_a_later_epoch() {
    run(GoesBack);
}

/// Looks in a way that there is none.
struct LooksWrongly(Looks);

impl Mind for LooksWrongly {
    fn looks(&self) -> Option<Looks> {
        Some(self.0.clone())
    }
}

#[test]
#[should_panic(expected = "a rule looks from 2 in steps of 0")]
fn a_rule_looks_in_steps() {
    run(LooksWrongly(Looks::From { first: Epoch(2), step: 0 }));
}

#[test]
#[should_panic(expected = "a rule looks from 0 in steps of 1")]
fn a_rule_looks_from_the_first_epoch_on() {
    run(LooksWrongly(Looks::From { first: Epoch(0), step: 1 }));
}

#[test]
#[should_panic(expected = "a rule looks at [Epoch(2), Epoch(1)]")]
fn a_rule_names_its_epochs_in_rising_order() {
    run(LooksWrongly(Looks::These([2, 1].map(Epoch).into())));
}

#[test]
#[should_panic(expected = "a rule looks at [Epoch(0)]")]
fn a_rule_looks_after_an_epoch() {
    run(LooksWrongly(Looks::only(Epoch(0))));
}

/// Asks a sampler that has nothing.
struct Pushes(Fresh);

impl Mind for Pushes {
    fn ready(&mut self, _: &Seen) -> Fresh {
        self.0
    }

    fn next(&mut self, _: &Seen, fresh: Fresh) -> Work {
        assert_eq!(fresh, self.0);
        Work::New { until: Epoch(3), bracket: 0, own: None }
    }
}

#[test]
#[should_panic(expected = "a scheduler asked a sampler that is not ready")]
fn a_sampler_that_waits_is_not_asked() {
    run(Pushes(Fresh::Wait));
}

#[test]
#[should_panic(expected = "a scheduler asked a sampler that is not ready")]
fn a_sampler_that_has_ended_is_not_asked() {
    run(Pushes(Fresh::Exhausted));
}

/// Goes on starting trials after the last.
struct Starts;

impl Mind for Starts {
    fn next(&mut self, _: &Seen, _: Fresh) -> Work {
        Work::New { until: Epoch(3), bracket: 0, own: None }
    }
}

#[test]
#[should_panic(expected = "a scheduler started a trial where none may start")]
fn no_trial_starts_beyond_the_limit() {
    let settings = Settings { trials_max: Some(1), ..Settings::default() };
    run_of(1, false, &settings, &mut [phase(&shared(Starts), None)]);
}

#[test]
#[should_panic(expected = "a scheduler started a trial where none may start")]
fn no_trial_starts_without_a_row() {
    run(Starts);
}

#[test]
#[should_panic(expected = "checked when the settings were built")]
fn a_run_has_a_goal() {
    run_of(0, false, &Settings::default(), &mut [phase(&shared(Starts), None)]);
}

#[test]
#[should_panic(expected = "checked when the settings were built")]
fn a_run_has_a_worker() {
    let settings = Settings { workers: 0, ..Settings::default() };
    run_of(1, false, &settings, &mut [phase(&shared(Starts), None)]);
}

#[test]
#[should_panic(expected = "a method is told one goal")]
fn a_method_is_told_one_goal() {
    run_of(2, true, &Settings::default(), &mut [phase(&shared(Starts), None)]);
}

#[test]
#[should_panic(expected = "a run has a phase")]
fn a_run_has_a_phase() {
    run_of(1, false, &Settings::default(), &mut []);
}
