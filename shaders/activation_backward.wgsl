// Gradient through a pointwise function, from the function's output; twin of `activation_backward`
// on the CPU.
//
//   b = b x derivative(a)
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. a: the outputs; b: their
//                gradients. n0: (function, -, -, -).
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Nothing is summed. Tolerance: exact for the
// rectifiers, else 1.2e-7 |b|, where a product and a difference may be rounded as one. It cannot be
// relative to the result: 1 - y^2 may cancel.

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let to = vec4_at(job.b, at, quad);
        values[to] *= derivative(job.n0.x, values[vec4_at(job.a, at, quad)]);
    }
}
