// Copies a tensor to another place; twin of `concat` on the CPU.
//
//   c = a, or 0
//
// The channels of a concatenation's sources go to theirs of its output, and their gradients back.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. n0: (whether c becomes 0, -, -,
//                -).
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Exact.

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
        let x = values[vec4_at(job.a, at, quad)];
        values[vec4_at(job.c, at, quad)] = select(x, vec4<f32>(), job.n0.x != 0u);
    }
}
