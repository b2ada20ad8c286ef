// Sum of two tensors, then a pointwise function; twin of `add` on the CPU.
//
//   c = function(a + b)
//
// Also how the gradients of several readers meet: c may be a or b.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. The sum is exact but for its one rounding; the
// tolerance is that of `activation`.

struct Job {
    shape: vec4<u32>,
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    // A number of shared/activation.wgsl.
    function: u32,
    reserved_0: u32,
    reserved_1: u32,
    reserved_2: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let sum = values[vec4_at(job.a, at, quad)] + values[vec4_at(job.b, at, quad)];
        values[vec4_at(job.c, at, quad)] = activated(job.function, sum);
    }
}
