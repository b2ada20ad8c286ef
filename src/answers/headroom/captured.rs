//! The share of the headroom that a method captured.

use base::rng::Stream;
use base::stats::Interval;
use base::stats::bootstrap::{Plan, Resampled, draw, percentiles};
use base::stats::quantile;

use super::gather::{Gathered, GoalTimes};

/// What a method captured of the headroom of its sampler, over the repeats that both have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Captured {
    /// An index into [`Analysis::methods`](crate::analysis::Analysis::methods).
    pub method: usize,
    /// Repeats that both have: the medians here are over these.
    pub pairs: usize,
    pub none_s: Interval,
    pub bound_s: Interval,
    pub median_s: Interval,
    /// (median without a rule - median with the method) / (median without a rule - median bound):
    /// 1 is all of the headroom, 0 none of it, below 0 harm. Within the bounds that runs that were
    /// cut leave.
    ///
    /// Infinite medians stay infinite, and the share is their limit: 1 where the run without a rule
    /// never meets the goal and method and bound do, minus infinity where the method alone never
    /// does. Where nothing can be said (all of them never do, or there is no headroom) it is
    /// between minus infinity and infinity.
    pub share: Interval,
    /// The paired bootstrap over repeats; `None` for fewer than two. A resample whose share is
    /// unknown counts as minus infinity at the low end and as infinity at the high end.
    pub interval: Option<Interval>,
}

impl Captured {
    /// Whether the method is surely later than no rule: its whole interval lies below 0.
    pub fn is_harm(&self) -> bool {
        self.interval.is_some_and(|interval| interval.high < 0.0)
    }
}

/// What cannot be said.
const UNKNOWN: Interval = Interval { low: f64::NEG_INFINITY, high: f64::INFINITY };

/// What a method captured of a baseline's headroom on its goal; `None` where they share no repeat.
pub(super) fn of(
    method: usize,
    base: &GoalTimes,
    gathered: &Gathered,
    plan: Plan,
    seed: u64,
) -> Option<Captured> {
    let times = gathered.times.get(&(method, base.goal.clone()))?;
    // Without a rule, the bound, with the method: a column each, a row a shared repeat.
    let mut columns: [Vec<Interval>; 3] = Default::default();
    for (repeat, run) in &base.none {
        let (Some(time), Ok(bound_s)) = (times.get(repeat), &run.bound_s) else { continue };
        let row = [run.none_s, *bound_s, *time];
        columns.iter_mut().zip(row).for_each(|(column, number)| column.push(number));
    }
    let pairs = columns[0].len();
    if pairs == 0 {
        return None;
    }
    let [none_s, bound_s, median_s] = columns.each_ref().map(|c| median(c.iter().copied()));
    Some(Captured {
        method,
        pairs,
        none_s,
        bound_s,
        median_s,
        share: share(none_s, bound_s, median_s),
        interval: (pairs > 1).then(|| interval(&columns, plan, seed)),
    })
}

fn interval(columns: &[Vec<Interval>; 3], plan: Plan, seed: u64) -> Interval {
    let bounds = columns.each_ref().map(|column| {
        let of = |end: fn(&Interval) -> f64| {
            Resampled::new(&column.iter().map(end).collect::<Vec<f64>>())
        };
        [of(|i| i.low), of(|i| i.high)]
    });
    let pairs = columns[0].len();
    let mut rng = Stream::new(seed, 0, "headroom bootstrap");
    let mut counts = vec![0; pairs];
    let drawn: Vec<Interval> = (0..plan.resamples)
        .map(|_| {
            draw(&mut rng, &mut counts);
            let [none_s, bound_s, median_s] = bounds.each_ref().map(|[low, high]| Interval {
                low: low.quantile(&counts, pairs, 0.5),
                high: high.quantile(&counts, pairs, 0.5),
            });
            share(none_s, bound_s, median_s)
        })
        .collect();
    percentiles_of(&drawn, plan)
}

/// Percentiles of extended reals of both signs: an end that falls between two of which one is
/// infinite is that infinity, and between both it is the one of its own side.
fn percentiles_of(drawn: &[Interval], plan: Plan) -> Interval {
    // Beyond every share that seconds can make, and finite, so that no two infinities meet.
    const FAR: f64 = 1e300;
    let tame = |number: f64| number.clamp(-FAR, FAR);
    let tamed = drawn.iter().map(|i| Interval { low: tame(i.low), high: tame(i.high) });
    let found = percentiles(tamed, plan.confidence);
    // What is interpolated with infinity is of its size.
    let wild = |number: f64| match number {
        n if n > FAR * 1e-9 => f64::INFINITY,
        n if n < -FAR * 1e-9 => f64::NEG_INFINITY,
        n => n,
    };
    Interval { low: wild(found.low), high: wild(found.high) }
}

