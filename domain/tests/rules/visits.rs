//! A1 and A3 to A9 at the door: conduct, steps, what is missing, outcomes.

use domain::catalogue::Language;
use domain::conduct::{Answer, AnswerConductError, Phase, answers, missing};
use domain::hose::Entitlement;
use domain::id::MeterId;
use domain::job::{Channel, JobKind};
use domain::reading::{Finding, Measure, ReadingState};
use domain::visit::check::{RecordError, check, missing_to_close};
use domain::visit::{Fact, Outcome, Recorded, Subject};
use uuid::Uuid;

use crate::build::*;
use crate::door::*;

const REASON: &str = "用户说不方便";

#[test]
fn a3_to_a8_each_rule_has_its_items_in_walking_order() {
    let pack = pack();

    for rule in ["A3", "A4", "A5", "A6", "A7", "A8"] {
        assert!(pack.conduct.iter().any(|item| item.rule == rule), "{rule}");
    }
    let phases: Vec<Phase> = pack.conduct.iter().map(|item| item.phase).collect();
    assert!(phases.is_sorted());
}

#[test]
fn a3_the_checklist_waits_for_the_arrival() {
    let visit = visit(ANA, vec![("10:00", Fact::SetOut)]);

    assert_eq!(try_fact(&visit, conduct("uniform_badge")), Err(RecordError::NotArrived));
}

#[test]
fn a4_before_entering_waits_for_the_door() {
    let visit = visit(ANA, vec![("10:00", arrived()), ("10:01", conduct("uniform_badge"))]);

    assert_eq!(
        try_fact(&visit, conduct("shoe_covers")),
        Err(AnswerConductError::EarlierPhaseOpen(named("knock_identify")).into())
    );
}

#[test]
fn a5_shoe_covers_are_waived_by_the_household_alone() {
    let waived = |item: &str| Fact::Conduct { item: item.to_owned(), answer: Answer::Waived };
    let visit = at_the_open_door();

    assert_eq!(try_fact(&visit, waived("shoe_covers")), Ok(()));
    assert_eq!(
        try_fact(&visit, waived("asked_to_enter")),
        Err(AnswerConductError::NotWaivable(named("asked_to_enter")).into())
    );
}

#[test]
fn a5_not_done_needs_a_reason() {
    let not_done = |reason: &str| Fact::Conduct {
        item: "tool_mat".to_owned(),
        answer: Answer::NotDone { reason: reason.to_owned() },
    };
    let visit = at_the_open_door();

    assert_eq!(try_fact(&visit, not_done("垫布脏了")), Ok(()));
    let refused = AnswerConductError::NoReason(named("tool_mat"));
    assert_eq!(try_fact(&visit, not_done("  ")), Err(refused.into()));
}

#[test]
fn a5_no_work_before_the_checklist_for_entering() {
    let visit = at_the_open_door();

    let refused = RecordError::NotEntered(named("asked_to_enter"));
    assert_eq!(try_fact(&visit, Fact::TightnessTested { tight: true }), Err(refused));
}

#[test]
fn a6_an_unknown_item_is_refused() {
    let unknown = AnswerConductError::UnknownItem("tea_refused".to_owned());

    assert_eq!(try_fact(&at_the_open_door(), conduct("tea_refused")), Err(unknown.into()));
}

#[test]
fn a7_a_withdrawn_answer_counts_no_more_and_leaves_its_trace() {
    let mut facts = entered_facts();
    let answer = facts.len() - 1;
    let withdrawn = Fact::Withdrawn { fact: fact_id(answer), reason: "点错了".to_owned() };
    assert_eq!(try_fact(&visit(ANA, facts.clone()), withdrawn.clone()), Ok(()));
    facts.push(("10:20", withdrawn.clone()));
    let visit = visit(ANA, facts);

    assert!(!answers(&visit).contains_key("tool_mat"));
    assert_eq!(missing(&pack(), &visit, Phase::BeforeEntering).len(), 1);
    assert_eq!(visit.facts.len(), answer + 2);
    assert_eq!(try_fact(&visit, withdrawn), Err(RecordError::UnknownFact));
}

