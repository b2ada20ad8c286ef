// Average pooling, gradient of the input; twin of `avgpool_backward` on the CPU.
//
//   c = sum of a / (height x width) over the windows that see the pixel
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. An input sums its windows row by row, the CPU's
// order. Tolerance: 3e-7 of the sum of the magnitudes, the 2.5 units in the last place by which
// WGSL lets a division err.

struct Job {
    // Of c.
    shape: vec4<u32>,
    a: vec4<u32>,
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
        // The windows that see this pixel.
        let pixel = vec2<u32>(at.row, at.column) + job.before;
        let last = min(pixel / job.stride, job.size - 1u);
        let outside = pixel + 1u - min(pixel + 1u, job.window);
        let first = (outside + job.stride - 1u) / job.stride;
        var sum = vec4<f32>();
        for (var row = first.x; row <= last.x; row++) {
            for (var column = first.y; column <= last.y; column++) {
                let source = Walk(at.group, row, column, at.channel, 1u);
                sum += values[vec4_at(job.a, source, quad)] / f32(job.window.x * job.window.y);
            }
        }
        values[vec4_at(job.c, at, quad)] = sum;
    }
}
