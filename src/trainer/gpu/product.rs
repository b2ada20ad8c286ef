//! Convolutions and dense layers: the host's side of `shaders/product.wgsl`, the twin of
//! [`Product`](crate::trainer::cpu).
//!
//! Both sum in one order and round each term once: the bits are the same wherever `fma` is fused,
//! and elsewhere each differs from the exact sum by at most twice as many roundings, 6e-8 of the
//! sum of the magnitudes each.

use bytemuck::{Pod, Zeroable};

use super::adapter::Description;
use super::device::{Buffer, Dispatch, Gpu, Pipeline};
use super::shaders;
use super::tasks::{Jobs, Tiles, reach};
use crate::error::Result;

/// Images side by side; see [`crate::trainer::cpu`].
pub const LANES: u32 = 16;

/// Results that a thread holds in registers, for 4 images each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    pub places: u32,
    /// Filters, in fours.
    pub filters_4: u32,
    /// Threads of a workgroup.
    pub threads: u32,
}

impl Tile {
    /// What suits most adapters of a kind: a software adapter spends its time on reading, and
    /// reads least with large tiles; a GPU must hold them in registers.
    pub fn usual(adapter: &Description) -> Self {
        let [places, filters_4] = if adapter.is_software() { [8, 4] } else { [4, 2] };
        Self { places, filters_4, threads: 64 }
    }
}

/// What to compute; see the shader's formula. A "value" are the 16 images of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductJob {
    /// The first value read ...
    pub x: u32,
    /// ... and the first one written. What is written is read by no job of the same dispatch.
    pub out: u32,
    /// Where (taps, run, ceil(filters / 4)) vec4 of weights begin ...
    pub weights: u32,
    /// ... and the biases, likewise; none for 0.
    pub bias: Option<u32>,
    pub taps: u32,
    pub run: u32,
    /// Values from one run to the next.
    pub tap_step: u32,
    pub filters: u32,
    /// Places: groups, rows, columns ...
    pub places: [u32; 3],
    /// ... and the values from each to the next, to read ...
    pub x_steps: [u32; 3],
    /// ... and to write.
    pub out_steps: [u32; 3],
    /// Values from one filter to the next.
    pub out_filter: u32,
    /// Whether sums below 0 become 0.
    pub rectify: bool,
}

/// As it lies in the device's memory: `Job` of the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Record {
    x: u32,
    out: u32,
    weights: u32,
    bias: u32,
    taps: u32,
    run: u32,
    tap_step: u32,
    filters: u32,
    columns: u32,
    positions: u32,
    places: u32,
    rectify: u32,
    x_steps: [u32; 3],
    place_tiles: u32,
    out_steps: [u32; 3],
    out_filter: u32,
}

/// `NO_BIAS` of the shader.
const NO_BIAS: u32 = u32::MAX;

impl ProductJob {
    /// Asserts what the shader relies on: nothing lies outside the buffers, and nothing that is
    /// written is read.
    fn check(&self, values: u64, weights: u64) {
        let along = |steps: [u32; 3]| [0, 1, 2].map(|axis| (self.places[axis], steps[axis]));
        let counts = [self.taps, self.run, self.filters];
        assert!(counts.iter().chain(&self.places).all(|count| *count > 0), "{self:?}");
        let [groups, rows, columns] = along(self.x_steps);
        let taps = [(self.taps, self.tap_step), (self.run, 1)];
        let read = reach(self.x, &[groups, rows, columns, taps[0], taps[1]]);
        let [groups, rows, columns] = along(self.out_steps);
        let written = reach(self.out, &[groups, rows, columns, (self.filters, self.out_filter)]);
        assert!(read.max(written) <= values, "{self:?} reaches beyond {values} values");
        let (x, out) = (u64::from(self.x), u64::from(self.out));
        assert!(written <= x || read <= out, "{self:?} reads what it writes");
        let row = u64::from(self.filters.div_ceil(4));
        let inner = u64::from(self.taps) * u64::from(self.run);
        let end = u64::from(self.weights) + inner * row;
        let bias_end = self.bias.map_or(0, |bias| u64::from(bias) + row);
        assert!(end.max(bias_end) <= weights, "{self:?} reaches beyond {weights} weights");
    }

    fn place_count(&self) -> u32 {
        self.places.iter().product()
    }