#[test]
fn a8_a_visit_does_not_close_before_the_checklist_for_leaving() {
    let visit = visit(ANA, entered_facts());
    let job = planned(JobKind::MeterReading);

    let missing = missing_to_close(&job, &visit, &Outcome::Done, &pack());

    let keys: Vec<&str> = missing.iter().map(|sentence| sentence.key.as_str()).collect();
    let conduct = ["missing.conduct"; 4];
    assert_eq!(keys, [&conduct[..], &["missing.reading"]].concat());
    assert!(missing[2].say(Language::Chinese).contains("现场清理干净"));
    assert!(missing[2].say(Language::English).contains("Place left clean"));
}

#[test]
fn a9_an_abnormal_reading_needs_the_household_told_and_a_measure() {
    let mut facts = entered_facts();
    let reading = fact_id(facts.len());
    facts.push(("10:30", read(Finding::High)));
    facts.extend(leaving_facts());
    let keys = |facts: &[(&'static str, Fact)]| -> Vec<String> {
        let visit = visit(ANA, facts.to_vec());
        let job = planned(JobKind::MeterReading);
        let missing = missing_to_close(&job, &visit, &Outcome::Done, &pack());
        missing.into_iter().map(|sentence| sentence.key).collect()
    };

    assert_eq!(keys(&facts), ["missing.household_told", "missing.measure"]);
    facts.push(("10:40", Fact::HouseholdTold { reading }));
    assert_eq!(keys(&facts), ["missing.measure"]);
    facts.push(("10:41", Fact::MeasureTaken { reading, measure: Measure::LeakCheck }));
    assert!(keys(&facts).is_empty());
}

#[test]
fn a9_a_normal_reading_asks_for_nothing() {
    let mut facts = entered_facts();
    let reading = fact_id(facts.len());
    facts.push(("10:30", read(Finding::Normal)));
    let visit = visit(ANA, facts);

    assert_eq!(try_fact(&visit, Fact::HouseholdTold { reading }), Err(RecordError::ReadingNormal));
    let other = Fact::HouseholdTold { reading: fact_id(0) };
    assert_eq!(try_fact(&visit, other), Err(RecordError::UnknownFact));
}

#[test]
fn a9_a_corrected_reading_is_a_second_reading() {
    let mut facts = entered_facts();
    let first = fact_id(facts.len());
    facts.push(("10:30", read(Finding::High)));
    let Fact::Read { meter, register, verdict, .. } = read(Finding::Normal) else { unreachable!() };
    facts.push((
        "10:31",
        Fact::Read { meter, register, state: ReadingState::Seen, verdict, corrects: Some(first) },
    ));
    facts.extend(leaving_facts());
    let visit = visit(ANA, facts);

    let job = planned(JobKind::MeterReading);
    assert!(missing_to_close(&job, &visit, &Outcome::Done, &pack()).is_empty());
}

#[test]
fn each_kind_closes_only_with_what_its_pack_asks_for() {
    for (kind, work) in [
        (JobKind::Emergency, vec![tight()]),
        (JobKind::Ignition, vec![read(Finding::Normal), tight(), contract(), gas(true), signed()]),
        (JobKind::Unsealing, vec![read(Finding::Normal), tight(), gas(true), signed()]),
        (JobKind::Sealing, vec![read(Finding::Normal), gas(false), signed()]),
        (JobKind::GasStop, vec![read(Finding::Normal), gas(false), signed()]),
        (JobKind::MeterReading, vec![read(Finding::Normal)]),
        (JobKind::SafetyInspection, vec![tight(), photo(Subject::Other), signed()]),
        (JobKind::HoseReplacement, vec![hose(1500), tight(), photo(Subject::Hose), signed()]),
        (JobKind::CashCollection, vec![cash(), signed()]),
        (JobKind::Repair, vec![tight(), signed()]),
    ] {
        let job = planned(kind);
        for left_out in 0..work.len() {
            let mut facts = entered_facts();
            let done = work.iter().enumerate().filter(|(number, _)| *number != left_out);
            facts.extend(done.map(|(_, fact)| ("10:30", fact.clone())));
            facts.extend(leaving_facts());
            let visit = visit(ANA, facts);
            let missing = missing_to_close(&job, &visit, &Outcome::Done, &pack());
            assert_eq!(missing.len(), 1, "{kind} without {:?}", work[left_out]);
        }
        let mut facts = entered_facts();
        facts.extend(work.iter().map(|fact| ("10:30", fact.clone())));
        facts.extend(leaving_facts());
        let close = Fact::Closed { outcome: Outcome::Done };
        assert_eq!(check(&job, Some(&visit(ANA, facts)), &close, &pack()), Ok(()), "{kind}");
    }
}

#[test]
fn gas_left_on_is_no_sealing() {
    let mut facts = entered_facts();
    facts.extend([read(Finding::Normal), gas(true), signed()].map(|fact| ("10:30", fact)));
    facts.extend(leaving_facts());

    let visit = visit(ANA, facts);
    let missing = missing_to_close(&planned(JobKind::Sealing), &visit, &Outcome::Done, &pack());

    assert_eq!(missing[0].key, "missing.gas_switched");
}

#[test]
fn a_leaking_joint_is_not_tight() {
    let mut facts = entered_facts();
    facts.push(("10:30", Fact::TightnessTested { tight: false }));
    facts.extend(leaving_facts());
    let job = planned(JobKind::Emergency);

    let missing = missing_to_close(&job, &visit(ANA, facts), &Outcome::Done, &pack());

    assert_eq!(missing[0].key, "missing.tightness");
}

#[test]
fn no_one_home_refused_and_wrong_address_are_outcomes_of_their_own() {
    let said = || REASON.to_owned();
    let at_door = vec![("10:00", arrived())];
    let with_notice = vec![("10:00", arrived()), ("10:05", photo(Subject::NoticeOnDoor))];
    for (facts, outcome, holds) in [
        (at_door.clone(), Outcome::NoOneHome, false),
        (with_notice, Outcome::NoOneHome, true),
        (at_door.clone(), Outcome::Refused { reason: said() }, true),
        (at_door.clone(), Outcome::Refused { reason: String::new() }, false),
        (at_door.clone(), Outcome::WrongAddress { reason: said() }, true),
        (at_door.clone(), Outcome::WrongAddress { reason: " ".to_owned() }, false),
        (vec![], Outcome::Refused { reason: said() }, false),
    ] {
        let close = Fact::Closed { outcome: outcome.clone() };
        assert_eq!(try_fact(&visit(ANA, facts), close).is_ok(), holds, "{outcome:?}");
    }
}

#[test]
fn what_cannot_be_finished_says_why_and_what_next() {
    let close = |reason: &str, follow_up: &str| Fact::Closed {
        outcome: Outcome::CannotFinish {
            reason: reason.to_owned(),
            follow_up: follow_up.to_owned(),
        },
    };
    let mut facts = entered_facts();
    facts.extend(leaving_facts());
    let visit = visit(ANA, facts);

    assert_eq!(try_fact(&visit, close("阀门锈死", "带工具再来")), Ok(()));
    assert_eq!(try_fact(&visit, close("阀门锈死", "")), Err(RecordError::NoReason));
    assert_eq!(try_fact(&visit, close("", "带工具再来")), Err(RecordError::NoReason));
}

#[test]
fn s14_a_closed_visit_takes_nothing_more() {
    let refused = Outcome::Refused { reason: REASON.to_owned() };
    let visit =
        visit(ANA, vec![("10:00", arrived()), ("10:05", Fact::Closed { outcome: refused })]);

    assert_eq!(try_fact(&visit, photo(Subject::Other)), Err(RecordError::VisitClosed));
}

#[test]
fn a_cancelled_job_starts_no_visit_but_a_visit_under_way_goes_on() {
    let job = job(JobKind::Repair)
        .assigned_to(ANA, "07:00")
        .agreed(window("10:00", "12:00"), "07:00")
        .cancelled("09:00")
        .build();

    assert_eq!(check(&job, None, &Fact::SetOut, &pack()), Err(RecordError::JobCancelled));
    let under_way = visit(ANA, vec![("08:50", Fact::SetOut)]);
    assert_eq!(check(&job, Some(&under_way), &arrived(), &pack()), Ok(()));
}

#[test]
fn every_refusal_has_words_in_both_languages() {
    for refusal in [
        RecordError::NoAppointment,
        RecordError::JobCancelled,
        RecordError::VisitClosed,
        RecordError::NotArrived,
        RecordError::ArrivedAlready,
        RecordError::NotEntered(named("tool_mat")),
        RecordError::UnknownFact,
        RecordError::ReadingNormal,
        RecordError::NoReason,
        RecordError::HoseTooLong { length_mm: 1, max_mm: 1 },
        RecordError::NotFree(Entitlement::NotInGroup),
        RecordError::NotFree(Entitlement::UsedUp { on: day("2026-03-02") }),
        RecordError::OtherMeter,
        RecordError::WindowEndsFirst,
        AnswerConductError::UnknownItem("x".to_owned()).into(),
        AnswerConductError::NotWaivable(named("tool_mat")).into(),
        AnswerConductError::NoReason(named("tool_mat")).into(),
        AnswerConductError::EarlierPhaseOpen(named("tool_mat")).into(),
    ] {
        for sentence in refusal.sentences() {
            assert_ne!(sentence.say(Language::Chinese), sentence.key, "{refusal:?}");
            assert_ne!(sentence.say(Language::English), sentence.key, "{refusal:?}");
        }
    }
}

#[test]
fn refusals_name_items_in_the_readers_words() {
    let refused = try_fact(&at_the_open_door(), Fact::TightnessTested { tight: true }).unwrap_err();

    let [sentence] = &refused.sentences()[..] else { panic!("one sentence: {refused:?}") };
    let item = named("asked_to_enter");
    assert_eq!(sentence.say(Language::Chinese), format!("入户前请先回答：{}", item.zh));
    assert_eq!(sentence.say(Language::English), format!("Answer {} before entering", item.en));
}

#[test]
fn a1_a_window_agreed_at_the_door_ends_after_it_starts() {
    let agreed = |start: &str, end: &str| Fact::AgreedAnew {
        window: window(start, end),
        channel: Channel::AtTheDoor,
    };
    let visit = visit(ANA, vec![("10:00", arrived())]);

    assert_eq!(try_fact(&visit, agreed("14:00", "16:00")), Ok(()));
    for (start, end) in [("16:00", "14:00"), ("14:00", "14:00")] {
        assert_eq!(try_fact(&visit, agreed(start, end)), Err(RecordError::WindowEndsFirst));
    }
}

#[test]
fn a9_a_correction_names_a_reading_of_the_same_meter() {
    let read = |meter: u128, corrects| {
        let Fact::Read { register, verdict, .. } = read(Finding::Normal) else { unreachable!() };
        let (meter, state) = (MeterId(Uuid::from_u128(meter)), ReadingState::Seen);
        Fact::Read { meter, register, state, verdict, corrects }
    };
    let mut visit = visit(ANA, entered_facts());
    let (reading, other) = (fact_id(90), fact_id(91));
    for (id, fact) in [(reading, read(1, None)), (other, tight())] {
        visit.facts.insert(id, Recorded { stamp: stamp(at("10:20")), fact });
    }

    assert_eq!(try_fact(&visit, read(1, Some(reading))), Ok(()));
    for wrong in [read(2, Some(reading)), read(1, Some(other))] {
        assert_eq!(try_fact(&visit, wrong), Err(RecordError::OtherMeter));
    }
    assert_eq!(try_fact(&visit, read(1, Some(fact_id(99)))), Err(RecordError::UnknownFact));
}

#[test]
fn b11_safety_guidance_is_done_with_a_leaflet_in_the_households_hands() {
    let job = planned(JobKind::SafetyGuidance);
    let said = |facts: Vec<(&'static str, Fact)>| {
        let missing = missing_to_close(&job, &visit(ANA, facts), &Outcome::Done, &pack());
        missing.into_iter().map(|it| it.key).collect::<Vec<_>>()
    };
    let mut facts = entered_facts();
    facts.extend(leaving_facts());

    assert_eq!(said(facts.clone()), ["missing.signature", "missing.leaflet"]);
    facts.extend([("11:00", Fact::LeafletGiven), ("11:01", signed())]);
    assert_eq!(said(facts), [""; 0]);
}

#[test]
fn b12_the_place_is_left_clean_by_who_dirtied_it() {
    let pack = pack();
    let clean = pack.conduct.iter().find(|item| item.rule.contains("B12")).expect("it is there");
    assert!(clean.rule.contains("A8") && clean.phase == Phase::BeforeLeaving && !clean.waivable);

    let job = planned(JobKind::HoseReplacement);
    let visit = visit(ANA, entered_facts());
    let missing = missing_to_close(&job, &visit, &Outcome::Done, &pack);
    assert!(missing.iter().any(|it| it.say(Language::English).contains("Place left clean")));
}
