//! Who did what: one entry an action, no personal data in it, and a chain that shows what was done to it since.

use std::collections::BTreeSet;
use std::time::Duration;

use calamine::{Reader as _, Xlsx};
use serde_json::{Value, json};
use server::audit::chain;
use server::doctor::{Level, examine};
use server::identity::Role;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::{PASSWORD, text};

#[tokio::test]
async fn check_59_what_is_done_and_read_is_entered_with_who_and_on_what() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    let node = &counter.node;
    let wrong = node.try_sign_in("dora", "not her password").await;
    let stranger = node.try_sign_in("nobody", "not a password").await;
    node.get(&format!("/api/jobs/{job}"), &counter.dispatcher).await;
    node.get(&format!("/api/jobs/{job}/document"), &counter.dispatcher).await;
    node.get(&format!("/api/jobs?text={ACCOUNT}"), &counter.dispatcher).await;
    node.get("/api/households?text=x", &counter.dispatcher).await;
    node.get("/api/exports/jobs?from=2026-03-01&to=2026-03-04", &counter.manager).await;
    let figure = "/api/exports/figures/arrivals?from=2026-03-01&to=2026-03-04";
    node.get(figure, &counter.manager).await;
    let refused = node.get("/api/audit", &counter.dispatcher).await;
    node.post(
        &format!("/api/devices/{}/revoke", ana.device),
        Some(&counter.manager),
        &json!({"reason": "lost"}),
    )
    .await;
    node.send(reqwest::Method::DELETE, "/api/session", Some(&counter.dispatcher), None).await;

    let entries = entries(&counter, "", 12).await;

    assert_eq!(
        (wrong.status.as_u16(), stranger.status.as_u16(), refused.status.as_u16()),
        (401, 401, 403)
    );
    let found: BTreeSet<_> = entries
        .iter()
        .map(|it| {
            [&it["what"], &it["name"], &it["subject_kind"]]
                .map(|it| it.as_str().unwrap_or("-").to_owned())
                .join(" ")
        })
        .collect();
    let expected = [
        "code_made DORA person",
        "document_read DORA job",
        "exported MARA figure",
        "exported MARA table",
        "job_read DORA job",
        "phone_enrolled ANA phone",
        "phone_revoked MARA phone",
        "refused DORA route",
        "searched DORA list",
        "sign_in_failed - person",
        "signed_in DORA -",
        "signed_in MARA -",
        "signed_out DORA -",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
    let read = entries.iter().find(|it| it["what"] == "job_read").unwrap();
    assert_eq!((&read["subject"], &read["via"]), (&json!(job), &json!("program")));
    assert_eq!(read["subject_name"], "听江里1幢101室", "names are looked up when shown");
    let revoked = entries.iter().find(|it| it["what"] == "phone_revoked").unwrap();
    assert_eq!(revoked["detail"], json!({"reason": "lost", "unsent": 0}));
    assert!(entries.iter().all(|it| it["number"].is_i64()), "all are sealed");
}

