//! The steps of several networks as one list of dispatches.

use super::kernels::{AnyJob, Kernel, Stage};

/// Puts the stages of all networks in one order, in which those of each stay in theirs and as many
/// as possible share a kernel: the network with the most stages before it says what is next, and
/// everybody whose next stage is the same takes part.
pub(super) fn dispatch_order<'a>(
    networks: &[&'a [Stage]],
) -> Vec<(&'static Kernel, Vec<&'a dyn AnyJob>)> {
    let mut left: Vec<&[Stage]> = networks.to_vec();
    let mut order = Vec::new();
    // Of equals, the first.
    while let Some(leader) = left.iter().rev().max_by_key(|stages| stages.len()) {
        let Some(kernel) = leader.first().map(|stage| stage.kernel) else { break };
        let mut jobs = Vec::new();
        for stages in &mut left {
            if let Some((stage, later)) = stages.split_first().filter(|(s, _)| s.kernel == kernel) {
                jobs.extend(stage.jobs.iter().map(|job| &**job));
                *stages = later;
            }
        }
        order.push((kernel, jobs));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::super::kernels::product::PRODUCT;
    use super::super::kernels::tensor::Tensor;
    use super::super::kernels::{add, concat, dropout};
    use super::*;
    use crate::model::Shape;

    /// Stages of one job each.
    fn stages(kernels: &[&'static Kernel]) -> Vec<Stage> {
        let place = Tensor::of(0, 1, Shape::flat(1));
        // Which job it is does not matter here.
        kernels.iter().map(|kernel| Stage::one(kernel, concat::copy(place, place))).collect()
    }

    #[test]
    fn unlike_networks_share_what_they_can_and_keep_their_order() {
        let (add, concat, dropout) = (&add::KERNEL, &concat::KERNEL, &dropout::KERNEL);
        let long = stages(&[&PRODUCT, add, dropout, &PRODUCT, concat]);
        let short = stages(&[&PRODUCT, &PRODUCT, concat]);
        let other = stages(&[dropout, concat]);
        let order = dispatch_order(&[&long, &short, &other]);
        let counts: Vec<(&Kernel, usize)> =
            order.iter().map(|(k, jobs)| (*k, jobs.len())).collect();
        let expected = [(&PRODUCT, 2), (add, 1), (dropout, 2), (&PRODUCT, 2), (concat, 3)];
        assert_eq!(counts, expected);
        // What belongs to the short one comes in its order.
        let place = |job: &dyn AnyJob| {
            let is_it = |other: &&dyn AnyJob| std::ptr::addr_eq(*other, job);
            order.iter().position(|(_, jobs)| jobs.iter().any(is_it))
        };
        let places: Vec<_> = short.iter().map(|stage| place(&*stage.jobs[0]).unwrap()).collect();
        assert_eq!(places, [0, 3, 4]);
    }

    #[test]
    fn nobody_needs_nothing() {
        assert!(dispatch_order(&[]).is_empty() && dispatch_order(&[&[], &[]]).is_empty());
    }
}
