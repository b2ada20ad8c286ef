//! The layout of everything with images in it, and the instruction sets that work on it.
//!
//! Sixteen images lie side by side: an activation is (group, height, width, channels) of
//! [`Lanes`], each one value of the group's sixteen images. So every layer, however few filters
//! or odd sizes it has, works on whole vectors, and nothing ever crosses from one image to
//! another but sums over the batch. The last group of a batch is filled up with blank images,
//! whose gradients are 0.

use bytemuck::{Pod, Zeroable};
use pulp::Arch;
#[cfg(target_arch = "x86_64")]
use pulp::{
    Simd, f32x8, f32x16,
    x86::{V3, V4},
};

pub(crate) use crate::graph::LANES;

/// One value of each image of a group.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Lanes(pub(crate) [f32; LANES]);

impl Lanes {
    pub(crate) const ZERO: Self = Self([0.0; LANES]);

    /// The sum of the lanes: those eight apart first, then four, two and one.
    #[inline(always)]
    pub(super) fn sum(self) -> f32 {
        let mut sums = self.0;
        for half in [8, 4, 2, 1] {
            for lane in 0..half {
                sums[lane] += sums[lane + half];
            }
        }
        sums[0]
    }

    #[inline(always)]
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, value) in self.0.iter_mut().zip(other.0) {
            *sum += value;
        }
    }
}

/// Groups of a batch.
pub(super) fn groups(images: usize) -> usize {
    images.div_ceil(LANES)
}

/// The same numbers one by one: for what treats all alike.
pub(super) fn flat(values: &[Lanes]) -> &[f32] {
    bytemuck::cast_slice(values)
}

/// See [`flat`].
pub(super) fn flat_mut(values: &mut [Lanes]) -> &mut [f32] {
    bytemuck::cast_slice_mut(values)
}

/// Puts images of `values` values each side by side, blank ones at the end.
pub(super) fn side_by_side(images: &[f32], values: usize, into: &mut [Lanes]) {
    into.fill(Lanes::ZERO);
    for (number, image) in images.chunks_exact(values).enumerate() {
        let group = &mut into[number / LANES * values..][..values];
        for (lanes, &value) in group.iter_mut().zip(image) {
            lanes.0[number % LANES] = value;
        }
    }
}

/// The first `images` images, one after the other.
#[cfg(test)]
pub(super) fn one_by_one(lanes: &[Lanes], values: usize, images: usize) -> Vec<f32> {
    let group = |image: usize| &lanes[image / LANES * values..][..values];
    (0..images).flat_map(|n| group(n).iter().map(move |lanes| lanes.0[n % LANES])).collect()
}

/// Vectors of f32 under one instruction set. Every operation rounds once, as IEEE 754 says, so that
/// all sets give the same bits.
pub(super) trait Vector: Copy {
    /// Vectors that make up one [`Lanes`].
    const PARTS: usize;
    type Values: Copy;

    fn splat(self, value: f32) -> Self::Values;
    /// Part `part` of `values`.
    fn load(self, values: &Lanes, part: usize) -> Self::Values;
    fn store(self, from: Self::Values, values: &mut Lanes, part: usize);
    /// `a b + c`, rounded once.
    fn multiply_add(self, a: Self::Values, b: Self::Values, c: Self::Values) -> Self::Values;
    fn add(self, a: Self::Values, b: Self::Values) -> Self::Values;
    /// 0 for values below 0; NaN stays.
    fn rectified(self, values: Self::Values) -> Self::Values;
    /// `then` where the first is greater than the second or NaN.
    fn if_wins(
        self,
        pair: [Self::Values; 2],
        then: Self::Values,
        otherwise: Self::Values,
    ) -> Self::Values;
    /// `then` where the two are equal.
    fn if_equal(
        self,
        pair: [Self::Values; 2],
        then: Self::Values,
        otherwise: Self::Values,
    ) -> Self::Values;
}

#[cfg(target_arch = "x86_64")]
impl Vector for V4 {
    const PARTS: usize = 1;
    type Values = f32x16;

    #[inline(always)]
    fn splat(self, value: f32) -> f32x16 {
        self.splat_f32x16(value)
    }

    #[inline(always)]
    fn load(self, values: &Lanes, _: usize) -> f32x16 {
        bytemuck::cast(values.0)
    }

    #[inline(always)]
    fn store(self, from: f32x16, values: &mut Lanes, _: usize) {
        values.0 = bytemuck::cast(from);
    }

    #[inline(always)]
    fn multiply_add(self, a: f32x16, b: f32x16, c: f32x16) -> f32x16 {
        self.mul_add_f32x16(a, b, c)
    }

    #[inline(always)]
    fn add(self, a: f32x16, b: f32x16) -> f32x16 {
        self.add_f32x16(a, b)
    }

    #[inline(always)]
    fn if_wins(self, [x, best]: [f32x16; 2], then: f32x16, otherwise: f32x16) -> f32x16 {
        let or_nan = self.select_f32x16(self.cmp_not_eq_f32x16(x, x), then, otherwise);
        self.select_f32x16(self.cmp_gt_f32x16(x, best), then, or_nan)
    }

