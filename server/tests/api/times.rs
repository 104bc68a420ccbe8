//! When things happened: what the hall knows, and that it never knows less later.

use domain::stamp::BootId;
use serde_json::{Value, json};

use crate::counter::Counter;

#[tokio::test]
async fn a2_what_is_handed_in_later_does_not_blur_an_earlier_arrival() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    counter.wait_minutes(65, &[&ana]).await;
    ana.synced().await;

    // The phone restarts and hears no time until it has restarted again.
    ana.boot(BootId(8));
    counter.wait_minutes(20, &[&ana]).await;
    ana.phone.arrive(job, None).await.unwrap();
    ana.boot(BootId(9));
    counter.wait_minutes(20, &[&ana]).await;
    ana.synced().await;
    assert_eq!(verdict(&counter).await["on_time"], 1, "between 10:05 and 10:45");

    counter.wait_minutes(180, &[&ana]).await;
    ana.phone.note(job, "补记".to_owned()).await.unwrap();
    ana.synced().await;

    assert_eq!(verdict(&counter).await["on_time"], 1, "what was known is still known");
}

async fn verdict(counter: &Counter) -> Value {
    let path = "/api/reports/punctuality?from=2026-03-02&to=2026-03-02&by=day";
    let report = counter.node.get(path, &counter.dispatcher).await;
    assert_eq!(report.status, 200, "{report:?}");
    report.body["rows"].get(0).cloned().unwrap_or(json!({}))
}
