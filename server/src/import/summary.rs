//! What an import did, by kind of thing.

use std::collections::BTreeMap;

use domain::catalogue::{self, Language};

use crate::command::words::padded;

/// What a folder holds many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// People with a log-in.
    Staff,
    /// Accounts.
    Household,
    /// People who belong to a group.
    Group,
    /// Gas meters.
    Meter,
    /// Registers read earlier.
    Reading,
    /// Hoses in use.
    Hose,
    /// Hoses replaced earlier.
    Replacement,
    /// Gas appliances.
    Appliance,
    /// Jobs of the day.
    Job,
}

impl Thing {
    const ALL: [Self; 9] = [
        Self::Staff,
        Self::Household,
        Self::Group,
        Self::Meter,
        Self::Reading,
        Self::Hose,
        Self::Replacement,
        Self::Appliance,
        Self::Job,
    ];

    fn key(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Household => "household",
            Self::Group => "group",
            Self::Meter => "meter",
            Self::Reading => "reading",
            Self::Hose => "hose",
            Self::Replacement => "replacement",
            Self::Appliance => "appliance",
            Self::Job => "job",
        }
    }
}

/// What became of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was not there.
    New,
    /// It was there and the folder says something else.
    Changed,
    /// It was there like this.
    Unchanged,
}

impl Fate {
    /// Compares what is there with what should be.
    pub(crate) fn of<T: PartialEq>(found: Option<&T>, wanted: &T) -> Self {
        match found {
            None => Self::New,
            Some(found) if found == wanted => Self::Unchanged,
            Some(_) => Self::Changed,
        }
    }
}

/// How many of one kind of thing met which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Counts {
    /// How many were not there.
    pub(crate) new: usize,
    /// How many were brought up to date.
    pub(crate) changed: usize,
    /// How many were there like this.
    pub(crate) unchanged: usize,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary(BTreeMap<Thing, Counts>);

impl Summary {
    /// Counts one thing.
    pub(crate) fn count(&mut self, thing: Thing, fate: Fate) {
        let counts = self.0.entry(thing).or_default();
        match fate {
            Fate::New => counts.new += 1,
            Fate::Changed => counts.changed += 1,
            Fate::Unchanged => counts.unchanged += 1,
        }
    }

    /// What became of each kind, by its key.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, Counts> {
        self.0.iter().map(|(thing, counts)| (thing.key(), *counts)).collect()
    }

    /// How many of a kind met which fate.
    pub(crate) fn of(&self, thing: Thing) -> Counts {
        self.0.get(&thing).copied().unwrap_or_default()
    }

    /// All kinds together.
    pub(crate) fn total(&self) -> Counts {
        self.0.values().fold(Counts::default(), |sum, counts| Counts {
            new: sum.new + counts.new,
            changed: sum.changed + counts.changed,
            unchanged: sum.unchanged + counts.unchanged,
        })
    }

    /// A table with a line for each kind and one sentence for all.
    pub(crate) fn tell(&self, language: Language) -> String {
        let say = |key: &str| catalogue::text(language, &format!("import.{key}"), &[]);
        let mut lines = vec![line(&[String::new(), say("new"), say("changed"), say("unchanged")])];
        for thing in Thing::ALL.into_iter().filter(|thing| self.0.contains_key(thing)) {
            let counts = self.of(thing);
            let numbers = [counts.new, counts.changed, counts.unchanged];
            let [new, changed, unchanged] = numbers.map(|number| number.to_string());
            lines.push(line(&[say(&format!("thing.{}", thing.key())), new, changed, unchanged]));
        }
        let total = self.total();
        let arguments = [
            ("new", total.new.to_string()),
            ("changed", total.changed.to_string()),
            ("unchanged", total.unchanged.to_string()),
        ];
        lines.push(catalogue::text(language, "import.total", &arguments));
        lines.join("\n")
    }
}

fn line(cells: &[String; 4]) -> String {
    let padded: Vec<_> = cells.iter().map(|cell| padded(cell, 16)).collect();
    padded.concat().trim_end().to_owned()
}
