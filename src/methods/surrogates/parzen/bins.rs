//! What kernels at the middles of equal bins weigh the bins with.
//!
//! The deviations of such kernels are gaps between observations, so multiples of half a bin, or
//! one of the floors `1 / 2` to `1 / 100`. A table a deviation serves every kernel that has it, in
//! every run: it is filled when it is first asked for.

use std::sync::OnceLock;

use base::stats::normal::survival;

use super::axis::TAIL;
use super::mass_between;

/// More bins have no tables: their kernels are computed one by one.
const BINS_MAX: usize = 1024;

/// Deviations beyond which a kernel has less than 1e-15 of its peak.
pub(super) const REACH: f64 = 8.5;

/// Deviations beyond which even a product of masses does not matter.
const REACH_OF_PRODUCTS: f64 = 38.0;

/// The logarithm of what is too little to matter.
pub(super) const NOTHING: f64 = -1100.0;

type Tables = Vec<OnceLock<Box<[f64]>>>;

/// The tables of one number of bins.
#[derive(Debug)]
pub struct Bins {
    count: f64,
    /// The mass that the prior, a normal distribution around the middle with deviation 1, has in
    /// each bin, and its logarithm to the base 2.
    pub(super) prior: Vec<(f64, f64)>,
    tails: Tables,
    masses: Tables,
    logs: Tables,
}

impl Bins {
    /// Tables for `count` equal bins of 0..1; `None` of too many.
    #[expect(clippy::cast_precision_loss, reason = "at most 1024")]
    pub fn new(count: usize) -> Option<Self> {
        if count > BINS_MAX {
            return None;
        }
        let edge = |at: usize| at as f64 / count as f64 - 0.5;
        let prior = (0..count).map(|at| {
            let mass = mass_between(edge(at), edge(at + 1));
            (mass, libm::log2(mass))
        });
        let prior = prior.collect();
        // Halves of a bin up to twice the cube, then the floors.
        let empty = || (0..=2 * count + 101).map(|_| OnceLock::new()).collect();
        Some(Self { count: count as f64, prior, tails: empty(), masses: empty(), logs: empty() })
    }

    /// What a kernel in the middle of a bin would have below 0 and above 1.
    pub(super) fn tails(&self, deviation: f64, centre: f64) -> (f64, f64) {
        let bin = 1.0 / (deviation * self.count);
        let places = (0_u32..).map(|at| (f64::from(at) + 0.5) * bin).take_while(|z| *z < TAIL);
        let tails =
            self.tails[self.place(deviation)].get_or_init(|| places.map(survival).collect());
        let tail = |bins: usize| tails.get(bins).copied().unwrap_or(0.0);
        let at = self.of(centre);
        (tail(at), tail(self.prior.len() - 1 - at))
    }

    /// The mass of bins by how many bins they are away; those beyond the end have none.
    pub(super) fn masses(&self, deviation: f64) -> &[f64] {
        let table = &self.masses[self.place(deviation)];
        table.get_or_init(|| self.table(deviation, REACH).collect())
    }

    /// Their logarithms to the base 2, much further out; those beyond the end have [`NOTHING`].
    pub(super) fn logs(&self, deviation: f64) -> &[f64] {
        let table = &self.logs[self.place(deviation)];
        let log = |mass: f64| if mass > 0.0 { libm::log2(mass) } else { NOTHING };
        table.get_or_init(|| self.table(deviation, REACH_OF_PRODUCTS).map(log).collect())
    }

    /// Half the width of a bin.
    pub(super) fn half(&self) -> f64 {
        0.5 / self.count
    }

    /// Which bin a coordinate is in.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below the number of bins"
    )]
    pub(super) fn of(&self, u: f64) -> usize {
        (u * self.count).floor().clamp(0.0, self.count - 1.0) as usize
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "twice the bins at most, or a hundred"
    )]
    fn place(&self, deviation: f64) -> usize {
        let halves = deviation * 2.0 * self.count;
        let whole = libm::rint(halves);
        if (halves - whole).abs() < 1e-6 {
            return whole as usize;
        }
        let floor = libm::rint(1.0 / deviation);
        assert!((floor * deviation - 1.0).abs() < 1e-9, "{deviation} is no deviation of bins");
        (2.0 * self.count) as usize + 1 + floor as usize
    }

    fn table(&self, deviation: f64, reach: f64) -> impl Iterator<Item = f64> {
        let bin = 1.0 / (deviation * self.count);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most the number of bins"
        )]
        let length = (reach / bin + 2.0).min(self.count) as u32;
        let mut inner = 1.0 - survival(0.5 * bin);
        (0..length).map(move |away| {
            let outer = survival((f64::from(away) + 0.5) * bin);
            // The bin in the middle reaches to the other side.
            let mass = inner - outer;
            inner = outer;
            mass
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masses_are_those_between_the_edges_of_a_bin() {
        for count in [1, 2, 9, 350] {
            let bins = Bins::new(count).unwrap();
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let width = 1.0 / count as f64;
            for deviation in [0.01, 1.0 / 37.0, 0.5 * width, 3.5 * width, 1.0] {
                let (masses, logs) = (bins.masses(deviation), bins.logs(deviation));
                assert!(masses.len() <= count && masses.len() <= logs.len());
                for (at, log) in (0_u32..).zip(logs) {
                    let edge = |half| (f64::from(at) + half) * width / deviation;
                    let expected = mass_between(edge(-0.5), edge(0.5));
                    match masses.get(at as usize) {
                        Some(mass) => assert!((mass - expected).abs() <= 1e-13 * expected),
                        None => assert!(expected < 1e-15),
                    }
                    if expected > 0.0 {
                        assert!((log - libm::log2(expected)).abs() < 1e-9);
                    }
                }
            }
            for at in [0, count / 3, count - 1] {
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let centre = (at as f64 + 0.5) * width;
                let (below, beyond) = bins.tails(0.01, centre);
                assert!((below - survival(centre / 0.01)).abs() < 1e-15);
                assert!((beyond - survival((1.0 - centre) / 0.01)).abs() < 1e-15);
            }
            let total: f64 = bins.prior.iter().map(|(mass, _)| mass).sum();
            assert!((total - mass_between(-0.5, 0.5)).abs() < 1e-12);
        }
        assert!(Bins::new(1025).is_none());
    }
}
