// Pointwise functions of layers, in place; twin of `activation` on the CPU.
//
//   a = function(a)
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Nothing is summed. Tolerance: exact for the
// rectifiers, else 7e-7 |reference| + 2e-37, what shared/exponential.wgsl and the twin err by.

struct Job {
    shape: vec4<u32>,
    a: vec4<u32>,
    // A number of shared/activation.wgsl.
    function: u32,
    reserved_0: u32,
    reserved_1: u32,
    reserved_2: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let to = vec4_at(job.a, at, quad);
        values[to] = activated(job.function, values[to]);
    }
}
