// Copies a tensor to another place; twin of `concat` on the CPU.
//
//   c = a, or 0
//
// The channels of a concatenation's sources go to theirs of its output, and their gradients back.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Exact.

struct Job {
    shape: vec4<u32>,
    a: vec4<u32>,
    c: vec4<u32>,
    // Whether c becomes 0.
    is_zero: u32,
    reserved_0: u32,
    reserved_1: u32,
    reserved_2: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let x = values[vec4_at(job.a, at, quad)];
        values[vec4_at(job.c, at, quad)] = select(x, vec4<f32>(), job.is_zero != 0u);
    }
}
