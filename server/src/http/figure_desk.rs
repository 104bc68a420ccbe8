//! Where figures are read from: a hall's rows of some days, counted under the headings asked for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{FixedOffset, NaiveDate, Offset as _, Utc};
use domain::calendar::city_day;
use domain::catalogue::{self, Language};
use domain::hazard;
use domain::id::{HallId, HouseholdId, UserId};
use domain::ledger::shown_groups;
use domain::outage::{self, Clock, ClockState};
use domain::pack::PackId;
use domain::promise::PromiseState;
use domain::punctuality::Punctuality;
use domain::stamp::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Caller;
use super::error::ApiError;
use super::exports::{Tongue, span};
use super::figures::{AskFigure, PromiseFigures};
use crate::applications::rules;
use crate::db::exports::Span;
use crate::db::halls::{self, HallRow};
use crate::db::outages::{self as promised, CountedRow};
use crate::db::verdicts::{self, StoredVerdict};
use crate::db::{C, Conn, applications, calls, devices, figures as rows, households};
use crate::figures::counter::{self, TripFigures};
use crate::figures::hoses::{HoseFigures, Replaced};
use crate::figures::phones::{PhoneRow, Standing};
use crate::figures::promises::{CasePromise, WatchedCase, WatchedSupply};
use crate::figures::readings::ReadingFigures;
use crate::figures::{Count, Counted, Figure, Named};
use crate::figures::{arrivals, hoses, phones, promises, ratings, readings, visits};
use crate::hazards::restoring::{self, Stop};
use crate::identity::Role;
use crate::items;
use crate::ledger;
use crate::reports;
use crate::state::AppState;

/// What makes a line.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    Technician,
    Kind,
    #[default]
    Day,
    /// The hour of the hall's clock: of a window's start, of a visit's end.
    Hour,
    /// Every hall of the server, for admins alone; of other halls numbers, and no jobs behind them.
    Hall,
}

/// Where figures are read from.
pub(super) struct Desk {
    conn: Conn,
    hall: HallRow,
    role: Role,
    days: (NaiveDate, NaiveDate),
    span: Span,
    language: Language,
    now: Timestamp,
}

impl Desk {
    pub(super) async fn of(
        state: &AppState,
        caller: &Caller,
        asked: &AskFigure,
    ) -> Result<Self, ApiError> {
        let mut conn = state.db.read().await?;
        let hall = halls::find_hall(conn.c(), caller.hall).await?;
        let hall = hall.ok_or(ApiError::NotFound("hall"))?;
        let days = (asked.from, asked.to);
        let span = span(&hall, days)?;
        let (language, now) = (asked.lang.into(), state.clock.now());
        Ok(Self { conn, hall, role: caller.role, days, span, language, now })
    }

    /// A desk that looks at nothing but today.
    pub(super) async fn today(
        state: &AppState,
        caller: &Caller,
        lang: Tongue,
    ) -> Result<Self, ApiError> {
        let now = state.clock.now();
        let hall = halls::find_hall(state.db.read().await?.c(), caller.hall).await?;
        let hall = hall.ok_or(ApiError::NotFound("hall"))?;
        let day = now.with_timezone(&city(hall.utc_offset_minutes)).date_naive();
        Self::of(state, caller, &AskFigure { from: day, to: day, lang }).await
    }

    fn hall(&self) -> HallId {
        HallId(self.hall.hall_id)
    }

    fn bounds(&self) -> rows::Bounds {
        (self.span.from, self.span.until)
    }

    fn day(&self, at_ms: i64) -> NaiveDate {
        let minutes = i32::try_from(self.hall.utc_offset_minutes).unwrap_or(0);
        city_day(Timestamp::from_timestamp_millis(at_ms).unwrap_or_default(), minutes)
    }

    /// The hall's own clock.
    pub(super) fn offset(&self) -> FixedOffset {
        city(self.hall.utc_offset_minutes)
    }

    /// Today in the hall's city.
    pub(super) fn day_now(&self) -> NaiveDate {
        self.day(self.now.timestamp_millis())
    }

    async fn heard(&mut self) -> Result<BTreeMap<UserId, i64>, ApiError> {
        let hall = self.hall();
        Ok(devices::list_heard_until(self.conn.c(), hall).await?)
    }

