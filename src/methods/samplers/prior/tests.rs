use std::path::Path;

use base::space::{Domain, Parameter};

use super::*;
use crate::interface::{RunContext, State};

fn space() -> Space {
    let parameter = |name: &str, domain| Parameter { name: name.into(), domain, condition: None };
    let choices = ["relu", "elu", "tanh"].map(String::from).to_vec();
    let parameters = vec![
        parameter("rate", Domain::Float { low: 1e-4, high: 1.0, log: true }),
        parameter("units", Domain::Int { low: 1, high: 100, log: false }),
        parameter("activation", Domain::Categorical { choices }),
    ];
    Space::new("test", "parameter", "net".into(), parameters).unwrap()
}

const FILE: &str = "[rate]\ncenter = 0.01\nconfidence = 'high'\n\
                    [activation]\ncenter = 'elu'\nconfidence = 0.6\n";

fn shared(mix: Mix) -> Shared {
    let settings =
        Parameters { file: "p".into(), mix, eta: 3, min: 1, mutation: 0.5, deviation: 0.25 };
    // Rows: at the centre, at the lower end, in the middle of everything.
    let coordinates = vec![0.5, 0.005, 0.5, 0.0, 0.995, 1.0 / 6.0, 0.5, 0.505, 5.0 / 6.0];
    Shared {
        space: space(),
        points: Arc::new(Points { width: 3, coordinates }),
        top: rung(Epoch(1), 3, Epoch(9)),
        beliefs: belief::read(Path::new("p.toml"), FILE, &space()).unwrap(),
        settings,
    }
}

