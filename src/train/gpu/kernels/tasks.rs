//! Lists of work: jobs of unlike shapes, cut into tiles, in one dispatch.

use base::error::Result;

use crate::gpu::device::{Buffer, Gpu};

/// Threads of a task; see `shaders/shared/tasks.wgsl`.
const QUADS: u32 = 4;
/// Workgroups that a dispatch may have in one dimension.
const WORKGROUPS_MAX: u32 = 65_535;

/// Jobs in the device's memory, and all of their tiles.
#[derive(Debug)]
pub struct Jobs {
    pub(super) tasks: Buffer,
    pub(super) records: Buffer,
    /// Of a dispatch.
    pub(super) workgroups: [u32; 2],
    /// Floating-point operations, a multiplication and an addition each, of all jobs.
    pub flops: f64,
}

/// How a job is cut.
#[derive(Debug, Clone, Copy)]
pub struct Tiles {
    pub(crate) count: u32,
    /// Steps of the innermost loop a tile.
    pub(crate) steps: u64,
    /// Floating-point operations of the whole job.
    pub(crate) flops: f64,
}

impl Jobs {
    /// Lists the tiles of all jobs, the longest first, so that no long one is left for the end.
    /// `records`: of as many jobs, one after the other.
    pub(super) fn upload(gpu: &Gpu, records: &[u8], tiles: &[Tiles], threads: u32) -> Result<Self> {
        assert!(!tiles.is_empty() && records.len().is_multiple_of(4 * tiles.len()));
        let mut order: Vec<(u32, Tiles)> = (0..).zip(tiles.iter().copied()).collect();
        order.sort_by_key(|(_, tiles)| std::cmp::Reverse(tiles.steps));
        let tasks: Vec<[u32; 2]> = order
            .iter()
            .flat_map(|(job, tiles)| (0..tiles.count).map(|tile| [*job, tile]))
            .collect();
        let at_once = (threads / QUADS) as usize;
        let workgroups = tasks.len().div_ceil(at_once);
        let tasks = if gpu.description().is_software() { spread(&tasks, at_once) } else { tasks };
        Ok(Self {
            tasks: gpu.upload("tasks", &tasks)?,
            records: gpu.upload("jobs", records)?,
            workgroups: grid(u32::try_from(workgroups).expect("tasks fit in device memory")),
            flops: tiles.iter().map(|tiles| tiles.flops).sum(),
        })
    }
}

/// Workgroups of tasks in another order. A processor that plays a GPU gives each of its threads a
/// run of neighbours, and the first would get all that is long: here any run is a fair share.
fn spread(tasks: &[[u32; 2]], at_once: usize) -> Vec<[u32; 2]> {
    let whole = tasks.len() / at_once;
    let bits = usize::BITS - whole.leading_zeros();
    // Counting with the bits reversed: 0, then the one half on, those a quarter on, ...
    let reversed = (0..1_usize << bits).map(|at| at.reverse_bits() >> (usize::BITS - bits.max(1)));
    let whole = reversed.filter(|at| *at < whole);
    let mut order: Vec<[u32; 2]> =
        whole.flat_map(|at| tasks[at * at_once..][..at_once].iter().copied()).collect();
    order.extend(&tasks[tasks.len() / at_once * at_once..]);
    order
}

/// Values of images in so many bytes, as far as shaders count them: they do in quarters of values.
pub(super) fn values_in(bytes: u64) -> u64 {
    (bytes / (u64::from(QUADS) * 16)).min(u64::from(u32::MAX / QUADS))
}

/// At least so many workgroups in two dimensions.
fn grid(workgroups: u32) -> [u32; 2] {
    let rows = workgroups.div_ceil(WORKGROUPS_MAX);
    [workgroups.div_ceil(rows), rows]
}

/// One past the last of the values that steps reach from `start` on, each dimension given by how
/// many there are and how far apart.
pub(super) fn reach(start: u32, dimensions: &[(u32, u32)]) -> u64 {
    let steps = dimensions.iter().map(|&(count, step)| u64::from(count - 1) * u64::from(step));
    u64::from(start) + steps.sum::<u64>() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_holds_all_workgroups_and_few_more() {
        for (workgroups, expected) in
            [(1, [1, 1]), (65_535, [65_535, 1]), (65_536, [32_768, 2]), (200_001, [50_001, 4])]
        {
            assert_eq!(grid(workgroups), expected);
        }
    }

    #[test]
    fn every_run_of_workgroups_has_a_fair_share_of_the_long_ones() {
        let tasks: Vec<[u32; 2]> = (0..43).map(|at| [at, 0]).collect();
        let found = spread(&tasks, 4);
        let firsts: Vec<u32> = found.iter().step_by(4).map(|task| task[0] / 4).collect();
        assert_eq!(firsts, [0, 8, 4, 2, 6, 1, 9, 5, 3, 7, 10]);
        let mut sorted = found.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, tasks);
        for few in 0..9 {
            assert_eq!(spread(&tasks[..few], 4).len(), few);
        }
        // Of work that falls evenly, each quarter of the workgroups has a quarter.
        let tasks: Vec<[u32; 2]> = (0..256).map(|at| [255 - at, 0]).collect();
        let quarters = spread(&tasks, 1);
        let sums =
            quarters.chunks(64).map(|quarter| quarter.iter().map(|task| task[0]).sum::<u32>());
        assert!(sums.into_iter().all(|sum| sum.abs_diff(255 * 32) < 255), "{quarters:?}");
    }

    #[test]
    fn the_reach_is_that_of_the_last_value() {
        assert_eq!(reach(7, &[(1, 100)]), 8);
        assert_eq!(reach(7, &[(3, 100), (2, 10)]), 218);
        assert_eq!(reach(u32::MAX, &[(2, u32::MAX)]), 2 * u64::from(u32::MAX) + 1);
    }
}
