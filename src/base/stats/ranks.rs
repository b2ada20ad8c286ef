//! Ranks with ties, shared by the rank tests.

/// The midranks of values, from 1, and the tie term: the sum of t^3 - t over groups of t equals.
#[derive(Debug, Clone, PartialEq)]
pub struct Midranks {
    /// One rank a value, in the order given; equal values share the mean of their ranks.
    pub ranks: Vec<f64>,
    /// 0 without ties.
    pub tie_term: f64,
}

/// Ranks `values`; infinities of one sign are equal to each other. NaN is refused by assertion.
#[expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]
pub fn midranks(values: &[f64]) -> Midranks {
    assert!(values.iter().all(|v| !v.is_nan()), "NaN has no rank");
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].partial_cmp(&values[b]).expect("no NaN"));
    let mut ranks = vec![0.0; values.len()];
    let mut tie_term = 0.0;
    let mut first = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let t = group.len() as f64;
        let shared = first as f64 + f64::midpoint(t, 1.0);
        for &index in group {
            ranks[index] = shared;
        }
        tie_term += t * (t * t - 1.0);
        first += group.len();
    }
    Midranks { ranks, tie_term }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_mean_rank() {
        let inf = f64::INFINITY;
        let found = midranks(&[3.0, inf, 1.0, 3.0, -0.0, 0.0, inf, 3.0]);
        assert_eq!(found.ranks, [5.0, 7.5, 3.0, 5.0, 1.5, 1.5, 7.5, 5.0]);
        assert_eq!(found.tie_term, 6.0 + 24.0 + 6.0);
        assert_eq!(midranks(&[]), Midranks { ranks: vec![], tie_term: 0.0 });
    }
}
