use base::measured::{NOT_MEASURED, is_measured};
use base::space::{Direction, Domain, Metric, Parameter, Space, Value};
use replay::{RecordedCurve, RecordedRow};

use super::*;

const NAN: f64 = f64::NAN;
const NULL: f64 = NOT_MEASURED;

fn metric(goal: Direction, chance: Option<f64>) -> Metric {
    Metric { name: "value".into(), goal, chance }
}

/// A pool of rows of these values whose epochs last as many seconds as the row's number from 1.
fn pool(metric: &Metric, epochs: u16, rows: &[&[f64]]) -> Pool {
    let domain = Domain::Float { low: 0.0, high: 1.0, log: false };
    let x = Parameter { name: "x".into(), domain, condition: None };
    let space = Space::new("test", "parameter", "line".into(), vec![x]).unwrap();
    let configs = vec![vec![Value::Float(0.5)]; rows.len()];
    let costs: Vec<Vec<u64>> =
        (1..).zip(rows).map(|(row, values)| vec![row * 1_000_000_000; values.len()]).collect();
    let recorded = rows.iter().zip(&costs).map(|(values, cost_ns)| {
        let curve = RecordedCurve { values, cost_ns, ..RecordedCurve::default() };
        // Another training of the row, which nobody is to look at.
        let other = RecordedCurve { repeat: 1, ..curve };
        RecordedRow { curves: vec![curve, other], setup_ns: 7, last_epoch: None }
    });
    Pool::with_rows("small", metric, &space, Epoch(epochs), &configs, recorded).unwrap()
}

fn accuracy(chance: Option<f64>) -> Metric {
    metric(Direction::Maximize, chance)
}

fn look(pool: &Pool) -> TableFacts {
    TableFacts::of(pool, &LookSettings::default())
}

/// Like `==`, with NaN equal to NaN and null to null alone.
#[track_caller]
fn assert_same(found: &[f64], expected: &[f64]) {
    let same = |(a, b): (&f64, &f64)| {
        is_measured(*a) == is_measured(*b)
            && (a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-12 * b.abs().max(1.0))
    };
    let all = found.len() == expected.len() && found.iter().zip(expected).all(same);
    assert!(all, "found {found:?}, expected {expected:?}");
}

fn rows_of(group: &CurveGroup) -> Vec<u32> {
    group.rows.iter().map(|row| row.0).collect()
}

/// Five rows: steady, dipping, diverged from epoch 2 on, unmeasured at epoch 2, diverged at once.
const MIXED: [&[f64]; 5] =
    [&[0.2, 0.5, 0.9], &[0.6, 0.3, 0.8], &[0.4, NAN, NAN], &[0.1, NULL, 0.1], &[NAN, NAN, NAN]];

#[test]
fn groups_are_ranked_and_keep_their_curves() {
    let facts = look(&pool(&accuracy(Some(0.1)), 3, &MIXED));
    let kinds: Vec<Group> = facts.groups.iter().map(|group| group.group).collect();
    assert_eq!(kinds, [Group::All, Group::Random, Group::Top, Group::Bottom]);
    let [all, random, top, bottom] = &facts.groups[..] else { panic!() };
    assert_eq!((rows_of(all), all.curves.len()), (vec![0, 1, 2, 3, 4], 0));
    assert_eq!(rows_of(random), [0, 1, 2, 3, 4], "there are no more");
    assert_eq!(rows_of(top), [0, 1, 2, 3, 4]);
    assert_eq!(rows_of(bottom), [4, 3, 2, 1, 0]);
    assert_same(&top.curves[2].values, &[0.4, NAN, NAN]);
    assert_same(&top.curves[3].values, &[0.1, NULL, 0.1]);
    assert_same(
        &top.curves.iter().map(|c| c.whole).collect::<Vec<_>>(),
        &[0.9, 0.8, 0.4, 0.1, NAN],
    );

    let rows: Vec<usize> = all.bands.iter().map(|band| band.rows).collect();
    assert_eq!(rows, [5, 4, 5], "what was not measured is left out");
    // Epoch 1 ascending: diverged, 0.1, 0.2, 0.4, 0.6: positions 0.2, 1, 2, 3, 3.8.
    assert_same(&all.bands[0].quantiles, &[NAN, 0.1, 0.2, 0.4, 0.4 + 0.8 * 0.2]);
    // Epoch 2: two diverged, 0.3, 0.5: positions 0.15, 0.75, 1.5, 2.25, 2.85.
    assert_same(&all.bands[1].quantiles, &[NAN, NAN, NAN, 0.35, 0.3 + 0.85 * 0.2]);
    assert_eq!(all.bands[2].epoch, Epoch(3));
}

