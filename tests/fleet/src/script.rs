//! A script: everything that will happen to a fleet, drawn from a seed before anything does.

use crate::dice::Dice;
use crate::event::{Act, Event, Fate, Trick};

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Some hours of a few phones.
    Small,
    /// Weeks, with phones that stay away for many days.
    Long,
}

/// What happens to a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What the chance inside phones is drawn from.
    pub seed: u64,
    /// How many phones there are.
    pub phones: u8,
    /// How many jobs the hall begins with.
    pub jobs: u8,
    /// How many nodes serve the hall; their clocks differ (F30).
    pub nodes: u8,
    /// How many hours further off the clocks of phones are than the events say; twins of a script differ in nothing else.
    pub off_hours: i32,
    /// What happens, in order.
    pub events: Vec<Event>,
}

impl Script {
    /// Draws the script of a seed.
    pub fn draw(seed: u64, size: Size) -> Self {
        let mut dice = Dice::new(seed);
        let phones = 1 + dice.small(if size == Size::Small { 3 } else { 8 });
        let jobs = 1 + dice.small(if size == Size::Small { 4 } else { 8 });
        let nodes = 1 + dice.small(3);
        let count = match size {
            Size::Small => 15 + dice.below(30),
            Size::Long => 300 + dice.below(500),
        };
        // Calm fleets find what only order breaks; wild ones what only faults break.
        let wildness = dice.below(4);
        let events = (0..count).map(|_| draw(&mut dice, size, wildness)).collect();
        let events = with_releases_and_wipes(events, seed);
        Self { seed, phones, jobs, nodes, off_hours: 0, events }
    }

    /// The same without some of its events.
    #[must_use]
    pub fn keeping(&self, is_kept: impl Fn(usize) -> bool) -> Self {
        let kept = self.events.iter().enumerate().filter(|(at, _)| is_kept(*at));
        Self { events: kept.map(|(_, event)| *event).collect(), ..self.clone() }
    }
}

fn draw(dice: &mut Dice, size: Size, wildness: u64) -> Event {
    let phone = dice.small(8);
    let job = dice.small(16);
    match dice.weighted(&[(50, 0), (20, 1), (15, 2), (8 * wildness, 3), (3 * wildness, 4)]) {
        0 => Event::Act { phone, job, act: draw_act(dice) },
        1 => Event::Sync { phone, fate: draw_fate(dice, wildness) },
        2 => draw_plan(dice, size, (phone, job)),
        3 => draw_fault(dice, phone),
        _ => draw_disaster(dice, phone),
    }
}

/// Puts events of newer releases and of emptied phones between the others, in one of eight seeds.
///
/// They are drawn apart, so that the scripts of all other seeds, the known ones among them, stay what they were.
fn with_releases_and_wipes(mut events: Vec<Event>, seed: u64) -> Vec<Event> {
    if seed % 8 != 6 {
        return events;
    }
    let mut dice = Dice::new(!seed);
    for _ in 0..2 + dice.below(4) + events.len() as u64 / 60 {
        let at = usize::try_from(dice.below(events.len() as u64 + 1)).unwrap_or(0);
        let (phone, job, is_so) = (dice.small(8), dice.small(16), dice.small(2) == 0);
        let upgrade = Event::Upgrade { job, raises: is_so };
        let wipe = Event::Wipe { phone, after_rescue: is_so };
        events.insert(at, dice.weighted(&[(3, upgrade), (2, wipe)]));
    }
    events
}

fn draw_act(dice: &mut Dice) -> Act {
    dice.weighted(&[
        (60, Act::Onward),
        (12, Act::Note),
        (8, Act::Message),
        (10, Act::Hazard),
        (10, Act::Cash),
        (4, Act::Ask),
        (4, Act::TakeBack),
        (3, Act::Close),
    ])
}

fn draw_fate(dice: &mut Dice, wildness: u64) -> Fate {
    let cut = u16::try_from(dice.below(2_000)).expect("below a u16");
    let other = dice.small(8);
    dice.weighted(&[
        (12, Fate::Good),
        (wildness, Fate::RequestLost),
        (2 * wildness, Fate::ReplyLost),
        (wildness, Fate::ReplyCut(cut)),
        (wildness, Fate::Portal),
        (wildness, Fate::Busy),
        (wildness, Fate::SignedOut),
        (2 * wildness, Fate::Twice),
        (2 * wildness, Fate::HallDies),
        (3, Fate::OneRound),
        (4, Fate::Between(other)),
    ])
}

fn draw_plan(dice: &mut Dice, size: Size, (phone, job): (u8, u8)) -> Event {
    let to = dice.small(5);
    let days = if size == Size::Small { 1 } else { 20 };
    let minutes = u16::try_from(1 + dice.below(60 * 24 * days)).expect("some weeks");
    let pick: u8 =
        dice.weighted(&[(20, 0), (6, 1), (8, 2), (6, 3), (2, 4), (4, 5), (3, 6), (6, 7)]);
    match pick {
        0 => Event::Pass { minutes },
        1 => Event::NewJob { phone },
        2 => Event::Assign { job, phone: (to > 0).then_some(phone) },
        3 => Event::Instruct { job },
        4 => Event::Cancel { job },
        5 => Event::BackUp,
        6 => Event::Snapshots,
        _ => Event::Clear { job },
    }
}

fn draw_fault(dice: &mut Dice, phone: u8) -> Event {
    let at = u32::try_from(dice.below(1 << 20)).expect("below a u32");
    let trick = dice.weighted(&[
        (2, Trick::FlipBit),
        (1, Trick::Cut),
        (4, Trick::ForgeChange),
        (2, Trick::OtherJob),
        (2, Trick::Steal),
    ]);
    let unflushed = u16::try_from(dice.below(300)).expect("below a u16");
    let hours = i32::try_from(dice.below(97)).expect("some days") - 48;
    match dice.weighted(&[(5, 0), (6, 1), (6, 2), (3, 3), (2, 4), (4, 5), (2, 6), (3, 7), (1, 8)]) {
        0 => Event::Stop { phone, unflushed_bytes: None },
        1 => Event::Stop { phone, unflushed_bytes: Some(unflushed) },
        2 => Event::StopSoon {
            phone,
            operations: 1 + dice.small(12),
            landing: dice.small(255),
            loses_power: dice.small(2) == 0,
        },
        3 => Event::Full { phone, writes: 1 + dice.small(9) },
        4 => Event::FlushFails { phone, times: 1 + dice.small(2) },
        5 => Event::Hostile { phone, trick, at },
        6 => Event::SetClock { phone, hours },
        7 => Event::SecondTab { phone },
        _ => Event::Release,
    }
}

fn draw_disaster(dice: &mut Dice, phone: u8) -> Event {
    let at = u32::try_from(dice.below(1 << 20)).expect("below a u32");
    match dice.weighted(&[(1, 0), (4, 1), (3, 2), (2, 3), (5, 4), (2, 5), (1, 6)]) {
        0 => Event::Evict { phone },
        1 => Event::CopyStore { phone },
        2 => Event::FallBack { phone },
        3 => Event::Flip { phone, at },
        4 => Event::Restore,
        5 => Event::ShutOut { phone },
        _ => Event::Clone { phone },
    }
}
