//! Every kernel, compiled when it is first needed, and what each works on.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use base::error::Result;

use super::correlation::{self, CorrelationJob, CorrelationKernel};
use super::device::{Buffer, Dispatch, Gpu, Pipeline, Prepared};
use super::elements::{ElementsJob, Record};
use super::product::{self, ProductJob, ProductKernel};
use super::shaders::{self, Shader};
use super::tasks::{Jobs, Tiles};

/// A memory of the device that all networks of a cohort share; its size is a [`super::arena`]
/// matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Memory {
    /// Activations and their gradients: 64 bytes a value.
    Values,
    /// Weights, their transposes for the backward pass, statistics: f32.
    Weights,
    /// The optimizer's.
    Moments,
    /// Gradients of weights, in blocks, and what leads to them: f32.
    Gradients,
    /// Inputs of dense layers, image by image: f32.
    Columns,
    /// What each step is about.
    Steps,
    /// How many steps are done.
    Tick,
    /// The order of the training images.
    Orders,
    /// Standardised values of bytes, labels.
    Dataset,
    /// The images, in two parts.
    Images0,
    Images1,
    /// Losses, confusion matrices, whether a network diverged.
    Results,
}

/// The memories that are there.
#[derive(Debug, Default)]
pub(super) struct Memories(pub(super) BTreeMap<Memory, Buffer>);

impl Memories {
    pub(super) fn get(&self, memory: Memory) -> &Buffer {
        self.0.get(&memory).expect("every memory that a kernel needs is made")
    }

    fn of(&self, kernel: Kernel) -> Vec<&Buffer> {
        kernel.memories().iter().map(|memory| self.get(*memory)).collect()
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kernel {
    GatherBatch,
    TransposeWeights,
    Product,
    Activation,
    MaxpoolForward,
    AvgpoolForward,
    ChannelSums,
    ReducePartials,
    BatchnormForward,
    Dropout,
    Add,
    Concat,
    SoftmaxCrossEntropy,
    ActivationBackward,
    MaxpoolBackward,
    AvgpoolBackward,
    BatchnormBackward,
    Correlation,
    /// Of dense layers' inputs.
    TransposeInputs,
    /// Of the gradients of their outputs.
    Transpose,
    /// A product that gives the gradient of a dense layer's weights.
    DenseGradient,
    OptimizerStep,
}

/// A job of any kernel.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Job {
    Product(ProductJob),
    Correlation(CorrelationJob),
    Elements(ElementsJob),
}

impl Job {
    /// Floating-point operations of sums of products, else values.
    pub(super) fn work(&self) -> f64 {
        match self {
            Self::Product(job) => job.flops(),
            Self::Correlation(job) => job.flops(),
            Self::Elements(job) => {
                let shape = job.record.shape.map(f64::from);
                shape.iter().product::<f64>().max(f64::from(job.record.numbers[0][2]))
            }
        }
    }
}

/// Some jobs that do not depend on each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stage {
    pub(super) kernel: Kernel,
    pub(super) jobs: Vec<Job>,
}

