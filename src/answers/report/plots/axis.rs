//! Axes: what a number is on them, where their ticks are, and what these are called.

use super::super::human;

/// How numbers lie along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// By their logarithms; numbers at most 0 have no place.
    Log,
}

/// An axis of a panel.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    scale: Scale,
    /// In the numbers' own unit, ascending.
    ticks: Vec<f64>,
    words: fn(f64) -> String,
    /// What ticks are called instead; empty where their words say it.
    named: Vec<String>,
    pub(super) title: String,
}

impl Axis {
    /// Seconds on the simulated clock by their logarithms, from `low` to `high`, both above 0, and
    /// a little beyond.
    pub(super) fn time(low: f64, high: f64, title: &str) -> Self {
        let (low, high) = wider(low, high);
        Self {
            ticks: time_ticks(low, high),
            words: time_words,
            ..Self::new(low, high, Scale::Log, title)
        }
    }

    /// Numbers above 0 by their logarithms.
    pub(super) fn log(low: f64, high: f64, title: &str) -> Self {
        let (low, high) = wider(low, high);
        Self { ticks: log_ticks(low, high), ..Self::new(low, high, Scale::Log, title) }
    }

    /// Factors by their logarithms, with 1 among them.
    pub(super) fn factor(low: f64, high: f64, title: &str) -> Self {
        let (low, high) = wider(low.min(1.0), high.max(1.0));
        let words = |factor| format!("{} x", human::plain(factor));
        Self { ticks: log_ticks(low, high), words, ..Self::new(low, high, Scale::Log, title) }
    }

    /// Seconds on the simulated clock as they are.
    pub(super) fn plain_time(low: f64, high: f64, title: &str) -> Self {
        let linear = Self::linear(low, high, title);
        // In the unit of the longest, so that ticks are round.
        let (unit, words): (f64, fn(f64) -> String) = match high {
            0.0..120.0 => (1.0, |t| format!("{} s", human::plain(t))),
            120.0..7_200.0 => (60.0, |t| format!("{} min", human::plain(rounded(t / 60.0)))),
            7_200.0..172_800.0 => {
                (3_600.0, |t| format!("{} h", human::plain(rounded(t / 3_600.0))))
            }
            _ => (86_400.0, |t| format!("{} d", human::plain(rounded(t / 86_400.0)))),
        };
        let ticks = linear_ticks(linear.low / unit, linear.high / unit);
        Self { ticks: ticks.into_iter().map(|tick| tick * unit).collect(), words, ..linear }
    }

    /// Shares of something, below 0 and above 1 too, in percent.
    pub(super) fn percent(low: f64, high: f64, title: &str) -> Self {
        let words = |share: f64| format!("{:.0} %", 100.0 * share);
        Self { words, ..Self::linear(low, high, title) }
    }

    /// Numbers as they are.
    pub(super) fn linear(low: f64, high: f64, title: &str) -> Self {
        let span = if high > low { high - low } else { low.abs().max(1.0) };
        let (low, high) =
            if high > low { (low, high) } else { (low - span / 2.0, high + span / 2.0) };
        Self { ticks: linear_ticks(low, high), ..Self::new(low, high, Scale::Linear, title) }
    }

    /// Shares from 0 to 1, in percent.
    pub(super) fn share(title: &str) -> Self {
        let words = |share: f64| format!("{:.0} %", 100.0 * share);
        let ticks = vec![0.0, 0.25, 0.5, 0.75, 1.0];
        Self { ticks, words, ..Self::new(0.0, 1.0, Scale::Linear, title) }
    }

    /// The same axis with ticks at whole numbers alone.
    pub(super) fn whole(mut self) -> Self {
        self.ticks.retain(|tick| tick.fract() == 0.0);
        self
    }

    /// Epochs from 1 to the last, whole ones alone with words.
    pub(super) fn epochs(last: u16, title: &str) -> Self {
        let (low, high) = (1.0, f64::from(last.max(2)));
        let mut axis = Self::linear(low, high, title).whole();
        if !axis.ticks.contains(&1.0) {
            axis.ticks.insert(0, 1.0);
        }
        axis
    }

