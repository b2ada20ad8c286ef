// The flat list of work of a dispatch.
//
// tasks: (tasks) of (job, tile): which job, and which of its tiles.
//
// Workgroups number the tasks through in two dimensions, since none may be larger than 65,535. Each
// task has QUADS threads, the four images of which are one vec4: groups of sixteen images lie side
// by side in memory, so that a task's threads read 64 bytes in a row.

const QUADS: u32 = 4u;
const TASKS_PER_WORKGROUP: u32 = THREADS / QUADS;

@group(0) @binding(0) var<storage, read> tasks: array<vec2<u32>>;

// The number of this thread's task, which may lie behind the last one.
fn task_number(workgroup: vec3<u32>, workgroups: vec3<u32>, thread: u32) -> u32 {
    return (workgroup.y * workgroups.x + workgroup.x) * TASKS_PER_WORKGROUP + thread / QUADS;
}
