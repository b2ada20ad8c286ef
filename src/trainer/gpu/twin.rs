//! What the tests of kernels against their twins share.

use super::adapter::{Adapter, Wanted, is_required};
use super::device::Gpu;
use crate::trainer::cpu::lanes::{LANES, Lanes};

/// An adapter to test on, software or not; none, and a line that says so, where there is none and
/// none is required.
pub(super) fn gpu() -> Option<Gpu> {
    match Adapter::choose(Wanted::Gpu) {
        Ok(adapter) => adapter.map(|adapter| Gpu::open(&adapter).expect("the adapter opens")),
        Err(e) if is_required() => panic!("{e}"),
        Err(e) => {
            println!("skipped: {e}");
            None
        }
    }
}

/// Whether an adapter fuses a product into a sum as the CPU does. Mesa does where the processor can.
fn is_fused(gpu: &Gpu) -> bool {
    #[cfg(target_arch = "x86_64")]
    let has_fma = std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    let has_fma = true;
    gpu.description().is_software() && has_fma
}

/// Compares sums with those of the twin. Each term is at most 1 and rounded at most twice on
/// either side, so that sums of `terms` of them differ by at most `terms` x `terms` x 1.2e-7; where
/// both sides fuse, not in a bit. What nobody wrote must be as it was.
#[track_caller]
pub(super) fn compare(gpu: &Gpu, found: &[f32], expected: &[f32], terms: usize, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let tolerance = if is_fused(gpu) { 0.0 } else { (terms * terms) as f32 * 1.2e-7 };
    for (at, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let is_same = found.to_bits() == expected.to_bits();
        assert!(
            is_same || (tolerance > 0.0 && (found - expected).abs() <= tolerance),
            "{what}: {found} at {at}, and the CPU says {expected}"
        );
    }
}

/// Random numbers, the same every time.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 40
    }

    /// One of `first` to `last`.
    pub(super) fn count(&mut self, first: u32, last: u32) -> u32 {
        first + u32::try_from(self.next()).expect("24 bits") % (last - first + 1)
    }

    /// Between -1 and 1.
    #[expect(clippy::cast_precision_loss, reason = "24 bits")]
    pub(super) fn number(&mut self) -> f32 {
        self.next() as f32 / 8_388_608.0 - 1.0
    }

    pub(super) fn lanes(&mut self) -> Lanes {
        Lanes(std::array::from_fn(|_| self.number()))
    }
}

/// A value that nobody wrote.
pub(super) const POISON: Lanes = Lanes([f32::NAN; LANES]);
