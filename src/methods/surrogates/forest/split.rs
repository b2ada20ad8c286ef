//! The best split of a node.

use super::Leaf;

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

/// What an observation adds to a node: how often it was drawn, and that many times its target on
/// the grid. Sums of the latter are exact up to 2^53, some 500 observations.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Mass {
    pub(super) weight: f64,
    pub(super) weighted: f64,
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

/// What decides whether a node is divided, and what a leaf predicts, in units of the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    /// Nodes of fewer distinct observations are leaves.
    pub(super) split_min: usize,
    /// Nodes whose squared error would fall by less are leaves.
    pub(super) fall_min: f64,
    pub(super) leaf: Leaf,
    /// What 1 is on the grid is a target of this.
    pub(super) unit: f64,
}

impl Rule {
    /// What a leaf of these observations predicts, at least one.
    fn value(&self, list: &[Entry], masses: &[Mass], targets: &[i64], total: Mass) -> i64 {
        match self.leaf {
            Leaf::Mean => mean(total),
            Leaf::LogMean => {
                let observations = list.iter().map(|entry| observation_of(*entry) as usize);
                let most = observations.clone().map(|at| targets[at]).max().unwrap_or(0);
                let shares = observations.map(|at| {
                    #[expect(clippy::cast_precision_loss, reason = "at most 2^45")]
                    let below = (targets[at] - most) as f64;
                    masses[at].weight * libm::exp(below * self.unit)
                });
                let share = shares.sum::<f64>() / total.weight;
                #[expect(clippy::cast_possible_truncation, reason = "among its values")]
                let below = libm::rint(libm::log(share) / self.unit) as i64;
                most + below
            }
        }
    }
}

/// Divides a node where the sum of squared errors falls most.
///
/// With sums `S` of targets and `W` of weights, left of the threshold `s` and `w`, the fall is
/// `(s W - S w)^2 / (w (W - w) W)`; `W` is the same for all splits. Sums are taken in the order of
/// the lists, so the decision is a function of the node's observations and weights alone. Between
/// equal gains of one feature the lowest threshold wins; between features the one of the higher
/// priority: a fixed pseudo-random function of the tree, the node's earliest observation and the
/// feature. scikit-learn visits the features of each node in a shuffled order, so there the winner
/// is random as well. With the lowest feature in its place all nodes of two observations, half of
/// all nodes, would divide along the first feature.
pub(super) fn decide(
    lists: Lists<'_>,
    features: usize,
    masses: &[Mass],
    targets: &[i64],
    rule: &Rule,
    tie_key: u64,
) -> Decision {
    let list = lists.of(0);
    let target = |entry: Entry| targets[observation_of(entry) as usize];
    let value = target(list[0]);
    if list[1..].iter().all(|&entry| target(entry) == value) {
        return Decision::Leaf(value);
    }
    if let [one, other] = *list
        && rule.split_min <= 2
        && rule.fall_min <= 0.0
    {
        let earliest = observation_of(one).min(observation_of(other));
        let parted = (0..features).filter(|f| (lists.of(*f)[0] ^ lists.of(*f)[1]) >> 32 != 0);
        // All splits of two observations gain the same.
        if let Some(feature) = parted.max_by_key(|f| priority(tie_key, earliest, *f)) {
            let (low, high) = (code_of(lists.of(feature)[0]), code_of(lists.of(feature)[1]));
            return Decision::Split(Split { feature, left_count: 1, low, high });
        }
    }
    let mut total = Mass::default();
    for &entry in list {
        let mass = masses[observation_of(entry) as usize];
        total.weight += mass.weight;
        total.weighted += mass.weighted;
    }
    let leaf = || Decision::Leaf(rule.value(list, masses, targets, total));
    if list.len() < rule.split_min {
        return leaf();
    }
    let mut best: Option<(Best, usize)> = None;
    for feature in 0..features {
        let Some(found) = scan(lists.of(feature), masses, total) else { continue };
        let wins = best.is_none_or(|(most, winner)| {
            found.gain > most.gain
                || (found.gain == most.gain && {
                    let earliest = list.iter().map(|e| observation_of(*e)).min().unwrap_or(0);
                    priority(tie_key, earliest, feature) > priority(tie_key, earliest, winner)
                })
        });
        if wins {
            best = Some((found, feature));
        }
    }
    let Some((best, feature)) = best else { return leaf() };
    if f64::from_bits(best.gain - 1) / total.weight < rule.fall_min {
        return leaf();
    }
    let list = lists.of(feature);
    let (low, high) = (code_of(list[best.at]), code_of(list[best.at + 1]));
    Decision::Split(Split { feature, left_count: best.at + 1, low, high })
}

/// The best threshold of one feature.
#[derive(Debug, Clone, Copy)]
struct Best {
    /// One more than the bits of the gain, which order like the gain: it is not negative.
    gain: u64,
    /// The last entry left of it.
    at: usize,
}

