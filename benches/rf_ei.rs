//! Time of one RF-EI decision: `cargo bench --bench rf_ei [-- DECISIONS [ROWS] [nested|fresh]]`,
//! 50 trees, 9 features, tables of 2,000 and 20,000 rows, from 50 and from 200
//! observations on: what one more observation costs, from its value to the next row. Prints a line
//! a case and a hash of all rows chosen, which must not change with the speed.
//! `benches/peers/rf_ei_scikit_learn.py` does the same with scikit-learn. Without `--bench`, as
//! `cargo test` runs it, a short run only shows that it works.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use curvebook::base::rng::Stream;
use curvebook::methods::kit::encoding::Ranks;
use curvebook::methods::kit::rows::{RowSearch, Rows};
use curvebook::methods::surrogates::expected_improvement::Bounds;
use curvebook::methods::surrogates::forest::{Forest, Observation};
use curvebook::methods::surrogates::forest_improvement::ForestImprovement;
use rand::RngExt;
use sha2::{Digest, Sha256};

const FEATURES: usize = 9;
const TREES: usize = 50;

/// A smooth loss in coordinates of unequal weight.
struct Problem {
    columns: Arc<Ranks>,
    losses: Vec<f64>,
}

fn problem(rows: usize) -> Problem {
    let mut rng = Stream::new(0, 0, "bench-rf-ei");
    let features: Vec<Vec<f64>> =
        (0..FEATURES).map(|_| (0..rows).map(|_| rng.random()).collect()).collect();
    let losses = (0..rows).map(|row| {
        let terms = features.iter().zip(1_u8..).map(|(feature, weight)| {
            let distance: f64 = feature[row] - 0.4;
            distance * distance / f64::from(weight)
        });
        terms.sum::<f64>() + 0.02 * rng.random::<f64>()
    });
    let losses = losses.collect();
    Problem { columns: Arc::new(Ranks::new(&features)), losses }
}

/// The rows not yet taken, in the table's order.
struct Free(Vec<bool>);

impl Rows for Free {
    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).expect("thousands")
    }

    fn is_free(&self, row: u32) -> bool {
        self.0[row as usize]
    }

    fn position(&self, row: u32) -> u32 {
        row
    }
}

/// Chooses rows until `observations` are known, and then times `decisions` more.
fn measure(
    problem: &Problem,
    threads: usize,
    is_nested: bool,
    observations: usize,
    decisions: usize,
    rows_chosen: &mut String,
) -> Vec<Duration> {
    let mut rng = Stream::new(1, 0, "bench-rf-ei");
    let mut forest = Forest::shared(Arc::clone(&problem.columns), TREES, 2, threads);
    let bounds = Bounds::new();
    let mut search = RowSearch::new();
    let mut free = Free(vec![true; problem.losses.len()]);
    let mut known = Vec::new();
    let mut next = 0;
    let mut elapsed = Vec::new();
    // Untimed decisions are nested: what is known then does not depend on the case.
    for count in 1..=observations + decisions {
        free.0[next as usize] = false;
        known.push(Observation { row: next, target: problem.losses[next as usize] });
        let start = Instant::now();
        if count == 1 || (!is_nested && count > observations) {
            forest.fit(&known, &mut rng);
        } else {
            forest.extend(known[count - 1], &mut rng);
        }
        let improvement = ForestImprovement::new(&forest, &bounds);
        next = search.best_bounded(&free, &improvement).expect("rows");
        if count > observations {
            elapsed.push(start.elapsed());
            write!(rows_chosen, "{next} ").expect("writing into a String does not fail");
        }
    }
    elapsed
}

/// Observations and threads: one, and all there are, which a decision gets where a single run is
/// replayed.
fn cases() -> impl Iterator<Item = (usize, usize)> {
    let all = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut threads = vec![1, all];
    threads.dedup();
    [50, 200].into_iter().flat_map(move |observations| {
        threads.clone().into_iter().map(move |threads| (observations, threads))
    })
}

fn main() {
    let arguments: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let decisions = arguments.first().copied().unwrap_or(20);
    let only = arguments.get(1).copied();
    let is_quick = !std::env::args().any(|a| a == "--bench");
    let decisions = if is_quick { 2 } else { decisions };
    let mut rows_chosen = String::new();
    for rows in [2_000, 20_000] {
        if only.is_some_and(|only| only != rows) || (is_quick && rows > 2_000) {
            continue;
        }
        let problem = problem(rows);
        for (is_nested, name) in [(true, "nested"), (false, "fresh")] {
            if std::env::args().any(|a| ["nested", "fresh"].contains(&&*a) && a != name) {
                continue;
            }
            for (observations, threads) in cases() {
                let mut elapsed = measure(
                    &problem,
                    threads,
                    is_nested,
                    observations,
                    decisions,
                    &mut rows_chosen,
                );
                elapsed.sort();
                let milliseconds = |at: usize| elapsed[at].as_secs_f64() * 1e3;
                println!(
                    "{name:>6}, {rows:>6} rows, {observations:>3} observations, {threads} threads: \
                     median {:.3} ms a decision, {:.3} to {:.3}",
                    milliseconds(decisions / 2),
                    milliseconds(0),
                    milliseconds(decisions - 1),
                );
            }
        }
    }
    let hash = Sha256::digest(rows_chosen.as_bytes());
    println!("rows {:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
}
