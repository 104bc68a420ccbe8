//! A day on paper as a problem of tours: seconds, places by number, and who may do what.

use domain::id::UserId;
use domain::job::JobKind;
use domain::place::Place;
use domain::round::{Leg, takes, travel};
use domain::stamp::Timestamp;

use super::paper::{Paper, moved, outside_area};
use crate::board::{Person, Task};

/// Where a tour begins of which nobody knows where it begins: no way is counted from there.
const NOWHERE: usize = 0;

/// Everything that the solver has to know; seconds count from the moment from which on it is planned.
pub(super) struct Tours<'a> {
    /// What there is to do.
    pub(super) stops: Vec<Stop<'a>>,
    /// Who there is.
    pub(super) walkers: Vec<Walker>,
    /// Seconds from place to place, row by row.
    ways: Vec<f32>,
    places: usize,
}

/// A door to go to.
pub(super) struct Stop<'a> {
    /// The task.
    pub(super) task: &'a Task,
    /// When it may be reached, from and until; several spans where a break lies between.
    pub(super) spans: Vec<(f64, f64)>,
    /// How long it takes.
    pub(super) seconds: f64,
    /// Its turn in a round: emergencies first, then by window; `None` comes last.
    pub(super) turn: Option<f64>,
    /// Whether it stays where it is.
    pub(super) is_fixed: bool,
}

/// Somebody who goes to doors.
pub(super) struct Walker {
    /// Who.
    pub(super) id: UserId,
    /// Where they begin.
    pub(super) place: usize,
    /// When.
    pub(super) begin: f64,
    /// What they have to go to already: the stop and the span in which they are expected there.
    pub(super) round: Vec<(usize, (f64, f64))>,
    /// Whether they may be sent, by stop.
    pub(super) may: Vec<bool>,
    /// Seconds that it costs besides the way, by stop.
    pub(super) extra: Vec<f32>,
}

impl<'a> Tours<'a> {
    /// Describes a day on paper.
    pub(super) fn of(paper: &Paper<'a>) -> Self {
        let tasks = paper.question.tasks.iter();
        let is_theirs = |holder| paper.question.people.iter().any(|person| person.id == holder);
        let tasks: Vec<&Task> = tasks
            .filter(|task| !task.call.is_there)
            // Whom an emergency without anybody would make wait is for somebody to decide.
            .filter(|task| {
                let fit = || paper.question.people.iter().any(|it| paper.is_fit(it, task));
                let is_open = task.call.kind != JobKind::Emergency && fit();
                paper.holder(task.call.job).map_or(is_open, is_theirs)
            })
            .collect();
        let stops: Vec<Stop<'a>> = tasks.iter().map(|task| stop(paper, task)).collect();
        let mut places: Vec<Option<Place>> = tasks.iter().map(|task| task.call.place).collect();
        let people = paper.question.people.iter();
        let walkers: Vec<Walker> =
            people.map(|person| walker(paper, person, &tasks, &mut places)).collect();
        let (ways, places) = ways(paper, &places);
        Self { stops, walkers, ways, places }
    }

    /// Seconds from one place to another; a stop's place is its number plus one.
    pub(super) fn way(&self, from: usize, to: usize) -> f64 {
        self.ways.get(from * self.places + to).copied().map_or(0.0, f64::from)
    }

    /// The place of a stop.
    pub(super) fn place(stop: usize) -> usize {
        stop + 1
    }

    /// The stop at a place; `None` where a tour begins.
    pub(super) fn stop_at(&self, place: usize) -> Option<usize> {
        place.checked_sub(1).filter(|stop| *stop < self.stops.len())
    }
}

