//! Short names for methods: only what sets them apart.

use super::Method;

/// What tells the methods of an analysis apart, and what they share. Tables do not count: methods
/// that differ in the table alone have one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The names of the parts that differ: the heading of the labels.
    pub heading: String,
    /// One a method.
    pub names: Vec<String>,
    /// The same as a sentence has them: without the parts that say that there is nothing.
    pub spoken: Vec<String>,
    /// Sampler, scheduler and stopper of each method as labels have them.
    pub shorts: Vec<[String; METHOD_PARTS]>,
    /// What was shortened, each once: `etr1 = etr1:tau=1,epsilon=0.05`.
    pub spelled: Vec<String>,
    /// The parts that all methods share, `name value`.
    pub shared: Vec<String>,
}

/// Parts that name a method with its parameters.
const METHOD_PARTS: usize = 3;
/// The part that is the stopper.
const STOPPER: usize = 2;
/// The part that is the table.
const TABLE: usize = 7;

impl Labels {
    /// Labels methods by the parts in which they differ, and those by the parameters in which they
    /// differ; where nothing does, by sampler and stopper.
    pub fn of(methods: &[Method]) -> Self {
        let parts: Vec<_> = methods.iter().map(Method::parts).collect();
        let first = &parts[0];
        let differs = |part: &usize| parts.iter().any(|p| p[*part].1 != first[*part].1);
        let mut differing: Vec<usize> = (0..TABLE).filter(differs).collect();
        let is_alone = differing.is_empty();
        if is_alone {
            differing = vec![0, STOPPER];
        }
        let mut spelled: Vec<String> = Vec::new();
        let (mut names, mut spoken, mut shorts) = (Vec::new(), Vec::new(), Vec::new());
        for own in &parts {
            shorts.push(std::array::from_fn(|part| {
                shortened(&own[part].1, parts.iter().map(|p| p[part].1.as_str()))
            }));
            let mut shown = Vec::new();
            for &part in &differing {
                let text = &own[part].1;
                let all = parts.iter().map(|p| p[part].1.as_str());
                let short = match part {
                    0..METHOD_PARTS => shortened(text, all),
                    // Settings alone may be empty: all of them are the default then.
                    _ if text.is_empty() => "default".to_string(),
                    _ => text.clone(),
                };
                let line = format!("{short} = {text}");
                if part < METHOD_PARTS && short != *text && !spelled.contains(&line) {
                    spelled.push(line);
                }
                shown.push((part, short));
            }
            let join = |of: &mut dyn Iterator<Item = &(usize, String)>| {
                of.map(|(_, short)| short.as_str()).collect::<Vec<_>>().join(" + ")
            };
            names.push(join(&mut shown.iter()));
            let says = |(part, short): &&(usize, String)| {
                !((*part == STOPPER && short == "none") || (*part > STOPPER && short == "default"))
            };
            let said = join(&mut shown.iter().filter(says));
            let nothing =
                || if differing == [STOPPER] { "going without a rule" } else { "the default" };
            spoken.push(if said.is_empty() { nothing().to_string() } else { said });
        }
        tell_apart(methods, &mut names);
        let heading: Vec<&str> = differing.iter().map(|part| first[*part].0).collect();
        let shared = (0..TABLE).filter(|part| !differing.contains(part));
        let shared = shared.filter(|part| !first[*part].1.is_empty());
        Self {
            heading: heading.join(" + "),
            names,
            spoken,
            shorts,
            spelled,
            shared: shared.map(|part| format!("{} {}", first[part].0, first[part].1)).collect(),
        }
    }
}

impl Labels {
    /// The scheduler and the rule of a method, without those that do nothing.
    pub fn rule(&self, method: usize) -> String {
        let [_, scheduler, stopper] = &self.shorts[method];
        let says = [(scheduler, "fifo"), (stopper, "none")];
        let said: Vec<&str> = says
            .iter()
            .filter(|(short, nothing)| short != nothing)
            .map(|(s, _)| s.as_str())
            .collect();
        said.join(" + ")
    }
}

