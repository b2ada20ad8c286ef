//! Proposes the free row that lies nearest to the low or the high end of a parameter, by turns.

use curvebook::base::error::{Result, fault};
use curvebook::base::units::TrialId;
use curvebook::methods::interface::{
    Arguments, Ask, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, View, parameters,
};

parameters! {
    struct Parameters {
        /// Which parameter of the space, from 1.
        axis: usize in 1..=65535 = 1,
        /// Where to begin.
        first: First { Low = "low", High = "high" } = "low",
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "extremes",
    summary: "The ends of one parameter, by turns.",
    citation: "a toy",
    parameters: Parameters::SPECS,
    compared: &[],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { axis, first } = Parameters::read(arguments)?;
    let width = context.space.parameters.len();
    if axis > width {
        let rule = format!("table `{}` has {width} parameters", context.table);
        return Err(fault("--sampler", "extremes:axis", axis, rule, "choose one of them"));
    }
    let rows = (0..context.rows).map(curvebook::base::units::ConfigId);
    let coordinates: Vec<f64> = rows.map(|row| context.points.row(row)[axis - 1]).collect();
    Ok(Box::new(move |_| {
        Box::new(Extremes { coordinates: coordinates.clone(), wants_low: first == First::Low })
    }))
}

struct Extremes {
    coordinates: Vec<f64>,
    wants_low: bool,
}

impl Sampler for Extremes {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, _: &Ask) -> Proposal {
        let sign = if self.wants_low { 1.0 } else { -1.0 };
        self.wants_low = !self.wants_low;
        let place = |row: &curvebook::base::units::ConfigId| sign * self.coordinates[row.index()];
        let nearest = view.free().min_by(|a, b| place(a).total_cmp(&place(b)));
        Proposal::Row(nearest.expect("the engine asks only while a row is free"))
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}
}
