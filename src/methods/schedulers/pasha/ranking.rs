//! Whether two rungs order trials alike.

use base::units::TrialId;

/// Who came to a rung, in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    arrived: Vec<(f64, TrialId)>,
    /// By trial, which of these it is.
    places: Vec<Option<usize>>,
}

impl Ranking {
    pub(super) fn enter(&mut self, score: f64, trial: TrialId) {
        self.places.resize(self.places.len().max(trial.index() + 1), None);
        self.places[trial.index()] = Some(self.arrived.len());
        self.arrived.push((score, trial));
    }

    fn score(&self, trial: TrialId) -> Option<f64> {
        let place = self.places.get(trial.index()).copied().flatten()?;
        Some(self.arrived[place].0)
    }

    /// Whether whoever has a rank here lies, at the rung below, within `epsilon` of the one that
    /// has that rank there, among those that came to both.
    pub(super) fn agrees_with(&self, below: &Self, epsilon: f64) -> bool {
        let came_to_both = self.arrived.iter();
        let mut both: Vec<(f64, f64)> =
            came_to_both.filter_map(|(here, t)| Some((*here, below.score(*t)?))).collect();
        let mut ranked_below: Vec<f64> = both.iter().map(|(_, there)| *there).collect();
        ranked_below.sort_by(|a, b| b.total_cmp(a));
        // Stable: of equals, the first to come stays first.
        both.sort_by(|a, b| b.0.total_cmp(&a.0));
        both.iter().zip(ranked_below).all(|((_, own), rank)| {
            *own == rank || (*own >= rank - epsilon && *own <= rank + epsilon)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(scores: &[f64]) -> Ranking {
        let mut ranking = Ranking::default();
        for (trial, score) in (0..).map(TrialId).zip(scores) {
            if !score.is_nan() {
                ranking.enter(*score, trial);
            }
        }
        ranking
    }

    #[test]
    fn ranks_by_hand() {
        let below = ranking(&[0.5, 0.7, 0.6, 0.1]);
        let agrees = |scores: &[f64], epsilon| ranking(scores).agrees_with(&below, epsilon);
        assert!(agrees(&[], 0.0) && agrees(&[0.9], 0.0));
        assert!(agrees(&[0.6, 0.9, 0.7], 0.0), "the same order");
        assert!(!agrees(&[0.6, 0.7, 0.9], 0.0), "the best two have changed places");
        assert!(agrees(&[0.6, 0.7, 0.9], 0.125), "they could not be told apart");
        assert!(!agrees(&[0.9, 0.7, 0.6], 0.125), "the third of 0.5 is now the first");
        // The fourth came to the rung below alone; the third never came here.
        assert!(agrees(&[0.1, 0.3, f64::NAN], 0.0));
        let infinite = ranking(&[f64::NEG_INFINITY, f64::NEG_INFINITY]);
        assert!(ranking(&[0.1, 0.2]).agrees_with(&infinite, 0.0), "neither knows an order");
    }
}
