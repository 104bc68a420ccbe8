//! Whether a pack makes sense as a whole, before anybody is judged by it.

use std::collections::BTreeSet;

use super::{Pack, PackError, PromiseRule, ReachRules, ReminderRules, SkillId, SkillRule, notices};
use crate::job::JobKind;

/// A city is at most this many minutes from UTC.
const MOST_OFFSET_MINUTES: u32 = 14 * 60;

/// Finds the first thing that is wrong with a pack.
pub(super) fn check(pack: &Pack) -> Result<(), PackError> {
    let name = || pack.id.0.clone();
    if let Some(kind) = JobKind::ALL.into_iter().find(|kind| !pack.kinds.contains_key(kind)) {
        return Err(PackError::MissingKind { pack: name(), kind });
    }
    if let Some(item) = named_twice(pack) {
        return Err(PackError::Twice { pack: name(), item });
    }
    let season = &pack.reading.season_weights;
    if season.len() != 12 || !season.iter().all(|weight| is_positive(*weight)) {
        return Err(PackError::Season { pack: name() });
    }
    if !pack.conduct.is_sorted_by_key(|item| item.phase) {
        return Err(PackError::Order { pack: name() });
    }
    let checks = numbers(pack).into_iter().chain(travel(pack)).chain(promises(pack));
    let checks = checks.chain(cases(pack)).chain(hours(pack)).chain(skills(pack));
    let reminders = pack.reminders.iter().flat_map(ReminderRules::checks);
    let reach = pack.reach.iter().flat_map(ReachRules::checks);
    let checks = checks.chain(reminders).chain(reach).chain(leak(pack)).chain(sources(pack));
    match checks.into_iter().find(|(_, _, holds)| !holds) {
        Some((key, needs, _)) => {
            Err(PackError::Number { pack: name(), key: key.to_owned(), needs: needs.to_owned() })
        }
        None => match pack.notices.as_ref().and_then(notices::wrong) {
            Some((key, needs)) => Err(PackError::Number { pack: name(), key, needs }),
            None => Ok(()),
        },
    }
}

/// What is named, what it has to be, and whether it is.
pub(super) type Check = (&'static str, &'static str, bool);

fn numbers(pack: &Pack) -> Vec<Check> {
    let (time, grace) = (&pack.time, &pack.punctuality);
    let (reading, fit) = (&pack.reading, &pack.reading.fit);
    let doubts = [fit.mix_doubt, fit.use_doubt, fit.doubt_m3_per_30_days];
    vec![
        (
            "time.utc_offset_minutes",
            "within 14 hours of UTC",
            time.utc_offset_minutes.unsigned_abs() <= MOST_OFFSET_MINUTES,
        ),
        ("time.drift_ppm", "from 0 to 100000", (0..=100_000).contains(&time.drift_ppm)),
        ("time.skew_flag_minutes", "zero or more", time.skew_flag_minutes >= 0),
        ("punctuality.early_grace_minutes", "from 0 to 1440", is_in_day(grace.early_grace_minutes)),
        ("punctuality.late_grace_minutes", "from 0 to 1440", is_in_day(grace.late_grace_minutes)),
        (
            "reading.high_coefficient",
            "one or more",
            reading.high_coefficient.is_finite() && reading.high_coefficient >= 1.0,
        ),
        ("reading.low_coefficient", "from 0 to 1", (0.0..=1.0).contains(&reading.low_coefficient)),
        (
            "reading.slack_m3_per_30_days",
            "zero or more",
            reading.slack_m3_per_30_days.is_finite() && reading.slack_m3_per_30_days >= 0.0,
        ),
        ("reading.least_history_days", "one or more", reading.least_history_days >= 1),
        (
            "reading.fit.base_weight",
            "above 0 and below 1",
            fit.base_weight > 0.0 && fit.base_weight < 1.0,
        ),
        ("reading.fit", "doubts above zero", doubts.into_iter().all(is_positive)),
        ("hose.max_length_mm", "above zero", pack.hose.max_length_mm > 0),
        ("hazards", "a level of 1 or more", pack.hazards.iter().all(|hazard| hazard.level >= 1)),
    ]
}

