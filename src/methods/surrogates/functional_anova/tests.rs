#![expect(clippy::cast_precision_loss, reason = "small numbers")]

use base::rng::Stream;
use base::space::{Condition, Domain, Literal, Parameter, Value};
use serde_json::Value as Json;

use super::super::forest::plain::PlainNode;
use super::*;

fn number(json: &Json) -> f64 {
    json.as_f64().expect("a number")
}

fn list(json: &Json) -> &[Json] {
    json.as_array().expect("a list")
}

fn index(json: &Json) -> usize {
    usize::try_from(json.as_u64().expect("a position")).unwrap()
}

fn pair(json: &Json) -> (usize, usize) {
    (index(&json[0]), index(&json[1]))
}

/// Holds a number of the reference to 1e-10 of a scale.
#[track_caller]
fn assert_near(found: f64, expected: f64, scale: f64) {
    assert!((found - expected).abs() <= 1e-10 * scale, "found {found:e}, expected {expected:e}");
}

fn tree_of(json: &Json) -> PlainTree {
    let node = |node: &Json| match list(node) {
        [value] => PlainNode::Leaf(number(value)),
        [feature, threshold, left, right] => PlainNode::Split {
            feature: index(feature),
            threshold: number(threshold),
            left: index(left),
            right: index(right),
        },
        other => panic!("no node: {other:?}"),
    };
    PlainTree { nodes: list(&json["nodes"]).iter().map(node).collect() }
}

#[test]
fn scikit_learns_trees_come_apart_as_optuna_takes_them() {
    let text = include_str!("../../../../tests/golden/surrogates/functional_anova.json");
    let cases: Json = serde_json::from_str(text).unwrap();
    let mut joints = 0;
    for case in list(&cases) {
        let ends = list(&case["bounds"]).iter().map(|ends| (number(&ends[0]), number(&ends[1])));
        let bounds: Vec<(f64, f64)> = ends.collect();
        let pairs: Vec<(usize, usize)> = list(&case["pairs"]).iter().map(pair).collect();
        let trees: Vec<PlainTree> = list(&case["trees"]).iter().map(tree_of).collect();
        let whole = FunctionalAnova::of_trees(&trees, &bounds);
        let shares = whole.mains().unwrap();
        for (share, expected) in shares.iter().zip(list(&case["importances"])) {
            assert_near(share.mean, number(&expected["mean"]), 1.0);
            assert_near(share.deviation, number(&expected["deviation"]), 1.0);
        }
        for (tree, expected) in trees.iter().zip(list(&case["trees"])) {
            let boxes = Boxes::new(tree, &bounds);
            let variance = number(&expected["variance"]);
            assert_near(boxes.variance, variance, variance);
            assert_near(boxes.mean, number(&expected["mean"]), 1.0);
            for (feature, main) in list(&expected["mains"]).iter().enumerate() {
                assert_near(boxes.main_variance(feature), number(main), variance);
            }
            for (&(first, second), joint) in pairs.iter().zip(list(&expected["joint"])) {
                for (rows, columns) in [(first, second), (second, first)] {
                    let sweep = Sweep::new(&boxes, rows);
                    let found = joint_variance(&boxes, &sweep, rows, columns);
                    assert_near(found, number(joint), variance);
                }
                joints += 1;
            }
            let alone = FunctionalAnova::of_trees(std::slice::from_ref(tree), &bounds);
            for marginal in list(&expected["marginals"]) {
                let at: Vec<f64> = list(&marginal["at"]).iter().map(number).collect();
                let found = match list(&marginal["features"]) {
                    [feature] => alone.marginal(index(feature), &at)[0].mean,
                    [first, second] => {
                        let pair = (index(first), index(second));
                        alone.surface(pair, (&at[..1], &at[1..]))[0]
                    }
                    other => panic!("no features: {other:?}"),
                };
                assert_near(found, number(&marginal["value"]), 1.0);
            }
        }
    }
    assert_eq!(joints, 4 * 3 + 3 * 6 + 3);
}

