//! Whether a comparison holds under other settings than those it was made under.
//!
//! A comparison takes many decisions that could have been taken otherwise: what a trial's value is,
//! what a stopped trial tells the sampler, how hard the goal is, what a start costs, which
//! configurations the table happens to hold. A *setting* changes one of them, all else as it was,
//! and the whole comparison is made anew (Steegen et al. 2016 call all of them a multiverse). So a
//! claim reads: it holds in 10 of 11 settings.

use base::stats::Interval;
use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, Speedup};

/// The comparison under other settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Robustness {
    pub settings: Vec<Setting>,
}

/// One setting, and what came of the comparison under it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Short: `value final`.
    pub name: String,
    /// What it changes.
    pub words: String,
    /// Goal by goal of the comparison; empty where it was refused.
    pub goals: Vec<SettingGoal>,
    /// Why it cannot be run, if it cannot.
    pub refused: Option<String>,
}

/// A goal of the comparison under a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingGoal {
    /// The table and the goal of the comparison, not those that the setting makes of them.
    pub table: String,
    pub goal: String,
    /// Method by method of the comparison that has a speed-up.
    pub speedups: Vec<MethodSpeedup>,
}

/// The speed-up of one method over the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MethodSpeedup {
    /// An index into the methods of the comparison.
    pub method: usize,
    #[serde(with = "ends")]
    pub ratio: Interval,
    #[serde(with = "some_ends")]
    pub interval: Option<Interval>,
}

impl MethodSpeedup {
    /// Of a method of the comparison.
    pub fn of(method: usize, speedup: Speedup) -> Self {
        Self { method, ratio: speedup.ratio, interval: speedup.interval }
    }

    pub fn is_sooner(&self) -> bool {
        self.ratio.low > 1.0
    }

    /// Whether its whole interval lies above 1.
    pub fn is_surely_sooner(&self) -> bool {
        self.interval.is_some_and(|interval| interval.low > 1.0)
    }

    /// Whether its whole interval lies below 1.
    pub fn is_surely_later(&self) -> bool {
        self.interval.is_some_and(|interval| interval.high < 1.0)
    }
}

/// In how many settings something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Settings that say anything of the method and goal, and change anything for it.
    pub settings: usize,
    pub sooner: usize,
    pub surely_sooner: usize,
    pub surely_later: usize,
}

impl Robustness {
    /// What the settings say of a method and goal, each that says anything.
    pub fn of<'a>(
        &'a self,
        table: &'a str,
        goal: &'a str,
        method: usize,
    ) -> impl Iterator<Item = (&'a Setting, MethodSpeedup)> {
        self.settings.iter().filter_map(move |setting| {
            let of = setting.goals.iter().find(|g| g.table == table && g.goal == goal)?;
            Some((setting, *of.speedups.iter().find(|s| s.method == method)?))
        })
    }

    /// In how many settings a method is sooner than the baseline, of those under which it is not to
    /// the last digit what it `was`: where no trial stops, it does not matter what stopped ones
    /// tell, and that is no evidence.
    pub fn tally(&self, table: &str, goal: &str, was: MethodSpeedup) -> Tally {
        let mut tally = Tally::default();
        for (_, speedup) in self.of(table, goal, was.method).filter(|(_, now)| *now != was) {
            tally.settings += 1;
            tally.sooner += usize::from(speedup.is_sooner());
            tally.surely_sooner += usize::from(speedup.is_surely_sooner());
            tally.surely_later += usize::from(speedup.is_surely_later());
        }
        tally
    }
}