    fn record(&self, tile: Tile) -> Record {
        let [_, rows, columns] = self.places;
        Record {
            x: self.x,
            out: self.out,
            weights: self.weights,
            bias: self.bias.unwrap_or(NO_BIAS),
            taps: self.taps,
            run: self.run,
            tap_step: self.tap_step,
            filters: self.filters,
            columns,
            positions: rows * columns,
            places: self.place_count(),
            rectify: self.rectify.into(),
            x_steps: self.x_steps,
            place_tiles: self.place_count().div_ceil(tile.places),
            out_steps: self.out_steps,
            out_filter: self.out_filter,
        }
    }

    fn tiles(&self, tile: Tile) -> Tiles {
        let steps = u64::from(self.taps) * u64::from(self.run);
        let filter_tiles = self.filters.div_ceil(4 * tile.filters_4);
        let results = f64::from(self.filters) * f64::from(self.place_count()) * f64::from(LANES);
        Tiles {
            count: self.place_count().div_ceil(tile.places) * filter_tiles,
            steps,
            flops: 2.0 * f64::from(self.taps) * f64::from(self.run) * results,
        }
    }
}

/// The shader, compiled with one size of tiles.
#[derive(Debug)]
pub struct ProductKernel {
    pipeline: Pipeline,
    tile: Tile,
}

impl ProductKernel {
    pub fn new(gpu: &Gpu, tile: Tile) -> Result<Self> {
        let constants =
            [("PLACES", tile.places), ("FILTERS_4", tile.filters_4), ("THREADS", tile.threads)];
        let pipeline = gpu.pipeline(&shaders::PRODUCT, &constants)?;
        Ok(Self { pipeline, tile })
    }

    /// Lists the tiles of `jobs`, which work on these buffers: values, and weights.
    pub fn plan(
        &self,
        gpu: &Gpu,
        jobs: &[ProductJob],
        [values, weights]: [&Buffer; 2],
    ) -> Result<Jobs> {
        let bytes = u64::from(LANES) * 4;
        // The shader counts in quarters of values.
        let values = (values.bytes() / bytes).min(u64::from(u32::MAX / 4));
        for job in jobs {
            job.check(values, weights.bytes() / 16);
        }
        let records: Vec<Record> = jobs.iter().map(|job| job.record(self.tile)).collect();
        let tiles: Vec<Tiles> = jobs.iter().map(|job| job.tiles(self.tile)).collect();
        Jobs::upload(gpu, &records, &tiles, self.tile.threads)
    }

    /// Computes what was planned for these buffers.
    pub fn dispatch<'a>(
        &'a self,
        jobs: &'a Jobs,
        [values, weights]: [&'a Buffer; 2],
    ) -> Dispatch<'a> {
        Dispatch {
            pipeline: &self.pipeline,
            buffers: vec![&jobs.tasks, &jobs.records, values, weights],
            workgroups: jobs.workgroups,
        }
    }
}