/// `None` where all codes are equal.
#[inline]
fn scan(list: &[Entry], masses: &[Mass], total: Mass) -> Option<Best> {
    let mut left = Mass::default();
    let mut best = Best { gain: 0, at: 0 };
    for (at, pair) in list.windows(2).enumerate() {
        let mass = masses[observation_of(pair[0]) as usize];
        left.weight += mass.weight;
        left.weighted += mass.weighted;
        let difference = left.weighted * total.weight - total.weighted * left.weight;
        let gain = difference * difference / (left.weight * (total.weight - left.weight));
        // Entries of one code differ in their lower halves alone. Integers are compared, and both
        // results kept by selection, for a jump here cannot be predicted.
        let gain = if (pair[0] ^ pair[1]) >> 32 != 0 { gain.to_bits() + 1 } else { 0 };
        let is_better = gain > best.gain;
        best.at = if is_better { at } else { best.at };
        best.gain = if is_better { gain } else { best.gain };
    }
    (best.gain > 0).then_some(best)
}

/// The weighted mean, rounded to the targets' grid.
fn mean(mass: Mass) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a mean is among its values, below 2^44")]
    let mean = libm::rint(mass.weighted / mass.weight) as i64;
    mean
}

/// Who wins a tie: the finaliser of `SplitMix64` (Steele, Lea, Flood 2014) over what it depends on.
fn priority(tie_key: u64, earliest: u32, feature: usize) -> u64 {
    let mut x = tie_key ^ (u64::from(earliest) << 32 | feature as u64);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small targets")]

    use super::*;

    /// Decides a root whose observation `i` has `codes[feature][i]`, a target and a weight.
    fn root(codes: &[&[u32]], targets: &[i64], weights: &[f64], tie_key: u64) -> Decision {
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
            .map(|(target, weight)| Mass { weight: *weight, weighted: weight * *target as f64 })
            .collect();
        let lists = Lists { entries: &entries, stride: count, first: 0, last: count };
        let rule = Rule { split_min: 2, fall_min: 0.0, leaf: Leaf::Mean, unit: 1.0 };
        decide(lists, codes.len(), &masses, targets, &rule, tie_key)
    }

    fn split(feature: usize, left_count: usize, low: u32, high: u32) -> Decision {
        Decision::Split(Split { feature, left_count, low, high })
    }

    #[test]
    fn the_largest_fall_of_squared_error_wins() {
        // Worked by hand: targets 0 0 10 10 in order of the second feature.
        let found = root(&[&[0, 2, 1, 3], &[4, 5, 7, 9]], &[0, 0, 10, 10], &[1.0; 4], 1);
        assert_eq!(found, split(1, 2, 5, 7));
        // Weights move the threshold: {0}, {4, 10} falls by 9^2 3 / 4 ... against {0, 4}, {10}.
        let found = root(&[&[0, 1, 2]], &[0, 4, 10], &[1.0; 3], 1);
        assert_eq!(found, split(0, 2, 1, 2));
        let found = root(&[&[0, 1, 2]], &[0, 4, 10], &[8.0, 8.0, 1.0], 1);
        assert_eq!(found, split(0, 1, 0, 1));
    }

    #[test]
    fn pure_or_inseparable_nodes_are_leaves() {
        assert_eq!(root(&[&[0, 1, 2]], &[7; 3], &[1.0, 2.0, 3.0], 1), Decision::Leaf(7));
        // (3 + 3 * 8) / 4 = 6.75 is 7 on the grid; -2.5 rounds up to -2.
        assert_eq!(root(&[&[5, 5]], &[3, 8], &[1.0, 3.0], 1), Decision::Leaf(7));
        assert_eq!(root(&[&[5, 5]], &[-3, -2], &[1.0, 1.0], 1), Decision::Leaf(-2));
    }

    #[test]
    fn impure_nodes_split_even_where_nothing_is_gained() {
        // XOR along one feature: both sides have the mean of the whole.
        let found = root(&[&[0, 0, 1, 1]], &[0, 10, 0, 10], &[1.0; 4], 1);
        assert_eq!(found, split(0, 2, 0, 1));
    }

    #[test]
    fn ties_take_the_lowest_threshold_and_a_feature_by_the_trees_key() {
        // 0 9 9 0: cutting off either end falls equally.
        assert_eq!(root(&[&[0, 1, 2, 3]], &[0, 9, 9, 0], &[1.0; 4], 1), split(0, 1, 0, 1));
        let mut winners = [0_u32; 3];
        for tie_key in 0..3_000 {
            let found = root(&[&[0, 1], &[1, 0], &[0, 3]], &[0, 1], &[1.0; 2], tie_key);
            let Decision::Split(split) = found else { panic!("{found:?}") };
            winners[split.feature] += 1;
        }
        // Each expects 1,000 with a deviation of 26.
        assert!(winners.iter().all(|count| (870..1_130).contains(count)), "{winners:?}");
    }
}