impl Kernel {
    fn shader(self) -> &'static Shader {
        match self {
            Self::Product | Self::DenseGradient => &shaders::PRODUCT,
            Self::Correlation => &shaders::CORRELATION,
            Self::GatherBatch => &shaders::GATHER_BATCH,
            Self::TransposeWeights => &shaders::TRANSPOSE_WEIGHTS,
            Self::Activation => &shaders::ACTIVATION,
            Self::MaxpoolForward => &shaders::MAXPOOL_FORWARD,
            Self::AvgpoolForward => &shaders::AVGPOOL_FORWARD,
            Self::ChannelSums => &shaders::CHANNEL_SUMS,
            Self::ReducePartials => &shaders::REDUCE_PARTIALS,
            Self::BatchnormForward => &shaders::BATCHNORM_FORWARD,
            Self::Dropout => &shaders::DROPOUT,
            Self::Add => &shaders::ADD,
            Self::Concat => &shaders::CONCAT,
            Self::SoftmaxCrossEntropy => &shaders::SOFTMAX_CROSS_ENTROPY,
            Self::ActivationBackward => &shaders::ACTIVATION_BACKWARD,
            Self::MaxpoolBackward => &shaders::MAXPOOL_BACKWARD,
            Self::AvgpoolBackward => &shaders::AVGPOOL_BACKWARD,
            Self::BatchnormBackward => &shaders::BATCHNORM_BACKWARD,
            Self::TransposeInputs | Self::Transpose => &shaders::TRANSPOSE,
            Self::OptimizerStep => &shaders::OPTIMIZER_STEP,
        }
    }

    /// What it works on, in the order of the shader's bindings behind tasks and jobs.
    pub(super) fn memories(self) -> &'static [Memory] {
        use Memory::{
            Columns, Dataset, Gradients, Images0, Images1, Moments, Orders, Results, Steps, Tick,
            Values, Weights,
        };
        match self {
            Self::Product | Self::BatchnormForward => &[Values, Weights],
            Self::DenseGradient => &[Gradients, Columns],
            Self::Correlation | Self::Transpose => &[Values, Gradients],
            Self::GatherBatch => &[Values, Steps, Tick, Orders, Dataset, Images0, Images1],
            Self::TransposeWeights => &[Weights],
            Self::Activation
            | Self::MaxpoolForward
            | Self::AvgpoolForward
            | Self::Add
            | Self::Concat
            | Self::ActivationBackward
            | Self::MaxpoolBackward
            | Self::AvgpoolBackward => &[Values],
            Self::ChannelSums | Self::BatchnormBackward => {
                &[Values, Steps, Tick, Weights, Gradients]
            }
            Self::ReducePartials => &[Steps, Tick, Weights, Gradients],
            Self::Dropout => &[Values, Steps, Tick],
            Self::SoftmaxCrossEntropy => &[Values, Steps, Tick, Orders, Dataset, Results],
            Self::TransposeInputs => &[Values, Columns],
            Self::OptimizerStep => &[Steps, Tick, Weights, Moments, Gradients, Results],
        }
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

/// The shaders, compiled for a device.
#[derive(Debug)]
pub(super) struct Kernels {
    variant: Variant,
    /// With tiles of one four of filters, two, and so on up to the variant's.
    products: Vec<OnceCell<ProductKernel>>,
    /// Likewise, filters one by one for each number of fours of offsets.
    correlations: Vec<Vec<OnceCell<CorrelationKernel>>>,
    others: BTreeMap<&'static str, OnceCell<Pipeline>>,
}

impl Kernels {
    pub(super) fn new(variant: Variant) -> Self {
        let others = shaders::REGISTRY.iter().map(|shader| (shader.name, OnceCell::new()));
        Self {
            variant,
            products: cells(variant.product.filters_4),
            correlations: (0..variant.correlation.offsets_4)
                .map(|_| cells(variant.correlation.filters))
                .collect(),
            others: others.collect(),
        }
    }

