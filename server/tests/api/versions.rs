//! Versions of a job: who edits what they did not see is shown what they missed.

use domain::id::JobId;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::counter::Counter;

#[tokio::test]
async fn a_reader_who_has_a_job_is_not_sent_it_again() {
    let counter = Counter::open().await;
    let job = a_job(&counter).await;
    for path in [format!("/api/jobs/{job}"), format!("/api/jobs/{job}/document")] {
        let first = get(&counter, &path, None).await;
        let same = get(&counter, &path, Some(&first.1)).await;
        assert_eq!((first.0, same.0), (200, 304), "{path}");
        assert_eq!(same.1, first.1);
        assert_eq!(same.2, Vec::<u8>::new());

        assert_eq!(counter.add(job, "messages", &json!({"text": "x"})).await.status, 201);

        let changed = get(&counter, &path, Some(&first.1)).await;
        assert_eq!(changed.0, 200, "{path}");
        assert_ne!(changed.1, first.1);
    }
}

/// Time alone turns a window into one that nobody heard of; a reader must not keep the old word.
#[tokio::test]
async fn a_job_that_only_time_changed_is_sent_again_and_can_be_edited_by_the_old_tag() {
    let mut counter = Counter::open().await;
    let job = a_job(&counter).await;
    let path = format!("/api/jobs/{job}");
    let before = get(&counter, &path, None).await;
    counter.hall.wait_minutes(5 * 60);
    counter.dispatcher = counter.node.sign_in("dora").await;

    let after = get(&counter, &path, Some(&before.1)).await;
    let edit = edit(&counter, job, &before.1, "messages", &json!({"text": "x"})).await;

    assert_eq!(after.0, 200);
    assert_ne!(after.1, before.1);
    assert_eq!(edit.0, 201, "{edit:?}");
}

#[tokio::test]
async fn of_two_dispatchers_who_race_one_is_shown_both_versions() {
    let counter = Counter::open().await;
    let job = a_job(&counter).await;
    let (_, seen, _) = get(&counter, &format!("/api/jobs/{job}"), None).await;
    let reasons = ["客户改期", "重复派单"].map(|reason| json!({"reason": reason}));

    let racing = reasons.iter().map(|body| edit(&counter, job, &seen, "cancellations", body));
    let mut replies = join_all(racing).await;
    replies.sort_by_key(|it| it.0);

    let [(won, added), (lost, problem)] = replies.try_into().expect("two replies");
    assert_eq!((won, lost), (201, 412), "{problem}");
    assert_eq!(problem["type"], "urn:doorstep:stale");
    assert_eq!(problem["current"]["etag"], added["etag"]);
    assert_eq!(problem["current"]["standing"]["status"], "cancelled");
    assert_eq!(problem["current"]["job"], counter.job(job).await["job"]);
    assert_eq!(problem["given"]["etag"], json!(seen));
    assert_eq!(problem["given"]["standing"]["status"], "assigned");
    assert_eq!(problem["given"]["job"]["plan"]["cancelled"], json!({}));
    let tag = added["etag"].as_str().unwrap();
    let next = edit(&counter, job, tag, "messages", &json!({"text": "x"})).await;
    assert_eq!(next.0, 201, "the tag of an edit is good for the next: {next:?}");
}

#[tokio::test]
async fn tags_that_this_server_never_gave_edit_nothing() {
    let counter = Counter::open().await;
    let job = a_job(&counter).await;
    let body = json!({"text": "x"});

    for (tag, status) in [
        ("\"0\"", 412),
        ("\"999999\"", 412),
        ("\"rubbish\"", 412),
        ("W/\"2.0000000000000000\"", 412),
        ("rubbish", 412),
        ("*", 201),
    ] {
        let edited = edit(&counter, job, tag, "messages", &body).await;
        assert_eq!(edited.0, status, "{tag}: {edited:?}");
        if status == 412 {
            assert_eq!(edited.1["given"]["job"], Value::Null, "{tag}");
        }
    }
    assert_eq!(counter.job(job).await["job"]["messages"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn a_ruling_settles_what_was_seen_and_not_what_came_meanwhile() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let mut bob = counter.hire("bob").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    assert_eq!(counter.add(job, "assignments", &json!({"technician": bob.user})).await.status, 201);
    bob.synced().await;
    counter.wait_minutes(90, &[&ana, &bob]).await;
    ana.phone.arrive(job, None).await.unwrap();
    ana.synced().await;
    let path = format!("/api/jobs/{job}");
    let (_, seen, shown) = get(&counter, &path, None).await;
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    let clashes = shown["standing"]["clashes"].clone();
    assert_eq!(clashes[0]["clash"], "visited_by_other", "{shown}");
    assert_eq!(counter.add(job, "cancellations", &json!({"reason": "撤单"})).await.status, 201);

    let ruling = json!({"stands": null, "settles": clashes, "reason": "以鲍勃为准"});
    let blind = edit(&counter, job, &seen, "rulings", &ruling).await;
    let unseen = counter.add(job, "rulings", &ruling).await;

    assert_eq!(blind.0, 412, "{blind:?}");
    assert_eq!(unseen.status, 201, "{unseen:?}");
    let left = counter.job(job).await["standing"]["clashes"].clone();
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    assert_eq!(left[0]["clash"], "cancelled_while_visited");
}

async fn a_job(counter: &Counter) -> JobId {
    let tom = counter.hall.person("tom", server::identity::Role::Technician).await;
    counter.job_for(tom).await
}

/// Reads; returns the status, the tag and the body.
async fn get(counter: &Counter, path: &str, known: Option<&str>) -> (u16, String, Vec<u8>) {
    let headers: Vec<_> = known.map(|tag| ("if-none-match", tag)).into_iter().collect();
    let asked = (Method::GET, path);
    let reply = counter.node.send_with(asked, &counter.dispatcher, &headers, None).await;
    let tag = reply.headers()["etag"].to_str().expect("a tag").to_owned();
    (reply.status().as_u16(), tag, reply.bytes().await.expect("a body").to_vec())
}

/// Edits what was seen; returns the status and the body.
async fn edit(counter: &Counter, job: JobId, seen: &str, what: &str, body: &Value) -> (u16, Value) {
    let path = format!("/api/jobs/{job}/{what}");
    let asked = (Method::POST, path.as_str());
    let headers = [("if-match", seen)];
    let reply = counter.node.send_with(asked, &counter.dispatcher, &headers, Some(body)).await;
    (reply.status().as_u16(), reply.json().await.expect("JSON"))
}
