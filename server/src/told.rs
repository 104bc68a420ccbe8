//! What households are told: written down in the transaction in which it happened, handed to gateways afterwards (B13).
//!
//! A notice is a row first. The [`courier`] puts it into the webhooks' outbox when the night is over, and notes how it ended.

pub mod courier;
pub mod late;
pub mod limit;
pub mod link;
pub mod outages;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::appointment::{self, Source};
use domain::catalogue::{self, Language};
use domain::id::{EntryId, FactId, HallId, HouseholdId, UserId, VisitId};
use domain::job::{Channel, Job, Window};
use domain::ledger::language;
use domain::notice::{Occasion, fill, say_day, say_moment, say_time, send_at, window_places};
use domain::pack::{NoticeRules, Pack, TravelRules};
use domain::round::travel;
use domain::stamp::Timestamp;
use domain::status::{Status, standing};
use domain::visit::{Fact, Outcome, Visit, live_facts};
use uuid::Uuid;

use crate::db::told::{self, NoticeRow};
use crate::db::{C, Result, halls, users, webhooks, work_cards};
use crate::ids::fresh_uuid;
use crate::jobs::settle::Happening;
use crate::ledger::entries;
use crate::webhooks::HOUSEHOLD_NOTICE;

/// Expected times are told in steps of so many minutes: nobody is on time to the minute.
const STEP_MINUTES: i64 = 5;

/// The rules of notices: a pack from before there were any says nothing of them.
pub fn rules(pack: &Pack) -> NoticeRules {
    let builtin = || Pack::builtin().notices.expect("a test reads the built-in pack's notices");
    pack.notices.clone().unwrap_or_else(builtin)
}

/// How long ways take; a pack from before plans were made says nothing of them.
pub fn travel_rules(pack: &Pack) -> TravelRules {
    let builtin = || Pack::builtin().travel.expect("a test reads the built-in pack's ways");
    pack.travel.clone().unwrap_or_else(builtin)
}

/// Something that a household has to hear of.
#[derive(Clone, Debug)]
pub struct News {
    /// Why.
    pub occasion: Occasion,
    /// Names what happened, so that it is told once.
    pub cause: String,
    /// Who comes, or came.
    pub technician: Option<UserId>,
    /// From when on it would be wrong.
    pub fresh_until: Option<Timestamp>,
    /// What the words are made of.
    pub facts: Facts,
}

/// What the words of a notice are made of.
#[derive(Clone, Debug)]
pub enum Facts {
    /// A job.
    Job {
        /// The key of its kind.
        kind: &'static str,
        /// The window that holds.
        window: Option<Window>,
        /// When somebody is expected, or was there.
        at: Option<Timestamp>,
    },
    /// An outage.
    Outage {
        /// Where.
        area: String,
        /// Why.
        reason: String,
        /// From when until when.
        span: Window,
        /// When the gas was on again.
        ended: Option<Timestamp>,
    },
}

impl Facts {
    /// What fills a template's places besides hall and person.
    fn places(&self, offset: i32, language: Language) -> Vec<(&'static str, String)> {
        match self {
            Self::Job { kind, window, at } => {
                let kind = catalogue::text(language, &format!("kind.{kind}"), &[]);
                let mut places = vec![("kind", kind)];
                let window = window.map(|window| window_places(window, offset, language));
                places.extend(window.into_iter().flatten());
                if let Some(at) = at {
                    places.push(("time", say_time(*at, offset)));
                    // The day of what happened, where it is not that of the window.
                    places.push(("on", say_day(*at, offset, language)));
                }
                places
            }
            Self::Outage { area, reason, span, ended } => {
                let moment = |at| say_moment(at, offset, language);
                let mut places = vec![
                    ("area", area.clone()),
                    ("reason", reason.clone()),
                    ("from", moment(span.start)),
                    ("until", moment(span.end)),
                ];
                places.extend(ended.map(|at| ("time", moment(at))));
                places
            }
        }
    }
}

