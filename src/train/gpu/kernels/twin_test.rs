//! Jobs of a kernel of values, the memory that they work on, and what their twins make of it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::job::KernelJob;
use super::tasks::reach;
use super::tensor::Tensor;
use super::twin::{POISON, Random, TILE};
use super::{AnyJob, Kernel, Kernels, Memories, Memory, Variant, correlation};
use crate::cpu::lanes::{LANES, Lanes};
use crate::gpu::device::{Buffer, Gpu, TICK_BYTES};
use crate::model::Activation;

/// Jobs of one dispatch. Memory holds poison wherever a test puts nothing.
pub(super) struct TwinTest {
    kernel: &'static Kernel,
    jobs: Vec<Box<dyn AnyJob>>,
    memories: BTreeMap<Memory, Vec<u32>>,
    /// What a word is to be, and how far a number may be from that; infinitely: it may be anything.
    expected: BTreeMap<(Memory, usize), (u32, f32)>,
}

/// Values a task in turn: tiles must change no bit.
const ELEMENTS: [u32; 3] = [1, 5, 64];

impl TwinTest {
    pub(super) fn new(kernel: &'static Kernel) -> Self {
        let memories = kernel.memories.iter().map(|memory| (*memory, Vec::new()));
        Self { kernel, jobs: Vec::new(), memories: memories.collect(), expected: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, job: impl KernelJob) {
        self.jobs.push(Box::new(job));
    }

    /// Makes room for a tensor: (rows, columns, channels) an image, with gaps or without.
    pub(super) fn room(&mut self, random: &mut Random, groups: u32, shape: [u32; 3]) -> Tensor {
        let [rows, columns, channels] = shape;
        let widest = 3 * random.count(0, 1);
        let mut gap = || random.count(0, widest);
        let column = channels + gap();
        let row = columns * column + gap();
        let group = rows * row + gap();
        let start = self.word(Memory::Values) / 16 + gap();
        let steps = [group, row, column];
        let tensor = Tensor { start, steps, groups, rows, columns, channels };
        let along = [(groups, group), (rows, row), (columns, column), (channels, 1)];
        assert_eq!(tensor.end(), reach(start, &along));
        let poison = bytemuck::cast(POISON.0.map(f32::to_bits));
        let words = self.words_of(Memory::Values);
        while (words.len() as u64) < 16 * tensor.end() {
            words.extend::<[u32; LANES]>(poison);
        }
        tensor
    }

    /// Makes a tensor of random numbers between -1 and 1.
    pub(super) fn tensor(
        &mut self,
        random: &mut Random,
        groups: u32,
        shape: [u32; 3],
    ) -> (Tensor, Vec<Lanes>) {
        let tensor = self.room(random, groups, shape);
        let numbers: Vec<Lanes> = places(tensor).map(|_| random.lanes()).collect();
        self.fill(tensor, &numbers);
        (tensor, numbers)
    }

    /// Puts numbers, (group, row, column, channel), where the tensor lies.
    pub(super) fn fill(&mut self, tensor: Tensor, numbers: &[Lanes]) {
        assert_eq!(places(tensor).count(), numbers.len());
        for (at, numbers) in places(tensor).zip(numbers) {
            let words = &mut self.words_of(Memory::Values)[at..at + LANES];
            words.copy_from_slice(&numbers.0.map(f32::to_bits));
        }
    }

    /// Says what a tensor is to be, up to `tolerance` of a place, lane and reference.
    pub(super) fn expect(
        &mut self,
        tensor: Tensor,
        numbers: &[Lanes],
        tolerance: impl Fn(usize, usize, f32) -> f32,
    ) {
        assert_eq!(places(tensor).count(), numbers.len());
        for (place, (at, numbers)) in places(tensor).zip(numbers).enumerate() {
            for (lane, x) in numbers.0.into_iter().enumerate() {
                let to = (x.to_bits(), tolerance(place, lane, x));
                self.expected.insert((Memory::Values, at + lane), to);
            }
        }
    }

    /// Appends numbers to a memory; where they begin.
    pub(super) fn numbers(&mut self, memory: Memory, numbers: &[f32]) -> u32 {
        let words: Vec<u32> = numbers.iter().map(|x| x.to_bits()).collect();
        self.words(memory, &words)
    }

    pub(super) fn words(&mut self, memory: Memory, words: &[u32]) -> u32 {
        let start = self.word(memory);
        self.words_of(memory).extend(words);
        start
    }

    /// How many words a memory has so far.
    pub(super) fn word(&self, memory: Memory) -> u32 {
        u32::try_from(self.memories[&memory].len()).unwrap()
    }

    fn words_of(&mut self, memory: Memory) -> &mut Vec<u32> {
        self.memories.get_mut(&memory).expect("the kernel knows it")
    }

    /// Appends a step; its number.
    pub(super) fn step(&mut self, first: u32, images: u32, number: u32, factors: [f32; 2]) -> u32 {
        let [rate, root2] = factors.map(f32::to_bits);
        self.words(Memory::Steps, &[first, images, number, rate, root2, !0, !0, !0]) / 8
    }

    pub(super) fn expect_numbers(
        &mut self,
        memory: Memory,
        start: u32,
        numbers: &[f32],
        tolerance: impl Fn(usize, f32) -> f32,
    ) {
        for (at, x) in numbers.iter().enumerate() {
            let to = (x.to_bits(), tolerance(at, *x));
            self.expected.insert((memory, start as usize + at), to);
        }
    }

    pub(super) fn expect_words(&mut self, memory: Memory, start: u32, words: &[u32]) {
        for (at, word) in words.iter().enumerate() {
            self.expected.insert((memory, start as usize + at), (*word, 0.0));
        }
    }

    /// Runs all jobs in one dispatch a step, under tiles of several sizes, and one by one: the bits
    /// must be the same, near what is expected, and as they were elsewhere.
    #[track_caller]
    pub(super) fn check(&self, gpu: &Gpu, steps: Range<u32>) -> BTreeMap<Memory, Vec<u32>> {
        let found = self.run(gpu, ELEMENTS[0], steps.clone(), false);
        for elements in &ELEMENTS[1..] {
            assert!(self.run(gpu, *elements, steps.clone(), false) == found, "{elements} a task");
        }
        assert!(self.run(gpu, 8, steps, true) == found, "alone or in company");
        let mut different = 0;
        for (memory, words) in &found {
            for (at, word) in words.iter().enumerate() {
                different += usize::from(self.differs((*memory, at), *word));
            }
        }
        println!("{}: {different} of {} not the twin's", self.kernel.name, self.expected.len());
        found
    }

    /// Whether a word is near what it should be, and yet not the same.
    #[track_caller]
    fn differs(&self, place: (Memory, usize), found: u32) -> bool {
        let start = (self.memories[&place.0][place.1], 0.0);
        let (expected, tolerance) = self.expected.get(&place).copied().unwrap_or(start);
        if found == expected {
            return false;
        }
        let [near, to] = [found, expected].map(f32::from_bits);
        // NaN has no bits of its own, unless it is what nobody wrote.
        let is_nan = self.expected.contains_key(&place) && near.is_nan() && to.is_nan();
        let is_near = (near - to).abs() <= tolerance || is_nan || tolerance.is_infinite();
        let kernel = self.kernel.name;
        assert!(is_near, "{kernel}: {near} ({found:#x}) at {place:?}, not {to}, +- {tolerance}");
        true
    }

    fn run(
        &self,
        gpu: &Gpu,
        elements: u32,
        steps: Range<u32>,
        is_each_alone: bool,
    ) -> BTreeMap<Memory, Vec<u32>> {
        let memories: BTreeMap<Memory, Buffer> = self
            .memories
            .iter()
            .map(|(memory, words)| {
                let filled = [!0; 8];
                let words = if words.is_empty() { &filled[..] } else { words };
                (*memory, gpu.upload("memory", words).unwrap())
            })
            .chain([(Memory::Tick, gpu.allocate("tick", TICK_BYTES).unwrap())])
            .collect();
        let memories = Memories(memories);
        let numbers: Vec<[u32; 4]> = (0..steps.end).map(|step| [step, !0, !0, !0]).collect();
        let numbers = gpu.upload("numbers", &numbers).unwrap();
        let correlation = correlation::Tile { offsets_4: 1, filters: 1, threads: 64 };
        let kernels = Kernels::new(Variant { product: TILE, correlation, elements });
        let jobs: Vec<&dyn AnyJob> = self.jobs.iter().map(|job| &**job).collect();
        let at_once = if is_each_alone { 1 } else { jobs.len() };
        for jobs in jobs.chunks(at_once) {
            let prepared = kernels.prepare(gpu, self.kernel, jobs, &memories).unwrap();
            let tick = memories.get(Memory::Tick);
            gpu.run_steps(&prepared, steps.clone(), [&numbers, tick]).unwrap();
        }
        let read = |memory: &Memory| {
            let buffer = memories.get(*memory);
            gpu.download(buffer, 0..buffer.bytes()).unwrap()
        };
        let used = self.memories.iter().filter(|(_, words)| !words.is_empty());
        used.map(|(memory, _)| (*memory, read(memory))).collect()
    }
}

/// Where a tensor's values begin, in words.
fn places(tensor: Tensor) -> impl Iterator<Item = usize> {
    let Tensor { start, steps: [group, row, column], groups, rows, columns, channels } = tensor;
    let pixels = (0..groups).flat_map(move |g| (0..rows).map(move |r| g * group + r * row));
    let pixels = pixels.flat_map(move |at| (0..columns).map(move |c| at + c * column));
    let values = pixels.flat_map(move |at| (0..channels).map(move |channel| at + channel));
    values.map(move |at| (start + at) as usize * LANES)
}

/// Sizes of a test's images: small, odd, some of one pixel, some of one channel.
pub(super) fn shape(random: &mut Random) -> [u32; 3] {
    let up_to = |random: &mut Random, most| {
        if random.count(0, 3) == 0 { 1 } else { random.count(1, most) }
    };
    [up_to(random, 7), up_to(random, 6), up_to(random, 9)]
}

/// Tolerance of what moves numbers about.
pub(super) fn exact(_: usize, _: usize, _: f32) -> f32 {
    0.0
}

/// Functions by their numbers.
pub(super) const FUNCTIONS: [Activation; 6] = [
    Activation::Linear,
    Activation::Relu,
    Activation::LeakyRelu,
    Activation::Elu,
    Activation::Tanh,
    Activation::Sigmoid,
];

/// Of `shared/exponential.wgsl`, with what the twin errs by; nothing where no exponential is.
pub(super) fn of_function(function: Activation) -> impl Fn(usize, usize, f32) -> f32 {
    let is_exact =
        matches!(function, Activation::Linear | Activation::Relu | Activation::LeakyRelu);
    move |_, _, reference| if is_exact { 0.0 } else { 7e-7 * reference.abs() + 2e-37 }
}

/// Images of a batch, of which the last group may have one alone or lack some.
pub(super) fn images(random: &mut Random, groups: u32) -> u32 {
    groups * 16 - [0, 15, 3][random.count(0, 2) as usize]
}
