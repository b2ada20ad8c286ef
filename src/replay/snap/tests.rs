use base::rng::Stream;
use base::space::{Condition, Literal, Numbers, Parameter};
use methods::interface::Points;
use methods::kit::draws::{index, uniform_open};
use methods::kit::row_tree::RowTree;

use super::*;

fn parameter(name: &str, domain: Domain) -> Parameter {
    Parameter { name: name.into(), domain, condition: None }
}

fn float(name: &str) -> Parameter {
    parameter(name, Domain::Float { low: 0.0, high: 1.0, log: false })
}

fn int(name: &str, high: i64) -> Parameter {
    parameter(name, Domain::Int { low: 1, high, log: false })
}

fn choices(name: &str, count: usize) -> Parameter {
    let choices = (0..count).map(|at| format!("c{at}")).collect();
    parameter(name, Domain::Categorical { choices })
}

fn points(space: &Space, rows: u32, stream: &mut Stream) -> Points {
    let width = space.parameters.len();
    let coordinates = (0..rows).flat_map(|_| {
        let point: Vec<f64> = (0..width).map(|_| uniform_open(stream)).collect();
        space.to_unit(&space.from_unit(&point))
    });
    Points { width, coordinates: coordinates.collect() }
}

/// What the definition says: a look at every free row, in the repeat's order.
fn by_definition(
    space: &Space,
    points: &Points,
    order: &RowOrder,
    point: &[f64],
) -> Option<(ConfigId, f64)> {
    let target = target(space, point);
    let squared = |row: ConfigId| {
        let mut sum = 0.0;
        for ((a, b), parameter) in points.row(row).iter().zip(&target).zip(&space.parameters) {
            let is_choice = matches!(parameter.domain, Domain::Categorical { .. });
            sum += if is_choice { f64::from(u8::from(a != b)) } else { (a - b) * (a - b) };
        }
        sum
    };
    let mut nearest: Option<(ConfigId, f64)> = None;
    for row in order.free() {
        let found = squared(row);
        if nearest.is_none_or(|(_, least)| found < least) {
            nearest = Some((row, found));
        }
    }
    nearest
}

fn spaces() -> Vec<Vec<Parameter>> {
    let condition = Condition::In { name: "b".into(), values: vec![Literal::Text("c1".into())] };
    let ordinal = parameter("o", Domain::Ordinal { values: Numbers::Int(vec![16, 32, 256]) });
    vec![
        (0..9).map(|at| float(&format!("x{at}"))).collect(),
        // Few values: most distances are equal to others.
        vec![int("a", 3), choices("b", 3), Parameter { condition: Some(condition), ..float("c") }],
        vec![int("a", 4), int("b", 4), ordinal, choices("d", 2), float("e")],
        vec![int("a", 1)],
        vec![choices("a", 5), choices("b", 2)],
    ]
}

#[test]
fn the_tree_finds_what_a_look_at_every_row_finds() {
    let mut compared = 0;
    for (case, parameters) in (0..).zip(spaces()) {
        let space = Space::new("test", "parameter", "snap".into(), parameters).unwrap();
        for rows in [1, 2, 13, 60, 400, 900] {
            let mut stream = Stream::new(case, u64::from(rows), "snap");
            let points = points(&space, rows, &mut stream);
            let tree = RowTree::new(&space, &points, rows);
            let all: Vec<u32> = (0..rows).collect();
            let mut order = RowOrder::empty();
            let mut free = FreeCounts::default();
            for repeat in 0..2 {
                order.begin(rows, 3, repeat);
                free.begin();
                // Some are taken before the first point is proposed.
                for _ in 0..rows / 5 {
                    let row = order.first_free().unwrap();
                    order.take(row);
                    free.take(Some(&tree), row);
                }
                while order.has_free() {
                    let mut point: Vec<f64> =
                        points.row(ConfigId(all[index(&mut stream, all.len())])).to_vec();
                    // At a row, near it, or out of the cube.
                    let reach = [0.0, 0.1, 2.0][index(&mut stream, 3)];
                    for u in &mut point {
                        *u += reach * (uniform_open(&mut stream) - 0.5);
                    }
                    let expected = by_definition(&space, &points, &order, &point);
                    free.prepare(&tree, &order);
                    let found = tree.nearest(&target(&space, &point), &order, &free);
                    assert_eq!(found, expected, "space {case}, {rows} rows");
                    compared += 1;
                    let row = found.unwrap().0;
                    order.take(row);
                    free.take(Some(&tree), row);
                }
                free.prepare(&tree, &order);
                assert_eq!(tree.nearest(&vec![0.5; points.width], &order, &free), None);
            }
        }
    }
    assert!(compared > 10_000, "{compared}");
}
