//! Bands by hand, epoch by epoch.

use base::units::Epoch;

use super::band::{self, Band, Contender, Run};

fn curve(scores: &[f64]) -> Vec<Option<f64>> {
    scores.iter().map(|score| Some(*score)).collect()
}

fn choose(
    contenders: &[Vec<Option<f64>>],
    runs: &[Run],
    epochs: Epoch,
    margin_before: f64,
) -> Option<Band> {
    // Values stand in their order, and nothing else is asked of them.
    let contender = |scores: &Vec<_>| Contender { value: 1.0, scores: scores.clone() };
    let contenders: Vec<_> = contenders.iter().map(contender).collect();
    band::choose(&contenders, &runs.iter().cloned().collect(), epochs, margin_before)
}

fn run(scores: &[f64], epochs: u16) -> Run {
    Run { scores: curve(scores), epoch_cost: 1.0, epochs: Epoch(epochs) }
}

fn bars(band: &Band, epochs: u16) -> Vec<Option<f64>> {
    (1..=epochs).map(|epoch| band.bar(Epoch(epoch))).collect()
}

#[test]
fn two_contenders_make_a_band_as_wide_as_they_lie_apart() {
    let contenders = [curve(&[0.5, 0.75, 1.0]), curve(&[0.625, 0.75, 0.875])];
    // Two good ones, and three that would be stopped after one epoch of three.
    let low = run(&[0.125], 3);
    let good = contenders.clone().map(|scores| Run { scores, epoch_cost: 1.0, epochs: Epoch(3) });
    let runs = [good[0].clone(), low.clone(), good[1].clone(), low.clone(), low];
    // 6 of 15 epochs are saved, a third of those worth running may be lost.
    let band = choose(&contenders, &runs, Epoch(3), 0.0).unwrap();
    assert_eq!((band.contenders, band.margin), (2, 0.125));
    assert_eq!(bars(&band, 3), [Some(0.375), Some(0.625), Some(0.75)]);
    // Of five of which two would be stopped 4 of 15 are saved: less than what may be lost.
    let fewer = [&runs[..3], &runs[..1], &runs[1..2]].concat();
    assert_eq!(choose(&contenders, &fewer, Epoch(3), 0.0), None);
    // One contender alone says nothing of how far they lie apart.
    assert_eq!(choose(&contenders[..1], &runs, Epoch(3), 0.0), None);
    // A margin never shrinks, and one that leaves nothing to stop stops nothing.
    let wider = choose(&contenders, &runs, Epoch(3), 0.25).unwrap();
    assert_eq!(bars(&wider, 3), [Some(0.25), Some(0.5), Some(0.625)]);
    assert_eq!(choose(&contenders, &runs, Epoch(3), 0.5), None);
}

#[test]
fn a_third_contender_takes_the_place_of_two_where_it_is_worth_it() {
    let low = run(&[0.0], 10);
    let contenders = [curve(&[0.5; 10]), curve(&[0.5; 10]), curve(&[0.5; 10])];
    let band = choose(&contenders, &vec![low; 9], Epoch(10), 0.0).unwrap();
    // All save the same, and three lose a quarter at most.
    assert_eq!((band.contenders, band.margin, band.bar(Epoch(1))), (3, 0.0, Some(0.5)));
}

#[test]
fn what_was_not_measured_sets_no_bar_and_what_diverged_takes_it_away() {
    let none = [Some(0.5), None, Some(0.5), Some(0.5)].to_vec();
    let worst = [Some(0.5), Some(0.5), Some(f64::NEG_INFINITY), Some(0.5)].to_vec();
    let runs = vec![run(&[0.0], 4); 8];
    let band = |contenders: &[Vec<Option<f64>>]| choose(contenders, &runs, Epoch(4), 0.0);
    // Epoch 2 has one score alone. One that is worse than everything is so by more than any margin.
    let gap = band(&[none.clone(), curve(&[0.5; 4])]).unwrap();
    assert_eq!(bars(&gap, 4), [Some(0.5), None, Some(0.5), Some(0.5)]);
    assert_eq!(band(&[worst.clone(), curve(&[0.5; 4])]), None);
    // Two of them are alike there, and elsewhere nothing is lost.
    let both = band(&[worst.clone(), worst]).unwrap();
    assert_eq!(bars(&both, 4), [Some(0.5), Some(0.5), None, Some(0.5)]);
    // A contender of two epochs sets no bar beyond them.
    let short = band(&[curve(&[0.5; 2]), curve(&[0.5; 4])]).unwrap();
    assert_eq!(bars(&short, 4), [Some(0.5), Some(0.5), None, None]);
}

#[test]
fn the_least_two_are_kept_in_any_order() {
    for scores in [[0.25, 0.5, 0.75], [0.75, 0.5, 0.25], [0.5, 0.75, 0.25], [0.75, 0.25, 0.5]] {
        let contenders = scores.map(|score| curve(&[score, 1.0]));
        let runs = vec![run(&[-9.0], 30); 9];
        let band = choose(&contenders, &runs, Epoch(30), 0.0).unwrap();
        if band.contenders == 3 {
            assert_eq!((band.margin, band.bar(Epoch(1))), (0.25, Some(0.0)), "{scores:?}");
        } else {
            panic!("{band:?}: three lose less than two");
        }
    }
}
