//! B3, B4, B16, C1–C7, D1: what an application needs, what is said of it, what may be done with it; calls answered.

use std::collections::BTreeSet;

use domain::catalogue::Language;
use domain::id::{JobId, UserId};
use domain::job::{Channel, JobKind};
use domain::measure::Fen;
use domain::pack::{CounterRules, Procedure};
use domain::procedure::check::{ApplicationAct, ApplicationError, check, may};
use domain::procedure::{
    ApplicationEvent as Event, ApplicationStanding, ApplicationState, Circumstance, Happened, Lack,
    fold, missing, say,
};
use domain::stamp::Timestamp;
use domain::telephone::{Answered, judge};
use uuid::Uuid;

use crate::build::pack;

const ANA: UserId = UserId(Uuid::from_u128(1));
const BEN: UserId = UserId(Uuid::from_u128(2));

fn rules() -> CounterRules {
    pack().counter.expect("rules of the counter")
}

fn procedure(id: &str) -> Procedure {
    rules().procedure(id).expect("a procedure of the pack").clone()
}

fn taken(channel: Channel, circumstances: &[Circumstance]) -> Event {
    Event::Taken { channel, circumstances: circumstances.iter().copied().collect() }
}

fn came(channel: Channel) -> Event {
    Event::Came { channel }
}

fn seen(paper: &str, name: &str) -> Event {
    Event::PaperSeen { paper: paper.to_owned(), name: name.to_owned(), digits: "1234".to_owned() }
}

fn paid(fee: &str, fen: i64) -> Event {
    Event::FeeTaken { fee: fee.to_owned(), amount: Fen(fen), receipt: "S-1".to_owned() }
}

fn declared(condition: &str, number: Option<u32>, text: &str) -> Event {
    Event::Declared { condition: condition.to_owned(), number, text: text.to_owned() }
}

fn struck(item: &str, text: &str) -> Event {
    Event::Struck { item: item.to_owned(), text: text.to_owned() }
}

fn paper(id: &str) -> Lack {
    Lack::Paper(id.to_owned())
}

/// Ana's application, an event each hour; every event has to be allowed.
fn application(of: &Procedure, events: &[Event]) -> ApplicationStanding {
    let mut history = Vec::new();
    for (event, hour) in events.iter().zip(0..) {
        if let Some(standing) = fold(&history) {
            check(of, &standing, (event, ANA)).unwrap_or_else(|error| panic!("{event:?}: {error}"));
        }
        let at = Timestamp::UNIX_EPOCH + chrono::TimeDelta::hours(hour);
        history.push(Happened { by: ANA, at, event: event.clone() });
    }
    fold(&history).expect("an application that was taken on")
}

fn refusal(of: &Procedure, events: &[Event], event: &Event) -> ApplicationError {
    check(of, &application(of, events), (event, ANA)).expect_err("refused")
}

/// Says all that is missing now.
fn told(of: &Procedure, events: &[Event]) -> Event {
    let missing = missing(of, &application(of, events));
    Event::MissingSaid { missing, channel: Channel::Counter }
}

#[test]
fn c1_the_names_match_or_an_agent_or_a_declaration_stands_in() {
    let of = procedure("installation");
    let begun = |circumstances: &[Circumstance]| {
        vec![
            taken(Channel::Counter, circumstances),
            seen("holder_id", "王芳"),
            paid("installation_fee", 0),
        ]
    };
    let lacks = |events: Vec<Event>| missing(&of, &application(&of, &events));

    let same = [begun(&[]), vec![seen("invoice", " 王芳 ")]].concat();
    let other = [begun(&[]), vec![seen("invoice", "李强")]].concat();
    let agent = [begun(&[Circumstance::Agent]), vec![seen("invoice", "李强")]].concat();
    let lost = begun(&[Circumstance::InvoiceLost]);
    let declared = declared("invoice_declaration", None, "搬家时遗失，2019 年购房");

    assert_eq!(lacks(same), []);
    assert_eq!(lacks(other), [Lack::OneName]);
    assert_eq!(lacks(agent), [paper("agent_id"), paper("authorization")]);
    assert_eq!(lacks(lost.clone()), [Lack::Condition("invoice_declaration".to_owned())]);
    assert_eq!(lacks([lost, vec![declared]].concat()), []);
}

