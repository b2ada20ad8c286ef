//! The GPUs and software adapters that training can use.

use base::error::Result;
use train::gpu::adapter::is_required;
use train::gpu::{Adapter, Gpu, Wanted, product};
use train::self_test::self_test;

pub use train::gpu::Description;
pub use train::gpu::adapter::Limit;
pub use train::self_test::SelfTest;

/// An adapter and what came of trying it.
#[derive(Debug)]
pub struct Tried {
    pub description: Description,
    /// `None` where it was not to be tried.
    pub result: Option<Result<SelfTest>>,
}

impl Tried {
    fn new(adapter: &Adapter, tests: bool) -> Self {
        let description = adapter.description().clone();
        let test = || {
            let gpu = Gpu::open(adapter)?;
            self_test(&gpu, product::Tile::usual(&description))
        };
        let result = tests.then(test);
        Self { description, result }
    }

    /// Whether it should have passed and did not.
    pub fn is_failed(&self) -> bool {
        match &self.result {
            None => false,
            Some(Ok(test)) => !test.is_passed(),
            // An adapter that cannot be used is listed with its reason, and no fault of itself.
            Some(Err(_)) => self.description.check().is_ok(),
        }
    }
}

/// All adapters, the best first, each tried for a moment if `tests`.
///
/// # Errors
/// A fault where the environment requires an adapter and none is here.
pub fn list(tests: bool) -> Result<Vec<Tried>> {
    if is_required() {
        Adapter::choose(Wanted::Gpu)?;
    }
    Ok(Adapter::all().iter().map(|adapter| Tried::new(adapter, tests)).collect())
}
