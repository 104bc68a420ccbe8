//! Addresses that strangers hand in: where messages may be sent, and for whom they can be encrypted (check 44).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use server::reach::message::takes_messages;
use server::webhooks::guard::{check, check_push};
use tokio::runtime::Builder;

use crate::Inputs;

/// The push services of browsers, in the target's own words.
const SERVICES: [&str; 4] = [
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
];

/// Looks at a webhook's URL and at a push endpoint. Names are not resolved: only numbers are looked at whole.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let host = Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    let number: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let runtime = Builder::new_current_thread().build().expect("a runtime of one thread");
    let is_service =
        SERVICES.iter().any(|it| host.ends_with(it) && (it.starts_with('.') || host == *it));
    if !is_service {
        let pushed = runtime.block_on(check_push(text, &[]));
        assert!(pushed.is_err(), "messages go to push services only");
    }
    if number.is_none() {
        return;
    }
    let Ok(target) = runtime.block_on(check(text, &[])) else { return };
    assert_eq!(target.url.scheme(), "https");
    assert!(target.url.username().is_empty() && target.url.password().is_none());
    assert!(!target.addresses.is_empty(), "it leads somewhere");
    for address in &target.addresses {
        assert!(is_of_the_internet(address.ip()), "{address} stands beside the server");
    }
    let again = runtime.block_on(check(target.url.as_str(), &[])).expect("it was let through");
    assert_eq!(again, target, "the same as it is written out");
}

/// Said in another way than the guard says it.
fn is_of_the_internet(address: IpAddr) -> bool {
    let four = match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) => address.to_ipv4(),
    };
    match (four, address) {
        (Some(four), _) => {
            let number = u32::from(four);
            let inside = |net: u32, bits: u32| number >> (32 - bits) == net >> (32 - bits);
            let beside = [
                (0, 8),
                (0x0a00_0000, 8),
                (0x6440_0000, 10),
                (0x7f00_0000, 8),
                (0xa9fe_0000, 16),
                (0xac10_0000, 12),
                (0xc0a8_0000, 16),
                (0xc612_0000, 15),
                (0xe000_0000, 3),
            ];
            !beside.iter().any(|(net, bits)| inside(*net, *bits))
        }
        (None, IpAddr::V6(six)) => {
            let first = six.segments()[0];
            (0x2000..0x4000).contains(&first) && first != 0x2002
        }
        (None, IpAddr::V4(_)) => false,
    }
}

/// Looks at a browser's keys: the length of the first in one byte, both keys behind it.
pub(crate) fn push(bytes: &[u8]) {
    let Some((&length, keys)) = bytes.split_first() else { return };
    let (p256dh, auth) = keys.split_at(usize::from(length).min(keys.len()));
    if takes_messages("https://fcm.googleapis.com/fcm/send/x", p256dh, auth) {
        assert_eq!((p256dh.len(), p256dh[0], auth.len()), (65, 4, 16), "an uncompressed point");
    }
}

/// What is sent where, and what people try.
pub(crate) fn seeds() -> Inputs {
    let texts = [
        "https://1.1.1.1/hook?a=b#c",
        "https://user:word@1.1.1.1/",
        "https://[2606:4700::1111]:8443/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://100.64.0.1/",
        "https://[64:ff9b::7f00:1]/",
        "http://10.0.0.1:9000/",
        "https://fcm.googleapis.com/fcm/send/x",
        "https://wns2.notify.windows.com/w/?token=x",
        "https://fcm.googleapis.com.example.com/",
        "https://例子.测试/",
        "file:///etc/passwd",
    ];
    let named = texts.into_iter().enumerate();
    named.map(|(number, text)| (format!("url-{number:02}"), text.as_bytes().to_vec())).collect()
}

/// The keys of RFC 8291's example, and the same in other forms.
pub(crate) fn pushes() -> Inputs {
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("an example of a standard");
    let point = decoded(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    );
    let auth = decoded("BTBZMqHH6r4Tts7J_aSIgg");
    let keys = |point: &[u8], auth: &[u8]| {
        [&[u8::try_from(point.len()).unwrap_or(u8::MAX)], point, auth].concat()
    };
    let compressed = [&[2], &point[1..33]].concat();
    vec![
        ("example".to_owned(), keys(&point, &auth)),
        ("compressed".to_owned(), keys(&compressed, &auth)),
        ("no-point".to_owned(), keys(&[4; 65], &auth)),
        ("infinity".to_owned(), keys(&[0], &auth)),
        ("short".to_owned(), keys(&point, &auth[..15])),
    ]
}
