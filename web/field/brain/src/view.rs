//! What screens show: plain data, in the words of the domain.

use chrono::NaiveDate;
use domain::catalogue::Sentence;
use domain::here;
use domain::hose::{self, Entitlement};
use domain::household::{Appliance, Hose, Household, Meter};
use domain::id::{FactId, HoseId, JobId};
use domain::job::{Due, Job, JobKind};
use domain::ladder::{self, Rung};
use domain::meter;
use domain::pack::{ConductItem, HazardRule, Need, Pack};
use domain::promise::PromiseVerdict;
use domain::reading::{self, Finding, Verdict};
use domain::status::Standing;
use domain::walk::{Stop, on_foot};
use mobile_core::Phone;
use mobile_core::clock::{Clock, Rng};
use mobile_core::log::LogStore;
use mobile_core::phone::{
    CallView, CashOffer, CommandError, DayJob, DueReminder, Left, OwnReceipt, Steps, Unseen,
    WaitingPhoto,
};
use serde::Serialize;
use sync::device::{Notice, Standing as Held};

/// Days to come that the list shows.
const DAYS_AHEAD: u32 = 3;

/// The list of today and the days to come.
#[derive(Debug, Serialize)]
pub struct Day<'a> {
    /// The day that it is in the hall's city.
    today: NaiveDate,
    /// Minutes that the city is east of UTC.
    utc_offset_minutes: i32,
    /// The hall's time, as well as the phone knows it; Unix milliseconds.
    now_ms: i64,
    /// Each day with its work, in the order in which it is walked; days without work are left out.
    days: Vec<DayLines<'a>>,
}

/// One day's work.
#[derive(Debug, Serialize)]
struct DayLines<'a> {
    day: NaiveDate,
    lines: Vec<Line<'a>>,
}

/// A job in the list.
#[derive(Debug, Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    job: DayJob,
    household: &'a Household,
    also_due: &'a [Due],
    /// Whether a new hose is free for this household today (B14).
    free_hose: bool,
    /// Metres from the door before, where both are surveyed.
    walk_m: Option<f64>,
}

/// One job with everything that its screens show.
#[derive(Debug, Serialize)]
pub struct JobPage<'a> {
    job: &'a Job,
    standing: Standing,
    promise: Option<PromiseVerdict>,
    unseen: Vec<Unseen>,
    withdrawn: bool,
    /// Entries that this version of the app cannot read, and changes that the document cannot take; all kept.
    unread: usize,
    steps: Steps,
    /// What the job's kind needs, by the rule pack.
    needs: Vec<Need>,
    conduct: Vec<ConductItem>,
    hazards: Vec<HazardRule>,
    /// Up to this level gas is shut off before anybody leaves.
    severe_level: Option<u8>,
    /// What is done next about a household that was not reached.
    rung: Option<RungView>,
    hose: HosePage,
    cash: CashOffer,
    /// What burns gas there, also what this visit saw.
    appliances: Vec<Appliance>,
    /// What the form for a change of meters needs to know.
    meter: MeterForm,
    /// The meters that hang there, with what this phone changed.
    meters: Vec<MeterCard>,
    /// What the phone makes of each reading of this job.
    verdicts: Vec<(FactId, Judged)>,
    /// Own facts and messages that the hall does not have yet.
    only_here: Vec<uuid::Uuid>,
    /// Pictures of this job that the hall does not have yet.
    photos: Vec<WaitingPhoto>,
    /// Where the calling stands for this technician, when they were called to it (B2).
    call: Option<CallView>,
    /// The technician.
    me: Option<domain::id::UserId>,
    utc_offset_minutes: i32,
    now_ms: i64,
}

/// Where a household stands that was not reached, by whichever crew.
#[derive(Debug, Serialize)]
struct RungView {
    absent: u32,
    refused: u32,
    empty: u32,
    /// What is done next, in words.
    zh: String,
    en: String,
    /// Whether the door is sniffed at when nobody opens again.
    sniff: bool,
}

fn rung(it: Rung) -> Option<RungView> {
    let next = it.next?;
    let (absent, refused, empty) = (it.absent, it.refused, it.empty);
    Some(RungView { absent, refused, empty, zh: next.zh, en: next.en, sniff: next.sniff })
}

/// What the hose form needs to know.
#[derive(Debug, Serialize)]
struct HosePage {
    max_length_mm: u32,
    entitlement: Entitlement,
    overdue: Vec<HoseId>,
    /// The hoses on the wall, also those that this visit put in or saw.
    here: Vec<Hose>,
}

/// What the form for a change of meters needs to know.
#[derive(Debug, Serialize)]
struct MeterForm {
    /// From the smallest on.
    sizes: Vec<String>,
    fewest_digits: u8,
    most_digits: u8,
}

