// Sum of tensors, then a pointwise function; twin of `add` on the CPU.
//
//   c = function(((a + b_0) + b_1) + ... + b_further)
//
// Also how the gradients of several readers meet, and how the sums of a dense layer's chunks become
// one: c may be a or, where there is no further term, b.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. b is b_0. n0: (function, further
//                terms, values from one of them to the next, -).
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task.
//
// Order: from left to right, as on the CPU. Every addition is exact but for its one rounding; the
// tolerance is that of `activation`.

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let b = vec4_at(job.b, at, quad);
        var sum = values[vec4_at(job.a, at, quad)] + values[b];
        for (var further = 1u; further <= job.n0.y; further += 1u) {
            sum += values[b + further * job.n0.z * QUADS];
        }
        values[vec4_at(job.c, at, quad)] = activated(job.n0.x, sum);
    }
}
