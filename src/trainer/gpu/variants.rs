//! Which variant of the kernels suits an adapter.

use super::adapter::Adapter;
use super::kernels::Variant;
use crate::error::Result;

/// An adapter, with the variant of the kernels that suits it.
#[derive(Debug)]
pub struct Chosen {
    pub adapter: Adapter,
    pub variant: Variant,
    /// What the kernels reach together, roughly.
    pub flops_per_second: f64,
}

impl Chosen {
    pub fn new(adapter: Adapter) -> Result<Self> {
        let variant = Variant::usual(adapter.description());
        Ok(Self { adapter, variant, flops_per_second: 1e10 })
    }
}
