//! Methods that run together, written as answers label them: `rf-ei + asha + etr1:tau=3`.

use base::error::{Result, fault, suggest};
use methods::interface::{Entry, resolve};
use methods::{samplers, schedulers, stoppers};
use replay::Trio;

/// What stands where a combination names no method of a kind.
const USUAL: [&str; 3] = ["random", "fifo", "none"];

/// Reads a sampler, a scheduler and a stopper, joined by ` + `, in any order. What is not named is
/// `random`, `fifo` or `none`. `place` names the text in faults.
///
/// # Errors
/// Faults of a part that is no method, of two that are of one kind, and of parameters.
pub(super) fn trio(place: &str, text: &str) -> Result<Trio> {
    let mut parts: [Option<&str>; 3] = [None; 3];
    for part in split(text) {
        let name = part.split_once(':').map_or(part, |(name, _)| name);
        let kinds = [
            has(samplers::REGISTRY, name),
            has(schedulers::REGISTRY, name),
            has(stoppers::REGISTRY, name),
        ];
        let Some(kind) = kinds.iter().position(|is_it| *is_it) else {
            let names = names(samplers::REGISTRY)
                .chain(names(schedulers::REGISTRY))
                .chain(names(stoppers::REGISTRY));
            let rule = format!(
                "`{text}` must name a sampler, a scheduler or a stopper, or several joined by \
                 ` + `; see `curvebook methods`"
            );
            return Err(fault(place, "name", name, rule, suggest(name, names)));
        };
        if let Some(other) = parts[kind].replace(part) {
            let noun = ["samplers", "schedulers", "stoppers"][kind];
            let rule = format!("names two {noun}, {other} and {part}");
            let remedy = "write two combinations, or wrap one in the other where it can be";
            return Err(fault(place, "combination", text, rule, remedy));
        }
    }
    let [sampler, scheduler, stopper] = [0, 1, 2].map(|kind| parts[kind].unwrap_or(USUAL[kind]));
    Ok(Trio {
        sampler: resolve(place, sampler, samplers::REGISTRY)?,
        scheduler: resolve(place, scheduler, schedulers::REGISTRY)?,
        stopper: resolve(place, stopper, stoppers::REGISTRY)?,
    })
}

fn names<Factory>(registry: &'static [Entry<Factory>]) -> impl Iterator<Item = &'static str> {
    registry.iter().map(|entry| entry.name)
}

fn has<Factory>(registry: &'static [Entry<Factory>], name: &str) -> bool {
    names(registry).any(|known| known == name)
}

/// The parts between pluses that stand by themselves, outside parentheses: those of `1e+3` and of
/// methods within methods join nothing.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0_i32, 0);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'+' if depth <= 0 => {
                let is_blank = |at: Option<&u8>| at.is_none_or(u8::is_ascii_whitespace);
                let before = at.checked_sub(1).and_then(|at| bytes.get(at));
                if is_blank(before) && is_blank(bytes.get(at + 1)) {
                    parts.push(text[begin..at].trim());
                    begin = at + 1;
                }
            }
            _ => {}
        }
    }
    parts.push(text[begin..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn read(text: &str) -> String {
        let Trio { sampler, scheduler, stopper } = trio("--method", text).unwrap();
        let name = |text: &str| text.split(':').next().unwrap().to_string();
        [name(&sampler.canonical), name(&scheduler.canonical), name(&stopper.canonical)].join(" ")
    }

    #[test]
    fn a_combination_is_read_whatever_the_order_of_its_parts() {
        assert_eq!(read("rf-ei + asha + etr1:tau=3"), "rf-ei asha etr1");
        assert_eq!(read("etr1 + sobol"), "sobol fifo etr1");
        assert_eq!(read("  hyperband  "), "random hyperband none");
        assert_eq!(read("patient:rule=(etr1:tau=3),patience=2 + rf-ei"), "rf-ei fifo patient");
        let exact = trio("--method", "etr1:tau=2,epsilon=1e-1 + rf-ei").unwrap().stopper.canonical;
        assert!(exact.starts_with("etr1:tau=2,epsilon=0.1"), "{exact}");
    }

    #[test]
    fn what_is_no_combination_is_refused_by_the_part_that_is_wrong() {
        for (text, part) in [
            ("rf-ei + ashs", "`asha`"),
            ("random + sobol", "two samplers, random and sobol"),
            ("fifo + etr1 + asha", "two schedulers, fifo and asha"),
            ("random +", "must name a sampler, a scheduler or a stopper"),
            ("", "must name a sampler, a scheduler or a stopper"),
            ("random+sobol", "must name a sampler, a scheduler or a stopper"),
            ("random + etr1:tau=x", "tau"),
        ] {
            let error = trio("--method", text).expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn no_two_methods_of_any_kind_have_one_name() {
        let all = || {
            names(samplers::REGISTRY)
                .chain(names(schedulers::REGISTRY))
                .chain(names(stoppers::REGISTRY))
        };
        assert_eq!(all().collect::<BTreeSet<_>>().len(), all().count());
    }
}