fn travel(pack: &Pack) -> Vec<Check> {
    let Some(travel) = &pack.travel else { return Vec::new() };
    let takes = |kind| travel.takes_minutes.get(&kind).copied();
    let is_whole = JobKind::ALL.into_iter().all(|kind| takes(kind).is_some_and(is_in_day));
    vec![
        ("travel.metres_per_minute", "above zero", is_positive(travel.metres_per_minute)),
        ("travel.detour", "one or more", travel.detour.is_finite() && travel.detour >= 1.0),
        ("travel.park_minutes", "from 0 to 1440", is_in_day(travel.park_minutes)),
        ("travel.unsurveyed_minutes", "from 0 to 1440", is_in_day(travel.unsurveyed_minutes)),
        (
            "travel.offered_hours",
            "each from an hour to a later one of the day",
            travel.offered_hours.iter().all(|(from, to)| from < to && *to <= 24),
        ),
        ("travel.takes_minutes", "each kind, from 0 to 1440", is_whole),
        ("travel.source", "not empty", !travel.source.trim().is_empty()),
    ]
}

fn hours(pack: &Pack) -> Vec<Check> {
    let Some(travel) = &pack.travel else { return Vec::new() };
    let is_span = |(from, to): (u8, u8)| from < to && to <= 24;
    let is_inside = |(from, to): (u8, u8)| {
        let work = travel.working_hours;
        is_span((from, to)) && work.is_some_and(|(begin, end)| begin <= from && to <= end)
    };
    let is_cost = |metres: f64| metres.is_finite() && metres >= 0.0;
    vec![
        (
            "travel.working_hours",
            "from an hour to a later one of the day",
            travel.working_hours.is_none_or(is_span),
        ),
        ("travel.break_hours", "within working_hours", travel.break_hours.is_none_or(is_inside)),
        ("travel.outside_area_metres", "zero or more", is_cost(travel.outside_area_metres)),
        ("travel.moved_metres", "zero or more", is_cost(travel.moved_metres)),
    ]
}

/// A kind that asks for a skill which nobody can name would never be given to anybody.
fn skills(pack: &Pack) -> Vec<Check> {
    let is_known = |id: &SkillId| pack.skills.iter().any(|skill| skill.id == *id);
    let says = |text: &str| !text.trim().is_empty();
    let is_whole = |skill: &SkillRule| says(&skill.zh) && says(&skill.en) && says(&skill.source);
    vec![
        (
            "kinds.skills",
            "a [[skills]] entry for each",
            pack.kinds.values().flat_map(|kind| &kind.skills).all(is_known),
        ),
        ("skills", "names and a source each", pack.skills.iter().all(is_whole)),
    ]
}

fn promises(pack: &Pack) -> Vec<Check> {
    let a_year = 366 * 24 * 60;
    let spans = pack.promises.iter().all(|rule| (1..=a_year).contains(&rule.minutes));
    let warns = |rule: &PromiseRule| {
        rule.warn_minutes.is_none_or(|warn| (1..=rule.minutes).contains(&warn))
    };
    let warns = pack.promises.iter().all(warns);
    vec![
        ("promises", "minutes from 1 to a year", spans),
        ("promises", "warn_minutes from 1 to the promise's own minutes", warns),
    ]
}

fn cases(pack: &Pack) -> Vec<Check> {
    let Some(cases) = &pack.cases else { return Vec::new() };
    let a_year = 366 * 24 * 60;
    let says = |text: &str| !text.trim().is_empty();
    let promises = &cases.promises;
    vec![
        (
            "cases.promises",
            "minutes from 1 to a year",
            promises.iter().all(|it| (1..=a_year).contains(&it.minutes)),
        ),
        (
            "cases.promises",
            "warn_minutes from 1 to the promise's own minutes",
            promises
                .iter()
                .all(|it| it.warn_minutes.is_none_or(|warn| (1..=it.minutes).contains(&warn))),
        ),
        ("cases.promises", "a source each", promises.iter().all(|it| says(&it.source))),
        ("cases.source", "not empty", says(&cases.source)),
    ]
}

