//! What a user believes of where the optimum lies.

use std::path::Path;

use base::error::{Result, suggest};
use base::fields::Fields;
use base::rng::Stream;
use base::space::raw::literal;
use base::space::{Domain, Space};
use base::stats::normal::survival;
use rand::RngExt;
use serde_json::Value as Json;

use crate::kit::draws::{index, truncated_normal};

/// `ln sqrt(2 pi)`.
const LN_ROOT_TAU: f64 = 0.918_938_533_204_672_7;

/// What is believed of one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Belief {
    /// Any coordinate is as good as another.
    Anything,
    /// A normal distribution on the coordinate, cut off at 0 and 1.
    Around { centre: f64, deviation: f64 },
    /// The probability of one choice; the others share the rest.
    Choice { choice: usize, confidence: f64, count: usize },
}

/// How sure the words of a prior file are.
const WORDS: [(&str, f64); 3] = [("low", 0.5), ("medium", 0.75), ("high", 0.9)];

/// A number's confidence is below this: a deviation of 0 is no distribution.
pub const CONFIDENCE_MAX: f64 = 0.999;

impl Belief {
    /// Around a coordinate.
    pub(super) fn around(domain: &Domain, centre: f64, confidence: f64) -> Self {
        if let Domain::Categorical { choices } = domain {
            let count = choices.len();
            return Self::Choice { choice: choice_of(centre, count), confidence, count };
        }
        Self::Around { centre, deviation: 1.0 - confidence.min(CONFIDENCE_MAX) }
    }

    /// A coordinate; of choices the middle of their bin.
    pub(super) fn draw(self, domain: &Domain, rng: &mut Stream) -> f64 {
        match self {
            Self::Anything => match domain {
                Domain::Categorical { choices } => middle(index(rng, choices.len()), choices.len()),
                _ => rng.random(),
            },
            Self::Around { centre, deviation } => {
                let drawn = truncated_normal(rng, -centre / deviation, (1.0 - centre) / deviation);
                (centre + deviation * drawn).clamp(0.0, 1.0)
            }
            Self::Choice { choice, count: 1, .. } => middle(choice, 1),
            Self::Choice { choice, confidence, count } => {
                if rng.random::<f64>() < confidence {
                    return middle(choice, count);
                }
                let other = index(rng, count - 1);
                middle(other + usize::from(other >= choice), count)
            }
        }
    }

    /// The logarithm of the density at a coordinate, or of the probability of its choice.
    #[expect(clippy::cast_precision_loss, reason = "few choices")]
    pub(super) fn log_density(self, domain: &Domain, u: f64) -> f64 {
        match self {
            Self::Anything => match domain {
                Domain::Categorical { choices } => -libm::log(choices.len() as f64),
                _ => 0.0,
            },
            Self::Around { centre, deviation } => {
                let z = (u - centre) / deviation;
                let kept =
                    1.0 - survival(centre / deviation) - survival((1.0 - centre) / deviation);
                -0.5 * z * z - LN_ROOT_TAU - libm::log(deviation * kept)
            }
            Self::Choice { count: 1, .. } => 0.0,
            Self::Choice { choice, confidence, count } => {
                libm::log(if choice_of(u, count) == choice {
                    confidence
                } else {
                    (1.0 - confidence) / (count - 1) as f64
                })
            }
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "few choices"
)]
fn choice_of(u: f64, count: usize) -> usize {
    ((u * count as f64) as usize).min(count - 1)
}

#[expect(clippy::cast_precision_loss, reason = "few choices")]
fn middle(choice: usize, count: usize) -> f64 {
    (choice as f64 + 0.5) / count as f64
}

/// The beliefs of a prior file, a parameter each, and how sure each is; those that it does not name
/// may be anything.
///
/// # Errors
///
/// What is no TOML; a parameter that the space lacks; a centre that is none of its values; a
/// confidence that is neither a word nor in 0..1.
pub(super) fn read(path: &Path, text: &str, space: &Space) -> Result<Vec<(Belief, f64)>> {
    let file = path.display().to_string();
    let fields = Fields::from_toml(&file, text)?;
    let names: Vec<String> = fields.left().keys().cloned().collect();
    let mut beliefs = vec![(Belief::Anything, WORDS[0].1); space.parameters.len()];
    for name in names {
        let value = fields.left()[&name].clone();
        let Some(at) = space.position(&name) else {
            let rule = format!("space `{}` has no such parameter", space.name);
            let known = space.parameters.iter().map(|p| p.name.as_str());
            return Err(fields.fault(&name, value, rule, suggest(&name, known)));
        };
        let Json::Object(map) = value else {
            let rule = "a belief has a center and a confidence";
            let remedy = format!("write [{name}], and below it center = ... and confidence = ...");
            return Err(fields.fault(&name, value, rule, remedy));
        };
        beliefs[at] = belief(Fields::new(&file, &name, map), space, at)?;
    }
    Ok(beliefs)
}

fn belief(mut fields: Fields, space: &Space, at: usize) -> Result<(Belief, f64)> {
    let parameter = &space.parameters[at];
    let Some(centre) = fields.value("center") else {
        return Err(fields.missing("center", "the value that is believed to be best"));
    };
    let range = parameter.range_text();
    let value = literal(&centre).and_then(|literal| parameter.value_of(&literal));
    let Some(value) = value else {
        let rule = format!("`{}` is {range}", parameter.name);
        return Err(fields.fault("center", centre, rule, "choose one of its values"));
    };
    let confidence = confidence(&mut fields)?;
    fields.finish()?;
    let centre = parameter.to_unit(value);
    Ok((Belief::around(&parameter.domain, centre, confidence), confidence))
}

fn confidence(fields: &mut Fields) -> Result<f64> {
    let found = fields.value("confidence").unwrap_or_else(|| "medium".into());
    let known = WORDS.iter().find(|(word, _)| Some(*word) == found.as_str());
    let number = known.map(|(_, confidence)| *confidence).or_else(|| found.as_f64());
    match number {
        Some(number) if (0.0..=CONFIDENCE_MAX).contains(&number) => Ok(number),
        _ => {
            let rule =
                format!("a confidence is low, medium, high or a number 0 to {CONFIDENCE_MAX}");
            let remedy = "0.5 is low, 0.75 medium, 0.9 high";
            Err(fields.fault("confidence", found, rule, remedy))
        }
    }
}
