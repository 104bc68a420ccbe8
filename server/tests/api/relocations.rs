//! Relocations over HTTP: both addresses named, the account moved once all is put in, nobody sent for what is withdrawn.

use domain::conduct::Phase;
use domain::id::JobId;
use domain::measure::Volume;
use domain::reading::ReadingState;
use domain::visit::{Fact, Outcome, Subject};
use mobile_core::phone::{NewMeter, OldMeter};
use serde_json::json;

use crate::applications::{Desk, declare, give, meter, pay, put_up_meter, see};
use crate::counter::{Counter, Technician};
use crate::hall::text;

#[tokio::test]
async fn c3_a_relocation_makes_two_jobs_that_name_both_addresses() {
    let desk = Desk::open().await;

    let (id, [removal, _]) = relocation(&desk).await;

    let shown = desk.show(&id).await;
    let kinds: Vec<_> =
        shown["jobs"].as_array().unwrap().iter().map(|it| text(&it["kind"])).collect();
    assert_eq!(kinds, ["removal", "relocation"]);
    let job = desk.counter.job(removal).await;
    let request = text(&job["job"]["briefing"]["request"]);
    assert!(request.contains("听江里1幢101室 → 书院里1幢202室"), "{request}");
    assert_eq!(job["application"]["id"], json!(id));
}

#[tokio::test]
async fn c3_an_account_has_its_new_address_once_all_is_put_in_there() {
    let desk = Desk::open().await;
    let mut tom = desk.counter.hire("tom").await;
    put_up_meter(&desk.counter).await;
    let (id, [removal, relocation]) = relocation(&desk).await;
    let (serial, size) = ("G-0555".to_owned(), "G2.5".to_owned());
    let new = NewMeter { serial, size, digits: 5, register: Volume(0) };

    exchange(&desk.counter, &mut tom, removal, (Some(taken_out()), None)).await;
    assert_eq!(desk.household().await["household"]["address"], "听江里1幢101室", "half is done");
    exchange(&desk.counter, &mut tom, relocation, (None, Some(new))).await;

    assert_eq!(desk.show(&id).await["application"]["state"], "done");
    let home = desk.household().await;
    assert_eq!(home["household"]["address"], "书院里1幢202室");
    let entry = home["entries"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&entry["type"], &entry["address_before"], &entry["application"]),
        (&json!("address_changed"), &json!("听江里1幢101室"), &json!(id))
    );
}

#[tokio::test]
async fn c3_nobody_goes_for_what_the_household_does_not_want_any_more() {
    let desk = Desk::open().await;
    let mut tom = desk.counter.hire("tom").await;
    put_up_meter(&desk.counter).await;
    let (id, [removal, relocation]) = relocation(&desk).await;
    exchange(&desk.counter, &mut tom, removal, (Some(taken_out()), None)).await;

    desk.added(&id, &[json!({"act": "withdraw", "text": "不搬了"})]).await;

    let status = async |job| desk.counter.job(job).await["summary"]["status"].clone();
    assert_eq!(status(removal).await, "done", "what is done stays done");
    assert_eq!(status(relocation).await, "cancelled");
    let plan = desk.counter.job(relocation).await["job"]["plan"].to_string();
    assert!(plan.contains("不搬了"), "{plan}");
    assert_eq!(desk.household().await["household"]["address"], "听江里1幢101室");
}

/// A relocation that was accepted, with its two jobs in the order in which they are done.
async fn relocation(desk: &Desk) -> (String, [JobId; 2]) {
    let id = desk.of("relocation", "counter", json!({"new_address": "书院里1幢202室"})).await;
    desk.added(&id, &[see("holder_id"), see("old_property"), see("new_property")]).await;
    desk.added(&id, &[declare("bill_settled"), pay("removal_fee", 3000)]).await;
    let paid = [pay("price_difference", 0), json!({"act": "accept"})];
    let accepted = desk.added(&id, &paid).await;
    let job = |at: usize| text(&accepted["jobs"][at]).parse().expect("a job");
    (id, [job(0), job(1)])
}

fn taken_out() -> OldMeter {
    OldMeter { meter: meter(), register: Some(Volume(3_000)), state: ReadingState::Seen }
}

/// Takes a meter out or puts one in, with all that such a job needs.
async fn exchange(
    counter: &Counter,
    technician: &mut Technician,
    job: JobId,
    change: (Option<OldMeter>, Option<NewMeter>),
) {
    let burns = change.1.is_some();
    let start = counter.hall.config.clock.now_ms() + 3_600_000;
    let window = json!({"start": start, "end": start + 7_200_000});
    let agreed = json!({"window": window, "channel": "phone"});
    assert_eq!(counter.add(job, "appointments", &agreed).await.status, 201);
    give(counter, job, technician).await;
    let phone = &mut technician.phone;
    phone.arrive(job, None).await.expect("at the door");
    for phase in [Phase::AtTheDoor, Phase::BeforeEntering, Phase::BeforeLeaving] {
        phone.answer_rest_as_done(job, phase).await.expect("answered");
    }
    if !burns {
        phone.read_meter(job, meter(), Some(Volume(3_000))).await.expect("read");
    }
    phone.change_meter(job, change, String::new()).await.expect("changed");
    if let Some(hangs) = phone.meters(job).expect("a job").first().map(|it| it.id) {
        phone.read_meter(job, hangs, Some(Volume(0))).await.expect("read");
    }
    phone.switch_gas(job, burns).await.expect("switched");
    phone.test_tightness(job, true).await.expect("tight");
    for subject in [Subject::OldWheels, Subject::NewWheels] {
        let picture = Fact::PhotoTaken { hash: "a1".repeat(32), subject };
        phone.record(job, picture).await.expect("saved");
    }
    let signed = Fact::Signed { hash: "b2".repeat(32) };
    phone.record(job, signed).await.expect("saved");
    phone.close(job, Outcome::Done).await.expect("done");
    technician.synced().await;
}