#[test]
fn c1_a_declaration_has_words_and_a_name_that_matters_is_written_down() {
    let of = procedure("installation");
    let lost = [taken(Channel::Counter, &[Circumstance::InvoiceLost])];

    let wordless = refusal(&of, &lost, &declared("invoice_declaration", None, " "));
    let nameless = refusal(&of, &lost, &seen("holder_id", " "));

    assert_eq!(wordless, ApplicationError::NoWords);
    assert_eq!(nameless, ApplicationError::NameNotSaid);
}

#[test]
fn c1_the_pack_makes_a_survey_and_then_the_installation() {
    let of = procedure("installation");

    assert_eq!(of.jobs, [JobKind::InstallationSurvey, JobKind::Installation]);
    assert_eq!(procedure("relocation").jobs, [JobKind::Removal, JobKind::Relocation]);
    assert!(of.opens_account);
}

#[test]
fn c2_a_transfer_costs_five_yuan_no_more_and_no_less() {
    let of = procedure("transfer");
    let begun = [taken(Channel::Counter, &[])];

    assert_eq!(
        refusal(&of, &begun, &paid("transfer_fee", 600)),
        ApplicationError::OtherFee { fen: 500 }
    );
    assert_eq!(
        refusal(&of, &begun, &paid("service_fee", 500)),
        ApplicationError::Unknown("service_fee".to_owned())
    );
    let complete = [
        taken(Channel::Counter, &[]),
        seen("holder_id", "王芳"),
        seen("new_holder_id", "李强"),
        seen("property", ""),
        declared("bill_settled", None, "收费系统已查"),
        paid("transfer_fee", 500),
    ];
    assert_eq!(missing(&of, &application(&of, &complete)), []);
    assert_eq!(application(&of, &complete).declared["bill_settled"].by, ANA);
}

#[test]
fn c3_a_price_difference_is_topped_up_and_never_refunded() {
    let of = procedure("relocation");
    let begun = [taken(Channel::Counter, &[])];
    let topped_up = [taken(Channel::Counter, &[]), paid("price_difference", 12_000)];

    let refund = refusal(&of, &begun, &paid("price_difference", -100));
    let back = refusal(&of, &topped_up, &struck("price_difference", "用户要求退"));
    let twice = refusal(&of, &topped_up, &paid("price_difference", 100));

    assert_eq!((refund, back), (ApplicationError::NeverRefunded, ApplicationError::NeverRefunded));
    assert_eq!(twice, ApplicationError::PaidAlready);
    assert_eq!(of.fee("removal_fee").and_then(|fee| fee.fen), Some(3000));
}

#[test]
fn c3_proof_of_family_is_asked_for_only_when_the_holder_differs() {
    let of = procedure("relocation");
    let lacks = |circumstances: &[Circumstance]| {
        missing(&of, &application(&of, &[taken(Channel::Counter, circumstances)]))
    };

    assert!(!lacks(&[]).contains(&paper("family_proof")));
    assert!(lacks(&[Circumstance::HolderDiffers]).contains(&paper("family_proof")));
}

#[test]
fn c4_an_ignition_is_accepted_by_phone_when_the_household_knows_not_to_connect_itself() {
    let of = procedure("ignition");
    let told = declared("not_by_themselves", None, "");

    let standing = application(&of, &[taken(Channel::Phone, &[]), told, Event::Accepted]);

    assert_eq!((standing.state, standing.trips), (ApplicationState::Accepted, 0));
    assert!(of.needs_appointment && of.jobs == [JobKind::Ignition]);
}

#[test]
fn c6_a_meter_is_sealed_for_three_months_or_more_only() {
    let of = procedure("sealing");
    let away = |months| {
        let events = [taken(Channel::Counter, &[]), declared("away_months", Some(months), "")];
        missing(&of, &application(&of, &events))
            .contains(&Lack::Condition("away_months".to_owned()))
    };

    assert!(away(2) && !away(3) && !away(12));
    let unsaid = refusal(&of, &[taken(Channel::Counter, &[])], &declared("away_months", None, ""));
    assert_eq!(unsaid, ApplicationError::NumberNotSaid);
    let said = say(&of, &[Lack::Condition("away_months".to_owned())], Language::English);
    assert_eq!(said, ["Has to be so first: Away for 3 months or more"]);
}