    /// A hall's verdicts on the appointments of the days asked for, as they read now.
    async fn verdicts(
        &mut self,
        hall: HallId,
    ) -> Result<Vec<(StoredVerdict, Punctuality)>, ApiError> {
        let (from, to) = (self.days.0.to_string(), self.days.1.to_string());
        let heard = devices::list_heard_until(self.conn.c(), hall).await?;
        let stored = verdicts::list_verdicts(self.conn.c(), hall, &from, &to).await?;
        let read = |it: StoredVerdict| {
            let punctuality = reports::punctuality(&it, self.now, &heard)?;
            Ok((it, punctuality))
        };
        Ok(stored.into_iter().map(read).collect::<anyhow::Result<_>>()?)
    }

    /// What a job of a hall counts as: nobody sees into another hall.
    fn counted(&self, hall: &HallRow, job: Uuid) -> Counted {
        if hall.hall_id == self.hall.hall_id { Counted::Job(job) } else { Counted::Elsewhere }
    }

    pub(super) async fn arrivals(mut self, by: By) -> Result<Figure, ApiError> {
        let halls = counted_halls(self.conn.c(), (&self.hall, self.role), by).await?;
        let mut count = count_in(arrivals::turned_out(self.language), &halls, by);
        for hall in &halls {
            for (it, punctuality) in self.verdicts(HallId(hall.hall_id)).await? {
                let heading = match by {
                    By::Technician => self.person(it.technician_id, it.technician_name),
                    By::Kind => Named::word(self.language, "kind", &it.kind),
                    By::Day => Named::plain(it.day),
                    By::Hour => hour(it.window_start, hall.utc_offset_minutes),
                    By::Hall => hall_heading(hall),
                };
                count.add(&heading, punctuality.key(), self.counted(hall, it.job_id));
            }
        }
        Ok(count.finish(self.language))
    }

    pub(super) async fn lateness(mut self) -> Result<Figure, ApiError> {
        let (from, to) = (self.days.0.to_string(), self.days.1.to_string());
        let hall = self.hall();
        let read = self.verdicts(hall).await?;
        let came = rows::list_arrivals(self.conn.c(), hall, &from, &to).await?;
        Ok(arrivals::lateness(&read, &came, self.language))
    }

    /// Promises, of those that run at most so many of jobs and as many of cases, the first due first.
    pub(super) async fn promises(
        &mut self,
        state: &AppState,
        most: usize,
    ) -> Result<PromiseFigures, ApiError> {
        let (hall, bounds, heard) = (self.hall(), self.bounds(), self.heard().await?);
        let stored = rows::list_promises(self.conn.c(), hall, bounds).await?;
        let read = stored.into_iter().map(|it| {
            let due = (it.due_at, it.answerable);
            let state = reports::promise_state(it.state.clone(), due, self.now, &heard);
            (it, state)
        });
        let read: Vec<_> = read.collect();
        let cases = rows::list_case_promises(self.conn.c(), hall, bounds).await?;
        let outages = self.outages(state).await?;
        let stops = self.stops(state).await?;
        let is_asked = |due_at: i64| (bounds.0..bounds.1).contains(&due_at);
        let of_jobs = read.iter().filter(|(it, _)| is_asked(it.due_at));
        let of_jobs =
            of_jobs.map(|(it, state)| (it.rule.as_str(), state.as_str(), Counted::Job(it.job_id)));
        let of_cases = cases.iter().filter(|it| is_asked(it.due_at));
        let of_cases =
            of_cases.map(|it| (it.rule.as_str(), it.state(self.now), Counted::Case(it.case_id)));
        let of_outages = outages.iter().filter(|(row, _)| is_asked(row.outage.due_at));
        let of_outages = of_outages.map(|(row, clock)| {
            (outage::RULE, clock.state.key(), Counted::Outage(row.outage.outage_id))
        });
        let calls = calls::list_calls(self.conn.c(), hall, bounds).await?;
        let of_calls = calls
            .iter()
            .map(|it| ("B3", counter::promise_state(&it.answered_as), Counted::Elsewhere));
        let of_stops = stops.iter().filter(|(_, _, due_at)| is_asked(*due_at));
        let of_stops = of_stops
            .map(|(it, state, _)| (hazard::RULE, state.key(), Counted::Household(it.household.0)));
        let read_all = of_jobs.chain(of_cases).chain(of_outages).chain(of_stops).chain(of_calls);
        let by_rule = promises::by_rule(read_all, self.language);
        let (now_ms, language) = (self.now.timestamp_millis(), self.language);
        let open_outages = outages.into_iter().filter(|(row, clock)| {
            let may_still = row.outage.ended_at.is_none() || row.outage.due_at >= now_ms;
            row.told < row.households && clock.state != ClockState::Kept && may_still
        });
        let open_outages = open_outages.take(most);
        let open_outages =
            open_outages.map(|(row, clock)| promises::open_outage(row, &clock, language)).collect();
        let open_cases = self.open_cases(state, cases, most).await?;
        let open_supplies = self.open_supplies(&stops, most).await?;
        let running = read.into_iter().filter(|(it, _)| it.state == "running");
        let running: Vec<_> = running.collect();
        let open_count = running.len();
        let mut open = Vec::new();
        for (stored, reads) in running.into_iter().take(most) {
            let pack = state.packs.find(self.conn.c(), &PackId(stored.pack_id.clone())).await?;
            let binds = pack.promises.iter().find(|rule| {
                rule.rule == stored.rule && rule.kinds.iter().any(|it| it.key() == stored.kind)
            });
            open.push(promises::open(stored, binds, (reads, self.now), self.language));
        }
        Ok(PromiseFigures { open, open_count, open_cases, open_outages, open_supplies, by_rule })
    }

