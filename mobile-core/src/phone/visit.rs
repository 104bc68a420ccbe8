//! What a technician does in a visit: one method for each tap, and `Ok` means saved.

use domain::cash;
use domain::catalogue::Sentence;
use domain::conduct::{self, Answer, Phase};
use domain::hazard::NoticeAnswer;
use domain::hose::{self, Entitlement};
use domain::household::{Hose, HoseKind};
use domain::id::{FactId, HoseId, JobId, MeterId};
use domain::job::{Channel, Window};
use domain::measure::{Fen, Volume};
use domain::pack::ConductItem;
use domain::place::Fix;
use domain::reading::{self, Measure, ReadingState, Verdict};
use domain::visit::{Fact, Outcome, Subject};

use super::{CommandError, Phone, Saved};
use crate::clock::{Clock, Rng};
use crate::log::LogStore;

/// A reading that was saved, with what the phone makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedReading {
    /// The fact.
    pub saved: Saved,
    /// High, low and why.
    pub verdict: Verdict,
    /// The same in words.
    pub sentence: Sentence,
}

/// A hose that is put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHose {
    /// What it is made of.
    pub kind: HoseKind,
    /// Its length.
    pub length_mm: u32,
    /// How many joints are in it, when somebody looked.
    pub joints: Option<u8>,
    /// The maker's lot, so that a bad one can be called back; may be empty.
    pub lot: String,
}

impl NewHose {
    /// One of which nothing more is known.
    pub fn of(kind: HoseKind, length_mm: u32) -> Self {
        Self { kind, length_mm, joints: None, lot: String::new() }
    }
}

