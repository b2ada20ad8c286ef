// Sum of tensors, then a pointwise function; twin of `add` on the CPU.
//
//   c = function(((a + b_0) + b_1) + ... + b_further)
//
// Also how the gradients of several readers meet, and how the sums of a dense layer's chunks become
// one: c may be a or, where there is no further term, b.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. b is b_0.
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task.
//
// Order: from left to right, as on the CPU. Every addition is exact but for its one rounding; the
// tolerance is that of `activation`.

struct Job {
    shape: vec4<u32>,
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    // A number of shared/activation.wgsl.
    function: u32,
    // Terms behind b_0, and the values from one of them to the next.
    further: u32,
    further_step: u32,
    reserved_0: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let b = vec4_at(job.b, at, quad);
        var sum = values[vec4_at(job.a, at, quad)] + values[b];
        for (var further = 1u; further <= job.further; further += 1u) {
            sum += values[b + further * job.further_step * QUADS];
        }
        values[vec4_at(job.c, at, quad)] = activated(job.function, sum);
    }
}