/// A tree that divides the unit square at every k / `bins` and predicts `value` of a cell's
/// position.
fn lattice(bins: usize, value: impl Fn(usize, usize) -> f64) -> PlainTree {
    let mut nodes = vec![PlainNode::Leaf(0.0)];
    let mut open = vec![(0, 0..bins, 0..bins)];
    while let Some((at, rows, columns)) = open.pop() {
        let (feature, range) =
            if rows.len() > 1 { (0, rows.clone()) } else { (1, columns.clone()) };
        if range.len() == 1 {
            nodes[at] = PlainNode::Leaf(value(rows.start, columns.start));
            continue;
        }
        let (left, middle) = (nodes.len(), usize::midpoint(range.start, range.end));
        let threshold = middle as f64 / bins as f64;
        nodes.extend([PlainNode::Leaf(0.0); 2]);
        nodes[at] = PlainNode::Split { feature, threshold, left, right: left + 1 };
        for (child, part) in [(left, range.start..middle), (left + 1, middle..range.end)] {
            let (rows, columns) =
                if feature == 0 { (part, columns.clone()) } else { (rows.clone(), part) };
            open.push((child, rows, columns));
        }
    }
    PlainTree { nodes }
}

#[test]
fn sums_have_main_effects_and_products_an_interaction() {
    let at = |bin: usize| (bin as f64 + 0.5) / 40.0;
    let unit = [(0.0, 1.0); 2];
    // The variance of the middles of n bins is (1 - 1 / n^2) / 12: it cancels in the shares.
    let sum = FunctionalAnova::of_trees(&[lattice(40, |i, j| 3.0 * at(i) + at(j))], &unit);
    let mains = sum.mains().unwrap();
    assert_near(mains[0].mean, 0.9, 1.0);
    assert_near(mains[1].mean, 0.1, 1.0);
    assert_near(sum.variance().mean, 10.0 * (1.0 - 1.0 / 1600.0) / 12.0, 1.0);
    assert_near(sum.interactions(&[(0, 1)]).unwrap()[0].mean, 0.0, 1.0);
    assert_near(sum.marginal(0, &[0.51])[0].mean, 3.0 * at(20) + 0.5, 1.0);
    let surface = sum.surface((1, 0), (&[0.0, 0.26, 1.0], &[0.1, 0.9]));
    for (found, (first, second)) in
        surface.iter().zip([(0, 3), (0, 35), (10, 3), (10, 35), (39, 3), (39, 35)])
    {
        assert_near(*found, at(first) + 3.0 * at(second), 1.0);
    }

    let centred = |bin: usize| at(bin) - 0.5;
    let product = FunctionalAnova::of_trees(&[lattice(40, |i, j| centred(i) * centred(j))], &unit);
    assert_near(product.mains().unwrap()[0].mean, 0.0, 1.0);
    assert_near(product.interactions(&[(0, 1)]).unwrap()[0].mean, 1.0, 1.0);
    // (1/2 + x)(1/2 + y) has V_0 = V_1 = v / 4 and V_01 = v^2, v the variance of a coordinate.
    let both = FunctionalAnova::of_trees(&[lattice(40, |i, j| at(i) * at(j))], &unit);
    let v = (1.0 - 1.0 / 1600.0) / 12.0;
    let total = v / 2.0 + v * v;
    assert_near(both.mains().unwrap()[1].mean, v / 4.0 / total, 1.0);
    assert_near(both.interactions(&[(1, 0)]).unwrap()[0].mean, v * v / total, 1.0);
}

#[test]
fn shares_are_means_over_the_trees_that_vary() {
    let unit = [(0.0, 1.0); 2];
    let trees = [
        lattice(2, |i, _| i as f64),
        lattice(2, |_, j| j as f64),
        lattice(2, |_, _| 7.0),
        lattice(2, |i, _| -5.0 * i as f64),
    ];
    let anova = FunctionalAnova::of_trees(&trees, &unit);
    let mains = anova.mains().unwrap();
    assert_near(mains[0].mean, 2.0 / 3.0, 1.0);
    assert_near(mains[0].deviation, (2.0_f64 / 9.0).sqrt(), 1.0);
    // All four trees predict.
    assert_near(anova.mean().mean, (0.5 + 0.5 + 7.0 - 2.5) / 4.0, 1.0);
    let flat = FunctionalAnova::of_trees(&trees[2..3], &unit);
    assert_eq!((flat.mains(), flat.interactions(&[(0, 1)])), (None, None));
    assert_eq!(flat.marginal(1, &[0.3])[0], OverTrees { mean: 7.0, deviation: 0.0 });
}

fn parameter(name: &str, domain: Domain) -> Parameter {
    Parameter { name: name.into(), domain, condition: None }
}

