// Gradient through a pointwise function, from the function's output; twin of `activation_backward`
// on the CPU.
//
//   b = b x derivative(a)
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Nothing is summed. Tolerance: exact for the
// rectifiers, else 1.2e-7 |b|, where a product and a difference may be rounded as one. It cannot be
// relative to the result: 1 - y^2 may cancel.

struct Job {
    shape: vec4<u32>,
    // The outputs.
    a: vec4<u32>,
    // Their gradients.
    b: vec4<u32>,
    // A number of shared/activation.wgsl.
    function: u32,
    reserved_0: u32,
    reserved_1: u32,
    reserved_2: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let to = vec4_at(job.b, at, quad);
        values[to] *= derivative(job.function, values[vec4_at(job.a, at, quad)]);
    }
}
