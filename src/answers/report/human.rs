//! Numbers as people read them.

use base::stats::Interval;

/// Three significant digits: `0.0123`, `1.23`, `12.3`, `1234`.
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() || (999.5..1e9).contains(&value) {
        return format!("{value:.0}");
    }
    if value >= 1e9 {
        return format!("{value:.2e}");
    }
    // Rounded first: 9.996 has two digits before the point once it is shown.
    let exponent = format!("{value:.2e}").split_once('e').and_then(|(_, e)| e.parse().ok());
    let exponent: i32 = exponent.unwrap_or(0);
    if exponent < -4 {
        return format!("{value:.2e}");
    }
    format!("{value:.*}", usize::try_from(2 - exponent).unwrap_or(0))
}

/// A number as short as it can be told from others: `0.992`, `1e308`.
pub fn plain(value: f64) -> String {
    let is_long = value != 0.0 && !(1e-5..1e15).contains(&value.abs());
    if is_long { format!("{value:e}") } else { value.to_string() }
}

/// A count that may be a half, for medians of counts: `7`, `7.5`, `12345`.
pub(super) fn count(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// Seconds in the unit that keeps the figure short: up to 2 minutes in s, 2 hours in min, 2 days
/// in h, then d; infinity is `never`.
pub fn time(seconds: f64) -> String {
    const UNITS: [(f64, f64, &str); 3] =
        [(120.0, 1.0, "s"), (7_200.0, 60.0, "min"), (172_800.0, 3_600.0, "h")];
    if seconds.is_infinite() {
        return "never".to_string();
    }
    let unit = UNITS.into_iter().find(|(below, _, _)| seconds < *below);
    let (_, size, name) = unit.unwrap_or((0.0, 86_400.0, "d"));
    format!("{} {name}", number(seconds / size))
}

/// A number within bounds, printed by `exact`: the number, `> low`, or `low..high`.
pub(super) fn bounded(bounds: Interval, exact: impl Fn(f64) -> String) -> String {
    match bounds.value() {
        Some(value) => exact(value),
        None if bounds.high.is_infinite() => format!("> {}", exact(bounds.low)),
        None => {
            let (low, high) = (exact(bounds.low), exact(bounds.high));
            // `88.3..95.0 min`: a unit that both share stands once.
            match (low.split_once(' '), high.split_once(' ')) {
                (Some((number, unit)), Some((_, other))) if unit == other => {
                    format!("{number}..{high}")
                }
                _ => format!("{low}..{high}"),
            }
        }
    }
}

/// A ratio: `2.31x`; nothing known between 0 and infinity: `?`.
pub(super) fn ratio(bounds: Interval) -> String {
    let times = |r: f64| {
        if r.is_infinite() { "infinite".to_string() } else { format!("{}x", number(r)) }
    };
    match (bounds.low, bounds.high) {
        (0.0, f64::INFINITY) => "?".to_string(),
        // Only the method is never there: a speed of 0 would sound as if it were slow.
        (0.0, 0.0) => "never".to_string(),
        (0.0, high) if high > 0.0 => format!("< {}", times(high)),
        _ => bounded(bounds, times),
    }
}

/// An interval of ratios: `[1.9, 2.8]`.
pub(super) fn range(interval: Interval) -> String {
    range_of(interval, |r| if r.is_infinite() { "inf".to_string() } else { number(r) })
}

/// An interval of anything: `[1.9 s, 2.8 min]`, with a unit that both ends share once.
pub(super) fn range_of(interval: Interval, end: impl Fn(f64) -> String) -> String {
    let (low, high) = (end(interval.low), end(interval.high));
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((number, unit)), Some((other_number, other))) if unit == other => {
            format!("[{number}, {other_number}] {unit}")
        }
        _ => format!("[{low}, {high}]"),
    }
}

/// A p-value: `0.043`, `9.3e-9`.
pub(super) fn p_value(p: f64) -> String {
    if p == 0.0 {
        "< 1e-300".to_string()
    } else if p >= 0.0995 {
        format!("{p:.2}")
    } else if p >= 0.000_995 {
        format!("{p:.3}")
    } else {
        format!("{p:.1e}")
    }
}

/// A value of the metric, four decimals where they say something: `0.9874`, `12.34`, `1.23e-5`.
pub fn value(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_string(),
        size if !(0.001..1e6).contains(&size) => format!("{value:.2e}"),
        size if size < 10.0 => format!("{value:.4}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn numbers_keep_three_digits() {
        let shown = [0.0, 0.001_234, 1.0, 9.996, 12.34, 99.96, 999.4, 999.6, 12_345.6].map(number);
        let wanted = ["0", "0.00123", "1.00", "10.0", "12.3", "100", "999", "1000", "12346"];
        assert_eq!(shown, wanted);
        assert_eq!(number(0.000_012_34), "1.23e-5");
        assert_eq!(number(1e308), "1.00e308");
        assert_eq!([1e308, -1e308, 0.992, 0.0].map(plain), ["1e308", "-1e308", "0.992", "0"]);
        assert_eq!([7.0, 7.5].map(count), ["7", "7.5"]);
    }

    #[test]
    fn times_change_units() {
        let shown = [0.5, 119.0, 120.0, 7_300.0, 200_000.0, INF].map(time);
        assert_eq!(shown, ["0.500 s", "119 s", "2.00 min", "2.03 h", "2.31 d", "never"]);
    }

    #[test]
    fn bounds_say_what_is_known() {
        let of = |low, high| Interval { low, high };
        assert_eq!(bounded(of(5.0, 5.0), time), "5.00 s");
        assert_eq!(bounded(of(INF, INF), time), "never");
        assert_eq!(bounded(of(18_000.0, INF), time), "> 5.00 h");
        assert_eq!(bounded(of(1.0, 2.0), time), "1.00..2.00 s");
        let ratios = [of(2.0, 2.0), of(2.0, INF), of(0.0, 2.0), of(0.0, 0.0), of(INF, INF)];
        let shown = ratios.map(ratio);
        assert_eq!(shown, ["2.00x", "> 2.00x", "< 2.00x", "never", "infinite"]);
        assert_eq!(ratio(of(0.0, INF)), "?");
        assert_eq!(range(of(0.5, INF)), "[0.500, inf]");
        assert_eq!(range_of(of(1.0, 2.0), time), "[1.00, 2.00] s");
        assert_eq!(range_of(of(1.0, INF), time), "[1.00 s, never]");
    }

    #[test]
    fn p_values_and_values_keep_what_matters() {
        let shown = [1.0, 0.1, 0.0994, 0.001, 0.000_99, 9.3e-9, 0.0].map(p_value);
        assert_eq!(shown, ["1.00", "0.10", "0.099", "0.001", "9.9e-4", "9.3e-9", "< 1e-300"]);
        let shown = [0.987_412, 12.345, -0.5, 0.000_012_3, 0.0].map(value);
        assert_eq!(shown, ["0.9874", "12.35", "-0.5000", "1.23e-5", "0"]);
    }
}
