//! The households of the demo hall with what hangs on their walls.

use domain::job::JobKind;

use super::people;
use super::prng::Prng;
use super::quarter::{DOORS, QUARTERS};
use super::source::Meter;
use super::work::{Claim, Supply, Task, supply};

/// The months in which a meter reader came by before the day.
const READING_MONTHS: [u32; 5] = [1, 3, 5, 7, 9];

/// A household.
pub(crate) struct Home {
    /// The neighbourhood.
    pub(crate) quarter: usize,
    /// The door's number in it.
    pub(crate) door: usize,
    /// The account number.
    pub(crate) account: String,
    /// One row of `households.csv`.
    pub(crate) row: Vec<String>,
    /// Its meter.
    pub(crate) meter: Option<Dial>,
    /// Its hoses.
    pub(crate) hoses: Vec<Hose>,
    /// The hoses that were replaced.
    pub(crate) replacements: Vec<Replacement>,
}

/// A meter with what it showed.
pub(crate) struct Dial {
    /// The number on its plate.
    pub(crate) serial: String,
    /// Its size.
    pub(crate) size: String,
    /// Day and register of each past reading.
    pub(crate) past: Vec<(String, String)>,
    /// What it shows on the day.
    pub(crate) today: String,
}

/// A hose.
pub(crate) struct Hose {
    /// The number in the hall's books.
    pub(crate) number: String,
    /// What it is made of.
    pub(crate) kind: &'static str,
    /// Its length.
    pub(crate) length_mm: u32,
    /// The day it was put in.
    pub(crate) installed_on: String,
}

/// A hose replaced at home.
pub(crate) struct Replacement {
    /// The day.
    pub(crate) on: String,
    /// The hose put in.
    pub(crate) hose: String,
    /// Whether it was free.
    pub(crate) is_free: bool,
}

/// Builds all households, so that they fit the work to be done there.
pub(crate) fn build(prng: &mut Prng, tasks: &[Task], source: &[Meter]) -> Vec<Home> {
    let mut real = source.iter();
    let mut homes = Vec::new();
    for quarter in 0..QUARTERS.len() {
        for door in 0..DOORS {
            let here = |task: &&Task| task.quarter == quarter && task.door == door;
            let here: Vec<&Task> = tasks.iter().filter(here).collect();
            let meter = match supply(door) {
                Supply::Old => real.next().map(|meter| old_dial(meter, quarter)),
                Supply::New => Some(new_dial(quarter, door)),
                Supply::None => None,
            };
            homes.push(home(prng, (quarter, door), &here, meter));
        }
    }
    homes
}

fn home(
    prng: &mut Prng,
    (quarter, door): (usize, usize),
    tasks: &[&Task],
    meter: Option<Dial>,
) -> Home {
    let account = format!("3{:02}{:05}", quarter + 1, door + 1);
    let claim = tasks.iter().find_map(|task| task.claim);
    let groups = groups(prng, tasks, claim);
    let jitter = (prng.between(0, 60), prng.between(0, 60));
    let place = QUARTERS[quarter].door(door, jitter);
    let access = people::access(prng, QUARTERS[quarter].is_hilly, place.floor);
    let holder = people::holder(prng);
    let is_public = is_public(door);
    let (gas_since, inspected_on) = past(quarter, door);
    let row = vec![
        account.clone(),
        if is_public { PUBLIC[quarter % PUBLIC.len()].to_owned() } else { holder },
        place.address,
        people::phone(quarter * DOORS + door),
        place.latitude,
        place.longitude,
        groups.join(";"),
        access,
        if is_public { "公建" } else { "居民" }.to_owned(),
        gas_since,
        inspected_on,
    ];
    let (hoses, replacements) = match supply(door) {
        Supply::Old => old_hose(prng, &account, claim, !groups.is_empty()),
        Supply::New => (vec![hose(&account, 1, "不锈钢波纹管", "2026-10-20".to_owned())], vec![]),
        Supply::None => (vec![], vec![]),
    };
    Home { quarter, door, account, row, meter, hoses, replacements }
}

/// Who cooks for many.
const PUBLIC: [&str; 4] = ["第二中学食堂", "社区卫生服务中心", "中心幼儿园", "敬老院"];