    /// Choices in their order, numbered from 1, with room around each.
    #[expect(clippy::cast_precision_loss, reason = "choices are few")]
    pub(super) fn words(choices: &[String], title: &str) -> Self {
        let mut axis = Self::new(0.5, choices.len() as f64 + 0.5, Scale::Linear, title);
        axis.ticks = (1..=choices.len()).map(|at| at as f64).collect();
        axis.named = choices.to_vec();
        axis
    }

    /// The same axis without words at its ticks.
    pub(super) fn without_words(&self) -> Self {
        let named = vec![String::new(); self.ticks.len()];
        Self { named, title: String::new(), ..self.clone() }
    }

    /// `count` rows from the top down, without ticks; row `k` lies around `k + 0.5`.
    #[expect(clippy::cast_precision_loss, reason = "rows of a picture are few")]
    pub(super) fn rows(count: usize) -> Self {
        Self::new(count as f64, 0.0, Scale::Linear, "")
    }

    fn new(low: f64, high: f64, scale: Scale, title: &str) -> Self {
        let (words, title) = (human::plain as fn(f64) -> String, title.to_string());
        Self { low, high, scale, ticks: Vec::new(), words, named: Vec::new(), title }
    }

    /// The same axis the other way round.
    pub(super) fn reversed(self) -> Self {
        Self { low: self.high, high: self.low, ..self }
    }

    /// Where a number lies, in the coordinates of a chart. What is beyond the axis lies at its end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.low.min(self.high), self.low.max(self.high));
        self.place(value.clamp(low, high))
    }

    fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log => libm::log10(value),
        }
    }

    /// Its two ends in the coordinates of a chart.
    pub(super) fn ends(&self) -> [f64; 2] {
        [self.place(self.low), self.place(self.high)]
    }

    /// Its ticks in the coordinates of a chart, with their words.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let word = |(at, tick): (usize, &f64)| {
            let named = self.named.get(at).cloned();
            (self.place(*tick), named.unwrap_or_else(|| (self.words)(*tick)))
        };
        self.ticks.iter().enumerate().map(word).collect()
    }

    pub(super) fn is_log(&self) -> bool {
        self.scale == Scale::Log
    }
}

/// A range by factors, with 3 % of room at both ends; a single number gets a factor of 2 around.
fn wider(low: f64, high: f64) -> (f64, f64) {
    assert!(low > 0.0 && high >= low && high.is_finite(), "{low} to {high} has logarithms");
    if high / low < 1.05 {
        return (low / 2.0, high * 2.0);
    }
    let room = libm::pow(high / low, 0.03);
    (low / room, high * room)
}

fn within(ticks: impl Iterator<Item = f64>, low: f64, high: f64) -> Vec<f64> {
    ticks.filter(|tick| (low..=high).contains(tick)).collect()
}

/// Seconds, minutes, hours and days that are round; one a unit and decade where these are many.
fn time_ticks(low: f64, high: f64) -> Vec<f64> {
    const COARSE: [f64; 14] = [
        1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 60.0, 600.0, 3_600.0, 36_000.0, 86_400.0, 864_000.0,
        8.64e6, 8.64e7,
    ];
    const FINE: [f64; 38] = [
        1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
        20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 18_000.0,
        36_000.0, 86_400.0, 172_800.0, 432_000.0, 864_000.0, 1.728e6, 4.32e6, 8.64e6, 1.728e7,
        4.32e7, 8.64e7,
    ];
    let coarse = within(COARSE.into_iter(), low, high);
    let fine = within(FINE.into_iter(), low, high);
    match (coarse.len(), fine.len()) {
        (4.., _) => coarse,
        (_, 2..) => fine,
        _ => log_ticks(low, high),
    }
}

