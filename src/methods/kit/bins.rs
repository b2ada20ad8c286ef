//! A space cut into bins, for methods that choose among a few actions a parameter.
//!
//! A categorical parameter has a bin a choice, a numeric one equal bins of its coordinate, as many
//! as values where it has fewer. A parameter in which no rows differ has one. What plays no part
//! counts as the bin of the middle, where tables put it.

use base::rng::Stream;
use base::space::Domain;
use base::units::ConfigId;

use crate::interface::{Context, View};
use crate::kit::draws::index;
use crate::kit::encoding::{activity, settled};
use crate::kit::genes::Genes;

/// The bins of a table.
#[derive(Debug, Clone)]
pub struct Bins {
    genes: Genes,
    counts: Vec<usize>,
    /// The bins of all rows, row after row.
    rows: Vec<u16>,
    /// The same, parameter after parameter.
    columns: Vec<u16>,
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bins are few"
)]
fn bin_of(u: f64, count: usize) -> u16 {
    ((u * count as f64) as usize).min(count - 1) as u16
}

#[expect(clippy::cast_precision_loss, reason = "bins are few")]
fn centre_of(bin: u16, count: usize) -> f64 {
    (f64::from(bin) + 0.5) / count as f64
}

impl Bins {
    /// At most `most` bins of each numeric parameter.
    pub fn new(context: &Context<'_>, most: u16) -> Self {
        let genes = Genes::new(context);
        let open = genes.open();
        let count = |(at, parameter): (usize, &base::space::Parameter)| {
            if !open.contains(&at) {
                return 1;
            }
            match &parameter.domain {
                Domain::Categorical { choices } => choices.len().min(usize::from(u16::MAX)),
                Domain::Float { .. } => usize::from(most),
                Domain::Ordinal { values } => values.len().min(usize::from(most)),
                Domain::Int { low, high, .. } => {
                    usize::try_from(high - low + 1).unwrap_or(usize::MAX).min(usize::from(most))
                }
            }
        };
        let counts: Vec<usize> = context.space.parameters.iter().enumerate().map(count).collect();
        let rows = (0..context.rows).flat_map(|row| {
            let point = genes.point(ConfigId(row)).iter().zip(&counts);
            point.map(|(u, count)| bin_of(*u, *count)).collect::<Vec<_>>()
        });
        let rows: Vec<u16> = rows.collect();
        let width = counts.len();
        let column = |at: usize| rows.iter().skip(at).step_by(width).copied();
        let columns = (0..width).flat_map(column).collect();
        Self { genes, counts, rows, columns }
    }

    /// Bins of each parameter.
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// The bins of a row.
    pub fn of_row(&self, row: ConfigId) -> &[u16] {
        &self.rows[row.index() * self.counts.len()..][..self.counts.len()]
    }

    /// A free row with these bins, uniform among all that there are; else, of those with the
    /// fewest other bins, the one nearest to the middle of the wanted ones, and of equals the first
    /// in the repeat's order.
    pub fn row(&self, view: &View<'_>, wanted: &[u16], stream: &mut Stream) -> ConfigId {
        let centre: Vec<f64> =
            wanted.iter().zip(&self.counts).map(|(bin, count)| centre_of(*bin, *count)).collect();
        // What plays no part there lies in the middle.
        let active = activity(self.genes.space(), &centre);
        let whole = settled(self.genes.space(), &centre);
        let wanted: Vec<u16> = (0..wanted.len())
            .map(|at| if active[at] { wanted[at] } else { bin_of(whole[at], self.counts[at]) })
            .collect();
        // How many bins are others, a parameter at a time: a few rows an instruction.
        let count = self.genes.rows() as usize;
        let mut others = vec![0_u16; count];
        for (column, wanted) in self.columns.chunks_exact(count).zip(&wanted) {
            for (others, bin) in others.iter_mut().zip(column) {
                *others += u16::from(bin != wanted);
            }
        }
        let mut fewest = u16::MAX;
        let mut found: Vec<ConfigId> = Vec::new();
        for (row, others) in (0..).map(ConfigId).zip(others) {
            if others > fewest || !view.is_free(row) {
                continue;
            }
            if others < fewest {
                fewest = others;
                found.clear();
            }
            found.push(row);
        }
        assert!(!found.is_empty(), "the engine asks only while a row is free");
        if fewest == 0 {
            return found[index(stream, found.len())];
        }
        let distance = |row: &ConfigId| {
            let point = self.genes.point(*row).iter().zip(&centre);
            point.map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
        };
        let nearest = found.into_iter().min_by(|a, b| {
            let by_distance = distance(a).total_cmp(&distance(b));
            by_distance.then_with(|| view.order_position(*a).cmp(&view.order_position(*b)))
        });
        nearest.expect("there are some")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::harness::{Room, Session, choices, float};
    use crate::interface::{Origin, Points, Proposal};

    #[test]
    fn a_row_has_the_wanted_bins_or_the_nearest_to_them() {
        // Three bins of a, two choices of b: two rows of each signature.
        let mut room = Room::random(vec![float("a"), choices("b", 2)], 12, 1);
        let coordinates = (0..12_u32).flat_map(|row| {
            let [a, b] = [row % 3, row / 3 % 2].map(f64::from);
            [(a + 0.5) / 3.0, b * 0.5 + 0.25]
        });
        let coordinates = coordinates.collect();
        room.points = Arc::new(Points { width: 2, coordinates });
        let bins = Bins::new(&room.context(), 3);
        let mut session = Session::new(&room, room.sampler("random", 0), 1);
        let mut stream = Stream::new(1, 0, "bins");
        let found: Vec<u32> = (0..40)
            .map(|_| session.with_view(|_, view| bins.row(view, &[1, 1], &mut stream)).0)
            .collect();
        assert!(found.iter().all(|row| [4, 10].contains(row)));
        assert!(found.contains(&4) && found.contains(&10), "both are drawn");
        for row in [4, 10] {
            session.begin(Proposal::Row(ConfigId(row)), Origin::Sampler);
        }
        // One bin is another now: of a, which is nearer than the other choice of b.
        let next = session.with_view(|_, view| {
            let row = bins.row(view, &[1, 1], &mut stream);
            let equals = [3, 5, 9, 11].map(ConfigId);
            assert!(equals.contains(&row), "{row}");
            let first = equals.into_iter().min_by_key(|row| view.order_position(*row));
            (row, first)
        });
        assert_eq!(Some(next.0), next.1);
    }
}