#[test]
fn a_loss_is_turned_over() {
    let rows: [&[f64]; 4] = [&[2.3, 1.0], &[2.3, 0.5], &[NAN, NAN], &[2.0, 2.5]];
    let facts = look(&pool(&metric(Direction::Minimize, Some(2.3)), 2, &rows));
    let [all, _, top, bottom] = &facts.groups[..] else { panic!() };
    assert_eq!((rows_of(top), rows_of(bottom)), (vec![1, 0, 3, 2], vec![2, 3, 0, 1]));
    // Epoch 2 ascending: 0.5, 1.0, 2.5, diverged: positions 0.15, 0.75, 1.5, 2.25, 2.85.
    assert_same(&all.bands[1].quantiles, &[0.575, 0.875, 1.75, NAN, NAN]);
    assert_same(&facts.values.sorted, &[0.5, 1.0, 2.0]);
    assert_eq!((facts.values.best, facts.values.chance), (Some(0.5), Some(2.3)));
    // Diverged alone is never below 2.3.
    let never: Vec<(f64, usize)> =
        facts.values.never_above.iter().map(|never| (never.margin, never.rows)).collect();
    assert_eq!(never, [(0.0, 1), (0.05, 1)]);
    // Row 3 rises by 0.5 above its best.
    assert_eq!(facts.progress.dips[3].curves, 1);
    let [first] = &facts.rules[..] else { panic!("{:?}", facts.rules) };
    assert_same(&[first.bar], &[2.25]);
    assert_eq!((first.asked, first.stopped), (4, 3), "2.0 is below 2.25, NaN is chance");
    // Row 1 gains 1.8 in the end, and 0 at epoch 1: a share of nothing bounds nothing. With 0.3
    // there, others need 0.27.
    let rows: [&[f64]; 3] = [&[2.0, 0.5], &[2.2, 1.0], &[2.03, 1.1]];
    let facts = look(&pool(&metric(Direction::Minimize, Some(2.3)), 2, &rows));
    let second = &facts.rules[1];
    assert_eq!((second.tau, second.asked, second.stopped), (Epoch(1), 2, 1));
    assert_same(&[second.bar], &[2.03]);
}

#[test]
fn values_and_chance_are_counted() {
    let settings = LookSettings { bins: 2, ..LookSettings::default() };
    let pool = pool(&accuracy(Some(0.1)), 3, &MIXED);
    let values = TableFacts::of(&pool, &settings).values;
    assert_same(&values.sorted, &[0.1, 0.4, 0.8, 0.9]);
    assert_same(&values.quantiles, &[NAN, 0.1, 0.4, 0.8, 0.88]);
    assert_same(&values.edges, &[0.1, 0.5, 0.9]);
    assert_eq!(values.counts, [2, 2]);
    assert_eq!((values.without_value, values.diverged, values.diverged_share), (1, 2, 0.4));
    assert_eq!((values.best, values.chance), (Some(0.9), Some(0.1)));
    // Row 3 stays at chance, row 4 has no number.
    let never: Vec<f64> = values.never_above.iter().map(|never| never.share).collect();
    assert_eq!(never, [0.4, 0.4]);
    // Within 0.05 of chance there is one more where it counts as chance; 0.15 itself is above.
    let rows: [&[f64]; 3] = [&[0.1], &[0.14], &[0.15]];
    let values = look(&self::pool(&accuracy(Some(0.1)), 1, &rows)).values;
    assert_eq!(values.never_above.iter().map(|n| n.rows).collect::<Vec<_>>(), [1, 2]);

    let finals = LookSettings { mode: ValueMode::Final, ..settings };
    let values = TableFacts::of(&pool, &finals).values;
    assert_same(&values.sorted, &[0.1, 0.8, 0.9]);
    assert_eq!((values.without_value, values.diverged), (2, 2));
}

