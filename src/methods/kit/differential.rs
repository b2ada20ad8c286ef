//! The operators of differential evolution (Storn & Price, Journal of Global Optimization 11, 1997)
//! as DEHB's code has them: `rand1_bin`, and a uniform draw for each gene outside of 0..1.

use base::rng::Stream;
use rand::RngExt;

use crate::kit::draws::{index, uniform_open};

/// `a + factor (b - c)`; a gene that one of them lacks is missing.
pub fn mutant([a, b, c]: [&[f64]; 3], factor: f64) -> Vec<f64> {
    a.iter().zip(b).zip(c).map(|((a, b), c)| a + factor * (b - c)).collect()
}

/// The genes of the mutant, each with probability `rate`, the others from the target; where that
/// leaves none of the mutant, one gene of it at a uniform place.
pub fn crossed(target: &[f64], mutant: &[f64], rate: f64, stream: &mut Stream) -> Vec<f64> {
    let mut takes: Vec<bool> = target.iter().map(|_| stream.random::<f64>() < rate).collect();
    if !takes.contains(&true) {
        takes[index(stream, target.len())] = true;
    }
    let pairs = target.iter().zip(mutant).zip(takes);
    pairs.map(|((target, mutant), takes)| if takes { *mutant } else { *target }).collect()
}

/// Draws every gene outside of 0..1 anew, and every one that is missing.
pub fn repaired(mut genome: Vec<f64>, stream: &mut Stream) -> Vec<f64> {
    for gene in genome.iter_mut().filter(|gene| !(0.0..=1.0).contains(*gene)) {
        *gene = uniform_open(stream);
    }
    genome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_those_of_the_paper() {
        let nan = f64::NAN;
        let found = mutant([&[0.5, 0.25, nan], &[0.75, 0.5, 0.1], &[0.25, 0.75, 0.2]], 0.5);
        assert_eq!(found[..2], [0.75, 0.125]);
        assert!(found[2].is_nan());
        let mut stream = Stream::new(1, 0, "differential");
        let fixed = repaired(vec![0.5, 1.5, nan, -0.1, 1.0, 0.0], &mut stream);
        assert!(fixed.iter().all(|gene| (0.0..=1.0).contains(gene)));
        assert_eq!([fixed[0], fixed[4], fixed[5]], [0.5, 1.0, 0.0]);
        // Where none is taken, one is, and all are taken where the rate is 1.
        for _ in 0..50 {
            let one = crossed(&[0.0; 4], &[1.0; 4], 0.0, &mut stream);
            assert_eq!(one.iter().sum::<f64>(), 1.0);
            assert_eq!(crossed(&[0.0; 4], &[1.0; 4], 1.0, &mut stream), [1.0; 4]);
        }
    }
}
