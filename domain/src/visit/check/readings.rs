//! Registers and meters in a visit: what may be recorded of them, and what is missing before it can close (A9).

use super::{RecordError, Steps};
use crate::catalogue::Sentence;
use crate::id::{FactId, MeterId};
use crate::meter;
use crate::reading::{Finding, Measure};
use crate::visit::{Fact, Subject, live_facts};

impl Steps<'_> {
    /// A register, a meter that is changed, or what is said and done about an abnormal one.
    pub(super) fn check_reading(&self, fact: &Fact) -> Result<(), RecordError> {
        if let Fact::HouseholdTold { reading } | Fact::MeasureTaken { reading, .. } = fact {
            return self.needs_abnormal(*reading);
        }
        if let Fact::MeterChanged { removed, installed, .. } = fact {
            return Ok(meter::check_change(self.job, (removed, installed), self.pack)?);
        }
        let Fact::Read { meter, register, state, corrects, .. } = fact else { return Ok(()) };
        if register.is_some() && !state.has_register() {
            return Err(RecordError::StateMismatch);
        }
        corrects.map_or(Ok(()), |id| self.needs_reading_of(id, *meter))
    }

    /// An abnormal reading asks for two things: the household told, and a measure taken (A9).
    pub(super) fn missing_for_readings(&self) -> Vec<Sentence> {
        let mut missing = Vec::new();
        let facts = live_facts(self.visit);
        let readings = facts.iter().filter_map(|(id, it)| Some((*id, it.fact.reading()?)));
        let corrected: Vec<FactId> =
            readings.clone().filter_map(|(_, reading)| reading.corrects).collect();
        for (id, reading) in readings {
            let finding = reading.verdict.finding;
            if !finding.is_abnormal() || corrected.contains(&id) {
                continue;
            }
            let told = |fact: &Fact| *fact == Fact::HouseholdTold { reading: id };
            let taken = |fact: &Fact| {
                let Fact::MeasureTaken { reading, measure } = fact else { return None };
                (*reading == id).then_some(*measure)
            };
            if !self.has(told) {
                missing.push(Sentence::new("missing.household_told"));
            }
            if !self.has(|fact| taken(fact).is_some()) {
                missing.push(Sentence::new("missing.measure"));
            } else if finding == Finding::StillZero
                && !self.has(|fact| taken(fact).is_some_and(Measure::looks_at_the_meter))
            {
                missing.push(Sentence::new("missing.meter_looked_at"));
            }
        }
        missing
    }

    /// Old wheels, new wheels and seal are pictured: what stood on them is disputed later, not now.
    pub(super) fn missing_wheels(&self) -> Vec<Sentence> {
        let facts = live_facts(self.visit);
        let changes = facts.iter().filter_map(|(_, it)| {
            let Fact::MeterChanged { removed, installed, seal, .. } = &it.fact else { return None };
            Some((removed.is_some(), installed.is_some(), !seal.trim().is_empty()))
        });
        let asked = changes.fold((false, false, false), |(old, new, seal), it| {
            (old || it.0, new || it.1, seal || it.2)
        });
        let asked = [
            (asked.0, Subject::OldWheels, "missing.old_wheels"),
            (asked.1, Subject::NewWheels, "missing.new_wheels"),
            (asked.2, Subject::Seal, "missing.seal"),
        ];
        let is_of =
            |fact: &Fact, of| matches!(fact, Fact::PhotoTaken { subject, .. } if *subject == of);
        let open =
            asked.into_iter().filter(|(asked, of, _)| *asked && !self.has(|it| is_of(it, *of)));
        open.map(|(_, _, key)| Sentence::new(key)).collect()
    }

    fn needs_reading_of(&self, id: FactId, meter: MeterId) -> Result<(), RecordError> {
        let is_its = |fact: &Fact| matches!(fact, Fact::Read { meter: read, .. } if *read == meter);
        if is_its(&self.needs_fact(id)?.fact) { Ok(()) } else { Err(RecordError::OtherMeter) }
    }

    fn needs_abnormal(&self, reading: FactId) -> Result<(), RecordError> {
        let fact = &self.needs_fact(reading)?.fact;
        let reading = fact.reading().ok_or(RecordError::UnknownFact)?;
        if reading.verdict.finding.is_abnormal() { Ok(()) } else { Err(RecordError::ReadingNormal) }
    }
}
