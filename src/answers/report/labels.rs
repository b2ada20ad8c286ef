//! Short names for methods: only what sets them apart.

use crate::analysis::Method;

/// What tells methods apart, and what they share.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Labels {
    /// The names of the parts that differ: the heading of the labels.
    pub heading: String,
    /// One a method.
    pub names: Vec<String>,
    /// The parts that all methods share, `name value`.
    pub shared: Vec<String>,
}

/// Labels methods by the parts in which they differ; one method alone by sampler and stopper.
pub(super) fn labels(methods: &[&Method]) -> Labels {
    let parts: Vec<_> = methods.iter().map(|m| m.parts()).collect();
    let all = 0..parts[0].len();
    let mut differing: Vec<usize> =
        all.clone().filter(|&part| parts.iter().any(|p| p[part].1 != parts[0][part].1)).collect();
    if differing.is_empty() {
        differing = vec![0, 2];
    }
    let join = |of: &dyn Fn(usize) -> String| {
        differing.iter().map(|&part| of(part)).collect::<Vec<_>>().join(" + ")
    };
    let first = &parts[0];
    // Settings alone may be empty: all of them are the default then.
    let shown = |text: &String| if text.is_empty() { "default".into() } else { text.clone() };
    Labels {
        heading: join(&|part| first[part].0.to_string()),
        names: parts.iter().map(|p| join(&|part| shown(&p[part].1))).collect(),
        shared: all
            .filter(|part| !differing.contains(part) && !first[*part].1.is_empty())
            .map(|part| format!("{} {}", first[part].0, first[part].1))
            .collect(),
    }
}

impl Labels {
    /// Labels without the parameters of methods, with a number where that leaves two alike, and
    /// the full ones beside them: for tables too narrow for the full ones.
    pub(super) fn shortened(&self) -> Vec<String> {
        let short: Vec<String> = self.names.iter().map(|label| without_parameters(label)).collect();
        let number = |at: usize| {
            let alike = |upto: usize| short[..upto].iter().filter(|s| **s == short[at]).count();
            (alike(short.len()) > 1).then(|| format!("{} #{}", short[at], alike(at + 1)))
        };
        (0..short.len()).map(|at| number(at).unwrap_or_else(|| short[at].clone())).collect()
    }
}

/// `random + etr1:tau=1` without what follows each colon.
fn without_parameters(label: &str) -> String {
    let parts = label.split(" + ").map(|part| part.split_once(':').map_or(part, |(name, _)| name));
    parts.collect::<Vec<_>>().join(" + ")
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
            settings: String::new(),
        };
        let alone = labels(&[&one]);
        assert_eq!(
            (alone.heading.as_str(), alone.names[0].as_str()),
            ("sampler + stopper", "random + none")
        );
        assert_eq!(
            alone.shared.join(", "),
            "scheduler fifo, report best, value best, workers 1, table digits"
        );
        let two = Method { workers: 4, stopper: "etr1:tau=1".into(), ..one.clone() };
        let both = labels(&[&one, &two]);
        assert_eq!(both.heading, "stopper + workers");
        assert_eq!(both.names, ["none + 1", "etr1:tau=1 + 4"]);
        assert_eq!(both.shortened(), ["none + 1", "etr1 + 4"]);
        let charged = Method { settings: "cost=flops restart".into(), ..one.clone() };
        let charges = labels(&[&one, &charged]);
        assert_eq!((charges.heading.as_str(), charges.names.len()), ("settings", 2));
        assert_eq!(charges.names, ["default", "cost=flops restart"]);
        assert!(labels(&[&charged]).shared.contains(&"settings cost=flops restart".to_string()));
        let three = Method { stopper: "etr1:tau=2".into(), ..two.clone() };
        let alike = labels(&[&one, &two, &three]).shortened();
        assert_eq!(alike, ["none + 1", "etr1 + 4 #1", "etr1 + 4 #2"]);
    }
}
