//! Kernels compiled for a device, and the way from jobs to a dispatch, which is the same for all.

use std::cell::RefCell;
use std::collections::BTreeMap;

use base::error::Result;

use super::job::{AnyJob, Constants, KernelJob, Tile};
use super::memory::Memories;
use super::tasks::Jobs;
use super::{Kernel, Variant};
use crate::gpu::device::{Buffer, Dispatch, Gpu, Pipeline, Prepared};

/// A kernel, compiled for tiles of one size: for those who choose it.
#[derive(Debug)]
pub struct Compiled<J: KernelJob> {
    kernel: &'static Kernel,
    pipeline: Pipeline,
    tile: J::Tile,
}

impl<J: KernelJob> Compiled<J> {
    /// # Errors
    ///
    /// The driver does not compile the shader.
    pub fn new(gpu: &Gpu, kernel: &'static Kernel, tile: J::Tile) -> Result<Self> {
        let pipeline = gpu.pipeline(kernel.shader, &tile.constants())?;
        Ok(Self { kernel, pipeline, tile })
    }

    /// Lists the tiles of `jobs`, which work on these buffers, in the order of the kernel's
    /// memories.
    ///
    /// # Errors
    ///
    /// The device has no memory for the list.
    pub fn plan(&self, gpu: &Gpu, jobs: &[J], buffers: &[&Buffer]) -> Result<Jobs> {
        let bytes = sizes(buffers);
        let mut records = Vec::new();
        let mut tiles = Vec::with_capacity(jobs.len());
        for job in jobs {
            AnyJob::check(job, self.kernel, &bytes);
            records.extend(bytemuck::bytes_of(&job.record(self.tile)));
            tiles.push(job.tiles(self.tile));
        }
        Jobs::upload(gpu, &records, &tiles, self.tile.threads())
    }

    /// Computes what was planned for these buffers.
    pub fn dispatch<'a>(&'a self, jobs: &'a Jobs, buffers: &[&'a Buffer]) -> Dispatch<'a> {
        dispatch(&self.pipeline, jobs, buffers)
    }
}

fn sizes(buffers: &[&Buffer]) -> Vec<u64> {
    buffers.iter().map(|buffer| buffer.bytes()).collect()
}

fn dispatch<'a>(pipeline: &'a Pipeline, jobs: &'a Jobs, buffers: &[&'a Buffer]) -> Dispatch<'a> {
    let buffers = [&jobs.tasks, &jobs.records].into_iter().chain(buffers.iter().copied());
    Dispatch { pipeline, buffers: buffers.collect(), workgroups: jobs.workgroups }
}

/// All kernels, each compiled when it is first needed.
#[derive(Debug)]
pub(crate) struct Kernels {
    variant: Variant,
    /// By shader and constants: products and correlations have tiles of several widths.
    pipelines: RefCell<BTreeMap<(&'static str, Constants), Pipeline>>,
}

impl Kernels {
    pub(crate) fn new(variant: Variant) -> Self {
        Self { variant, pipelines: RefCell::default() }
    }

    /// Makes dispatches of jobs that do not depend on each other, whatever networks they are of.
    pub(crate) fn prepare(
        &self,
        gpu: &Gpu,
        kernel: &Kernel,
        jobs: &[&dyn AnyJob],
        memories: &Memories,
    ) -> Result<Vec<Prepared>> {
        let buffers = memories.of(kernel);
        let bytes = sizes(&buffers);
        let mut by_tile: BTreeMap<(Constants, u32), Vec<&dyn AnyJob>> = BTreeMap::new();
        for job in jobs {
            job.check(kernel, &bytes);
            by_tile.entry(job.constants(&self.variant)).or_default().push(*job);
        }
        let prepare = |((constants, threads), jobs): ((Constants, u32), Vec<&dyn AnyJob>)| {
            let pipeline = self.pipeline(gpu, kernel, constants)?;
            let mut records = Vec::new();
            let list = |job: &&dyn AnyJob| job.list(&self.variant, &mut records);
            let tiles: Vec<_> = jobs.iter().map(list).collect();
            let jobs = Jobs::upload(gpu, &records, &tiles, threads)?;
            Ok(gpu.prepare(&dispatch(&pipeline, &jobs, &buffers)))
        };
        // The widest first.
        by_tile.into_iter().rev().map(prepare).collect()
    }

    fn pipeline(&self, gpu: &Gpu, kernel: &Kernel, constants: Constants) -> Result<Pipeline> {
        let key = (kernel.shader.name, constants);
        if let Some(there) = self.pipelines.borrow().get(&key) {
            return Ok(there.clone());
        }
        let pipeline = gpu.pipeline(kernel.shader, &key.1)?;
        self.pipelines.borrow_mut().insert(key, pipeline.clone());
        Ok(pipeline)
    }
}
