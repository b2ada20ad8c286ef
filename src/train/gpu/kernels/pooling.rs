//! What poolings, forward and backward, know of their windows.

use super::tensor::{Tensor, count};
use crate::model::Window;

/// Windows over images, as the shaders have them: (rows, columns) each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    pub(super) window: [u32; 2],
    /// Padding above and to the left.
    pub(super) before: [u32; 2],
    /// Of the tensor at the other end: the input forward, the output backward.
    pub(super) size: [u32; 2],
    pub(super) stride: u32,
}

impl Windows {
    pub(super) fn over(other: Tensor, window: Window) -> Self {
        Self {
            window: [window.height, window.width].map(count),
            before: window.before.map(count),
            size: [other.rows, other.columns],
            stride: count(window.stride),
        }
    }
}

/// What the tests of all poolings share.
#[cfg(test)]
pub(super) mod cases {
    use super::super::twin::{self, Random};
    use super::*;
    use crate::cpu::lanes::{Lanes, Level};
    use crate::cpu::maxpool_forward::{Pooled, maxpool_forward};
    use crate::model::Shape;

    /// Images and the windows over them.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Case {
        pub(in super::super) groups: u32,
        pub(in super::super) from: [u32; 3],
        pub(in super::super) to: [u32; 3],
        /// Height, width, stride, padding above and to the left.
        size: [u32; 3],
        before: [u32; 2],
    }

    impl Case {
        /// Windows apart, side by side, overlapping, and larger than the image; every one sees a
        /// pixel.
        pub(in super::super) fn random(random: &mut Random) -> Self {
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

        pub(in super::super) fn window(self) -> Window {
            let [height, width, stride] = self.size.map(|x| x as usize);
            Window { height, width, stride, before: self.before.map(|x| x as usize) }
        }

        pub(in super::super) fn shapes(self) -> [Shape; 2] {
            [self.from, self.to].map(|shape| {
                let [height, width, channels] = shape.map(|x| x as usize);
                Shape { channels, height, width }
            })
        }

        /// Memory for the results of the twin.
        pub(in super::super) fn blank(self, shape: [u32; 3]) -> Vec<Lanes> {
            vec![twin::POISON; (self.groups * shape.iter().product::<u32>()) as usize]
        }

        /// What wins, and its places.
        pub(in super::super) fn winners(self, input: &[Lanes]) -> [Vec<Lanes>; 2] {
            let [mut best, mut won] = [(); 2].map(|()| self.blank(self.to));
            let [from, to] = self.shapes();
            let pooled =
                Pooled { shape: to, first: 0, values: &mut best[..], argmax: &mut won[..] };
            maxpool_forward(Level::best(), from, self.window(), input, pooled);
            [best, won]
        }
    }

    /// Few numbers, so that many are equal, and some that are none.
    pub(in super::super) fn ties(random: &mut Random, numbers: &mut [Lanes]) {
        for lanes in numbers {
            lanes.0 = lanes.0.map(|x| (x * 3.0).round());
            if random.count(0, 9) == 0 {
                lanes.0[random.count(0, 15) as usize] = f32::NAN;
            }
        }
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
}
