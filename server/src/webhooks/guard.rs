//! Where messages may go: to the open internet, never to what stands beside the server.
//!
//! A name is resolved here, every address of it is looked at, and the connection is made to these addresses and no
//! others: a name that is answered differently the second time leads nowhere else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

/// The longest URL.
const LONGEST_URL: usize = 2000;

/// Why nothing is sent to a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL with a host.
    #[error("send a whole URL with a host and without a log-in, of {LONGEST_URL} letters or fewer")]
    NotWhole,
    /// Anybody could read along.
    #[error("send a URL that begins with https://")]
    NotHttps,
    /// The name leads nowhere.
    #[error("the name {0} cannot be resolved")]
    NoAddress(String),
    /// Browsers have no push service there.
    #[error("{0} is not a push service of a browser; the operator may except it with push_allowed")]
    NotPushService(String),
    /// It leads to what stands beside the server.
    #[error("{0} leads to an address that is not on the open internet")]
    Internal(String),
}

/// A URL with the addresses that it may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URL.
    pub url: Url,
    /// The name that is resolved.
    pub host: String,
    /// What it resolved to, looked at.
    pub addresses: Vec<SocketAddr>,
}

/// Resolves a URL and refuses it when any of its addresses is internal; `allowed` lists exceptions as `host:port`.
pub async fn check(text: &str, allowed: &[String]) -> Result<Target, UrlError> {
    let url = Url::parse(text).map_err(|_| UrlError::NotWhole)?;
    let has_log_in = !url.username().is_empty() || url.password().is_some();
    let host = url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned());
    let (Some(host), Some(port)) = (host, url.port_or_known_default()) else {
        return Err(UrlError::NotWhole);
    };
    if has_log_in || text.len() > LONGEST_URL || !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::NotWhole);
    }
    let is_allowed = allowed.iter().any(|it| *it == format!("{host}:{port}"));
    if url.scheme() != "https" && !is_allowed {
        return Err(UrlError::NotHttps);
    }
    let found = tokio::net::lookup_host((host.as_str(), port)).await;
    let addresses: Vec<SocketAddr> =
        found.map_err(|_| UrlError::NoAddress(host.clone()))?.collect();
    if addresses.is_empty() {
        return Err(UrlError::NoAddress(host));
    }
    if !is_allowed && !addresses.iter().all(|it| is_open(it.ip())) {
        return Err(UrlError::Internal(host));
    }
    Ok(Target { url, host, addresses })
}

/// The push services of browsers; a dot before a name stands for everything below it.
const PUSH_SERVICES: [&str; 5] = [
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "web.push.apple.com",
    ".push.apple.com",
    ".notify.windows.com",
];

/// Resolves where a browser takes messages: as [`check`], and only at push services, over HTTPS, on its usual port.
///
/// `allowed` lists others as `host:port`.
pub async fn check_push(text: &str, allowed: &[String]) -> Result<Target, UrlError> {
    let url = Url::parse(text).map_err(|_| UrlError::NotWhole)?;
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(0);
    let is_service = PUSH_SERVICES
        .iter()
        .any(|it| if it.starts_with('.') { host.ends_with(it) } else { host == *it });
    let is_excepted = allowed.iter().any(|it| *it == format!("{host}:{port}"));
    let is_usual = is_service && url.scheme() == "https" && port == 443;
    if !is_excepted && !is_usual {
        return Err(UrlError::NotPushService(host.to_owned()));
    }
    check(text, allowed).await
}

/// Whether an address is on the open internet.
fn is_open(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_open_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_open_v4(mapped),
            None => is_open_v6(address),
        },
    }
}

fn is_open_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast();
    // This network, carriers' own, protocol assignments, relays, benchmarks, and what nobody was given.
    let is_reserved = a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !is_special && !is_reserved
}

/// Only what was given out, without what carries IPv4 in it or is written in books.
fn is_open_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_given_out = a & 0xe000 == 0x2000;
    let is_reserved =
        (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    is_given_out && !is_reserved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_44_no_address_beside_the_server_is_open() {
        for internal in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:0:7f00:1::",
            "2001:db8::1",
            "3fff::1",
        ] {
            assert!(!is_open(internal.parse().unwrap()), "{internal}");
        }
        for open in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_open(open.parse().unwrap()), "{open}");
        }
    }

    #[tokio::test]
    async fn check_44_a_url_is_looked_at_before_it_is_believed() {
        let refused = async |text: &str| check(text, &[]).await.unwrap_err();

        for text in ["", "x", "https://", "ftp://a/", "https://u:p@1.1.1.1/", "file:///etc/passwd"]
        {
            assert_eq!(refused(text).await, UrlError::NotWhole, "{text}");
        }
        assert_eq!(refused("http://1.1.1.1/").await, UrlError::NotHttps);
        for text in [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://localhost/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://169.254.169.254/",
        ] {
            assert!(matches!(refused(text).await, UrlError::Internal(_)), "{text}");
        }
        assert!(check("https://1.1.1.1/hook", &[]).await.is_ok());
    }

    #[tokio::test]
    async fn check_44_pushes_go_to_push_services_and_nowhere_else() {
        for text in [
            "https://127.0.0.1/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest",
            "https://example.com/",
            "https://fcm.googleapis.com.example.com/",
            "https://example.com/fcm.googleapis.com",
            "https://push.apple.com.example.com/",
            "https://notapple.push.apple.com.evil/",
            "http://fcm.googleapis.com/fcm/send/x",
            "https://fcm.googleapis.com:8443/fcm/send/x",
            "https://fcm.googleapis.com@127.0.0.1/",
            "https://xnotify.windows.com/",
            "not a url",
        ] {
            let refused = check_push(text, &[]).await;
            assert!(
                matches!(refused, Err(UrlError::NotPushService(_) | UrlError::NotWhole)),
                "{text}: {refused:?}"
            );
        }
        let allowed = ["127.0.0.1:9000".to_owned()];
        assert!(check_push("http://127.0.0.1:9000/push/1", &allowed).await.is_ok());
        assert!(check_push("http://127.0.0.1:9001/push/1", &allowed).await.is_err());
    }

    #[tokio::test]
    async fn only_the_very_host_and_port_that_are_allowed_are_excepted() {
        let allowed = ["127.0.0.1:9000".to_owned()];

        assert!(check("http://127.0.0.1:9000/", &allowed).await.is_ok());
        assert_eq!(check("http://127.0.0.1:9001/", &allowed).await, Err(UrlError::NotHttps));
        let other = check("https://127.0.0.2:9000/", &allowed).await;
        assert!(matches!(other, Err(UrlError::Internal(_))));
    }
}
