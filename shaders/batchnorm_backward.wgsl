// Batch normalisation, gradient of the input; twin of `batchnorm_backward` on the CPU.
//
//   c = scale x spread x (b - d_shift / n - (a - mean) x spread x d_scale / n)
//
// with n = images x rows x columns; 0 for images that are not there. d_scale and d_shift are
// channel_sums', finished by reduce_partials.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. a: the inputs; b: the gradient of
//                the output, before its function. n0: where in `weights` the channels' (scale, -,
//                mean, spread) begin; n1: (where d_scale begins in `gradients`, likewise d_shift,
//                first step, -).
//   values:      all tensors, vec4 of 4 images.
//   steps, tick: see shared/steps.wgsl.
//   weights, gradients: f32.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Tolerance, from the same sums: |scale| x spread
// x 1e-6 (|b| + |d_shift| / n + |(a - mean) x spread x d_scale| / n), for divisions and products
// that may be rounded with the difference.

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> steps: array<Step>;
@group(0) @binding(4) var<uniform> tick: vec4<u32>;
@group(0) @binding(5) var<storage, read> weights: array<f32>;
@group(0) @binding(6) var<storage, read> gradients: array<f32>;

fn work(job: Job, tile: u32, quad: u32) {
    let step = steps[job.n1.z + tick.x];
    let count = f32(step.images * job.shape.y * job.shape.z);
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let mean = weights[job.n0.z + at.channel];
        let spread = weights[job.n0.w + at.channel];
        let factor = weights[job.n0.x + at.channel] * spread;
        let slope = gradients[job.n1.x + at.channel] / count * spread;
        let shift = gradients[job.n1.y + at.channel] / count;
        let normal = (values[vec4_at(job.a, at, quad)] - mean) * slope;
        let d = factor * (values[vec4_at(job.b, at, quad)] - shift - normal);
        let is_there = are_there(step.images, at.group, quad);
        values[vec4_at(job.c, at, quad)] = select(vec4<f32>(), d, is_there);
    }
}
