//! The fast forms against the definition.

use std::sync::Arc;

use base::rng::Stream;
use rand::RngExt;

use super::*;

const SCALES: [Scale; 6] = [
    Scale::Real,
    Scale::Even { count: 9.0 },
    Scale::Even { count: 350.0 },
    Scale::Even { count: 5000.0 },
    Scale::Logarithmic { low: 1.0, high: 350.0 },
    Scale::Choices { count: 3 },
];

fn axis(scale: Scale) -> Axis {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
    let bins = match scale {
        Scale::Even { count } => Bins::new(count as usize).map(Arc::new),
        _ => None,
    };
    assert_eq!(bins.is_some(), matches!(scale, Scale::Even { count } if count < 1000.0));
    Axis::new(scale, bins)
}

/// Half spread out, half close together, some at the very ends; on the values of the scale.
fn drawn(scale: Scale, count: usize, rng: &mut Stream) -> Vec<f64> {
    let draw = |_| {
        let u: f64 = rng.random();
        let close = (0.8 + 0.05 * (rng.random::<f64>() - 0.5) + 0.3 * (u - 0.5)).clamp(0.0, 1.0);
        scale.settled(if rng.random::<f64>() < 0.5 { u } else { close })
    };
    (0..count).map(draw).collect()
}

/// Every third observation, weighted as the `of` among all are.
fn weights(count: usize) -> Vec<f64> {
    let members: Vec<usize> = (0..count).filter(|at| at % 3 != 0).collect();
    let mut weights = vec![0.0; count];
    for (at, weight) in members.iter().zip(forgetting_weights(members.len())) {
        weights[*at] = weight;
    }
    weights
}

fn of_members(observed: &[f64], weights: &[f64]) -> Vec<f64> {
    let both = observed.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
    both.map(|(u, _)| *u).collect()
}

fn places(scale: Scale, rng: &mut Stream) -> Places {
    let mut at = drawn(scale, 30, rng);
    at.extend([0.0, 1.0, 0.5].map(|u| scale.settled(u)));
    at.sort_by(f64::total_cmp);
    at.dedup();
    let mut places = Places::default();
    places.fill(at);
    places
}

