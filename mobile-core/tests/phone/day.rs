//! What the phone shows and refuses during a day, without any network.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::catalogue::Language;
use domain::conduct::{Answer, Phase};
use domain::hose::Entitlement;
use domain::household::{Group, HoseKind};
use domain::job::{Channel, JobKind};
use domain::measure::Volume;
use domain::reading::Finding;
use domain::stamp::BootId;
use domain::status::Status;
use domain::visit::{Fact, Outcome, live_facts};
use mobile_core::clock::{Clock, Moment};
use mobile_core::log::memory::{MemoryDisk, MemoryLog};
use mobile_core::phone::{CommandError, EnrolError, NewHose, Step, Unseen};
use pollster::block_on;
use sync::device::Enrolment;

use crate::jobs::{DISPATCHER, day, entry, job, jobs, window};
use crate::script::{tap, taps};
use crate::world::{ENROLMENT, TestPhone, World, clock, held};

#[test]
fn s3_a_whole_day_ends_equal_at_the_hall() {
    let all = jobs();
    let world = World::new(&all);
    let disk = MemoryDisk::new();
    let mut phone = enrolled(&world, &disk);
    let mut saved = BTreeSet::new();

    for each in taps(&all) {
        saved.extend(block_on(tap(&mut phone, &world, &each)).unwrap());
    }

    assert!(saved.len() >= 150 && held(&phone) == saved);
    world.assert_equal(&phone, &saved);
    let done = phone.my_day(day()).iter().filter(|it| it.status == Status::Done).count();
    assert_eq!(done, 7);
    drop(phone);
    let (phone, report) = world.open(open(&disk), 2);
    assert!(report.is_clean() && held(&phone) == saved);
}

#[test]
fn the_day_lists_todays_windows_in_order_and_what_was_left_open() {
    let mut all = jobs();
    let mut tomorrow = job(20, JobKind::Repair);
    let mut early = job(21, JobKind::Repair);
    for (job, hours) in [(&mut tomorrow, 24), (&mut early, -1)] {
        let agreed = job.plan.appointments.values_mut().next().unwrap();
        agreed.window.start += TimeDelta::hours(hours);
        agreed.window.end += TimeDelta::hours(hours);
    }
    let (tomorrow, early) = (tomorrow, early);
    all.extend([tomorrow.clone(), early.clone()]);
    let world = World::new(&all);
    let disk = MemoryDisk::new();
    let mut phone = enrolled(&world, &disk);
    world.sync(&mut phone);

    let lines = phone.my_day(day());

    assert_eq!(lines[0].job, early.id);
    assert_eq!(lines.len(), 9);
    assert!(lines.iter().all(|line| line.job != tomorrow.id));
    assert_eq!(phone.my_day(day() + TimeDelta::days(1)).len(), 10);
    assert_eq!(lines[0].unseen, [Unseen::Job]);
    let emergency = lines.iter().find(|line| line.kind == JobKind::Emergency).unwrap();
    assert!(emergency.promise.is_some());
}

#[test]
fn a_rule_refuses_before_anything_is_written_and_says_what_to_do() {
    let (world, disk, mut phone) = at_first_job();
    let (job, before) = (&jobs()[0], disk.log_bytes());
    let meter = job.briefing.meters[0].id;

    let refusals = [
        block_on(phone.answer_conduct(job.id, "uniform_badge", Answer::Done)).unwrap_err(),
        block_on(phone.read_meter(job.id, meter, Some(Volume(1)))).unwrap_err(),
        block_on(phone.close(job.id, Outcome::Done)).unwrap_err(),
        block_on(phone.set_out(domain::id::JobId(uuid::Uuid::nil()))).unwrap_err(),
        block_on(phone.find_hazard(job.id, "dragon", String::new())).unwrap_err(),
    ];

    for refusal in &refusals {
        for sentence in refusal.sentences() {
            assert_ne!(sentence.say(Language::Chinese), sentence.key, "{refusal}");
            assert_ne!(sentence.say(Language::English), sentence.key, "{refusal}");
        }
    }
    assert_eq!(disk.log_bytes(), before);
    assert!(held(&phone).is_empty());
    drop((world, phone));
}

