//! Mutations of inputs by dice: the same seed gives the same ones on every machine.

/// Numbers that parsers trip over.
const EDGES: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];

/// No mutation is longer.
const LONGEST: usize = 64 * 1024;

/// Dice: splitmix64, which needs no more than its seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always fall the same for a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; zero when there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.roll() % end).unwrap_or(0)
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.roll().to_le_bytes()[0]
    }
}

/// Bends an input one to eight times, with pieces of another now and then.
pub fn mutate(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.below(8) {
        bend(dice, &mut bytes, other);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn bend(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = dice.below(bytes.len());
    let longest = 1 << dice.below(9);
    let until = (at + 1 + dice.below(longest)).min(bytes.len());
    match dice.below(9) {
        0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
        2 if !bytes.is_empty() => bytes[at] = dice.byte(),
        3 if !bytes.is_empty() => drop(bytes.drain(at..until)),
        4 if !bytes.is_empty() => {
            let piece = bytes[at..until].to_vec();
            insert(bytes, dice.below(at + 1), &piece);
        }
        5 => {
            let noise: Vec<u8> = (0..=dice.below(8)).map(|_| dice.byte()).collect();
            insert(bytes, at, &noise);
        }
        6 if !bytes.is_empty() => {
            let edge = EDGES[dice.below(EDGES.len())];
            let edge = if dice.below(2) == 0 { edge.to_be_bytes() } else { edge.to_le_bytes() };
            let width = [1, 2, 4, 8][dice.below(4)].min(bytes.len() - at);
            let edge = &edge[..width];
            bytes[at..at + width].copy_from_slice(edge);
        }
        7 if !bytes.is_empty() => bytes.truncate(at),
        _ if !other.is_empty() => {
            let from = dice.below(other.len());
            let to = (from + 1 + dice.below(64)).min(other.len());
            insert(bytes, at, &other[from..to]);
        }
        _ => bytes.push(dice.byte()),
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let rest = bytes.split_off(at.min(bytes.len()));
    bytes.extend_from_slice(piece);
    bytes.extend(rest);
}