    /// Cases whose callers were not told yet, the first due first.
    async fn open_cases(
        &mut self,
        state: &AppState,
        cases: Vec<CasePromise>,
        most: usize,
    ) -> Result<Vec<WatchedCase>, ApiError> {
        let mut open_cases = Vec::new();
        for stored in cases.into_iter().filter(|it| it.told_at.is_none()).take(most) {
            let pack = state.packs.find(self.conn.c(), &PackId(stored.pack_id.clone())).await?;
            let rules = pack.cases.as_ref().map(|cases| cases.promises.as_slice());
            let binds = rules.into_iter().flatten().find(|it| it.rule == stored.rule);
            let warn_minutes = binds.and_then(|rule| rule.warn_minutes);
            open_cases.push(promises::open_case(stored, warn_minutes, self.now, self.language));
        }
        Ok(open_cases)
    }

    /// Every stop of supply because of hazards whose promise runs or ran, with its state and when it is due (B7).
    async fn stops(
        &mut self,
        state: &AppState,
    ) -> Result<Vec<(Stop, PromiseState, i64)>, ApiError> {
        let (hall, now) = (self.hall(), self.now);
        let stops = restoring::of_hall(&state.packs, self.conn.c(), hall, now).await?;
        let promised = stops.into_iter().filter_map(|it| {
            let (state, due_at) = (it.state?, it.stoppage.restoring?.due_at);
            Some((it, state, due_at.timestamp_millis()))
        });
        Ok(promised.collect())
    }

    /// Those that are still to be restored, the first due first.
    async fn open_supplies(
        &mut self,
        stops: &[(Stop, PromiseState, i64)],
        most: usize,
    ) -> Result<Vec<WatchedSupply>, ApiError> {
        let mut open: Vec<_> =
            stops.iter().filter(|(it, ..)| it.stoppage.restored.is_none()).collect();
        open.sort_by_key(|(it, _, due_at)| (*due_at, it.household));
        let (hall, mut watched) = (self.hall(), Vec::new());
        for (it, state, due_at) in open.into_iter().take(most) {
            let home = households::find_household(self.conn.c(), hall, it.household).await?;
            watched.extend(home.map(|home| WatchedSupply {
                household: home.id.0,
                address: home.address,
                technician_name: it.sent.clone(),
                rule: hazard::RULE.to_owned(),
                due_at: *due_at,
                state: state.key().to_owned(),
                is_at_risk: it.is_at_risk(self.now),
            }));
        }
        Ok(watched)
    }

    /// Outages whose promise runs, or was due in the days asked for, with how it stands (B13).
    async fn outages(&mut self, state: &AppState) -> Result<Vec<(CountedRow, Clock)>, ApiError> {
        let (hall, bounds, now) = (self.hall(), self.bounds(), self.now);
        let now_ms = now.timestamp_millis();
        let promised = promised::list_promised(self.conn.c(), hall, now_ms, bounds).await?;
        let mut read = Vec::with_capacity(promised.len());
        for row in promised {
            let pack = state.packs.find(self.conn.c(), &PackId(row.outage.pack_id.clone())).await?;
            let clock = crate::outage::clock(&row, &pack, now);
            read.extend(clock.map(|clock| (row, clock)));
        }
        Ok(read)
    }