/// Nobody waits longer for an answer than a fraction of the half hour that was promised.
fn leak(pack: &Pack) -> Vec<Check> {
    let Some(leak) = &pack.leak else { return Vec::new() };
    let is_short = |seconds: i64| (5..=600).contains(&seconds);
    vec![
        ("leak.acknowledge_seconds", "from 5 to 600", is_short(leak.acknowledge_seconds)),
        ("leak.leader_seconds", "from 5 to 600", is_short(leak.leader_seconds)),
        ("leak.at_once", "from 1 to people", (1..=leak.people).contains(&leak.at_once)),
        ("leak.people", "from 1 to 20", (1..=20).contains(&leak.people)),
        ("leak.source", "not empty", !leak.source.trim().is_empty()),
    ]
}

/// A number without its source cannot be defended in front of a household.
fn sources(pack: &Pack) -> Vec<Check> {
    let says = |text: &str| !text.trim().is_empty();
    vec![
        ("source", "not empty", says(&pack.source)),
        ("time.source", "not empty", says(&pack.time.source)),
        ("punctuality.source", "not empty", says(&pack.punctuality.source)),
        ("reading.source", "not empty", says(&pack.reading.source)),
        ("reading.fit.source", "not empty", says(&pack.reading.fit.source)),
        ("hose.source", "not empty", says(&pack.hose.source)),
        ("promises", "a source each", pack.promises.iter().all(|rule| says(&rule.source))),
        ("hazards", "a source each", pack.hazards.iter().all(|hazard| says(&hazard.source))),
        ("conduct", "a rule each", pack.conduct.iter().all(|item| says(&item.rule))),
    ]
}

/// An id that two items share, or a kind that two promises bind.
fn named_twice(pack: &Pack) -> Option<String> {
    let mut ids = BTreeSet::new();
    let items = pack.conduct.iter().map(|item| &item.id);
    let items = items.chain(pack.hazards.iter().map(|hazard| &hazard.id));
    let mut named = items.chain(pack.skills.iter().map(|skill| &skill.id.0));
    if let Some(id) = named.find(|id| !ids.insert(*id)) {
        return Some(id.clone());
    }
    let mut bound = BTreeSet::new();
    let promised = pack.cases.iter().flat_map(|cases| &cases.promises);
    let mut kinds = promised.flat_map(|promise| &promise.kinds);
    if let Some(kind) = kinds.find(|kind| !bound.insert(**kind)) {
        return Some(format!("a promise for {}", kind.key()));
    }
    let mut bound = BTreeSet::new();
    let mut kinds = pack.promises.iter().flat_map(|rule| &rule.kinds);
    kinds.find(|kind| !bound.insert(**kind)).map(|kind| format!("a promise for {kind}"))
}

fn is_positive(number: f64) -> bool {
    number.is_finite() && number > 0.0
}

fn is_in_day(minutes: i64) -> bool {
    (0..=1440).contains(&minutes)
}

#[cfg(test)]
mod tests {
    use crate::pack::{BUILTIN, Pack};

    #[test]
    fn the_pack_that_comes_with_the_program_is_whole() {
        let pack = Pack::parse(BUILTIN).unwrap();

        assert_eq!(pack, Pack::builtin());
        assert_eq!(pack.id.0, "city-gas-2026-11-01");
    }

    #[test]
    fn a_pack_from_before_skills_and_hours_is_still_read() {
        let is_new = |line: &&str| {
            ["skills = ", "working_hours", "break_hours", "outside_area", "moved_metres"]
                .iter()
                .all(|word| !line.starts_with(word))
        };
        let (before, skills) = BUILTIN.split_once("[[skills]]").unwrap();
        let after = &skills[skills.find("[kinds.").unwrap()..];
        let old = format!("{before}{after}");
        let old = old.lines().filter(is_new).collect::<Vec<_>>().join("\n");

        let pack = Pack::parse(&old).unwrap();

        assert!(pack.skills.is_empty() && pack.kinds.values().all(|kind| kind.skills.is_empty()));
        assert_eq!(pack.travel.unwrap().working_hours, None);
    }