#[test]
fn beliefs_are_read_and_what_the_space_lacks_is_refused() {
    let beliefs = shared(Mix::None).beliefs;
    let Belief::Around { centre, deviation } = beliefs[0].0 else { panic!("{beliefs:?}") };
    assert!((centre - 0.5).abs() < 1e-12 && (deviation - 0.1).abs() < 1e-12);
    assert_eq!(beliefs[1], (Belief::Anything, 0.5));
    assert_eq!(beliefs[2].0, Belief::Choice { choice: 1, confidence: 0.6, count: 3 });

    let refused =
        |text: &str| belief::read(Path::new("p.toml"), text, &space()).unwrap_err().to_string();
    assert_eq!(
        refused("[rat]\ncenter = 1\n"),
        "p.toml: rat = {\"center\":1}: space `net` has no such parameter; did you mean `rate`?"
    );
    for (text, parts) in [
        ("[rate]\ncenter = 2.0\n", ["rate.center = 2", "`rate` is 0.0001 to 1"]),
        ("[units]\ncenter = 'many'\n", ["units.center", "`units` is 1 to 100"]),
        ("[activation]\ncenter = 'gelu'\n", ["activation.center", "one of relu, elu, tanh"]),
        ("[rate]\nconfidence = 0.5\n", ["rate.center = missing", "best must stand here"]),
        ("[rate]\ncenter = 0.1\nconfidence = 1.0\n", ["rate.confidence", "0 to 0.999"]),
        ("[rate]\ncenter = 0.1\nconfidence = 'sure'\n", ["rate.confidence", "low, medium, high"]),
        ("[rate]\ncenter = 0.1\nspread = 1\n", ["rate.spread", "confidence"]),
        ("rate = 0.1\n", ["rate = 0.1", "a belief has a center"]),
        ("[rate\n", ["line 1", "TOML"]),
    ] {
        let message = refused(text);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}

#[test]
fn draws_are_as_frequent_as_the_density_says() {
    // 20 bins of the number's and 3 choices: the 0.999 quantiles of chi-squared with 19 and 2
    // degrees of freedom are 43.8 and 13.8.
    let shared = shared(Mix::None);
    let domains: Vec<&Domain> = shared.space.parameters.iter().map(|p| &p.domain).collect();
    let mut rng = Streams::new(&RunContext { seed: 2, repeat: 0, threads: 1 }, "prior").main();
    let off_centre = Belief::Around { centre: 0.1, deviation: 0.25 };
    for (domain, belief, other, bins, bound) in [
        (domains[0], off_centre, Belief::Around { centre: 0.1, deviation: 0.3 }, 20_u32, 43.8),
        (
            domains[2],
            shared.beliefs[2].0,
            Belief::Choice { choice: 1, confidence: 0.5, count: 3 },
            3,
            13.8,
        ),
    ] {
        let mut counts = vec![0.0; bins as usize];
        for _ in 0..20_000 {
            let u = belief.draw(domain, &mut rng);
            let bin = (0..bins).rposition(|bin| u >= f64::from(bin) / f64::from(bins));
            counts[bin.unwrap()] += 1.0;
        }
        let statistic = |belief: Belief| -> f64 {
            let cells = counts.iter().zip(0..bins);
            let terms = cells.map(|(count, bin)| {
                // The middles of 100 parts of a bin; of a choice all have its probability.
                let share = (0..100).map(|part| {
                    let u = (f64::from(bin) + (f64::from(part) + 0.5) / 100.0) / f64::from(bins);
                    libm::exp(belief.log_density(domain, u)) / 100.0
                });
                let width = if bins == 3 { 1.0 } else { 1.0 / f64::from(bins) };
                let expected = 20_000.0 * width * share.sum::<f64>();
                (count - expected) * (count - expected) / expected
            });
            terms.sum()
        };
        assert!(statistic(belief) < bound, "{}", statistic(belief));
        assert!(statistic(other) > bound, "another confidence goes unnoticed");
    }
}

#[test]
fn shares_are_those_worked_out_by_hand() {
    let close = |found: Shares, expected: [f64; 3]| {
        let found = [found.random, found.prior, found.incumbent];
        let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-12, "{found:?}, not {expected:?}");
    };
    close(shared(Mix::None).shares(None, Epoch(9)), [0.0, 1.0, 0.0]);
    let shared = shared(Mix::PriorBand);
    // Rungs at 1, 3 and 9: one in 2, 4 and 10 is random.
    for (until, random) in [(1, 0.5), (2, 0.5), (3, 0.25), (8, 0.25), (9, 0.1), (30, 0.1)] {
        let until = Epoch(until);
        let random = if until.0 > 26 { 1.0 / 28.0 } else { random };
        close(shared.shares(None, until), [random, 1.0 - random, 0.0]);
    }
    // 9 x 1 + 3 x 2 + 1 x 6 epochs.
    assert_eq!(shared.bracket_epochs(), 21);

    // The incumbent is row 1 and the two best are rows 1 and 0, weighed 2 and 1.
    let told = |trial: u32, score: f64| Telling {
        trial: TrialId(trial),
        row: ConfigId(trial),
        score,
        epoch: Epoch(9),
        state: State::Completed,
    };
    let top = vec![told(1, 0.9), told(0, 0.8)];
    let found = shared.shares(Some(&(top[0], top.clone())), Epoch(9));
    // On the rate a normal distribution of 0.1 around 0.5 or around 0, twice as high at 0 by
    // symmetry; on the units nothing, or one of 0.5 around 0.995; on the activation 0.6 where it is
    // believed to be and 0.2 elsewhere.
    let phi = |z: f64| libm::exp(-0.5 * z * z);
    let (half, near_end) = (
        0.5 * (1.0 + libm::erf(0.005 / 0.5 / std::f64::consts::SQRT_2)),
        0.5 * libm::erf(0.995 / 0.5 / std::f64::consts::SQRT_2),
    );
    let kept_units = half - 0.5 + near_end;
    let density = |z: f64| phi(z) / (0.5 * libm::sqrt(2.0 * std::f64::consts::PI) * kept_units);
    let kept_middle = libm::erf(5.0 / std::f64::consts::SQRT_2);
    let (middle, end) = (1.0 / kept_middle, 2.0);
    let prior = 2.0 * middle * phi(5.0) * 0.2 + middle * 0.6;
    let moved = 2.0 * end * density(0.0) * 0.6 + end * phi(5.0) * density(1.98) * 0.2;
    let share = moved / (prior + moved);
    close(found, [0.1, 0.9 * (1.0 - share), 0.9 * share]);
}

#[test]
fn the_incumbent_mutates_where_it_may() {
    let shared = shared(Mix::PriorBand);
    let mut rng = Streams::new(&RunContext { seed: 2, repeat: 1, threads: 1 }, "prior").main();
    let row = shared.points.row(ConfigId(2)).to_vec();
    let (mut same, mut all) = ([0_u32; 3], 0_u32);
    for _ in 0..4_000 {
        let point = shared.draw_incumbent(ConfigId(2), &mut rng);
        for (same, (a, b)) in same.iter_mut().zip(point.iter().zip(&row)) {
            *same += u32::from((a - b).abs() < 1e-12);
        }
        all += 1;
    }
    // Half of all stay, and units of 100 values return to their own now and then.
    assert!(same[0].abs_diff(all / 2) < 160 && same[2].abs_diff(all / 2) < 160, "{same:?}");
    assert!(same[1] > all / 2 - 100 && same[1] < all / 2 + 260, "{same:?}");
}
