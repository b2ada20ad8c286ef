//! Weight gradients of convolutions: the host's side of `shaders/correlation.wgsl`, the twin of
//! [`Correlation`](crate::trainer::cpu).
//!
//! Both sum in one order and round each term once: the bits are the same wherever `fma` is fused,
//! and elsewhere each differs from the exact sum by at most twice as many roundings, 6e-8 of the
//! sum of the magnitudes each.

use bytemuck::{Pod, Zeroable};

use super::adapter::Description;
use super::device::{Buffer, Dispatch, Gpu, Pipeline};
use super::product::LANES;
use super::shaders;
use super::tasks::{Jobs, Tiles, reach};
use crate::error::Result;

/// Results that a thread holds in registers, for 4 images each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Offsets, in fours.
    pub offsets_4: u32,
    pub filters: u32,
    /// Threads of a workgroup.
    pub threads: u32,
}

impl Tile {
    /// What suits most adapters of a kind; see [`super::product::Tile::usual`].
    pub fn usual(adapter: &Description) -> Self {
        let [offsets_4, filters] = if adapter.is_software() { [4, 8] } else { [2, 4] };
        Self { offsets_4, filters, threads: 32 }
    }
}

/// What to compute; see the shader's formula. A "value" are the 16 images of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CorrelationJob {
    /// The first value of the input ...
    pub x: u32,
    /// ... and of the output's gradient: (places, filters).
    pub d_output: u32,
    /// The first sum, and how far those of the next offset are.
    pub sums: u32,
    pub stride: u32,
    pub taps: u32,
    pub run: u32,
    /// Values from one run to the next.
    pub tap_step: u32,
    pub filters: u32,
    /// Places: groups, rows, columns ...
    pub places: [u32; 3],
    /// ... and the values from each to the next in the input.
    pub x_steps: [u32; 3],
}

/// As it lies in the device's memory: `Job` of the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Record {
    x: u32,
    d_output: u32,
    sums: u32,
    stride: u32,
    offsets: u32,
    run: u32,
    tap_step: u32,
    filters: u32,
    places: [u32; 3],
    filter_tiles: u32,
    x_steps: [u32; 3],
    reserved: u32,
}

impl CorrelationJob {
    fn offsets(&self) -> u32 {
        self.taps * self.run
    }

    fn place_count(&self) -> u32 {
        self.places.iter().product()
    }

    /// Asserts what the shader relies on: nothing lies outside the buffers.
    fn check(&self, values: u64, sums: u64) {
        let counts = [self.taps, self.run, self.filters];
        assert!(counts.iter().chain(&self.places).all(|count| *count > 0), "{self:?}");
        assert!(self.filters <= self.stride, "{self:?}: rows of sums overlap");
        let [groups, rows, columns] = [0, 1, 2].map(|axis| (self.places[axis], self.x_steps[axis]));
        let taps = [(self.taps, self.tap_step), (self.run, 1)];
        let x = reach(self.x, &[groups, rows, columns, taps[0], taps[1]]);
        let places = u64::from(self.place_count()) * u64::from(self.filters);
        let d_output = u64::from(self.d_output) + places;
        assert!(x.max(d_output) <= values, "{self:?} reaches beyond {values} values");
        let end = reach(self.sums, &[(self.offsets(), self.stride), (self.filters, 1)]);
        assert!(end <= sums, "{self:?} reaches beyond {sums} sums");
    }

    fn filter_tiles(&self, tile: Tile) -> u32 {
        self.filters.div_ceil(tile.filters)
    }

    fn record(&self, tile: Tile) -> Record {
        Record {
            x: self.x,
            d_output: self.d_output,
            sums: self.sums,
            stride: self.stride,
            offsets: self.offsets(),
            run: self.run,
            tap_step: self.tap_step,
            filters: self.filters,
            places: self.places,
            filter_tiles: self.filter_tiles(tile),
            x_steps: self.x_steps,
            reserved: 0,
        }
    }

    fn tiles(&self, tile: Tile) -> Tiles {
        let products = f64::from(self.offsets()) * f64::from(self.filters);
        Tiles {
            count: self.offsets().div_ceil(4 * tile.offsets_4) * self.filter_tiles(tile),
            steps: self.place_count().into(),
            flops: 2.0 * products * f64::from(self.place_count()) * f64::from(LANES),
        }
    }
}

