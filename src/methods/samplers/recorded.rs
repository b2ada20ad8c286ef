//! Replays a given order of rows: for audits, and for exact tests. Rows that a warm start or the
//! scheduler has taken by then are passed over.

use std::sync::Arc;

use base::error::{Result, fault};
use base::units::{TrialId, plural};

use crate::interface::{
    Arguments, Ask, Context, Entry, Fresh, Proposal, RecordedOrders, Sampler, SamplerFactory, View,
    parameters,
};

parameters! {
    #[expect(clippy::doc_markdown, reason = "people read it as it stands")]
    struct Parameters {
        /// a Parquet or CSV file with the columns repeat and config_id
        file: PathBuf,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "recorded",
    summary: "The rows of a file, in its order; a run is exhausted where the list ends.",
    citation: "curvebook (an audit trail, not a search)",
    parameters: Parameters::SPECS,
    compared: &[],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { file } = Parameters::read(arguments)?;
    let orders = (context.readers.orders)(&file)?;
    let file = file.display();
    for repeat in 0..context.repeats as usize {
        let order = orders.get(repeat).map_or(&[][..], Vec::as_slice);
        if order.is_empty() {
            let rule = format!("the experiment has {}", plural(context.repeats, "repeat"));
            let remedy = "record this repeat too, or lower --repeats";
            return Err(fault(&file, "repeat", format!("{repeat} is missing"), rule, remedy));
        }
        let mut seen = vec![false; context.rows as usize];
        for config in order {
            let place = format!("config_id, repeat {repeat}");
            match seen.get_mut(config.index()) {
                None => {
                    let rule =
                        format!("table `{}` has {}", context.table, plural(context.rows, "row"));
                    let remedy = "record an order of this table's rows";
                    return Err(fault(&file, place, config, rule, remedy));
                }
                Some(true) => {
                    let rule = "a row runs once in a repeat";
                    return Err(fault(&file, place, config, rule, "remove the second one"));
                }
                Some(seen) => *seen = true,
            }
        }
    }
    let orders = Arc::new(orders);
    Ok(Box::new(move |run| {
        Box::new(Recorded { orders: Arc::clone(&orders), repeat: run.repeat as usize, next: 0 })
    }))
}

struct Recorded {
    orders: Arc<RecordedOrders>,
    repeat: usize,
    next: usize,
}

impl Sampler for Recorded {
    fn ready(&mut self, view: &View<'_>) -> Fresh {
        let left = &self.orders[self.repeat][self.next..];
        let taken = left.iter().take_while(|row| !view.is_free(**row)).count();
        self.next += taken;
        if taken < left.len() { Fresh::Ready } else { Fresh::Exhausted }
    }

    fn propose(&mut self, _: &View<'_>, _: &Ask) -> Proposal {
        let row = self.orders[self.repeat][self.next];
        self.next += 1;
        Proposal::Row(row)
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}
}