    /// Makes dispatches of jobs that do not depend on each other, whatever networks they are of.
    pub(super) fn prepare(
        &self,
        gpu: &Gpu,
        kernel: Kernel,
        jobs: &[&Job],
        memories: &Memories,
    ) -> Result<Vec<Prepared>> {
        let buffers: Vec<&Buffer> = memories.of(kernel);
        match kernel {
            Kernel::Product | Kernel::DenseGradient => {
                let products = jobs.iter().map(|job| match job {
                    Job::Product(job) => *job,
                    _ => unreachable!("a product's jobs are products"),
                });
                let most = self.variant.product.filters_4;
                let widths = by_width(products, |job| width(job.filters.div_ceil(4), most));
                let prepare = |(width, jobs): (u32, Vec<ProductJob>)| {
                    let tile = product::Tile { filters_4: width, ..self.variant.product };
                    let cell = &self.products[width as usize - 1];
                    let own = made(cell, || ProductKernel::new(gpu, tile))?;
                    let buffers = [buffers[0], buffers[1]];
                    let jobs = own.plan(gpu, &jobs, buffers)?;
                    Ok(gpu.prepare(&own.dispatch(&jobs, buffers)))
                };
                widths.into_iter().rev().map(prepare).collect()
            }
            Kernel::Correlation => {
                let correlations = jobs.iter().map(|job| match job {
                    Job::Correlation(job) => *job,
                    _ => unreachable!("a correlation's jobs are correlations"),
                });
                let most = self.variant.correlation;
                let widths = by_width(correlations, |job| {
                    let offsets_4 = width(job.offsets().div_ceil(4), most.offsets_4);
                    [offsets_4, width(job.filters, most.filters)]
                });
                let prepare = |([offsets_4, filters], jobs): ([u32; 2], Vec<CorrelationJob>)| {
                    let tile = correlation::Tile { offsets_4, filters, ..most };
                    let cell = &self.correlations[offsets_4 as usize - 1][filters as usize - 1];
                    let own = made(cell, || CorrelationKernel::new(gpu, tile))?;
                    let buffers = [buffers[0], buffers[1]];
                    let jobs = own.plan(gpu, &jobs, buffers)?;
                    Ok(gpu.prepare(&own.dispatch(&jobs, buffers)))
                };
                widths.into_iter().rev().map(prepare).collect()
            }
            _ => Ok(vec![self.prepare_elements(gpu, kernel, jobs, memories)?]),
        }
    }

    fn prepare_elements(
        &self,
        gpu: &Gpu,
        kernel: Kernel,
        jobs: &[&Job],
        memories: &Memories,
    ) -> Result<Prepared> {
        let shader = kernel.shader();
        let constants = [("ELEMENTS", self.variant.elements), ("THREADS", THREADS)];
        let pipeline = made(&self.others[shader.name], || gpu.pipeline(shader, &constants))?;
        let own = jobs.iter().map(|job| match job {
            Job::Elements(job) => job,
            _ => unreachable!("the other kernels have sums of their own"),
        });
        let own: Vec<&ElementsJob> = own.collect();
        for job in &own {
            for (memory, bytes) in &job.reaches {
                assert!(kernel.memories().contains(memory), "{kernel:?} knows no {memory:?}");
                assert!(*bytes <= memories.get(*memory).bytes(), "{kernel:?}: {job:?}");
            }
        }
        let records: Vec<Record> = own.iter().map(|job| job.record).collect();
        let tiles: Vec<Tiles> =
            own.iter().map(|job| job.tiles(kernel, self.variant.elements)).collect();
        let jobs = Jobs::upload(gpu, &records, &tiles, THREADS)?;
        let mut buffers = vec![&jobs.tasks, &jobs.records];
        buffers.extend(memories.of(kernel));
        Ok(gpu.prepare(&Dispatch { pipeline, buffers, workgroups: jobs.workgroups }))
    }
}

fn cells<T>(count: u32) -> Vec<OnceCell<T>> {
    (0..count).map(|_| OnceCell::new()).collect()
}

/// How wide the tiles of a job of `count` filters or offsets are, of at most `most`: as even as can
/// be, so that little of the last one is cut off.
fn width(count: u32, most: u32) -> u32 {
    count.div_ceil(count.div_ceil(most))
}

/// Jobs by the width of their tiles.
fn by_width<T, W: Ord>(
    jobs: impl Iterator<Item = T>,
    width: impl Fn(&T) -> W,
) -> BTreeMap<W, Vec<T>> {
    let mut widths: BTreeMap<W, Vec<T>> = BTreeMap::new();
    for job in jobs {
        widths.entry(width(&job)).or_default().push(job);
    }
    widths
}

/// Threads of a workgroup of the kernels that need no others.
const THREADS: u32 = 64;

/// What a cell holds, made now if it is empty.
fn made<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(there) = cell.get() {
        return Ok(there);
    }
    let new = make()?;
    Ok(cell.get_or_init(|| new))
}
