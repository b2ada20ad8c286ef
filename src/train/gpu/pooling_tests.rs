//! Poolings against their twins, forward and backward.

use super::elements::ElementsJob;
use super::kernels::Kernel;
use super::lot::Lot;
use super::twin::{self, Random};
use crate::cpu::avgpool_backward::avgpool_backward;
use crate::cpu::avgpool_forward::avgpool_forward;
use crate::cpu::lanes::{Lanes, Level};
use crate::cpu::maxpool_backward::maxpool_backward;
use crate::cpu::maxpool_forward::{Pooled, maxpool_forward};
use crate::model::{Shape, Window};

/// Images and the windows over them.
#[derive(Debug, Clone, Copy)]
struct Case {
    groups: u32,
    from: [u32; 3],
    to: [u32; 3],
    /// Height, width, stride, padding above and to the left.
    size: [u32; 3],
    before: [u32; 2],
}

impl Case {
    /// Windows apart, side by side, overlapping, and larger than the image; every one sees a pixel.
    fn random(random: &mut Random) -> Self {
        let size = [random.count(1, 4), random.count(1, 4), random.count(1, 5)];
        let channels = if random.count(0, 2) == 0 { 1 } else { random.count(2, 9) };
        let mut line = |window: u32| {
            let length = random.count(1, 9);
            let before = random.count(0, window - 1);
            // As far as a window begins within the image, or one less.
            let most = (length + before - 1) / size[2] + 1;
            (length, before, (most - random.count(0, 1)).max(1))
        };
        let [rows, columns] = [line(size[0]), line(size[1])];
        Self {
            groups: random.count(1, 3),
            from: [rows.0, columns.0, channels],
            to: [rows.2, columns.2, channels],
            size,
            before: [rows.1, columns.1],
        }
    }

    fn window(self) -> Window {
        let [height, width, stride] = self.size.map(|x| x as usize);
        Window { height, width, stride, before: self.before.map(|x| x as usize) }
    }

    /// The job's numbers; `image` those of the tensor that it reads.
    fn numbers(self, job: ElementsJob, image: [u32; 3]) -> ElementsJob {
        let [height, width, stride] = self.size;
        let job = job.numbers(0, [height, width, stride, !0]);
        job.numbers(1, [self.before[0], self.before[1], image[0], image[1]])
    }

    fn shapes(self) -> [Shape; 2] {
        [self.from, self.to].map(|shape| {
            let [height, width, channels] = shape.map(|x| x as usize);
            Shape { channels, height, width }
        })
    }

    /// Memory for the results of the twin.
    fn blank(self, shape: [u32; 3]) -> Vec<Lanes> {
        vec![twin::POISON; (self.groups * shape.iter().product::<u32>()) as usize]
    }

    /// What wins, and its places.
    fn winners(self, input: &[Lanes]) -> [Vec<Lanes>; 2] {
        let [mut best, mut won] = [(); 2].map(|()| self.blank(self.to));
        let [from, to] = self.shapes();
        let pooled = Pooled { shape: to, first: 0, values: &mut best[..], argmax: &mut won[..] };
        maxpool_forward(Level::best(), from, self.window(), input, pooled);
        [best, won]
    }
}

/// Few numbers, so that many are equal, and some that are none.
fn ties(random: &mut Random, numbers: &mut [Lanes]) {
    for lanes in numbers {
        lanes.0 = lanes.0.map(|x| (x * 3.0).round());
        if random.count(0, 9) == 0 {
            lanes.0[random.count(0, 15) as usize] = f32::NAN;
        }
    }
}

#[test]
fn maxpool_forward_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(11), Lot::new(Kernel::MaxpoolForward));
    for _ in 0..80 {
        let case = Case::random(&mut random);
        let (input, mut inputs) = lot.tensor(&mut random, case.groups, case.from);
        ties(&mut random, &mut inputs);
        lot.fill(input, &inputs);
        let [output, places] = [(); 2].map(|()| lot.room(&mut random, case.groups, case.to));
        let job = ElementsJob::new(output.shape()).a(input).b(output).c(places);
        lot.add(case.numbers(job, case.from));
        let [best, won] = case.winners(&inputs);
        lot.expect(output, &best, |_, _, _| 0.0);
        lot.expect(places, &won, |_, _, _| 0.0);
    }
    lot.check(&gpu, 0..1);
}

