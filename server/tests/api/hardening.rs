//! What every reply and every page says to browsers, and what a session may do from one request to the next.

use reqwest::{Method, Response};
use serde_json::json;
use server::config::Config;
use server::identity::Role;

use crate::counter::Counter;
use crate::hall::Hall;

/// A server with pages of its own.
async fn with_pages(hall: &Hall, is_behind_tls: bool) -> (tempfile::TempDir, crate::hall::Node) {
    let folder = tempfile::tempdir().expect("a folder");
    for face in ["m", "c", "track"] {
        std::fs::create_dir(folder.path().join(face)).expect("a folder");
        let page = folder.path().join(face).join("index.html");
        std::fs::write(page, "<!doctype html><title>Doorstep</title><!--said-->").expect("a file");
    }
    let web = folder.path().display().to_string();
    let config = Config { web, behind_tls: is_behind_tls, ..hall.config.clone() };
    (folder, hall.node_with(config).await)
}

fn header<'a>(reply: &'a Response, name: &str) -> &'a str {
    reply.headers().get(name).map_or("", |it| it.to_str().expect("text"))
}

#[tokio::test]
async fn check_33_every_page_runs_its_own_files_only_and_stands_in_no_frame() {
    let hall = Hall::new().await;
    let (_folder, node) = with_pages(&hall, false).await;

    for path in ["/m/", "/c/", "/t/unknown"] {
        let page = reqwest::get(format!("{}{path}", node.base)).await.unwrap();
        let policy = header(&page, "content-security-policy");
        for asked in [
            "default-src 'none'",
            "script-src 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(asked), "{path}: {asked} is not in {policy}");
        }
        for hole in ["unsafe-inline", "'unsafe-eval'", "http:", "https:", "*"] {
            assert!(!policy.contains(hole), "{path}: {hole} is in {policy}");
        }
    }
}

#[tokio::test]
async fn check_34_browsers_are_told_to_guess_nothing_to_refer_nowhere_and_to_come_by_tls_alone() {
    let hall = Hall::new().await;
    let (_folder, node) = with_pages(&hall, true).await;
    for path in ["/m/", "/c/", "/t/unknown", "/api/me", "/api/nothing"] {
        let reply = reqwest::get(format!("{}{path}", node.base)).await.unwrap();
        let year = "max-age=31536000; includeSubDomains";
        assert_eq!(header(&reply, "strict-transport-security"), year, "{path}");
        assert_eq!(header(&reply, "x-content-type-options"), "nosniff", "{path}");
        let is_page = !path.starts_with("/api/");
        assert!(!is_page || header(&reply, "referrer-policy") == "no-referrer", "{path}");
    }

    let (_folder, plain) = with_pages(&hall, false).await;
    let reply = reqwest::get(format!("{}/m/", plain.base)).await.unwrap();
    assert_eq!(header(&reply, "strict-transport-security"), "", "nobody speaks TLS there");
}

#[tokio::test]
async fn check_50_nothing_of_a_hall_is_kept_in_a_cache() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;

    for path in ["/api/me", "/api/jobs", "/api/households?text=x", "/api/nothing"] {
        let asked = (Method::GET, path);
        let reply = counter.node.send_with(asked, &counter.dispatcher, &[], None).await;
        assert_eq!(header(&reply, "cache-control"), "no-store", "{path}");
    }
    // What has a tag may be kept by its reader, and is asked about each time.
    let path = format!("/api/jobs/{job}");
    let asked = (Method::GET, path.as_str());
    let reply = counter.node.send_with(asked, &counter.dispatcher, &[], None).await;
    let kept = header(&reply, "cache-control");
    assert!(
        kept == "no-store" || (kept.contains("private") && kept.contains("no-cache")),
        "{kept}"
    );
}

#[tokio::test]
async fn check_36_a_stream_asks_for_a_session_and_takes_no_token_from_its_url() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    for (path, token) in [("/api/live", &counter.dispatcher), ("/api/notices/live", &ana.token)] {
        for name in ["token", "access_token", "authorization"] {
            let url = format!("{}{path}?{name}={token}", counter.node.base);
            let reply = reqwest::get(url).await.unwrap();
            assert_eq!(reply.status(), 401, "{path} with {name}");
        }
    }
}

#[tokio::test]
async fn check_41_a_file_is_a_download_under_a_plain_name() {
    let counter = Counter::open().await;
    for path in ["/api/exports/jobs", "/api/exports/figures/arrivals"] {
        let path = format!("{path}?from=2026-03-01&to=2026-03-04");
        let asked = (Method::GET, path.as_str());
        let reply = counter.node.send_with(asked, &counter.manager, &[], None).await;
        assert_eq!(reply.status(), 200);
        let name = header(&reply, "content-disposition");
        let plain =
            name.strip_prefix("attachment; filename=\"").and_then(|it| it.strip_suffix('"'));
        let plain = plain.unwrap_or_else(|| panic!("{name}"));
        let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
        assert!(plain.chars().all(is_plain), "{name}");
        assert_eq!(header(&reply, "x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn check_22_another_role_counts_at_the_next_request() {
    let counter = Counter::open().await;
    let dan = counter.hall.person("dan", Role::Dispatcher).await;
    let token = counter.node.sign_in("dan").await;
    assert_eq!(counter.node.get("/api/outages/places", &token).await.status, 200);

    let (path, lower) = (format!("/api/users/{dan}"), json!({"name": "Dan", "role": "hall"}));
    let changed = counter.node.send(Method::PUT, &path, Some(&counter.manager), Some(&lower)).await;

    assert!(changed.status.is_success(), "{changed:?}");
    let refused = counter.node.get("/api/outages/places", &token).await.status.as_u16();
    assert!(matches!(refused, 401 | 403), "{refused}");
}
