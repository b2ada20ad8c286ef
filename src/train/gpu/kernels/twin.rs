//! What the tests of kernels against their twins share.

use super::product::Tile;
use crate::cpu::lanes::{LANES, Lanes};
use crate::gpu::adapter::{Adapter, Wanted, is_required};
use crate::gpu::device::Gpu;
use crate::gpu::probe::is_fused;

/// An adapter to test on, software or not; none, and a line that says so, where there is none and
/// none is required.
pub(crate) fn gpu() -> Option<Gpu> {
    match Adapter::choose(Wanted::Gpu) {
        Ok(adapter) => adapter.map(|adapter| Gpu::open(&adapter).expect("the adapter opens")),
        Err(e) if is_required() => panic!("{e}"),
        Err(e) => {
            println!("skipped: {e}");
            None
        }
    }
}

/// Compares sums of up to `terms` terms with those of the twin, and with the same done by hand.
///
/// Each term is at most 1 and rounded at most twice on either side, so that sums differ by at most
/// `terms` x `terms` x 1.2e-7 from the twin's; by nothing where `fma` is fused. A software adapter
/// must give every bit of what is done by hand in the way in which it does `fma`. What nobody wrote
/// must be as it was.
#[track_caller]
pub(super) fn compare(
    gpu: &Gpu,
    found: &[f32],
    twin: &[f32],
    by_hand: impl Fn(bool) -> Vec<f32>,
    (terms, what): (usize, &str),
) {
    let is_fused = is_fused(gpu, TILE).expect("the adapter works");
    let by_hand = by_hand(is_fused);
    assert_eq!([found.len(), by_hand.len()], [twin.len(); 2], "{what}");
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let tolerance = (terms * terms) as f32 * 1.2e-7;
    let same = |a: f32, b: f32| a.to_bits() == b.to_bits();
    let mut different = 0;
    for (at, &found) in found.iter().enumerate() {
        let (twin, by_hand) = (twin[at], by_hand[at]);
        assert!(!is_fused || same(twin, by_hand), "{what}: at {at}, {twin} and {by_hand}");
        let is_exact = same(found, by_hand) || !gpu.description().is_software();
        let is_near = same(found, twin) || (found - twin).abs() <= tolerance;
        assert!(
            is_exact && is_near,
            "{what}: {found} at {at}, by hand {by_hand}, and the CPU says {twin}"
        );
        different += usize::from(!same(found, twin));
    }
    println!("{what}: fma fused: {is_fused}; {different} of {} are not the CPU's", found.len());
}

/// A product and a sum, in one rounding or two.
pub(super) fn multiply_add(is_fused: bool, a: f32, b: f32, c: f32) -> f32 {
    if is_fused { a.mul_add(b, c) } else { a * b + c }
}

/// Any will do.
pub(super) const TILE: Tile = Tile { places: 4, filters_4: 2, threads: 64 };

/// Random numbers, the same every time.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
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
