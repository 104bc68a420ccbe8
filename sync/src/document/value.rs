//! JSON values in and out of Automerge maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use automerge::iter::DocItem;
use automerge::transaction::Transactable;
use automerge::{
    Automerge, AutomergeError, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, ScalarValueRef, ValueRef,
};
use serde_json::{Map, Number, Value};

use crate::limits;

/// Why a value cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// A whole number beyond 64 signed bits.
    #[error("number {0} does not fit 64 signed bits")]
    NumberTooBig(Number),
    /// Deeper than any value of a job.
    #[error("value is nested deeper than {} levels", limits::VALUE_DEPTH)]
    TooDeep,
    /// Automerge refused to write it.
    #[error(transparent)]
    Automerge(#[from] AutomergeError),
}

/// The only key of the object that stands for what has no JSON, with its kind as the value.
const STRANGE: &str = "automerge";

/// Reads the whole document as JSON, for people and for comparing two documents.
///
/// What no job holds and JSON has no word for, such as bytes, becomes an object that says so.
/// One walk over the operations takes less than half the time of Automerge's own `hydrate`.
/// Whoever changes what is told raises the version in `device/said.rs`: phones keep it from one start to the next.
pub fn json(doc: &Automerge) -> Value {
    let mut tree = Tree::default();
    tree.make(ROOT, ObjType::Map, 0);
    let mut current = (Arc::new(ROOT), 0);
    for item in doc.iter() {
        if !Arc::ptr_eq(&item.obj, &current.0) {
            let Some(index) = tree.made.get(&*item.obj) else { continue };
            current = (item.obj, *index);
        }
        match item.item {
            DocItem::Map(it) => {
                let item = tree.item(it.value.clone(), current.1, || it.id());
                tree.nodes[current.1].keys.push(it.key.into_owned());
                tree.nodes[current.1].items.push(item);
            }
            DocItem::List(it) => {
                let item = tree.item(it.value.clone(), current.1, || it.id());
                tree.nodes[current.1].items.push(item);
            }
            DocItem::Text(span) => tree.nodes[current.1].text.push_str(span.as_str()),
        }
    }
    tree.finish()
}

/// The objects of a document in the order in which they were made: each after what holds it.
#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    made: BTreeMap<ObjId, usize>,
}

struct Node {
    kind: ObjType,
    depth: usize,
    keys: Vec<String>,
    items: Vec<Item>,
    text: String,
}

enum Item {
    Scalar(Value),
    Node(usize),
}

impl Tree {
    fn make(&mut self, id: ObjId, kind: ObjType, depth: usize) -> usize {
        let (keys, items, text) = (Vec::new(), Vec::new(), String::new());
        self.nodes.push(Node { kind, depth, keys, items, text });
        self.made.insert(id, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn item(&mut self, value: ValueRef<'_>, parent: usize, id: impl FnOnce() -> ObjId) -> Item {
        let depth = self.nodes[parent].depth + 1;
        match value {
            ValueRef::Scalar(scalar) => Item::Scalar(read_scalar(scalar).unwrap_or_else(strange)),
            ValueRef::Object(_) if depth > limits::VALUE_DEPTH => Item::Scalar(strange("depth")),
            ValueRef::Object(kind) => Item::Node(self.make(id(), kind, depth)),
        }
    }

    fn finish(self) -> Value {
        let mut values = vec![Value::Null; self.nodes.len()];
        for (index, node) in self.nodes.into_iter().enumerate().rev() {
            let items = node.items.into_iter().map(|item| match item {
                Item::Scalar(value) => value,
                Item::Node(child) => values[child].take(),
            });
            let value = match node.kind {
                ObjType::Map | ObjType::Table => node.keys.into_iter().zip(items).collect(),
                ObjType::List => items.collect(),
                ObjType::Text => Value::String(node.text),
            };
            values[index] = value;
        }
        values[0].take()
    }
}

fn strange(kind: &'static str) -> Value {
    Value::Object(Map::from_iter([(STRANGE.to_owned(), Value::from(kind))]))
}

/// Reads one scalar, or names its kind when it has no JSON.
pub(crate) fn read_scalar(scalar: ScalarValueRef<'_>) -> Result<Value, &'static str> {
    match scalar {
        ScalarValueRef::Null => Ok(Value::Null),
        ScalarValueRef::Boolean(truth) => Ok(Value::Bool(truth)),
        ScalarValueRef::Int(number) => Ok(Value::from(number)),
        ScalarValueRef::Uint(number) => Ok(Value::from(number)),
        ScalarValueRef::F64(number) => {
            Number::from_f64(number).map(Value::Number).ok_or("not a number")
        }
        ScalarValueRef::Str(text) => Ok(Value::String(text.into_owned())),
        ScalarValueRef::Bytes(_) => Err("bytes"),
        ScalarValueRef::Counter(_) => Err("counter"),
        ScalarValueRef::Timestamp(_) => Err("timestamp"),
        ScalarValueRef::Unknown { .. } => Err("unknown"),
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