    pub(super) async fn readings(mut self) -> Result<ReadingFigures, ApiError> {
        let (hall, bounds) = (self.hall(), self.bounds());
        let read = rows::list_readings(self.conn.c(), hall, bounds).await?;
        let answers = rows::list_reading_answers(self.conn.c(), hall, bounds.0).await?;
        Ok(readings::abnormal(&read, &answers, self.language))
    }

    pub(super) async fn conduct(mut self, state: &AppState) -> Result<Figure, ApiError> {
        let (hall, bounds) = (self.hall(), self.bounds());
        let answers = rows::list_answers(self.conn.c(), hall, bounds).await?;
        let pack = state.packs.in_force(self.conn.c(), self.now).await?;
        Ok(visits::conduct(answers, &pack, self.language))
    }

    pub(super) async fn outcomes(mut self, by: By) -> Result<Figure, ApiError> {
        let halls = counted_halls(self.conn.c(), (&self.hall, self.role), by).await?;
        let mut count = count_in(visits::outcomes(self.language), &halls, by);
        for hall in &halls {
            // Each hall's days are those of its own city.
            let Span { from, until, .. } = span(hall, self.days)?;
            let id = HallId(hall.hall_id);
            for it in rows::list_ended_visits(self.conn.c(), id, (from, until)).await? {
                let who = (Some(it.technician_id), it.technician_name);
                let heading = self.heading((by, hall), who, (&it.kind, it.ended_at));
                count.add(&heading, &it.outcome, self.counted(hall, it.job_id));
            }
        }
        Ok(count.finish(self.language))
    }

    pub(super) async fn ratings(mut self, by: By) -> Result<Figure, ApiError> {
        let halls = counted_halls(self.conn.c(), (&self.hall, self.role), by).await?;
        let mut count = count_in(ratings::by_score(self.language), &halls, by);
        for hall in &halls {
            let Span { from, until, .. } = span(hall, self.days)?;
            let id = HallId(hall.hall_id);
            for it in rows::list_finished(self.conn.c(), id, (from, until)).await? {
                let column = it.column();
                let who = (it.technician_id, it.technician_name);
                let heading = self.heading((by, hall), who, (&it.kind, it.done_at));
                count.add(&heading, column, self.counted(hall, it.job_id));
            }
        }
        Ok(count.finish(self.language))
    }

    /// Accounts on their way to gas, and how it went with papers (B16, C7).
    pub(super) async fn trips(mut self, state: &AppState) -> Result<TripFigures, ApiError> {
        let (hall, bounds, language) = (self.hall(), self.bounds(), self.language);
        let pack = state.packs.in_force(self.conn.c(), self.now).await?;
        let opened = applications::list_opened(self.conn.c(), hall, bounds).await?;
        let taken = applications::list_taken(self.conn.c(), hall, bounds).await?;
        Ok(TripFigures {
            trips: counter::trips(&opened, language),
            first_gas: counter::first_gas(&opened, language),
            papers: counter::papers(&taken, &rules(&pack), language),
        })
    }

    /// Calls by how soon they were answered; by technician they are counted by the agent's number (B3).
    pub(super) async fn calls(mut self, by: By) -> Result<Figure, ApiError> {
        let halls = counted_halls(self.conn.c(), (&self.hall, self.role), by).await?;
        let mut count = count_in(counter::answered(self.language), &halls, by);
        for hall in &halls {
            let Span { from, until, .. } = span(hall, self.days)?;
            let id = HallId(hall.hall_id);
            for it in calls::list_calls(self.conn.c(), id, (from, until)).await? {
                let heading = match by {
                    By::Technician | By::Kind if it.agent.is_empty() => self.person(None, None),
                    By::Technician | By::Kind => Named::plain(it.agent),
                    By::Day => Named::plain(self.day(it.at).to_string()),
                    By::Hour => hour(it.at, hall.utc_offset_minutes),
                    By::Hall => hall_heading(hall),
                };
                count.add(&heading, &it.answered_as, Counted::Elsewhere);
            }
        }
        Ok(count.finish(self.language))
    }

    /// Under what something counts that somebody did in a hall at an instant.
    fn heading(
        &self,
        (by, hall): (By, &HallRow),
        (technician, name): (Option<Uuid>, Option<String>),
        (kind, at_ms): (&str, i64),
    ) -> Named {
        match by {
            By::Technician => self.person(technician, name),
            By::Kind => Named::word(self.language, "kind", kind),
            By::Day => Named::plain(self.day(at_ms).to_string()),
            By::Hour => hour(at_ms, hall.utc_offset_minutes),
            By::Hall => hall_heading(hall),
        }
    }

