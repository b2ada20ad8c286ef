// Work on the values of tensors one by one.
//
// jobs: (jobs) of Job. A tensor of a job is (group, row, column, channel) of values, a value the 16
// images of one number, 4 vec4; channels lie side by side, and a Place says where the rest does:
// the first value, and the values from one group, row and column to the next. So a tensor may have
// a frame about its images, or be some channels of a larger one.
//
// Each shader says what its Job is. What has a `shape` means by it the groups, rows, columns and
// channels of what is written, and by `a`, `b` and `c` Places, unless it says otherwise.
//
// Each shader's `work` does a tile of a job for four of the images. A tile are, unless the shader
// says otherwise, ELEMENTS values of one group, in the order (row, column, channel); a task's four
// threads do the same for four images each. Tiles change no result.

@group(0) @binding(1) var<storage, read> jobs: array<Job>;

// A value on the way through a tile, and how many are left, itself included.
struct Walk {
    group: u32,
    row: u32,
    column: u32,
    channel: u32,
    left: u32,
}

// The first value of a tile.
fn walk(shape: vec4<u32>, tile: u32) -> Walk {
    let elements = shape.y * shape.z * shape.w;
    let tiles = (elements + ELEMENTS - 1u) / ELEMENTS;
    let first = tile % tiles * ELEMENTS;
    let pixel = first / shape.w;
    return Walk(
        tile / tiles,
        pixel / shape.z,
        pixel % shape.z,
        first % shape.w,
        min(ELEMENTS, elements - first),
    );
}

fn next(shape: vec4<u32>, at: Walk) -> Walk {
    let is_column = at.channel + 1u == shape.w;
    let is_row = is_column && at.column + 1u == shape.z;
    return Walk(
        at.group,
        at.row + u32(is_row),
        select(at.column + u32(is_column), 0u, is_row),
        select(at.channel + 1u, 0u, is_column),
        at.left - 1u,
    );
}

// Where this thread's four images of a value lie.
fn vec4_at(place: vec4<u32>, at: Walk, quad: u32) -> u32 {
    let value = place.x + at.group * place.y + at.row * place.z + at.column * place.w + at.channel;
    return value * QUADS + quad;
}

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
    work(jobs[task.x], task.y, thread % QUADS);
}
