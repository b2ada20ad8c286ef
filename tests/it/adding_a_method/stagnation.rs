//! Stops a trial whose best epoch so far is `epochs` epochs old.

use curvebook::base::error::Result;
use curvebook::base::units::{Epoch, TrialId};
use curvebook::methods::interface::{
    Arguments, Context, Entry, Stopper, StopperFactory, Verdict, View, parameters,
};

parameters! {
    struct Parameters {
        /// How long to wait for an improvement.
        epochs: usize in 1..=100 = 2,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "stagnation",
    summary: "Stops what has not improved for some epochs.",
    citation: "a toy",
    parameters: Parameters::SPECS,
    compared: &[],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, _: &Context<'_>) -> Result<StopperFactory> {
    let Parameters { epochs } = Parameters::read(arguments)?;
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