impl SettingGoal {
    /// What an analysis under a setting says, in the words of the comparison: `goals` of it, each
    /// with the table and the text that it had there and has under the setting. Methods stand in
    /// the same order in both.
    pub fn of(analysis: &Analysis, goals: &[[String; 3]]) -> Vec<Self> {
        let of = |[table, goal, changed]: &[String; 3]| {
            let found = analysis.goals.iter().find(|g| g.table == *table && g.goal == *changed)?;
            let speedups =
                found.answers.iter().filter_map(|a| Some(MethodSpeedup::of(a.method, a.speedup?)));
            let (table, goal) = (table.clone(), goal.clone());
            Some(Self { table, goal, speedups: speedups.collect() })
        };
        goals.iter().filter_map(of).collect()
    }
}

/// JSON has no infinity: it is a text there.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum End {
    Finite(f64),
    Infinite(String),
}

impl From<f64> for End {
    fn from(end: f64) -> Self {
        if end.is_finite() { Self::Finite(end) } else { Self::Infinite("inf".to_string()) }
    }
}

impl From<End> for f64 {
    fn from(end: End) -> Self {
        match end {
            End::Finite(end) => end,
            End::Infinite(_) => Self::INFINITY,
        }
    }
}

mod ends {
    use base::stats::Interval;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::End;

    pub(super) fn serialize<S: Serializer>(i: &Interval, s: S) -> Result<S::Ok, S::Error> {
        [End::from(i.low), End::from(i.high)].serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Interval, D::Error> {
        let [low, high] = <[End; 2]>::deserialize(d)?.map(f64::from);
        Ok(Interval { low, high })
    }
}

mod some_ends {
    use base::stats::Interval;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::End;

    #[expect(clippy::ref_option, reason = "what serde hands over")]
    pub(super) fn serialize<S: Serializer>(i: &Option<Interval>, s: S) -> Result<S::Ok, S::Error> {
        i.map(|i| [End::from(i.low), End::from(i.high)]).serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<Interval>, D::Error> {
        let ends = Option::<[End; 2]>::deserialize(d)?;
        Ok(ends.map(|ends| {
            let [low, high] = ends.map(f64::from);
            Interval { low, high }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(name: &str, low: f64, high: f64) -> Setting {
        let interval = Some(Interval { low, high });
        let speedup = MethodSpeedup { method: 1, ratio: Interval::exact(low.max(1.5)), interval };
        let goals =
            vec![SettingGoal { table: "t".into(), goal: "g".into(), speedups: vec![speedup] }];
        Setting { name: name.into(), words: String::new(), goals, refused: None }
    }

    #[test]
    fn settings_are_counted_by_what_they_say() {
        let mut settings = vec![setting("a", 1.2, 2.0), setting("b", 0.9, 2.0)];
        settings.push(setting("c", 0.2, 0.8));
        settings.push(Setting { goals: Vec::new(), ..setting("d", 1.2, 2.0) });
        let all = Robustness { settings };
        let one = Interval::exact(1.0);
        let was = MethodSpeedup { method: 1, ratio: one, interval: Some(one) };
        let found = all.tally("t", "g", was);
        assert_eq!(found, Tally { settings: 3, sooner: 3, surely_sooner: 1, surely_later: 1 });
        // A setting that changes nothing says nothing.
        let same = all.settings[0].goals[0].speedups[0];
        let found = all.tally("t", "g", same);
        assert_eq!(found, Tally { settings: 2, sooner: 2, surely_sooner: 0, surely_later: 1 });
        assert_eq!(all.tally("t", "g", MethodSpeedup { method: 0, ..was }), Tally::default());
        assert_eq!(all.tally("t", "other", was), Tally::default());
    }

    #[test]
    fn infinities_survive_json() {
        let mut all = Robustness { settings: vec![setting("a", 1.2, f64::INFINITY)] };
        all.settings[0].goals[0].speedups[0].ratio = Interval::exact(f64::INFINITY);
        let json = serde_json::to_string(&all).unwrap();
        assert!(json.contains(r#""ratio":["inf","inf"],"interval":[1.2,"inf"]"#), "{json}");
        assert_eq!(serde_json::from_str::<Robustness>(&json).unwrap(), all);
    }
}