/// A logarithmic rate, an int, a choice, and a momentum that only the third choice has; another
/// parameter of a single value.
fn mixed_space() -> Space {
    let choices = ["adam", "adagrad", "sgd"].map(String::from).to_vec();
    let condition =
        Condition::In { name: "optimizer".into(), values: vec![Literal::Text("sgd".into())] };
    let parameters = vec![
        parameter("rate", Domain::Float { low: 1e-4, high: 1.0, log: true }),
        parameter("units", Domain::Int { low: 1, high: 4, log: false }),
        parameter("optimizer", Domain::Categorical { choices }),
        Parameter {
            condition: Some(condition),
            ..parameter("momentum", Domain::Float { low: 0.0, high: 1.0, log: false })
        },
        parameter("fixed", Domain::Int { low: 3, high: 3, log: false }),
    ];
    Space::new("test", "parameter", "mixed".into(), parameters).unwrap()
}

/// Rows of the space and targets: `log10(rate) + 2 x [optimizer is sgd]`.
fn mixed_rows(rows: u32) -> (Points, Vec<f64>) {
    let space = mixed_space();
    let configs = (0..rows).map(|row| base::space::sobol::configuration(&space, row, 0));
    let configs: Vec<Vec<Value>> = configs.collect();
    let target = |values: &Vec<Value>| {
        let (Value::Float(rate), Value::Choice(choice)) = (values[0], values[2]) else {
            unreachable!()
        };
        libm::log10(rate) + 2.0 * f64::from(u8::from(choice == 2))
    };
    let targets = configs.iter().map(target).collect();
    let coordinates = configs.iter().flat_map(|values| space.to_unit(values)).collect();
    (Points { width: 5, coordinates }, targets)
}

fn fit(rows: u32, settings: Settings) -> FunctionalAnova {
    let (points, targets) = mixed_rows(rows);
    let mut stream = Stream::new(0, 0, "test");
    FunctionalAnova::fit(&mixed_space(), &points, &targets, settings, &mut stream)
}

#[test]
fn a_forest_finds_what_an_additive_function_is_made_of() {
    let anova = fit(2_000, Settings::default());
    let mains = anova.mains().unwrap();
    // 4 decades have a variance of 16 / 12, the choice one of 2^2 x 2 / 9.
    let total = 16.0 / 12.0 + 8.0 / 9.0;
    let expected = [16.0 / 12.0 / total, 0.0, 8.0 / 9.0 / total, 0.0, 0.0];
    for (share, expected) in mains.iter().zip(expected) {
        assert!((share.mean - expected).abs() < 0.01, "{mains:?}");
    }
    assert!(mains[0].deviation > 0.0 && mains[0].deviation < 0.02);
    assert_eq!(mains[4], OverTrees { mean: 0.0, deviation: 0.0 }, "it tells no row from another");
    let pairs = [(0, 2), (0, 3), (2, 4)];
    let interactions = anova.interactions(&pairs).unwrap();
    assert!(interactions.iter().all(|share| (0.0..0.01).contains(&share.mean)), "{interactions:?}");

    let space = mixed_space();
    let points = grid(&space.parameters[0], 5);
    let at: Vec<f64> = points.iter().map(|point| point.coordinate).collect();
    assert_eq!(at, [0.0, 0.25, 0.5, 0.75, 1.0]);
    for (found, decade) in anova.marginal(0, &at).iter().zip([-4.0, -3.0, -2.0, -1.0, 0.0]) {
        assert!((found.mean - decade - 2.0 / 3.0).abs() < 0.05, "{found:?} at 1e{decade}");
    }
    let choices: Vec<f64> = grid(&space.parameters[2], 5).iter().map(|p| p.coordinate).collect();
    let marginal = anova.marginal(2, &choices);
    for (found, expected) in marginal.iter().zip([-2.0, -2.0, 0.0]) {
        assert!((found.mean - expected).abs() < 0.05, "{marginal:?}");
    }
    // A parameter of one value leaves the other's marginal.
    let surface = anova.surface((2, 4), (&choices, &[0.5]));
    for (joint, alone) in surface.iter().zip(&marginal) {
        assert!((joint - alone.mean).abs() < 1e-12);
    }
    let surface = anova.surface((2, 0), (&choices, &at));
    for (found, expected) in surface
        .iter()
        .zip([-4.0, -3.0, -2.0, -1.0, 0.0, -4.0, -3.0, -2.0, -1.0, 0.0, -2.0, -1.0, 0.0, 1.0, 2.0])
    {
        assert!((found - expected).abs() < 0.1, "{surface:?}");
    }
}