/// The shader, compiled with one size of tiles.
#[derive(Debug)]
pub struct CorrelationKernel {
    pipeline: Pipeline,
    tile: Tile,
}

impl CorrelationKernel {
    pub fn new(gpu: &Gpu, tile: Tile) -> Result<Self> {
        let constants =
            [("OFFSETS_4", tile.offsets_4), ("FILTERS", tile.filters), ("THREADS", tile.threads)];
        let pipeline = gpu.pipeline(&shaders::CORRELATION, &constants)?;
        Ok(Self { pipeline, tile })
    }

    /// Lists the tiles of `jobs`, which work on these buffers: values, and sums.
    pub fn plan(
        &self,
        gpu: &Gpu,
        jobs: &[CorrelationJob],
        [values, sums]: [&Buffer; 2],
    ) -> Result<Jobs> {
        let bytes = u64::from(LANES) * 4;
        // The shader counts in quarters of values.
        let values = (values.bytes() / bytes).min(u64::from(u32::MAX / 4));
        for job in jobs {
            job.check(values, sums.bytes() / 4);
        }
        let records: Vec<Record> = jobs.iter().map(|job| job.record(self.tile)).collect();
        let tiles: Vec<Tiles> = jobs.iter().map(|job| job.tiles(self.tile)).collect();
        Jobs::upload(gpu, &records, &tiles, self.tile.threads)
    }

