//! The bytes that somebody who means harm could send.

use automerge::ChangeHash;
use domain::visit::Fact;
use sha2::{Digest, Sha256};

use crate::door::Door;

/// A change chunk written by hand, field by field.
#[derive(Clone)]
pub(crate) struct Chunk {
    /// What it builds on.
    pub(crate) deps: Vec<ChangeHash>,
    /// The number of its first operation.
    pub(crate) start_op: u64,
    /// Which change of its actor it is.
    pub(crate) seq: u64,
    /// Its commit message.
    pub(crate) message: Vec<u8>,
    /// The actors it lists besides its own.
    pub(crate) others: Vec<Vec<u8>>,
    /// Its columns by specification.
    pub(crate) columns: Vec<(u64, Vec<u8>)>,
}

impl Chunk {
    /// A change that puts `times` nulls under one key of the root.
    pub(crate) fn nulls(times: i64) -> Self {
        let mut key = run(times);
        key.extend([1, b'k']);
        let unsigned = |value: u64| [run(times), leb(value)].concat();
        let columns = vec![
            (0x15, key),
            (0x34, leb(times.unsigned_abs())),
            (0x42, unsigned(1)),
            (0x56, unsigned(0)),
            (0x70, unsigned(0)),
        ];
        Self {
            deps: Vec::new(),
            start_op: 1,
            seq: 1,
            message: Vec::new(),
            others: Vec::new(),
            columns,
        }
    }

    /// The chunk's bytes, with a checksum that is right.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut body = leb(self.deps.len() as u64);
        self.deps.iter().for_each(|dep| body.extend(dep.0));
        body.extend(prefixed(b"an actor of harm"));
        body.extend(leb(self.seq));
        body.extend(leb(self.start_op));
        body.push(0);
        body.extend(prefixed(&self.message));
        body.extend(leb(self.others.len() as u64));
        self.others.iter().for_each(|other| body.extend(prefixed(other)));
        body.extend(leb(self.columns.len() as u64));
        for (spec, data) in &self.columns {
            body.extend(leb(*spec));
            body.extend(leb(data.len() as u64));
        }
        self.columns.iter().for_each(|(_, data)| body.extend(data));
        seal(1, &body)
    }
}

/// Puts a header with the right checksum before a chunk's body.
pub(crate) fn seal(kind: u8, body: &[u8]) -> Vec<u8> {
    let hashed = [vec![kind], leb(body.len() as u64), body.to_vec()].concat();
    let hash = Sha256::digest(&hashed);
    [&[0x85, 0x6f, 0x4a, 0x83], &hash[..4], &hashed].concat()
}

/// The body of a chunk, after its header.
pub(crate) fn body(chunk: &[u8]) -> &[u8] {
    let header = chunk[9..].iter().position(|byte| byte & 0x80 == 0).unwrap() + 10;
    &chunk[header..]
}

