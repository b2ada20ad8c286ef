//! The best split of a node.

#![expect(clippy::cast_precision_loss, reason = "sums below 2^62 enter the gain rounded once")]

/// One observation in a feature's sorted list: its code in the upper half, its number in the lower.
/// Ascending entries are ascending in the feature, ties by number.
pub(super) type Entry = u64;

/// Joins a code and an observation's number.
pub(super) fn entry(code: u32, observation: u32) -> Entry {
    u64::from(code) << 32 | u64::from(observation)
}

/// The number of an entry's observation.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
pub(super) fn observation_of(entry: Entry) -> u32 {
    entry as u32
}

/// The code of an entry.
#[inline]
pub(super) fn code_of(entry: Entry) -> u32 {
    u32::try_from(entry >> 32).expect("the upper half of 64 bits")
}

/// What an observation adds to a node: how often it was drawn, and that many times its target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mass {
    pub(super) weight: i64,
    pub(super) weighted: i64,
}

/// A node's observations: one sorted list a feature, all of the same observations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lists<'a> {
    /// All features' lists of the tree, `stride` apart.
    pub(super) entries: &'a [Entry],
    pub(super) stride: usize,
    /// The node's range in each of them.
    pub(super) first: usize,
    pub(super) last: usize,
}

impl<'a> Lists<'a> {
    pub(super) fn of(&self, feature: usize) -> &'a [Entry] {
        let base = feature * self.stride;
        &self.entries[base + self.first..base + self.last]
    }
}

/// Where a node is divided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) feature: usize,
    /// Observations that go left.
    pub(super) left_count: usize,
    /// The codes left and right of the threshold.
    pub(super) low: u32,
    pub(super) high: u32,
}

/// What becomes of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Decision {
    /// It predicts this value.
    Leaf(i64),
    Split(Split),
}

/// Divides a node where the sum of squared errors falls most.
///
/// With sums `S` of targets and `W` of weights, left of the threshold `s` and `w`, the fall is
/// `(s W - S w)^2 / (w (W - w) W)`; `W` is the same for all splits. The sums are exact integers, so
/// the gain is a function of what lies left and right alone. Between equal gains of one feature
/// the lowest threshold wins; between features the one of the higher priority: a fixed
/// pseudo-random function of the tree, the node's earliest observation and the feature.
/// scikit-learn visits the features of each node in a shuffled order, so there the winner is
/// random as well. With the lowest feature in its place all nodes of two observations, half of all
/// nodes, would divide along the first feature.
pub(super) fn decide(
    lists: Lists<'_>,
    features: usize,
    masses: &[Mass],
    targets: &[i64],
    split_min: usize,
    tie_key: u64,
) -> Decision {
    let list = lists.of(0);
    let target = |entry: Entry| targets[observation_of(entry) as usize];
    let value = target(list[0]);
    let is_pure = list[1..].iter().all(|&entry| target(entry) == value);
    if is_pure {
        return Decision::Leaf(value);
    }
    let mut total = Mass::default();
    for &entry in list {
        let mass = masses[observation_of(entry) as usize];
        total.weight += mass.weight;
        total.weighted += mass.weighted;
    }
    if list.len() < split_min {
        return Decision::Leaf(mean(total));
    }
    let mut best: Option<(f64, usize, usize)> = None;
    for feature in 0..features {
        let Some((gain, at)) = scan(lists.of(feature), masses, total) else { continue };
        let wins = best.is_none_or(|(most, winner, _)| {
            gain > most
                || (gain == most && {
                    let earliest = list.iter().map(|e| observation_of(*e)).min().unwrap_or(0);
                    priority(tie_key, earliest, feature) > priority(tie_key, earliest, winner)
                })
        });
        if wins {
            best = Some((gain, feature, at));
        }
    }
    best.map_or(Decision::Leaf(mean(total)), |(_, feature, at)| {
        let list = lists.of(feature);
        let (low, high) = (code_of(list[at]), code_of(list[at + 1]));
        Decision::Split(Split { feature, left_count: at + 1, low, high })
    })
}

/// The best threshold of one feature: its gain and the last entry left of it.
fn scan(list: &[Entry], masses: &[Mass], total: Mass) -> Option<(f64, usize)> {
    let (all, sum) = (total.weight as f64, total.weighted as f64);
    let mut left = Mass::default();
    let (mut most, mut best) = (-1.0, usize::MAX);
    for (at, pair) in list.windows(2).enumerate() {
        let mass = masses[observation_of(pair[0]) as usize];
        left.weight += mass.weight;
        left.weighted += mass.weighted;
        let weight = left.weight as f64;
        let difference = left.weighted as f64 * all - sum * weight;
        let gain = difference * difference / (weight * (all - weight));
        // Entries of one code differ in their lower halves alone.
        if gain > most && (pair[0] ^ pair[1]) >> 32 != 0 {
            (most, best) = (gain, at);
        }
    }
    (best != usize::MAX).then_some((most, best))
}

