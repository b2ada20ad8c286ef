//! Short names for methods: only what sets them apart.

use crate::analysis::Method;

/// What tells methods apart, and what they share.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Labels {
    /// The names of the parts that differ: the heading of the labels.
    pub heading: String,
    /// One a method.
    pub labels: Vec<String>,
    /// The parts that all methods share, `name value`.
    pub shared: Vec<String>,
}

/// Labels methods by the parts in which they differ; one method alone by sampler and stopper.
pub(super) fn labels(methods: &[&Method]) -> Labels {
    let parts: Vec<[(&str, String); 7]> = methods.iter().map(|m| m.parts()).collect();
    let mut differing: Vec<usize> =
        (0..7).filter(|&part| parts.iter().any(|p| p[part].1 != parts[0][part].1)).collect();
    if differing.is_empty() {
        differing = vec![0, 2];
    }
    let join = |of: &dyn Fn(usize) -> String| {
        differing.iter().map(|&part| of(part)).collect::<Vec<_>>().join(" + ")
    };
    let first = &parts[0];
    Labels {
        heading: join(&|part| first[part].0.to_string()),
        labels: parts.iter().map(|p| join(&|part| p[part].1.clone())).collect(),
        shared: (0..7)
            .filter(|part| !differing.contains(part))
            .map(|part| format!("{} {}", first[part].0, first[part].1))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_what_differs() {
        let one = Method {
            table: "digits".into(),
            sampler: "random".into(),
            scheduler: "fifo".into(),
            stopper: "none".into(),
            report: "best".into(),
            value: "best".into(),
            workers: 1,
        };
        let alone = labels(&[&one]);
        assert_eq!(
            (alone.heading.as_str(), alone.labels[0].as_str()),
            ("sampler + stopper", "random + none")
        );
        assert_eq!(
            alone.shared.join(", "),
            "scheduler fifo, report best, value best, workers 1, table digits"
        );
        let two = Method { workers: 4, stopper: "etr1:tau=1".into(), ..one.clone() };
        let both = labels(&[&one, &two]);
        assert_eq!(both.heading, "stopper + workers");
        assert_eq!(both.labels, ["none + 1", "etr1:tau=1 + 4"]);
    }
}