#[test]
fn maxpool_backward_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(12), Lot::new(Kernel::MaxpoolBackward));
    for _ in 0..80 {
        let case = Case::random(&mut random);
        let (_, mut inputs) = lot.tensor(&mut random, case.groups, case.from);
        ties(&mut random, &mut inputs);
        let [_, won] = case.winners(&inputs);
        let (gradient, gradients) = lot.tensor(&mut random, case.groups, case.to);
        let places = lot.room(&mut random, case.groups, case.to);
        lot.fill(places, &won);
        let result = lot.room(&mut random, case.groups, case.from);
        let job = ElementsJob::new(result.shape()).a(gradient).b(places).c(result);
        lot.add(case.numbers(job, case.to));
        let mut expected = case.blank(case.from);
        let [from, to] = case.shapes();
        let pooled = Pooled { shape: to, first: 0, values: &gradients[..], argmax: &won[..] };
        maxpool_backward(Level::best(), from, case.window(), pooled, &mut expected);
        // Sums in the order of the twin: the same bits, overlapping or not.
        lot.expect(result, &expected, |_, _, _| 0.0);
    }
    lot.check(&gpu, 0..1);
}

#[test]
fn avgpool_forward_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(13), Lot::new(Kernel::AvgpoolForward));
    for _ in 0..80 {
        let case = Case::random(&mut random);
        let (input, inputs) = lot.tensor(&mut random, case.groups, case.from);
        let output = lot.room(&mut random, case.groups, case.to);
        let job = ElementsJob::new(output.shape()).a(input).b(output);
        lot.add(case.numbers(job, case.from));
        let (mut expected, [from, to]) = (case.blank(case.to), case.shapes());
        avgpool_forward(Level::best(), from, to, case.window(), &inputs, &mut expected);
        lot.expect(output, &expected, |_, _, reference| 3e-7 * reference.abs());
    }
    lot.check(&gpu, 0..1);
}

#[test]
fn avgpool_backward_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(14), Lot::new(Kernel::AvgpoolBackward));
    for _ in 0..80 {
        let case = Case::random(&mut random);
        let (gradient, gradients) = lot.tensor(&mut random, case.groups, case.to);
        let result = lot.room(&mut random, case.groups, case.from);
        let job = ElementsJob::new(result.shape()).a(gradient).c(result);
        lot.add(case.numbers(job, case.to));
        let [mut expected, mut sizes] = [(); 2].map(|()| case.blank(case.from));
        let [from, to] = case.shapes();
        let backward = |gradients: &[Lanes], into: &mut [Lanes]| {
            avgpool_backward(Level::best(), from, to, case.window(), gradients, into);
        };
        backward(&gradients, &mut expected);
        let positive: Vec<Lanes> = gradients.iter().map(|x| Lanes(x.0.map(f32::abs))).collect();
        backward(&positive, &mut sizes);
        lot.expect(result, &expected, |at, lane, _| 3e-7 * sizes[at].0[lane]);
    }
    lot.check(&gpu, 0..1);
}

/// The cases are of every sort that a network may ask for.
#[test]
fn the_cases_are_of_every_sort() {
    let mut random = Random::new(11);
    let cases: Vec<Case> = (0..80).map(|_| Case::random(&mut random)).collect();
    let any = |what: fn(&Case) -> bool| cases.iter().any(what);
    assert!(any(|case| case.size[2] > case.size[0].max(case.size[1])), "apart");
    assert!(any(|case| case.size[2] < case.size[0].min(case.size[1])), "overlapping");
    assert!(any(|case| case.size[0] > case.from[0] && case.size[1] > case.from[1]), "larger");
    assert!(any(|case| case.before[0] > 0 && case.before[1] == 0), "padded on one side");
    assert!(any(|case| case.from[2] == 1 && case.groups == 3), "one channel");
    assert!(any(|case| case.from[0] == 1 || case.from[1] == 1), "lines");
}
