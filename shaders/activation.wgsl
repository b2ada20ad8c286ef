// Pointwise functions of layers, in place; twin of `activation` on the CPU.
//
//   a = function(a)
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. n0: (function, -, -, -).
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Nothing is summed. Tolerance: exact for the
// rectifiers, else 7e-7 |reference| + 2e-37, what shared/exponential.wgsl and the twin err by.

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
        let to = vec4_at(job.a, at, quad);
        values[to] = activated(job.n0.x, values[to]);
    }
}