/// The weighted mean, rounded to the nearest unit of the targets' grid, halves up.
fn mean(mass: Mass) -> i64 {
    let (sum, weight) = (i128::from(mass.weighted), i128::from(mass.weight));
    i64::try_from((2 * sum + weight).div_euclid(2 * weight)).expect("a mean is among its values")
}

/// Who wins a tie: the finaliser of SplitMix64 (Steele, Lea, Flood 2014) over what it depends on.
fn priority(tie_key: u64, earliest: u32, feature: usize) -> u64 {
    let mut x = tie_key ^ (u64::from(earliest) << 32 | feature as u64);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decides a root whose observation `i` has `codes[feature][i]`, a target and a weight.
    fn root(codes: &[&[u32]], targets: &[i64], weights: &[i64], tie_key: u64) -> Decision {
        let count = targets.len();
        let mut entries = Vec::new();
        for feature in codes {
            let mut list: Vec<Entry> =
                (0..).zip(*feature).map(|(i, code)| entry(*code, i)).collect();
            list.sort_unstable();
            entries.extend(list);
        }
        let masses: Vec<Mass> = targets
            .iter()
            .zip(weights)
            .map(|(target, weight)| Mass { weight: *weight, weighted: weight * target })
            .collect();
        let lists = Lists { entries: &entries, stride: count, first: 0, last: count };
        decide(lists, codes.len(), &masses, targets, 2, tie_key)
    }

    fn split(feature: usize, left_count: usize, low: u32, high: u32) -> Decision {
        Decision::Split(Split { feature, left_count, low, high })
    }

    #[test]
    fn the_largest_fall_of_squared_error_wins() {
        // Worked by hand: targets 0 0 10 10 in order of the second feature.
        let found = root(&[&[0, 2, 1, 3], &[4, 5, 7, 9]], &[0, 0, 10, 10], &[1; 4], 1);
        assert_eq!(found, split(1, 2, 5, 7));
        // Weights move the threshold: {0}, {4, 10} falls by 9^2 3 / 4 ... against {0, 4}, {10}.
        let found = root(&[&[0, 1, 2]], &[0, 4, 10], &[1, 1, 1], 1);
        assert_eq!(found, split(0, 2, 1, 2));
        let found = root(&[&[0, 1, 2]], &[0, 4, 10], &[8, 8, 1], 1);
        assert_eq!(found, split(0, 1, 0, 1));
    }

    #[test]
    fn pure_or_inseparable_nodes_are_leaves() {
        assert_eq!(root(&[&[0, 1, 2]], &[7; 3], &[1, 2, 3], 1), Decision::Leaf(7));
        // (3 + 3 * 8) / 4 = 6.75 is 7 on the grid; -2.5 rounds up to -2.
        assert_eq!(root(&[&[5, 5]], &[3, 8], &[1, 3], 1), Decision::Leaf(7));
        assert_eq!(root(&[&[5, 5]], &[-3, -2], &[1, 1], 1), Decision::Leaf(-2));
    }

    #[test]
    fn impure_nodes_split_even_where_nothing_is_gained() {
        // XOR along one feature: both sides have the mean of the whole.
        let found = root(&[&[0, 0, 1, 1]], &[0, 10, 0, 10], &[1; 4], 1);
        assert_eq!(found, split(0, 2, 0, 1));
    }

    #[test]
    fn ties_take_the_lowest_threshold_and_a_feature_by_the_trees_key() {
        // 0 9 9 0: cutting off either end falls equally.
        assert_eq!(root(&[&[0, 1, 2, 3]], &[0, 9, 9, 0], &[1; 4], 1), split(0, 1, 0, 1));
        let mut winners = [0_u32; 3];
        for tie_key in 0..3_000 {
            let found = root(&[&[0, 1], &[1, 0], &[0, 3]], &[0, 1], &[1; 2], tie_key);
            let Decision::Split(split) = found else { panic!("{found:?}") };
            winners[split.feature] += 1;
        }
        // Each expects 1,000 with a deviation of 26.
        assert!(winners.iter().all(|count| (870..1_130).contains(count)), "{winners:?}");
    }
}