#[test]
fn c5_answers_about_paying_name_the_months_of_the_pack() {
    let payment = rules().payment;

    let when = payment.answers.iter().find(|it| it.id == "when").expect("an answer");

    assert!(
        when.answer(&payment, Language::English).starts_with("The meter is read every 2 months")
    );
    assert!(when.answer(&payment, Language::Chinese).starts_with("每 2 个月抄一次表"));
}

#[test]
fn c7_everything_that_is_missing_is_said_at_once() {
    let of = procedure("transfer");
    let lacks = missing(&of, &application(&of, &[taken(Channel::Counter, &[Circumstance::Agent])]));

    let said = say(&of, &lacks, Language::Chinese);

    assert_eq!(
        said,
        [
            "请带：原户主身份证",
            "请带：新户主身份证",
            "请带：房产证或购房合同",
            "请带：代办人身份证",
            "请带：户主签字的委托书",
            "须先办妥：燃气费已结清",
            "应缴：过户费 5.00 元",
        ]
    );
    let part = Event::MissingSaid { missing: lacks[1..].to_vec(), channel: Channel::Counter };
    let begun = [taken(Channel::Counter, &[Circumstance::Agent])];
    assert_eq!(refusal(&of, &begun, &part), ApplicationError::NotAllSaid);
    assert_eq!(refusal(&of, &begun, &Event::Accepted), ApplicationError::Missing(lacks));
}

#[test]
fn c7_what_was_not_named_the_first_time_is_a_breach_that_counts_once_a_visit() {
    let of = procedure("transfer");
    let mut events = vec![taken(Channel::Counter, &[])];
    events.push(told(&of, &events));
    events.push(came(Channel::Counter));
    events.push(seen("holder_id", "王芳"));
    events.push(told(&of, &events));
    let brought_half = application(&of, &events);
    events.push(came(Channel::Counter));
    events.push(Event::TurnedOut { circumstances: BTreeSet::from([Circumstance::Agent]) });
    events.push(told(&of, &events));
    events.push(seen("agent_id", "赵敏"));
    events.push(told(&of, &events));
    let asked_for_more = application(&of, &events);

    assert_eq!((brought_half.breaches, brought_half.trips), (0, 2));
    assert_eq!((asked_for_more.breaches, asked_for_more.trips), (1, 3));
}

#[test]
fn c7_who_was_sent_away_without_a_word_and_is_told_the_second_time_is_a_breach() {
    let of = procedure("transfer");
    let mut events = vec![taken(Channel::Counter, &[]), came(Channel::Counter)];
    events.push(told(&of, &events));
    let mut by_phone_first = vec![taken(Channel::Phone, &[]), came(Channel::Counter)];
    by_phone_first.push(told(&of, &by_phone_first));

    assert_eq!(application(&of, &events).breaches, 1);
    assert_eq!(application(&of, &by_phone_first).breaches, 0);
}

#[test]
fn b16_visits_to_the_counter_are_trips_and_calls_are_none() {
    let of = procedure("ignition");
    let events = [
        taken(Channel::Phone, &[]),
        came(Channel::Counter),
        came(Channel::WeChat),
        declared("not_by_themselves", None, ""),
        Event::Accepted,
        came(Channel::Counter),
    ];

    assert_eq!(application(&of, &events).trips, 2);
}

#[test]
fn b4_an_application_is_owned_from_the_first_contact_and_taken_over_by_who_accepts() {
    let of = procedure("ignition");
    let over = Event::TakenOver { text: "同事休假".to_owned() };
    let standing = application(&of, &[taken(Channel::Phone, &[])]);

    assert_eq!(standing.owner, ANA);
    assert_eq!(check(&of, &standing, (&over, ANA)), Err(ApplicationError::OwnerAlready));
    check(&of, &standing, (&over, BEN)).unwrap();
    let at = Timestamp::UNIX_EPOCH;
    let history = [
        Happened { by: ANA, at, event: taken(Channel::Phone, &[]) },
        Happened { by: BEN, at, event: over },
    ];
    assert_eq!(fold(&history).map(|it| it.owner), Some(BEN));
}

