//! What differs between two packs, by table and item, for people who have to decide on one.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::{Table, Value};

use super::Pack;

/// One thing that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The table of the pack, such as `reading.fit` or `conduct`.
    pub table: String,
    /// The item of a list, by its own name; none for a table's own values.
    pub item: Option<String>,
    /// The item's words in Chinese, where it has some.
    pub zh: Option<String>,
    /// The item's words in English, where it has some.
    pub en: Option<String>,
    /// The value's name; none when a whole item or table came or went.
    pub field: Option<String>,
    /// What it was; none when it is new.
    pub was: Option<String>,
    /// What it is; none when it is gone.
    pub is: Option<String>,
    /// Where the old value comes from.
    pub was_source: Option<String>,
    /// Where the new value comes from.
    pub is_source: Option<String>,
}

/// A table, or one item of a list, with its values as text.
#[derive(Clone, Debug, Default)]
struct Part {
    zh: Option<String>,
    en: Option<String>,
    source: Option<String>,
    values: BTreeMap<String, String>,
}

/// Tables and items, by table and item.
type Parts = BTreeMap<(String, Option<String>), Part>;

/// Lists what differs; id and first day are what every pack has of its own, so they are left out.
pub fn compare(old: &Pack, new: &Pack) -> Vec<Difference> {
    let (old, new) = (parts(old), parts(new));
    let mut found = Vec::new();
    let mut keys: Vec<_> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        match (old.get(key), new.get(key)) {
            (Some(was), Some(is)) => found.extend(changed(key, was, is)),
            (Some(was), None) => found.push(whole(key, Some(was), None)),
            (None, is) => found.push(whole(key, None, is)),
        }
    }
    found
}

fn begun(key: &(String, Option<String>), was: Option<&Part>, is: Option<&Part>) -> Difference {
    let named = is.or(was);
    Difference {
        table: key.0.clone(),
        item: key.1.clone(),
        zh: named.and_then(|it| it.zh.clone()),
        en: named.and_then(|it| it.en.clone()),
        was_source: was.and_then(|it| it.source.clone()),
        is_source: is.and_then(|it| it.source.clone()),
        ..Difference::default()
    }
}

/// A whole table or item that came or went.
fn whole(key: &(String, Option<String>), was: Option<&Part>, is: Option<&Part>) -> Difference {
    let told = |part: &Part| {
        let values = part.values.iter().map(|(field, value)| format!("{field} = {value}"));
        values.collect::<Vec<_>>().join("; ")
    };
    Difference { was: was.map(told), is: is.map(told), ..begun(key, was, is) }
}

fn changed(key: &(String, Option<String>), was: &Part, is: &Part) -> Vec<Difference> {
    let mut fields: Vec<_> = was.values.keys().chain(is.values.keys()).collect();
    fields.sort();
    fields.dedup();
    let differ = fields.into_iter().filter(|field| was.values.get(*field) != is.values.get(*field));
    let mut found: Vec<_> = differ
        .map(|field| Difference {
            field: Some(field.clone()),
            was: was.values.get(field).cloned(),
            is: is.values.get(field).cloned(),
            ..begun(key, Some(was), Some(is))
        })
        .collect();
    // The same number from another source is a difference too: it is defended in another way.
    if found.is_empty() && was.source != is.source {
        found.push(Difference {
            field: Some("source".to_owned()),
            was: was.source.clone(),
            is: is.source.clone(),
            ..begun(key, Some(was), Some(is))
        });
    }
    found
}

fn parts(pack: &Pack) -> Parts {
    let mut parts = Parts::new();
    let Ok(Value::Table(mut whole)) = Value::try_from(pack) else { return parts };
    whole.remove("id");
    whole.remove("valid_from");
    add_table(&mut parts, "pack", whole);
    parts
}