/// An unsigned number as Automerge writes it.
pub(crate) fn leb(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

/// The length of a run, a signed number that is positive.
fn run(times: i64) -> Vec<u8> {
    let mut bytes = leb(times.unsigned_abs());
    let last = bytes.len() - 1;
    if bytes[last] & 0x40 != 0 {
        bytes[last] |= 0x80;
        bytes.push(0);
    }
    bytes
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [leb(bytes.len() as u64), bytes.to_vec()].concat()
}

/// Everything that the preflight must refuse: why, what it is, the bytes.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn hostile(door: &mut Door) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let deps = door.doc.get_heads();
    let legitimate = door.fact(0x2000, &Fact::TightnessTested { tight: true });
    let nulls = Chunk { deps: deps.clone(), ..Chunk::nulls(1) };
    let with = |edit: &dyn Fn(&mut Chunk)| {
        let mut chunk = nulls.clone();
        edit(&mut chunk);
        chunk.bytes()
    };
    let bomb = |times| Chunk { deps: deps.clone(), ..Chunk::nulls(times) }.bytes();
    let column = |spec: u64, data: Vec<u8>| {
        with(&move |chunk| {
            chunk.columns.retain(|(known, _)| *known != spec);
            chunk.columns.push((spec, data.clone()));
            chunk.columns.sort_by_key(|(spec, _)| *spec);
        })
    };
    let mut zeros = vec![0xed, 0xc1, 0x01, 0x01];
    zeros.resize(20_000, 0);
    vec![
        ("TooMany", "bomb of 2^31 operations", bomb(1 << 31)),
        ("TooMany", "bomb of 2^62 operations", bomb((1 << 62) - 1)),
        ("TooMany", "bomb just over the limit", bomb(2_001)),
        ("TooMany", "bomb that builds on nothing", Chunk::nulls(1 << 31).bytes()),
        ("TooMany", "null run of 2^40 keys", column(0x15, [vec![0], leb(1 << 40)].concat())),
        ("TooMany", "insert flags for 2^40", column(0x34, leb(1 << 40))),
        ("TooMany", "predecessors of 2^40", column(0x70, [run(1), leb(1 << 40)].concat())),
        ("TooMany", "predecessor actors of 2^40", column(0x71, [run(1 << 40), leb(0)].concat())),
        ("TooMany", "predecessor counters of 2^40", column(0x73, [run(1 << 40), leb(0)].concat())),
        ("TooMany", "value of 2^50 bytes", column(0x56, [run(1), leb((1 << 54) | 6)].concat())),
        ("TooMany", "key of 2^40 bytes", column(0x15, [run(1), leb(1 << 40)].concat())),
        ("BadActors", "actor that is not listed", column(0x01, [run(1), leb(9)].concat())),
        ("Counter", "counter beyond the end", column(0x13, [run(1), leb(1 << 33)].concat())),
        ("Counter", "steps beyond the end", column(0x13, [run(3), leb(1 << 30)].concat())),
        ("BadColumn", "unknown action", column(0x42, [run(1), leb(12)].concat())),
        ("BadColumn", "marks", column(0xa5, [run(1), vec![1, b'b']].concat())),
        ("BadColumn", "unknown column", column(0xf6, vec![0; 10])),
        ("BadColumn", "deflated column", column(0x42 | 0x08, zeros.clone())),
        ("UnevenColumns", "columns of another length", column(0x42, [run(2), leb(1)].concat())),
        ("WrongLength", "run that is cut", column(0x42, vec![0x7e, 1])),
        (
            "UnevenColumns",
            "value without its bytes",
            column(0x56, [run(1), leb(1 << 4 | 6)].concat()),
        ),
        ("BadColumn", "column listed twice", with(&|it| it.columns.push((0x70, vec![1, 0])))),
        ("Counter", "start at 0", with(&|chunk| chunk.start_op = 0)),
        ("Counter", "start at 2^32 - 3", with(&|chunk| chunk.start_op = u64::from(u32::MAX) - 2)),
        ("Counter", "start beyond 2^32", with(&|chunk| chunk.start_op = u64::from(u32::MAX) + 7)),
        ("Counter", "start at 2^62", with(&|chunk| chunk.start_op = 1 << 62)),
        ("Sequence", "sequence 0", with(&|chunk| chunk.seq = 0)),
        ("Sequence", "sequence 2^62", with(&|chunk| chunk.seq = 1 << 62)),
        ("TooMany", "long message", with(&|chunk| chunk.message = vec![b'm'; 257])),
        ("TooMany", "300 actors", with(&|chunk| chunk.others = (0..300).map(number).collect())),
        ("BadActors", "actors out of order", with(&|chunk| chunk.others = vec![vec![2], vec![1]])),
        (
            "BadActors",
            "actor listed twice",
            with(&|chunk| chunk.others = vec![b"an actor of harm".to_vec()]),
        ),
        ("NotCanonical", "actor never used", with(&|chunk| chunk.others = vec![vec![1]])),
        ("BadActors", "actor of no bytes", with(&|chunk| chunk.others = vec![Vec::new()])),
        ("TooMany", "65 dependencies", with(&|chunk| chunk.deps = (0..65).map(hash).collect())),
        (
            "DependencyTwice",
            "dependency listed twice",
            with(&|chunk| chunk.deps = vec![hash(1), hash(1)]),
        ),
        ("TooMany", "2^40 dependencies", seal(1, &leb(1 << 40))),
        (
            "NotCanonical",
            "dependencies out of order",
            with(&|chunk| chunk.deps = vec![hash(2), hash(1)]),
        ),
        ("WrongKind(0)", "document chunk", door.doc.save()),
        ("WrongKind(3)", "bundle chunk", seal(3, body(&legitimate))),
        ("WrongKind(2)", "deflated change", seal(2, &zeros)),
        ("WrongKind(9)", "unknown kind", seal(9, body(&legitimate))),
        ("WrongLength", "two chunks in one", [legitimate.clone(), legitimate.clone()].concat()),
        ("WrongLength", "bytes after the end", [&legitimate[..], &[0]].concat()),
        ("WrongLength", "bytes after the columns", seal(1, &[body(&legitimate), &[1, 2]].concat())),
        ("BadNumber", "length padded", padded(&legitimate)),
        ("NoMagic", "not a chunk", b"GET / HTTP/1.1".to_vec()),
        ("WrongLength", "nothing", Vec::new()),
        ("TooLong", "a megabyte", vec![0x85; 1 << 20]),
        ("WrongLength", "claims 2^60 bytes", [&legitimate[..9], &leb(1 << 60)].concat()),
        (
            "NotCanonical",
            "a run written as two",
            Chunk { columns: split(), ..nulls.clone() }.bytes(),
        ),
    ]
}

/// Two nulls written as two runs of one, which no Automerge writes.
fn split() -> Vec<(u64, Vec<u8>)> {
    let mut columns = Chunk::nulls(2).columns;
    columns[2].1 = vec![1, 1, 1, 1];
    columns
}

/// The same chunk with a header that says its length in more bytes than it needs.
fn padded(chunk: &[u8]) -> Vec<u8> {
    let mut length = leb(body(chunk).len() as u64);
    *length.last_mut().unwrap() |= 0x80;
    length.push(0);
    [&chunk[..9], &length, body(chunk)].concat()
}

fn hash(number: u8) -> ChangeHash {
    ChangeHash([number; 32])
}

fn number(number: u16) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}
