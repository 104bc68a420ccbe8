//! From a tap to the phone's own commands, and what was saved.

use std::fmt::Write as _;

use domain::id::{FactId, JobId};
use domain::visit::{Fact, live_facts};
use mobile_core::clock::{Clock, Rng};
use mobile_core::log::LogStore;
use mobile_core::phone::{CommandError, Phone, Saved};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::act::Act;

/// Does what was tapped; the reply names every fact saved.
pub(super) async fn tap<S: LogStore, C: Clock, R: Rng>(
    phone: &mut Phone<S, C, R>,
    job: JobId,
    act: Act,
) -> Result<Value, CommandError> {
    let one = match act {
        Act::AnswerRest { phase } => {
            let saved = phone.answer_rest_as_done(job, phase).await?;
            return told(phone, job, &saved);
        }
        Act::Read { meter, register } => {
            let read = phone.read_meter(job, meter, register).await?;
            let mut reply = told(phone, job, &[read.saved])?;
            reply["finding"] = json!(read.verdict.finding);
            reply["sentence"] = json!(read.sentence);
            return Ok(reply);
        }
        Act::TellHousehold => match abnormal_reading(phone, job)? {
            Some(reading) => phone.tell_household(job, reading).await?,
            None => return told(phone, job, &[]),
        },
        Act::TakeMeasure { measure } => match abnormal_reading(phone, job)? {
            Some(reading) => phone.take_measure(job, reading, measure).await?,
            None => return told(phone, job, &[]),
        },
        Act::ReplaceHose { removed, kind, length_mm } => {
            let replaced = phone.replace_hose(job, removed, kind, length_mm).await?;
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
        Act::TakeCash { amount, receipt } => phone.take_cash(job, amount, receipt).await?,
        Act::TakePhoto { subject } => {
            let hash = content_hash(phone, job, &format!("{subject:?}"))?;
            phone.take_photo(job, hash, subject).await?
        }
        Act::Sign => {
            let hash = content_hash(phone, job, "signature")?;
            phone.sign(job, hash).await?
        }
        Act::Note { text } => phone.note(job, text).await?,
        Act::Close { outcome } => phone.close(job, outcome).await?,
    };
    told(phone, job, &[one])
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

/// The newest abnormal reading of the job.
fn abnormal_reading<S: LogStore, C: Clock, R: Rng>(
    phone: &Phone<S, C, R>,
    job: JobId,
) -> Result<Option<FactId>, CommandError> {
    let mut facts = phone.job(job)?.job.visits.values().flat_map(live_facts);
    let newest = facts.rfind(|(_, recorded)| is_abnormal(&recorded.fact));
    Ok(newest.map(|(id, _)| id))
}

fn is_abnormal(fact: &Fact) -> bool {
    matches!(fact, Fact::Read { verdict, .. } if verdict.finding.is_abnormal())
}

/// The name of a picture by its content; in a terminal the content is made up.
fn content_hash<S: LogStore, C: Clock, R: Rng>(
    phone: &Phone<S, C, R>,
    job: JobId,
    what: &str,
) -> Result<String, CommandError> {
    let facts: usize = phone.job(job)?.job.visits.values().map(|visit| visit.facts.len()).sum();
    let hash = Sha256::digest(format!("{what} {facts} {job}"));
    Ok(hash.iter().fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    }))
}
