//! A device: memory, pipelines, submissions, and what can go wrong with them.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base::error::{Error, Result, unavailable};
use bytemuck::{AnyBitPattern, NoUninit};
use wgpu::{
    BindGroupDescriptor, BindGroupEntry, BufferDescriptor, BufferUsages, CommandEncoder,
    CommandEncoderDescriptor, ComputePassDescriptor, ComputePassTimestampWrites, ComputePipeline,
    ComputePipelineDescriptor, DeviceDescriptor, ErrorFilter, Features, MapMode,
    PipelineCompilationOptions, PollError, PollType, QuerySet, QuerySetDescriptor, QueryType,
    SubmissionIndex,
};

use super::adapter::{Adapter, Description};
use super::shaders::Shader;
use super::trusted;

/// How long one wait is, before the device is asked whether it is still there ...
const TURN: Duration = Duration::from_millis(250);
/// ... and how long a submission may take in all. They are made to take less than a second.
const PATIENCE: Duration = Duration::from_mins(2);

/// What trainings on a software adapter share of each memory, unless one alone needs more: some
/// caches' worth.
const SHARED_IN_SOFTWARE: u64 = 1 << 24;

/// Bytes of a step's number: a uniform of four words.
pub const TICK_BYTES: u64 = 16;

/// An adapter in use.
#[derive(Debug)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    description: Description,
    /// The first thing that went wrong behind our back: a lost device, a command refused.
    broken: Arc<OnceLock<String>>,
    clock: Option<Clock>,
}

/// Timestamps of the beginning and the end of a pass.
#[derive(Debug)]
struct Clock {
    queries: QuerySet,
    ticks: Buffer,
    nanoseconds_a_tick: f64,
}

/// Memory of the device.
#[derive(Debug)]
pub struct Buffer {
    inner: wgpu::Buffer,
}

impl Buffer {
    pub fn bytes(&self) -> u64 {
        self.inner.size()
    }
}

/// A shader, compiled.
#[derive(Debug, Clone)]
pub struct Pipeline {
    inner: ComputePipeline,
    name: &'static str,
}

/// One run of a shader over `workgroups` workgroups, in two dimensions.
#[derive(Debug)]
pub struct Dispatch<'a> {
    pub pipeline: &'a Pipeline,
    /// In the order of their numbers.
    pub buffers: Vec<&'a Buffer>,
    pub workgroups: [u32; 2],
}

/// A dispatch that can be submitted again and again; it keeps the memory that it works on.
#[derive(Debug, Clone)]
pub struct Prepared {
    pipeline: ComputePipeline,
    group: wgpu::BindGroup,
    workgroups: [u32; 2],
}

/// How long a submission took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed {
    /// From the submission to the news of its end.
    pub wall: Duration,
    /// By the device's own clock, where it has one.
    pub device: Option<Duration>,
}

impl Elapsed {
    /// The better of the two.
    pub fn best(self) -> Duration {
        self.device.unwrap_or(self.wall)
    }
}

impl Prepared {
    fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        let [x, y] = self.workgroups;
        pass.dispatch_workgroups(x, y, 1);
    }
}

