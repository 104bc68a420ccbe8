//! What a change adds, read off its operations without applying them.

use std::collections::BTreeMap;

use automerge::legacy::{Key, ObjectId, Op, OpType};
use automerge::{ActorId, Change, ObjType};
use serde_json::{Map, Value};

use super::Refusal;
use crate::document::read_scalar;
use crate::limits::{FACT_DEPTH, TEXT_BYTES};

/// An object of the document, named by the operation that made it; `None` is the root.
pub(super) type Object = Option<(u64, ActorId)>;

/// A new key in an object that was there before the change.
#[derive(Debug)]
pub(super) struct Addition {
    /// The counter of the operation that adds it.
    pub(super) op: u64,
    /// The object it is added to.
    pub(super) into: Object,
    /// The key.
    pub(super) key: String,
    /// What is added.
    pub(super) value: Value,
    /// The maps directly inside the value, by key, with the counters of their operations.
    pub(super) maps: BTreeMap<String, u64>,
}

/// Reads the additions of a change, in the order of its operations.
pub(super) fn additions(change: &Change) -> Result<Vec<Addition>, Refusal> {
    let expanded = change.decode();
    let mut tree = Tree { start: expanded.start_op.get(), ..Tree::default() };
    for (counter, op) in (tree.start..).zip(expanded.operations) {
        tree.add(counter, op, &expanded.actor_id)?;
    }
    Ok(tree.finish())
}

/// The maps that a change makes, on their way to being values.
#[derive(Default)]
struct Tree {
    start: u64,
    roots: Vec<(u64, Object, String, Item)>,
    maps: Vec<NewMap>,
    /// Where in `maps` an operation's map is.
    made: BTreeMap<u64, usize>,
}

enum Item {
    Scalar(Value),
    Map(usize),
}

struct NewMap {
    counter: u64,
    depth: usize,
    items: BTreeMap<String, Item>,
}

impl Tree {
    fn add(&mut self, counter: u64, op: Op, actor: &ActorId) -> Result<(), Refusal> {
        if !op.pred.is_empty() {
            return Err(Refusal::NotAnAddition(counter));
        }
        let (Key::Map(key), false) = (op.key, op.insert) else {
            return Err(Refusal::StrangeValue(counter));
        };
        let into = match op.obj {
            ObjectId::Root => None,
            ObjectId::Id(id) => Some((id.counter(), id.actor().clone())),
        };
        let parent = match &into {
            Some((at, by)) if by == actor && *at >= self.start => {
                Some(*self.made.get(at).ok_or(Refusal::UnknownObject(counter))?)
            }
            Some(_) | None => None,
        };
        let depth = parent.map_or(0, |index| self.maps[index].depth + 1);
        let item = self.item(counter, op.action, depth)?;
        let Some(parent) = parent else {
            self.roots.push((counter, into, key.to_string(), item));
            return Ok(());
        };
        match self.maps[parent].items.insert(key.to_string(), item) {
            Some(_) => Err(Refusal::Taken(key.to_string())),
            None => Ok(()),
        }
    }

    fn item(&mut self, counter: u64, action: OpType, depth: usize) -> Result<Item, Refusal> {
        match action {
            OpType::Put(scalar) => {
                let value = read_scalar(scalar.into()).ok();
                let value = value.ok_or(Refusal::StrangeValue(counter))?;
                match value.as_str() {
                    Some(text) if text.len() > TEXT_BYTES => Err(Refusal::TextTooLong(counter)),
                    Some(_) | None => Ok(Item::Scalar(value)),
                }
            }
            OpType::Make(ObjType::Map) if depth > FACT_DEPTH => Err(Refusal::TooDeep(counter)),
            OpType::Make(ObjType::Map) => {
                self.made.insert(counter, self.maps.len());
                self.maps.push(NewMap { counter, depth, items: BTreeMap::new() });
                Ok(Item::Map(self.maps.len() - 1))
            }
            OpType::Make(ObjType::List | ObjType::Text | ObjType::Table)
            | OpType::MarkBegin(_)
            | OpType::MarkEnd(_) => Err(Refusal::StrangeValue(counter)),
            OpType::Delete | OpType::Increment(_) => Err(Refusal::NotAnAddition(counter)),
        }
    }

    /// Turns the maps into values. A map's own maps were made after it, so the last come first.
    fn finish(self) -> Vec<Addition> {
        let counters: Vec<u64> = self.maps.iter().map(|map| map.counter).collect();
        let mut values: Vec<Value> = vec![Value::Null; self.maps.len()];
        let mut inner: Vec<BTreeMap<String, u64>> = vec![BTreeMap::new(); self.maps.len()];
        for (index, map) in self.maps.into_iter().enumerate().rev() {
            let mut object = Map::new();
            for (key, item) in map.items {
                let value = match item {
                    Item::Scalar(value) => value,
                    Item::Map(child) => {
                        inner[index].insert(key.clone(), counters[child]);
                        values[child].take()
                    }
                };
                object.insert(key, value);
            }
            values[index] = Value::Object(object);
        }
        let finish = |(op, into, key, item)| match item {
            Item::Scalar(value) => Addition { op, into, key, value, maps: BTreeMap::new() },
            Item::Map(map) => {
                let maps = std::mem::take(&mut inner[map]);
                Addition { op, into, key, value: values[map].take(), maps }
            }
        };
        self.roots.into_iter().map(finish).collect()
    }
}