/// Powers of ten; round numbers between them where they are few; and steps of a linear axis where
/// the range is within a factor of 2.
fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    if high / low < 2.0 {
        return linear_ticks(low, high);
    }
    let ten = |e| format!("1e{e}").parse::<f64>().expect("a number");
    let exponents = || (-18..=18).map(ten);
    let tens = within(exponents(), low, high);
    if tens.len() >= 4 {
        let step = tens.len().div_ceil(7);
        return tens.into_iter().step_by(step).collect();
    }
    let few = within(exponents().flat_map(|ten| [ten, 2.0 * ten, 5.0 * ten]), low, high);
    if few.len() >= 4 {
        return few;
    }
    let more = |ten: f64| [1.0, 1.5, 2.0, 3.0, 5.0, 7.0].map(|times| rounded(times * ten));
    within(exponents().flat_map(more), low, high)
}

/// At most seven multiples of 1, 2 or 5 times a power of ten.
fn linear_ticks(low: f64, high: f64) -> Vec<f64> {
    let decade = libm::pow(10.0, libm::floor(libm::log10((high - low) / 6.0)));
    let steps = [decade, 2.0 * decade, 5.0 * decade, 10.0 * decade];
    let step = steps.into_iter().find(|step| (high - low) / step <= 6.0).unwrap_or(steps[3]);
    let (mut tick, mut ticks) = (libm::ceil(low / step - 1e-9), Vec::new());
    while tick * step <= high + 1e-9 * step {
        ticks.push(if tick == 0.0 { 0.0 } else { rounded(tick * step) });
        tick += 1.0;
    }
    ticks
}

/// Through text: 3 x 0.1 is to be called 0.3.
fn rounded(number: f64) -> f64 {
    format!("{number:.12e}").parse().unwrap_or(number)
}

/// `30 s`, `10 min`, `2 h`, `5 d`, `0.5 s`.
fn time_words(seconds: f64) -> String {
    let units = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")];
    let (size, unit) = units.into_iter().find(|(size, _)| seconds >= *size).unwrap_or((1.0, "s"));
    format!("{} {unit}", human::plain(seconds / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(words(&Axis::time(3.0, 40.0, "")), ["5 s", "10 s", "20 s", "30 s"]);
        let long = words(&Axis::time(5.0, 100_000.0, ""));
        assert_eq!(long, ["10 s", "1 min", "10 min", "1 h", "10 h", "1 d"]);
        // Nothing round lies within.
        assert!(words(&Axis::time(61.0, 61.5, "")).len() >= 2);
        assert_eq!(
            words(&Axis::linear(0.0, 0.3, "")),
            ["0", "0.05", "0.1", "0.15", "0.2", "0.25", "0.3"]
        );
        assert_eq!(words(&Axis::linear(-3.0, 7.0, "")), ["-2", "0", "2", "4", "6"]);
        let factors = words(&Axis::factor(0.8, 4.0, ""));
        assert_eq!(factors, ["1 x", "1.5 x", "2 x", "3 x"]);
        assert_eq!(words(&Axis::share(""))[1], "25 %");
        let wide = words(&Axis::log(1e-9, 1e9, ""));
        assert!((4..=7).contains(&wide.len()), "{wide:?}");
        // A single number still has an axis.
        for axis in
            [Axis::linear(5.0, 5.0, ""), Axis::log(5.0, 5.0, ""), Axis::linear(0.0, 0.0, "")]
        {
            let [low, high] = axis.ends();
            assert!(low < high && axis.ticks().len() >= 2, "{axis:?}");
        }
    }

    #[test]
    fn what_is_beyond_an_axis_lies_at_its_end() {
        let axis = Axis::time(1.0, 100.0, "");
        let [low, high] = axis.ends();
        assert_eq!((axis.at(1e-12), axis.at(f64::INFINITY)), (low, high));
        assert!((axis.at(10.0) - 1.0).abs() < 1e-12);
        let rows = Axis::rows(3);
        assert_eq!((rows.ends(), rows.at(0.5)), ([3.0, 0.0], 0.5));
    }
}
