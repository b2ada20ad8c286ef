//! One master seed, labelled substreams, counter-based.
//!
//! The generator is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random
//! numbers: as easy as 1, 2, 3", SC 2011): 32-bit additions, rotations and exclusive-ors alone, so
//! that a shader draws the same numbers. A key is derived from (seed, repeat, label) and nothing
//! else; word `i` of a key is a pure function of the key and `i`, so numbers do not depend on who
//! else draws, in which order, or on how many threads.

use std::convert::Infallible;

use rand::TryRng;
use sha2::{Digest, Sha256};
use wide::u32x8;

const ROTATIONS: [u32; 8] = [13, 15, 26, 6, 17, 29, 16, 24];
const PARITY: u32 = 0x1BD1_1BDA;
const ROUNDS: usize = 20;

/// Threefry-2x32-20: two words of output for two words of counter under two words of key.
#[inline]
pub fn threefry2x32(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let keys = [key[0], key[1], PARITY ^ key[0] ^ key[1]];
    let mut x = [counter[0].wrapping_add(keys[0]), counter[1].wrapping_add(keys[1])];
    for round in 0..ROUNDS {
        x[0] = x[0].wrapping_add(x[1]);
        x[1] = x[1].rotate_left(ROTATIONS[round % 8]) ^ x[0];
        if round % 4 == 3 {
            let inject = round / 4 + 1;
            x[0] = x[0].wrapping_add(keys[inject % 3]);
            #[expect(clippy::cast_possible_truncation, reason = "at most ROUNDS / 4")]
            let step = inject as u32;
            x[1] = x[1].wrapping_add(keys[(inject + 1) % 3]).wrapping_add(step);
        }
    }
    x
}

/// Blocks that a stream makes at once.
const LANES: usize = 8;
/// A stream's first blocks are made one by one: many a stream is asked for no more.
const ALONE: u64 = 8;

/// [`threefry2x32`] of [`LANES`] counters that follow each other. A round waits for the one before
/// it, so that side by side they take little longer than one.
fn threefry2x32_lanes(key: [u32; 2], first: u64) -> [[u32; 2]; LANES] {
    let keys = [key[0], key[1], PARITY ^ key[0] ^ key[1]];
    let counter = |lane: usize| first.wrapping_add(lane as u64);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of 64 bits")]
    let halves: [[u32; LANES]; 2] = [
        std::array::from_fn(|lane| counter(lane) as u32),
        std::array::from_fn(|lane| (counter(lane) >> 32) as u32),
    ];
    let mut x = [0, 1].map(|half| u32x8::new(halves[half]) + u32x8::splat(keys[half]));
    for round in 0..ROUNDS {
        let by = ROTATIONS[round % 8];
        x[0] += x[1];
        x[1] = ((x[1] << by) | (x[1] >> (32 - by))) ^ x[0];
        if round % 4 == 3 {
            let inject = round / 4 + 1;
            #[expect(clippy::cast_possible_truncation, reason = "at most ROUNDS / 4")]
            let step = inject as u32;
            x[0] += u32x8::splat(keys[inject % 3]);
            x[1] += u32x8::splat(keys[(inject + 1) % 3].wrapping_add(step));
        }
    }
    let [low, high] = x.map(u32x8::to_array);
    std::array::from_fn(|lane| [low[lane], high[lane]])
}

/// The key of one substream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(pub [u32; 2]);

impl Key {
    /// The first eight bytes of SHA-256 over `seed`, `repeat` (both little-endian) and `label`.
    pub fn new(seed: u64, repeat: u64, label: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(seed.to_le_bytes())
            .chain_update(repeat.to_le_bytes())
            .chain_update(label.as_bytes())
            .finalize();
        let word = |at: usize| {
            u32::from_le_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]])
        };
        Self([word(0), word(4)])
    }

    /// The 64 bits at `counter`: random access, for what is drawn by index (masks, weights).
    pub fn at(self, counter: u64) -> [u32; 2] {
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of 64 bits")]
        threefry2x32(self.0, [counter as u32, (counter >> 32) as u32])
    }

    /// The stream that starts at counter 0.
    pub fn stream(self) -> Stream {
        Stream { key: self, counter: 0, spare: None, ahead: [[0; 2]; LANES], left: 0 }
    }
}

/// A sequence of random words; any `rand` distribution draws from it.
#[derive(Debug, Clone)]
pub struct Stream {
    key: Key,
    counter: u64,
    spare: Option<u32>,
    /// Blocks that were made together; the last `left` of them are still to be handed out.
    ahead: [[u32; 2]; LANES],
    left: usize,
}

impl Stream {
    /// The substream of `label` in repeat `repeat` under the master seed `seed`.
    pub fn new(seed: u64, repeat: u64, label: &str) -> Self {
        Key::new(seed, repeat, label).stream()
    }

    #[inline]
    fn block(&mut self) -> [u32; 2] {
        if self.left == 0 {
            if self.counter < ALONE {
                let block = self.key.at(self.counter);
                self.counter += 1;
                return block;
            }
            self.ahead = threefry2x32_lanes(self.key.0, self.counter);
            self.counter += LANES as u64;
            self.left = LANES;
        }
        self.left -= 1;
        self.ahead[LANES - 1 - self.left]
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        if let Some(word) = self.spare.take() {
            return Ok(word);
        }
        let [first, second] = self.block();
        self.spare = Some(second);
        Ok(first)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.spare = None;
        let [low, high] = self.block();
        Ok(u64::from(low) | u64::from(high) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            let word = self.try_next_u32()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_of_random123() {
        // Random123 1.14, tests/kat_vectors, lines "threefry2x32 20".
        let all = u32::MAX;
        let cases = [
            ([0, 0], [0, 0], [0x6b20_0159, 0x99ba_4efe]),
            ([all, all], [all, all], [0x1cb9_96fc, 0xbb00_2be7]),
            ([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3], [0xc492_3a9c, 0x483d_f7a0]),
        ];
        for (key, counter, expected) in cases {
            assert_eq!(threefry2x32(key, counter), expected);
        }
    }

    #[test]
    fn a_stream_is_the_words_of_its_key_in_order() {
        let key = Key::new(3, 1, "blocks");
        let mut stream = key.stream();
        for counter in (0..100).step_by(2) {
            let [first, _] = key.at(counter);
            assert_eq!(stream.try_next_u32(), Ok(first), "{counter}");
            // 64 bits are a block of their own: the rest of one begun is passed over.
            let [low, high] = key.at(counter + 1);
            assert_eq!(stream.try_next_u64(), Ok(u64::from(low) | u64::from(high) << 32));
        }
        let mut stream = key.stream();
        for counter in 0..100 {
            let [low, high] = key.at(counter);
            assert_eq!(stream.try_next_u64(), Ok(u64::from(low) | u64::from(high) << 32));
        }
        // Beyond 32 bits of counter, the upper half counts on.
        let late = u64::from(u32::MAX) - 3;
        for (counter, block) in (late..).zip(threefry2x32_lanes(key.0, late)) {
            assert_eq!(block, key.at(counter));
        }
    }

    #[test]
    fn substreams_differ_by_every_part_of_their_name() {
        let base = Key::new(1, 2, "rows");
        assert_eq!(base, Key::new(1, 2, "rows"));
        for other in [Key::new(2, 2, "rows"), Key::new(1, 3, "rows"), Key::new(1, 2, "row")] {
            assert_ne!(base, other);
        }
    }
}
