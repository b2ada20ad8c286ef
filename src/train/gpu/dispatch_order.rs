//! The steps of several networks as one list of dispatches.

use super::kernels::{Job, Kernel, Stage};

/// Puts the stages of all networks in one order, in which those of each stay in theirs and as many
/// as possible share a kernel: the network with the most stages before it says what is next, and
/// everybody whose next stage is the same takes part.
pub(super) fn dispatch_order<'a>(networks: &[&'a [Stage]]) -> Vec<(Kernel, Vec<&'a Job>)> {
    let mut left: Vec<&[Stage]> = networks.to_vec();
    let mut merged = Vec::new();
    // Of equals, the first.
    while let Some(leader) = left.iter().rev().max_by_key(|stages| stages.len()) {
        let Some(kernel) = leader.first().map(|stage| stage.kernel) else { break };
        let mut jobs = Vec::new();
        for stages in &mut left {
            if let Some((stage, later)) = stages.split_first().filter(|(s, _)| s.kernel == kernel) {
                jobs.extend(&stage.jobs);
                *stages = later;
            }
        }
        merged.push((kernel, jobs));
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::elements::ElementsJob;
    use super::*;

    /// Stages of one job each, numbered through.
    fn stages(kernels: &[Kernel]) -> Vec<Stage> {
        let numbered = kernels.iter().zip(0..);
        let stage = |(&kernel, number)| {
            let job = Job::Elements(ElementsJob::new([number; 4]));
            Stage { kernel, jobs: vec![job] }
        };
        numbered.map(stage).collect()
    }

    #[test]
    fn unlike_networks_share_what_they_can_and_keep_their_order() {
        use Kernel::{Add, Concat, Dropout, Product};
        let long = stages(&[Product, Add, Dropout, Product, Concat]);
        let short = stages(&[Product, Product, Concat]);
        let other = stages(&[Dropout, Concat]);
        let merged = dispatch_order(&[&long, &short, &other]);
        let counts: Vec<(Kernel, usize)> =
            merged.iter().map(|(k, jobs)| (*k, jobs.len())).collect();
        assert_eq!(counts, [(Product, 2), (Add, 1), (Dropout, 2), (Product, 2), (Concat, 3)]);
        // What belongs to the short one comes in its order.
        let place = |job: &Job| {
            merged.iter().position(|(_, jobs)| jobs.iter().any(|&j| std::ptr::eq(j, job)))
        };
        let places: Vec<_> = short.iter().map(|stage| place(&stage.jobs[0]).unwrap()).collect();
        assert_eq!(places, [0, 3, 4]);
    }

    #[test]
    fn nobody_needs_nothing() {
        assert!(dispatch_order(&[]).is_empty() && dispatch_order(&[&[], &[]]).is_empty());
    }
}
