//! From a tap to the phone's own commands, and what was saved.

use domain::hazard::NoticeAnswer;
use domain::id::{FactId, JobId};
use domain::visit::{Fact, Subject, live_facts};
use mobile_core::clock::{Clock, Rng};
use mobile_core::log::LogStore;
use mobile_core::phone::{CommandError, NewHose, Phone, Saved};
use mobile_core::photo::BlobStore;
use serde_json::{Value, json};

use super::act::Act;
use super::picture;

/// Does what was tapped; the reply names every fact saved.
pub(super) async fn tap<S: LogStore + BlobStore, C: Clock, R: Rng>(
    phone: &mut Phone<S, C, R>,
    job: JobId,
    act: Act,
) -> anyhow::Result<Value> {
    let one = match act {
        Act::AnswerRest { phase } => {
            let saved = phone.answer_rest_as_done(job, phase).await?;
            return Ok(told(phone, job, &saved)?);
        }
        Act::Read { meter, register } => {
            let read = phone.read_meter(job, meter, register).await?;
            let mut reply = told(phone, job, &[read.saved])?;
            reply["finding"] = json!(read.verdict.finding);
            reply["sentence"] = json!(read.sentence);
            return Ok(reply);
        }
        Act::TellHousehold => match newest(phone, job, is_abnormal)? {
            Some(reading) => phone.tell_household(job, reading).await?,
            None => return Ok(told(phone, job, &[])?),
        },
        Act::TakeMeasure { measure } => match newest(phone, job, is_abnormal)? {
            Some(reading) => phone.take_measure(job, reading, measure).await?,
            None => return Ok(told(phone, job, &[])?),
        },
        Act::ReplaceHose { removed, kind, length_mm } => {
            let replaced = phone.replace_hose(job, removed, NewHose::of(kind, length_mm)).await?;
            let mut reply = told(phone, job, &[replaced.saved])?;
            reply["entitlement"] = json!(replaced.entitlement);
            return Ok(reply);
        }
        Act::PhoneAhead { reached } => phone.phone_ahead(job, reached).await?,
        Act::AgreeAnew { window, channel } => phone.agree_anew(job, window, channel).await?,
        Act::SetOut => phone.set_out(job).await?,
        Act::Arrive { fix } => phone.arrive(job, fix).await?,
        Act::Answer { item, answer } => phone.answer_conduct(job, &item, answer).await?,
        Act::TestTightness { tight } => phone.test_tightness(job, tight).await?,
        Act::SwitchGas { on } => phone.switch_gas(job, on).await?,
        Act::FindHazard { item, text } => phone.find_hazard(job, &item, text).await?,
        Act::GiveNotice => match newest(phone, job, is_hazard)? {
            Some(hazard) => {
                let reason = "户主不在签收处签字，已当面交付".to_owned();
                phone.give_notice(job, hazard, NoticeAnswer::RefusedToSign { reason }).await?
            }
            None => return Ok(told(phone, job, &[])?),
        },
        Act::TakeCash { amount, reason } => phone.take_cash(job, amount, reason).await?,
        Act::SignContract { number } => phone.sign_contract(job, number).await?,
        Act::TakePhoto { subject } => {
            let hash = kept_picture(phone, job, Some(subject)).await?;
            phone.take_photo(job, hash, subject).await?
        }
        Act::Sign => {
            let hash = kept_picture(phone, job, None).await?;
            phone.sign(job, hash).await?
        }
        Act::Note { text } => phone.note(job, text).await?,
        Act::Close { outcome } => phone.close(job, outcome).await?,
    };
    Ok(told(phone, job, &[one])?)
}

/// Every fact saved, as the phone holds it now.
fn told<S: LogStore, C: Clock, R: Rng>(
    phone: &Phone<S, C, R>,
    job: JobId,
    saved: &[Saved],
) -> Result<Value, CommandError> {
    let held = phone.job(job)?.job;
    let facts: Vec<Value> = saved
        .iter()
        .map(|it| {
            let recorded = held.visits.get(&it.visit).and_then(|visit| visit.facts.get(&it.fact));
            json!({"job": it.job, "visit": it.visit, "fact": it.fact, "recorded": recorded})
        })
        .collect();
    Ok(json!({"saved": facts}))
}

/// The newest fact of the job of that sort.
fn newest<S: LogStore, C: Clock, R: Rng>(
    phone: &Phone<S, C, R>,
    job: JobId,
    is_it: impl Fn(&Fact) -> bool,
) -> Result<Option<FactId>, CommandError> {
    let mut facts = phone.job(job)?.job.visits.values().flat_map(live_facts);
    Ok(facts.rfind(|(_, recorded)| is_it(&recorded.fact)).map(|(id, _)| id))
}

fn is_hazard(fact: &Fact) -> bool {
    matches!(fact, Fact::HazardFound { .. })
}

fn is_abnormal(fact: &Fact) -> bool {
    matches!(fact, Fact::Read { verdict, .. } if verdict.finding.is_abnormal())
}

/// Takes a picture of something and keeps it on the phone; tells its name.
async fn kept_picture<S: LogStore + BlobStore, C: Clock, R: Rng>(
    phone: &mut Phone<S, C, R>,
    job: JobId,
    what: Option<Subject>,
) -> anyhow::Result<String> {
    let facts: usize = phone.job(job)?.job.visits.values().map(|visit| visit.facts.len()).sum();
    let bytes = match what {
        Some(subject) => picture::photo(&format!("{subject:?} {facts} {job}"))?,
        None => picture::signature(&format!("{facts} {job}"))?,
    };
    Ok(phone.keep_photo(job, &bytes).await?)
}