    #[test]
    fn a_pack_with_a_mistake_is_refused_in_words() {
        for (from, to, says) in [
            ("[kinds.repair]", "[kinds.repare]", "repare"),
            ("[kinds.repair]\n", "[kinds.x]\n", "unknown variant `x`"),
            (
                "[kinds.repair]\nneeds = [\"tightness\", \"signature\"]\nskills = [\"gas_fitter\"]",
                "",
                "add [kinds.repair]",
            ),
            ("id = \"tool_mat\"", "id = \"shoe_covers\"", "shoe_covers twice"),
            ("id = \"leak\"", "id = \"tool_mat\"", "tool_mat twice"),
            ("kinds = [\"emergency\"]", "kinds = [\"ignition\"]", "a promise for ignition twice"),
            ("2.49, 1.60", "2.49", "twelve season weights"),
            ("2.49, 1.60", "nan, 1.60", "twelve season weights"),
            ("2.49, 1.60", "0.0, 1.60", "twelve season weights"),
            ("drift_ppm = 200", "drift_pm = 200", "drift_pm"),
            ("drift_ppm = 200", "drift_ppm = -1", "time.drift_ppm: needs from 0"),
            ("utc_offset_minutes = 480", "utc_offset_minutes = 4800", "within 14 hours"),
            ("late_grace_minutes = 0", "late_grace_minutes = -5", "punctuality.late_grace"),
            ("high_coefficient = 1.25", "high_coefficient = 0.5", "one or more"),
            ("low_coefficient = 0.8", "low_coefficient = inf", "reading.low_coefficient"),
            ("base_weight = 0.15", "base_weight = 0.0", "reading.fit.base_weight"),
            ("use_doubt = 0.2", "use_doubt = nan", "doubts above zero"),
            ("metres_per_minute = 200", "metres_per_minute = 0", "travel.metres_per_minute"),
            ("detour = 1.4", "detour = 0.4", "travel.detour"),
            ("[8, 10]", "[10, 8]", "travel.offered_hours"),
            (", repair = 40 }", " }", "travel.takes_minutes: needs each kind"),
            ("working_hours = [8, 18]", "working_hours = [18, 8]", "travel.working_hours"),
            ("break_hours = [12, 13]", "break_hours = [18, 19]", "within working_hours"),
            ("moved_metres = 2000", "moved_metres = -1", "travel.moved_metres"),
            ("skills = [\"inspector\"]", "skills = [\"juggler\"]", "a [[skills]] entry for each"),
            ("id = \"inspector\"", "id = \"leak\"", "leak twice"),
            ("zh = \"安检员\"", "zh = \"\"", "skills: needs names"),
            ("\nminutes = 30", "\nminutes = 0", "minutes from 1"),
            ("acknowledge_seconds = 40", "acknowledge_seconds = 0", "leak.acknowledge_seconds"),
            ("at_once = 2", "at_once = 5", "leak.at_once: needs from 1 to people"),
            ("minutes = 4320", "minutes = 0", "cases.promises: needs minutes from 1"),
            ("[\"complaint\"]", "[\"complaints\"]", "unknown variant `complaints`"),
            ("level = 3", "level = 0", "a level of 1"),
            ("phase = \"at_the_door\"", "phase = \"before_leaving\"", "walking order"),
            ("source = \"Rulebook B6: 48 hours on request", "source = \" \" #", "a source each"),
            ("warn_minutes = 480", "warn_minutes = 2881", "warn_minutes from 1"),
        ] {
            let error = Pack::parse(&BUILTIN.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(says), "{from} -> {to}: {error}");
        }
    }
}
