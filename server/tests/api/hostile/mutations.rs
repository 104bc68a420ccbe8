//! Bodies as nobody should send them, each made of a valid one by a seed.

use std::io::Write as _;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::asking::leaves;
use super::bodies::Sent;

/// Dice that fall the same way each time (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

/// A body on its way, with what is said of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Malformed {
    /// How it was made.
    pub(crate) how: &'static str,
    pub(crate) kind: Option<&'static str>,
    pub(crate) encoding: Option<&'static str>,
    pub(crate) bytes: Vec<u8>,
    /// What stands in the path in place of an id.
    pub(crate) id: Option<&'static str>,
}

const JSON: &str = "application/json";

/// Stands where something is put in that is no JSON of ours.
const DOOR: char = '\u{1f6aa}';

/// Strings that mean something to somebody else.
const WORDS: [&str; 14] = [
    "' or 1=1 --",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "{{7*7}} ${7*7} %s%n",
    "=cmd|' /C calc'!A0",
    "\u{202e}\u{2066}bidi\u{2069}\u{200b}\u{feff}",
    "\0\u{1}\u{7f}\u{85}",
    "\r\nset-cookie: a=b\r\n\r\n",
    "\u{10ffff}\u{fffe}\u{e000}",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}",
    "00000000-0000-0000-0000-000000000000",
    "9999-12-31",
    "-0001-01-01",
    "\u{1b}[2J\u{1b}[31m",
];

/// Numbers at the edges, written as they stand.
const NUMBERS: [&str; 12] = [
    "-9223372036854775808",
    "9223372036854775807",
    "18446744073709551615",
    "99999999999999999999999999",
    "1e308",
    "1e999",
    "-1",
    "0.1",
    "1e-400",
    "253402300800000",
    "-62135596800001",
    "1E+2",
];

const KINDS: [&str; 8] = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/cbor",
    "application/json; charset=utf-16",
    "image/jpeg",
    "a/b",
];

const IDS: [&str; 8] = [
    "x",
    "%00",
    "%ff%fe",
    "..%2f..%2fhall.db",
    "00000000-0000-0000-0000-000000000000",
    "%E4%B8%AD%E6%96%87",
    "-1",
    "{00000000000000000000000000000001}",
];

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From nothing to one below.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        *self.pick(all)
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Makes a valid body malformed.
pub(crate) fn malformed(valid: &Sent, dice: &mut Dice) -> Malformed {
    let mut made = match valid {
        Sent::Nothing => Malformed {
            how: "unasked",
            kind: Some(JSON),
            bytes: b"{}".to_vec(),
            ..Malformed::default()
        },
        Sent::Json(body) => written(body, dice),
        Sent::Bytes(kind, bytes) => binary(kind, bytes, dice),
    };
    match dice.below(12) {
        0 => made = Malformed { how: "kind", kind: Some(dice.of(&KINDS)), ..made },
        1 => made = Malformed { how: "no kind", kind: None, ..made },
        2 => pack(&mut made, dice),
        3 => made = Malformed { how: "id", id: Some(dice.of(&IDS)), ..made },
        _ => {}
    }
    made
}

fn written(body: &Value, dice: &mut Dice) -> Malformed {
    let mut places = leaves(body, String::new());
    places.push(String::new());
    let at = dice.pick(&places).clone();
    let (how, bytes) = match dice.below(3) {
        0 => at_a_leaf(body.clone(), &at, dice),
        1 => spliced_in(body.clone(), &at, dice),
        _ => as_a_whole(body.clone(), dice),
    };
    Malformed { how, kind: Some(JSON), bytes, ..Malformed::default() }
}

/// JSON in which one value is not what it should be.
fn at_a_leaf(mut body: Value, at: &str, dice: &mut Dice) -> (&'static str, Vec<u8>) {
    let (how, value) = match dice.below(4) {
        0 => {
            let empty = [json!(null), json!([]), json!({}), json!([{}])];
            (
                "type",
                [&empty[..], &[json!(true), json!("x"), json!(-1)]].concat()[dice.below(7)].clone(),
            )
        }
        1 => {
            let length = dice.of(&[101, 1_001, 5_000, 70_000, 900_000, 1_500_000]);
            ("giant", json!("长".repeat(length / 3)))
        }
        2 => ("words", json!(dice.of(&WORDS))),
        _ => {
            let many = dice.of(&[301, 5_001, 60_000]);
            ("many", Value::Array(vec![body.pointer(at).cloned().unwrap_or_default(); many]))
        }
    };
    put(&mut body, at, value);
    (how, body.to_string().into_bytes())
}

/// Text in which one value is nothing that we would write.
fn spliced_in(mut body: Value, at: &str, dice: &mut Dice) -> (&'static str, Vec<u8>) {
    let (how, text) = match dice.below(4) {
        0 => ("number", dice.of(&NUMBERS).to_owned()),
        1 => {
            let depth = dice.of(&[100, 127, 200, 5_000, 100_000]);
            ("deep", "[".repeat(depth) + &"]".repeat(depth))
        }
        2 => ("deep objects", "{\"a\":".repeat(dice.of(&[130, 50_000]))),
        _ => {
            let odd = ["\"\\ud800\"", "\"\\u0000\"", "\"\\udc00\\ud800\"", "\"\\x\"", "\"\u{1}\""];
            ("escape", dice.of(&odd).to_owned())
        }
    };
    put(&mut body, at, json!(DOOR));
    let text = body.to_string().replacen(&format!("\"{DOOR}\""), &text, 1);
    (how, text.into_bytes())
}

