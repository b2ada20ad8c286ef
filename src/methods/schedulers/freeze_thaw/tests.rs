use super::*;
use crate::interface::State::{self, Completed, Paused, Stopped};
use crate::kit::epochwise::driver::Driver;

const PARAMETERS: Parameters = Parameters { fresh: 10, refit: 25, step: 1 };

fn thaw(rows: u32, parameters: &Parameters) -> Thaw {
    let point = move |row: ConfigId| vec![f64::from(row.0) / f64::from(rows)];
    Thaw::new(parameters, Box::new(point), Stream::new(1, 0, "freeze-thaw"))
}

fn run(curves: &[Vec<Option<f64>>], workers: usize, segments: usize) -> Vec<(u32, u16, State)> {
    let mut driver = Driver::new(curves, workers, 3);
    let rows = u32::try_from(curves.len()).unwrap();
    driver.run(&mut thaw(rows, &PARAMETERS), segments);
    driver.segments
}

#[test]
fn every_row_has_its_turn_and_what_diverged_ends() {
    let nan = Some(f64::NAN);
    let curves = vec![
        vec![nan; 4],
        vec![Some(0.2), nan, Some(0.5), nan],
        vec![None; 4],
        vec![None, Some(0.3), None, Some(0.4)],
        vec![Some(0.1), Some(0.3), Some(0.5), Some(0.6)],
        vec![Some(1e300), Some(-1e300), Some(f64::INFINITY), Some(0.0)],
        vec![Some(0.5); 4],
    ];
    for workers in [1, 3, 16] {
        let segments = run(&curves, workers, usize::MAX);
        assert_eq!(segments, run(&curves, workers, usize::MAX));
        let of = |row: u32| -> Vec<(u16, State)> {
            segments.iter().filter(|s| s.0 == row).map(|s| (s.1, s.2)).collect()
        };
        assert_eq!(of(0), [(1, Stopped)], "{workers}");
        assert_eq!(of(1), [(1, Paused), (2, Stopped)]);
        assert_eq!(of(2), [(4, Completed)], "nothing was measured, nothing is decided");
        assert_eq!(of(3), [(2, Paused), (4, Completed)]);
        assert_eq!(of(4), [(1, Paused), (2, Paused), (3, Paused), (4, Completed)]);
        assert_eq!(of(5), [(1, Paused), (2, Paused), (3, Stopped)], "an infinity diverged");
        assert_eq!(of(6).len(), 4);
    }
}

#[test]
fn constant_curves_and_one_row_come_to_their_ends() {
    assert_eq!(run(&vec![vec![Some(0.5); 3]; 6], 1, usize::MAX).len(), 18);
    assert_eq!(run(&[vec![Some(0.5); 3]], 2, usize::MAX).len(), 3);
    assert_eq!(run(&vec![vec![Some(f64::NAN); 3]; 4], 2, usize::MAX).len(), 4);
}

#[test]
fn the_largest_improvement_of_those_drawn_goes_on() {
    let end = |row: u32| 0.9 - 0.7 * (f64::from(row) / 40.0 - 0.4).abs();
    let curve = |row: u32| (1..=10).map(|e| Some(end(row) - 0.3 / f64::from(e))).collect();
    let curves: Vec<Vec<Option<f64>>> = (0..40).map(curve).collect();
    // The decisions again, from what the scheduler knows when it takes them.
    let mut driver = Driver::new(&curves, 1, 5);
    let mut thaw = thaw(40, &PARAMETERS);
    driver.run(&mut thaw, 60);
    let view = driver.view();
    for news in thaw.control.news(&view) {
        thaw.observe(&view, &news);
    }
    thaw.learn();
    let mut stream = thaw.stream.clone();
    let free: Vec<ConfigId> = view.free().collect();
    let drawn = subset(&mut stream, 10, free.len()).into_iter().map(|at| free[at]);
    let paused = view.paused().map(|trial| view.trial(trial).config);
    let model = thaw.model.as_ref().unwrap();
    let of = |row: ConfigId| improvement(thaw.best, model.asymptote(&[f64::from(row.0) / 40.0]));
    let all: Vec<ConfigId> = paused.chain(drawn).collect();
    let best = all.into_iter().max_by(|a, b| of(*a).total_cmp(&of(*b))).unwrap();
    let expected = thaw.next(&view, Fresh::Ready);
    let chosen = match expected {
        Work::New { own: Some(crate::interface::Proposal::Row(row)), .. } => row,
        Work::Resume { trial, .. } => view.trial(trial).config,
        other => panic!("{other:?}"),
    };
    assert_eq!(chosen, best);

    let later = &driver.segments[30..];
    let mean = later.iter().map(|s| end(s.0)).sum::<f64>() / 30.0;
    let all = (0..40).map(end).sum::<f64>() / 40.0;
    assert!(mean > all + 0.1, "{mean} of {all}");
}

#[test]
fn scores_are_scaled_to_a_deviation_of_one() {
    assert_eq!(scaling([3.0, 5.0].into_iter()), (4.0, 1.0));
    assert_eq!(scaling([7.0; 3].into_iter()), (7.0, 1.0));
    let (mean, deviation) = scaling([1e100, -1e100].into_iter());
    assert!(mean.abs() < 1e90 && (deviation - 1e100).abs() < 1e90);
    let belief = |mean: f64, variance: f64| Belief { mean, variance };
    assert_eq!(improvement(1.0, belief(1.5, 0.0)), 0.5);
    assert_eq!(improvement(1.0, belief(0.5, 0.0)), 0.0);
    // With u = 0 it is the density at 0.
    assert!((improvement(1.0, belief(1.0, 4.0)) - 2.0 * 0.398_942_280_401_432_7).abs() < 1e-14);
}
