// Average pooling, forward; twin of `avgpool_forward` on the CPU.
//
//   b = sum of a over each window, padding as 0, over height x width
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. shape: of b. n0: (height, width,
//                stride, -) of the windows; n1: (padding above, left, rows, columns) of a.
//   values:      all tensors, vec4 of 4 images.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Each row of a window is summed, then the rows:
// the CPU's order. Tolerance: 3e-7 |reference|, the 2.5 units in the last place by which WGSL lets
// a division err.

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    for (var at = walk(job.shape, tile); at.left > 0u; at = next(job.shape, at)) {
        let corner = vec2<u32>(at.row, at.column) * job.n0.z;
        // Of the window, what lies in the image.
        let first = job.n1.xy - min(job.n1.xy, corner);
        let end = min(job.n0.xy, job.n1.zw + job.n1.xy - corner);
        var sum = vec4<f32>();
        for (var row = first.x; row < end.x; row++) {
            var row_sum = vec4<f32>();
            for (var column = first.y; column < end.y; column++) {
                let pixel = corner + vec2<u32>(row, column) - job.n1.xy;
                let source = Walk(at.group, pixel.x, pixel.y, at.channel, 1u);
                row_sum += values[vec4_at(job.a, source, quad)];
            }
            sum += row_sum;
        }
        values[vec4_at(job.b, at, quad)] = sum / f32(job.n0.x * job.n0.y);
    }
}