/// Writes down what a household has to hear of a job that changed; nothing while no gateway listens.
pub async fn write(
    mut c: C<'_>,
    job: &Job,
    happening: &Happening,
    (pack, now): (&Pack, Timestamp),
) -> Result<()> {
    if standing(job).status == Status::Cancelled {
        told::overtake(c.lend(), job.id.0, None, now.timestamp_millis()).await?;
    }
    let news = news(job, happening, (pack, now));
    if news.is_empty() || !listens(c.lend(), job.hall).await? {
        return Ok(());
    }
    for it in news {
        tell(c.lend(), job, &it, (pack, now)).await?;
    }
    Ok(())
}

/// Whether anybody takes notices to households.
pub async fn listens(c: C<'_>, hall: HallId) -> Result<bool> {
    let listening = webhooks::list_listening(c, hall).await?;
    Ok(listening.iter().any(|it| it.kinds.0.iter().any(|kind| kind == HOUSEHOLD_NOTICE)))
}

/// What one change of a job makes worth telling.
fn news(job: &Job, happening: &Happening, (pack, now): (&Pack, Timestamp)) -> Vec<News> {
    let agreed = agreed(job, happening, now).map(|(window, source)| News {
        occasion: occasion_of(job, source),
        cause: format!("window_agreed:{source}"),
        technician: None,
        fresh_until: Some(window.end),
        facts: Facts::Job { kind: job.kind.key(), window: Some(window), at: None },
    });
    let at_doors = happening.added.iter().filter_map(|(visit, fact)| {
        let at = job.visits.get(visit)?;
        at_door(job, (*visit, at), *fact, (pack, now))
    });
    agreed.into_iter().chain(at_doors).collect()
}

/// A window that stands on a notice was agreed with nobody (A1).
fn occasion_of(job: &Job, source: Uuid) -> Occasion {
    let entry = job.plan.appointments.get(&EntryId(source));
    if entry.is_some_and(|it| it.channel == Channel::Notice) {
        return Occasion::WindowAnnounced;
    }
    Occasion::WindowAgreed
}

/// The window that holds and was agreed by this very change; one that is over is told to nobody.
fn agreed(job: &Job, happening: &Happening, now: Timestamp) -> Option<(Window, Uuid)> {
    let current = appointment::current(job).filter(|it| it.window.end > now)?;
    let is_new = match current.source {
        Source::Plan(entry) => {
            let plan = &job.plan;
            let others = plan.assignments.keys().chain(plan.cancelled.keys());
            let others = others.chain(plan.rulings.keys()).chain(plan.instructions.keys());
            // Entries of a job that is taken on are made at once; a later one is the newest of all.
            happening.what == "created"
                || (happening.what == "planned" && others.into_iter().all(|it| *it < entry))
        }
        Source::Visit(visit, fact) => happening.added.contains(&(visit, fact)),
    };
    let source = match current.source {
        Source::Plan(entry) => entry.0,
        Source::Visit(_, fact) => fact.0,
    };
    let is_open = standing(job).status.is_open() || matches!(current.source, Source::Visit(..));
    (is_new && is_open).then_some((current.window, source))
}

/// What a fact from a door makes worth telling.
fn at_door(
    job: &Job,
    (visit_id, visit): (VisitId, &Visit),
    fact: FactId,
    (pack, now): (&Pack, Timestamp),
) -> Option<News> {
    let live = live_facts(visit);
    let (_, recorded) = live.iter().find(|(id, _)| *id == fact)?;
    let stands = standing(job);
    if stands.visit != Some(visit_id) {
        return None;
    }
    let wall_at = recorded.stamp.wall_at.clamp(job.created_at.min(now), now);
    let window = stands.appointment;
    let (occasion, at, fresh_until) = if matches!(recorded.fact, Fact::SetOut) {
        if stands.status != Status::SetOut {
            return None;
        }
        let earliest = window.map_or(now, |window| window.start.max(now));
        let expected = wall_at + travel(None, &travel_rules(pack));
        let stale = wall_at + TimeDelta::minutes(rules(pack).stale_minutes);
        (Occasion::OnTheWay, stepped(expected.max(earliest)), Some(stale))
    } else if matches!(recorded.fact, Fact::Closed { outcome: Outcome::Done }) {
        (Occasion::Done, wall_at, None)
    } else if matches!(recorded.fact, Fact::Closed { outcome: Outcome::NoOneHome }) {
        (Occasion::NoOneHome, wall_at, None)
    } else {
        return None;
    };
    Some(News {
        occasion,
        cause: format!("{}:{}", occasion.key(), fact.0),
        technician: Some(visit.technician),
        fresh_until,
        facts: Facts::Job { kind: job.kind.key(), window, at: Some(at) },
    })
}

