//! What is seen in a table: on the shipped one, and against what the rules themselves do.

use std::path::Path;

use curvebook::app::Silent;
use curvebook::app::pools::TableOptions;
use curvebook::app::table_look::{
    Etr1, Etr2, Group, LookSettings, PAIRED_MAX, Settings, TableFacts, TableLook, run,
};
use curvebook::base::measured::NOT_MEASURED;
use curvebook::base::rng::Key;
use curvebook::base::units::{Epoch, TrialId};
use curvebook::methods::interface::{Ask, Fresh, Proposal, Sampler, View};
use curvebook::replay::{Pool, Settings as ReplaySettings, ValueMode};

use crate::replay_common::{accuracy, fifo, loss, replay_with, stopper, unit_cost_pool};

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tables/digits-lenet");

fn look(threads: usize) -> TableLook {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| run(&Settings::of(DIGITS), &Silent).unwrap())
}

#[test]
fn a_look_at_the_shipped_table_is_the_same_at_any_number_of_threads() {
    let seen = look(1);
    // NaN is not equal to itself, but is written alike.
    assert_eq!(format!("{seen:?}"), format!("{:?}", look(3)));
    assert_eq!((seen.facts.rows, seen.facts.epochs), (2_000, Epoch(30)));
    let sizes: Vec<(Group, usize, usize)> = seen
        .facts
        .groups
        .iter()
        .map(|group| (group.group, group.rows.len(), group.curves.len()))
        .collect();
    let groups = [(Group::Random, 100, 100), (Group::Top, 100, 100), (Group::Bottom, 100, 100)];
    assert_eq!((sizes[0], &sizes[1..]), ((Group::All, 2_000, 0), &groups[..]));
    assert_eq!(seen.facts.rules.len(), 2);

    let importance = seen.importance.unwrap();
    let count = importance.parameters.len();
    assert_eq!(count, seen.space.parameters.len());
    assert!(count <= PAIRED_MAX && importance.pairs.len() == count * (count - 1) / 2);
    assert!(importance.pairs.is_sorted_by(|a, b| a.interaction.mean >= b.interaction.mean));
    let mains = importance.parameters.iter().map(|parameter| parameter.main.mean);
    let pairs = importance.pairs.iter().map(|pair| pair.interaction.mean);
    let explained: f64 = mains.chain(pairs).sum();
    assert!(explained > 0.5 && explained < 1.0 + 1e-9, "{explained}");
    let most = |of: &dyn Fn(usize) -> f64| (0..count).max_by(|a, b| of(*a).total_cmp(&of(*b)));
    let by_variance = most(&|at| importance.parameters[at].main.mean).unwrap();
    let by_best = most(&|at| importance.parameters[at].among_best).unwrap();
    // Both find what everybody would tune first.
    assert_eq!(importance.parameters[by_variance].name, "learning_rate");
    assert_eq!(importance.parameters[by_best].name, "learning_rate");
    for parameter in &importance.parameters {
        assert_eq!(parameter.grid.len(), parameter.marginal.len());
        let (low, high) = (seen.facts.values.sorted[0], seen.facts.values.best.unwrap());
        let (low, high) = (low.min(0.1) - 1e-9, high + 1e-9);
        let is_within = |mean: f64| low <= mean && mean <= high;
        assert!(parameter.marginal.iter().all(|at| is_within(at.mean)), "{parameter:?}");
    }
    for pair in &importance.pairs {
        assert_eq!(pair.surface.len(), pair.grids.0.len() * pair.grids.1.len());
    }
}

#[test]
fn what_is_no_table_is_refused() {
    let missing = Settings::of(Path::new("no-such-table"));
    assert!(run(&missing, &Silent).unwrap_err().to_string().contains("no-such-table"));
}

/// Proposes rows in a given order.
struct Ordered(Vec<usize>, usize);

impl Sampler for Ordered {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, _: &View<'_>, _: &Ask) -> Proposal {
        self.1 += 1;
        let row = u32::try_from(self.0[self.1 - 1]).unwrap();
        Proposal::Row(curvebook::base::units::ConfigId(row))
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}
}

/// Holds the rows that an illustration stops to a replay of all rows with the rule itself, the best
/// row first.
fn hold_to_replays(pool: &Pool, look: &LookSettings, never: &str) -> usize {
    let facts = TableFacts::of(pool, look);
    let settings = ReplaySettings { value: look.mode, ..ReplaySettings::default() };
    for rule in &facts.rules {
        let mut order: Vec<usize> = (0..pool.rows() as usize).collect();
        if let Some(reference) = &rule.reference {
            order.swap(0, reference.row.index());
        }
        let by_rule = stopper(pool, &rule.rule);
        let outcome = replay_with(pool, &settings, &[never], Ordered(order, 0), fifo(), by_rule);
        let stopped = outcome.goals[0].facts.stopped_trials;
        assert_eq!(usize::try_from(stopped).unwrap(), rule.stopped, "{} {rule:?}", pool.name());
        assert!(rule.stopped_examples.len() <= 3 && rule.passed_examples.len() <= 3);
    }
    facts.rules.len()
}

#[test]
fn illustrations_stop_what_the_rules_stop() {
    let pool = TableOptions::default().load(Path::new(DIGITS)).unwrap();
    let later = LookSettings {
        mode: ValueMode::Final,
        etr1: Etr1 { tau: Epoch(9), epsilon: 0.3 },
        etr2: Etr2 { p: 0.95, q: 0.9 },
        ..LookSettings::default()
    };
    for look in [LookSettings::default(), later] {
        assert_eq!(hold_to_replays(&pool, &look, "2.0"), 2);
    }
    // Small tables with epochs that diverged or were not measured, curves that end early, and
    // losses.
    let mut shown = 0;
    for case in 0..40 {
        let key = Key::new(case, 0, "look");
        let draw = |at: u64| f64::from(key.at(at)[0]) / 4_294_967_296.0;
        let rows: Vec<Vec<f64>> = (0..20_u64)
            .map(|row| {
                let epochs = if draw(1_000 + row) < 0.1 { 3 } else { 6_u64 };
                let value = |epoch: u64| match draw(row * 10 + epoch) {
                    u if u < 0.07 => f64::NAN,
                    u if u < 0.14 => NOT_MEASURED,
                    // Coarse, so that scores tie with each other and with the bar.
                    u => (u * 20.0).round() / 20.0,
                };
                (0..epochs).map(value).collect()
            })
            .collect();
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let is_loss = case % 2 == 1;
        let metric = if is_loss { loss(Some(0.9)) } else { accuracy(Some(0.2)) };
        let pool = unit_cost_pool(&metric, 6, &rows);
        let mode = if case % 3 == 0 { ValueMode::Final } else { ValueMode::Best };
        let tau = Epoch(u16::try_from(1 + case % 4).unwrap());
        let etr1 = Etr1 { tau, epsilon: 0.1 };
        let look = LookSettings { mode, etr1, ..LookSettings::default() };
        shown += hold_to_replays(&pool, &look, if is_loss { "-1.0" } else { "2.0" });
    }
    assert!(shown > 60, "{shown}");
}
