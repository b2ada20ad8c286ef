//! The brackets of synchronous successive halving: how many trials run until which epoch.

use base::units::Epoch;

use super::Span;

/// One rung of a bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stage {
    /// How many trials run until there.
    pub trials: u32,
    pub until: Epoch,
}

/// A bracket as it should be, from its first rung to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The `s` of Hyperband: how often the bracket is cut down.
    pub number: u32,
    /// At least one; epochs rise.
    pub stages: Vec<Stage>,
}

/// How numbers of trials and epochs are rounded. With `R = max`, `s_max` the largest `s` for which
/// `min eta^s <= R`, the bracket `s`, and its rungs `i = 0..=s`:
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    /// `n = ceil((s_max + 1) eta^s / (s + 1))`, `n_i = floor(n eta^-i)`: Algorithm 1 of Li et al.
    /// 2018; SMAC3.
    Formula,
    /// `n = floor((s_max + 1) / (s + 1)) eta^s`, `n_i = max(floor(n eta^-i), 1)`: `HpBandSter`,
    /// DEHB.
    Floor,
    /// `n_i = ceil((1 + ceil(log_eta (R / min))) eta^(s - i) / (s + 1))` trials until
    /// `ceil(R eta^(i - s))`: `KerasTuner` (whose min is 1).
    KerasTuner,
}

impl Plan {
    /// The bracket `number` of Hyperband. Other than where the arithmetic says so, rungs lie at
    /// `R eta^(i - s)`, rounded half up.
    pub(crate) fn hyperband(span: Span, arithmetic: Arithmetic, number: u32) -> Self {
        let first = Self::first(span, arithmetic, number);
        let stage = |rung: u32| {
            let cut = span.power(rung);
            let left = span.power(number - rung);
            let trials = match arithmetic {
                Arithmetic::Formula => first / cut,
                Arithmetic::Floor => (first / cut).max(1),
                Arithmetic::KerasTuner => {
                    let all = u64::from(span.halvings_rounded_up() + 1);
                    (all * left).div_ceil(u64::from(number + 1))
                }
            };
            let max = u64::from(span.max.0);
            let until = match arithmetic {
                Arithmetic::Formula | Arithmetic::Floor => half_up(max, left),
                Arithmetic::KerasTuner => max.div_ceil(left),
            };
            Stage::new(trials, until)
        };
        Self::checked(number, (0..=number).map(stage).collect())
    }

    /// Trials of its first rung, but in `KerasTuner`'s arithmetic, which has no such number apart.
    fn first(span: Span, arithmetic: Arithmetic, number: u32) -> u64 {
        let brackets = u64::from(span.halvings() + 1);
        let (rungs, eager) = (u64::from(number + 1), span.power(number));
        match arithmetic {
            Arithmetic::Formula => (brackets * eager).div_ceil(rungs),
            Arithmetic::Floor => brackets / rungs * eager,
            Arithmetic::KerasTuner => 0,
        }
    }

    /// One bracket of `trials`: `max(floor(trials eta^-i), 1)` of them until `R eta^(i - s_max)`.
    pub(crate) fn halving(span: Span, trials: u32) -> Self {
        let number = span.halvings();
        let stage = |rung: u32| {
            let left = u64::from(trials) / span.power(rung);
            Stage::new(left.max(1), half_up(u64::from(span.max.0), span.power(number - rung)))
        };
        Self::checked(number, (0..=number).map(stage).collect())
    }

    fn checked(number: u32, stages: Vec<Stage>) -> Self {
        assert!(stages.is_sorted_by(|a, b| a.until < b.until && a.trials >= b.trials));
        Self { number, stages }
    }

    /// How many trials of a rung go on where a bracket began with fewer than it should: in the same
    /// ratio, and at least one.
    pub(crate) fn trials(&self, rung: usize, started: u32) -> usize {
        let planned = |rung: usize| u64::from(self.stages[rung].trials);
        let scaled = (u64::from(started) * planned(rung) / planned(0)).max(1);
        usize::try_from(scaled).expect("no more than a rung of 32 bits")
    }
}

impl Stage {
    fn new(trials: u64, until: u64) -> Self {
        let trials = u32::try_from(trials).expect("at most 18 times as many as there are epochs");
        Self { trials, until: Epoch(u16::try_from(until).expect("no later than the last epoch")) }
    }
}

