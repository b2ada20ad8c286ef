//! Cross-validation: the training and validation images of a split, cut into parts that validate
//! in turn.

use base::error::{Result, fault};

use super::split::{Part, Split};

/// The images of a k-fold cross-validation.
///
/// The training images of a [`Split`] followed by its validation images are the pool of `n`
/// images. Fold `f` of `k` validates on the images `f n / k` to `(f + 1) n / k` (rounded down) of
/// the pool and trains on all others; parts differ by one image at most. Which images these are
/// depends on the sizes alone, on no seed. Test images are those of the split, in every fold.
#[derive(Debug, Clone)]
pub struct Folds {
    /// The pool twice, end to end: whatever part validates, the rest then stands in one piece
    /// after it.
    images: Vec<u8>,
    labels: Vec<u8>,
    count: usize,
}

impl Folds {
    /// Cuts the pool of `split` into `count` parts. Errors: fewer than two parts, or more of them
    /// than images.
    pub fn new(split: &Split<'_>, count: u16) -> Result<Self> {
        let pool = split.train.len() + split.validation.len();
        if count < 2 || usize::from(count) > pool {
            let rule = format!("must be 2 to {pool}, the training and validation images together");
            let remedy = "give another number of folds, or leave --folds out for a fixed split";
            return Err(fault("command line", "--folds", count, rule, remedy));
        }
        let parts = [&split.train, &split.validation, &split.train, &split.validation];
        Ok(Self {
            images: parts.map(|part| part.images).concat(),
            labels: parts.map(|part| part.labels).concat(),
            count: usize::from(count),
        })
    }

    /// Every fold as a split of its own, standardised by its own training images; `split` is the
    /// one that the folds were made of.
    pub fn splits<'a>(&'a self, split: &Split<'a>) -> Vec<Split<'a>> {
        let pool = self.labels.len() / 2;
        let image_len = self.images.len() / self.labels.len();
        let part = |first: usize, end: usize| Part {
            images: &self.images[first * image_len..end * image_len],
            labels: &self.labels[first..end],
        };
        let bound = |fold: usize| fold * pool / self.count;
        let fold = |fold: usize| {
            let (first, end) = (bound(fold), bound(fold + 1));
            Split::of_parts(part(end, first + pool), part(first, end), split.test, split.shape)
        };
        (0..self.count).map(fold).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGES: [u8; 24] =
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];
    const LABELS: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

    /// Seven images train, three validate, two test; two bytes each.
    fn split() -> Split<'static> {
        let part = |range: std::ops::Range<usize>| Part {
            images: &IMAGES[2 * range.start..2 * range.end],
            labels: &LABELS[range],
        };
        Split::of_parts(part(0..7), part(7..10), part(10..12), [1, 1, 2])
    }

    #[test]
    fn every_image_validates_once_and_trains_in_all_other_folds() {
        let split = split();
        let folds = Folds::new(&split, 3).unwrap();
        let splits = folds.splits(&split);
        let validation: Vec<&[u8]> = splits.iter().map(|s| s.validation.labels).collect();
        assert_eq!(validation, [&[0, 1, 2][..], &[3, 4, 5], &[6, 7, 8, 9]]);
        assert_eq!(splits[1].train.labels, [6, 7, 8, 9, 0, 1, 2]);
        for fold in &splits {
            let mut all = [fold.train.labels, fold.validation.labels].concat();
            all.sort_unstable();
            assert_eq!(all, (0..10).collect::<Vec<u8>>());
            assert_eq!(fold.test, split.test);
            for part in [&fold.train, &fold.validation] {
                let of = |label: &u8| [2 * label, 2 * label + 1];
                assert_eq!(part.images, part.labels.iter().flat_map(of).collect::<Vec<u8>>());
            }
        }
        // Images 3 to 9: bytes 6 to 19.
        assert_eq!(splits[0].mean, [12.5]);
        assert_ne!(splits[0].mean, splits[1].mean, "each fold is standardised by itself");
    }

    #[test]
    fn as_many_folds_as_images_leave_one_out_and_others_are_refused() {
        let split = split();
        let one_out = Folds::new(&split, 10).unwrap();
        assert!(one_out.splits(&split).iter().all(|s| s.validation.len() == 1));
        for count in [0, 1, 11] {
            let text = Folds::new(&split, count).unwrap_err().to_string();
            assert!(text.contains(&format!("--folds = {count}: must be 2 to 10")), "{text}");
        }
    }
}