/// Up to the next step of minutes.
pub fn stepped(at: Timestamp) -> Timestamp {
    let step_ms = STEP_MINUTES * 60_000;
    let ms = at.timestamp_millis();
    let up = ms.div_euclid(step_ms) + i64::from(ms.rem_euclid(step_ms) > 0);
    Timestamp::from_timestamp_millis(up * step_ms).unwrap_or(at)
}

/// Writes one notice of a job down, unless its cause was told before.
pub async fn tell(
    mut c: C<'_>,
    job: &Job,
    news: &News,
    (pack, now): (&Pack, Timestamp),
) -> Result<()> {
    let household = job.briefing.household.id;
    let is_emergency = pack.kind(job.kind).emergency && rules(pack).emergencies_always;
    let who = (household, Some(job.id.0), None);
    write_notice(c.lend(), job.hall, who, (news, is_emergency), (pack, now)).await
}

/// Writes a notice down with its words in the household's language.
pub async fn write_notice(
    mut c: C<'_>,
    hall: HallId,
    (household, job, outage): (HouseholdId, Option<Uuid>, Option<Uuid>),
    (news, is_emergency): (&News, bool),
    (pack, now): (&Pack, Timestamp),
) -> Result<()> {
    let rules = rules(pack);
    let Some(template) = rules.template(news.occasion) else { return Ok(()) };
    let language = language(&entries(c.lend(), household).await?);
    let offset = pack.time.utc_offset_minutes;
    let mut values: BTreeMap<&str, String> =
        news.facts.places(offset, language).into_iter().collect();
    if let (Occasion::NoOneHome, Some(on)) = (news.occasion, values.remove("on")) {
        values.insert("day", on);
    }
    let row = halls::find_hall(c.lend(), hall).await?;
    values.insert("hall", row.map(|it| it.name).unwrap_or_default());
    if let Some(technician) = news.technician {
        let found = users::find_user(c.lend(), technician).await?;
        values.insert("technician", found.map(|it| it.name).unwrap_or_default());
        let card = work_cards::find_card(c.lend(), technician).await?;
        let none = || catalogue::text(language, "told.no_card", &[]);
        values.insert("card", card.map_or_else(none, |it| it.number));
    }
    let send =
        if template.urgent || is_emergency { now } else { send_at(now, rules.quiet_hours, offset) };
    let notice = NoticeRow {
        notice_id: fresh_uuid(now),
        hall_id: hall.0,
        household_id: household.0,
        job_id: job,
        outage_id: outage,
        occasion: news.occasion.key().to_owned(),
        cause: news.cause.clone(),
        language: language.tag().to_owned(),
        words: fill(template.in_language(language), &values),
        pack_id: pack.id.0.clone(),
        made_at: now.timestamp_millis(),
        send_at: send.timestamp_millis(),
        fresh_until: news.fresh_until.map(|at| at.timestamp_millis()),
        always: template.always || is_emergency,
        state: "waiting".to_owned(),
        handed_at: None,
        ended_at: None,
        error: None,
    };
    let overtakes = news.occasion.passes() || news.occasion == Occasion::Done;
    let is_new = told::insert_notice(c.lend(), &notice).await?;
    if let Some(job) = job.filter(|_| is_new && overtakes) {
        told::overtake(c, job, Some(notice.notice_id), now.timestamp_millis()).await?;
    }
    Ok(())
}
