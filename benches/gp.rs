//! Time of one decision of `gp:fit=map`: `cargo bench --bench gp [-- DECISIONS [ROWS]]`, 9 columns,
//! tables of 2,000 and 20,000 rows, from 50 and from 200 observations on: the climb to the most
//! probable parameters from those of the decision before, and the search for the row. Prints a line
//! a case and a hash of all rows chosen, which must not change with the speed.
//! Without `--bench`, as `cargo test` runs it, a short run only shows that it works.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use curvebook::base::rng::Stream;
use curvebook::methods::kit::rows::Rows;
use curvebook::methods::surrogates::gaussian_process::likelihood::most_probable;
use curvebook::methods::surrogates::gaussian_process::pool::{Belief, Criterion, PoolSearch};
use curvebook::methods::surrogates::gaussian_process::{
    Distance, GaussianProcess, Hyperparameters, Inputs, Shape,
};
use rand::RngExt;
use sha2::{Digest, Sha256};

const FEATURES: usize = 9;

/// A smooth loss in coordinates of unequal weight.
struct Problem {
    rows: Inputs,
    losses: Vec<f64>,
}

fn problem(rows: usize) -> Problem {
    let mut rng = Stream::new(0, 0, "bench-gp");
    let mut points = Inputs::new(&[Distance::Difference; FEATURES]);
    let mut losses = Vec::new();
    for _ in 0..rows {
        let point: [f64; FEATURES] = std::array::from_fn(|_| rng.random());
        let terms = point.iter().zip(1_u8..).map(|(x, weight)| {
            let distance: f64 = x - 0.4;
            distance * distance / f64::from(weight)
        });
        losses.push(terms.sum::<f64>() + 0.02 * rng.random::<f64>());
        points.push(&point);
    }
    Problem { rows: points, losses }
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

/// Observes random rows and then those that the model chooses, and times the last `decisions`.
fn measure(
    problem: &Problem,
    threads: usize,
    observations: usize,
    decisions: usize,
    rows_chosen: &mut String,
) -> Vec<Duration> {
    let mut free = Free(vec![true; problem.losses.len()]);
    let (mut known, mut elapsed) = (Vec::new(), Vec::new());
    let mut hyper = Hyperparameters::unit(FEATURES);
    let mut next = 0;
    // Eight decisions with a model come before those that are timed, as in the middle of a run.
    let random = observations - 8;
    for count in 1..=observations + decisions {
        free.0[next as usize] = false;
        known.push(next);
        if count <= random {
            next = u32::try_from(count).expect("hundreds");
            continue;
        }
        let start = Instant::now();
        let losses: Vec<f64> = known.iter().map(|row| problem.losses[*row as usize]).collect();
        let (n, total) = (losses.len(), losses.iter().sum::<f64>());
        #[expect(clippy::cast_precision_loss, reason = "hundreds")]
        let mean = total / n as f64;
        let squares: f64 = losses.iter().map(|loss| (loss - mean) * (loss - mean)).sum();
        #[expect(clippy::cast_precision_loss, reason = "hundreds")]
        let deviation = (squares / n as f64).sqrt();
        let losses: Vec<f64> = losses.iter().map(|loss| (loss - mean) / deviation).collect();
        let inputs = problem.rows.select(&known);
        let shape = Shape::Matern52;
        hyper = most_probable(shape, &inputs, &losses, &hyper, 1e-2);
        let process = GaussianProcess::new(shape, hyper.clone(), inputs, &losses);
        let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let belief = [Belief::of(process.expect("a posterior"), best, 1e-12)];
        let search = PoolSearch::new(&problem.rows, &belief, Criterion::ExpectedImprovement);
        next = search.best(&free, threads).expect("rows");
        if count > observations {
            elapsed.push(start.elapsed());
            write!(rows_chosen, "{next} ").expect("writing into a String does not fail");
        }
    }
    elapsed
}

fn main() {
    let arguments: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let is_quick = !std::env::args().any(|a| a == "--bench");
    let decisions = if is_quick { 1 } else { arguments.first().copied().unwrap_or(20) };
    let only = arguments.get(1).copied();
    let mut rows_chosen = String::new();
    let all = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for rows in [2_000, 20_000] {
        if only.is_some_and(|only| only != rows) || (is_quick && rows > 2_000) {
            continue;
        }
        let problem = problem(rows);
        for observations in [50, 200] {
            let mut threads = vec![1, all];
            threads.dedup();
            for threads in threads {
                let mut elapsed =
                    measure(&problem, threads, observations, decisions, &mut rows_chosen);
                elapsed.sort();
                let milliseconds = |at: usize| elapsed[at].as_secs_f64() * 1e3;
                println!(
                    "{rows:>6} rows, {observations:>3} observations, {threads} threads: median \
                     {:.1} ms a decision, {:.1} to {:.1}",
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
