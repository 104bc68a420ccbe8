//! What documents said, kept beside the log: a phone that opens reads only those anew that changed since.
//!
//! It is made from the documents' bytes and carries their name. Losing it costs time and nothing else.

use domain::id::JobId;
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Device;
use crate::limits;

/// How [`crate::document::json`] tells documents; raised when it tells something otherwise, so that all are read anew.
pub(super) const VERSION: u8 = 1;

impl Device {
    /// What the documents say, each under the name of what was read; those that nobody asked for are read.
    pub fn said(&self) -> Vec<u8> {
        let told: Vec<_> = self
            .replicas
            .iter()
            .filter_map(|(job, replica)| Some((job, replica.name(), replica.said()?)))
            .collect();
        let mut kept = Vec::new();
        let mut e = Encoder::new(&mut kept);
        let written = e.array(told.len() as u64).and_then(|e| {
            told.iter().try_fold(e, |e, (job, name, said)| {
                e.bytes(job.0.as_bytes())?.bytes(name)?.bytes(said)
            })
        });
        written.map(drop).expect("memory takes all bytes");
        kept
    }

    /// Takes what an earlier start kept of them; tells for how many documents it still holds.
    pub fn lend(&mut self, kept: &[u8]) -> usize {
        let mut d = Decoder::new(kept);
        let Ok(Some(count)) = d.array() else { return 0 };
        let mut lent = 0;
        for _ in 0..count {
            let read = (d.bytes().ok(), d.bytes().ok(), d.bytes().ok());
            let (Some(job), Some(name), Some(said)) = read else { break };
            let replica = Uuid::from_slice(job).ok().and_then(|id| self.replicas.get(&JobId(id)));
            lent += usize::from(replica.is_some_and(|it| it.name() == name && it.lend(said)));
        }
        lent
    }
}

/// Writes what a document says.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut Encoder::new(&mut bytes)).expect("memory takes all bytes");
    bytes
}

/// Reads what [`encode`] wrote; nothing for anything else.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    read(&mut Decoder::new(bytes), 0)
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write(value: &Value, e: &mut Encoder<&mut Vec<u8>>) -> Written {
    match value {
        Value::Null => e.null()?.ok(),
        Value::Bool(value) => e.bool(*value)?.ok(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => e.i64(value)?.ok(),
            (None, Some(value)) => e.u64(value)?.ok(),
            (None, None) => e.f64(number.as_f64().unwrap_or_default())?.ok(),
        },
        Value::String(text) => e.str(text)?.ok(),
        Value::Array(values) => {
            e.array(values.len() as u64)?;
            values.iter().try_for_each(|value| write(value, e))
        }
        Value::Object(map) => {
            e.map(map.len() as u64)?;
            map.iter().try_for_each(|(name, value)| {
                e.str(name)?;
                write(value, e)
            })
        }
    }
}

fn read(d: &mut Decoder<'_>, depth: usize) -> Option<Value> {
    // A document's root lies above what is counted there.
    if depth > limits::VALUE_DEPTH + 1 {
        return None;
    }
    match d.datatype().ok()? {
        Type::Null => d.null().ok().map(|()| Value::Null),
        Type::Bool => d.bool().ok().map(Value::Bool),
        Type::String => d.str().ok().map(Value::from),
        Type::F64 => d.f64().ok().map(Value::from),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => d.u64().ok().map(Value::from),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => d.i64().ok().map(Value::from),
        Type::Array => {
            let count = d.array().ok()??;
            (0..count).map(|_| read(d, depth + 1)).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        Type::Map => {
            let count = d.map().ok()??;
            let entry = |_| Some((d.str().ok()?.to_owned(), read(d, depth + 1)?));
            (0..count).map(entry).collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        Type::Undefined
        | Type::Int
        | Type::F16
        | Type::F32
        | Type::Simple
        | Type::Bytes
        | Type::BytesIndef
        | Type::StringIndef
        | Type::ArrayIndef
        | Type::MapIndef
        | Type::Tag
        | Type::Break
        | Type::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn s8_what_was_said_is_read_to_the_last_bit(value in values()) {
            let read = decode(&encode(&value));
            prop_assert_eq!(read.map(|it| it.to_string()), Some(value.to_string()));
        }

        #[test]
        fn s17_bytes_of_nobody_are_read_as_nothing_or_something_and_never_end_the_phone(bytes: Vec<u8>) {
            let _any = decode(&bytes);
            prop_assert_eq!(Device::new().lend(&bytes), 0);
        }
    }

    #[test]
    fn s17_what_is_nested_deeper_than_any_document_is_not_read() {
        for around in [|value| json!([value]), |value| json!({ "in": value })] {
            let nested = |depth| (0..depth).fold(json!(1), |value, _| around(value));

            assert!(decode(&encode(&nested(limits::VALUE_DEPTH + 1))).is_some());
            assert!(decode(&encode(&nested(limits::VALUE_DEPTH + 2))).is_none());
        }
    }
}