/// `etr1 tau=9` of `etr1:tau=9,epsilon=0.05` among others of its name: the parameters that are not
/// the same in all of them.
fn shortened<'a>(text: &str, all: impl Iterator<Item = &'a str>) -> String {
    let (name, own) = parameters(text);
    let alike: Vec<Vec<&str>> =
        all.map(parameters).filter(|(n, _)| *n == name).map(|(_, given)| given).collect();
    let differs = |parameter: &&&str| alike.iter().any(|given| !given.contains(parameter));
    let kept: Vec<&str> = own.iter().filter(differs).copied().collect();
    [&[name], &kept[..]].concat().join(" ")
}

/// A method's name, and its parameters: cut at the commas outside of parentheses and quotes.
fn parameters(text: &str) -> (&str, Vec<&str>) {
    let Some((name, rest)) = text.split_once(':') else { return (text, Vec::new()) };
    let (mut depth, mut quoted) = (0_i32, false);
    let is_cut = |c: char| {
        match c {
            '"' => quoted = !quoted,
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0 && !quoted
    };
    (name, rest.split(is_cut).collect())
}

/// Numbers labels that different methods share after all.
fn tell_apart(methods: &[Method], names: &mut [String]) {
    let given = names.to_vec();
    for at in 0..names.len() {
        let mut others: Vec<usize> = Vec::new();
        for other in (0..names.len()).filter(|other| given[*other] == given[at]) {
            if !others.iter().any(|o| methods[*o].same_but_table(&methods[other])) {
                others.push(other);
            }
        }
        if others.len() > 1 {
            let own = others.iter().position(|o| methods[*o].same_but_table(&methods[at]));
            names[at] = format!("{} #{}", given[at], own.map_or(0, |own| own + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_what_differs() {
        let one = Method::example("none");
        let alone = Labels::of(std::slice::from_ref(&one));
        assert_eq!(alone.heading, "sampler + stopper");
        assert_eq!(
            (alone.names[0].as_str(), alone.spoken[0].as_str()),
            ("random + none", "random")
        );
        assert_eq!(alone.shared.join(", "), "scheduler fifo, report best, value best, workers 1");
        let two = Method { workers: 4, ..Method::example("etr1:tau=1") };
        let both = Labels::of(&[one.clone(), two.clone()]);
        assert_eq!(both.heading, "stopper + workers");
        assert_eq!(both.names, ["none + 1", "etr1 + 4"]);
        assert_eq!(both.spelled, ["etr1 = etr1:tau=1"]);
        let charged = Method { settings: "cost=flops restart".into(), ..one.clone() };
        let charges = Labels::of(&[one.clone(), charged.clone()]);
        assert_eq!((charges.heading.as_str(), charges.names.len()), ("settings", 2));
        assert_eq!(charges.names, ["default", "cost=flops restart"]);
        assert_eq!(charges.spoken[0], "the default");
        let shared = Labels::of(&[charged]).shared;
        assert!(shared.contains(&"settings cost=flops restart".to_string()));
        // On another table it is the same method.
        let elsewhere = Method { table: "mnist".into(), ..one.clone() };
        assert_eq!(Labels::of(&[one, elsewhere]).names, ["random + none"; 2]);
    }

    #[test]
    fn labels_of_one_name_show_the_parameters_that_differ() {
        let all =
            ["none", "etr1:tau=1,epsilon=0.05", "etr1:tau=9,epsilon=0.05", "etr2:p=0.9,q=0.75"];
        let labels = Labels::of(&all.map(Method::example));
        assert_eq!(labels.names, ["none", "etr1 tau=1", "etr1 tau=9", "etr2"]);
        assert_eq!(labels.spoken, ["going without a rule", "etr1 tau=1", "etr1 tau=9", "etr2"]);
        assert_eq!(labels.spelled[1], "etr1 tau=9 = etr1:tau=9,epsilon=0.05");
        let nested = ["patient:rule=(etr1:tau=3,epsilon=0),n=2", "patient:rule=(etr2:p=1),n=2"];
        let labels = Labels::of(&nested.map(Method::example));
        assert_eq!(labels.names[0], "patient rule=(etr1:tau=3,epsilon=0)");
        // What no parameter tells apart gets a number.
        let labels = Labels::of(&["m:a=1,a=1", "m:a=1"].map(Method::example));
        assert_eq!(labels.names, ["m #1", "m #2"]);
    }
}
