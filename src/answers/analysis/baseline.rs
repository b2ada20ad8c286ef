//! Which method the others are compared with.

use base::error::{Result, fault};

use super::{Labels, Method};

/// The method that `wanted` names: by its whole canonical string, by its label in a report, else by
/// parts that no other method has together: texts between blanks or ` + `, each of which stands in
/// the canonical string, as a whole word of it if that tells methods apart. Methods that differ in
/// the table alone count as one, each the baseline of its own table. The first method where nothing
/// is wanted.
pub(super) fn resolve(methods: &[Method], wanted: Option<&str>) -> Result<Method> {
    let Some(wanted) = wanted else {
        return Ok(methods[0].clone());
    };
    let labels = Labels::of(methods);
    let canonical: Vec<String> = methods.iter().map(Method::to_string).collect();
    let distinct = |is_wanted: &dyn Fn(usize) -> bool| {
        let mut found: Vec<&Method> = Vec::new();
        for (at, method) in methods.iter().enumerate() {
            if !found.iter().any(|f| f.same_but_table(method)) && is_wanted(at) {
                found.push(method);
            }
        }
        found
    };
    let parts: Vec<&str> = wanted.split_whitespace().filter(|part| *part != "+").collect();
    let every = |is_there: &dyn Fn(&str) -> bool| parts.iter().all(|part| is_there(part));
    let pieces = distinct(&|at| {
        canonical[at].contains(wanted) || every(&|part| canonical[at].contains(part))
    });
    let choices = [
        distinct(&|at| canonical[at] == wanted),
        distinct(&|at| labels.names[at] == wanted),
        distinct(&|at| labels.spoken[at] == wanted),
        distinct(&|at| every(&|part| has_word(&canonical[at], part))),
        pieces.clone(),
    ];
    match choices.into_iter().find(|found| found.len() == 1) {
        Some(found) if !parts.is_empty() => Ok(found[0].clone()),
        _ if pieces.is_empty() => {
            Err(wrong(wanted, "is part of no method's name", &methods.iter().collect::<Vec<_>>()))
        }
        _ => Err(wrong(wanted, "is part of several methods' names", &pieces)),
    }
}

/// Whether `part` stands in `text` with no letter, digit, point or dash before or after it.
fn has_word(text: &str, part: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.match_indices(part).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + part.len()..]);
        !before.ends_with(goes_on) && !after.starts_with(goes_on)
    })
}

fn wrong(wanted: &str, rule: &str, choices: &[&Method]) -> base::error::Error {
    const SHOWN: usize = 20;
    let mut list: Vec<String> = choices.iter().take(SHOWN).map(|m| format!("`{m}`")).collect();
    if choices.len() > SHOWN {
        list.push(format!("and {} more", choices.len() - SHOWN));
    }
    let value = if wanted.is_empty() { "(empty)" } else { wanted };
    let remedy = format!("give a part that only one of these has: {}", list.join(", "));
    fault("command line", "--baseline", value, rule, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(table: &str, stopper: &str) -> Method {
        Method { table: table.into(), ..Method::example(stopper) }
    }

    fn stopper(wanted: Option<&str>) -> std::result::Result<String, String> {
        let methods = [
            method("a", "none"),
            method("a", "etr1:tau=1,epsilon=0.05"),
            method("a", "etr1:tau=10,epsilon=0.05"),
            method("b", "none"),
        ];
        resolve(&methods, wanted).map(|m| m.stopper).map_err(|e| e.to_string())
    }

    #[test]
    fn first_whole_or_unique_part() {
        assert_eq!(stopper(None), Ok("none".into()));
        // On two tables, yet one method.
        assert_eq!(stopper(Some("stopper=none")), Ok("none".into()));
        assert_eq!(stopper(Some("tau=1,")), Ok("etr1:tau=1,epsilon=0.05".into()));
        let whole = method("a", "etr1:tau=10,epsilon=0.05").to_string();
        assert_eq!(stopper(Some(&whole)), Ok("etr1:tau=10,epsilon=0.05".into()));
    }

    #[test]
    fn none_or_several_are_faults_that_list_what_there_is() {
        let several = stopper(Some("etr1")).unwrap_err();
        assert!(several.starts_with("command line: --baseline = etr1: is part of several"));
        assert!(several.contains("tau=10,") && !several.contains("stopper=none"), "{several}");
        let none = stopper(Some("etr9")).unwrap_err();
        assert!(none.contains("no method") && none.contains("stopper=none"), "{none}");
        assert!(stopper(Some("")).unwrap_err().contains("(empty)"));
    }

    #[test]
    fn labels_words_and_several_parts_are_understood() {
        // `tau=1` stands in `tau=10` too, and is a whole word in one of them alone.
        assert_eq!(stopper(Some("tau=1")), Ok("etr1:tau=1,epsilon=0.05".into()));
        assert_eq!(stopper(Some("etr1 tau=10")), Ok("etr1:tau=10,epsilon=0.05".into()));
        assert_eq!(stopper(Some("none")), Ok("none".into()));
        assert_eq!(stopper(Some("going without a rule")), Ok("none".into()));
        assert_eq!(stopper(Some("sampler=random stopper=none")), Ok("none".into()));
        let model = Method { sampler: "rf-ei:trees=50".into(), ..method("a", "none") };
        let both = [method("a", "none"), model];
        let sampler =
            |wanted| resolve(&both, Some(wanted)).map(|m| m.sampler).map_err(|e| e.to_string());
        for wanted in ["rf-ei", "rf-ei + none", "rf-ei none"] {
            assert_eq!(sampler(wanted), Ok("rf-ei:trees=50".into()));
        }
        assert!(sampler("none").unwrap_err().contains("several"));
    }
}