/// Adds a table: its plain values as its own, tables with a source as tables, lists of tables as items.
fn add_table(parts: &mut Parts, name: &str, table: Table) {
    let is_top = name == "pack";
    let below = |key: &str| if is_top { key.to_owned() } else { format!("{name}.{key}") };
    let mut own = Part::default();
    for (key, value) in table {
        match value {
            Value::Table(inner) if is_top && inner.values().all(Value::is_table) => {
                for (item, value) in inner {
                    parts.insert((key.clone(), Some(item)), item_of(&value));
                }
            }
            Value::Table(inner) if is_top || inner.contains_key("source") => {
                add_table(parts, &below(&key), inner);
            }
            Value::Table(inner) => {
                let values = inner.into_iter();
                own.values.extend(
                    values.map(|(field, value)| (format!("{key}.{field}"), value.to_string())),
                );
            }
            Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_table) => {
                for item in &items {
                    parts.insert((below(&key), Some(name_of(item))), item_of(item));
                }
            }
            Value::String(source) if key == "source" => own.source = Some(source),
            plain @ (Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)) => drop(own.values.insert(key, plain.to_string())),
        }
    }
    parts.insert((name.to_owned(), None), own);
}

/// What an item of a list is called: its id, its occasion, or the rule with the kinds that it binds.
fn name_of(item: &Value) -> String {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let kinds = item.get("kinds").and_then(Value::as_array);
    let kinds: Vec<&str> = kinds.into_iter().flatten().filter_map(Value::as_str).collect();
    text("id").or(text("occasion")).map_or_else(
        || format!("{} {}", text("rule").unwrap_or_default(), kinds.join(" ")).trim().to_owned(),
        str::to_owned,
    )
}

fn item_of(item: &Value) -> Part {
    let text = |key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    let values = item.as_table().into_iter().flatten();
    let values = values.filter(|(key, _)| !matches!(key.as_str(), "id" | "source"));
    Part {
        zh: text("zh"),
        en: text("en"),
        source: text("source"),
        values: values.map(|(key, value)| (key.clone(), value.to_string())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::BUILTIN;

    #[test]
    fn a_pack_does_not_differ_from_itself_under_another_name() {
        let renamed = BUILTIN.replacen("id = \"city-gas-2026-11-01\"", "id = \"other\"", 1);

        assert_eq!(compare(&Pack::builtin(), &Pack::parse(&renamed).unwrap()), []);
    }

    #[test]
    fn what_changed_came_and_went_is_told_by_table_and_item_with_both_sources() {
        let new = with(&[
            ("late_grace_minutes = 0", "late_grace_minutes = 10"),
            ("no grace is our choice, the strictest reading", "ten minutes by the city's notice"),
            ("id = \"tool_mat\"", "id = \"clean_mat\""),
            ("repair = 40 }", "repair = 55 }"),
            ("minutes = 2880", "minutes = 1440"),
            ("base_weight = 0.15", "base_weight = 0.2"),
            (
                "[kinds.meter_reading]\nneeds = [\"reading\"]",
                "[kinds.meter_reading]\nneeds = [\"reading\", \"photo\"]",
            ),
        ]);

        let told: Vec<_> = compare(&Pack::builtin(), &new)
            .into_iter()
            .map(|it| {
                let name = [Some(it.table), it.item, it.field].into_iter().flatten();
                (name.collect::<Vec<_>>().join("/"), it.was.is_some(), it.is.unwrap_or_default())
            })
            .collect();

        let told: Vec<_> =
            told.iter().map(|(name, was, is)| (name.as_str(), *was, is.as_str())).collect();
        assert_eq!(told[0].0, "conduct/clean_mat");
        assert_eq!((told[1].0, told[1].2), ("conduct/tool_mat", ""));
        assert_eq!(
            told[2..],
            [
                ("kinds/meter_reading/needs", true, "[\"reading\", \"photo\"]"),
                ("promises/B6 ignition unsealing gas_stop/minutes", true, "1440"),
                ("punctuality/late_grace_minutes", true, "10"),
                ("reading.fit/base_weight", true, "0.2"),
                ("travel/takes_minutes.repair", true, "55"),
            ]
        );
    }

    #[test]
    fn a_number_that_stays_under_another_source_is_told() {
        let old = "Rulebook B6: 48 hours on request; to look at it with a working day of 8 hours left is our choice";
        let new = with(&[(old, "City notice 12 of 2027")]);

        let found = compare(&Pack::builtin(), &new);

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].field.as_deref(), Some("source"));
        assert_eq!(found[0].is_source.as_deref(), Some("City notice 12 of 2027"));
    }

    fn with(edits: &[(&str, &str)]) -> Pack {
        let text = edits.iter().fold(BUILTIN.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        Pack::parse(&text).unwrap()
    }
}
