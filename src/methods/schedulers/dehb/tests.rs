use base::rng::Stream;
use base::units::Epoch;
use serde_json::Value as Json;

use super::*;
use crate::harness::{Room, float};

const GOLDEN: &str = include_str!("../../../../tests/golden/schedulers/dehb.json");

fn genes() -> Arc<Genes> {
    let room = Room::random(vec![float("a"), float("b"), float("c")], 50, 1);
    Arc::new(Genes::new(&room.context()))
}

fn core(max: u16, rates: [f64; 2]) -> Core {
    let span = Span { eta: 3, min: Epoch(1), max: Epoch(max) };
    Core::new(genes(), rates, plans(span), &mut Stream::new(1, 0, "dehb"))
}

fn whole(json: &Json) -> usize {
    usize::try_from(json.as_u64().unwrap()).unwrap()
}

#[test]
fn every_decision_is_that_of_the_package() {
    let golden: Vec<Json> = serde_json::from_str(GOLDEN).unwrap();
    for case in &golden {
        let mut found = core(u16::try_from(whole(&case["max"])).unwrap(), [0.5, 0.5]);
        let mut stream = Stream::new(1, 0, "dehb/child");
        // Who ran each job, and by trial how far it has come.
        let mut jobs: Vec<(TrialId, Job)> = Vec::new();
        let mut executed: Vec<Epoch> = Vec::new();
        for (at, event) in case["events"].as_array().unwrap().iter().enumerate() {
            if let Some(job) = event.get("tell") {
                let (trial, job) = jobs[whole(job)];
                let score = -event["loss"].as_f64().unwrap();
                let genome = vec![0.5; 3];
                executed[trial.index()] = job.until;
                found.complete(&job, Some(Individual { genome, run: Some((trial, score)) }));
                continue;
            }
            let bracket = found.open_bracket().unwrap_or_else(|| found.begin_bracket());
            let until = found.until(bracket);
            let promoted = found.promotion(bracket, |trial| executed[trial.index()] < until);
            let job = found.take(bracket);
            let expected = event["promoted"].as_u64().map(|of| {
                let of = usize::try_from(of).unwrap();
                jobs[of].0
            });
            assert_eq!(promoted, expected, "event {at}");
            let facts = (job.bracket, usize::from(job.until.0), job.parent);
            let [bracket, until, parent] = ["bracket", "until", "parent"].map(|n| whole(&event[n]));
            assert_eq!(facts, (bracket, until, parent), "event {at}");
            let trial = promoted.unwrap_or_else(|| {
                let child = found.breed(&job, &mut stream);
                assert!(child.iter().all(|gene| (0.0..=1.0).contains(gene)));
                executed.push(Epoch(0));
                TrialId(u32::try_from(executed.len() - 1).unwrap())
            });
            jobs.push((trial, job));
        }
        let holders = found.holders();
        for (level, expected) in holders.iter().zip(case["holders"].as_array().unwrap()) {
            for (found, expected) in level.iter().zip(expected.as_array().unwrap()) {
                let expected = expected.as_u64().map(|job| jobs[usize::try_from(job).unwrap()].0);
                assert_eq!(*found, expected);
            }
        }
    }
    assert_eq!(golden.len(), 6);
}

#[test]
fn a_child_is_bred_from_the_level_below() {
    // The target keeps none of its genes, and the mutant is one of the pool alone.
    let mut found = core(9, [0.0, 1.0]);
    let mut stream = Stream::new(2, 0, "dehb");
    let mut checked = 0;
    // Through the first brackets, so that every level has members of its own.
    for number in 0..200_u32 {
        let bracket = found.open_bracket().unwrap_or_else(|| found.begin_bracket());
        let promoted = found.promotion(bracket, |_| false);
        assert_eq!(promoted, None);
        let job = found.take(bracket);
        let child = found.breed(&job, &mut stream);
        if number > 100 && job.until == Epoch(3) && found.number(bracket) == 2 {
            // Genomes say where they ran.
            assert_eq!(child[0], 0.1, "{job:?}");
            checked += 1;
        }
        let genome = vec![f64::from(job.until.0) / 10.0, 0.5, 0.5];
        let run = Some((TrialId(number), f64::from(number)));
        found.complete(&job, Some(Individual { genome, run }));
    }
    assert!(checked > 5, "{checked}");
}

#[test]
fn rungs_go_on_with_those_they_have() {
    let mut found = core(9, [0.5, 0.5]);
    let bracket = found.begin_bracket();
    let jobs: Vec<Job> = (0..4).map(|_| found.take(bracket)).collect();
    found.give_up(bracket);
    assert_eq!(found.open_bracket(), None, "four are under way");
    for (trial, job) in (0..).map(TrialId).zip(&jobs) {
        let run = Some((trial, f64::from(trial.0)));
        found.complete(job, Some(Individual { genome: vec![0.5; 3], run }));
    }
    assert_eq!(found.open_bracket(), Some(bracket));
    assert_eq!(found.until(bracket), Epoch(3));
    let best = found.promotion(bracket, |_| true);
    assert_eq!(best, Some(TrialId(3)));
    // One that may not, as it was stopped, is passed over.
    let next = found.promotion(bracket, |trial| trial != TrialId(2));
    assert_eq!(next, Some(TrialId(1)));
    // Without a score a job counts, and its place stays.
    let job = found.take(bracket);
    found.complete(&job, None);
    assert!(found.holders()[1].iter().all(Option::is_none));
}
