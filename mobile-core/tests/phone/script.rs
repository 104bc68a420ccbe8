//! A technician's whole day as a list of taps.

use domain::conduct::{Answer, Phase};
use domain::hazard::NoticeAnswer;
use domain::household::HoseKind;
use domain::id::{FactId, HoseId, JobId, MeterId};
use domain::job::{Channel, Job, JobKind};
use domain::measure::{Fen, Volume};
use domain::reading::Measure;
use domain::visit::{Fact, Outcome, Subject, live_facts};
use mobile_core::log::LogStore;
use mobile_core::phone::{CommandError, NewHose, SyncEnd, SyncError};
use uuid::Uuid;

use crate::jobs::window;
use crate::world::{TestPhone, World};

/// One tap of the technician, or one meeting with the network.
#[derive(Clone, Debug)]
pub(crate) enum Tap {
    Sync,
    Seen(JobId),
    Message(JobId),
    Do(JobId, Act),
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Phone,
    Agree,
    SetOut,
    Arrive,
    Answer(&'static str, Answer),
    Rest(Phase),
    Read(MeterId, i64),
    Tell,
    Measure,
    Hose(HoseId),
    Tight,
    Gas(bool),
    Hazard,
    Notice,
    Stop,
    Cash,
    Contract,
    Photo(Subject),
    Sign,
    Ask,
    Note,
    WithdrawLast,
    Close(Outcome),
}

/// Taps; returns what was saved.
pub(crate) async fn tap<S: LogStore>(
    phone: &mut TestPhone<S>,
    world: &World,
    tap: &Tap,
) -> Result<Vec<Uuid>, CommandError> {
    world.clock.pass_ms(45_000);
    match tap {
        Tap::Sync => match phone.sync(&mut world.link()).await.end {
            SyncEnd::Stopped(SyncError::Store(error)) => Err(error.into()),
            SyncEnd::Complete | SyncEnd::MoreLeft | SyncEnd::Stopped(_) => Ok(Vec::new()),
        },
        Tap::Seen(job) => phone.mark_seen(*job).await.map(|()| Vec::new()),
        Tap::Message(job) => Ok(vec![phone.message(*job, "快到了".to_owned()).await?.0]),
        Tap::Do(job, act) => Ok(act_on(phone, *job, act).await?.into_iter().collect()),
    }
}

async fn act_on<S: LogStore>(
    phone: &mut TestPhone<S>,
    job: JobId,
    act: &Act,
) -> Result<Vec<Uuid>, CommandError> {
    let hash = "ab".repeat(32);
    let saved = match act {
        Act::Phone => phone.phone_ahead(job, true).await?,
        Act::Agree => phone.agree_anew(job, window(9), Channel::Phone).await?,
        Act::SetOut => phone.set_out(job).await?,
        Act::Arrive => phone.arrive(job, None).await?,
        Act::Answer(item, answer) => phone.answer_conduct(job, item, answer.clone()).await?,
        Act::Rest(phase) => {
            let all = phone.answer_rest_as_done(job, *phase).await?;
            return Ok(all.into_iter().map(|saved| saved.fact.0).collect());
        }
        Act::Read(meter, litres) => {
            phone.read_meter(job, *meter, Some(Volume(*litres))).await?.saved
        }
        Act::Tell => {
            let reading = last_fact(phone, job, |fact| matches!(fact, Fact::Read { .. }));
            phone.tell_household(job, reading).await?
        }
        Act::Measure => {
            let reading = last_fact(phone, job, |fact| matches!(fact, Fact::Read { .. }));
            phone.take_measure(job, reading, Measure::MeterCheck).await?
        }
        Act::Hose(old) => {
            phone
                .replace_hose(job, Some(*old), NewHose::of(HoseKind::Corrugated, 1500))
                .await?
                .saved
        }
        Act::Tight => phone.test_tightness(job, true).await?,
        Act::Gas(on) => phone.switch_gas(job, *on).await?,
        Act::Hazard => phone.find_hazard(job, "leak", "灶具接口".to_owned()).await?,
        Act::Notice => {
            let hazard = last_fact(phone, job, |fact| matches!(fact, Fact::HazardFound { .. }));
            let reason = "拒签".to_owned();
            phone.give_notice(job, hazard, NoticeAnswer::RefusedToSign { reason }).await?
        }
        Act::Stop => {
            let hazard = last_fact(phone, job, |fact| matches!(fact, Fact::HazardFound { .. }));
            phone.stop_supply(job, hazard).await?
        }
        Act::Cash => phone.take_cash(job, Fen(12_500), "线上缴费停用".to_owned()).await?,
        Act::Contract => phone.sign_contract(job, "HT-0412".to_owned()).await?,
        Act::Photo(subject) => phone.take_photo(job, hash, *subject).await?,
        Act::Sign => phone.sign(job, hash).await?,
        Act::Ask => phone.ask(job, "能否改线".to_owned()).await?,
        Act::Note => phone.note(job, "门铃坏了，请敲门".to_owned()).await?,
        Act::WithdrawLast => {
            let last = last_fact(phone, job, |fact| matches!(fact, Fact::Noted { .. }));
            phone.withdraw(job, last, "记错".to_owned()).await?
        }
        Act::Close(outcome) => phone.close(job, outcome.clone()).await?,
    };
    Ok(vec![saved.fact.0])
}

fn last_fact<S: LogStore>(
    phone: &TestPhone<S>,
    job: JobId,
    is_it: impl Fn(&Fact) -> bool,
) -> FactId {
    let view = phone.job(job).unwrap();
    let facts = view.job.visits.values().flat_map(live_facts);
    facts.filter(|(_, it)| is_it(&it.fact)).last().unwrap().0
}

/// The taps of the whole day: the morning's sync, every visit, one sync at noon and one at night.
pub(crate) fn taps(jobs: &[Job]) -> Vec<Tap> {
    let mut taps = vec![Tap::Sync];
    taps.extend(jobs.iter().map(|job| Tap::Seen(job.id)));
    for (n, job) in jobs.iter().enumerate() {
        let acts = if n == 7 { nobody_home() } else { visit(job) };
        taps.extend(acts.into_iter().map(|act| Tap::Do(job.id, act)));
        if n == 3 {
            taps.extend([Tap::Sync, Tap::Message(job.id)]);
        }
    }
    taps.push(Tap::Sync);
    taps
}

#[expect(clippy::too_many_lines, reason = "some lines for each kind of job")]
fn visit(job: &Job) -> Vec<Act> {
    let hose = job.briefing.hoses[0].id;
    let meter = job.briefing.meters[0].id;
    let work = match job.kind {
        JobKind::HoseReplacement => {
            vec![Act::Hose(hose), Act::Tight, Act::Photo(Subject::Hose), Act::Sign]
        }
        JobKind::Ignition => {
            vec![
                Act::Read(meter, 300_000),
                Act::Tell,
                Act::Measure,
                Act::Tight,
                Act::Contract,
                Act::Gas(true),
                Act::Sign,
            ]
        }
        JobKind::Sealing => {
            vec![Act::Read(meter, 300_000), Act::Tell, Act::Measure, Act::Gas(false), Act::Sign]
        }
        JobKind::SafetyInspection => vec![
            Act::Hazard,
            Act::Notice,
            Act::Stop,
            Act::Tight,
            Act::Photo(Subject::Hazard),
            Act::Photo(Subject::Meter),
            Act::Sign,
        ],
        JobKind::CashCollection => vec![Act::Cash, Act::Sign],
        JobKind::Emergency => vec![Act::Hazard, Act::Notice, Act::Stop, Act::Tight],
        JobKind::MeterReading
        | JobKind::Unsealing
        | JobKind::GasStop
        | JobKind::Repair
        | JobKind::InstallationSurvey
        | JobKind::Installation
        | JobKind::Relocation
        | JobKind::Removal
        | JobKind::MeterReplacement
        | JobKind::PublicInspection
        | JobKind::HazardRecheck
        | JobKind::SafetyGuidance => {
            vec![Act::Read(meter, 300_000), Act::Tell, Act::Measure]
        }
    };
    let mut acts = vec![
        Act::Phone,
        Act::Agree,
        Act::SetOut,
        Act::Arrive,
        Act::Rest(Phase::AtTheDoor),
        Act::Answer("shoe_covers", Answer::Waived),
        Act::Rest(Phase::BeforeEntering),
        Act::Note,
        Act::WithdrawLast,
        Act::Ask,
    ];
    acts.extend(work);
    acts.extend([Act::Rest(Phase::BeforeLeaving), Act::Close(Outcome::Done)]);
    acts
}

fn nobody_home() -> Vec<Act> {
    vec![
        Act::SetOut,
        Act::Arrive,
        Act::Photo(Subject::NoticeOnDoor),
        Act::Close(Outcome::NoOneHome),
        Act::Phone,
        Act::Agree,
        Act::SetOut,
    ]
}
