// Inverted dropout, forward and backward; twin of `dropout` on the CPU.
//
//   c = a x mask,  mask = factor where the value's random word is above the threshold, else 0
//
// The value's number is e = image x (values of an image) + (channel, row, column) place; word e mod
// 2 of counter (e / 2, step) under the layer's key is its own, the CPU's. So the backward pass
// draws the same mask, and none is kept.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images.
//   steps, tick: see shared/steps.wgsl.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Exact.

struct Job {
    shape: vec4<u32>,
    a: vec4<u32>,
    c: vec4<u32>,
    // The layer's.
    key: vec2<u32>,
    // Kept are words above it: rate x 2^32 - 1, rounded up (the rate is not 0).
    threshold: u32,
    factor: f32,
    // Of the pass, in `steps`.
    first_step: u32,
    reserved_0: u32,
    reserved_1: u32,
    reserved_2: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> steps: array<Step>;
@group(0) @binding(4) var<uniform> tick: vec4<u32>;

fn work(job: Job, tile: u32, quad: u32) {
    let step = steps[job.first_step + tick.x];
    let positions = job.shape.y * job.shape.z;
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let image = vec4<u32>(0u, 1u, 2u, 3u) + at.group * 16u + quad * 4u;
        let place = at.channel * positions + at.row * job.shape.z + at.column;
        let element = image * (positions * job.shape.w) + place;
        let words = threefry(job.key, Words(element / 2u, vec4<u32>(step.number)));
        let word = select(words.second, words.first, (element & vec4<u32>(1u)) == vec4<u32>());
        let kept = word > vec4<u32>(job.threshold);
        let mask = select(vec4<f32>(), vec4<f32>(job.factor), kept);
        values[vec4_at(job.c, at, quad)] = values[vec4_at(job.a, at, quad)] * mask;
    }
}
