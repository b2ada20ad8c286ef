//! What models say of the ends of a table's curves, shared by all runs on it: a posterior takes a
//! tenth of a second and depends on nothing but the curve. Models are known here by a text alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base::error::Result;
use base::units::{ConfigId, Epoch};

/// The predicted value of a curve at its horizon: the distribution's mean and deviation, and how
/// likely it is to lie above some value.
#[derive(Debug, Clone, PartialEq)]
pub struct Extrapolation {
    mean: f64,
    deviation: f64,
    knots: Vec<Knot>,
}

/// A value, and the probability to lie above it. Single precision: a hundred thousand of them have
/// to be kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knot {
    pub value: f32,
    pub above: f32,
}

impl Extrapolation {
    /// From what [`Self::mean`], [`Self::deviation`] and [`Self::knots`] gave. `None` where it is
    /// none: values must rise, probabilities lie in [0, 1] and never rise.
    pub fn from_knots(mean: f64, deviation: f64, knots: Vec<Knot>) -> Option<Self> {
        let rises = knots.is_sorted_by(|a, b| a.value < b.value && a.above >= b.above);
        let is_probable = |knot: &Knot| knot.value.is_finite() && (0.0..=1.0).contains(&knot.above);
        let is_whole = !knots.is_empty() && rises && knots.iter().all(is_probable);
        is_whole.then_some(Self { mean, deviation, knots })
    }

    /// `E[f]` at the horizon.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The deviation of f at the horizon.
    pub fn deviation(&self) -> f64 {
        self.deviation
    }

    /// The distribution, as it is kept.
    pub fn knots(&self) -> &[Knot] {
        &self.knots
    }

    /// P(y > value) at the horizon, with the noise of one epoch: to 1e-3 (1e-2 where it has
    /// several scales), and 0 or 1 beyond all that is kept. 0 of NaN.
    pub fn probability_above(&self, value: f64) -> f64 {
        let after = self.knots.partition_point(|knot| f64::from(knot.value) <= value);
        let above = |at: usize| f64::from(self.knots[at].above);
        if after == 0 {
            return if value.is_nan() { 0.0 } else { 1.0 };
        }
        if after == self.knots.len() {
            return if f64::from(self.knots[after - 1].value) == value {
                above(after - 1)
            } else {
                0.0
            };
        }
        let (low, high) =
            (f64::from(self.knots[after - 1].value), f64::from(self.knots[after].value));
        let share = (value - low) / (high - low);
        above(after - 1) + share * (above(after) - above(after - 1))
    }
}

/// Which beginning of which recorded curve of a table was extrapolated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CurveAt {
    pub config: ConfigId,
    pub curve_repeat: u16,
    /// The last epoch that was seen.
    pub epoch: Epoch,
}

/// What came of it; `None` where the model has nothing to say.
pub type Found = Option<Arc<Extrapolation>>;

/// The extrapolations of a table's curves by one model, each made at most once, by whichever
/// thread asks first. What it is does not depend on who made it.
#[derive(Debug, Default)]
pub struct Shelf {
    places: Mutex<BTreeMap<CurveAt, Arc<OnceLock<Found>>>>,
}

impl Shelf {
    /// The extrapolation at a place, made by `make` if nobody has. Who asks for one in the making
    /// waits for it.
    pub fn get(&self, at: CurveAt, make: impl FnOnce() -> Option<Extrapolation>) -> Found {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Arc::clone(places.entry(at).or_default());
        drop(places);
        place.get_or_init(|| make().map(Arc::new)).clone()
    }

    /// Puts one there that was made before.
    pub fn put(&self, at: CurveAt, found: Option<Extrapolation>) {
        self.get(at, || found);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.values().filter(|place| place.get().is_some()).count()
    }
}

/// Reads what was kept of a model's extrapolations into its shelf.
type Fill = dyn Fn(&str, &Shelf) -> Result<()> + Send + Sync;

/// The extrapolations of one table's curves, model by model.
pub struct Library {
    shelves: Mutex<Vec<(String, Arc<Shelf>)>>,
    fill: Box<Fill>,
}

impl Library {
    /// A library that asks `fill` once for what was kept of a model.
    pub fn new(fill: impl Fn(&str, &Shelf) -> Result<()> + Send + Sync + 'static) -> Self {
        Self { shelves: Mutex::default(), fill: Box::new(fill) }
    }

    /// The shelf of a model, whose text says all that its extrapolations depend on besides the
    /// curve.
    ///
    /// # Errors
    /// What is wrong with what was kept.
    pub fn shelf(&self, model: &str) -> Result<Arc<Shelf>> {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, shelf)) = shelves.iter().find(|(known, _)| known == model) {
            return Ok(Arc::clone(shelf));
        }
        let shelf = Arc::new(Shelf::default());
        (self.fill)(model, &shelf)?;
        shelves.push((model.to_string(), Arc::clone(&shelf)));
        Ok(shelf)
    }

    /// The models that anybody has asked for, in that order.
    pub fn models(&self) -> Vec<String> {
        let shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.iter().map(|(model, _)| model.clone()).collect()
    }
}

/// One with nothing in it.
impl Default for Library {
    fn default() -> Self {
        Self::new(|_, _| Ok(()))
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").field("shelves", &self.shelves).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use base::error::internal;

    use super::*;

    fn at(config: u32) -> CurveAt {
        CurveAt { config: ConfigId(config), curve_repeat: 0, epoch: Epoch(5) }
    }

    fn extrapolation(mean: f64) -> Option<Extrapolation> {
        Extrapolation::from_knots(mean, 0.1, vec![Knot { value: 0.5, above: 0.5 }])
    }

    #[test]
    fn each_is_made_once_whoever_asks() {
        let (shelf, made) = (Shelf::default(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for config in 0..50 {
                        let found = shelf.get(at(config), || {
                            made.fetch_add(1, Ordering::Relaxed);
                            (config % 7 > 0).then(|| extrapolation(f64::from(config))).flatten()
                        });
                        let mean = found.map(|found| found.mean());
                        assert_eq!(mean, (config % 7 > 0).then(|| f64::from(config)));
                    }
                });
            }
        });
        assert_eq!((made.into_inner(), shelf.count()), (50, 50));
    }

    #[test]
    fn a_shelf_is_filled_once_and_is_its_models_own() {
        let library = Library::new(|model, shelf| {
            if model == "broken" {
                return Err(internal("reading", "damaged"));
            }
            shelf.put(at(1), extrapolation(0.5));
            Ok(())
        });
        let shelf = library.shelf("a").unwrap();
        shelf.put(at(2), None);
        assert_eq!(library.shelf("a").unwrap().count(), 2);
        assert_eq!(library.shelf("b").unwrap().count(), 1);
        let kept = shelf.get(at(1), || panic!("it is there"));
        assert_eq!(kept.unwrap().mean(), 0.5);
        assert!(library.shelf("broken").is_err());
        assert_eq!(library.models(), ["a", "b"]);
        assert_eq!(Library::default().shelf("broken").unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        let knot = |value, above| Knot { value, above };
        let refused = [
            vec![],
            vec![knot(0.0, 0.5), knot(0.0, 0.4)],
            vec![knot(0.0, 0.5), knot(1.0, 0.6)],
            vec![knot(0.0, 1.5)],
            vec![knot(f32::NAN, 0.5)],
        ];
        for knots in refused {
            assert_eq!(Extrapolation::from_knots(0.0, 0.0, knots), None);
        }
    }
}
