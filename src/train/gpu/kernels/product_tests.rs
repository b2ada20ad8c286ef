//! `product.wgsl` against its twin, and against its formula done by hand.

#![expect(clippy::cast_precision_loss, reason = "small counts")]

use super::Compiled;
use super::product::{LANES, PRODUCT, ProductJob, Tile, in_fours};
use super::tasks::reach;
use super::twin::{self, POISON, Random};
use crate::cpu::lanes::{Lanes, Level};
use crate::cpu::product::Product;
use crate::gpu::device::Buffer;

/// Jobs of all sorts, with what they read and where they write in one memory.
#[derive(Default)]
struct RaggedJobs {
    jobs: Vec<ProductJob>,
    values: Vec<Lanes>,
    weights: Vec<f32>,
}

impl RaggedJobs {
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
fn by_hand(ragged: &RaggedJobs, is_fused: bool) -> Vec<f32> {
    let mut values = ragged.values.clone();
    for job in &ragged.jobs {
        let row = job.filters.next_multiple_of(4);
        let from = places(job.places, job.x, job.x_steps);
        let to = places(job.places, job.out, job.out_steps);
        let weight =
            |inner: u32, f: u32| ragged.weights[(job.weights * 4 + inner * row + f) as usize];
        let bias = |f: u32| job.bias.map_or(0.0, |bias| ragged.weights[(bias * 4 + f) as usize]);
        for ((from, to), f) in
            from.iter().zip(&to).flat_map(|p| (0..job.filters).map(move |f| (p, f)))
        {
            let mut sums = [bias(f); LANES as usize];
            for inner in 0..job.taps * job.run {
                let at = inner / job.run * job.tap_step + inner % job.run;
                for (sum, x) in sums.iter_mut().zip(ragged.values[from + at as usize].0) {
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
    let (mut random, mut ragged) = (Random::new(1), RaggedJobs::default());
    for number in 0..60 {
        ragged.add(&mut random, number % 20 == 7);
    }
    let expected = ragged.on_the_cpu();
    for [places, filters_4, threads] in
        [[1, 1, 64], [4, 2, 64], [3, 1, 16], [6, 3, 32], [8, 4, 128]]
    {
        let values = gpu.upload("values", &ragged.values).unwrap();
        let weights = gpu.upload("weights", &ragged.weights).unwrap();
        let kernel = Compiled::new(&gpu, &PRODUCT, Tile { places, filters_4, threads }).unwrap();
        let jobs = kernel.plan(&gpu, &ragged.jobs, &[&values, &weights]).unwrap();
        gpu.run(&[kernel.dispatch(&jobs, &[&values, &weights])]).unwrap();
        let found: Vec<Lanes> = gpu.download(&values, 0..values.bytes()).unwrap();
        let what = format!("{places} places, {filters_4} x 4 filters, {threads} threads");
        let [found, expected] = [&found, &expected].map(|values| bytemuck::cast_slice(values));
        let by_hand = |is_fused| by_hand(&ragged, is_fused);
        twin::compare(&gpu, found, expected, by_hand, (4 * 21 + 1, &what));
    }
}

#[test]
fn a_job_alone_gives_the_bits_that_it_gives_in_company() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut ragged) = (Random::new(2), RaggedJobs::default());
    (0..12).for_each(|_| ragged.add(&mut random, false));
    let kernel =
        Compiled::new(&gpu, &PRODUCT, Tile { places: 4, filters_4: 2, threads: 64 }).unwrap();
    let weights = gpu.upload("weights", &ragged.weights).unwrap();
    let run = |jobs: &[ProductJob], values: &Buffer| {
        let jobs = kernel.plan(&gpu, jobs, &[values, &weights]).unwrap();
        gpu.run(&[kernel.dispatch(&jobs, &[values, &weights])]).unwrap();
    };
    let [together, alone] = [(); 2].map(|()| gpu.upload("values", &ragged.values).unwrap());
    run(&ragged.jobs, &together);
    ragged.jobs.iter().for_each(|job| run(std::slice::from_ref(job), &alone));
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
    let kernel = Compiled::new(&gpu, &PRODUCT, tile).unwrap();
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
    let jobs = kernel.plan(&gpu, &[job], &[&values, &weights]).unwrap();
    assert_eq!(jobs.workgroups, [33_750, 2]);
    gpu.run(&[kernel.dispatch(&jobs, &[&values, &weights])]).unwrap();
    let found: Vec<f32> = gpu.download(&values, values.bytes() / 2..values.bytes()).unwrap();
    assert!(found.iter().zip(&numbers).all(|(out, x)| *out == 2.0 * x + 3.0));
}

#[test]
#[should_panic(expected = "reads what it writes")]
fn a_job_that_reads_what_it_writes_is_refused() {
    let (mut random, mut ragged) = (Random::new(3), RaggedJobs::default());
    ragged.add(&mut random, false);
    ProductJob { out: ragged.jobs[0].x, ..ragged.jobs[0] }.check_within(1 << 20, 1 << 20);
}

#[test]
fn jobs_beyond_a_buffer_are_refused() {
    let (mut random, mut ragged) = (Random::new(4), RaggedJobs::default());
    ragged.add(&mut random, false);
    let (job, values) = (ragged.jobs[0], ragged.values.len() as u64);
    let weights = ragged.weights.len() as u64 / 4;
    job.check_within(values, weights);
    for (values, weights) in [(u64::from(job.out), weights), (values, 0)] {
        assert!(std::panic::catch_unwind(|| job.check_within(values, weights)).is_err());
    }
}

#[test]
fn rows_of_weights_are_filled_up_to_whole_fours() {
    assert_eq!(in_fours(&[1.0, 2.0, 3.0], 1).len(), 12);
    assert_eq!(in_fours(&[1.0; 10], 5)[3..9], [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn a_rectifier_keeps_nan_and_infinity() {
    let Some(gpu) = twin::gpu() else { return };
    let mut x = Lanes([-1.0; LANES as usize]);
    (x.0[1], x.0[5], x.0[9]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
    let values = gpu.upload("values", &[x, POISON]).unwrap();
    let weights = gpu.upload("weights", &in_fours(&[2.0], 1)).unwrap();
    let kernel =
        Compiled::new(&gpu, &PRODUCT, Tile { places: 2, filters_4: 1, threads: 16 }).unwrap();
    let job = ProductJob {
        x: 0,
        out: 1,
        weights: 0,
        bias: None,
        taps: 1,
        run: 1,
        tap_step: 1,
        filters: 1,
        places: [1, 1, 1],
        x_steps: [0; 3],
        out_steps: [0; 3],
        out_filter: 1,
        rectify: true,
    };
    let jobs = kernel.plan(&gpu, &[job], &[&values, &weights]).unwrap();
    gpu.run(&[kernel.dispatch(&jobs, &[&values, &weights])]).unwrap();
    let found = gpu.download::<Lanes>(&values, 64..128).unwrap()[0].0;
    assert!(found[1].is_nan(), "{found:?}");
    assert_eq!([found[0], found[5], found[9]], [0.0, f32::INFINITY, 0.0]);
}
