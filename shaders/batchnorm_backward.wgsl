// Batch normalisation, gradient of the input; twin of `batchnorm_backward` on the CPU.
//
//   c = scale x spread x (b - d_shift / n - (a - mean) x spread x d_scale / n)
//
// with n = images x rows x columns; 0 for images that are not there. d_scale and d_shift are
// channel_sums', finished by reduce_partials.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images.
//   steps, tick: see shared/steps.wgsl.
//   weights, gradients: f32.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Tolerance, from the same sums: |scale| x spread
// x 1e-6 (|b| + |d_shift| / n + |(a - mean) x spread x d_scale| / n), for divisions and products
// that may be rounded with the difference.

struct Job {
    shape: vec4<u32>,
    // The inputs.
    a: vec4<u32>,
    // The gradient of the output, before its function.
    b: vec4<u32>,
    c: vec4<u32>,
    // Where the channels' numbers begin in `weights` ...
    scale: u32,
    mean: u32,
    spread: u32,
    // ... and in `gradients`.
    d_scale: u32,
    d_shift: u32,
    // Of the pass, in `steps`.
    first_step: u32,
    reserved_0: u32,
    reserved_1: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> steps: array<Step>;
@group(0) @binding(4) var<uniform> tick: vec4<u32>;
@group(0) @binding(5) var<storage, read> weights: array<f32>;
@group(0) @binding(6) var<storage, read> gradients: array<f32>;

fn work(job: Job, tile: u32, quad: u32) {
    let step = steps[job.first_step + tick.x];
    let count = f32(step.images * job.shape.y * job.shape.z);
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let mean = weights[job.mean + at.channel];
        let spread = weights[job.spread + at.channel];
        let factor = weights[job.scale + at.channel] * spread;
        let slope = gradients[job.d_scale + at.channel] / count * spread;
        let shift = gradients[job.d_shift + at.channel] / count;
        let normal = (values[vec4_at(job.a, at, quad)] - mean) * slope;
        let d = factor * (values[vec4_at(job.b, at, quad)] - shift - normal);
        let is_there = are_there(step.images, at.group, quad);
        values[vec4_at(job.c, at, quad)] = select(vec4<f32>(), d, is_there);
    }
}