/// A meter that hangs, with its life.
#[derive(Debug, Serialize)]
struct MeterCard {
    #[serde(flatten)]
    meter: Meter,
    ends_on: Option<NaiveDate>,
    overdue: bool,
}

/// How things stand between phone and hall.
#[derive(Debug, Serialize)]
pub struct State {
    enrolled: bool,
    device: Option<domain::id::DeviceId>,
    only_here: usize,
    waiting: usize,
    acked: usize,
    safe: usize,
    quarantined: Vec<(JobId, String)>,
    photos: Vec<WaitingPhoto>,
    heard_at_ms: Option<i64>,
    heard_ago_ms: Option<i64>,
    clock_skew_ms: Option<i64>,
    notices: Vec<NoticeView>,
    /// Jobs that left for somebody else, until the technician has seen it.
    left: Vec<LeftView>,
    /// Leaks that wait for an answer, oldest first.
    calls: Vec<CallCard>,
    /// What the technician is reminded of now, the first due first.
    reminders: Vec<DueReminder>,
    /// The receipts that this phone wrote, oldest first (B15).
    receipts: Vec<OwnReceipt>,
    /// For how many minutes one can be put off.
    snooze_minutes: Vec<i64>,
    /// The hall's time, as well as the phone knows it; Unix milliseconds.
    now_ms: i64,
    utc_offset_minutes: i32,
}

/// A leak that waits for an answer; instants are Unix milliseconds.
#[derive(Debug, Serialize)]
struct CallCard {
    job: JobId,
    address: String,
    holder: String,
    phone: String,
    /// The number of who called, where it is another.
    caller_phone: String,
    /// No register knows the place; `address` is what the caller said.
    unregistered: bool,
    request: String,
    until: i64,
    due_at: i64,
    now_ms: i64,
}

/// A job that left for somebody else.
#[derive(Debug, Serialize)]
struct LeftView {
    job: JobId,
    #[serde(flatten)]
    left: Left,
}

/// Something that a person has to be told.
#[derive(Debug, Serialize)]
struct NoticeView {
    job: Option<JobId>,
    says: Sentence,
}

/// What the phone makes of a reading.
#[derive(Debug, Serialize)]
pub struct Judged {
    finding: Finding,
    abnormal: bool,
    says: Sentence,
    /// What the use to expect rests on.
    grounds: Option<Sentence>,
}

/// Puts a verdict into words.
pub fn judged(verdict: &Verdict) -> Judged {
    let (finding, says) = (verdict.finding, reading::explain(verdict));
    let grounds = reading::grounds(verdict);
    Judged { finding, abnormal: finding.is_abnormal(), says, grounds }
}

/// Lists the days.
pub fn day<S: LogStore, C: Clock, R: Rng>(phone: &Phone<S, C, R>) -> Day<'_> {
    let today = phone.city_today();
    let days = phone.my_days(today, DAYS_AHEAD).into_iter();
    let days = days.map(|(day, work)| DayLines { day, lines: lines(phone, work) }).collect();
    let utc_offset_minutes = phone.utc_offset_minutes();
    Day { today, utc_offset_minutes, now_ms: phone.hall_now().timestamp_millis(), days }
}

fn lines<S: LogStore, C: Clock, R: Rng>(
    phone: &Phone<S, C, R>,
    work: Vec<DayJob>,
) -> Vec<Line<'_>> {
    let held = work.into_iter().filter_map(|line| {
        let job = phone.device().job(line.job)?;
        Some(Stop {
            is_emergency: line.kind == JobKind::Emergency,
            window: line.window,
            place: job.briefing.household.place,
            what: (line, job),
        })
    });
    let walked = on_foot(None, held.collect()).into_iter();
    let lines = walked.map(|((job, held), walk_m)| {
        let free_hose = matches!(phone.hose_entitlement(held.id), Ok(Entitlement::Free { .. }));
        let (household, also_due) = (&held.briefing.household, &held.briefing.also_due[..]);
        Line { job, household, also_due, free_hose, walk_m }
    });
    lines.collect()
}