#[test]
fn the_steps_of_a_visit_walk_from_the_door_to_the_close() {
    let (_world, _disk, mut phone) = at_first_job();
    let job = &jobs()[0];
    let meter = job.briefing.meters[0].id;
    let mut walked = vec![phone.steps(job.id).unwrap().next()];

    block_on(phone.set_out(job.id)).unwrap();
    walked.push(phone.steps(job.id).unwrap().next());
    block_on(phone.arrive(job.id, None)).unwrap();
    walked.push(phone.steps(job.id).unwrap().next());
    assert_eq!(phone.steps(job.id).unwrap().items.len(), 2);
    block_on(phone.answer_rest_as_done(job.id, Phase::AtTheDoor)).unwrap();
    walked.push(phone.steps(job.id).unwrap().next());
    block_on(phone.answer_rest_as_done(job.id, Phase::BeforeEntering)).unwrap();
    walked.push(phone.steps(job.id).unwrap().next());
    assert!(!phone.missing(job.id, &Outcome::Done).unwrap().is_empty());
    block_on(phone.read_meter(job.id, meter, Some(Volume(530_000)))).unwrap();
    walked.push(phone.steps(job.id).unwrap().next());
    block_on(phone.answer_rest_as_done(job.id, Phase::BeforeLeaving)).unwrap();
    walked.push(phone.steps(job.id).unwrap().next());
    assert_eq!(phone.missing(job.id, &Outcome::Done).unwrap(), []);
    block_on(phone.close(job.id, Outcome::Done)).unwrap();

    assert_eq!(
        walked,
        [
            Step::PhoneAhead,
            Step::Arrive,
            Step::AtTheDoor,
            Step::BeforeEntering,
            Step::Work,
            Step::BeforeLeaving,
            Step::Close
        ]
    );
    assert_eq!(phone.job(job.id).unwrap().standing.status, Status::Done);
}

#[test]
fn a9_a_reading_is_judged_on_the_spot_and_a_correction_replaces_it() {
    let (_world, _disk, mut phone) = at_first_job();
    let job = &jobs()[0];
    let meter = job.briefing.meters[0].id;
    enter(&mut phone, job.id);

    let wrong = block_on(phone.read_meter(job.id, meter, Some(Volume(900_000)))).unwrap();
    let right =
        block_on(phone.correct_reading(job.id, wrong.saved.fact, Some(Volume(530_000)))).unwrap();

    assert_eq!(wrong.verdict.finding, Finding::High);
    assert!(wrong.sentence.say(Language::Chinese).contains("量高"));
    assert_eq!(right.verdict.finding, Finding::Normal);
    let history = phone.meter_history(job.id, meter).unwrap();
    assert_eq!((history.known.len(), history.read_here.len()), (3, 1));
    assert!(matches!(
        block_on(phone.correct_reading(job.id, right.saved.fact, None)),
        Ok(reading) if reading.verdict.finding == Finding::Unread
    ));
}

#[test]
fn b14_the_rules_decide_what_a_hose_costs_and_the_second_is_not_free() {
    let mut plain = job(2, JobKind::HoseReplacement);
    plain.briefing.household.groups = BTreeSet::new();
    let entitled = job(1, JobKind::HoseReplacement);
    let world = World::new(&[entitled.clone(), plain.clone()]);
    let mut phone = enrolled(&world, &MemoryDisk::new());
    world.sync(&mut phone);
    enter(&mut phone, entitled.id);
    enter(&mut phone, plain.id);
    let old = Some(entitled.briefing.hoses[0].id);

    let first =
        block_on(phone.replace_hose(entitled.id, old, NewHose::of(HoseKind::Corrugated, 1_500)));
    let second =
        block_on(phone.replace_hose(entitled.id, None, NewHose::of(HoseKind::Corrugated, 1_500)));
    let other =
        block_on(phone.replace_hose(plain.id, None, NewHose::of(HoseKind::Corrugated, 1_500)));

    assert_eq!(first.unwrap().entitlement, Entitlement::Free { group: Group::Elderly });
    assert_eq!(second.unwrap().entitlement, Entitlement::UsedUp { on: day() });
    assert_eq!(other.unwrap().entitlement, Entitlement::NotInGroup);
    let is_free = |id| {
        let facts = phone.job(id).unwrap().job.visits.values().flat_map(live_facts);
        let hoses = facts.filter_map(|(_, it)| {
            let Fact::HoseReplaced { free, .. } = it.fact else { return None };
            Some(free)
        });
        hoses.collect::<Vec<_>>()
    };
    assert_eq!((is_free(entitled.id), is_free(plain.id)), (vec![true, false], vec![false]));
}

#[test]
fn a_window_agreed_at_the_door_holds_also_when_the_phones_clock_is_behind() {
    let all = jobs();
    let world = World::new(&all);
    let mut phone = enrolled(&world, &MemoryDisk::new());
    world.sync(&mut phone);
    let slow = Moment {
        wall_at: clock().now().wall_at - TimeDelta::days(900),
        boot: BootId(2),
        mono_ms: 5,
    };
    world.clock.set(slow);

    block_on(phone.agree_anew(all[0].id, window(14), Channel::Phone)).unwrap();

    let standing = phone.job(all[0].id).unwrap().standing;
    assert_eq!(standing.appointment, Some(window(14)));
    assert_eq!(phone.sync_state().heard_ago_ms, None);
}