#[test]
fn a_paper_is_kept_by_its_last_digits_at_most_and_a_fee_by_its_receipt() {
    let of = procedure("transfer");
    let begun = [taken(Channel::Counter, &[])];
    let long = Event::PaperSeen {
        paper: "property".to_owned(),
        name: String::new(),
        digits: "110101199001011234".to_owned(),
    };
    let unreceipted = Event::FeeTaken {
        fee: "transfer_fee".to_owned(),
        amount: Fen(500),
        receipt: " ".to_owned(),
    };

    assert_eq!(refusal(&of, &begun, &long), ApplicationError::TooManyDigits);
    assert_eq!(refusal(&of, &begun, &unreceipted), ApplicationError::NoReceipt);
}

#[test]
fn what_was_ticked_by_mistake_is_struck_with_a_reason_and_missing_again() {
    let of = procedure("transfer");
    let events = [taken(Channel::Counter, &[]), seen("property", ""), struck("property", "看错了")];

    assert!(missing(&of, &application(&of, &events)).contains(&paper("property")));
    assert_eq!(refusal(&of, &events, &struck("property", "再来")), ApplicationError::NotThere);
    assert_eq!(refusal(&of, &events[..2], &struck("property", "")), ApplicationError::NoWords);
}

#[test]
fn a_decided_application_gathers_nothing_and_ends_once() {
    let of = procedure("ignition");
    let job = JobId(Uuid::from_u128(7));
    let made = Event::JobMade { job, kind: JobKind::Ignition };
    let accepted =
        [taken(Channel::Phone, &[]), declared("not_by_themselves", None, ""), Event::Accepted];
    let refused = [taken(Channel::Phone, &[]), Event::Refused { text: "不在供气范围".to_owned() }];

    assert_eq!(refusal(&of, &accepted[..2], &made.clone()), ApplicationError::NotAccepted);
    assert_eq!(
        refusal(&of, &accepted, &declared("not_by_themselves", None, "")),
        ApplicationError::Decided
    );
    let done = application(&of, &[&accepted[..], &[made, Event::Done]].concat());
    assert_eq!(done.state, ApplicationState::Done);
    assert_eq!(done.jobs, [(job, JobKind::Ignition)]);
    assert_eq!(
        refusal(&of, &refused, &Event::Withdrawn { text: String::new() }),
        ApplicationError::Over
    );
    assert_eq!(refusal(&of, &refused, &came(Channel::Counter)), ApplicationError::Over);
    assert_eq!(refusal(&of, &refused, &Event::Done), ApplicationError::Over);
}

#[test]
fn the_desk_asks_first_what_changes_what_has_to_be_brought() {
    let asked = |id: &str| procedure(id).circumstances();

    assert_eq!(
        asked("installation"),
        BTreeSet::from([Circumstance::Agent, Circumstance::InvoiceLost])
    );
    assert_eq!(asked("ignition"), BTreeSet::new());
}

#[test]
fn b3_a_call_is_judged_by_its_rings_against_staff_and_public_promise() {
    let calls = rules().calls;
    let judged = |rings, answered| judge(rings, answered, &calls);

    assert_eq!((calls.staff_rings, calls.public_rings), (3, 5));
    assert_eq!(judged(1, true), Answered::Staff);
    assert_eq!(judged(3, true), Answered::Staff);
    assert_eq!(judged(4, true), Answered::Public);
    assert_eq!(judged(5, true), Answered::Public);
    assert_eq!(judged(6, true), Answered::Late);
    assert_eq!(judged(1, false), Answered::Lost);
}

#[test]
fn c7_either_all_is_there_and_it_is_accepted_or_all_that_is_missing_is_said() {
    let of = procedure("ignition");
    let begun = application(&of, &[taken(Channel::Phone, &[])]);
    let complete =
        application(&of, &[taken(Channel::Phone, &[]), declared("not_by_themselves", None, "")]);
    let decides = |it: &ApplicationStanding| {
        let may = may(&of, it, BEN);
        [ApplicationAct::Accept, ApplicationAct::SayMissing].map(|act| may.contains(&act))
    };

    assert_eq!(decides(&begun), [false, true]);
    assert_eq!(decides(&complete), [true, false]);
    assert!(may(&of, &begun, BEN).contains(&ApplicationAct::TakeOver));
    assert!(!may(&of, &begun, ANA).contains(&ApplicationAct::TakeOver));
}