#[test]
fn the_plain_trees_predict_what_the_forest_does() {
    let (points, targets) = mixed_rows(300);
    let encoded = Encoded::new(&mixed_space(), &points, 300, Categorical::Index);
    let mut forest = Forest::new(encoded.ranks().into(), 8, 2);
    let observe = |row: u32| Observation { row, target: targets[row as usize] };
    let seen: Vec<Observation> = (0..200).map(observe).collect();
    forest.fit(&seen, &mut Stream::new(0, 0, "test"));
    let trees = forest.plain_trees();
    for row in 0..300 {
        let point = encoded.row(base::units::ConfigId(row));
        let mean = trees.iter().map(|tree| tree.predict(point)).sum::<f64>() / 8.0;
        assert!((mean - forest.predict(row as usize).mean).abs() < 1e-12);
    }
}

#[test]
fn the_same_rows_have_the_same_shares_at_any_number_of_threads() {
    let settings = Settings { trees: 5, split_min: 4 };
    let shares = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let anova = fit(200, settings);
            let surface = anova.surface((0, 2), (&[0.1, 0.7], &[0.2, 0.6]));
            (anova.mains(), anova.interactions(&[(0, 1), (0, 2)]), surface)
        })
    };
    assert_eq!(shares(1), shares(3));
}

#[test]
fn equal_rows_and_single_rows_have_no_shares() {
    assert_eq!(fit(1, Settings::default()).mains(), None);
    let (points, _) = mixed_rows(20);
    let mut stream = Stream::new(0, 0, "test");
    let settings = Settings::default();
    let flat = FunctionalAnova::fit(&mixed_space(), &points, &[0.1; 20], settings, &mut stream);
    assert_eq!(flat.mains(), None);
    // Targets stand on the forest's grid of 44 bits.
    assert!((flat.mean().mean - 0.1).abs() < 1e-13);
}

#[test]
fn diverged_rows_count_as_chance_or_as_the_worst() {
    let scores = [0.5, f64::NAN, 0.2, f64::NEG_INFINITY];
    assert_eq!(filled(&scores, Some(0.1)), Some(vec![0.5, 0.1, 0.2, 0.1]));
    assert_eq!(filled(&scores, None), Some(vec![0.5, 0.2, 0.2, 0.2]));
    assert_eq!(filled(&[f64::NAN], None), None);
    assert_eq!(filled(&[f64::NAN], Some(-2.3)), Some(vec![-2.3]));
}

#[test]
fn grids_have_every_value_or_spread_ones() {
    let values = |domain: Domain, points_max: usize| -> Vec<Value> {
        grid(&parameter("x", domain), points_max).iter().map(|point| point.value).collect()
    };
    let ints = |values: &[i64]| values.iter().map(|v| Value::Int(*v)).collect::<Vec<_>>();
    let domain = |low, high, log| Domain::Int { low, high, log };
    assert_eq!(values(domain(2, 4, false), 3), ints(&[2, 3, 4]));
    assert_eq!(values(domain(1, 5, true), 9), ints(&[1, 2, 3, 4, 5]));
    assert_eq!(values(domain(1, 100, false), 4), ints(&[13, 38, 63, 88]));
    let logarithmic = values(domain(1, 1024, true), 50);
    assert!(logarithmic.len() < 50 && logarithmic.len() > 30, "small ints stand once");
    assert_eq!(values(domain(7, 7, false), 9), ints(&[7]));
    let ordinal = Domain::Ordinal { values: base::space::Numbers::Int(vec![16, 32, 128]) };
    assert_eq!(values(ordinal, 9), ints(&[16, 32, 128]));
    let choices = vec!["a".to_string(), "b".to_string()];
    let words = values(Domain::Categorical { choices }, 9);
    assert_eq!(words, [Value::Choice(0), Value::Choice(1)]);
    let one = Domain::Float { low: 2.0, high: 2.0, log: false };
    assert_eq!(values(one, 9), [Value::Float(2.0)]);
    let floats = values(Domain::Float { low: -1.0, high: 1.0, log: false }, 3);
    assert_eq!(floats, [-1.0, 0.0, 1.0].map(Value::Float));
}