impl Gpu {
    /// Takes an adapter into use, with all the limits that it has. Errors: a limit too low, or an
    /// adapter that gives no device.
    pub fn open(adapter: &Adapter) -> Result<Self> {
        let description = adapter.description().clone();
        description.check()?;
        let inner = &adapter.inner;
        let features = inner.features() & Features::TIMESTAMP_QUERY;
        let request = inner.request_device(&DeviceDescriptor {
            label: Some("curvebook"),
            required_features: features,
            required_limits: inner.limits(),
            ..DeviceDescriptor::default()
        });
        let (device, queue) = pollster::block_on(request).map_err(|e| {
            let remedy = "close what else uses the adapter, or train with --device cpu";
            unavailable(adapter_named(&description), "device", "none", e, remedy)
        })?;
        let broken = Arc::new(OnceLock::new());
        let (lost, refused) = (Arc::clone(&broken), Arc::clone(&broken));
        // Nothing is said about a second failure: the first one is the cause.
        device.set_device_lost_callback(move |reason, message| {
            let _ = lost.set(format!("lost ({reason:?}): {message}"));
        });
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| {
            let _ = refused.set(e.to_string());
        }));
        let mut gpu = Self { device, queue, description, broken, clock: None };
        if features.contains(Features::TIMESTAMP_QUERY) {
            gpu.clock = Some(gpu.new_clock()?);
        }
        Ok(gpu)
    }

    pub fn description(&self) -> &Description {
        &self.description
    }

    fn new_clock(&self) -> Result<Clock> {
        let queries = self.device.create_query_set(&QuerySetDescriptor {
            label: Some("clock"),
            ty: QueryType::Timestamp,
            count: 2,
        });
        let usage = BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC;
        let ticks = self.buffer("ticks", 16, usage)?;
        let nanoseconds_a_tick = f64::from(self.queue.get_timestamp_period());
        Ok(Clock { queries, ticks, nanoseconds_a_tick })
    }

    /// The most bytes that a shader can have of one buffer.
    pub fn binding_bytes(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_buffer_size.min(limits.max_storage_buffer_binding_size)
    }

    /// The most bytes of a memory that trainings should share: a processor that plays a GPU gains
    /// nothing from company, and loses what no longer fits in its caches.
    pub fn shared_bytes(&self) -> u64 {
        if self.description.is_software() { SHARED_IN_SOFTWARE } else { self.binding_bytes() }
    }

    /// Memory, filled with 0. Errors: more than the adapter has, or more than one buffer may be.
    pub fn allocate(&self, label: &str, bytes: u64) -> Result<Buffer> {
        let copied = BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        self.buffer(label, bytes, BufferUsages::STORAGE | BufferUsages::UNIFORM | copied)
    }

    fn buffer(&self, label: &str, bytes: u64, usage: BufferUsages) -> Result<Buffer> {
        let refused = |why: &dyn std::fmt::Display| {
            let remedy = "train fewer configurations at once, or smaller batches";
            unavailable(self.named(), format!("bytes of {label}"), bytes, why, remedy)
        };
        let most = self.binding_bytes();
        if bytes > most {
            return Err(refused(&format!("a buffer holds at most {most} here")));
        }
        let descriptor =
            BufferDescriptor { label: Some(label), size: bytes, usage, mapped_at_creation: false };
        let inner = self.scoped(|| self.device.create_buffer(&descriptor));
        let inner = inner.map_err(|e| refused(&e))?;
        // A lost device hands out buffers that hold nothing.
        self.health().map(|()| Buffer { inner })
    }

    /// Does something that may fail, and says why it did.
    fn scoped<T>(&self, work: impl FnOnce() -> T) -> std::result::Result<T, wgpu::Error> {
        let filters = [ErrorFilter::OutOfMemory, ErrorFilter::Internal, ErrorFilter::Validation];
        let mut scopes = filters.map(|filter| Some(self.device.push_error_scope(filter)));
        let done = work();
        let mut error = None;
        // The innermost first.
        for scope in scopes.iter_mut().rev().filter_map(Option::take) {
            error = error.or(pollster::block_on(scope.pop()));
        }
        error.map_or(Ok(done), Err)
    }

    /// New memory with these values in it.
    pub fn upload<T: NoUninit>(&self, label: &str, values: &[T]) -> Result<Buffer> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let buffer = self.allocate(label, bytes.len() as u64)?;
        self.write(&buffer, 0, values);
        Ok(buffer)
    }

    /// Overwrites some of a buffer, from byte `first` on, before whatever is submitted next.
    pub fn write<T: NoUninit>(&self, buffer: &Buffer, first: u64, values: &[T]) {
        self.queue.write_buffer(&buffer.inner, first, bytemuck::cast_slice(values));
    }

    /// What is in some bytes of a buffer, once all work is done.
    pub fn download<T: NoUninit + AnyBitPattern>(
        &self,
        buffer: &Buffer,
        bytes: Range<u64>,
    ) -> Result<Vec<T>> {
        let size = bytes.end - bytes.start;
        let staging = self.buffer(
            "what is read back",
            size,
            BufferUsages::MAP_READ | BufferUsages::COPY_DST,
        )?;
        let mut encoder = self.encoder();
        encoder.copy_buffer_to_buffer(&buffer.inner, bytes.start, &staging.inner, 0, size);
        let index = self.queue.submit([encoder.finish()]);
        // The wait below calls back, and nothing is read before the range says that it is mapped.
        staging.inner.map_async(MapMode::Read, .., |_| ());
        self.wait(&index)?;
        let view = staging.inner.get_mapped_range(..);
        let view = view.map_err(|e| self.failed(format!("reading back: {e}")))?;
        Ok(bytemuck::pod_collect_to_vec(&view))
    }

    /// Compiles a shader with some of its constants changed. Errors: the driver refuses it.
    pub fn pipeline(&self, shader: &Shader, constants: &[(&str, u32)]) -> Result<Pipeline> {
        let text = shader.assemble(constants);
        let compiled = self.scoped(|| {
            let module = trusted::shader_module(&self.device, shader.name, &text);
            self.device.create_compute_pipeline(&ComputePipelineDescriptor {
                label: Some(shader.name),
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: PipelineCompilationOptions {
                    zero_initialize_workgroup_memory: false,
                    ..PipelineCompilationOptions::default()
                },
                cache: None,
            })
        });
        // A pipeline that fails can take the device with it in silence.
        match compiled {
            Ok(inner) => self.health().map(|()| Pipeline { inner, name: shader.name }),
            Err(e) => {
                let rule = format!("this driver does not compile it: {e}");
                let remedy = "update the driver, or train with --device cpu";
                Err(unavailable(self.named(), "shader", shader.name, rule, remedy))
            }
        }
    }

    /// Runs shaders, each after the one before, and waits for the last.
    pub fn run(&self, dispatches: &[Dispatch<'_>]) -> Result<()> {
        let mut encoder = self.encoder();
        self.record(dispatches, None, &mut encoder);
        self.wait(&self.queue.submit([encoder.finish()]))
    }

    /// Submits the steps of a pass, in each of which the shaders run one after the other, and waits
    /// for the last. `tick` is where they find the step's number.
    pub fn run_steps(
        &self,
        shaders: &[Prepared],
        steps: Range<u32>,
        [numbers, tick]: [&Buffer; 2],
    ) -> Result<()> {
        let mut encoder = self.encoder();
        for step in steps {
            encoder.copy_buffer_to_buffer(
                &numbers.inner,
                u64::from(step) * TICK_BYTES,
                &tick.inner,
                0,
                TICK_BYTES,
            );
            let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
            for shader in shaders {
                shader.record(&mut pass);
            }
        }
        self.wait(&self.queue.submit([encoder.finish()]))
    }

    /// Does the same, and says how long each step took: by the device's clock where it has one.
    pub fn time_steps(
        &self,
        shaders: &[Prepared],
        steps: Range<u32>,
        ticks: [&Buffer; 2],
    ) -> Result<Vec<Duration>> {
        steps.map(|step| self.time_step(shaders, step, ticks)).collect()
    }

    fn time_step(
        &self,
        shaders: &[Prepared],
        step: u32,
        [numbers, tick]: [&Buffer; 2],
    ) -> Result<Duration> {
        let mut encoder = self.encoder();
        let (first, into) = (u64::from(step) * TICK_BYTES, &tick.inner);
        encoder.copy_buffer_to_buffer(&numbers.inner, first, into, 0, TICK_BYTES);
        let timestamp_writes = self.clock.as_ref().map(|clock| ComputePassTimestampWrites {
            query_set: &clock.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        });
        let descriptor = ComputePassDescriptor { label: None, timestamp_writes };
        let mut pass = encoder.begin_compute_pass(&descriptor);
        for shader in shaders {
            shader.record(&mut pass);
        }
        drop(pass);
        if let Some(clock) = &self.clock {
            encoder.resolve_query_set(&clock.queries, 0..2, &clock.ticks.inner, 0);
        }
        let start = Instant::now();
        self.wait(&self.queue.submit([encoder.finish()]))?;
        let wall = start.elapsed();
        self.clock.as_ref().map_or(Ok(wall), |clock| self.read(clock))
    }

    /// Fills some bytes of a buffer with 0, before whatever is submitted next.
    pub fn clear(&self, buffer: &Buffer, bytes: Range<u64>) {
        let mut encoder = self.encoder();
        encoder.clear_buffer(&buffer.inner, bytes.start, Some(bytes.end - bytes.start));
        self.queue.submit([encoder.finish()]);
    }

    /// Does the same, and says how long it took.
    pub fn time(&self, dispatches: &[Dispatch<'_>]) -> Result<Elapsed> {
        let mut encoder = self.encoder();
        self.record(dispatches, self.clock.as_ref(), &mut encoder);
        if let Some(clock) = &self.clock {
            encoder.resolve_query_set(&clock.queries, 0..2, &clock.ticks.inner, 0);
        }
        let start = Instant::now();
        let index = self.queue.submit([encoder.finish()]);
        self.wait(&index)?;
        let wall = start.elapsed();
        Ok(Elapsed { wall, device: self.clock.as_ref().map(|c| self.read(c)).transpose()? })
    }

    fn encoder(&self) -> CommandEncoder {
        self.device.create_command_encoder(&CommandEncoderDescriptor::default())
    }

    fn record(
        &self,
        dispatches: &[Dispatch<'_>],
        clock: Option<&Clock>,
        encoder: &mut CommandEncoder,
    ) {
        let timestamp_writes = clock.map(|clock| ComputePassTimestampWrites {
            query_set: &clock.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        });
        let descriptor = ComputePassDescriptor { label: None, timestamp_writes };
        let mut pass = encoder.begin_compute_pass(&descriptor);
        for dispatch in dispatches {
            self.prepare(dispatch).record(&mut pass);
        }
    }

    /// Binds a dispatch to its memory.
    pub fn prepare(&self, dispatch: &Dispatch<'_>) -> Prepared {
        let Dispatch { pipeline, buffers, workgroups } = dispatch;
        let entries: Vec<BindGroupEntry<'_>> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| BindGroupEntry {
                binding,
                resource: buffer.inner.as_entire_binding(),
            })
            .collect();
        let group = self.device.create_bind_group(&BindGroupDescriptor {
            label: Some(pipeline.name),
            layout: &pipeline.inner.get_bind_group_layout(0),
            entries: &entries,
        });
        Prepared { pipeline: pipeline.inner.clone(), group, workgroups: *workgroups }
    }

    /// What the device's clock says of the last pass.
    fn read(&self, clock: &Clock) -> Result<Duration> {
        let ticks: Vec<u64> = self.download(&clock.ticks, 0..16)?;
        #[expect(clippy::cast_precision_loss, reason = "a few seconds of ticks")]
        let nanoseconds = ticks[1].saturating_sub(ticks[0]) as f64 * clock.nanoseconds_a_tick;
        Ok(Duration::from_secs_f64(nanoseconds * 1e-9))
    }

    /// Waits in turns, so that a device that is gone is noticed.
    fn wait(&self, index: &SubmissionIndex) -> Result<()> {
        let start = Instant::now();
        loop {
            let turn =
                PollType::Wait { submission_index: Some(index.clone()), timeout: Some(TURN) };
            match self.device.poll(turn) {
                Ok(_) => return self.health(),
                Err(PollError::Timeout) if start.elapsed() < PATIENCE => self.health()?,
                Err(PollError::Timeout) => {
                    let seconds = PATIENCE.as_secs();
                    return Err(self.failed(format!("no answer within {seconds} s")));
                }
                // A submission that a lost device never took has no number to wait for, and the
                // news of the loss may come in a later turn.
                Err(e) => {
                    let _ = self.device.poll(PollType::Poll);
                    return self.health().and(Err(self.failed(e.to_string())));
                }
            }
        }
    }

    /// Takes the device away, as a driver may at any moment.
    #[cfg(test)]
    pub(super) fn lose(&self) {
        self.device.destroy();
    }

    /// Whether everything so far went well.
    fn health(&self) -> Result<()> {
        self.broken.get().map_or(Ok(()), |message| Err(self.failed(message.clone())))
    }

    fn failed(&self, message: String) -> Error {
        let rule = "it must stay with us until the work is done";
        let remedy = "start again: what was kept is taken up; or train with --device cpu";
        unavailable(self.named(), "device", message, rule, remedy)
    }

    fn named(&self) -> String {
        adapter_named(&self.description)
    }
}

fn adapter_named(description: &Description) -> String {
    format!("adapter {}", description.line())
}
