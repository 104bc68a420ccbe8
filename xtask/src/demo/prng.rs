//! `SplitMix64`, so that a seed gives the same demo hall on every machine.

/// A small deterministic source of numbers; of no use for secrets.
pub(crate) struct Prng(u64);

impl Prng {
    /// Starts at a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Draws the next 64 bits.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Draws a number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high - low) + 1;
        low + u32::try_from(self.next() % span).expect("a remainder is below its span")
    }

    /// Says yes in `percent` of a hundred draws.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.between(1, 100) <= percent
    }

    /// Draws one of several.
    pub(crate) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        let last = u32::try_from(among.len() - 1).expect("the lists are short");
        &among[self.between(0, last) as usize]
    }

    /// Puts a list into a drawn order.
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            let highest = u32::try_from(end).expect("the lists are short");
            list.swap(end, self.between(0, highest) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_the_published_one() {
        assert_eq!(Prng::new(1_234_567).next(), 6_457_827_717_110_365_317);
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut list: Vec<u32> = (0..40).collect();

        Prng::new(7).shuffle(&mut list);

        let mut sorted = list.clone();
        sorted.sort_unstable();
        assert_ne!(list, sorted);
        assert_eq!(sorted, (0..40).collect::<Vec<_>>());
    }
}
