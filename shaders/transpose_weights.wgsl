// Puts a layer's weights into the order in which its backward pass reads them; twin of
// `transpose_weights` on the CPU.
//
//   out[(tap, column, filter), channel]
//     = weights[(y + stride (rows - 1 - tap), x + stride (columns - 1 - column), channel), filter]
//
// of a kernel's places (y, x) = remainders under the stride: the gradient of the input is a product
// with them. A dense layer is a kernel of one place. What fills up the channels to whole fours is
// left as it is.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. shape: (rows, columns, filters,
//                channels). n0: (where out begins, where the layer's weights begin, from one row of
//                them to the next, fours of channels); n1: (kernel, stride, y, x).
//   weights:     f32, of which a row are whole fours.
//
// Dispatch: THREADS threads a workgroup, 4 a task, each with every fourth of 4 ELEMENTS fours of
// channels. Exact.

@group(0) @binding(2) var<storage, read_write> weights: array<f32>;

fn work(job: Job, tile: u32, quad: u32) {
    let fours = job.shape.x * job.shape.y * job.shape.z * job.n0.w;
    let end = min(fours, (tile + 1u) * (ELEMENTS * 4u));
    for (var at = tile * (ELEMENTS * 4u) + quad; at < end; at += 4u) {
        let row = at / job.n0.w;
        let filter_number = row % job.shape.z;
        let place = row / job.shape.z;
        let tap = place / job.shape.y;
        let column = place % job.shape.y;
        let y = job.n1.z + job.n1.y * (job.shape.x - 1u - tap);
        let x = job.n1.w + job.n1.y * (job.shape.y - 1u - column);
        let first = (y * job.n1.x + x) * job.shape.w;
        //@ for k in 0123
        let channel_{k} = at % job.n0.w * 4u + {k}u;
        if channel_{k} < job.shape.w {
            weights[job.n0.x + at * 4u + {k}u] =
                weights[job.n0.y + (first + channel_{k}) * job.n0.z + filter_number];
        }
        //@ end
    }
}
