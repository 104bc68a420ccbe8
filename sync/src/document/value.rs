//! JSON values in and out of Automerge maps.

use automerge::hydrate;
use automerge::transaction::Transactable;
use automerge::{Automerge, AutomergeError, ObjId, ObjType, ScalarValue};
use serde_json::{Map, Number, Value};

use crate::limits;

/// Why a value has no counterpart on the other side.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// A whole number beyond 64 signed bits.
    #[error("number {0} does not fit 64 signed bits")]
    NumberTooBig(Number),
    /// Deeper than any value of a job.
    #[error("value is nested deeper than {} levels", limits::VALUE_DEPTH)]
    TooDeep,
    /// A kind of value that no job holds, such as bytes or not-a-number.
    #[error("value of a kind that has no JSON")]
    NotJson,
    /// Automerge refused to write it.
    #[error(transparent)]
    Automerge(#[from] AutomergeError),
}

/// Reads the whole document as JSON, for people and for comparing two documents.
pub fn json(doc: &Automerge) -> Result<Value, ValueError> {
    read_value(&doc.hydrate(None), 0)
}

/// Reads a value of the document as JSON.
pub(crate) fn read_value(value: &hydrate::Value, depth: usize) -> Result<Value, ValueError> {
    if depth > limits::VALUE_DEPTH {
        return Err(ValueError::TooDeep);
    }
    match value {
        hydrate::Value::Scalar(scalar) => read_scalar(scalar),
        hydrate::Value::Map(map) => map
            .iter()
            .map(|(key, item)| Ok((key.clone(), read_value(&item.value, depth + 1)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
        hydrate::Value::List(list) => list
            .iter()
            .map(|item| read_value(&item.value, depth + 1))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        hydrate::Value::Text(text) => Ok(Value::String(text.to_string())),
    }
}

/// Reads one scalar.
pub(crate) fn read_scalar(scalar: &ScalarValue) -> Result<Value, ValueError> {
    match scalar {
        ScalarValue::Null => Ok(Value::Null),
        ScalarValue::Boolean(truth) => Ok(Value::Bool(*truth)),
        ScalarValue::Int(number) => Ok(Value::from(*number)),
        ScalarValue::Uint(number) => Ok(Value::from(*number)),
        ScalarValue::F64(number) => {
            Number::from_f64(*number).map(Value::Number).ok_or(ValueError::NotJson)
        }
        ScalarValue::Str(text) => Ok(Value::String(text.to_string())),
        ScalarValue::Bytes(_)
        | ScalarValue::Counter(_)
        | ScalarValue::Timestamp(_)
        | ScalarValue::Unknown { .. } => Err(ValueError::NotJson),
    }
}

/// Writes `value` under `key` of a map, replacing what is there.
pub(crate) fn put_value<T: Transactable>(
    tx: &mut T,
    map: &ObjId,
    key: &str,
    value: &Value,
) -> Result<(), ValueError> {
    put(tx, map, key, value, 1)
}

fn put<T: Transactable>(
    tx: &mut T,
    map: &ObjId,
    key: &str,
    value: &Value,
    depth: usize,
) -> Result<(), ValueError> {
    if let Some(scalar) = to_scalar(value)? {
        return Ok(tx.put(map, key, scalar)?);
    }
    let made = tx.put_object(map, key, object_type(value))?;
    fill(tx, &made, value, depth)
}

fn insert<T: Transactable>(
    tx: &mut T,
    list: &ObjId,
    index: usize,
    value: &Value,
    depth: usize,
) -> Result<(), ValueError> {
    if let Some(scalar) = to_scalar(value)? {
        return Ok(tx.insert(list, index, scalar)?);
    }
    let made = tx.insert_object(list, index, object_type(value))?;
    fill(tx, &made, value, depth)
}

fn fill<T: Transactable>(
    tx: &mut T,
    into: &ObjId,
    value: &Value,
    depth: usize,
) -> Result<(), ValueError> {
    if depth > limits::VALUE_DEPTH {
        return Err(ValueError::TooDeep);
    }
    match value {
        Value::Object(map) => {
            map.iter().try_for_each(|(key, item)| put(tx, into, key, item, depth + 1))
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| insert(tx, into, index, item, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn object_type(value: &Value) -> ObjType {
    if value.is_array() { ObjType::List } else { ObjType::Map }
}

fn to_scalar(value: &Value) -> Result<Option<ScalarValue>, ValueError> {
    Ok(match value {
        Value::Null => Some(ScalarValue::Null),
        Value::Bool(truth) => Some(ScalarValue::Boolean(*truth)),
        Value::String(text) => Some(ScalarValue::Str(text.as_str().into())),
        Value::Number(number) => Some(match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => ScalarValue::Int(whole),
            (None, Some(real)) if number.is_f64() => ScalarValue::F64(real),
            _ => return Err(ValueError::NumberTooBig(number.clone())),
        }),
        Value::Array(_) | Value::Object(_) => None,
    })
}
