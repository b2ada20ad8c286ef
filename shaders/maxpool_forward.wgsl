// Max-pooling, forward; twin of `maxpool_forward` on the CPU.
//
//   b = the largest a of each window;  c = its place in the window, row by row, from 0
//
// Padding never wins; ties take the first place; NaN beats every number.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images; places as numbers.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Values are copied: exact.

struct Job {
    // Of b and c.
    shape: vec4<u32>,
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    // Height and width of the windows.
    window: vec2<u32>,
    // Padding above and to the left.
    before: vec2<u32>,
    // Rows and columns of a.
    size: vec2<u32>,
    stride: u32,
    reserved_0: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let corner = vec2<u32>(at.row, at.column) * job.stride;
        // Of the window, what lies in the image.
        let first = job.before - min(job.before, corner);
        let end = min(job.window, job.size + job.before - corner);
        var best = vec4<f32>();
        var won = vec4<f32>();
        var is_first = true;
        for (var row = first.x; row < end.x; row++) {
            for (var column = first.y; column < end.y; column++) {
                let pixel = corner + vec2<u32>(row, column) - job.before;
                let source = Walk(at.group, pixel.x, pixel.y, at.channel, 1u);
                let x = values[vec4_at(job.a, source, quad)];
                let wins = (x > best) | is_nan(x) | vec4<bool>(is_first);
                best = select(best, x, wins);
                won = select(won, vec4<f32>(f32(row * job.window.y + column)), wins);
                is_first = false;
            }
        }
        values[vec4_at(job.b, at, quad)] = best;
        values[vec4_at(job.c, at, quad)] = won;
    }
}

// By the bits, since a compiler may assume that there is no such number.
fn is_nan(x: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
}
