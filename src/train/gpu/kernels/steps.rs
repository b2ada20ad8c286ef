//! Records of steps: what a batch is about.

use super::record::device_record;

device_record! {
    /// `Step` of `shaders/shared/steps.wgsl`.
    pub(crate) struct StepRecord {
        pub(crate) first: u32,
        pub(crate) images: u32,
        pub(crate) number: u32,
        pub(crate) rate: f32,
        pub(crate) root2: f32,
        pub(crate) reserved_0: u32,
        pub(crate) reserved_1: u32,
        pub(crate) reserved_2: u32,
    }
}

/// `NO_ORDER` of the shaders: images come as they lie.
pub(crate) const NO_ORDER: u32 = u32::MAX;
