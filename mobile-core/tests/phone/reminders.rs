//! What the phone reminds of without a network, what its technician says to it, and what the hall is still to hear.

use chrono::TimeDelta;
use domain::job::{Job, JobKind};
use domain::pack::Pack;
use domain::stamp::BootId;
use mobile_core::clock::Moment;
use mobile_core::log::memory::{MemoryDisk, MemoryLog};
use mobile_core::phone::{CommandError, ReminderName, Said};
use pollster::block_on;

use crate::jobs::{job, morning};
use crate::world::{ENROLMENT, TestPhone, World};

/// A phone that has one repair from nine to eleven.
fn with_one_job() -> (World, MemoryDisk, TestPhone<MemoryLog>, Job) {
    let one = job(1, JobKind::Repair);
    let world = World::new(std::slice::from_ref(&one));
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    world.sync(&mut phone);
    (world, disk, phone, one)
}

fn open(disk: &MemoryDisk) -> MemoryLog {
    MemoryLog::open(disk.clone()).expect("nobody else has it open")
}

/// So many minutes after eight; the phone has not been restarted since.
fn at(world: &World, minutes: i64) {
    let wall_at = morning() + TimeDelta::minutes(minutes);
    world.clock.set(Moment { wall_at, boot: BootId(1), mono_ms: 1_000_000 + minutes * 60_000 });
}

fn abouts(phone: &TestPhone<MemoryLog>) -> Vec<String> {
    phone.reminders().into_iter().filter(|it| !it.is_quiet).map(|it| it.name.about).collect()
}

fn first(phone: &TestPhone<MemoryLog>) -> ReminderName {
    phone.reminders().remove(0).name
}

#[test]
fn a1_a2_a_phone_without_a_network_reminds_of_what_it_knows_by_the_rules_of_the_hall() {
    let (world, _disk, mut phone, one) = with_one_job();
    let rules = Pack::builtin().reminders.unwrap();
    let ahead = |minutes: i64| 60 - minutes;

    at(&world, ahead(rules.phone_ahead_minutes) - 1);
    assert_eq!(abouts(&phone), Vec::<String>::new());
    at(&world, ahead(rules.phone_ahead_minutes) + 1);
    assert_eq!(abouts(&phone), ["phone_ahead"]);
    let shown = phone.reminders().remove(0);
    assert_eq!((shown.name.job, &*shown.phone), (Some(one.id), "05531234567"));
    assert_eq!(shown.name.due_at, (morning() + TimeDelta::hours(1)).timestamp_millis());

    block_on(phone.phone_ahead(one.id, true)).unwrap();
    assert_eq!(abouts(&phone), Vec::<String>::new(), "he phoned, so nothing is left of it");
    at(&world, ahead(rules.set_out_minutes) + 1);
    assert_eq!(abouts(&phone), ["set_out"]);
    block_on(phone.set_out(one.id)).unwrap();
    assert_eq!(abouts(&phone), Vec::<String>::new());
}

#[test]
fn work_that_only_the_phone_has_is_spoken_of_after_the_hours_of_the_pack() {
    let (world, _disk, mut phone, one) = with_one_job();
    let hours = Pack::builtin().reminders.unwrap().unsent_hours;
    at(&world, 1);
    block_on(phone.phone_ahead(one.id, true)).unwrap();
    block_on(phone.set_out(one.id)).unwrap();

    at(&world, hours * 60);
    assert_eq!(abouts(&phone), Vec::<String>::new());
    at(&world, hours * 60 + 2);
    assert_eq!(abouts(&phone), ["unsent"]);
    block_on(phone.answer_reminder(first(&phone), Said::Later { minutes: 30 })).unwrap();
    assert_eq!(abouts(&phone), Vec::<String>::new());
    assert_eq!(phone.reminder_answers(), [], "the hall reminds its desk of that, nobody here");
    at(&world, hours * 60 + 33);
    assert_eq!(abouts(&phone), ["unsent"], "it comes again");
    world.sync(&mut phone);
    assert_eq!(abouts(&phone), Vec::<String>::new(), "the hall has it");
}

#[test]
fn what_is_put_off_comes_again_and_what_is_seen_to_does_not_through_restart_and_compaction() {
    let (world, disk, mut phone, _) = with_one_job();
    at(&world, 30);
    let name = first(&phone);

    let odd = block_on(phone.answer_reminder(name.clone(), Said::Later { minutes: 11 }));
    assert!(matches!(odd, Err(CommandError::NoSuchPause(11))), "{odd:?}");
    block_on(phone.answer_reminder(name.clone(), Said::Later { minutes: 10 })).unwrap();
    assert_eq!(abouts(&phone), Vec::<String>::new());
    drop(phone);
    let (mut phone, report) = world.open(open(&disk), 2);
    assert!(report.is_clean());
    assert_eq!(abouts(&phone), Vec::<String>::new(), "a restart forgets nothing");
    at(&world, 41);
    assert_eq!(abouts(&phone), ["phone_ahead"]);

    block_on(phone.answer_reminder(name.clone(), Said::Done)).unwrap();
    block_on(phone.compact()).unwrap();
    drop(phone);
    let (mut phone, _) = world.open(open(&disk), 3);
    assert_eq!(abouts(&phone), Vec::<String>::new());
    let untold = phone.reminder_answers();
    assert_eq!((untold.len(), untold[0].1.said), (1, Said::Done), "the newest answer alone");
    assert!(!phone.is_reminder_over(&name));
    let earlier = mobile_core::phone::ReminderAnswer { said: Said::Later { minutes: 10 }, at: 1 };
    block_on(phone.reminder_told(name.clone(), earlier)).unwrap();
    assert_eq!(phone.reminder_answers().len(), 1, "what was told is not what was said last");
    block_on(phone.reminder_told(name.clone(), untold[0].1)).unwrap();
    assert_eq!(phone.reminder_answers(), []);
    at(&world, 61);
    assert!(phone.is_reminder_over(&name));
}

#[test]
fn by_night_and_for_who_has_not_the_job_a_phone_is_still() {
    let mut night = job(1, JobKind::Repair);
    for agreed in night.plan.appointments.values_mut() {
        agreed.window.start = morning() + TimeDelta::minutes(13 * 60 + 30);
        agreed.window.end = agreed.window.start + TimeDelta::hours(1);
    }
    let mut others = job(2, JobKind::Repair);
    for given in others.plan.assignments.values_mut() {
        given.technician = None;
    }
    let world = World::new(&[night, others]);
    let (mut phone, _) = world.open(open(&MemoryDisk::new()), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    world.sync(&mut phone);

    at(&world, 30);
    assert_eq!(abouts(&phone), Vec::<String>::new(), "nobody has the other one");
    at(&world, 12 * 60 + 55);
    assert_eq!(abouts(&phone), ["phone_ahead"], "before nine in the evening");
    at(&world, 13 * 60 + 20);
    assert_eq!(abouts(&phone), Vec::<String>::new(), "after it");
}
