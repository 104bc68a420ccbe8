//! How much one phone may hand in within a day.

use server::config::Config;

use crate::counter::Counter;

#[tokio::test]
async fn check_29_a_phone_keeps_what_is_more_than_a_days_changes_and_loses_nothing() {
    let mut counter = Counter::open().await;
    let few = Config { changes_per_day: 5, ..counter.hall.config.clone() };
    let strict = counter.hall.node_with(few).await;
    let mut ana = counter.hire("ana").await;
    ana.base.clone_from(&strict.base);
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    for number in 0..8 {
        ana.phone.note(job, format!("第 {number} 条")).await.unwrap();
    }

    let later = counter.job_for(ana.user).await;
    ana.synced().await;
    let state = ana.phone.sync_state();
    assert_eq!((state.only_here, state.acked), (3, 5), "the phone says what it still holds");
    assert!(ana.phone.device().job(later).is_some(), "what the hall has to say still comes");
    assert_eq!(pending(&counter).await, 3, "and the hall sees that it holds something");
    ana.synced().await;
    assert_eq!(ana.phone.sync_state().only_here, 3, "on the same day nothing more");

    counter.wait_minutes(24 * 60 + 1, &[&ana]).await;
    ana.synced().await;
    let state = ana.phone.sync_state();
    assert_eq!((state.only_here, state.acked), (0, 8), "the day after all of it is there");
    assert_eq!(pending(&counter).await, 0);
}

async fn pending(counter: &Counter) -> i64 {
    let devices = counter.node.get("/api/devices", &counter.manager).await.body;
    devices["devices"][0]["pending"].as_i64().expect("it works")
}
