//! A day on paper: jobs are given to people as long as nobody who waits is made to wait longer than was promised.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::id::{JobId, UserId};
use domain::job::JobKind;
use domain::pack::{Pack, TravelRules};
use domain::round::{Leg, Shift, travel};
use domain::stamp::Timestamp;

use super::Question;
use crate::board::{Day, Person, Task};

/// A day on paper.
#[derive(Clone)]
pub(super) struct Paper<'a> {
    /// What is asked.
    pub(super) question: &'a Question,
    /// What each kind of job needs.
    pub(super) pack: &'a Pack,
    /// How long ways and work take.
    pub(super) rules: &'a TravelRules,
    /// The rounds as far as they were changed.
    pub(super) day: Day,
    /// The latest moment at which each door may be reached.
    pub(super) limits: BTreeMap<JobId, Timestamp>,
    holders: BTreeMap<JobId, UserId>,
}

impl<'a> Paper<'a> {
    /// The day as it stands.
    pub(super) fn new(question: &'a Question, pack: &'a Pack, rules: &'a TravelRules) -> Self {
        let day = Day::of(&question.tasks, question.day_start_ms, question.now, rules);
        let legs: Vec<Leg> = day.technicians().flat_map(|it| day.round(it, rules)).collect();
        let reached = |leg: &Leg| (leg.job, leg.reached_at);
        let expected: BTreeMap<JobId, Timestamp> = legs.iter().map(reached).collect();
        let limits = question.tasks.iter().map(|task| {
            let promised = latest(task, &day, question.day_start_ms);
            // Whoever waits too long already is not made to wait longer.
            let limit = expected.get(&task.call.job).map_or(promised, |it| promised.max(*it));
            (task.call.job, limit)
        });
        let held = question.tasks.iter().filter_map(|it| Some((it.call.job, it.holder?)));
        Self { question, pack, rules, limits: limits.collect(), holders: held.collect(), day }
    }

    /// Who has a job on paper.
    pub(super) fn holder(&self, job: JobId) -> Option<UserId> {
        self.holders.get(&job).copied()
    }

    /// Whether somebody may be sent.
    pub(super) fn is_fit(&self, person: &Person, task: &Task) -> bool {
        person.qualification.lacks(&self.pack.kind(task.call.kind).skills).is_empty()
    }

    /// Whether a job may be taken from who has it.
    pub(super) fn is_movable(&self, task: &Task) -> bool {
        let is_theirs = |holder| self.question.people.iter().any(|person| person.id == holder);
        self.question.may_move
            && task.is_waiting
            && task.call.kind != JobKind::Emergency
            && task.holder.is_some_and(is_theirs)
    }

    /// Gives each emergency to whoever is there first, if that is in time and makes nobody wait longer (B2).
    pub(super) fn give_emergencies(&mut self) {
        let question = self.question;
        let is_open = |task: &&Task| task.holder.is_none() && task.call.kind == JobKind::Emergency;
        let mut open: Vec<&Task> = question.tasks.iter().filter(is_open).collect();
        open.sort_by_key(|task| (self.limits.get(&task.call.job), task.call.job));
        for task in open {
            let best = self.best(task, |_, leg| leg.reached_at.timestamp_millis());
            if let Some(technician) = best {
                self.give(task, technician);
            }
        }
    }

    /// Gives a job to somebody, unless it would make somebody wait.
    pub(super) fn try_give(&mut self, task: &Task, technician: UserId) {
        let job = task.call.job;
        let before = self.holder(job);
        if before == Some(technician) {
            return;
        }
        let mut after = self.day.clone();
        after.take(job);
        after.give(technician, task.call);
        let touched: BTreeSet<UserId> = before.into_iter().chain([technician]).collect();
        if touched.into_iter().all(|it| self.is_kept(&after.round(it, self.rules))) {
            self.day = after;
            self.holders.insert(job, technician);
        }
    }

