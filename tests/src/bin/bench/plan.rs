//! What a plan costs and what it is worth: a large hall's morning, beside the same morning given out door by door.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::id::{JobId, UserId};
use domain::job::{JobKind, Window};
use domain::pack::{Pack, SkillId};
use domain::place::Place;
use domain::qualification::Qualification;
use domain::round::Call;
use domain::stamp::Timestamp;
use server::board::{Person, Task};
use server::plan::{Effort, Proposal, Question, propose};
use uuid::Uuid;

use super::figures::{now, print};

/// A large hall.
const TECHNICIANS: u32 = 60;
const JOBS: u32 = 1_200;

/// Streets of the city; each is some technicians' area.
const STREETS: u32 = 20;

/// Plans a morning on which nothing is given out yet.
pub(crate) fn plan() -> anyhow::Result<()> {
    let what = format!("plan for {TECHNICIANS} technicians and {JOBS} jobs");
    let (greedy, greedy_took) = timed(Effort::NONE)?;
    let (first, took) = timed(Effort::default())?;
    let (again, _) = timed(Effort::default())?;
    anyhow::ensure!(first == again, "the same morning was planned in two ways");
    print(&format!("{what}, took"), took.as_millis(), "ms");
    print("  door by door, most urgent first, took", greedy_took.as_millis(), "ms");
    print("  given out", first.after.given_out, "");
    print("  door by door", greedy.after.given_out, "");
    print("  minutes on the way a door", format!("{:.2}", a_door(&first)), "min");
    print("  against door by door", format!("{:.2}", a_door(&first) / a_door(&greedy)), "×");
    print("  reached late", first.after.late, "");
    Ok(())
}

fn timed(effort: Effort) -> anyhow::Result<(Proposal, std::time::Duration)> {
    let (question, pack) = (morning(effort), Pack::builtin());
    let rules = pack.travel.clone().expect("the built-in pack has them");
    let began = now();
    let proposal = propose(&question, &pack, &rules)?;
    Ok((proposal, began.elapsed()))
}

#[expect(clippy::cast_precision_loss, reason = "minutes of a day")]
fn a_door(proposal: &Proposal) -> f64 {
    proposal.after.travel_minutes as f64 / proposal.after.given_out.max(1) as f64
}

/// A city of eight kilometres, its doors along streets, its windows over the day.
fn morning(effort: Effort) -> Question {
    let midnight = Timestamp::UNIX_EPOCH;
    let people = (0..TECHNICIANS).map(|number| {
        let mut skills = vec!["meter_reader", "inspector"];
        // Two of three are fitters.
        if number % 3 > 0 {
            skills.push("gas_fitter");
        }
        let skills: BTreeSet<SkillId> =
            skills.into_iter().map(|it| SkillId(it.to_owned())).collect();
        Person {
            id: UserId(Uuid::from_u128(u128::from(number))),
            qualification: Qualification {
                skills: Some(skills),
                area: BTreeSet::from([street(number % STREETS)]),
            },
        }
    });
    Question {
        tasks: (0..JOBS).map(|number| task(number, midnight)).collect(),
        people: people.collect(),
        day_start_ms: midnight.timestamp_millis(),
        now: midnight + TimeDelta::hours(7),
        may_move: false,
        effort,
    }
}

fn task(number: u32, midnight: Timestamp) -> Task {
    // Multiples of odd numbers modulo others: spread like chance, and the same each time.
    let spread = |by: u32, of: u32| (number * by + number / 7) % of;
    let street_of = spread(7, STREETS);
    let along = f64::from(spread(131, 997)) / 997.0;
    let place = Place {
        latitude: 31.30 + 0.072 * f64::from(street_of) / f64::from(STREETS) + 0.002 * along,
        longitude: 118.35 + 0.084 * along,
    };
    let kind = match spread(11, 20) {
        0..=8 => JobKind::MeterReading,
        9..=13 => JobKind::SafetyInspection,
        14..=16 => JobKind::HoseReplacement,
        17 => JobKind::Ignition,
        18 => JobKind::CashCollection,
        _ => JobKind::Repair,
    };
    let hours = [8, 10, 14, 16][(spread(5, 4)) as usize];
    let start = midnight + TimeDelta::hours(hours);
    let window = Window { start, end: start + TimeDelta::hours(2) };
    let job = JobId(Uuid::from_u128(u128::from(number)));
    Task {
        // One in ten has no window yet.
        call: Call {
            job,
            kind,
            window: (spread(3, 10) > 0).then_some(window),
            place: Some(place),
            is_there: false,
        },
        holder: None,
        address: format!("{}{number}号", street(street_of)),
        due: None,
        is_waiting: true,
        position: 1,
    }
}

fn street(number: u32) -> String {
    format!("第{number}街")
}
