//! Performance profiles: on which share of problems a method is within a factor of the fastest
//! (Dolan and More, "Benchmarking optimization software with performance profiles", 2002).
use super::steps::Steps;

/// `AlgoPerf`'s factor up to which a profile is integrated (Dahl et al., "Benchmarking neural
/// network training algorithms", 2023).
pub const TAU_MAX: f64 = 4.0;

/// The profile of each method: at a factor `tau >= 1`, the share of problems on which its time is
/// at most `tau` times the smallest of all methods.
///
/// `times` holds a row a method, a time a problem (a table and goal; a median over runs). A time
/// may be infinite, and is then within no factor, also where no method solves the problem: such a
/// problem keeps every profile below 1. A time of 0 is within 1, and nothing else is within a
/// factor of it. No problem: 0 at every factor. Rows of different lengths, negative times and NaN
/// are refused by assertion.
pub fn performance_profiles(times: &[Vec<f64>]) -> Vec<Steps> {
    let problems = times.first().map_or(0, Vec::len);
    assert!(times.iter().all(|row| row.len() == problems), "every method has every problem");
    assert!(times.iter().flatten().all(|t| *t >= 0.0), "a time is a number of at least 0");
    let best: Vec<f64> = (0..problems)
        .map(|problem| times.iter().map(|row| row[problem]).fold(f64::INFINITY, f64::min))
        .collect();
    times
        .iter()
        .map(|row| {
            let ratios: Vec<f64> =
                row.iter().zip(&best).map(|(time, best)| ratio(*time, *best)).collect();
            Steps::share_reached(&ratios)
        })
        .collect()
}

fn ratio(time: f64, best: f64) -> f64 {
    if time.is_infinite() {
        f64::INFINITY
    } else if time == best {
        1.0
    } else {
        time / best
    }
}

/// `AlgoPerf`'s score of a profile, in [0, 1]: its mean over factors from 1 to `tau_max`,
/// `integral of profile(tau) dtau / (tau_max - 1)`, exactly, where `AlgoPerf`'s own program sums
/// over a grid. A `tau_max` that is not finite and above 1 is refused by assertion.
pub fn profile_score(profile: &Steps, tau_max: f64) -> f64 {
    assert!(tau_max > 1.0 && tau_max.is_finite(), "factors reach beyond 1, not to {tau_max}");
    profile.mean(1.0, tau_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn profiles_and_scores_are_those_of_plain_counting() {
        let cases = golden::cases("performance_profile");
        assert!(cases.len() >= 3);
        for case in cases {
            let rows = |name: &str| -> Vec<Vec<f64>> {
                case[name].as_array().unwrap().iter().map(golden::numbers).collect()
            };
            let found = performance_profiles(&rows("times"));
            let taus = golden::numbers(&case["taus"]);
            let scores = golden::numbers(&case["scores"]);
            for (profile, (shares, score)) in found.iter().zip(rows("shares").iter().zip(scores)) {
                let at: Vec<f64> = taus.iter().map(|tau| profile.at(*tau)).collect();
                assert_eq!(at, *shares);
                // The script sums over a grid of 300,000.
                let tau_max = golden::number(&case["tau_max"]);
                assert!((profile_score(profile, tau_max) - score).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn worked_example() {
        let times = [vec![10.0, 30.0, INF, 0.0], vec![20.0, 10.0, INF, 5.0]];
        let found = performance_profiles(&times);
        // Ratios 1, 3, never, 1 and 2, 1, never, never.
        assert_eq!([1.0, 2.0, 3.0, 1e9].map(|tau| found[0].at(tau)), [0.5, 0.5, 0.75, 0.75]);
        assert_eq!([1.0, 2.0, 3.0, 1e9].map(|tau| found[1].at(tau)), [0.25, 0.5, 0.5, 0.5]);
        assert_eq!(profile_score(&found[0], TAU_MAX), (0.5 * 2.0 + 0.75) / 3.0);
        assert_eq!(profile_score(&found[1], TAU_MAX), (0.25 + 0.5 * 2.0) / 3.0);
        assert_eq!(performance_profiles(&[vec![], vec![]])[0].at(1.0), 0.0);
        assert!(performance_profiles(&[]).is_empty());
    }
}