    /// A person as a heading; nobody has an empty key.
    fn person(&self, id: Option<Uuid>, name: Option<String>) -> Named {
        let nobody = || catalogue::text(self.language, "figures.nobody", &[]);
        let key = id.map(|id| id.to_string()).unwrap_or_default();
        Named { key, name: name.unwrap_or_else(nobody) }
    }

    /// The hall's phones that were not shut out, the worst first.
    pub(super) async fn phones(&mut self) -> Result<Vec<(Standing, PhoneRow)>, ApiError> {
        let hall = self.hall();
        let rows = rows::list_phones(self.conn.c(), hall).await?;
        Ok(phones::worst_first(rows, self.now))
    }

    pub(super) async fn hoses(mut self, state: &AppState) -> Result<HoseFigures, ApiError> {
        let hall = self.hall();
        let pack = state.packs.in_force(self.conn.c(), self.now).await?;
        let walls = items::of_hall(self.conn.c(), hall).await?;
        let mut groups = rows::list_hall_groups(self.conn.c(), hall).await?;
        let done = walls.iter().flat_map(|(household, wall)| {
            wall.replacements.iter().map(|it| {
                let (job, household) = (it.job.map(|job| job.0), *household);
                Replaced { job, household, on: it.on, free: it.free }
            })
        });
        let (from, to) = self.days;
        let asked: Vec<_> = done.filter(|it| (from..=to).contains(&it.on)).collect();
        let today = self.day_now();
        let free: BTreeSet<_> = asked.iter().filter(|it| it.free).map(|it| it.household).collect();
        groups.retain(|household, _| free.contains(household));
        for household in free {
            let entries = ledger::entries(self.conn.c(), household).await?;
            let register = groups.remove(&household).unwrap_or_default();
            // Nobody's group is told who took their consent back.
            groups.insert(household, shown_groups(&register, &entries, today));
        }
        let hangs = |(household, wall): (&HouseholdId, &items::Wall)| {
            wall.hoses.iter().map(|hose| (*household, *hose)).collect::<Vec<_>>()
        };
        let wall: Vec<_> = walls.iter().flat_map(hangs).collect();
        let replaced = hoses::replaced(&asked, &groups, &pack, self.language);
        let due = hoses::due(&wall, today, &pack, self.language);
        let doors = rows::list_doors(self.conn.c(), hall).await?;
        let doors = hoses::doors([&replaced, &due], doors);
        Ok(HoseFigures { replaced, due, doors })
    }
}

/// Whose things are counted: one's own hall's, and by hall those of all, for which only admins may ask.
pub(super) async fn counted_halls(
    c: C<'_>,
    (own, role): (&HallRow, Role),
    by: By,
) -> Result<Vec<HallRow>, ApiError> {
    match (by, role) {
        (By::Technician | By::Kind | By::Day | By::Hour, _) => Ok(vec![own.clone()]),
        (By::Hall, Role::Admin) => Ok(halls::list_halls(c).await?),
        (By::Hall, role) => Err(ApiError::Forbidden(role)),
    }
}

/// A count that by hall shows each, also one in which nothing was.
fn count_in(count: Count, halls: &[HallRow], by: By) -> Count {
    match by {
        By::Hall => count.under(halls.iter().map(hall_heading).collect()),
        By::Technician | By::Kind | By::Day | By::Hour => count,
    }
}

/// A hall as a heading.
pub(super) fn hall_heading(hall: &HallRow) -> Named {
    Named { key: hall.hall_id.to_string(), name: hall.name.clone() }
}

/// The hour of the hall's clock in which an instant lies, as its heading.
pub(super) fn hour(at_ms: i64, utc_offset_minutes: i64) -> Named {
    let at = Timestamp::from_timestamp_millis(at_ms).unwrap_or_default();
    let key = at.with_timezone(&city(utc_offset_minutes)).format("%H").to_string();
    Named { name: format!("{key}:00–{key}:59"), key }
}

fn city(utc_offset_minutes: i64) -> FixedOffset {
    let minutes = i32::try_from(utc_offset_minutes).unwrap_or(0);
    FixedOffset::east_opt(minutes * 60).unwrap_or_else(|| Utc.fix())
}
