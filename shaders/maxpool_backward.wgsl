// Max-pooling, gradient of the input; twin of `maxpool_backward` on the CPU.
//
//   c = sum of a over the windows that the pixel won, b being the places that won
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images; places as numbers.
//
// Dispatch: THREADS threads a workgroup, 4 a task. An input sums its windows row by row, the CPU's
// order: exact, but for the sign of a 0.

struct Job {
    // Of c.
    shape: vec4<u32>,
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    // Height and width of the windows.
    window: vec2<u32>,
    // Padding above and to the left.
    before: vec2<u32>,
    // Rows and columns of a and b.
    size: vec2<u32>,
    stride: u32,
    reserved_0: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    // Where windows do not overlap, a pixel lies in one at most, and no loop is needed.
    let is_alone = all(job.window <= vec2<u32>(job.stride));
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        // The windows that see this pixel.
        let pixel = vec2<u32>(at.row, at.column) + job.before;
        var sum = vec4<f32>();
        if is_alone {
            let window = pixel / job.stride;
            if all(window < job.size) && all(pixel - window * job.stride < job.window) {
                sum = share(job, at, window, pixel, quad);
            }
        } else {
            let last = min(pixel / job.stride, job.size - 1u);
            let outside = pixel + 1u - min(pixel + 1u, job.window);
            let first = (outside + job.stride - 1u) / job.stride;
            for (var row = first.x; row <= last.x; row++) {
                for (var column = first.y; column <= last.y; column++) {
                    sum += share(job, at, vec2<u32>(row, column), pixel, quad);
                }
            }
        }
        values[vec4_at(job.c, at, quad)] = sum;
    }
}

// What a pixel gets of the gradient of a window that it lies in.
fn share(job: Job, at: Walk, window: vec2<u32>, pixel: vec2<u32>, quad: u32) -> vec4<f32> {
    let source = Walk(at.group, window.x, window.y, at.channel, 1u);
    let inside = pixel - window * job.stride;
    let place = vec4<f32>(f32(inside.x * job.window.y + inside.y));
    let is_won = values[vec4_at(job.b, source, quad)] == place;
    return select(vec4<f32>(), values[vec4_at(job.a, source, quad)], is_won);
}
