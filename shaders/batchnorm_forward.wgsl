// Batch normalisation, forward, from statistics that are there; twin of `batchnorm_forward` on the
// CPU.
//
//   c = function((a - mean) x scale x spread + shift)
//
// The statistics are channel_sums', finished by reduce_partials. In validation the running ones
// take their place, with spread = 1 / sqrt(variance + epsilon).
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images.
//   weights:     f32.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Tolerance, from the same statistics: 1e-6 (|a -
// mean| |scale| spread + |shift|), 7 units in the last place for a root and a division and one
// where a product and a sum may be rounded as one, and that of `activation` on top.

struct Job {
    shape: vec4<u32>,
    a: vec4<u32>,
    c: vec4<u32>,
    // Where the channels' numbers begin in `weights`.
    scale: u32,
    shift: u32,
    mean: u32,
    spread: u32,
    // A number of shared/activation.wgsl.
    function: u32,
    // Whether the spread is a variance.
    is_variance: u32,
    epsilon: f32,
    reserved_0: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;

fn work(job: Job, tile: u32, quad: u32) {
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let mean = weights[job.mean + at.channel];
        var spread = weights[job.spread + at.channel];
        if job.is_variance != 0u {
            spread = 1.0 / sqrt(spread + job.epsilon);
        }
        let factor = weights[job.scale + at.channel] * spread;
        let normal = (values[vec4_at(job.a, at, quad)] - mean) * factor;
        let y = activated(job.function, normal + weights[job.shift + at.channel]);
        values[vec4_at(job.c, at, quad)] = y;
    }
}