#[test]
fn costs_are_those_of_whole_first_curves() {
    let rows: [&[f64]; 4] = [&[0.1, 0.2], &[0.1], &[], &[0.3, 0.4]];
    let facts = look(&pool(&accuracy(None), 2, &rows));
    let costs = &facts.costs;
    // 2, 2, 0 and 8 seconds.
    assert_eq!((costs.total_seconds, costs.free), (12.0, 1));
    assert_same(&costs.quantiles, &[0.3, 1.5, 2.0, 3.5, 2.0 + 0.85 * 6.0]);
    assert_eq!((costs.edges.len(), costs.edges[0], costs.edges[40]), (41, 2.0, 8.0));
    // Equal in ratio.
    assert_same(&[costs.edges[20]], &[4.0]);
    assert_eq!((costs.counts[0], costs.counts[39], costs.counts.iter().sum::<usize>()), (2, 1, 3));
    assert!(facts.rules.is_empty() && facts.values.never_above.is_empty(), "no chance level");
}

#[test]
fn the_end_shows_where_ranks_agree() {
    // Ten rows that end in the order 0 to 9: at epoch 1 the other way round, at epoch 2 the best
    // five lead but for one, from epoch 3 on as in the end.
    let second = [0.9, 0.8, 0.7, 0.6, 0.1, 0.5, 0.4, 0.3, 0.2, NAN];
    let rows: Vec<Vec<f64>> = (0..10_u8)
        .map(|row| {
            let end = 0.9 - 0.05 * f64::from(row);
            vec![0.05 * f64::from(row), second[usize::from(row)], end, end]
        })
        .collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let told = look(&pool(&accuracy(None), 4, &rows)).told.unwrap();
    assert_eq!((told.elite, told.told_from), (5, Some(Epoch(3))));
    let found: Vec<_> =
        told.epochs.iter().map(|e| (e.rows, e.elite_leads, e.leaders_stay)).collect();
    let shares = [0.0, 0.8, 1.0, 1.0].map(|share| (10, Some(share), Some(share)));
    assert_eq!(found, shares);
    let rho: Vec<f64> = told.epochs.iter().map(|epoch| epoch.correlation.unwrap()).collect();
    // At epoch 2 row 4 fell four places, and four rows rose by one: 1 - 6 x 20 / 990.
    assert_same(&rho, &[-1.0, 1.0 - 120.0 / 990.0, 1.0, 1.0]);
    assert_eq!(told.epochs[0].correlation_top, Some(-1.0));
}

#[test]
fn ends_that_do_not_show_are_never_told() {
    let rows: [&[f64]; 12] = [
        &[0.1, 0.9, 0.1],
        &[0.1, 0.8, 0.1],
        &[0.1, 0.7, 0.1],
        &[0.1, 0.6, 0.1],
        &[0.1, 0.55, 0.1],
        &[0.1, 0.2, 0.2],
        &[0.1, 0.2, 0.2],
        &[0.1, 0.2, 0.2],
        &[0.1, 0.2, 0.2],
        &[0.1, 0.2, 0.2],
        &[NAN, NAN, NAN],
        &[NULL, NULL, NULL],
    ];
    let told = look(&pool(&accuracy(None), 3, &rows)).told.unwrap();
    assert_eq!(told.told_from, None, "told at epoch 2, and not any more at the last one");
    assert_eq!(told.epochs.iter().map(|e| e.rows).collect::<Vec<_>>(), [11; 3]);
    // All that are not diverged tie, and so all of the best lead, with five others.
    assert_eq!(told.epochs[0].elite_leads, Some(1.0));
    assert_eq!(told.epochs[0].leaders_stay, Some(0.5));
    assert_eq!(told.epochs[0].correlation_top, None, "all alike");
    assert_eq!(told.epochs[2].elite_leads, Some(0.0));
}

