// Average pooling, forward; twin of `avgpool_forward` on the CPU.
//
//   b = sum of a over each window, padding as 0, over height x width
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Each row of a window is summed, then the rows:
// the CPU's order. Tolerance: 3e-7 |reference|, the 2.5 units in the last place by which WGSL lets
// a division err.

struct Job {
    // Of b.
    shape: vec4<u32>,
    a: vec4<u32>,
    b: vec4<u32>,
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
        var sum = vec4<f32>();
        for (var row = first.x; row < end.x; row++) {
            var row_sum = vec4<f32>();
            for (var column = first.y; column < end.y; column++) {
                let pixel = corner + vec2<u32>(row, column) - job.before;
                let source = Walk(at.group, pixel.x, pixel.y, at.channel, 1u);
                row_sum += values[vec4_at(job.a, source, quad)];
            }
            sum += row_sum;
        }
        values[vec4_at(job.b, at, quad)] = sum / f32(job.window.x * job.window.y);
    }
}