/// A hose replacement that was saved, with what it costs the household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedHose {
    /// The fact.
    pub saved: Saved,
    /// The new hose.
    pub installed: HoseId,
    /// Why it is free or not; this decided, nobody's tap did.
    pub entitlement: Entitlement,
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// Phoned the household before coming.
    pub async fn phone_ahead(&mut self, job: JobId, reached: bool) -> Result<Saved, CommandError> {
        self.record(job, Fact::PhonedAhead { reached }).await
    }

    /// Agreed another window with the household.
    pub async fn agree_anew(
        &mut self,
        job: JobId,
        window: Window,
        channel: Channel,
    ) -> Result<Saved, CommandError> {
        self.record(job, Fact::AgreedAnew { window, channel }).await
    }

    /// Set out for the household.
    pub async fn set_out(&mut self, job: JobId) -> Result<Saved, CommandError> {
        self.record(job, Fact::SetOut).await
    }

    /// Stands at the door.
    pub async fn arrive(&mut self, job: JobId, fix: Option<Fix>) -> Result<Saved, CommandError> {
        self.record(job, Fact::Arrived { fix }).await
    }

    /// Is held up by a blocked road.
    pub async fn report_road_block(
        &mut self,
        job: JobId,
        reason: String,
        photo: Option<String>,
    ) -> Result<Saved, CommandError> {
        self.record(job, Fact::RoadBlocked { reason, photo }).await
    }

    /// Answers one item of the conduct checklist.
    pub async fn answer_conduct(
        &mut self,
        job: JobId,
        item: &str,
        answer: Answer,
    ) -> Result<Saved, CommandError> {
        self.record(job, Fact::Conduct { item: item.to_owned(), answer }).await
    }

    /// Answers what is still open of a phase as done, item by item.
    pub async fn answer_rest_as_done(
        &mut self,
        job: JobId,
        phase: Phase,
    ) -> Result<Vec<Saved>, CommandError> {
        let open: Vec<String> =
            self.open_conduct(job, phase)?.into_iter().map(|item| item.id).collect();
        let mut all = Vec::with_capacity(open.len());
        for item in open {
            all.push(self.answer_conduct(job, &item, Answer::Done).await?);
        }
        Ok(all)
    }

    /// Reads a meter; `None` when it cannot be read. It is judged here, offline.
    pub async fn read_meter(
        &mut self,
        job: JobId,
        meter: MeterId,
        register: Option<Volume>,
    ) -> Result<SavedReading, CommandError> {
        self.read_in_state(job, meter, (register, ReadingState::Seen)).await
    }

    /// Notes a register with how anybody knows it, or why nobody does; judged here, offline.
    pub async fn read_in_state(
        &mut self,
        job: JobId,
        meter: MeterId,
        shown: (Option<Volume>, ReadingState),
    ) -> Result<SavedReading, CommandError> {
        self.read(job, meter, shown, None).await
    }

    /// Reads a meter again because an earlier reading of this visit was wrong.
    pub async fn correct_reading(
        &mut self,
        job: JobId,
        corrects: FactId,
        register: Option<Volume>,
    ) -> Result<SavedReading, CommandError> {
        self.correct_in_state(job, corrects, (register, ReadingState::Seen)).await
    }

    /// The same with how anybody knows the register, or why nobody does.
    pub async fn correct_in_state(
        &mut self,
        job: JobId,
        corrects: FactId,
        shown: (Option<Volume>, ReadingState),
    ) -> Result<SavedReading, CommandError> {
        let visit = self.open_visit(job)?.ok_or(CommandError::NoSuchReading)?;
        let facts = &self.held(job)?.visits[&visit].facts;
        let Some(Fact::Read { meter, .. }) = facts.get(&corrects).map(|it| &it.fact) else {
            return Err(CommandError::NoSuchReading);
        };
        self.read(job, *meter, shown, Some(corrects)).await
    }

    /// Notes a register, or corrects an earlier one of this visit.
    pub async fn read_or_correct(
        &mut self,
        job: JobId,
        meter: MeterId,
        shown: (Option<Volume>, ReadingState),
        corrects: Option<FactId>,
    ) -> Result<SavedReading, CommandError> {
        match corrects {
            None => self.read_in_state(job, meter, shown).await,
            Some(wrong) => self.correct_in_state(job, wrong, shown).await,
        }
    }

    /// Told the household of its abnormal reading.
    pub async fn tell_household(
        &mut self,
        job: JobId,
        reading: FactId,
    ) -> Result<Saved, CommandError> {
        self.record(job, Fact::HouseholdTold { reading }).await
    }

    /// Did something about an abnormal reading.
    pub async fn take_measure(
        &mut self,
        job: JobId,
        reading: FactId,
        measure: Measure,
    ) -> Result<Saved, CommandError> {
        self.record(job, Fact::MeasureTaken { reading, measure }).await
    }

    /// Replaced a hose; whether it is free is judged here.
    pub async fn replace_hose(
        &mut self,
        job: JobId,
        removed: Option<HoseId>,
        new: NewHose,
    ) -> Result<SavedHose, CommandError> {
        let entitlement = self.hose_entitlement(job)?;
        let pack = self.pack_of(job)?;
        let installed_on = self.today(&pack);
        let id = HoseId(self.new_id());
        let NewHose { kind, length_mm, joints, lot } = new;
        let installed = Hose { id, kind, length_mm, installed_on, is_estimated: false, joints };
        let free = matches!(entitlement, Entitlement::Free { .. });
        let saved = self.record(job, Fact::HoseReplaced { removed, installed, free, lot }).await?;
        Ok(SavedHose { saved, installed: id, entitlement })
    }

    /// Whether the household would get a new hose free today.
    pub fn hose_entitlement(&self, job: JobId) -> Result<Entitlement, CommandError> {
        let held = self.held(job)?;
        let pack = self.pack_of(job)?;
        let household = &held.briefing.household;
        let here = self.jobs().filter(|it| it.briefing.household.id == household.id);
        let mut replacements: Vec<_> = here.flat_map(hose::replacements).collect();
        replacements.sort_by_key(|done| (done.on, done.installed));
        replacements.dedup_by_key(|done| done.installed);
        Ok(hose::entitlement(&household.groups, &replacements, self.today(&pack), &pack))
    }

    /// Tested the joints for tightness.
    pub async fn test_tightness(&mut self, job: JobId, tight: bool) -> Result<Saved, CommandError> {
        self.record(job, Fact::TightnessTested { tight }).await
    }

    /// Turned the gas on or off.
    pub async fn switch_gas(&mut self, job: JobId, on: bool) -> Result<Saved, CommandError> {
        self.record(job, Fact::GasSwitched { on }).await
    }

    /// Found a hazard; its level is the rule pack's.
    pub async fn find_hazard(
        &mut self,
        job: JobId,
        item: &str,
        text: String,
    ) -> Result<Saved, CommandError> {
        let pack = self.pack_of(job)?;
        let Some(hazard) = pack.hazards.iter().find(|hazard| hazard.id == item) else {
            return Err(CommandError::NoSuchHazard(item.to_owned()));
        };
        let (item, level) = (hazard.id.clone(), hazard.level);
        self.record(job, Fact::HazardFound { item, level, text }).await
    }

    /// Handed the household the notice of a hazard.
    pub async fn give_notice(
        &mut self,
        job: JobId,
        hazard: FactId,
        answer: NoticeAnswer,
    ) -> Result<Saved, CommandError> {
        self.record(job, Fact::NoticeGiven { hazard, answer: Some(answer) }).await
    }

    /// Stopped the supply because of a hazard.
    pub async fn stop_supply(&mut self, job: JobId, hazard: FactId) -> Result<Saved, CommandError> {
        self.record(job, Fact::SupplyStopped { hazard }).await
    }

    /// Looked again at a hazard that the hall knows; says so of each of its findings.
    pub async fn recheck(
        &mut self,
        job: JobId,
        item: &str,
        (gone, photo): (bool, Option<String>),
    ) -> Result<(), CommandError> {
        let known = self.held(job)?.briefing.hazards.iter().find(|it| it.item == item);
        let known = known.ok_or_else(|| CommandError::NoSuchHazard(item.to_owned()))?;
        for it in known.findings.clone() {
            let photo = photo.clone();
            let (of, visit, hazard) = (it.job, it.visit, it.fact);
            self.record(job, Fact::HazardRechecked { job: of, visit, hazard, gone, photo }).await?;
        }
        Ok(())
    }

    /// Took cash at home; the receipt gets the next of the numbers that the hall handed to this phone (B15).
    pub async fn take_cash(
        &mut self,
        job: JobId,
        amount: Fen,
        reason: String,
    ) -> Result<Saved, CommandError> {
        let number = self.next_receipt().ok_or(CommandError::NoReceiptLeft)?;
        self.record(job, Fact::CashTaken { amount, receipt: cash::receipt(number), reason }).await
    }

    /// Had the household sign the supply contract (C4).
    pub async fn sign_contract(
        &mut self,
        job: JobId,
        number: String,
    ) -> Result<Saved, CommandError> {
        self.record(job, Fact::ContractSigned { number }).await
    }

    /// Took a photo; `hash` is the SHA-256 of the picture in hexadecimal.
    pub async fn take_photo(
        &mut self,
        job: JobId,
        hash: String,
        subject: Subject,
    ) -> Result<Saved, CommandError> {
        self.record(job, Fact::PhotoTaken { hash, subject }).await
    }

    /// Had the household sign; `hash` is the SHA-256 of the drawing in hexadecimal.
    pub async fn sign(&mut self, job: JobId, hash: String) -> Result<Saved, CommandError> {
        self.record(job, Fact::Signed { hash }).await
    }

    /// Was asked what could not be answered on the spot.
    pub async fn ask(&mut self, job: JobId, question: String) -> Result<Saved, CommandError> {
        self.record(job, Fact::Asked { question }).await
    }

    /// Writes a remark.
    pub async fn note(&mut self, job: JobId, text: String) -> Result<Saved, CommandError> {
        self.record(job, Fact::Noted { text }).await
    }

    /// Takes an earlier fact of this visit back; it stays in the document with a trace.
    pub async fn withdraw(
        &mut self,
        job: JobId,
        fact: FactId,
        reason: String,
    ) -> Result<Saved, CommandError> {
        self.record(job, Fact::Withdrawn { fact, reason }).await
    }

    /// Ends the visit.
    pub async fn close(&mut self, job: JobId, outcome: Outcome) -> Result<Saved, CommandError> {
        self.record(job, Fact::Closed { outcome }).await
    }

    /// Judges what a meter shows, before it is saved (A9).
    pub fn judge_reading(
        &self,
        job: JobId,
        meter: MeterId,
        (register, state): (Option<Volume>, ReadingState),
    ) -> Result<Verdict, CommandError> {
        let pack = self.pack_of(job)?;
        let known = self.meter(job, meter)?;
        let season = self.held(job)?.briefing.season.as_ref();
        let shown = reading::Shown { on: self.today(&pack), register, state };
        Ok(reading::judge(&known, season, &shown, &pack))
    }

    async fn read(
        &mut self,
        job: JobId,
        meter: MeterId,
        (register, state): (Option<Volume>, ReadingState),
        corrects: Option<FactId>,
    ) -> Result<SavedReading, CommandError> {
        let verdict = self.judge_reading(job, meter, (register, state))?;
        let fact = Fact::Read { meter, register, state, verdict: verdict.clone(), corrects };
        let saved = self.record(job, fact).await?;
        Ok(SavedReading { saved, sentence: reading::explain(&verdict), verdict })
    }

    /// The items of a phase that the open visit has not answered.
    pub(super) fn open_conduct(
        &self,
        job: JobId,
        phase: Phase,
    ) -> Result<Vec<ConductItem>, CommandError> {
        let pack = self.pack_of(job)?;
        let Some(visit) = self.open_visit(job)? else { return Ok(Vec::new()) };
        let visit = &self.held(job)?.visits[&visit];
        Ok(conduct::missing(&pack, visit, phase).into_iter().cloned().collect())
    }
}
