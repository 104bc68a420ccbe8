//! Lists that a desk watches, as files: open promises of jobs and cases, and phones.

use calamine::{Reader as _, Xlsx};
use reqwest::Method;
use serde_json::json;

use crate::counter::{ACCOUNT, Counter};
use crate::figures::emergency;

async fn bytes(counter: &Counter, list: &str, more: &str) -> (String, Vec<u8>) {
    let path = format!("/api/exports/lists/{list}?{more}");
    let sent = counter.node.send_with((Method::GET, &path), &counter.manager, &[], None).await;
    assert_eq!(sent.status(), 200, "{path}");
    let name = sent.headers()["content-disposition"].to_str().expect("a name").to_owned();
    (name, sent.bytes().await.expect("a file").to_vec())
}

async fn lines(counter: &Counter, list: &str) -> Vec<String> {
    let (_, file) = bytes(counter, list, "lang=en&format=csv").await;
    let text = String::from_utf8(file).expect("UTF-8");
    text.trim_start_matches('\u{feff}').lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn b2_b5_open_promises_of_jobs_and_of_cases_are_one_file_with_the_worst_first() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    emergency(&counter, &ana).await;
    let complaint = json!({"kind": "complaint", "channel": "phone", "account": ACCOUNT,
        "caller": "章思雨", "contact": "05530200000", "words": "上门迟到"});
    let made = counter.node.post("/api/cases", Some(&counter.manager), &complaint).await;
    assert_eq!(made.status, 201, "{made:?}");
    ana.synced().await;

    counter.wait_minutes(40, &[&ana]).await;
    let unheard = lines(&counter, "open_promises").await;
    ana.synced().await;
    let broken = lines(&counter, "open_promises").await;
    // Three days less an hour after the complaint, and the leak long broken.
    counter.wait_minutes(3 * 24 * 60 - 100, &[&ana]).await;
    let late = lines(&counter, "open_promises").await;
    let (name, book) = bytes(&counter, "open_promises", "").await;

    assert_eq!(
        unheard,
        [
            "State,Due,Rule,What,Kind,Address,Owner",
            "Phone not heard yet,2026-03-02 09:30,B2,Job,Emergency,听江里1幢101室,ANA",
            "Running,2026-03-05 09:00,B5,Case,Complaint 1,,MARA",
        ]
    );
    assert_eq!(broken[1], "Broken,2026-03-02 09:30,B2,Job,Emergency,听江里1幢101室,ANA");
    assert_eq!(late[2], "At risk,2026-03-05 09:00,B5,Case,Complaint 1,,MARA");
    assert!(name.contains("open-promises-2026-03-05.xlsx"), "{name}");
    let mut book = Xlsx::new(std::io::Cursor::new(book)).unwrap();
    let (title, page) = book.worksheets().remove(0);
    assert_eq!((title.as_str(), page.height()), ("未停表的承诺", 3));
}

#[tokio::test]
async fn phones_are_a_file_that_says_of_which_nobody_can_know() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let ben = counter.hire("ben").await;
    let lost = counter.hire("lost").await;
    let path = format!("/api/devices/{}/revoke", lost.device);
    let revoked = counter.node.post(&path, Some(&counter.manager), &json!({})).await;
    assert_eq!(revoked.status, 200, "{revoked:?}");
    let job = counter.job_for(ana.user).await;
    counter.job_for(ben.user).await;
    ana.synced().await;
    let heard = lines(&counter, "phones").await;
    ana.phone.set_out(job).await.unwrap();
    ana.synced().await;
    counter.wait_minutes(15, &[&ana]).await;
    let silent = lines(&counter, "phones").await;

    let never =
        |line: &str| line.starts_with("Never heard,BEN,") && line.ends_with(",,Cannot know,1");
    assert_eq!(heard[0], "State,Technician,Device,Last heard,Not handed in,Open jobs");
    assert!(heard.len() == 3 && never(&heard[1]), "{heard:?}");
    let is_fine = heard[2].starts_with("Fine,ANA,") && heard[2].ends_with(",2026-03-02 09:00,0,1");
    assert!(is_fine, "{heard:?}");
    assert!(never(&silent[1]) && silent[2].starts_with("Silent at work,ANA,"), "{silent:?}");
}