/// The median of numbers known within bounds.
pub(super) fn median(numbers: impl Iterator<Item = Interval>) -> Interval {
    let (low, high): (Vec<f64>, Vec<f64>) = numbers.map(|i| (i.low, i.high)).unzip();
    Interval { low: quantile::median(&low), high: quantile::median(&high) }
}

/// The bounds of `(none - method) / (none - bound)`: see [`Captured::share`].
fn share(none_s: Interval, bound_s: Interval, method_s: Interval) -> Interval {
    // Monotone in each of the three where the bound is sooner, so the ends are among the corners.
    let ends = |i: Interval| [i.low, i.high];
    let mut found: Option<Interval> = None;
    for none in ends(none_s) {
        for bound in ends(bound_s) {
            for method in ends(method_s) {
                let Some(corner) = share_of(none, bound, method) else { return UNKNOWN };
                let so_far = found.unwrap_or(Interval::exact(corner));
                found =
                    Some(Interval { low: so_far.low.min(corner), high: so_far.high.max(corner) });
            }
        }
    }
    found.unwrap_or(UNKNOWN)
}

/// `None` where nothing can be said.
fn share_of(none: f64, bound: f64, method: f64) -> Option<f64> {
    if bound.is_infinite() || none <= bound {
        return None;
    }
    match (none.is_infinite(), method.is_infinite()) {
        (true, true) => None,
        (true, false) => Some(1.0),
        (false, true) => Some(f64::NEG_INFINITY),
        (false, false) => Some((none - method) / (none - bound)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::gather::NoneRun;
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn a_share_with_infinities_is_its_limit() {
        let of = |none: f64, bound: f64, method: f64| {
            let [none, bound, method] = [none, bound, method].map(Interval::exact);
            let found = share(none, bound, method);
            (found.low, found.high)
        };
        assert_eq!(of(10.0, 2.0, 6.0), (0.5, 0.5));
        assert_eq!(of(10.0, 2.0, 2.0), (1.0, 1.0));
        // Later than without a rule.
        assert_eq!(of(10.0, 2.0, 14.0), (-0.5, -0.5));
        assert_eq!(of(INF, 2.0, 6.0), (1.0, 1.0));
        assert_eq!(of(10.0, 2.0, INF), (-INF, -INF));
        let unknown = (-INF, INF);
        assert_eq!(of(INF, 2.0, INF), unknown);
        assert_eq!(of(INF, INF, 6.0), unknown);
        assert_eq!(of(2.0, 2.0, 2.0), unknown);
        // Cut at 10, the run without a rule takes at least that: at least half.
        let cut = Interval { low: 10.0, high: INF };
        let found = share(cut, Interval::exact(2.0), Interval::exact(6.0));
        assert_eq!((found.low, found.high), (0.5, 1.0));
        let found = share(Interval::exact(10.0), Interval::exact(2.0), cut);
        assert_eq!((found.low, found.high), (-INF, 0.0));
        // A method cut where the run without a rule was cut, too: nobody knows.
        assert_eq!(share(cut, Interval::exact(2.0), cut), UNKNOWN);
    }

    #[test]
    fn percentiles_reach_infinity_and_no_number_between() {
        let plan = Plan { resamples: 3, confidence: 0.5 };
        let half = Interval::exact(0.5);
        let harm = Interval::exact(-INF);
        assert_eq!(percentiles_of(&[half, harm, half], plan), Interval { low: -INF, high: 0.5 });
        assert_eq!(percentiles_of(&[UNKNOWN; 3], plan), UNKNOWN);
        assert_eq!(percentiles_of(&[half; 3], plan), half);
    }

    #[test]
    fn repeats_that_pair_make_the_interval() {
        let mut base = GoalTimes { baseline: 0, goal: "g".into(), none: BTreeMap::new() };
        let mut times = BTreeMap::new();
        for repeat in 0..20_u32 {
            let none_s = Interval::exact(10.0 + f64::from(repeat));
            let bound_s = Ok(Interval::exact(2.0));
            let run = NoneRun { none_s, bound_s };
            base.none.insert((repeat, 0), run);
            // Half of the headroom in every repeat, and medians of pairs move together: so half of
            // it in every resample.
            times.insert((repeat, 0), Interval::exact(f64::midpoint(none_s.low, 2.0)));
        }
        times.insert((99, 0), Interval::exact(1e9));
        let mut gathered = Gathered::default();
        gathered.times.insert((1, "g".into()), times);
        let plan = Plan { resamples: 200, confidence: 0.95 };
        let found = of(1, &base, &gathered, plan, 0).unwrap();
        assert_eq!((found.pairs, found.share), (20, Interval::exact(0.5)));
        assert_eq!(found.interval, Some(Interval::exact(0.5)));
        assert!(!found.is_harm());
        assert_eq!(of(2, &base, &gathered, plan, 0), None);
    }
}