/// A body of which something is gone, doubled or broken.
fn as_a_whole(mut body: Value, dice: &mut Dice) -> (&'static str, Vec<u8>) {
    let text = body.to_string();
    let mut bytes = text.clone().into_bytes();
    match dice.below(6) {
        0 => {
            bytes.truncate(dice.below(text.len()));
            ("cut", bytes)
        }
        1 => {
            let odd: [&[u8]; 5] =
                [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\0", b"\xf8\x88\x80\x80\x80"];
            let place = dice.below(bytes.len());
            bytes.splice(place..place, dice.of(&odd).iter().copied());
            ("utf-8", bytes)
        }
        2 => {
            let inner = text.trim_matches(['{', '}']);
            ("twice", text.replacen('{', &format!("{{{inner},"), 1).into_bytes())
        }
        3 => {
            if let Value::Object(fields) = &mut body {
                let key = fields.keys().nth(dice.below(fields.len())).cloned();
                fields.remove(&key.unwrap_or_default());
            }
            ("missing", body.to_string().into_bytes())
        }
        4 => {
            let odd: [&[u8]; 8] =
                [b"", b" ", b"null", b"[]", b"\xef\xbb\xbf{}", b"{}{}", b"\"x\"", b"NaN"];
            ("no object", dice.of(&odd).to_vec())
        }
        _ => {
            for _ in 0..=dice.below(8) {
                let place = dice.below(bytes.len());
                bytes[place] ^= 1 << dice.below(8);
            }
            ("flipped", bytes)
        }
    }
}

fn binary(kind: &'static str, valid: &[u8], dice: &mut Dice) -> Malformed {
    let mut bytes = valid.to_vec();
    let how = match dice.below(10) {
        0 => {
            bytes.truncate(dice.below(bytes.len()));
            "cut"
        }
        1 | 2 => {
            for _ in 0..=dice.below(16) {
                let place = dice.below(bytes.len());
                bytes[place] ^= 1 << dice.below(8);
            }
            "flipped"
        }
        3 => {
            bytes = (0..dice.below(4_000)).map(|_| dice.next().to_le_bytes()[0]).collect();
            "noise"
        }
        4 => {
            let heads: [&[u8]; 6] = [
                b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
                b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
                b"\xbf\x00\x9f\xff",
                b"PK\x03\x04",
                b"\xff\xd8\xff\xe0\0\x10JFIF\0",
                b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x0f\xff\xff\0\x0f\xff\xff\x08\x06\0\0\0",
            ];
            bytes = [dice.of(&heads), &bytes[..]].concat();
            "head"
        }
        5 => {
            bytes =
                [vec![dice.of(&[0x81, 0xa1, 0xc1, 0x9f]); dice.of(&[64, 10_000, 400_000])], bytes]
                    .concat();
            "deep"
        }
        6 => {
            let place = dice.below(bytes.len());
            let again = bytes[place..].to_vec();
            bytes.extend(again);
            "longer"
        }
        7 => {
            let place = dice.below(bytes.len());
            bytes.splice(place..place, b"\0,\"\n\"\",=1+1,\xff\xfe".iter().copied());
            "inside"
        }
        8 => {
            bytes = multipart(&bytes);
            "multipart"
        }
        _ => {
            bytes.clear();
            "empty"
        }
    };
    Malformed { how, kind: Some(kind), bytes, ..Malformed::default() }
}

/// A form in parts that never end.
fn multipart(bytes: &[u8]) -> Vec<u8> {
    let head =
        b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"../x\0.csv\"\r\n\r\n";
    [head.as_slice(), bytes, b"\r\n--x\r\n--y--\r\n"].concat()
}

/// Says that a body is packed: truly, wrongly, or as a bomb.
fn pack(made: &mut Malformed, dice: &mut Dice) {
    let encodings = ["gzip", "gzip", "gzip", "deflate", "br", "zstd", "identity", "gzip, gzip"];
    made.encoding = Some(dice.of(&encodings));
    match dice.below(8) {
        0 => {
            made.how = "bomb";
            made.bytes.clone_from(dice.pick(bombs()));
        }
        1 => made.how = "said to be packed",
        _ => {
            made.how = "packed";
            made.bytes = gzip(&made.bytes);
        }
    }
    if dice.below(4) == 0 {
        made.bytes.truncate(made.bytes.len() / 2);
    }
}

/// Some kilobytes that unpack to megabytes.
pub(crate) fn bombs() -> &'static [Vec<u8>] {
    static BOMBS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    BOMBS.get_or_init(|| [2 << 20, 48 << 20].map(|length| gzip(&vec![b' '; length])).into())
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(plain).and_then(|()| packer.finish()).expect("memory takes it")
}

fn put(body: &mut Value, at: &str, value: Value) {
    if let Some(place) = body.pointer_mut(at) {
        *place = value;
    }
}
