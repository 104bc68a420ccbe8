//! A plan for what nobody has: worked out by a solver, then walked by the rules of rounds, and carried out by nobody but
//! the dispatcher who agrees to it.

mod paper;
mod solver;
mod tours;

use std::collections::BTreeMap;

use domain::id::{JobId, UserId};
use domain::job::JobKind;
use domain::pack::{Pack, TravelRules};
use domain::round::{Leg, travel};
use domain::stamp::Timestamp;

use crate::board::{Day, Person, Task};
use paper::Paper;

/// What a plan is asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// The jobs of the day that somebody still has to go to, and what nobody has.
    pub tasks: Vec<Task>,
    /// Who could be sent.
    pub people: Vec<Person>,
    /// When the day begins, Unix milliseconds.
    pub day_start_ms: i64,
    /// The moment from which on it is planned.
    pub now: Timestamp,
    /// Whether a job may be taken from whom it was given to.
    pub may_move: bool,
    /// How long to look for something better.
    pub effort: Effort,
}

/// How long to look for something better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Doors tried in other rounds, all in all; the same number finds the same plan.
    pub tries: usize,
    /// Seconds after which it ends whatever was found, for a machine that is slow.
    pub most_seconds: f64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { tries: 400_000, most_seconds: 4.0 }
    }
}

impl Effort {
    /// Looks for nothing better than what comes first.
    pub const NONE: Self = Self { tries: 0, most_seconds: 0.0 };
}

/// Who should take on what.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposal {
    /// Each job that somebody else should have, in the order in which the doors are reached.
    pub assigned: Vec<Assigned>,
    /// What stays as it is, and why.
    pub left: Vec<Left>,
    /// The day as it stands.
    pub before: Figures,
    /// The day if all of it is done.
    pub after: Figures,
    /// Whether the machine was so slow that something better may have been missed.
    pub is_cut_short: bool,
}

/// A job that somebody should have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assigned {
    /// Who has it now.
    pub from: Option<UserId>,
    /// Who should.
    pub to: UserId,
    /// The door in their round, if all of the proposal is done.
    pub leg: Leg,
    /// Whether the door lies in their own area.
    pub is_in_area: bool,
    /// Whether no window is agreed yet (A1).
    pub lacks_window: bool,
    /// Where in the hall's feed the job changed last.
    pub position: i64,
}

/// A job that stays with nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The job.
    pub job: JobId,
    /// Why.
    pub reason: Reason,
}

/// Why nobody is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The hall has no technician.
    NoTechnician,
    /// Nobody is able to do it.
    NoSkill,
    /// Its window is over.
    WindowOver,
    /// Everybody who is able to would make somebody wait in its window.
    NobodyFree,
    /// Nobody who is able to has time left on the day, or before what was promised.
    NoTime,
    /// Nobody can be there within what was promised without making somebody wait: somebody has to decide (B2).
    Decide,
}

impl Reason {
    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::NoTechnician => "no_technician",
            Self::NoSkill => "no_skill",
            Self::WindowOver => "window_over",
            Self::NobodyFree => "nobody_free",
            Self::NoTime => "no_time",
            Self::Decide => "decide",
        }
    }
}

/// A day in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Doors that somebody still has to go to.
    pub given_out: usize,
    /// Doors that are reached late.
    pub late: usize,
    /// By how much, all together.
    pub late_minutes: i64,
    /// Straight metres between doors whose places are known.
    pub metres: f64,
    /// Minutes on the way.
    pub travel_minutes: i64,
}

impl Figures {
    fn of(day: &Day, rules: &TravelRules) -> Self {
        let mut figures = Self::default();
        for technician in day.technicians() {
            figures.add(&day.round(technician, rules), rules);
        }
        figures
    }

    fn add(&mut self, legs: &[Leg], rules: &TravelRules) {
        self.given_out += legs.len();
        self.late += legs.iter().filter(|leg| leg.late.num_minutes() > 0).count();
        self.late_minutes += legs.iter().map(|leg| leg.late.num_minutes()).sum::<i64>();
        self.metres += legs.iter().filter_map(|leg| leg.metres).sum::<f64>();
        // The first way of a round counts as none, for nobody knows where it begins.
        let ways = legs.iter().skip(1).map(|leg| travel(leg.metres, rules).num_minutes());
        self.travel_minutes += ways.sum::<i64>();
    }
}

/// Works a plan out. It takes up to [`Effort::most_seconds`] and needs a thread of its own.
///
/// # Errors
///
/// When the solver refuses the problem, which is a bug.
pub fn propose(question: &Question, pack: &Pack, rules: &TravelRules) -> anyhow::Result<Proposal> {
    let mut paper = Paper::new(question, pack, rules);
    let before = Figures::of(&paper.day, rules);
    paper.give_emergencies();
    let mut tried = paper.clone();
    paper.give_rest();
    let tours = tours::Tours::of(&paper);
    let found = solver::solve(&tours, question.effort)?;
    if !found.visits.is_empty() {
        for (task, technician) in found.visits {
            tried.try_give(task, technician);
        }
        tried.give_rest();
        // The solver walks each tour in its own order, the phones in theirs: what counts is what comes of it there.
        if tried.is_better_than(&paper) {
            paper = tried;
        }
    }
    let after = Figures::of(&paper.day, rules);
    let (assigned, left) = (assigned(&paper), left(&paper));
    Ok(Proposal { assigned, left, before, after, is_cut_short: found.is_cut_short })
}

fn assigned(paper: &Paper<'_>) -> Vec<Assigned> {
    let by_job: BTreeMap<JobId, &Task> =
        paper.question.tasks.iter().map(|task| (task.call.job, task)).collect();
    let mut assigned = Vec::new();
    for person in &paper.question.people {
        for leg in paper.day.round(person.id, paper.rules) {
            let Some(task) = by_job.get(&leg.job) else { continue };
            if task.holder == Some(person.id) {
                continue;
            }
            assigned.push(Assigned {
                from: task.holder,
                to: person.id,
                leg,
                is_in_area: person.qualification.covers(&task.address),
                lacks_window: task.call.window.is_none(),
                position: task.position,
            });
        }
    }
    assigned.sort_by_key(|it| (it.leg.reached_at, it.leg.job));
    assigned
}

fn left(paper: &Paper<'_>) -> Vec<Left> {
    let open = paper.question.tasks.iter().filter(|task| task.holder.is_none());
    let left = open.filter(|task| paper.holder(task.call.job).is_none());
    left.map(|task| Left { job: task.call.job, reason: reason(paper, task) }).collect()
}

fn reason(paper: &Paper<'_>, task: &Task) -> Reason {
    if paper.question.people.is_empty() {
        Reason::NoTechnician
    } else if !paper.question.people.iter().any(|person| paper.is_fit(person, task)) {
        Reason::NoSkill
    } else if task.call.kind == JobKind::Emergency {
        Reason::Decide
    } else if task.call.window.is_some_and(|window| window.end <= paper.day.begin()) {
        Reason::WindowOver
    } else if task.call.window.is_some() {
        Reason::NobodyFree
    } else {
        Reason::NoTime
    }
}

#[cfg(test)]
mod tests;
