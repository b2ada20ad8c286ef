//! Random search against its exact law.

use curvebook::replay::Settings;

use crate::replay_common::{accuracy, grid, rows_of, run_grid, unit_cost_pool};

const ROWS: u32 = 60;
const GOAL_ROWS: u32 = 4;
const REPEATS: u32 = 20_000;

fn choose(n: u32, k: u32) -> f64 {
    (0..k).map(|i| f64::from(n - i) / f64::from(i + 1)).product()
}

/// Trials until the first of `k` rows among `N` drawn without replacement follow the negative
/// hypergeometric law P(T = t) = C(N - t, k - 1) / C(N, k), with the mean (N + 1) / (k + 1).
#[test]
fn trials_to_goal_follow_the_negative_hypergeometric_law() {
    let curves: Vec<[f64; 1]> =
        (0..ROWS).map(|row| [if row % 17 == 3 { 0.9 } else { 0.1 }]).collect();
    let curves: Vec<&[f64]> = curves.iter().map(|curve| &curve[..]).collect();
    let pool = unit_cost_pool(&accuracy(None), 1, &curves);
    let grid = grid("random", &["none"], &["rank:4"], REPEATS, &Settings::default());
    let rows = rows_of(run_grid(&grid, &pool, 2).unwrap());
    let mut counts = vec![0_u32; ROWS as usize + 1];
    for row in &rows {
        assert_eq!(row.goal_rows, GOAL_ROWS);
        let trials = row.trials_to_goal.expect("a goal row is always found in the end");
        assert_eq!(row.time_to_goal_s, Some(f64::from(trials) / 1e9));
        counts[trials as usize] += 1;
    }
    assert_eq!(counts.iter().sum::<u32>(), REPEATS);

    // The last cells are joined until each expects five.
    let last = ROWS - GOAL_ROWS + 1;
    let (mut chi_square, mut cells) = (0.0, 0_u32);
    let (mut expected, mut observed, mut total) = (0.0, 0.0, 0.0);
    for t in (1..=last).rev() {
        let probability = choose(ROWS - t, GOAL_ROWS - 1) / choose(ROWS, GOAL_ROWS);
        total += probability;
        expected += probability * f64::from(REPEATS);
        observed += f64::from(counts[t as usize]);
        if expected >= 5.0 {
            chi_square += (observed - expected) * (observed - expected) / expected;
            cells += 1;
            (expected, observed) = (0.0, 0.0);
        }
    }
    assert!((total - 1.0).abs() < 1e-12 && cells > 40, "{total} {cells}");
    assert_eq!((expected, observed), (0.0, 0.0), "every count is in a cell");
    // The 99.9 % point of chi-square by Wilson and Hilferty, good to 0.1 at this many degrees.
    let degrees = f64::from(cells - 1);
    let spread = 2.0 / (9.0 * degrees);
    let critical = degrees * (1.0 - spread + 3.0902 * spread.sqrt()).powi(3);
    assert!(chi_square < critical, "{chi_square} is not below {critical} ({cells} cells)");

    let [n, k] = [ROWS, GOAL_ROWS].map(f64::from);
    let mean = (1..=last).map(|t| f64::from(t) * f64::from(counts[t as usize])).sum::<f64>()
        / f64::from(REPEATS);
    let variance = k * (n + 1.0) * (n - k) / ((k + 1.0) * (k + 1.0) * (k + 2.0));
    let deviation = (variance / f64::from(REPEATS)).sqrt();
    let wanted = (n + 1.0) / (k + 1.0);
    assert!((mean - wanted).abs() < 3.29 * deviation, "{mean}, not {wanted} +- {deviation}");
}
