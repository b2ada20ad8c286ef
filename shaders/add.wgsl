// Sum of two tensors, then a pointwise function; twin of `add` on the CPU.
//
//   c = function(a + b)
//
// Also how the gradients of several readers meet: c may be a or b.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. n0: (function, -, -, -).
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. The sum is exact but for its one rounding; the
// tolerance is that of `activation`.

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = task_number(workgroup, workgroups, thread);
    if number >= arrayLength(&tasks) {
        return;
    }
    let task = tasks[number];
    let job = jobs[task.x];
    let quad = thread % QUADS;
    for (var at = walk(job.shape, task.y); at.left > 0u; at = next(job.shape, at)) {
        let sum = values[vec4_at(job.a, at, quad)] + values[vec4_at(job.b, at, quad)];
        values[vec4_at(job.c, at, quad)] = activated(job.n0.x, sum);
    }
}
