//! Time of one extrapolated learning curve: `cargo bench --bench curves [-- CURVES]`, the posterior
//! at 100 walkers and 2,500 steps and the Laplace approximation, of beginnings of 4 to 27 epochs of
//! noisy curves with 30, and of taking one that is there. Prints a line a length and a hash of what
//! came out, which must not change with the speed. Without `--bench`, as `cargo test` runs it, a
//! short run only shows that it works.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use curvebook::base::elementary::exp;
use curvebook::base::rng::Stream;
use curvebook::base::units::{ConfigId, Epoch};
use curvebook::methods::surrogates::curves::{
    CurveAt, Extrapolation, Model, Prefix, Sampling, Shelf,
};
use rand::RngExt;
use sha2::{Digest, Sha256};

const EPOCHS: u16 = 30;

/// A curve that rises to between 0.5 and 0.95, with noise.
fn curve(number: u32, epochs: u16) -> Prefix {
    let mut rng = Stream::new(0, u64::from(number), "bench-curves");
    let (end, rate) = (0.5 + 0.45 * rng.random::<f64>(), 0.05 + 0.6 * rng.random::<f64>());
    let values = (1..=epochs).map(|epoch| {
        let noise: f64 = rng.random::<f64>() - 0.5;
        (epoch, end - (end - 0.1) * exp(-rate * f64::from(epoch)) + 0.03 * noise)
    });
    Prefix::new(values, EPOCHS)
}

fn note(found: Option<&Extrapolation>, into: &mut String) {
    let bits = found.map_or(0, |found| found.probability_above(0.8).to_bits());
    write!(into, "{bits:x} ").expect("writing into a String does not fail");
}

fn main() {
    let is_quick = !std::env::args().any(|a| a == "--bench");
    let count: Option<u32> = std::env::args().find_map(|a| a.parse().ok());
    let count = if is_quick { 1 } else { count.unwrap_or(10).max(1) };
    let steps = if is_quick { 30 } else { 2_500 };
    let burn_in = steps / 5;
    let posterior = Model::Posterior(Sampling { steps, burn_in, ..Sampling::default() });
    let mut all = String::new();
    for (name, model) in [("posterior", posterior), ("laplace", Model::Laplace)] {
        for epochs in [4, 6, 9, 12, 15, 18, 21, 24, 27] {
            let prefixes: Vec<Prefix> = (0..count).map(|number| curve(number, epochs)).collect();
            let mut milliseconds: Vec<f64> = Vec::new();
            for prefix in &prefixes {
                let start = Instant::now();
                let found = model.extrapolate(prefix);
                milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
                note(found.as_ref(), &mut all);
            }
            milliseconds.sort_by(f64::total_cmp);
            println!(
                "{name:>9}, {epochs:>2} epochs: median {:.3} ms, {:.3} to {:.3}",
                milliseconds[milliseconds.len() / 2],
                milliseconds[0],
                milliseconds[milliseconds.len() - 1],
            );
        }
    }
    let shelf = Shelf::default();
    let at = |config| CurveAt { config: ConfigId(config), curve_repeat: 0, epoch: Epoch(9) };
    let kept = if is_quick { 10 } else { 10_000 };
    let one = Model::Laplace.extrapolate(&curve(0, 9));
    (0..kept).for_each(|config| shelf.put(at(config), one.clone()));
    let start = Instant::now();
    for config in 0..kept {
        let found = shelf.get(at(config), || panic!("it is there"));
        black_box(found.map(|found| found.probability_above(0.8)));
    }
    println!(
        "one of {kept} that are there: {:.3} us",
        start.elapsed().as_secs_f64() * 1e6 / f64::from(kept)
    );
    let hash = Sha256::digest(all.as_bytes());
    println!("extrapolations {:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
}