#[test]
fn dips_and_ways_to_the_best() {
    let rows: [&[f64]; 5] = [
        &[0.2, 0.5, 0.9],
        &[0.6, 0.3, 0.605],
        &[0.5, NULL, 0.485],
        &[0.4, NAN, 0.39],
        &[NAN, NAN, NAN],
    ];
    let progress = look(&pool(&accuracy(None), 3, &rows)).progress;
    assert_eq!(progress.curves, 4);
    // The dips are 0, 0.3, 0.015 and 0.01 (more or less, in floating point).
    let dips: Vec<(f64, usize)> = progress.dips.iter().map(|d| (d.by, d.curves)).collect();
    assert_eq!(dips[1..], [(0.02, 1), (0.05, 1), (0.1, 1)]);
    assert!(dips[0].1 >= 2);
    assert_eq!(progress.dips[3].share, 0.25);
    assert_eq!(progress.near_from, [3, 0, 1]);
    assert_eq!(progress.near_median, Some(Epoch(1)));
    assert_same(&progress.near_epochs, &[1.0, 1.0, 1.0, 1.5, 2.7]);
}

#[test]
fn rules_are_shown_on_rows_that_they_stop_and_pass() {
    let rows: [&[f64]; 7] = [
        &[0.3, 0.6, 0.9, 1.0],
        &[0.3, 0.5, 0.9, 0.95],
        &[0.1, 0.2, 0.9, 0.97],
        &[0.1, 0.1, 0.1, 0.1],
        &[NAN, NAN, NAN, NAN],
        &[NULL, 0.6, 0.6, 0.6],
        &[0.3, 0.6],
    ];
    let facts = look(&pool(&accuracy(Some(0.1)), 4, &rows));
    let [first, second] = &facts.rules[..] else { panic!() };
    assert_eq!((first.rule.as_str(), first.tau), ("etr1:tau=1,epsilon=0.05", Epoch(1)));
    assert_same(&[first.bar], &[0.15]);
    assert_eq!((first.asked, first.stopped, first.top_ten_stopped), (7, 3, 3));
    let ids = |curves: &[TableCurve]| curves.iter().map(|c| c.row.0).collect::<Vec<_>>();
    assert_eq!(ids(&first.stopped_examples), [2, 3, 4]);
    assert_eq!(ids(&first.passed_examples), [0, 5, 6], "of 0, 1, 5 and 6");
    // The best is last at or below 0.75 x 1.0 at epoch 2: 0.9 x 0.6.
    assert_eq!((second.tau, second.reference.as_ref().unwrap().row), (Epoch(2), ConfigId(0)));
    assert_same(&[second.bar], &[0.54]);
    // The last row ends there, and the reference is not asked.
    assert_eq!((second.asked, second.stopped, second.top_ten_stopped), (5, 4, 4));
    assert_eq!(ids(&second.stopped_examples), [2, 3, 4]);
    assert_eq!(ids(&second.passed_examples), [5]);
}

#[test]
fn one_row_of_one_epoch_is_a_table() {
    for (value, best) in [(0.5, Some(0.5)), (NAN, None), (NULL, None)] {
        let facts = look(&pool(&accuracy(Some(0.1)), 1, &[&[value]]));
        assert_eq!((facts.rows, facts.epochs, facts.values.best), (1, Epoch(1), best));
        assert_eq!(facts.groups.iter().map(|g| g.rows.len()).collect::<Vec<_>>(), [1; 4]);
        assert_eq!(facts.told.is_some(), best.is_some());
        assert_eq!(facts.progress.near_median.is_some(), best.is_some());
        assert!(facts.rules.is_empty(), "the only epoch is the last");
        assert_eq!(facts.values.counts.iter().sum::<usize>(), usize::from(best.is_some()));
        assert_eq!(facts.costs.counts, [1]);
    }
}

#[test]
fn random_rows_depend_on_the_seed_alone() {
    let rows: Vec<Vec<f64>> = (0..300_u16).map(|row| vec![f64::from(row)]).collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let (up, down) = (Direction::Maximize, Direction::Minimize);
    let random = |goal, seed| {
        let settings = LookSettings { seed, ..LookSettings::default() };
        let facts = TableFacts::of(&pool(&metric(goal, None), 1, &rows), &settings);
        rows_of(&facts.groups[1])
    };
    let drawn = random(up, 0);
    assert!(drawn.len() == 100 && drawn.is_sorted_by(|a, b| a < b));
    assert_eq!(drawn, random(down, 0));
    assert_ne!(drawn, random(up, 1));
    // 100 of 300 rows average 149.5 with a deviation of 7.1.
    let mean = drawn.iter().sum::<u32>() / 100;
    assert!((121..178).contains(&mean), "{mean}");
}