#[tokio::test]
async fn check_59_entries_hold_ids_and_no_personal_data() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    let node = &counter.node;
    node.try_sign_in("canary-login", "canary-password").await;
    node.get(&format!("/api/jobs/{job}"), &counter.dispatcher).await;
    node.get("/api/households?text=canary-words", &counter.dispatcher).await;
    entries(&counter, "", 6).await;

    let mut conn = counter.hall.db.read().await.unwrap();
    let mut rows = Vec::new();
    let taken = server::db::audit::each_sealed(conn.c(), i64::MAX, |row| {
        rows.push(row);
        Ok(())
    });
    taken.await.unwrap();
    let all = format!("{rows:?}");
    assert!(rows.len() >= 6);

    for hidden in ["canary", "听江里", "章思雨", "DORA", PASSWORD] {
        assert!(!all.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn check_60_an_entry_changed_deleted_moved_or_cut_off_is_found() {
    for (sql, number, how) in [
        ("update audit_entry set what = 'signed_out' where number = 3", 3, "changed"),
        ("update audit_entry set at = at + 1 where number = 2", 2, "changed"),
        ("delete from audit_entry where number = 2", 2, "missing"),
        ("delete from audit_entry where number = 4", 4, "missing"),
        (
            "update audit_entry set number = case number when 2 then -3 else -2 end where number in (2, 3)",
            2,
            "missing",
        ),
        ("delete from audit_entry where number in (1, 2, 3, 4)", 1, "missing"),
    ] {
        let counter = four_entries().await;
        counter.hall.break_with(sql).await;
        if sql.contains("-3") {
            counter
                .hall
                .break_with("update audit_entry set number = -number where number < 0")
                .await;
        }

        let found = check(&counter).await;

        let broken = if sql.contains("-3") { (2, "changed") } else { (number, how) };
        let told = found["broken"].clone();
        assert_eq!((&told["number"], &told["how"]), (&json!(broken.0), &json!(broken.1)), "{sql}");
    }
}

#[tokio::test]
async fn check_60_the_doctor_and_the_screen_say_whether_the_chain_holds() {
    let counter = four_entries().await;
    let whole = check(&counter).await;
    let findings = examine(&counter.hall.config, None, None).await;
    assert!(
        findings.iter().any(|it| it.level == Level::Ok && it.says.contains("entries 1 to 4")),
        "{findings:?}"
    );
    assert_eq!((&whole["broken"], &whole["last_number"]), (&Value::Null, &json!(4)));
    assert_eq!(text(&whole["head"]).len(), 64);

    counter.hall.break_with("update audit_entry set detail = '{}' where number = 2").await;

    let findings = examine(&counter.hall.config, None, None).await;
    let bad = findings.iter().find(|it| it.says.contains("audit trail does not hold")).unwrap();
    assert_eq!(bad.level, Level::Bad);
}

#[tokio::test]
async fn check_62_entries_leave_after_their_time_from_the_beginning_and_the_chain_goes_on() {
    let counter = four_entries().await;
    let mut config = counter.hall.config.clone();
    config.audit_days = 183;
    let state = server::build(config).await.unwrap().state;
    counter.hall.wait_minutes(184 * 24 * 60);

    let pruned = server::upkeep::prune(&state).await.unwrap();
    seal(&counter).await;
    let manager = counter.node.sign_in("mara").await;
    let chain = counter.node.get("/api/audit/chain", &manager).await.body;
    let (first, broken) = (&chain["first_number"], &chain["broken"]);

    assert_eq!(pruned.audit, 4);
    assert_eq!((first, broken), (&json!(5), &Value::Null), "{chain}");
}

#[tokio::test]
async fn entries_are_found_by_person_deed_subject_and_day_and_leave_as_a_workbook() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    entries(&counter, "", 4).await;

    let by_deed = entries(&counter, "?what=code_made", 1).await;
    let by_subject = entries(&counter, &format!("?subject={}", ana.user), 1).await;
    let by_person = entries(&counter, &format!("?person={}", ana.user), 1).await;
    let other_day = counter.node.get("/api/audit?day=2026-03-01", &counter.manager).await;
    let first = counter.node.get("/api/audit?limit=2", &counter.manager).await.body;
    let next = format!("/api/audit?limit=2&after={}", text(&first["next"]));
    let second = counter.node.get(&next, &counter.manager).await.body;
    let path = "/api/audit/export?from=2026-03-01&to=2026-03-04&lang=en";
    let file =
        counter.node.send_with((reqwest::Method::GET, path), &counter.manager, &[], None).await;

    assert_eq!((by_deed.len(), by_subject.len()), (1, 1));
    assert_eq!(by_person[0]["what"], "phone_enrolled");
    assert_eq!(other_day.body["entries"], json!([]));
    let pages = [&first, &second].map(|page| page["entries"].as_array().unwrap().len());
    assert_eq!(pages, [2, 2]);
    assert_ne!(first["entries"][1]["id"], second["entries"][0]["id"]);
    let mut book = Xlsx::new(std::io::Cursor::new(file.bytes().await.unwrap())).unwrap();
    let page = book.worksheet_range("Audit trail").unwrap();
    assert_eq!(page.height(), 5, "the header and four entries");
}

#[tokio::test]
async fn tries_with_nobodys_log_in_are_shown_to_admins() {
    let counter = Counter::open().await;
    counter.hall.person("ines", Role::Admin).await;
    let admin = counter.node.sign_in("ines").await;
    counter.node.try_sign_in("nobody", "whatever this is").await;

    let by_manager = counter.node.get("/api/audit?nobody=true", &counter.manager).await;
    let by_admin = sealed(&counter, "/api/audit?nobody=true", &admin, 1).await;

    assert_eq!(by_manager.status, 403);
    assert_eq!(by_admin[0]["what"], "sign_in_failed");
}

/// Waits until the clerk has written and sealed so many entries, and lists them.
pub(crate) async fn entries(counter: &Counter, query: &str, least: usize) -> Vec<Value> {
    sealed(counter, &format!("/api/audit{query}"), &counter.manager, least).await
}

pub(crate) async fn sealed(counter: &Counter, path: &str, token: &str, least: usize) -> Vec<Value> {
    for _ in 0..100 {
        let reply = counter.node.get(path, token).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let entries = reply.body["entries"].as_array().expect("a list").clone();
        if entries.len() >= least && entries.iter().all(|it| it["number"].is_i64()) {
            return entries;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no {least} entries for {path}");
}

/// Two people signed in, a code was made and a phone enrolled; all of it is sealed.
async fn four_entries() -> Counter {
    let counter = Counter::open().await;
    counter.hire("ana").await;
    entries(&counter, "", 4).await;
    counter
}

async fn check(counter: &Counter) -> Value {
    counter.node.get("/api/audit/chain", &counter.manager).await.body
}

async fn seal(counter: &Counter) {
    let mut tx = counter.hall.db.begin().await.expect("a transaction");
    chain::seal(&mut tx).await.expect("sealed");
    tx.commit().await.expect("a commit");
}
