use base::space::Parameter;
use base::stats::holm::holm;
use base::stats::normal::survival;
use base::units::Epoch;
use serde_json::Value as Json;

use super::*;
use crate::interface::{RowOrder, RunContext, resolve};
use crate::kit::rehearsal::{Rehearsal, view};
use crate::samplers::REGISTRY;

const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/hord.json");

fn golden(part: &str) -> Json {
    serde_json::from_str::<Json>(GOLDEN).unwrap()[part].clone()
}

fn numbers(value: &Json) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// A table of these parameters with random rows.
fn table(domains: &[Domain], rows: usize) -> Rehearsal {
    let parameters = domains.iter().zip(0..).map(|(domain, at)| Parameter {
        name: format!("x{at}"),
        domain: domain.clone(),
        condition: None,
    });
    let space = Space::new("test", "parameter", "table".into(), parameters.collect()).unwrap();
    let mut rng = Stream::new(1, 0, "test");
    let coordinates = (0..rows).flat_map(|_| {
        let unit: Vec<f64> = domains.iter().map(|_| rng.random()).collect();
        space.to_unit(&space.from_unit(&unit))
    });
    let points = Points { width: domains.len(), coordinates: coordinates.collect() };
    Rehearsal { space, points: Arc::new(points), scores: vec![0.5; rows] }
}

const FLOAT: Domain = Domain::Float { low: 0.0, high: 1.0, log: false };

fn hord(table: &Rehearsal, trials: u32) -> Hord {
    let run = RunContext { seed: 1, repeat: 0, threads: 1 };
    Hord {
        table: Arc::new(table.with_context(Table::new)),
        trials,
        restarts: false,
        streams: Streams::new(&run, "hord"),
        history: History::new(),
        design: Vec::new(),
        designs: 1,
        forgotten: 0,
        first_trial: 0,
        steps: Steps::new(table.space.parameters.len()),
        next_weight: 0,
    }
}

#[test]
fn the_candidate_chosen_is_pysots() {
    for case in golden("merits").as_array().unwrap() {
        let points = |name: &str| case[name].as_array().unwrap().iter().map(numbers);
        let mut inputs =
            Inputs::new(&vec![Distance::Difference; points("inputs").next().unwrap().len()]);
        points("inputs").for_each(|point| inputs.push(&point));
        let candidates: Vec<Vec<f64>> = points("candidates").collect();
        let far = distances(&inputs, &candidates);
        let model = RadialBasis::new(inputs, &numbers(&case["targets"])).unwrap();
        let losses: Vec<f64> = candidates.iter().map(|point| model.predict(point)).collect();
        for chosen in case["chosen"].as_array().unwrap() {
            let merits = steps::merits(&losses, &far, chosen[0].as_f64().unwrap(), DISTANCE_MIN);
            let found = first_argmax(merits.iter().map(|merit| -merit)).unwrap();
            assert_eq!(Some(found as u64), chosen[1].as_u64(), "{chosen}");
            assert_eq!(merits[7], f64::INFINITY, "too near to one that ran");
        }
    }
}

#[test]
fn the_radius_moves_as_pysots_does() {
    for case in golden("steps").as_array().unwrap() {
        let mut steps = Steps::new(usize::try_from(case["parameters"].as_u64().unwrap()).unwrap());
        let losses = numbers(&case["losses"]);
        for ((trial, loss), expected) in (0..).zip(losses).zip(case["radii"].as_array().unwrap()) {
            steps.result(trial, loss, trial + 1);
            let found = (steps.radius(), steps.is_converged());
            let is_converged = expected[1].as_bool().unwrap();
            assert_eq!(found, (expected[0].as_f64().unwrap(), is_converged), "trial {trial}");
            // pySOT starts over there.
            if is_converged {
                break;
            }
        }
    }
    // A trial that began before the radius changed does not count.
    let mut steps = Steps::new(2);
    for trial in 0..5 {
        steps.result(trial, 1.0, 9);
    }
    assert_eq!(steps.radius(), 0.1);
    let before = steps.clone();
    steps.result(8, 0.5, 10);
    assert_eq!(steps, before);
    steps.result(9, f64::INFINITY, 11);
    assert_ne!(steps, before, "one that reports nothing has failed");
}

