//! Which runs a grid consists of.

use crate::Grid;

/// Runs that differ in nothing but their repeat: as many as the grid has repeats, one after the
/// other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    pub workers: u32,
    /// Canonical, as are the scheduler and the stopper.
    pub sampler: String,
    pub scheduler: String,
    pub stopper: String,
    /// What each of its runs is about: all goals, or where a method is told the goal, one.
    pub goals: Vec<String>,
}

impl Grid {
    /// The series of the grid on one table, in the order of their runs.
    pub fn series(&self) -> Vec<Series> {
        let goals: Vec<String> = self.goals.iter().map(|goal| goal.text.clone()).collect();
        let warm_start = self.settings.warm_start.as_ref();
        let mut all = Vec::new();
        for &workers in &self.workers {
            for trio in self.trios() {
                let at_once = if trio.is_goal_aware(warm_start) { 1 } else { goals.len().max(1) };
                all.extend(goals.chunks(at_once).map(|goals| Series {
                    workers,
                    sampler: trio.sampler.canonical.clone(),
                    scheduler: trio.scheduler.canonical.clone(),
                    stopper: trio.stopper.canonical.clone(),
                    goals: goals.to_vec(),
                }));
            }
        }
        all
    }
}