/// Weights (inner, filters) in the shader's order: rows of whole fours, filled up with 0.
pub fn in_fours(weights: &[f32], filters: usize) -> Vec<f32> {
    let row = |row: &[f32]| {
        let mut row = row.to_vec();
        row.resize(filters.next_multiple_of(4), 0.0);
        row
    };
    weights.chunks(filters).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]
    use super::*;
    use crate::trainer::cpu::lanes::{Lanes, Level};
    use crate::trainer::cpu::product::Product;
    use crate::trainer::gpu::twin::{self, POISON, Random};

    /// Jobs of all sorts, with what they read and where they write in one memory.
    #[derive(Default)]
    struct Lot {
        jobs: Vec<ProductJob>,
        values: Vec<Lanes>,
        weights: Vec<f32>,
    }

    impl Lot {
        /// A job of random sizes, of which `least` are as small as can be.
        fn add(&mut self, random: &mut Random, is_least: bool) {
            let mut up_to = |most| if is_least { 1 } else { random.count(1, most) };
            let [taps, run, filters] = [up_to(4), up_to(21), up_to(41)];
            let places = [up_to(3), up_to(5), up_to(6)];
            let x_column = up_to(7);
            let [x_row, tap_step] = [x_column * up_to(9), up_to(30)];
            let x_steps = [x_row * places[1] + up_to(9), x_row, x_column];
            let (is_biased, is_by_filter) = (up_to(2) == 1, up_to(3) == 2);
            let place_count: u32 = places.iter().product();
            // Results lie place by place or filter by filter, with something in between.
            let (step, out_filter) =
                if is_by_filter { (2, place_count * 2 + 1) } else { (filters + 1, 1) };
            let out_steps = [places[1] * places[2] * step, places[2] * step, step];
            let along = [0, 1, 2].map(|axis| (places[axis], x_steps[axis]));
            let (x, weights) = (self.values.len(), self.weights.len() / 4);
            let read = reach(0, &[along[0], along[1], along[2], (taps, tap_step), (run, 1)]);
            self.values.extend((0..read).map(|_| random.lanes()));
            let out = self.values.len();
            let written = (filters + 1) * (place_count + 1) * 2;
            self.values.extend((0..written).map(|_| POISON));
            let row = filters.next_multiple_of(4);
            // What is behind the last filter must have no effect.
            for _ in 0..=taps * run {
                self.weights.extend((0..row).map(|filter| match filter {
                    _ if filter < filters => random.number(),
                    _ => f32::NAN,
                }));
            }
            let count = |count: usize| u32::try_from(count).unwrap();
            let bias = is_biased.then(|| count(weights) + taps * run * row / 4);
            self.jobs.push(ProductJob {
                x: count(x),
                out: count(out),
                weights: count(weights),
                bias,
                taps,
                run,
                tap_step,
                filters,
                places,
                x_steps,
                out_steps,
                out_filter,
                rectify: random.count(0, 1) == 1,
            });
        }

        /// What the twin makes of the values.
        fn on_the_cpu(&self) -> Vec<Lanes> {
            let mut values = self.values.clone();
            for job in &self.jobs {
                let taps: Vec<usize> = (0..job.taps).map(|t| (t * job.tap_step) as usize).collect();
                let row = job.filters.next_multiple_of(4) as usize;
                let bias = job.bias.map_or(&[][..], |bias| &self.weights[bias as usize * 4..]);
                let product = Product {
                    x: &self.values,
                    from: &places(job.places, job.x, job.x_steps),
                    taps: &taps,
                    run: job.run as usize,
                    spans: &[],
                    bias: &bias[..bias.len().min(job.filters as usize)],
                    rectify: job.rectify,
                    out: &mut values,
                    to: &places(job.places, job.out, job.out_steps),
                    step: job.out_filter as usize,
                };
                let weight = |tap: usize, j: usize, filter: usize| {
                    let at = (tap * job.run as usize + j) * row + filter;
                    self.weights[job.weights as usize * 4 + at]
                };
                product.compute(Level::best(), job.filters as usize, weight, &mut Vec::new());
            }
            values
        }
    }

    /// The formula, term by term.
    fn by_hand(lot: &Lot, is_fused: bool) -> Vec<f32> {
        let mut values = lot.values.clone();
        for job in &lot.jobs {
            let row = job.filters.next_multiple_of(4);
            let from = places(job.places, job.x, job.x_steps);
            let to = places(job.places, job.out, job.out_steps);
            let weight =
                |inner: u32, f: u32| lot.weights[(job.weights * 4 + inner * row + f) as usize];
            let bias = |f: u32| job.bias.map_or(0.0, |bias| lot.weights[(bias * 4 + f) as usize]);
            for ((from, to), f) in
                from.iter().zip(&to).flat_map(|p| (0..job.filters).map(move |f| (p, f)))
            {
                let mut sums = [bias(f); LANES as usize];
                for inner in 0..job.taps * job.run {
                    let at = inner / job.run * job.tap_step + inner % job.run;
                    for (sum, x) in sums.iter_mut().zip(lot.values[from + at as usize].0) {
                        *sum = twin::multiply_add(is_fused, weight(inner, f), x, *sum);
                    }
                }
                let rectified = |x: f32| if job.rectify && x < 0.0 { 0.0 } else { x };
                values[to + (f * job.out_filter) as usize] = Lanes(sums.map(rectified));
            }
        }
        bytemuck::cast_slice(&values).to_vec()
    }

    fn places([groups, rows, columns]: [u32; 3], start: u32, steps: [u32; 3]) -> Vec<usize> {
        let place = |group: u32, row: u32, column: u32| {
            (start + group * steps[0] + row * steps[1] + column * steps[2]) as usize
        };
        (0..groups)
            .flat_map(|g| (0..rows).flat_map(move |r| (0..columns).map(move |c| place(g, r, c))))
            .collect()
    }

    #[test]
    fn many_ragged_jobs_at_once_give_what_the_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut lot) = (Random::new(1), Lot::default());
        for number in 0..60 {
            lot.add(&mut random, number % 20 == 7);
        }
        let expected = lot.on_the_cpu();
        for [places, filters_4, threads] in
            [[1, 1, 64], [4, 2, 64], [3, 1, 16], [6, 3, 32], [8, 4, 128]]
        {
            let values = gpu.upload("values", &lot.values).unwrap();
            let weights = gpu.upload("weights", &lot.weights).unwrap();
            let kernel = ProductKernel::new(&gpu, Tile { places, filters_4, threads }).unwrap();
            let jobs = kernel.plan(&gpu, &lot.jobs, [&values, &weights]).unwrap();
            gpu.run(&[kernel.dispatch(&jobs, [&values, &weights])]).unwrap();
            let found: Vec<Lanes> = gpu.download(&values, 0..values.bytes()).unwrap();
            let what = format!("{places} places, {filters_4} x 4 filters, {threads} threads");
            let [found, expected] = [&found, &expected].map(|values| bytemuck::cast_slice(values));
            let by_hand = |is_fused| by_hand(&lot, is_fused);
            twin::compare(&gpu, found, expected, by_hand, (4 * 21 + 1, &what));
        }
    }

    #[test]
    fn a_job_alone_gives_the_bits_that_it_gives_in_company() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut lot) = (Random::new(2), Lot::default());
        (0..12).for_each(|_| lot.add(&mut random, false));
        let kernel =
            ProductKernel::new(&gpu, Tile { places: 4, filters_4: 2, threads: 64 }).unwrap();
        let weights = gpu.upload("weights", &lot.weights).unwrap();
        let run = |jobs: &[ProductJob], values: &Buffer| {
            let jobs = kernel.plan(&gpu, jobs, [values, &weights]).unwrap();
            gpu.run(&[kernel.dispatch(&jobs, [values, &weights])]).unwrap();
        };
        let [together, alone] = [(); 2].map(|()| gpu.upload("values", &lot.values).unwrap());
        run(&lot.jobs, &together);
        lot.jobs.iter().for_each(|job| run(std::slice::from_ref(job), &alone));
        let [together, alone]: [Vec<u32>; 2] =
            [together, alone].map(|values| gpu.download(&values, 0..values.bytes()).unwrap());
        assert_eq!(together, alone);
    }

    /// A dispatch has at most 65,535 workgroups in one dimension.
    #[test]
    fn more_tasks_than_one_dimension_holds_are_all_done() {
        let Some(gpu) = twin::gpu() else { return };
        let (count, lanes) = (270_000_u32, LANES as usize);
        let mut numbers: Vec<f32> = (0..count * LANES).map(|n| (n % 1_021) as f32).collect();
        numbers.resize(2 * count as usize * lanes, f32::NAN);
        let values = gpu.upload("values", &numbers).unwrap();
        let weights = gpu.upload("weights", &in_fours(&[2.0, 3.0], 1)).unwrap();
        let tile = Tile { places: 1, filters_4: 1, threads: 16 };
        let kernel = ProductKernel::new(&gpu, tile).unwrap();
        let job = ProductJob {
            x: 0,
            out: count,
            weights: 0,
            bias: Some(1),
            taps: 1,
            run: 1,
            tap_step: 0,
            filters: 1,
            places: [count, 1, 1],
            x_steps: [1, 0, 0],
            out_steps: [1, 0, 0],
            out_filter: 1,
            rectify: false,
        };
        let jobs = kernel.plan(&gpu, &[job], [&values, &weights]).unwrap();
        assert_eq!(jobs.workgroups, [33_750, 2]);
        gpu.run(&[kernel.dispatch(&jobs, [&values, &weights])]).unwrap();
        let found: Vec<f32> = gpu.download(&values, values.bytes() / 2..values.bytes()).unwrap();
        assert!(found.iter().zip(&numbers).all(|(out, x)| *out == 2.0 * x + 3.0));
    }

    #[test]
    #[should_panic(expected = "reads what it writes")]
    fn a_job_that_reads_what_it_writes_is_refused() {
        let (mut random, mut lot) = (Random::new(3), Lot::default());
        lot.add(&mut random, false);
        ProductJob { out: lot.jobs[0].x, ..lot.jobs[0] }.check(1 << 20, 1 << 20);
    }

    #[test]
    fn jobs_beyond_a_buffer_are_refused() {
        let (mut random, mut lot) = (Random::new(4), Lot::default());
        lot.add(&mut random, false);
        let (job, values) = (lot.jobs[0], lot.values.len() as u64);
        let weights = lot.weights.len() as u64 / 4;
        job.check(values, weights);
        for (values, weights) in [(u64::from(job.out), weights), (values, 0)] {
            assert!(std::panic::catch_unwind(|| job.check(values, weights)).is_err());
        }
    }

    #[test]
    fn rows_of_weights_are_filled_up_to_whole_fours() {
        assert_eq!(in_fours(&[1.0, 2.0, 3.0], 1).len(), 12);
        assert_eq!(in_fours(&[1.0; 10], 5)[3..9], [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
