//! Jobs and visits for the rule tests, with working defaults.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use domain::household::{Group, Household};
use domain::id::*;
use domain::job::*;
use domain::pack::{Pack, PackId};
use domain::stamp::{Anchor, BootId, Interval, Stamp, Timestamp};
use domain::status::standing;
use domain::visit::{Fact, Recorded, Visit};
use uuid::Uuid;

/// The technician of most tests.
pub(crate) const ANA: UserId = UserId(Uuid::from_u128(0xA));
/// Another technician.
pub(crate) const BEN: UserId = UserId(Uuid::from_u128(0xB));
/// The dispatcher.
pub(crate) const DISPATCHER: UserId = UserId(Uuid::from_u128(0xD));

/// A moment of the day in the hall's city, such as `"09:30"`.
pub(crate) fn at(clock: &str) -> Timestamp {
    let text = format!("2026-11-24T{clock}:00+08:00");
    DateTime::parse_from_rfc3339(&text).expect("the tests write valid times").to_utc()
}

/// A window of the day.
pub(crate) fn window(start: &str, end: &str) -> Window {
    Window { start: at(start), end: at(end) }
}

/// A stamp whose true time is known to the millisecond.
pub(crate) fn stamp(moment: Timestamp) -> Stamp {
    let anchor = Anchor { boot: BootId(1), mono_ms: 0, server_at: at("06:00"), round_trip_ms: 0 };
    let mono_ms = (moment - at("06:00")).num_milliseconds();
    Stamp { wall_at: moment, boot: BootId(1), mono_ms, anchor: Some(anchor) }
}

/// Resolves such stamps exactly.
pub(crate) fn exact(stamp: &Stamp) -> Interval {
    let bounds = Interval { earliest: at("00:00"), latest: at("23:59") };
    stamp.resolve(&[], bounds, 0)
}

/// Resolves every stamp to a band of this many minutes on either side.
pub(crate) fn blurred(minutes: i64) -> impl Fn(&Stamp) -> Interval {
    move |stamp| {
        let sharp = exact(stamp).earliest;
        let by = TimeDelta::minutes(minutes);
        Interval { earliest: sharp - by, latest: sharp + by }
    }
}

/// A job being built.
#[derive(Clone)]
pub(crate) struct JobBuilder(Job);

/// A job of this kind, taken on at 06:00 and given to nobody.
pub(crate) fn job(kind: JobKind) -> JobBuilder {
    let household = Household {
        id: HouseholdId(Uuid::from_u128(1)),
        account: "30100001".to_owned(),
        holder: "章思雨".to_owned(),
        address: "听江里1幢101室".to_owned(),
        phone: "05530200000".to_owned(),
        place: None,
        groups: BTreeSet::new(),
        access: String::new(),
        unregistered: false,
    };
    let briefing = Briefing {
        household,
        meters: Vec::new(),
        season: None,
        hoses: Vec::new(),
        appliances: Vec::new(),
        replacements: Vec::new(),
        caller_phone: String::new(),
        request: String::new(),
        also_due: Vec::new(),
        hazards: Vec::new(),
        attempts: Vec::new(),
    };
    JobBuilder(Job {
        schema: 1,
        id: JobId(Uuid::from_u128(2)),
        hall: HallId(Uuid::from_u128(3)),
        kind,
        pack: PackId("city-gas-2026-11-01".to_owned()),
        created_at: at("06:00"),
        plan: Plan::default(),
        briefing,
        visits: BTreeMap::new(),
        messages: BTreeMap::new(),
    })
}

impl JobBuilder {
    /// Given to a technician.
    pub(crate) fn assigned_to(mut self, technician: UserId, clock: &str) -> Self {
        let made = Assignment { technician: Some(technician), author: author(clock) };
        self.0.plan.assignments.insert(entry(clock, 1), made);
        self
    }

    /// A window agreed by the hall.
    pub(crate) fn agreed(mut self, window: Window, clock: &str) -> Self {
        let made = Appointment { window, channel: Channel::Phone, author: author(clock) };
        self.0.plan.appointments.insert(entry(clock, 2), made);
        self
    }

    /// Called off.
    pub(crate) fn cancelled(mut self, clock: &str) -> Self {
        let made = Cancellation { reason: "用户来电".to_owned(), author: author(clock) };
        self.0.plan.cancelled.insert(entry(clock, 3), made);
        self
    }

    /// Called to an emergency, to answer within a minute.
    pub(crate) fn called(mut self, technician: UserId, name: &str, clock: &str) -> Self {
        let until = at(clock) + TimeDelta::seconds(60);
        let made = Call { technician, name: name.to_owned(), until, author: author(clock) };
        // Sorts before the facts of later minutes, as UUIDv7s do; one clock calls several people.
        let sort = 6 + u128::try_from(self.0.plan.calls.len()).expect("few") % 4;
        self.0.plan.calls.insert(entry(clock, sort), made);
        self
    }

    /// Taken back to the hall.
    pub(crate) fn taken_back(mut self, clock: &str) -> Self {
        let made = Assignment { technician: None, author: author(clock) };
        self.0.plan.assignments.insert(entry(clock, 5), made);
        self
    }

    /// All that clashes decided.
    pub(crate) fn ruled(mut self, stands: Option<u128>, clock: &str) -> Self {
        let stands = stands.map(|number| VisitId(Uuid::from_u128(number)));
        let settles = standing(&self.0).clashes;
        let made = Ruling { stands, settles, reason: "核实".to_owned(), author: author(clock) };
        self.0.plan.rulings.insert(entry(clock, 4), made);
        self
    }

    /// A visit with facts at moments.
    pub(crate) fn visit(
        mut self,
        number: u128,
        technician: UserId,
        facts: Vec<(&str, Fact)>,
    ) -> Self {
        self.0.visits.insert(VisitId(Uuid::from_u128(number)), visit(technician, facts));
        self
    }

    /// The household belongs to this group.
    pub(crate) fn group(mut self, group: Group) -> Self {
        self.0.briefing.household.groups.insert(group);
        self
    }

    /// The job.
    pub(crate) fn build(self) -> Job {
        self.0
    }
}

/// A visit with facts at moments; fact `n` has the id `fact_id(n)`, counted from zero.
pub(crate) fn visit(technician: UserId, facts: Vec<(&str, Fact)>) -> Visit {
    let recorded = facts.into_iter().enumerate().map(|(number, (clock, fact))| {
        (fact_id(number), Recorded { stamp: stamp(at(clock)), fact })
    });
    Visit { technician, device: DeviceId(Uuid::from_u128(9)), facts: recorded.collect() }
}

/// The id of the n-th fact of a visit.
pub(crate) fn fact_id(number: usize) -> FactId {
    FactId(Uuid::from_u128(1_000_000 + number as u128))
}

/// The pack that comes with the program.
pub(crate) fn pack() -> Pack {
    Pack::builtin()
}

pub(crate) fn author(clock: &str) -> Author {
    Author { by: DISPATCHER, at: at(clock) }
}

fn entry(clock: &str, sort: u128) -> EntryId {
    let minutes = (at(clock) - at("00:00")).num_minutes();
    EntryId(Uuid::from_u128(u128::try_from(minutes).expect("the day begins at 00:00") * 10 + sort))
}