#[test]
fn the_probability_of_a_move_is_pysots() {
    for case in golden("probabilities").as_array().unwrap() {
        let number = |name: &str| u32::try_from(case[name].as_u64().unwrap()).unwrap();
        let domains = vec![FLOAT; number("parameters") as usize];
        let (table, order) = (table(&domains, 3), RowOrder::empty());
        let hord = hord(&table, number("trials"));
        let counts = numbers(&case["counts"]);
        for (count, expected) in counts.iter().zip(numbers(&case["probabilities"])) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let found = hord.probability(&view(&order, &[], &[]), *count as u32);
            assert!((found - expected).abs() < 1e-12, "{count}: {found}, not {expected}");
        }
    }
    // A plan that is used up, or too short for the hypercube.
    let (table, order) = (table(&[FLOAT; 5], 3), RowOrder::empty());
    for (trials, trial) in [(20, 400), (5, 12), (13, 13)] {
        let found = hord(&table, trials).probability(&view(&order, &[], &[]), trial);
        assert_eq!(found, 0.2, "{trials} {trial}");
    }
}

/// The p-value of a two-sample chi-squared test of equally large samples, by the cube root of
/// Wilson and Hilferty. Bins that nobody is in do not count.
fn chi_squared(found: &[f64], expected: &[f64]) -> f64 {
    let bins = found.iter().zip(expected).filter(|(a, b)| *a + *b > 0.0);
    let (mut sum, mut freedom) = (0.0, -1.0);
    for (a, b) in bins {
        sum += (a - b) * (a - b) / (a + b);
        freedom += 1.0;
    }
    let scale = 2.0 / (9.0 * freedom);
    survival((libm::cbrt(sum / freedom) - (1.0 - scale)) / scale.sqrt())
}

#[test]
fn candidates_are_distributed_as_pysots() {
    let case = golden("candidates");
    let best = numbers(&case["best"]);
    let p_values = |radius_halved: bool| -> Vec<f64> {
        let table = table(&[FLOAT; 3], 3);
        let mut hord = hord(&table, 0);
        if radius_halved {
            (0..5).for_each(|trial| hord.steps.result(trial, 1.0, 0));
        }
        let mut rng = Stream::new(2, 0, "test");
        let mut counts = vec![vec![0.0; 20]; 3];
        for _ in 0..2_000 {
            for (counts, x) in counts.iter_mut().zip(hord.candidate(&best, 0.9, &mut rng)) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "20")]
                let bin = ((x * 20.0) as usize).min(19);
                counts[bin] += 1.0;
            }
        }
        let expected = case["counts"].as_array().unwrap().iter().map(numbers);
        holm(&counts.iter().zip(expected).map(|(a, b)| chi_squared(a, &b)).collect::<Vec<f64>>())
    };
    let (found, control) = (p_values(false), p_values(true));
    println!("{found:.3?}, with half the radius {control:?}");
    assert!(found.iter().all(|p| *p > 0.01), "{found:?}");
    assert!(control.iter().all(|p| *p < 1e-6), "{control:?}");
}

#[test]
fn moves_are_of_a_whole_number_at_least_and_choices_are_any() {
    let choices = ["a", "b", "c"].map(String::from).to_vec();
    let domains = [
        Domain::Int { low: 1, high: 2, log: false },
        Domain::Categorical { choices },
        FLOAT,
        Domain::Int { low: 3, high: 3, log: false },
    ];
    let table = table(&domains, 3);
    let hord = hord(&table, 0);
    let mut rng = Stream::new(2, 0, "test");
    let best = [0.25, 0.5, 0.5, 0.5];
    let (mut others, mut choices, mut moved) = (0_u32, [0_u32; 3], [0_u32; 4]);
    for _ in 0..3_000 {
        let found = hord.candidate(&best, 0.0, &mut rng);
        let differing: Vec<usize> = (0..4).filter(|at| found[*at] != best[*at]).collect();
        assert!(differing.len() <= 1, "one coordinate in any case, and no more: {found:?}");
        for at in differing {
            moved[at] += 1;
        }
        let all = hord.candidate(&best, 1.0, &mut rng);
        assert!(all.iter().all(|x| (0.0..=1.0).contains(x)));
        others += u32::from(all[0] > 0.5);
        choices[(0..3).find(|c| all[1] < [0.4, 0.6, 1.0][*c]).unwrap()] += 1;
    }
    // Truncated normal steps of deviation 0.5 from 0.25: P(above 0.5) = (Phi(1.5) - Phi(0.5)) /
    // (Phi(1.5) - Phi(-0.5)) = 0.3864.
    assert!((1_060..1_260).contains(&others), "{others}");
    assert!(choices.iter().all(|count| (880..1_120).contains(count)), "{choices:?}");
    assert!(moved[0] > 600 && moved[2] > 600 && (380..620).contains(&moved[1]), "{moved:?}");
}

