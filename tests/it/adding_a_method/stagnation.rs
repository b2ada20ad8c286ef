//! Stops a trial whose best epoch so far is `epochs` epochs old.

use curvebook::base::error::Result;
use curvebook::base::units::{Epoch, TrialId};
use curvebook::methods::interface::{
    Arguments, Context, Entry, Kind, ParameterSpec, Stopper, StopperFactory, Verdict, View,
};

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "stagnation",
    summary: "Stops what has not improved for some epochs.",
    citation: "a toy",
    parameters: &[ParameterSpec {
        name: "epochs",
        kind: Kind::Int { low: 1, high: 100 },
        default: Some("2"),
        summary: "How long to wait for an improvement.",
    }],
    traits: &[],
    build,
};

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build(arguments: &Arguments, _: &Context<'_>) -> Result<StopperFactory> {
    let epochs = arguments.int("epochs").unsigned_abs() as usize;
    Ok(Box::new(move |_| Some(Box::new(Stagnation { epochs }))))
}

struct Stagnation {
    epochs: usize,
}

impl Stopper for Stagnation {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, _: Epoch) -> Verdict {
        let value = view.trial(trial).value;
        let curve = view.curve(trial);
        let best = curve.iter().position(|y| *y == value).unwrap_or(0);
        if curve.len() - 1 - best >= self.epochs {
            return Verdict::Stop { predicted: None };
        }
        Verdict::Go
    }
}
