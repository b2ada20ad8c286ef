//! `correlation.wgsl` against its twin, and against its formula done by hand.

use super::Compiled;
use super::correlation::{CORRELATION, CorrelationJob, Tile};
use super::product::LANES;
use super::tasks::reach;
use super::twin::{self, Random};
use crate::cpu::correlation::{Correlation, Offset};
use crate::cpu::lanes::{Lanes, Level};

/// Jobs of all sorts, with what they read, and poisoned sums.
#[derive(Default)]
struct RaggedJobs {
    jobs: Vec<CorrelationJob>,
    values: Vec<Lanes>,
    sums: Vec<f32>,
}

impl RaggedJobs {
    fn add(&mut self, random: &mut Random, is_least: bool) {
        let mut up_to = |most| if is_least { 1 } else { random.count(1, most) };
        let [taps, run, filters, stride] = [up_to(4), up_to(13), up_to(19), up_to(3) - 1];
        let places = [up_to(3), up_to(5), up_to(6)];
        let x_column = up_to(7);
        let [x_row, tap_step] = [x_column * up_to(9), up_to(30)];
        let x_steps = [x_row * places[1] + up_to(9), x_row, x_column];
        let around = [up_to(2), up_to(5), up_to(5)].map(|more| more - 1);
        let along = [0, 1, 2].map(|axis| (places[axis], x_steps[axis]));
        let read = reach(0, &[along[0], along[1], along[2], (taps, tap_step), (run, 1)]);
        let count = |count: usize| u32::try_from(count).unwrap();
        let (x, sums) = (count(self.values.len()), count(self.sums.len()));
        self.values.extend((0..read).map(|_| random.lanes()));
        let d_output = count(self.values.len());
        // The gradient has a frame, too.
        let d_column = filters + around[0];
        let d_row = d_column * places[2] + around[1];
        let d_steps = [d_row * places[1] + around[2], d_row, d_column];
        let along = [0, 1, 2].map(|axis| (places[axis], d_steps[axis]));
        let d_outputs = reach(0, &[along[0], along[1], along[2], (filters, 1)]);
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
            d_steps,
        });
    }

    /// What the twin makes of it.
    fn on_the_cpu(&self) -> Vec<f32> {
        let mut sums = self.sums.clone();
        for job in &self.jobs {
            let positions = (job.places[1] * job.places[2]) as usize;
            let from = places(job, job.x, job.x_steps);
            let offsets: Vec<Offset> = (0..job.taps * job.run)
                .map(|k| (k / job.run * job.tap_step + k % job.run) as usize)
                .map(|at| Offset { at, places: 0..positions })
                .collect();
            let filters = job.filters as usize;
            let d_places = places(job, job.d_output, job.d_steps);
            let d_output: Vec<Lanes> =
                d_places.iter().flat_map(|at| self.values[*at..*at + filters].to_vec()).collect();
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
                d_output: &d_output,
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
fn places(job: &CorrelationJob, start: u32, steps: [u32; 3]) -> Vec<usize> {
    let [groups, rows, columns] = job.places;
    let [by_group, by_row, by_column] = steps;
    let at = |place: u32| {
        let (group, row, column) =
            (place / columns / rows, place / columns % rows, place % columns);
        (start + group * by_group + row * by_row + column * by_column) as usize
    };
    (0..groups * rows * columns).map(at).collect()
}

/// The formula, term by term.
fn by_hand(ragged: &RaggedJobs, is_fused: bool) -> Vec<f32> {
    let mut all = ragged.sums.clone();
    for job in &ragged.jobs {
        let from = places(job, job.x, job.x_steps);
        let d_from = places(job, job.d_output, job.d_steps);
        for (k, f) in (0..job.offsets()).flat_map(|k| (0..job.filters).map(move |f| (k, f))) {
            let at = (k / job.run * job.tap_step + k % job.run) as usize;
            let mut sums = [0.0; LANES as usize];
            for (place, from) in from.iter().enumerate() {
                let d = d_from[place] + f as usize;
                let (x, d) = (ragged.values[from + at].0, ragged.values[d].0);
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
    let (mut random, mut ragged) = (Random::new(5), RaggedJobs::default());
    for number in 0..60 {
        ragged.add(&mut random, number % 20 == 7);
    }
    let expected = ragged.on_the_cpu();
    for [offsets_4, filters, threads] in
        [[1, 1, 64], [2, 4, 64], [1, 3, 16], [3, 5, 32], [4, 8, 32]]
    {
        let values = gpu.upload("values", &ragged.values).unwrap();
        let sums = gpu.upload("sums", &ragged.sums).unwrap();
        let tile = Tile { offsets_4, filters, threads };
        let kernel = Compiled::new(&gpu, &CORRELATION, tile).unwrap();
        let jobs = kernel.plan(&gpu, &ragged.jobs, &[&values, &sums]).unwrap();
        gpu.run(&[kernel.dispatch(&jobs, &[&values, &sums])]).unwrap();
        let found: Vec<f32> = gpu.download(&sums, 0..sums.bytes()).unwrap();
        let what = format!("{offsets_4} x 4 offsets, {filters} filters, {threads} threads");
        let by_hand = |is_fused| by_hand(&ragged, is_fused);
        twin::compare(&gpu, &found, &expected, by_hand, (3 * 5 * 6 * 16, &what));
    }
}

#[test]
fn jobs_beyond_a_buffer_are_refused() {
    let (mut random, mut ragged) = (Random::new(6), RaggedJobs::default());
    ragged.add(&mut random, false);
    let (job, values) = (ragged.jobs[0], ragged.values.len() as u64);
    job.check_within(values, ragged.sums.len() as u64);
    for (values, sums) in [(values - 1, ragged.sums.len() as u64), (values, 0)] {
        assert!(std::panic::catch_unwind(|| job.check_within(values, sums)).is_err());
    }
    let overlapping = CorrelationJob { stride: job.filters - 1, ..job };
    assert!(std::panic::catch_unwind(|| overlapping.check_within(values, 1 << 20)).is_err());
}
