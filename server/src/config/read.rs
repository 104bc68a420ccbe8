//! Reading the configuration: where each value comes from, and what is wrong with it by name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Spanned, Table, Value};

use super::{Config, ConfigError};
use crate::photos::store::BucketAddress;

/// Keys whose values are shown to nobody.
const SECRET: [&str; 2] = ["metrics_token", "photo_store_secret"];

/// A configuration, and where each of its values comes from.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The configuration.
    pub config: Config,
    /// Where each key's value comes from.
    pub origins: BTreeMap<String, Origin>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was set nowhere.
    Default,
    /// A line of the file, counted from 1.
    File(PathBuf, usize),
    /// A variable of the environment.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl Effective {
    /// Reads a file, when there is one, and what the environment says over it.
    pub fn load(
        file: Option<&Path>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let defaults = Table::try_from(Config::default()).expect("the defaults are TOML");
        let mut table = Table::new();
        let mut origins: BTreeMap<_, _> =
            defaults.keys().map(|key| (key.clone(), Origin::Default)).collect();
        if let Some(path) = file {
            read_file(path, &defaults, &mut table, &mut origins)?;
        }
        for (key, default) in &defaults {
            let name = variable_of(key);
            if let Some(text) = variable(&name) {
                let origin = Origin::Variable(name);
                let value = like(default, &text).map_err(|kind| ConfigError::Value {
                    place: origin.to_string(),
                    key: key.clone(),
                    why: format!("is not {kind}"),
                })?;
                fits(key, &value, default, &origin)?;
                table.insert(key.clone(), value);
                origins.insert(key.clone(), origin);
            }
        }
        Ok(Self { config: table.try_into().expect("each value was tried"), origins })
    }

    /// Each key as `key = value` with its origin; secrets are masked.
    pub fn lines(&self) -> Vec<(String, String, Origin)> {
        let table = Table::try_from(&self.config).expect("a configuration is TOML");
        let line = |(key, value): (String, Value)| {
            let origin = self.origins.get(&key).cloned().unwrap_or(Origin::Default);
            (key.clone(), shown(&key, &value), origin)
        };
        table.into_iter().map(line).collect()
    }
}

/// The variable that sets a key.
pub fn variable_of(key: &str) -> String {
    format!("DOORSTEP_{}", key.to_uppercase())
}

fn read_file(
    path: &Path,
    defaults: &Table,
    table: &mut Table,
    origins: &mut BTreeMap<String, Origin>,
) -> Result<(), ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.display().to_string(), source })?;
    let line_of = |at: usize| text.get(..at).unwrap_or(&text).matches('\n').count() + 1;
    let read: BTreeMap<Spanned<String>, Spanned<Value>> =
        toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(span.start));
            let place = Origin::File(path.to_owned(), line).to_string();
            ConfigError::Syntax { place, why: error.message().to_owned() }
        })?;
    for (key, value) in read {
        let origin = Origin::File(path.to_owned(), line_of(key.span().start));
        let key = key.into_inner();
        let Some(default) = defaults.get(&key) else {
            let known: Vec<&str> = defaults.keys().map(String::as_str).collect();
            let advice = match closest(&key, &known) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("the keys are {}", known.join(", ")),
            };
            return Err(ConfigError::UnknownKey { place: origin.to_string(), key, advice });
        };
        let value = value.into_inner();
        fits(&key, &value, default, &origin)?;
        table.insert(key.clone(), value);
        origins.insert(key, origin);
    }
    Ok(())
}

/// Tries one value by itself, so that what is wrong has a name and a place.
fn fits(key: &str, value: &Value, default: &Value, origin: &Origin) -> Result<(), ConfigError> {
    let alone = Table::from_iter([(key.to_owned(), value.clone())]);
    alone.try_into::<Config>().map(drop).map_err(|error| ConfigError::Value {
        place: origin.to_string(),
        key: key.to_owned(),
        why: format!(
            "does not fit: {}; the default is {default}",
            error.message().trim_end_matches('\n')
        ),
    })
}

/// Reads a variable as a value of the default's kind; lists are separated by commas.
fn like(default: &Value, text: &str) -> Result<Value, &'static str> {
    let text = text.trim();
    let (value, kind) = match default {
        Value::Integer(_) => (text.parse().ok().map(Value::Integer), "a whole number"),
        Value::Boolean(_) => (text.parse().ok().map(Value::Boolean), "true or false"),
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let items = items.map(|item| Value::String(item.to_owned()));
            (Some(Value::Array(items.collect())), "a list")
        }
        Value::String(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_) => {
            (Some(Value::String(text.to_owned())), "text")
        }
    };
    value.ok_or(kind)
}

fn shown(key: &str, value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    if SECRET.contains(&key) && !text.is_empty() {
        return "\"…\"".to_owned();
    }
    if key == "database" {
        return format!("{:?}", without_password(text));
    }
    if key == "photo_store" && text.contains("://") && !BucketAddress::is_one(text) {
        // A secret at the wrong place is as secret as elsewhere.
        return "\"…\"".to_owned();
    }
    value.to_string()
}

/// A database's URL as it may be shown.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (before, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let shown = match before.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:…@{host}"),
            None => before.to_owned(),
        },
        None => before.to_owned(),
    };
    // A password may stand among the parameters too.
    let parameters = if parameters.is_empty() { "" } else { "?…" };
    format!("{scheme}://{shown}{parameters}")
}

/// The known key that differs in the fewest letters, when it is few.
fn closest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let distance = |other: &str| {
        let mut row: Vec<usize> = (0..=other.len()).collect();
        for (at, letter) in key.bytes().enumerate() {
            let mut before = row[0];
            row[0] = at + 1;
            for (to, other) in other.bytes().enumerate() {
                let change = before + usize::from(letter != other);
                before = row[to + 1];
                row[to + 1] = change.min(before + 1).min(row[to] + 1);
            }
        }
        row[other.len()]
    };
    let nearest = known.iter().map(|it| (distance(it), *it)).min()?;
    (nearest.0 <= 3).then_some(nearest.1)
}
