//! The short line of steps of a visit: which are behind, which is next, what is missing.

use domain::appointment;
use domain::catalogue::Sentence;
use domain::conduct::{self, Phase};
use domain::id::{JobId, VisitId};
use domain::job::Job;
use domain::pack::Need;
use domain::pack::{ConductItem, Pack};
use domain::visit::check::missing_to_close;
use domain::visit::{Fact, Outcome, Visit, live_facts};
use serde::Serialize;

use super::{CommandError, Phone};
use crate::clock::{Clock, Rng};
use crate::log::LogStore;

/// A step of a visit, in walking order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Agree a window with the household.
    Agree,
    /// Phone the household before coming; whoever has set out is past it.
    PhoneAhead,
    /// Set out.
    SetOut,
    /// Arrive.
    Arrive,
    /// Answer the conduct items before anybody opens.
    AtTheDoor,
    /// Answer the conduct items before stepping in.
    BeforeEntering,
    /// Do what the job's kind needs.
    Work,
    /// Answer the conduct items before leaving.
    BeforeLeaving,
    /// Have the household sign, where the job's kind asks for it.
    Sign,
    /// Close the visit.
    Close,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Behind.
    Done,
    /// To be taken now.
    Next,
    /// Ahead.
    Later,
}

/// The line of steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Steps {
    /// The visit under way, if one is.
    pub visit: Option<VisitId>,
    /// Every step with its state; exactly one is next.
    pub line: Vec<(Step, StepState)>,
    /// The conduct items that the next step asks, when it is a conduct step.
    pub items: Vec<ConductItem>,
    /// What is missing before the job can be closed as done, in words.
    pub missing: Vec<Sentence>,
}

impl Steps {
    /// The step to be taken now.
    pub fn next(&self) -> Step {
        let next = self.line.iter().find(|(_, state)| *state == StepState::Next);
        next.map_or(Step::Close, |(step, _)| *step)
    }
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// The line of steps of the visit under way, or of the one that would begin.
    pub fn steps(&self, job: JobId) -> Result<Steps, CommandError> {
        let held = self.held(job)?;
        let pack = self.pack_of(job)?;
        let visit = self.open_visit(job)?;
        let walked = Walked { job: held, visit: visit.map(|id| &held.visits[&id]), pack: &pack };
        Ok(walked.steps(visit))
    }

    /// What is missing before the visit under way can close with this outcome, in words.
    pub fn missing(&self, job: JobId, outcome: &Outcome) -> Result<Vec<Sentence>, CommandError> {
        let held = self.held(job)?;
        let pack = self.pack_of(job)?;
        let nothing = self.nothing_yet()?;
        let visit = self.open_visit(job)?.map_or(&nothing, |id| &held.visits[&id]);
        Ok(missing_to_close(held, visit, outcome, &pack))
    }

    fn nothing_yet(&self) -> Result<Visit, CommandError> {
        let enrolment = self.device.enrolment().ok_or(CommandError::NotEnrolled)?;
        let (technician, device) = (enrolment.user, enrolment.device);
        Ok(Visit { technician, device, facts: std::collections::BTreeMap::new() })
    }
}

struct Walked<'a> {
    job: &'a Job,
    visit: Option<&'a Visit>,
    pack: &'a Pack,
}

impl Walked<'_> {
    fn steps(&self, id: Option<VisitId>) -> Steps {
        let missing = match self.visit {
            Some(visit) => missing_to_close(self.job, visit, &Outcome::Done, self.pack),
            None => Vec::new(),
        };
        let is_work_missing = missing.iter().any(is_about_work);
        let signs = self.pack.kind(self.job.kind).needs.contains(&Need::Signature);
        let has_set_out = self.has(|it| matches!(it, Fact::SetOut | Fact::Arrived { .. }));
        let mut done = vec![
            (Step::Agree, self.is_agreed()),
            (
                Step::PhoneAhead,
                has_set_out || self.has(|it| matches!(it, Fact::PhonedAhead { .. })),
            ),
            (Step::SetOut, has_set_out),
            (Step::Arrive, self.has(|it| matches!(it, Fact::Arrived { .. }))),
            (Step::AtTheDoor, self.is_answered(Phase::AtTheDoor)),
            (Step::BeforeEntering, self.is_answered(Phase::BeforeEntering)),
            (Step::Work, self.visit.is_some() && !is_work_missing),
            (Step::BeforeLeaving, self.is_answered(Phase::BeforeLeaving)),
        ];
        if signs {
            done.push((Step::Sign, self.has(|it| matches!(it, Fact::Signed { .. }))));
        }
        done.push((Step::Close, false));
        let next = done.iter().find(|(_, is_done)| !is_done).map_or(Step::Close, |(step, _)| *step);
        let state = |step: Step, is_done: bool| match step == next {
            true => StepState::Next,
            false if is_done => StepState::Done,
            false => StepState::Later,
        };
        let line = done.into_iter().map(|(step, is_done)| (step, state(step, is_done))).collect();
        Steps { visit: id, line, items: self.items(next), missing }
    }

    fn items(&self, next: Step) -> Vec<ConductItem> {
        let phase = match next {
            Step::AtTheDoor => Phase::AtTheDoor,
            Step::BeforeEntering => Phase::BeforeEntering,
            Step::BeforeLeaving => Phase::BeforeLeaving,
            Step::Agree
            | Step::PhoneAhead
            | Step::SetOut
            | Step::Arrive
            | Step::Work
            | Step::Sign
            | Step::Close => return Vec::new(),
        };
        let visit = self.visit.into_iter();
        visit.flat_map(|it| conduct::missing(self.pack, it, phase)).cloned().collect()
    }

    fn is_agreed(&self) -> bool {
        self.pack.kind(self.job.kind).emergency || appointment::current(self.job).is_some()
    }

    fn is_answered(&self, phase: Phase) -> bool {
        self.visit.is_some_and(|visit| conduct::missing(self.pack, visit, phase).is_empty())
    }

    fn has(&self, is_it: impl Fn(&Fact) -> bool) -> bool {
        let facts = self.visit.into_iter().flat_map(live_facts);
        facts.into_iter().any(|(_, recorded)| is_it(&recorded.fact))
    }
}

/// Conduct and the signature have steps of their own.
fn is_about_work(missing: &Sentence) -> bool {
    !matches!(missing.key.as_str(), "missing.conduct" | "missing.signature")
}