fn is_public(door: usize) -> bool {
    matches!(supply(door), Supply::Old) && door % 40 == 20
}

/// The day of first gas and of the last inspection; of a few nobody wrote anything down.
fn past(quarter: usize, door: usize) -> (String, String) {
    if !matches!(supply(door), Supply::Old) || door % 20 == 19 {
        return (String::new(), String::new());
    }
    let year = 2009 + (door * 7 + quarter * 3) % 14;
    let since = format!("{year}-{:02}-{:02}", 1 + door % 12, 1 + (door * 5 + quarter) % 28);
    // From October 2025, so that some are late, to November 2026.
    let month = 9 + (door * 5 + quarter * 3) % 14;
    let inspected = format!("{}-{:02}-{:02}", 2025 + month / 12, 1 + month % 12, 1 + door % 20);
    (since, inspected)
}

fn groups(prng: &mut Prng, tasks: &[&Task], claim: Option<Claim>) -> Vec<&'static str> {
    let wants_cash = tasks.iter().any(|task| task.kind == JobKind::CashCollection);
    let is_entitled = match claim {
        Some(Claim::Paid) => false,
        Some(Claim::Free | Claim::UsedUp) => true,
        None => wants_cash || prng.chance(16),
    };
    if !is_entitled {
        return vec![];
    }
    match prng.between(1, 100) {
        1..=58 => vec!["老年人"],
        59..=73 => vec!["残疾人"],
        74..=83 => vec!["老年人", "残疾人"],
        _ if wants_cash => vec!["老年人"],
        84..=92 => vec!["军属"],
        _ => vec!["烈属", "老年人"],
    }
}

fn old_dial(meter: &Meter, quarter: usize) -> Dial {
    let day = 20 + u32::try_from(quarter).expect("there are ten");
    let past = READING_MONTHS
        .iter()
        .map(|&month| (format!("2026-{month:02}-{day:02}"), meter.register(month, day).to_owned()))
        .collect();
    let today = meter.register(11, 24).to_owned();
    Dial { serial: meter.name.clone(), size: meter.size.clone(), past, today }
}

fn new_dial(quarter: usize, door: usize) -> Dial {
    let serial = format!("N26{:02}{:04}", quarter + 1, door + 1);
    Dial { serial, size: "G4".to_owned(), past: vec![], today: "0".to_owned() }
}

fn old_hose(
    prng: &mut Prng,
    account: &str,
    claim: Option<Claim>,
    is_entitled: bool,
) -> (Vec<Hose>, Vec<Replacement>) {
    let (month, day) = (prng.between(1, 9), prng.between(1, 28));
    let in_year = |year: u32| format!("{year}-{month:02}-{day:02}");
    match claim {
        Some(Claim::UsedUp) => {
            let put_in = hose(account, 2, "橡胶软管", in_year(2026));
            let replaced = replacement(&put_in, true);
            (vec![put_in], vec![replaced])
        }
        Some(Claim::Free | Claim::Paid) => {
            let put_in = hose(account, 1, "橡胶软管", in_year(prng.between(2022, 2024)));
            (vec![put_in], vec![])
        }
        None if is_entitled && prng.chance(45) => {
            let put_in = hose(account, 2, "橡胶软管", in_year(prng.between(2025, 2026)));
            let replaced = replacement(&put_in, true);
            (vec![put_in], vec![replaced])
        }
        None if prng.chance(40) => {
            let put_in = hose(account, 1, "不锈钢波纹管", in_year(prng.between(2017, 2026)));
            (vec![put_in], vec![])
        }
        None => {
            let put_in = hose(account, 2, "橡胶软管", in_year(prng.between(2023, 2026)));
            let replaced = prng.chance(25).then(|| replacement(&put_in, false));
            (vec![put_in], replaced.into_iter().collect())
        }
    }
}

fn hose(account: &str, number: u32, kind: &'static str, installed_on: String) -> Hose {
    let length_mm = if kind == "橡胶软管" { 1_500 } else { 1_200 };
    Hose { number: format!("{account}-R{number}"), kind, length_mm, installed_on }
}

fn replacement(hose: &Hose, is_free: bool) -> Replacement {
    Replacement { on: hose.installed_on.clone(), hose: hose.number.clone(), is_free }
}