    /// Computes what was planned for these buffers.
    pub fn dispatch<'a>(&'a self, jobs: &'a Jobs, [values, sums]: [&'a Buffer; 2]) -> Dispatch<'a> {
        Dispatch {
            pipeline: &self.pipeline,
            buffers: vec![&jobs.tasks, &jobs.records, values, sums],
            workgroups: jobs.workgroups,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::cpu::correlation::{Correlation, Offset};
    use crate::trainer::cpu::lanes::{Lanes, Level};
    use crate::trainer::gpu::twin::{self, Random};

    /// Jobs of all sorts, with what they read, and poisoned sums.
    #[derive(Default)]
    struct Lot {
        jobs: Vec<CorrelationJob>,
        values: Vec<Lanes>,
        sums: Vec<f32>,
    }

    impl Lot {
        fn add(&mut self, random: &mut Random, is_least: bool) {
            let mut up_to = |most| if is_least { 1 } else { random.count(1, most) };
            let [taps, run, filters, stride] = [up_to(4), up_to(13), up_to(19), up_to(3) - 1];
            let places = [up_to(3), up_to(5), up_to(6)];
            let x_column = up_to(7);
            let [x_row, tap_step] = [x_column * up_to(9), up_to(30)];
            let x_steps = [x_row * places[1] + up_to(9), x_row, x_column];
            let along = [0, 1, 2].map(|axis| (places[axis], x_steps[axis]));
            let read = reach(0, &[along[0], along[1], along[2], (taps, tap_step), (run, 1)]);
            let count = |count: usize| u32::try_from(count).unwrap();
            let (x, sums) = (count(self.values.len()), count(self.sums.len()));
            self.values.extend((0..read).map(|_| random.lanes()));
            let d_output = count(self.values.len());
            let d_outputs = filters * places.iter().product::<u32>();
            self.values.extend((0..d_outputs).map(|_| random.lanes()));
            let stride = filters + stride;
            self.sums.resize(self.sums.len() + (taps * run * stride) as usize, f32::NAN);
            self.jobs.push(CorrelationJob {
                x,
                d_output,
                sums,
                stride,
                taps,
                run,
                tap_step,
                filters,
                places,
                x_steps,
            });
        }

        /// What the twin makes of it.
        fn on_the_cpu(&self) -> Vec<f32> {
            let mut sums = self.sums.clone();
            for job in &self.jobs {
                let positions = (job.places[1] * job.places[2]) as usize;
                let from = from(job);
                let offsets: Vec<Offset> = (0..job.taps * job.run)
                    .map(|k| (k / job.run * job.tap_step + k % job.run) as usize)
                    .map(|at| Offset { at, places: 0..positions })
                    .collect();
                let d_output = &self.values[job.d_output as usize..];
                let filters = job.filters as usize;
                let own = &mut sums[job.sums as usize..];
                // The twin adds to what is there.
                for row in own.chunks_mut(job.stride as usize).take(offsets.len()) {
                    row[..filters].fill(0.0);
                }
                let correlation = Correlation {
                    x: &self.values,
                    from: &from,
                    offsets: &offsets,
                    positions,
                    d_output: &d_output[..from.len() * filters],
                    filters,
                    sums: own,
                    stride: job.stride as usize,
                };
                correlation.compute(Level::best());
            }
            sums
        }
    }

    /// Where each place begins.
    fn from(job: &CorrelationJob) -> Vec<usize> {
        let [groups, rows, columns] = job.places;
        let [by_group, by_row, by_column] = job.x_steps;
        let at = |place: u32| {
            let (group, row, column) =
                (place / columns / rows, place / columns % rows, place % columns);
            (job.x + group * by_group + row * by_row + column * by_column) as usize
        };
        (0..groups * rows * columns).map(at).collect()
    }

    /// The formula, term by term.
    fn by_hand(lot: &Lot, is_fused: bool) -> Vec<f32> {
        let mut all = lot.sums.clone();
        for job in &lot.jobs {
            let from = from(job);
            for (k, f) in (0..job.offsets()).flat_map(|k| (0..job.filters).map(move |f| (k, f))) {
                let at = (k / job.run * job.tap_step + k % job.run) as usize;
                let mut sums = [0.0; LANES as usize];
                for (place, from) in from.iter().enumerate() {
                    let d = job.d_output as usize + place * job.filters as usize + f as usize;
                    let (x, d) = (lot.values[from + at].0, lot.values[d].0);
                    for (lane, sum) in sums.iter_mut().enumerate() {
                        *sum = twin::multiply_add(is_fused, x[lane], d[lane], *sum);
                    }
                }
                for half in [8, 4, 2, 1] {
                    (0..half).for_each(|lane| sums[lane] += sums[lane + half]);
                }
                all[(job.sums + k * job.stride + f) as usize] = sums[0];
            }
        }
        all
    }

    #[test]
    fn many_ragged_jobs_at_once_give_what_the_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut lot) = (Random::new(5), Lot::default());
        for number in 0..60 {
            lot.add(&mut random, number % 20 == 7);
        }
        let expected = lot.on_the_cpu();
        for [offsets_4, filters, threads] in
            [[1, 1, 64], [2, 4, 64], [1, 3, 16], [3, 5, 32], [4, 8, 32]]
        {
            let values = gpu.upload("values", &lot.values).unwrap();
            let sums = gpu.upload("sums", &lot.sums).unwrap();
            let tile = Tile { offsets_4, filters, threads };
            let kernel = CorrelationKernel::new(&gpu, tile).unwrap();
            let jobs = kernel.plan(&gpu, &lot.jobs, [&values, &sums]).unwrap();
            gpu.run(&[kernel.dispatch(&jobs, [&values, &sums])]).unwrap();
            let found: Vec<f32> = gpu.download(&sums, 0..sums.bytes()).unwrap();
            let what = format!("{offsets_4} x 4 offsets, {filters} filters, {threads} threads");
            let by_hand = |is_fused| by_hand(&lot, is_fused);
            twin::compare(&gpu, &found, &expected, by_hand, (3 * 5 * 6 * 16, &what));
        }
    }

    #[test]
    fn jobs_beyond_a_buffer_are_refused() {
        let (mut random, mut lot) = (Random::new(6), Lot::default());
        lot.add(&mut random, false);
        let (job, values) = (lot.jobs[0], lot.values.len() as u64);
        job.check(values, lot.sums.len() as u64);
        for (values, sums) in [(values - 1, lot.sums.len() as u64), (values, 0)] {
            assert!(std::panic::catch_unwind(|| job.check(values, sums)).is_err());
        }
        let overlapping = CorrelationJob { stride: job.filters - 1, ..job };
        assert!(std::panic::catch_unwind(|| overlapping.check(values, 1 << 20)).is_err());
    }
}