fn stop<'a>(paper: &Paper<'_>, task: &'a Task) -> Stop<'a> {
    let (begin, call) = (paper.day.begin(), &task.call);
    let is_emergency = call.kind == JobKind::Emergency;
    let start = call.window.map_or(begin, |window| window.start.max(begin));
    let start =
        paper.day.shift().map_or(start, |shift| shift.begins(call.kind, call.window, start));
    let limit = paper.limits.get(&call.job).copied().unwrap_or(begin);
    let mut spans = vec![(start, limit)];
    let pause = paper.day.shift().and_then(|shift| shift.pause);
    let waits = |at| {
        let begins = |shift: &domain::round::Shift| shift.begins(call.kind, call.window, at) > at;
        paper.day.shift().is_some_and(begins)
    };
    if let Some(pause) = pause.filter(|it| start < it.start && it.start <= limit && waits(it.start))
    {
        let just_before = pause.start - chrono::TimeDelta::seconds(1);
        spans = vec![(start, just_before), (pause.end, limit)];
    }
    spans.retain(|(from, until)| from <= until);
    let since = |at: Timestamp| seconds(at - begin);
    let turn = match call.window {
        _ if is_emergency => Some(-1.0),
        // What began already began long ago for one and just now for another: their turns differ.
        Some(window) => Some(seconds(window.start - Timestamp::UNIX_EPOCH)),
        None => None,
    };
    Stop {
        task,
        spans: spans.into_iter().map(|(from, until)| (since(from), since(until))).collect(),
        seconds: seconds(takes(call.kind, paper.rules)),
        turn,
        is_fixed: is_fixed(paper, task),
    }
}

/// Emergencies stay with whom they were given to first, and what is given out stays unless it may be moved.
fn is_fixed(paper: &Paper<'_>, task: &Task) -> bool {
    let is_given = task.holder.is_some() && !paper.is_movable(task);
    is_given || task.call.kind == JobKind::Emergency
}

fn walker(
    paper: &Paper<'_>,
    person: &Person,
    tasks: &[&Task],
    places: &mut Vec<Option<Place>>,
) -> Walker {
    let begin = paper.day.begin();
    let legs = paper.day.round(person.id, paper.rules);
    let calls = paper.day.calls(person.id);
    let is_there = |leg: &&Leg| calls.iter().any(|call| call.job == leg.job && call.is_there);
    let stay = legs.iter().take_while(is_there).last();
    let place = stay.map_or(NOWHERE, |stay| {
        let here = calls.iter().find(|call| call.job == stay.job);
        places.push(here.and_then(|call| call.place));
        places.len()
    });
    let round = legs.iter().filter_map(|leg| {
        let stop = tasks.iter().position(|task| task.call.job == leg.job)?;
        let limit = paper.limits.get(&leg.job).copied().unwrap_or(leg.reached_at);
        let pause = paper.day.shift().and_then(|shift| shift.pause);
        let window = tasks[stop].call.window.map_or(begin, |window| window.start.max(begin));
        // A door that is reached behind the break stays behind it.
        let from =
            pause.filter(|it| it.end <= leg.reached_at).map_or(window, |it| window.max(it.end));
        Some((stop, (seconds(from - begin), seconds(limit - begin))))
    });
    let may = |task: &&Task| {
        let has_it = |holder: Option<UserId>| holder == Some(person.id);
        if is_fixed(paper, task) {
            has_it(paper.holder(task.call.job))
        } else {
            has_it(task.holder) || paper.is_fit(person, task)
        }
    };
    let extra = |task: &&Task| {
        let covers = person.qualification.covers(&task.address);
        let area = if covers { 0.0 } else { seconds(outside_area(paper.rules)) };
        let is_moved = task.holder.is_some_and(|holder| holder != person.id);
        let moved = if is_moved { seconds(moved(paper.rules)) } else { 0.0 };
        short(area + moved)
    };
    Walker {
        id: person.id,
        place,
        begin: stay.map_or(0.0, |stay| seconds(stay.left_at - begin)),
        round: round.collect(),
        may: tasks.iter().map(may).collect(),
        extra: tasks.iter().map(extra).collect(),
    }
}

/// Seconds between all places, by the same distances and rules as the rounds.
fn ways(paper: &Paper<'_>, places: &[Option<Place>]) -> (Vec<f32>, usize) {
    let size = places.len() + 1;
    let mut ways = vec![0.0; size * size];
    for (from, here) in places.iter().enumerate() {
        for (to, there) in places.iter().enumerate().skip(from + 1) {
            let metres = here.as_ref().zip(there.as_ref()).map(|(a, b)| a.metres_to(b));
            let way = short(seconds(travel(metres, paper.rules)));
            ways[(from + 1) * size + to + 1] = way;
            ways[(to + 1) * size + from + 1] = way;
        }
    }
    (ways, size)
}

fn seconds(span: chrono::TimeDelta) -> f64 {
    span.as_seconds_f64()
}

/// Ways are told to the second, and no day has more of them than this type can count.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds of some days")]
fn short(seconds: f64) -> f32 {
    seconds as f32
}
