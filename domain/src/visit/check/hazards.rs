//! What a visit does about hazards: the notice, the stop, the look at what was found before (B7).

use super::{RecordError, Steps, said};
use crate::catalogue::Sentence;
use crate::hazard::{FindingId, NoticeAnswer};
use crate::id::FactId;
use crate::visit::{Fact, live_facts};

impl Steps<'_> {
    /// Whether something may be recorded about a hazard, inside the home.
    pub(super) fn check_hazard(&self, fact: &Fact) -> Result<(), RecordError> {
        if let Fact::NoticeGiven { hazard, answer } = fact {
            self.needs_hazard(*hazard)?;
            return match answer {
                Some(NoticeAnswer::RefusedToSign { reason }) => said(reason),
                Some(NoticeAnswer::Signed { .. }) => Ok(()),
                None if self.pack.hazard_care.is_none() => Ok(()),
                None => Err(RecordError::NoticeNeedsAnswer),
            };
        }
        if let Fact::HazardRechecked { job, visit, hazard, gone, photo } = fact {
            self.needs_known((*job, *visit, *hazard))?;
            let is_shown = photo.as_ref().is_some_and(|hash| !hash.trim().is_empty());
            return if *gone && !is_shown { Err(RecordError::RecheckNeedsPhoto) } else { Ok(()) };
        }
        if let Fact::SupplyStopped { hazard } = fact { self.needs_hazard(*hazard) } else { Ok(()) }
    }

    /// A hazard with a deadline asks for its notice in the household's hands.
    pub(super) fn missing_notices(&self) -> Vec<Sentence> {
        let facts = live_facts(self.visit);
        let found = facts.iter().filter_map(|(id, recorded)| {
            let Fact::HazardFound { item, .. } = &recorded.fact else { return None };
            let rule = self.pack.hazards.iter().find(|rule| rule.id == *item)?;
            rule.deadline_days.map(|_| (*id, rule))
        });
        let given = |id: FactId| {
            self.has(|it| matches!(it, Fact::NoticeGiven { hazard, .. } if *hazard == id))
        };
        let open = found.filter(|(id, _)| !given(*id));
        open.map(|(_, rule)| Sentence::new("missing.hazard_notice").naming("item", &rule.name()))
            .collect()
    }

    /// A severe hazard asks for gas to be shut off, unless it is gone before the technician leaves.
    pub(super) fn missing_stops(&self) -> Vec<Sentence> {
        let Some(care) = &self.pack.hazard_care else { return Vec::new() };
        let facts = live_facts(self.visit);
        let severe = facts.iter().filter_map(|(id, recorded)| {
            let Fact::HazardFound { item, level, .. } = &recorded.fact else { return None };
            let rule = self.pack.hazards.iter().find(|rule| rule.id == *item)?;
            (*level <= care.severe_level).then_some((*id, rule))
        });
        let settled = |id: FactId| {
            let stopped = |it: &Fact| *it == Fact::SupplyStopped { hazard: id };
            let gone = |it: &Fact| matches!(it, Fact::HazardRechecked { hazard, gone: true, .. } if *hazard == id);
            self.has(|it| stopped(it) || gone(it))
        };
        severe
            .filter(|(id, _)| !settled(*id))
            .map(|(_, rule)| Sentence::new("missing.supply_stop").naming("item", &rule.name()))
            .collect()
    }

    fn needs_hazard(&self, id: FactId) -> Result<(), RecordError> {
        let is_hazard = matches!(self.needs_fact(id)?.fact, Fact::HazardFound { .. });
        if is_hazard { Ok(()) } else { Err(RecordError::NotAHazard) }
    }

    /// What is looked at again was found before: here, or as the hall says.
    fn needs_known(&self, finding: FindingId) -> Result<(), RecordError> {
        let mut findings = self.job.briefing.hazards.iter().flat_map(|it| &it.findings);
        if findings.any(|it| (it.job, it.visit, it.fact) == finding) {
            return Ok(());
        }
        if finding.0 == self.job.id {
            self.needs_hazard(finding.2)
        } else {
            Err(RecordError::NotAHazard)
        }
    }
}