#[test]
fn s19_a_clock_that_is_off_stays_known_after_a_restart_without_the_hall() {
    let mut world = World::new(&jobs());
    world.ahead = TimeDelta::days(2);
    let disk = MemoryDisk::new();
    let mut phone = enrolled(&world, &disk);
    world.sync(&mut phone);
    // Restarted in a cellar, three hours later, once with the clock as wrong as before and once after somebody set it
    // right and the hall was heard again.
    for boot in [2, 3] {
        drop(phone);
        let heard = world.clock.now();
        let wall_at = heard.wall_at + TimeDelta::hours(3);
        world.clock.set(Moment { wall_at, boot: BootId(boot), mono_ms: 5 });
        (phone, _) = world.open(open(&disk), boot.into());

        assert_eq!(phone.hall_now(), wall_at - world.ahead);
        assert_eq!(phone.city_today(), day() - TimeDelta::days(2));

        world.sync(&mut phone);
        let (now, ahead) = (world.clock.now(), world.ahead);
        world.clock.set(Moment { wall_at: now.wall_at - ahead, ..now });
        world.ahead = TimeDelta::zero();
        world.sync(&mut phone);
    }
}

#[test]
fn facts_sort_as_they_were_made_also_when_the_clock_stands_still() {
    let (_world, _disk, mut phone) = at_first_job();
    let job = jobs()[0].id;

    let made: Vec<_> =
        (0..20).map(|n| block_on(phone.note(job, format!("{n}"))).unwrap().fact).collect();

    assert!(made.is_sorted(), "{made:?}");
}

#[test]
fn s19_a_wrong_wall_clock_is_noticed_once_the_hall_was_heard() {
    let world = World::new(&jobs());
    let mut phone = enrolled(&world, &MemoryDisk::new());
    world.sync(&mut phone);
    assert_eq!(phone.sync_state().clock_skew_ms, Some(0));
    let now = world.clock.now();
    world.clock.set(Moment {
        wall_at: now.wall_at + TimeDelta::days(2),
        mono_ms: now.mono_ms + 60_000,
        ..now
    });

    let state = phone.sync_state();

    let skew = state.clock_skew_ms.unwrap();
    assert!((172_700_000..172_800_000).contains(&skew), "{skew}");
    assert_eq!(state.heard_ago_ms, Some(60_000));
    assert_eq!(phone.city_today(), day());
}

#[test]
fn after_a_closed_visit_only_a_new_attempt_opens_another() {
    let (_world, _disk, mut phone) = at_first_job();
    let job = &jobs()[0];
    let first = block_on(phone.set_out(job.id)).unwrap();
    block_on(phone.arrive(job.id, None)).unwrap();
    let refused = Outcome::Refused { reason: "不需要".to_owned() };
    block_on(phone.close(job.id, refused)).unwrap();

    let note = block_on(phone.note(job.id, "忘了一句".to_owned()));
    let again = block_on(phone.set_out(job.id)).unwrap();

    assert!(matches!(note, Err(CommandError::Rule(_))));
    assert_ne!(first.visit, again.visit);
}

#[test]
fn a_phone_is_somebodys_before_it_saves_anything() {
    let world = World::new(&jobs());
    let (mut phone, _) = world.open(open(&MemoryDisk::new()), 1);
    let refused = block_on(phone.set_out(jobs()[0].id));
    assert!(matches!(refused, Err(CommandError::NotEnrolled)));

    block_on(phone.enrol(ENROLMENT)).unwrap();
    block_on(phone.enrol(ENROLMENT)).unwrap();
    let other = Enrolment { user: DISPATCHER, ..ENROLMENT };
    assert_eq!(block_on(phone.enrol(other)), Err(EnrolError::EnrolledAlready));
}

#[test]
fn a_cancelled_job_takes_what_happened_at_its_door() {
    let (world, _disk, mut phone) = at_first_job();
    let job = &jobs()[0];
    block_on(phone.set_out(job.id)).unwrap();
    let author = domain::job::Author { by: DISPATCHER, at: clock().now().wall_at };
    let cancelled = domain::job::Cancellation { reason: "用户来电".to_owned(), author };
    let cancelled = domain::job::PlanEntry::Cancellation(cancelled);
    let now = author.at;
    world.hall.borrow_mut().edit_plan(job.id, entry(140), &cancelled, now).unwrap();
    world.sync(&mut phone);

    block_on(phone.arrive(job.id, None)).unwrap();

    let view = phone.job(job.id).unwrap();
    assert_eq!(view.standing.status, Status::AtDoor);
    assert_eq!(view.standing.clashes.len(), 1);
}

fn at_first_job() -> (World, MemoryDisk, TestPhone<MemoryLog>) {
    let (world, disk) = (World::new(&jobs()), MemoryDisk::new());
    let mut phone = enrolled(&world, &disk);
    world.sync(&mut phone);
    (world, disk, phone)
}

fn enter(phone: &mut TestPhone<MemoryLog>, job: domain::id::JobId) {
    block_on(phone.arrive(job, None)).unwrap();
    for phase in [Phase::AtTheDoor, Phase::BeforeEntering] {
        block_on(phone.answer_rest_as_done(job, phase)).unwrap();
    }
}

#[track_caller]
fn enrolled(world: &World, disk: &MemoryDisk) -> TestPhone<MemoryLog> {
    let (mut phone, _) = world.open(open(disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    phone
}

#[track_caller]
fn open(disk: &MemoryDisk) -> MemoryLog {
    MemoryLog::open(disk.clone()).expect("nobody else has it open")
}
