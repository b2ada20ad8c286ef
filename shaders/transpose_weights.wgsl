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
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   weights:     f32, of which a row are whole fours.
//
// Dispatch: THREADS threads a workgroup, 4 a task, each with every fourth of 4 ELEMENTS fours of
// channels. Exact.

struct Job {
    // Of out.
    rows: u32,
    columns: u32,
    filters: u32,
    channels: u32,
    // Where out and the layer's weights begin, from one row of these to the next, and fours of
    // channels.
    out: u32,
    weights: u32,
    row: u32,
    fours: u32,
    // Of the convolution, and the remainders.
    kernel: u32,
    stride: u32,
    y: u32,
    x: u32,
}

@group(0) @binding(2) var<storage, read_write> weights: array<f32>;

fn work(job: Job, tile: u32, quad: u32) {
    let fours = job.rows * job.columns * job.filters * job.fours;
    let end = min(fours, (tile + 1u) * (ELEMENTS * 4u));
    for (var at = tile * (ELEMENTS * 4u) + quad; at < end; at += 4u) {
        let row = at / job.fours;
        let filter_number = row % job.filters;
        let place = row / job.filters;
        let tap = place / job.columns;
        let column = place % job.columns;
        let y = job.y + job.stride * (job.rows - 1u - tap);
        let x = job.x + job.stride * (job.columns - 1u - column);
        let first = (y * job.kernel + x) * job.channels;
        //@ for k in 0123
        let channel_{k} = at % job.fours * 4u + {k}u;
        if channel_{k} < job.channels {
            weights[job.out + at * 4u + {k}u] =
                weights[job.weights + (first + channel_{k}) * job.row + filter_number];
        }
        //@ end
    }
}