fn half_up(of: u64, by: u64) -> u64 {
    (2 * of + by) / (2 * by)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every bracket from the most eager one on, as `trials/epoch`.
    fn table(max: u16, arithmetic: Arithmetic) -> Vec<String> {
        let span = Span { eta: 3, min: Epoch(1), max: Epoch(max) };
        let plans = (0..=span.halvings()).rev();
        plans.map(|number| text(&Plan::hyperband(span, arithmetic, number))).collect()
    }

    fn text(plan: &Plan) -> String {
        let stages = plan.stages.iter().map(|s| format!("{}/{}", s.trials, s.until));
        stages.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn brackets_of_the_papers_formula() {
        let formula = Arithmetic::Formula;
        assert_eq!(table(27, formula), ["27/1 9/3 3/9 1/27", "12/3 4/9 1/27", "6/9 2/27", "4/27"]);
        let of_81 = [
            "81/1 27/3 9/9 3/27 1/81",
            "34/3 11/9 3/27 1/81",
            "15/9 5/27 1/81",
            "8/27 2/81",
            "5/81",
        ];
        assert_eq!(table(81, formula), of_81);
        // 6 * 81 / 5 = 97.2, 6 * 27 / 4 = 40.5, 6 * 9 / 3 = 18, 6 * 3 / 2 = 9.
        let of_243 = [
            "243/1 81/3 27/9 9/27 3/81 1/243",
            "98/3 32/9 10/27 3/81 1/243",
            "41/9 13/27 4/81 1/243",
            "18/27 6/81 2/243",
            "9/81 3/243",
            "6/243",
        ];
        assert_eq!(table(243, formula), of_243);
    }

    #[test]
    fn brackets_of_whole_multiples() {
        let floor = Arithmetic::Floor;
        assert_eq!(table(27, floor), ["27/1 9/3 3/9 1/27", "9/3 3/9 1/27", "6/9 2/27", "4/27"]);
        let of_81 =
            ["81/1 27/3 9/9 3/27 1/81", "27/3 9/9 3/27 1/81", "9/9 3/27 1/81", "6/27 2/81", "5/81"];
        assert_eq!(table(81, floor), of_81);
        let of_243 = [
            "243/1 81/3 27/9 9/27 3/81 1/243",
            "81/3 27/9 9/27 3/81 1/243",
            "27/9 9/27 3/81 1/243",
            "18/27 6/81 2/243",
            "9/81 3/243",
            "6/243",
        ];
        assert_eq!(table(243, floor), of_243);
    }

    #[test]
    fn brackets_of_keras_tuner() {
        let keras = Arithmetic::KerasTuner;
        assert_eq!(table(27, keras), ["27/1 9/3 3/9 1/27", "12/3 4/9 2/27", "6/9 2/27", "4/27"]);
        let of_81 = [
            "81/1 27/3 9/9 3/27 1/81",
            "34/3 12/9 4/27 2/81",
            "15/9 5/27 2/81",
            "8/27 3/81",
            "5/81",
        ];
        assert_eq!(table(81, keras), of_81);
        let of_243 = [
            "243/1 81/3 27/9 9/27 3/81 1/243",
            "98/3 33/9 11/27 4/81 2/243",
            "41/9 14/27 5/81 2/243",
            "18/27 6/81 2/243",
            "9/81 3/243",
            "6/243",
        ];
        assert_eq!(table(243, keras), of_243);
    }

    #[test]
    fn epochs_between_powers_are_rounded() {
        // 30 / 27 = 1.1, 30 / 9 = 3.3; 50 / 27 = 1.9, 50 / 9 = 5.6, 50 / 3 = 16.7.
        assert_eq!(table(30, Arithmetic::Formula)[0], "27/1 9/3 3/10 1/30");
        assert_eq!(table(50, Arithmetic::Floor)[0], "27/2 9/6 3/17 1/50");
        // `KerasTuner` rounds up, and has one bracket's worth more where the epochs are no power.
        assert_eq!(table(30, Arithmetic::KerasTuner)[0], "34/2 12/4 4/10 2/30");
        let span = Span { eta: 2, min: Epoch(3), max: Epoch(25) };
        assert_eq!(text(&Plan::halving(span, 20)), "20/3 10/6 5/13 2/25");
        assert_eq!(text(&Plan::halving(span, 1)), "1/3 1/6 1/13 1/25");
        let single = Span { eta: 3, min: Epoch(4), max: Epoch(4) };
        assert_eq!(text(&Plan::hyperband(single, Arithmetic::KerasTuner, 0)), "1/4");
    }

    #[test]
    fn a_bracket_that_begins_with_fewer_keeps_its_ratios() {
        let span = Span { eta: 3, min: Epoch(1), max: Epoch(81) };
        let plan = Plan::hyperband(span, Arithmetic::Formula, 4);
        let sizes = |started| (1..=4).map(|rung| plan.trials(rung, started)).collect::<Vec<_>>();
        assert_eq!(sizes(81), [27, 9, 3, 1]);
        assert_eq!(sizes(80), [26, 8, 2, 1]);
        assert_eq!(sizes(9), [3, 1, 1, 1]);
        assert_eq!(sizes(1), [1, 1, 1, 1]);
    }

    #[test]
    fn every_plan_rises_and_shrinks() {
        let all = [Arithmetic::Formula, Arithmetic::Floor, Arithmetic::KerasTuner];
        let spans = [(2, 1, 65_535), (3, 1, 65_535), (2, 7, 1_000), (65_535, 1, 65_535)];
        let small = (2..6).flat_map(|eta| (1..90).map(move |max| (eta, 1 + max / 5, max)));
        for (eta, min, max) in small.chain(spans) {
            let span = Span { eta, min: Epoch(min), max: Epoch(max) };
            for number in 0..=span.halvings() {
                for arithmetic in all {
                    let plan = Plan::hyperband(span, arithmetic, number);
                    let last = plan.stages.last().unwrap();
                    assert!(last.trials > 0 && last.until == span.max, "{span:?} {plan:?}");
                    assert!(plan.stages[0].until >= span.min, "{span:?} {plan:?}");
                }
            }
        }
    }
}