#[test]
fn densities_of_one_parameter_are_those_of_the_definition() {
    let mut rng = Stream::new(5, 0, "mixture");
    let mut compared = 0;
    for scale in SCALES {
        let (mut axis, mut observed) = (axis(scale), Vec::new());
        let (mut mixture, mut found) = (Mixture::default(), Vec::new());
        for count in [0, 1, 2, 3, 4, 9, 40, 41, 120, 300] {
            for u in drawn(scale, count - observed.len(), &mut rng) {
                axis.observe(Some(u));
                observed.push(u);
            }
            let weights = weights(count);
            let members = of_members(&observed, &weights);
            let places = places(scale, &mut rng);
            for rule in [Rule::Optuna, Rule::Hyperopt] {
                mixture.fit(&mut axis, rule, &weights);
                mixture.densities(&axis, &places, &mut found);
                let parzen = match rule {
                    Rule::Optuna => Parzen::optuna(&[scale], std::slice::from_ref(&members)),
                    Rule::Hyperopt => Parzen::hyperopt(scale, &members),
                };
                for (density, u) in found.iter().zip(places.coordinates()) {
                    let expected = parzen.log_density(&[*u]);
                    let off = libm::log(*density) - expected;
                    assert!(off.abs() < 1e-10, "{scale:?} {rule:?} {count} at {u}: {off:e}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 2_000, "{compared}");
}

#[test]
fn ratios_of_several_parameters_are_those_of_the_definition() {
    let mut rng = Stream::new(6, 0, "joint");
    let mut axes: Vec<Axis> = SCALES.iter().map(|scale| axis(*scale)).collect();
    let mut observed = vec![Vec::new(); SCALES.len()];
    let mut joints = [Joint::default(), Joint::default()];
    let mut found = [Vec::new(), Vec::new()];
    for count in [0, 1, 2, 5, 40, 150] {
        for ((axis, observed), scale) in axes.iter_mut().zip(&mut observed).zip(SCALES) {
            for u in drawn(scale, count - observed.len(), &mut rng) {
                axis.observe(Some(u));
                observed.push(u);
            }
        }
        let weights = weights(count);
        let all = forgetting_weights(count);
        let mut columns = Columns::default();
        columns.reset(11, SCALES.len());
        for (at, scale) in SCALES.into_iter().enumerate() {
            for (point, u) in drawn(scale, 11, &mut rng).into_iter().enumerate() {
                columns.set(point, at, u);
            }
        }
        let mut axes: Vec<&mut Axis> = axes.iter_mut().collect();
        for ((joint, found), weights) in joints.iter_mut().zip(&mut found).zip([&weights, &all]) {
            joint.fit(&mut axes, weights);
            joint.relative_densities(&axes, &columns, found);
        }
        let of = |weights: &[f64]| -> Parzen {
            let members: Vec<Vec<f64>> = observed.iter().map(|o| of_members(o, weights)).collect();
            Parzen::optuna(&SCALES, &members)
        };
        let (some, every) = (of(&weights), of(&all));
        let [l, g] = &found;
        for (point, (l, g)) in l.iter().zip(g).enumerate().take(columns.count()) {
            let at: Vec<f64> = (0..SCALES.len()).map(|d| columns.get(point, d)).collect();
            let expected = some.log_density(&at) - every.log_density(&at);
            let off = libm::log(l / g) - expected;
            assert!(off.abs() < 1e-10, "{count}, point {point}: {off:e}");
        }
    }
}

/// The chi-squared statistic of `draws` in 20 bins (or choices) against the definition's density.
fn statistic(scale: Scale, draws: &[f64], parzen: &Parzen) -> f64 {
    const BINS: usize = 20;
    let mut counts = [0.0; BINS];
    let mut expected = [0.0; BINS];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..1")]
    let bin = |u: f64| ((u * 20.0) as usize).min(BINS - 1);
    for u in draws {
        counts[bin(*u)] += 1.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "few draws")]
    let all = draws.len() as f64;
    let steps = 20_000;
    for step in 0..steps {
        let u = (f64::from(step) + 0.5) / f64::from(steps);
        let share = libm::exp(parzen.log_density(&[u])) / f64::from(steps);
        let bins = match scale {
            Scale::Real => 1.0,
            Scale::Even { count } => count,
            Scale::Choices { count } => f64::from(u32::try_from(count).unwrap()),
            Scale::Logarithmic { .. } => panic!("bins of unequal width"),
        };
        expected[bin(scale.settled(u))] += share * bins * all;
    }
    let cells = counts.iter().zip(expected).filter(|(_, expected)| *expected > 5.0);
    cells.map(|(count, expected)| (count - expected) * (count - expected) / expected).sum()
}

#[test]
fn draws_are_as_frequent_as_the_definition_says() {
    // At most 19 degrees of freedom: the 0.999 quantile of chi-squared is 43.8.
    let mut rng = Stream::new(7, 0, "mixture");
    for scale in [Scale::Real, Scale::Even { count: 9.0 }, Scale::Choices { count: 3 }] {
        let mut axis = axis(scale);
        let observed = drawn(scale, 12, &mut rng);
        for u in &observed {
            axis.observe(Some(*u));
        }
        for (rule, parzen) in [
            (Rule::Optuna, Parzen::optuna(&[scale], std::slice::from_ref(&observed))),
            (Rule::Hyperopt, Parzen::hyperopt(scale, &observed)),
        ] {
            let mut mixture = Mixture::default();
            mixture.fit(&mut axis, rule, &[1.0; 12]);
            let draws: Vec<f64> = (0..20_000).map(|_| mixture.draw(&axis, rng.random())).collect();
            let found = statistic(scale, &draws, &parzen);
            assert!(found < 43.8, "{scale:?} {rule:?}: {found}");
            let prior = Parzen::optuna(&[scale], &[Vec::new()]);
            assert!(statistic(scale, &draws, &prior) > 43.8, "the prior alone goes unnoticed");
        }
        let mut joint = Joint::default();
        let mut axes = [&mut axis];
        joint.fit(&mut axes, &[1.0; 12]);
        let mut draws = Vec::new();
        for _ in 0..20_000 {
            joint.draw(&axes, &mut rng, |_, u| draws.push(u));
        }
        let parzen = Parzen::optuna(&[scale], std::slice::from_ref(&observed));
        assert!(statistic(scale, &draws, &parzen) < 43.8, "{scale:?}, jointly");
    }
}
