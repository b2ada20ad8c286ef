//! Extrapolations that all runs on a table share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base::error::Result;
use base::units::{ConfigId, Epoch};

use super::extrapolation::Extrapolation;
use super::forecasts::Model;

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
type Fill = dyn Fn(&Model, &Shelf) -> Result<()> + Send + Sync;

/// The extrapolations of one table's curves, model by model.
pub struct Library {
    shelves: Mutex<Vec<(Model, Arc<Shelf>)>>,
    fill: Box<Fill>,
}

impl Library {
    /// A library that asks `fill` once for what was kept of a model.
    pub fn new(fill: impl Fn(&Model, &Shelf) -> Result<()> + Send + Sync + 'static) -> Self {
        Self { shelves: Mutex::default(), fill: Box::new(fill) }
    }

    /// The shelf of a model.
    ///
    /// # Errors
    /// What is wrong with what was kept.
    pub fn shelf(&self, model: &Model) -> Result<Arc<Shelf>> {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, shelf)) = shelves.iter().find(|(known, _)| known == model) {
            return Ok(Arc::clone(shelf));
        }
        let shelf = Arc::new(Shelf::default());
        (self.fill)(model, &shelf)?;
        shelves.push((*model, Arc::clone(&shelf)));
        Ok(shelf)
    }

    /// The models that anybody has asked for, in that order.
    pub fn models(&self) -> Vec<Model> {
        let shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.iter().map(|(model, _)| *model).collect()
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
    use crate::surrogates::curves::{Part, Sampling};

    fn at(config: u32) -> CurveAt {
        CurveAt { config: ConfigId(config), curve_repeat: 0, epoch: Epoch(5) }
    }

    fn extrapolation(mean: f64) -> Option<Extrapolation> {
        let part = Part { mean, deviation: 0.1, weight: 1.0 };
        Extrapolation::of_parts(&[part], mean, 0.1)
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
        let sampled = |steps| Model::Posterior(Sampling { steps, ..Sampling::default() });
        let broken = sampled(700);
        let library = Library::new(move |model, shelf| {
            if *model == broken {
                return Err(internal("reading", "damaged"));
            }
            shelf.put(at(1), extrapolation(0.5));
            Ok(())
        });
        let shelf = library.shelf(&Model::Laplace).unwrap();
        shelf.put(at(2), None);
        assert_eq!(library.shelf(&Model::Laplace).unwrap().count(), 2);
        assert_eq!(library.shelf(&sampled(800)).unwrap().count(), 1);
        let kept = shelf.get(at(1), || panic!("it is there"));
        assert_eq!(kept.unwrap().mean(), 0.5);
        assert!(library.shelf(&broken).is_err());
        assert_eq!(library.models(), [Model::Laplace, sampled(800)]);
        assert_eq!(Library::default().shelf(&broken).unwrap().count(), 0);
    }
}
