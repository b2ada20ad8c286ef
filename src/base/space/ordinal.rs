//! Numbers to choose among: `values = [16, 32, 64]`.
//!
//! They have an order, which is what tells them from a categorical parameter's words: each takes
//! an equal bin of the unit interval, the least first, so that neighbours are near each other
//! whatever their difference.

/// Some numbers, strictly ascending and at least one: checked by [`super::Space::new`].
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Whole numbers.
    Int(Vec<i64>),
    /// Real numbers.
    Float(Vec<f64>),
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::Float(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Position of a whole number; `None` where it is not among them, or they are real.
    pub fn position_of_int(&self, value: i64) -> Option<usize> {
        match self {
            Self::Int(values) => values.binary_search(&value).ok(),
            Self::Float(_) => None,
        }
    }

    /// Position of a real number, to the last bit; `None` where it is not among them, or they are
    /// whole. NaN never is.
    pub fn position_of_float(&self, value: f64) -> Option<usize> {
        match self {
            Self::Int(_) => None,
            Self::Float(values) => values.binary_search_by(|v| v.total_cmp(&value)).ok(),
        }
    }

    /// They, as messages print them: the first ones where there are many.
    pub fn text(&self) -> String {
        const SHOWN: usize = 12;
        let mut words: Vec<String> = match self {
            Self::Int(values) => values.iter().take(SHOWN).map(i64::to_string).collect(),
            Self::Float(values) => values.iter().take(SHOWN).map(f64::to_string).collect(),
        };
        if self.len() > SHOWN {
            words.push(format!("... ({} in all)", self.len()));
        }
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_to_the_last_bit() {
        let numbers = Numbers::Float(vec![0.1, 0.2, 0.3]);
        assert_eq!(numbers.position_of_float(0.3), Some(2));
        assert_eq!(numbers.position_of_float(0.1 + 0.2), None);
        assert_eq!(numbers.position_of_float(f64::NAN), None);
        assert_eq!(numbers.position_of_int(0), None);
        assert_eq!(Numbers::Int(vec![16, 32]).position_of_int(32), Some(1));
    }

    #[test]
    fn long_lists_are_cut_in_messages() {
        assert_eq!(Numbers::Int(vec![16, 32]).text(), "16, 32");
        let text = Numbers::Int((0..100).collect()).text();
        assert!(text.ends_with("11, ... (100 in all)"), "{text}");
    }
}
