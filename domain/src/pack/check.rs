//! Whether a pack makes sense as a whole, before anybody is judged by it.

use std::collections::BTreeSet;

use super::{
    CalendarRules, CaseRules, CashRules, CounterRules, DueRules, HazardCare, LadderRules,
    LeakRules, MeterRules, Pack, PackError, ReachRules, ReminderRules, TravelRules, kinds, notices,
    promises,
};
use crate::job::JobKind;

/// What is named, what it has to be, and whether it is.
pub(super) type Check = (&'static str, &'static str, bool);

/// Finds the first thing that is wrong with a pack.
pub(super) fn check(pack: &Pack) -> Result<(), PackError> {
    let name = || pack.id.0.clone();
    if !pack.offers(JobKind::Emergency) {
        return Err(PackError::MissingKind { pack: name(), kind: JobKind::Emergency });
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
    match checks(pack).into_iter().find(|(_, _, holds)| !holds) {
        Some((key, needs, _)) => {
            Err(PackError::Number { pack: name(), key: key.to_owned(), needs: needs.to_owned() })
        }
        None => match pack.notices.as_ref().and_then(notices::wrong) {
            Some((key, needs)) => Err(PackError::Number { pack: name(), key, needs }),
            None => Ok(()),
        },
    }
}

fn checks(pack: &Pack) -> Vec<Check> {
    let mut all = vec![
        ("source", "not empty", is_said(&pack.source)),
        ("hazards", "a level of 1 or more", pack.hazards.iter().all(|hazard| hazard.level >= 1)),
        ("hazards", "a source each", pack.hazards.iter().all(|it| is_said(&it.source))),
        ("conduct", "a rule each", pack.conduct.iter().all(|item| is_said(&item.rule))),
    ];
    all.extend(pack.time.checks());
    all.extend(pack.punctuality.checks());
    all.extend(pack.reading.checks());
    all.extend(pack.meter.iter().flat_map(MeterRules::checks));
    all.extend(pack.hose.checks());
    all.extend(pack.travel.iter().flat_map(|it: &TravelRules| it.checks(&pack.kinds)));
    all.extend(promises::checks(&pack.promises, &pack.laws, pack.calendar.is_some()));
    all.extend(pack.calendar.iter().flat_map(CalendarRules::checks));
    all.extend(pack.cases.iter().flat_map(CaseRules::checks));
    all.extend(pack.cash.iter().flat_map(CashRules::checks));
    all.extend(pack.hazard_care.iter().flat_map(HazardCare::checks));
    all.extend(pack.ladder.iter().flat_map(LadderRules::checks));
    all.extend(kinds::checks(&pack.kinds, &pack.skills));
    all.extend(pack.reminders.iter().flat_map(ReminderRules::checks));
    all.extend(pack.reach.iter().flat_map(ReachRules::checks));
    all.extend(pack.due.iter().flat_map(|it: &DueRules| it.checks(&pack.kinds)));
    all.extend(pack.leak.iter().flat_map(LeakRules::checks));
    all.extend(pack.counter.iter().flat_map(CounterRules::checks));
    all
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

/// Whether something is said at all; a number without its source cannot be defended in front of a household.
pub(super) fn is_said(text: &str) -> bool {
    !text.trim().is_empty()
}

pub(super) fn is_positive(number: f64) -> bool {
    number.is_finite() && number > 0.0
}

pub(super) fn is_in_day(minutes: i64) -> bool {
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
                "[kinds.emergency]\nemergency = true\nneeds = [\"tightness\"]\nskills = [\"emergency_crew\"]",
                "",
                "add [kinds.emergency]",
            ),
            (
                "needs = [\"reading\", \"gas_switched\", \"signature\"]",
                "needs = [\"gas_switched\", \"signature\"]",
                "kinds.needs: needs a reading wherever gas is switched",
            ),
            ("days = 5\n", "days = 5\nminutes = 5\n", "one of minutes, days and working_days"),
            ("days = 5\n", "", "one of minutes, days and working_days"),
            ("[calendar]", "[calendars]", "calendars"),
            ("until = \"2026-10-07\"", "until = \"2026-09-07\"", "calendar.rest: needs each from"),
            ("until = \"2026-09-27\"", "until = \"2026-10-01\"", "calendar.rest: needs the order"),
            ("\"2026-10-10\"", "\"2026-10-12\"", "calendar.make_up: needs days of weekends"),
            ("within = { minutes = 2880 }", "within = { }", "laws: needs one of minutes"),
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
            ("low_coefficient = 0.75", "low_coefficient = inf", "reading.low_coefficient"),
            ("base_weight = 0.15", "base_weight = 0.0", "reading.fit.base_weight"),
            ("use_doubt = 0.25", "use_doubt = nan", "doubts above zero"),
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
            ("\nminutes = 30", "\nminutes = 0", "from 1 to a year"),
            ("acknowledge_seconds = 40", "acknowledge_seconds = 0", "leak.acknowledge_seconds"),
            ("\nblock = 20", "\nblock = 0", "cash.block: needs from 1 to 1000"),
            ("ask_below = 5", "ask_below = 21", "cash.ask_below: needs from 1 to block"),
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

    #[test]
    fn a9_rules_of_readings_and_meters_with_a_mistake_are_refused_in_words() {
        for (from, to, says) in [
            ("told_doubt = 2.0", "told_doubt = 0.5", "reading.states.told_doubt: needs one"),
            ("[\"vacant\",", "[\"seen\",", "reading.states.exempt: needs states of which seen"),
            ("least_homes = 20", "least_homes = 0", "reading.season.least_homes"),
            ("G4 = 6.0", "g4 = 6.0", "meter.most_m3_per_hour: needs sizes in capitals"),
            ("digits = [4, 8]", "digits = [8, 4]", "meter.digits: needs from 1"),
        ] {
            let error = Pack::parse(&BUILTIN.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(says), "{from} -> {to}: {error}");
        }
    }
}
