//! Every sampler after every sampler: a warm start is two phases of one run, under other methods.

use curvebook::base::rng::Stream;
use curvebook::base::units::Epoch;
use curvebook::replay::{Settings, WarmStart};

use super::combinations::{Combination, Methods};
use super::registries::registries;
use super::rooms::write_order;
use super::{Case, check_run, grid, pool, run_grid, tables};

#[test]
fn every_sampler_goes_on_after_every_other() {
    for seed in 0..4 {
        let mut stream = Stream::new(seed, 0, "phases");
        let case = Case::random(&mut stream, 1);
        let pool = pool(&case.table);
        let dir = tempfile::tempdir().unwrap();
        let order = write_order(dir.path(), pool.rows(), 2);
        let methods = Methods::all(&order, pool.metric().chance.is_some());
        let base = tables::settings(&case.rules, seed);
        let (budget, trials_max, report) = (None, None, Settings::default().report);
        let goal = pool.value_of(7.0).to_string();
        let pairs =
            methods.samplers.iter().flat_map(|a| methods.samplers.iter().map(move |b| (a, b)));
        for (first, second) in pairs {
            for epochs in [None, Some(Epoch(1))] {
                let warm_start = Some(WarmStart {
                    trials: 1 + seed as u32 * 2,
                    sampler: first.clone(),
                    stopper: registries().stopper("none"),
                    epochs,
                });
                let settings = Settings { warm_start, budget, trials_max, report, ..base.clone() };
                let combination = Combination {
                    sampler: second.clone(),
                    scheduler: registries().scheduler("fifo"),
                    stopper: registries().stopper("none"),
                };
                let grid = grid(&combination, &[&goal], 2, &[1, 3], &settings);
                let place = format!("{} after {}", second.canonical, first.canonical);
                for run in run_grid(&grid, &pool, 1).unwrap_or_else(|e| panic!("{place}: {e}")) {
                    check_run(&place, &run, &pool, &settings);
                }
            }
        }
    }
}
