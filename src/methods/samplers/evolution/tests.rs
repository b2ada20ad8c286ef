use super::super::harness::{Histories, Room, Session, check_everywhere, float};
use super::*;
use crate::interface::State;

#[test]
fn next_proposals_are_those_of_syne_tune() {
    let histories = Histories::load();
    let text = |sample| format!("evolution:population=20,sample={sample}");
    histories.assert_like("evolution", |at, draws| histories.draw(&text(5), at, draws));
    histories.assert_unlike("evolution", |at, draws| histories.draw(&text(1), at, draws));
}

/// The order of the members' trials.
fn members(evolution: &Evolution) -> Vec<u32> {
    evolution.members.iter().map(|m| m.trial.0).collect()
}

fn evolution(room: &Room, population: usize, sample: usize, removal: Removal) -> Evolution {
    let run = crate::interface::RunContext { seed: 7, repeat: 0, threads: 1 };
    Evolution {
        population,
        sample,
        removal,
        genes: Arc::new(Genes::new(&room.context())),
        streams: Streams::new(&run, "evolution"),
        members: VecDeque::new(),
        seen: Seen::default(),
        is_full: false,
        proposals: 0,
    }
}

#[test]
fn the_oldest_leaves_or_the_worst_of_those_drawn() {
    let member = |trial: u32, score| Member {
        trial: TrialId(trial),
        row: base::units::ConfigId(trial),
        score,
    };
    let room = Room::random(vec![float("a")], 10, 1);
    let scores = [0.3, 0.1, 0.2, f64::NEG_INFINITY];
    let full = |removal| {
        let mut evolution = evolution(&room, 4, 4, removal);
        evolution.members = (0..).zip(scores).map(|(trial, s)| member(trial, s)).collect();
        evolution.is_full = true;
        evolution
    };
    let mut stream = Stream::new(1, 0, "evolution");
    // All four are drawn, since they are different.
    let mut without_age = full(Removal::Worst);
    assert_eq!(without_age.parent(&mut stream).trial, TrialId(0));
    assert_eq!(members(&without_age), [0, 1, 2]);
    without_age.sample = 2;
    while without_age.members.len() > 1 {
        without_age.parent(&mut stream);
    }
    assert_eq!(members(&without_age), [0], "the best is never the worst of a pair");
    assert_eq!(without_age.parent(&mut stream).trial, TrialId(0));
    assert_eq!(members(&without_age), [0], "the last one stays");
    let mut aging = full(Removal::Oldest);
    aging.sample = 60;
    assert_eq!(aging.parent(&mut stream).trial, TrialId(0));
    assert_eq!(members(&aging), [0, 1, 2, 3], "nobody leaves before a child joins");
}

#[test]
fn members_join_once_age_and_change_their_word() {
    let room = Room::random(vec![float("a")], 200, 1);
    let mut session = Session::new(&room, room.sampler("evolution:population=3,sample=9", 0), 2);
    // Paused, told again, and stopped trials are members like others.
    let trials: Vec<TrialId> = (0..3).map(|_| session.start().unwrap()).collect();
    for (trial, score) in trials.iter().zip([0.9, 0.5, 0.1]) {
        session.tell(*trial, score, State::Paused);
    }
    session.tell(trials[0], 0.2, State::Completed);
    // The best is now the second; all children stem from it, in the one gene that there is.
    let child = session.start().unwrap();
    session.tell(child, f64::NAN, State::Stopped);
    assert!(session.start().is_some());
    let large = room.sampler("evolution", 0);
    let mut session = Session::new(&room, large, 1);
    // A hundred would be half of the table: it is twenty.
    let rows = session.run_one_by_one(60, |point| -(point[0] - 0.5).abs());
    assert_eq!(rows.len(), 60);
}

#[test]
fn every_table_is_visited_whole() {
    check_everywhere("evolution:population=5,sample=3");
    check_everywhere("evolution:population=6,sample=2,removal=worst");
}
