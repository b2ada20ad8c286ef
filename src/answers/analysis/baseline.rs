//! Which method the others are compared with.

use base::error::{Result, fault};

use super::Method;

/// The method that `wanted` names: by its whole canonical string, else by a part of it that no
/// other method has. Methods that differ in the table alone count as one, each the baseline of its
/// own table. The first method where nothing is wanted.
pub(super) fn resolve(methods: &[Method], wanted: Option<&str>) -> Result<Method> {
    let Some(wanted) = wanted else {
        return Ok(methods[0].clone());
    };
    let whole = methods.iter().find(|m| m.to_string() == wanted);
    if let Some(method) = whole {
        return Ok(method.clone());
    }
    let mut found: Vec<&Method> = Vec::new();
    for method in methods.iter().filter(|m| m.to_string().contains(wanted)) {
        if !found.iter().any(|f| f.same_but_table(method)) {
            found.push(method);
        }
    }
    match found[..] {
        [one] if !wanted.is_empty() => Ok(one.clone()),
        [] => {
            Err(wrong(wanted, "is part of no method's name", &methods.iter().collect::<Vec<_>>()))
        }
        _ => Err(wrong(wanted, "is part of several methods' names", &found)),
    }
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
        Method {
            table: table.into(),
            sampler: "random".into(),
            scheduler: "fifo".into(),
            stopper: stopper.into(),
            report: "best".into(),
            value: "best".into(),
            workers: 1,
            settings: String::new(),
        }
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
}