    /// Gives what nobody has yet to whom it costs least, most urgent first.
    pub(super) fn give_rest(&mut self) {
        let question = self.question;
        let is_open = |task: &&Task| {
            self.holder(task.call.job).is_none() && task.call.kind != JobKind::Emergency
        };
        let mut open: Vec<&Task> = question.tasks.iter().filter(is_open).collect();
        open.sort_by_key(|task| (self.limits.get(&task.call.job), task.call.job));
        let way = |it: &Self, id| it.way(&it.day.round(id, it.rules));
        let people = question.people.iter();
        let mut ways: BTreeMap<UserId, TimeDelta> =
            people.map(|person| (person.id, way(self, person.id))).collect();
        for task in open {
            let outside = outside_area(self.rules);
            let best = self.best_by(task, |person, legs| {
                let area = person.qualification.covers(&task.address);
                let before = ways.get(&person.id).copied().unwrap_or_default();
                self.way(legs) - before + if area { TimeDelta::zero() } else { outside }
            });
            if let Some(technician) = best {
                self.give(task, technician);
                ways.insert(technician, way(self, technician));
            }
        }
    }

    /// Whether more is given out than on another paper, or the same for less way.
    pub(super) fn is_better_than(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.holders.len(), other.holders.len());
        mine > theirs || (mine == theirs && self.cost() < other.cost())
    }

    /// All ways, with what it costs to leave areas and to take jobs from people.
    fn cost(&self) -> TimeDelta {
        let mut cost = TimeDelta::zero();
        for person in &self.question.people {
            cost += self.way(&self.day.round(person.id, self.rules));
        }
        for task in &self.question.tasks {
            let Some(holder) = self.holder(task.call.job) else { continue };
            let person = self.question.people.iter().find(|person| person.id == holder);
            if person.is_some_and(|person| !person.qualification.covers(&task.address)) {
                cost += outside_area(self.rules);
            }
            if task.holder.is_some_and(|before| before != holder) {
                cost += moved(self.rules);
            }
        }
        cost
    }

    fn give(&mut self, task: &Task, technician: UserId) {
        self.day.give(technician, task.call);
        self.holders.insert(task.call.job, technician);
    }

    fn best(&self, task: &Task, cost: impl Fn(&Person, &Leg) -> i64) -> Option<UserId> {
        self.best_by(task, |person, legs| {
            let leg = legs.iter().find(|leg| leg.job == task.call.job);
            leg.map_or(i64::MAX, |leg| cost(person, leg))
        })
    }

    /// Who may be sent, makes nobody wait, and costs least.
    fn best_by<C: Ord>(&self, task: &Task, cost: impl Fn(&Person, &[Leg]) -> C) -> Option<UserId> {
        let fit = self.question.people.iter().filter(|person| self.is_fit(person, task));
        let kept = fit.filter_map(|person| {
            let legs = self.day.round_with(person.id, task.call, self.rules);
            self.is_kept(&legs).then(|| (cost(person, &legs), person.id))
        });
        kept.min().map(|(_, id)| id)
    }

    /// Whether every door is reached while it may be.
    fn is_kept(&self, legs: &[Leg]) -> bool {
        let limit = |leg: &Leg| self.limits.get(&leg.job).copied();
        legs.iter().all(|leg| limit(leg).is_none_or(|limit| leg.reached_at <= limit))
    }

    fn way(&self, legs: &[Leg]) -> TimeDelta {
        legs.iter().skip(1).map(|leg| travel(leg.metres, self.rules)).sum()
    }
}

/// The latest moment at which a door may be reached: in its window; without one on the day and before a promise is broken.
fn latest(task: &Task, day: &Day, day_start_ms: i64) -> Timestamp {
    if let Some(window) = task.call.window {
        return window.end;
    }
    let midnight = Timestamp::from_timestamp_millis(day_start_ms).unwrap_or_default();
    let closes = day.shift().map_or(midnight + TimeDelta::days(1), |shift: &Shift| shift.work.end);
    // A promise that is broken already asks for the same day, not for yesterday.
    task.due.filter(|due| *due > day.begin()).map_or(closes, |due| due.min(closes))
}

/// The way that a plan makes to stay in somebody's own area.
pub(super) fn outside_area(rules: &TravelRules) -> TimeDelta {
    travel(Some(rules.outside_area_metres), rules) - travel(Some(0.0), rules)
}

/// The way that a plan makes rather than take a job from somebody.
pub(super) fn moved(rules: &TravelRules) -> TimeDelta {
    travel(Some(rules.moved_metres), rules) - travel(Some(0.0), rules)
}