/// Shows one job.
pub fn job<S: LogStore, C: Clock, R: Rng>(
    phone: &Phone<S, C, R>,
    id: JobId,
) -> Result<JobPage<'_>, CommandError> {
    let shown = phone.job(id)?;
    let pack = phone.pack_of(id)?;
    let (job, today) = (shown.job, phone.city_today());
    let hoses = here::hoses(job);
    let overdue =
        hoses.iter().filter(|it| hose::is_overdue(it, today, &pack)).map(|it| it.id).collect();
    let facts = job.visits.values().flat_map(|visit| &visit.facts);
    let verdicts =
        facts.filter_map(|(id, recorded)| Some((*id, judged(recorded.fact.reading()?.verdict))));
    let own = phone.device().own_of(id);
    let only_here = own.filter(|own| !matches!(own.standing, Held::Acked(..)));
    let photos = phone.waiting_photos().into_iter().filter(|photo| photo.job == id);
    Ok(JobPage {
        job,
        promise: shown.promise,
        unseen: shown.unseen,
        withdrawn: shown.withdrawn,
        unread: shown.unread.len() + shown.set_aside.len(),
        steps: phone.steps(id)?,
        needs: pack.kind(job.kind).needs.iter().copied().collect(),
        conduct: pack.conduct.clone(),
        hazards: pack.hazards.clone(),
        severe_level: pack.hazard_care.as_ref().map(|care| care.severe_level),
        rung: ladder::of_job(job, &pack).and_then(rung),
        hose: HosePage {
            max_length_mm: pack.hose.max_length_mm,
            entitlement: phone.hose_entitlement(id)?,
            overdue,
            here: hoses,
        },
        cash: phone.cash_offer(id)?,
        appliances: here::appliances(job),
        meter: meter_form(&pack),
        meters: phone.meters(id)?.into_iter().map(|it| meter_card(it, today, &pack)).collect(),
        verdicts: verdicts.collect(),
        only_here: only_here.map(|own| own.id).collect(),
        photos: photos.collect(),
        call: shown.call,
        me: phone.enrolment().map(|it| it.user),
        utc_offset_minutes: pack.time.utc_offset_minutes,
        now_ms: phone.hall_now().timestamp_millis(),
        standing: shown.standing,
    })
}

fn meter_form(pack: &Pack) -> MeterForm {
    let Some(rules) = &pack.meter else {
        return MeterForm { sizes: Vec::new(), fewest_digits: 1, most_digits: 12 };
    };
    let mut sizes: Vec<(&String, &f64)> = rules.most_m3_per_hour.iter().collect();
    sizes.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let (fewest_digits, most_digits) = rules.digits;
    let sizes = sizes.into_iter().map(|(size, _)| size.clone()).collect();
    MeterForm { sizes, fewest_digits, most_digits }
}

fn meter_card(meter: Meter, today: NaiveDate, pack: &Pack) -> MeterCard {
    let ends_on = meter::ends_on(&meter, pack);
    MeterCard { ends_on, overdue: meter::is_overdue(&meter, today, pack), meter }
}

/// Tells how things stand.
pub fn state<S: LogStore, C: Clock, R: Rng>(phone: &Phone<S, C, R>) -> State {
    let known = phone.sync_state();
    // One that came back is in the list again.
    let left = phone.left().iter().filter(|(job, _)| phone.job(**job).is_err());
    let left = left.map(|(job, left)| LeftView { job: *job, left: left.clone() });
    State {
        enrolled: phone.enrolment().is_some(),
        device: phone.enrolment().map(|it| it.device),
        only_here: known.only_here,
        waiting: known.waiting,
        acked: known.acked,
        safe: known.safe,
        quarantined: known.quarantined.into_iter().map(|(job, _, why)| (job, why)).collect(),
        photos: phone.waiting_photos(),
        heard_at_ms: known.heard.map(|heard| heard.server_at.timestamp_millis()),
        heard_ago_ms: known.heard_ago_ms,
        clock_skew_ms: known.clock_skew_ms,
        // What left has a card of its own.
        notices: known.notices.iter().filter_map(notice).collect(),
        left: left.collect(),
        calls: calls(phone),
        reminders: phone.reminders(),
        receipts: phone.own_receipts(),
        snooze_minutes: phone.snooze_minutes(),
        now_ms: phone.hall_now().timestamp_millis(),
        utc_offset_minutes: phone.utc_offset_minutes(),
    }
}

fn calls<S: LogStore, C: Clock, R: Rng>(phone: &Phone<S, C, R>) -> Vec<CallCard> {
    let now_ms = phone.hall_now().timestamp_millis();
    let card = |id: JobId| {
        let shown = phone.job(id).ok()?;
        let home = &shown.job.briefing.household;
        Some(CallCard {
            job: id,
            address: home.address.clone(),
            holder: home.holder.clone(),
            phone: home.phone.clone(),
            caller_phone: shown.job.briefing.caller_phone.clone(),
            unregistered: home.unregistered,
            request: shown.job.briefing.request.clone(),
            until: shown.call?.until.timestamp_millis(),
            due_at: shown.promise?.due_at.timestamp_millis(),
            now_ms,
        })
    };
    phone.calls_waiting().into_iter().filter_map(card).collect()
}

fn notice(notice: &Notice) -> Option<NoticeView> {
    let (job, says) = match notice {
        Notice::Quarantined { job, .. } => (Some(*job), Sentence::new("notice.quarantined")),
        Notice::Withdrawn { .. } => return None,
        Notice::HallRestored => (None, Sentence::new("notice.hall_restored")),
        Notice::OlderStore { missing } => {
            (None, Sentence::new("notice.older_store").with("count", missing.to_string()))
        }
    };
    Some(NoticeView { job, says })
}
