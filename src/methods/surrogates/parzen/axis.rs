//! The observations of one parameter, kept in the order of their coordinates, so that the kernels
//! of any part of them take one pass.

use std::sync::Arc;

use base::stats::normal::survival;

use super::bins::Bins;
use super::deviations::{MIDDLE, Rule};
use super::scale::Scale;
use crate::kit::draws::normal_quantile;

/// Deviations beyond which a tail is too small to tell 1 from 1 less it.
pub(super) const TAIL: f64 = 8.3;

/// Whose kernel the prior's is.
pub(super) const PRIOR: u32 = u32::MAX;

/// How a kernel of some deviation lies between 0 and 1: as it was when last asked for, since most
/// kernels are the same from one trial to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    pub deviation: f64,
    /// Of the deviation.
    pub inverse: f64,
    /// What would lie below 0 if it were not cut off.
    pub below: f64,
    /// What it has between 0 and 1, and the inverse of that.
    pub kept: f64,
    pub lift: f64,
}

impl Shape {
    const UNKNOWN: Self =
        Self { deviation: f64::NAN, inverse: 0.0, below: 0.0, kept: 1.0, lift: 1.0 };

    fn of(centre: f64, deviation: f64) -> Self {
        let tail = |z: f64| if z < TAIL { survival(z) } else { 0.0 };
        Self::from_tails(deviation, tail(centre / deviation), tail((1.0 - centre) / deviation))
    }

    fn from_tails(deviation: f64, below: f64, beyond: f64) -> Self {
        let kept = 1.0 - beyond - below;
        Self { deviation, inverse: 1.0 / deviation, below, kept, lift: 1.0 / kept }
    }
}

/// A normal distribution cut off at 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kernel {
    /// The observation that it stands at.
    pub owner: u32,
    pub centre: f64,
    /// Its share in the mixture, which is in proportion to it.
    pub weight: f64,
    pub shape: Shape,
}

impl Kernel {
    fn new(owner: u32, centre: f64, weight: f64) -> Self {
        Self { owner, centre, weight, shape: Shape::UNKNOWN }
    }

    /// The coordinate that it is below with a probability of `share`, given that it is in 0..1.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let probability = self.shape.below + share * self.shape.kept;
        let probability = probability.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
        (self.centre + self.shape.deviation * normal_quantile(probability)).clamp(0.0, 1.0)
    }
}

/// Observations of one parameter.
#[derive(Debug, Clone)]
pub struct Axis {
    scale: Scale,
    bins: Option<Arc<Bins>>,
    /// By observation; NaN where the parameter plays no part.
    coordinates: Vec<f64>,
    /// Those with a coordinate, in its order; of equals the older first.
    order: Vec<u32>,
    shapes: Vec<Shape>,
    prior: Shape,
}

impl Axis {
    /// An axis without observations. `bins` are the tables of as many bins as it has, if it has
    /// equal bins and if there are such tables.
    pub fn new(scale: Scale, bins: Option<Arc<Bins>>) -> Self {
        Self {
            scale,
            bins,
            coordinates: Vec::new(),
            order: Vec::new(),
            shapes: Vec::new(),
            prior: Shape::of(MIDDLE, 1.0),
        }
    }

    /// How values lie on it.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    pub(super) fn bins(&self) -> Option<&Bins> {
        self.bins.as_deref()
    }

    /// The coordinate of an observation; `None` where the parameter plays no part in it.
    pub fn coordinate(&self, observation: u32) -> Option<f64> {
        let u = *self.coordinates.get(observation as usize)?;
        (!u.is_nan()).then_some(u)
    }

    /// Takes in the next observation, with its coordinate where the parameter plays a part.
    ///
    /// # Panics
    /// Where the coordinate is NaN.
    pub fn observe(&mut self, coordinate: Option<f64>) {
        let observation = u32::try_from(self.coordinates.len()).expect("trials are 32 bits");
        self.coordinates.push(coordinate.unwrap_or(f64::NAN));
        self.shapes.push(Shape::UNKNOWN);
        if let Some(u) = coordinate {
            assert!(!u.is_nan(), "a coordinate is a number");
            let at = self.order.partition_point(|o| self.coordinates[*o as usize] <= u);
            self.order.insert(at, observation);
        }
    }

    /// Those with a weight, in the order of their coordinates.
    pub(super) fn members(&self, weights: &[f64]) -> impl Iterator<Item = (u32, f64, f64)> {
        let all = self.order.iter().map(|o| (*o, self.coordinates[*o as usize]));
        let weighted = all.map(|(o, u)| (o, u, weights.get(o as usize).copied().unwrap_or(0.0)));
        weighted.filter(|(_, _, weight)| *weight > 0.0)
    }

    /// The kernels of the observations that have a weight, in the order of their coordinates, and
    /// the prior's, of weight 1, as the last.
    pub(super) fn kernels(&mut self, rule: Rule, weights: &[f64], kernels: &mut Vec<Kernel>) {
        kernels.clear();
        kernels.extend(self.members(weights).map(|(o, u, weight)| Kernel::new(o, u, weight)));
        let count = kernels.len();
        let prior = if rule == Rule::Hyperopt {
            // A neighbour, before observations that are equal to it.
            let at = kernels.partition_point(|kernel| kernel.centre < MIDDLE);
            kernels.insert(at, Kernel::new(PRIOR, MIDDLE, 1.0));
            at
        } else {
            count
        };
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let floor = 1.0 / f64::min(100.0, (count + 2) as f64);
        let single = rule == Rule::Hyperopt && count == 1;
        spread(kernels, floor);
        if rule == Rule::Hyperopt {
            kernels.remove(prior);
        }
        if single {
            kernels[0].shape.deviation = f64::max(0.5, floor);
        }
        kernels.push(Kernel::new(PRIOR, MIDDLE, 1.0));
        let Self { bins, shapes, prior, .. } = self;
        for kernel in kernels {
            kernel.shape = match shapes.get_mut(kernel.owner as usize) {
                None => *prior,
                Some(known) => {
                    let deviation = kernel.shape.deviation;
                    if known.deviation != deviation {
                        *known = match bins {
                            None => Shape::of(kernel.centre, deviation),
                            Some(bins) => {
                                let (below, beyond) = bins.tails(deviation, kernel.centre);
                                Shape::from_tails(deviation, below, beyond)
                            }
                        };
                    }
                    *known
                }
            };
            if rule == Rule::Hyperopt {
                // The mixture is cut off, not each kernel.
                kernel.weight *= kernel.shape.kept;
            }
        }
    }
}

/// Gives kernels in order the larger of the gaps to their neighbours, at least the floor; the ends
/// of the cube stand in for the neighbours of a single one.
fn spread(kernels: &mut [Kernel], floor: f64) {
    if let [kernel] = kernels {
        kernel.shape.deviation = f64::max(kernel.centre, 1.0 - kernel.centre).clamp(floor, 1.0);
        return;
    }
    let mut below = 0.0;
    for at in 0..kernels.len() {
        let above = kernels.get(at + 1).map_or(0.0, |next| next.centre - kernels[at].centre);
        kernels[at].shape.deviation = f64::max(below, above).clamp(floor, 1.0);
        below = above;
    }
}
