//! The kernels: one file each, with its shader, the record of its jobs, the memories that it works
//! on, how it is cut into tiles, and the test against its twin on the CPU.
//!
//! A kernel is added by a file here, one of the same name among the shaders and one on the CPU, and
//! a line in [`KERNELS`]. What is the same for all stands in `job` (what a job is), `record` (how
//! it lies in memory), `elements` (jobs on values one by one), `tasks` (lists of tiles) and
//! `compiled` (from jobs to a dispatch).

pub(crate) mod activation;
pub(crate) mod activation_backward;
pub(crate) mod add;
pub(crate) mod avgpool_backward;
pub(crate) mod avgpool_forward;
pub(crate) mod batchnorm_backward;
pub(crate) mod batchnorm_forward;
pub(crate) mod channel_sums;
mod compiled;
pub(crate) mod concat;
pub mod correlation;
#[cfg(test)]
mod correlation_tests;
pub(crate) mod dropout;
pub(crate) mod elements;
pub(crate) mod gather_batch;
pub(crate) mod job;
pub(crate) mod maxpool_backward;
pub(crate) mod maxpool_forward;
pub(crate) mod memory;
pub(crate) mod optimizer_step;
pub(crate) mod pooling;
pub mod product;
#[cfg(test)]
mod product_tests;
pub(crate) mod record;
pub(crate) mod reduce_partials;
pub(crate) mod softmax_cross_entropy;
pub(crate) mod steps;
pub mod tasks;
pub(crate) mod tensor;
pub(crate) mod transpose;
pub(crate) mod transpose_weights;
#[cfg(test)]
pub(crate) mod twin;
#[cfg(test)]
pub(crate) mod twin_test;

pub use compiled::Compiled;
pub(crate) use compiled::Kernels;
pub(crate) use job::AnyJob;
pub(crate) use memory::{Memories, Memory};

use super::shaders::Shader;

/// A shader, bound to memories.
#[derive(Debug)]
pub struct Kernel {
    /// That of the shader, unless that serves several.
    pub name: &'static str,
    pub shader: &'static Shader,
    /// What it works on, in the order of the shader's bindings behind tasks and jobs.
    pub(crate) memories: &'static [Memory],
}

/// All of them.
pub static KERNELS: &[&Kernel] = &[
    &product::PRODUCT,
    &product::DENSE_GRADIENT,
    &correlation::CORRELATION,
    &activation::KERNEL,
    &activation_backward::KERNEL,
    &add::KERNEL,
    &avgpool_backward::KERNEL,
    &avgpool_forward::KERNEL,
    &batchnorm_backward::KERNEL,
    &batchnorm_forward::KERNEL,
    &channel_sums::KERNEL,
    &concat::KERNEL,
    &dropout::KERNEL,
    &gather_batch::KERNEL,
    &maxpool_backward::KERNEL,
    &maxpool_forward::KERNEL,
    &optimizer_step::KERNEL,
    &reduce_partials::KERNEL,
    &softmax_cross_entropy::KERNEL,
    &transpose::INPUTS,
    &transpose::GRADIENTS,
    &transpose_weights::KERNEL,
];

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Kernel {}

/// Some jobs of a kernel that do not depend on each other.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) kernel: &'static Kernel,
    pub(crate) jobs: Vec<Box<dyn AnyJob>>,
}

impl Stage {
    pub(crate) fn one(kernel: &'static Kernel, job: impl job::KernelJob) -> Self {
        Self { kernel, jobs: vec![Box::new(job)] }
    }

    pub(crate) fn many(
        kernel: &'static Kernel,
        jobs: impl IntoIterator<Item = impl job::KernelJob>,
    ) -> Self {
        let boxed = |job| Box::new(job) as Box<dyn AnyJob>;
        Self { kernel, jobs: jobs.into_iter().map(boxed).collect() }
    }
}

/// How the kernels are cut into tiles on an adapter. It changes no bit of any result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    pub product: product::Tile,
    pub correlation: correlation::Tile,
    /// Values a task of the other kernels.
    pub elements: u32,
}

/// `product 8x16/64, correlation 16x8/32, others 64`: results a thread by threads a workgroup.
impl std::fmt::Display for Variant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let product::Tile { places, filters_4, threads } = self.product;
        write!(f, "product {places}x{}/{threads}, ", 4 * filters_4)?;
        let correlation::Tile { offsets_4, filters, threads } = self.correlation;
        write!(f, "correlation {}x{filters}/{threads}, others {}", 4 * offsets_4, self.elements)
    }
}

impl Variant {
    /// What suits most adapters of a kind.
    pub fn usual(adapter: &super::Description) -> Self {
        Self {
            product: product::Tile::usual(adapter),
            correlation: correlation::Tile::usual(adapter),
            elements: if adapter.is_software() { 64 } else { 8 },
        }
    }
}

/// How wide the tiles of a job of `count` filters or offsets are, of at most `most`: as even as can
/// be, so that little of the last one is cut off.
fn even_width(count: u32, most: u32) -> u32 {
    count.div_ceil(count.div_ceil(most))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_a_shader_has_a_kernel_and_every_kernel_a_name_of_its_own() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shaders");
        let found: BTreeSet<String> = std::fs::read_dir(directory)
            .expect("shaders/ is there")
            .filter_map(|entry| entry.expect("it can be read").file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".wgsl").map(str::to_string))
            .collect();
        let listed = KERNELS.iter().map(|kernel| kernel.shader.name.to_string()).collect();
        assert_eq!(found, listed);
        let names: BTreeSet<&str> = KERNELS.iter().map(|kernel| kernel.name).collect();
        assert_eq!(names.len(), KERNELS.len());
    }

    #[test]
    fn tiles_are_as_even_as_can_be() {
        let widths = [1, 4, 5, 8, 9, 10].map(|count| even_width(count, 4));
        assert_eq!(widths, [1, 4, 3, 4, 3, 4]);
    }
}
