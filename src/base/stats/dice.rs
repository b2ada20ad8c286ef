//! Many random whole numbers of one range, several from each random word.
//!
//! Brackett-Rozinsky, Lemire: "Batched ranged random integer generation", Software: Practice and
//! Experience 55 (2025): a word, read as a fraction, times the range has a number before its point;
//! what stands behind the point yields the next. Exactly uniform, since words are passed over whose
//! last rest is below the remainder of 2^64 by the product of the ranges.

use rand::Rng;

/// Products of ranges up to here: so one word in 65,536 is passed over at most.
const PRODUCT_MAX: u64 = 1 << 48;
/// The most numbers from one word: a small range would not save more.
const BATCH_MAX: usize = 8;

/// Numbers in `0..faces`, each as probable as any other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dice {
    faces: u64,
    /// How many numbers a word yields.
    batch: usize,
    /// Words with a last rest below this are passed over.
    threshold: u64,
}

impl Dice {
    /// Neither 0 faces nor more than 2^48 are refused but by assertion.
    pub(super) fn new(faces: u64) -> Self {
        assert!((1..=PRODUCT_MAX).contains(&faces), "1 to 2^48 faces, not {faces}");
        let (mut batch, mut product) = (1, faces);
        while batch < BATCH_MAX && product * faces <= PRODUCT_MAX {
            batch += 1;
            product *= faces;
        }
        Self { faces, batch, threshold: product.wrapping_neg() % product }
    }

    /// Hands on `rolls` numbers.
    #[expect(clippy::cast_possible_truncation, reason = "halves of a product of two words")]
    pub(super) fn roll(self, rng: &mut impl Rng, rolls: usize, mut each: impl FnMut(usize)) {
        let mut left = rolls;
        let mut numbers = [0; BATCH_MAX];
        while left > 0 {
            let mut rest = rng.next_u64();
            for number in &mut numbers[..self.batch] {
                let product = u128::from(rest) * u128::from(self.faces);
                *number = (product >> 64) as usize;
                rest = product as u64;
            }
            if rest < self.threshold {
                continue;
            }
            let taken = self.batch.min(left);
            numbers[..taken].iter().for_each(|number| each(*number));
            left -= taken;
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small numbers of faces"
)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use crate::stats::chi_squared::survival;

    #[test]
    fn faces_and_pairs_of_faces_come_up_equally_often() {
        for (faces, batch) in [(1_u64, 8), (2, 8), (6, 8), (97, 7), (4_096, 4), (50_000, 3)] {
            let dice = Dice::new(faces);
            assert_eq!(dice.batch, batch, "{faces}");
            // Cells of neighbours in a batch: its numbers must not know of each other.
            let cells = faces.min(16);
            let mut counts = vec![0_u32; (cells * cells) as usize];
            let mut before = None;
            let mut all = 0;
            dice.roll(&mut Stream::new(9, 0, "dice"), 200_000, |number| {
                assert!((number as u64) < faces);
                let cell = number as u64 * cells / faces;
                all += 1;
                if let Some(before) = before.replace(cell) {
                    counts[(before * cells + cell) as usize] += 1;
                }
            });
            assert_eq!(all, 200_000);
            // Cells are not equally wide where the faces do not divide.
            let width = |cell: u64| {
                (0..faces).filter(|face| face * cells / faces == cell).count() as f64 / faces as f64
            };
            let statistic: f64 = (0..cells * cells)
                .map(|cell| {
                    let expected = 199_999.0 * width(cell / cells) * width(cell % cells);
                    (f64::from(counts[cell as usize]) - expected).powi(2) / expected
                })
                .sum();
            if cells > 1 {
                let chance = survival((cells * cells - 1) as u32, statistic);
                assert!(chance > 0.001, "{faces}: {chance}");
            }
        }
    }

    #[test]
    fn a_word_that_would_favour_a_face_is_passed_over() {
        struct Words(Vec<u64>);
        impl rand::TryRng for Words {
            type Error = std::convert::Infallible;
            fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
                unreachable!("whole words are asked for")
            }
            fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
                Ok(self.0.remove(0))
            }
            fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
                unreachable!("whole words are asked for")
            }
        }
        // Of 2^64 words, 2^64 mod 3^8 are too many; the word 0 leaves the rest 0.
        let dice = Dice::new(3);
        assert_eq!(u128::from(dice.threshold), (1_u128 << 64) % 6_561);
        let mut rolled = Vec::new();
        dice.roll(&mut Words(vec![0, u64::MAX]), 3, |number| rolled.push(number));
        assert_eq!(rolled, [2, 2, 2]);
    }
}