    #[inline(always)]
    fn if_equal(self, [a, b]: [f32x16; 2], then: f32x16, otherwise: f32x16) -> f32x16 {
        self.select_f32x16(self.cmp_eq_f32x16(a, b), then, otherwise)
    }

    #[inline(always)]
    fn rectified(self, values: f32x16) -> f32x16 {
        // The instruction gives its second operand where either is NaN.
        self.max_f32x16(self.splat_f32x16(0.0), values)
    }
}

#[cfg(target_arch = "x86_64")]
impl Vector for V3 {
    const PARTS: usize = 2;
    type Values = f32x8;

    #[inline(always)]
    fn splat(self, value: f32) -> f32x8 {
        self.splat_f32x8(value)
    }

    #[inline(always)]
    fn load(self, values: &Lanes, part: usize) -> f32x8 {
        let halves: &[[f32; 8]; 2] = bytemuck::cast_ref(&values.0);
        bytemuck::cast(halves[part])
    }

    #[inline(always)]
    fn store(self, from: f32x8, values: &mut Lanes, part: usize) {
        let halves: &mut [[f32; 8]; 2] = bytemuck::cast_mut(&mut values.0);
        halves[part] = bytemuck::cast(from);
    }

    #[inline(always)]
    fn multiply_add(self, a: f32x8, b: f32x8, c: f32x8) -> f32x8 {
        self.mul_add_f32x8(a, b, c)
    }

    #[inline(always)]
    fn add(self, a: f32x8, b: f32x8) -> f32x8 {
        self.add_f32x8(a, b)
    }

    #[inline(always)]
    fn if_wins(self, [x, best]: [f32x8; 2], then: f32x8, otherwise: f32x8) -> f32x8 {
        let or_nan = self.select_f32x8(self.cmp_not_eq_f32x8(x, x), then, otherwise);
        self.select_f32x8(self.cmp_gt_f32x8(x, best), then, or_nan)
    }

    #[inline(always)]
    fn if_equal(self, [a, b]: [f32x8; 2], then: f32x8, otherwise: f32x8) -> f32x8 {
        self.select_f32x8(self.cmp_eq_f32x8(a, b), then, otherwise)
    }

    #[inline(always)]
    fn rectified(self, values: f32x8) -> f32x8 {
        self.max_f32x8(self.splat_f32x8(0.0), values)
    }
}

/// What every machine can do; slow where a fused product has to be emulated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

impl Vector for Portable {
    const PARTS: usize = 1;
    type Values = [f32; LANES];

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; LANES] {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, values: &Lanes, _: usize) -> [f32; LANES] {
        values.0
    }

    #[inline(always)]
    fn store(self, from: [f32; LANES], values: &mut Lanes, _: usize) {
        values.0 = from;
    }

    #[inline(always)]
    fn multiply_add(self, a: [f32; LANES], b: [f32; LANES], mut c: [f32; LANES]) -> [f32; LANES] {
        for lane in 0..LANES {
            c[lane] = a[lane].mul_add(b[lane], c[lane]);
        }
        c
    }

    #[inline(always)]
    fn add(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn if_wins(
        self,
        [x, best]: [[f32; LANES]; 2],
        then: [f32; LANES],
        otherwise: [f32; LANES],
    ) -> [f32; LANES] {
        let wins = |lane: usize| x[lane] > best[lane] || x[lane].is_nan();
        std::array::from_fn(|lane| if wins(lane) { then[lane] } else { otherwise[lane] })
    }

    #[inline(always)]
    fn if_equal(
        self,
        [a, b]: [[f32; LANES]; 2],
        then: [f32; LANES],
        otherwise: [f32; LANES],
    ) -> [f32; LANES] {
        std::array::from_fn(|lane| if a[lane] == b[lane] { then[lane] } else { otherwise[lane] })
    }

    #[inline(always)]
    fn rectified(self, values: [f32; LANES]) -> [f32; LANES] {
        values.map(|x| if 0.0 > x { 0.0 } else { x })
    }
}

/// Work that is written once for all instruction sets.
pub(super) trait Kernel {
    fn run<S: Vector>(self, simd: S);
}

/// An instruction set that this machine has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(V3),
    #[cfg(target_arch = "x86_64")]
    Avx512(V4),
}

impl Level {
    /// The widest.
    pub(crate) fn best() -> Self {
        match Arch::new() {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(simd) => Self::Avx512(simd),
            #[cfg(target_arch = "x86_64")]
            Arch::V3(simd) => Self::Avx2(simd),
            _ => Self::Portable,
        }
    }

    /// All of them.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        levels.extend(V3::try_new().map(Self::Avx2));
        #[cfg(target_arch = "x86_64")]
        levels.extend(V4::try_new().map(Self::Avx512));
        levels
    }

    /// Runs a kernel under this set.
    pub(super) fn run(self, kernel: impl Kernel) {
        match self {
            Self::Portable => kernel.run(Portable),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(
                simd,
                #[inline(always)]
                || kernel.run(simd),
            ),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(
                simd,
                #[inline(always)]
                || kernel.run(simd),
            ),
        }
    }

    /// Lets the compiler use this set for the loops of `work`, all of which must be inlined.
    pub(super) fn wide<R>(self, work: impl FnOnce() -> R) -> R {
        match self {
            Self::Portable => work(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(simd, work),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(simd, work),
        }
    }
}