#[test]
fn every_row_runs_once_whatever_is_reported() {
    let choices = ["a", "b", "c"].map(String::from).to_vec();
    let mixed =
        [FLOAT, Domain::Categorical { choices }, Domain::Int { low: 1, high: 9, log: true }];
    let reports: [fn(usize) -> f64; 4] = [
        |_| 0.5,
        |_| f64::NAN,
        |row| if row % 3 == 0 { f64::NAN } else { 0.1 },
        |row| [1e300, -1e300, 0.0][row % 3],
    ];
    for (domains, rows) in [(&mixed[..], 50), (&mixed[1..2], 4), (&[FLOAT; 2][..], 1)] {
        let mut table = table(domains, rows);
        for report in reports {
            table.scores = (0..rows).map(report).collect();
            for sampler in ["hord", "hord:trials=5", "hord:restart=yes"] {
                let method = resolve("--sampler", sampler, REGISTRY).unwrap();
                let factory = table.with_context(|context| method.build(context)).unwrap();
                let mut found = table.run(&factory, 0, |_| false);
                found.sort_unstable();
                assert_eq!(found, (0..table.rows()).collect::<Vec<u32>>(), "{sampler}");
            }
        }
    }
}

#[test]
fn it_finds_a_smooth_minimum_sooner_than_chance() {
    let mut table = table(&[FLOAT; 4], 400);
    table.scores = (0..400)
        .map(|row| {
            let point = table.points.row(ConfigId(row));
            -point.iter().map(|x| (x - 0.4) * (x - 0.4)).sum::<f64>()
        })
        .collect();
    let best = table.scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let trials = |sampler: &str| -> usize {
        let method = resolve("--sampler", sampler, REGISTRY).unwrap();
        let factory = table.with_context(|context| method.build(context)).unwrap();
        let met = |row: u32| table.scores[row as usize] >= best;
        (0..20).map(|repeat| table.run(&factory, repeat, met).len()).sum()
    };
    let (found, chance) = (trials("hord:trials=100"), trials("random"));
    println!("{found} trials, at random {chance}");
    assert!(4 * found < chance, "{found} {chance}");
    assert_eq!(trials("hord:restart=yes,trials=100"), trials("hord:restart=yes,trials=100"));
}

#[test]
fn it_starts_over_with_a_new_hypercube_once_the_radius_is_small() {
    let table = table(&[FLOAT; 2], 200);
    let designs = |sampler: &str| {
        let method = resolve("--sampler", sampler, REGISTRY).unwrap();
        let factory = table.with_context(|context| method.build(context)).unwrap();
        let mut order = RowOrder::empty();
        order.begin(200, 5, 0);
        let mut sampler = factory(&RunContext { seed: 1, repeat: 0, threads: 1 });
        let (mut trials, starts) = (Vec::new(), vec![0; 200]);
        let mut points = 0;
        for next in 0..100 {
            let now = view(&order, &trials, &starts[..trials.len()]);
            let ask = Ask { trial: TrialId(next), until: Epoch(1), bracket: 0 };
            let row = match sampler.propose(&now, &ask) {
                Proposal::Row(row) => row,
                Proposal::Point(_) => {
                    points += 1;
                    order.first_free().unwrap()
                }
            };
            order.take(row);
            trials.push(crate::kit::rehearsal::trial(row, 0.5));
            sampler.tell(&view(&order, &trials, &starts[..trials.len()]), TrialId(next));
        }
        points
    };
    // Sixteen failures end it: 6 + 16 or 17, again and again.
    assert_eq!(designs("hord"), 6);
    assert!(designs("hord:restart=yes") >= 24);
}
