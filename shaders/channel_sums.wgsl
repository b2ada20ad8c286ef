// Sums over the images and positions of each channel, in blocks; twin of `channel_sums` on the CPU.
//
//   partial[block, channel] = sum over the block's rows of term(a, b), image by image
//
// with term PLAIN: a;  SQUARES: (a - mean)^2;  ALONG: a (b - mean). A row is a group's position; a
// block are BLOCK_ROWS of them. reduce_partials adds the blocks and the images.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl; tiles count channels
//                first.
//   values:      all tensors, vec4 of 4 images; only read.
//   steps, tick: see shared/steps.wgsl.
//   weights:     f32.
//   gradients:   vec4; (blocks, channels) of 4, the images' sums.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Order: rows as they lie, group by group. Sums of
// PLAIN are exact, and those of the twin's blocks; but the twin begins a block anew with the group
// that lacks images. Tolerance: a rounding a row of a block and one a block, 6e-8 of the sum of the
// magnitudes each.

const PLAIN: u32 = 0u;
const SQUARES: u32 = 1u;
const ALONG: u32 = 2u;
const BLOCK_ROWS: u32 = 256u;

struct Job {
    // Of a.
    shape: vec4<u32>,
    a: vec4<u32>,
    b: vec4<u32>,
    term: u32,
    // Where the means begin in `weights`.
    mean: u32,
    // Where the partial sums begin in `gradients`.
    partials: u32,
    // Of the pass, in `steps`.
    first_step: u32,
    // Whether images that are not there are left out.
    leaves_out_blanks: u32,
    reserved_0: u32,
    reserved_1: u32,
    reserved_2: u32,
}

@group(0) @binding(2) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> steps: array<Step>;
@group(0) @binding(4) var<uniform> tick: vec4<u32>;
@group(0) @binding(5) var<storage, read> weights: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradients: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    let images = steps[job.first_step + tick.x].images;
    let channel = tile % job.shape.w;
    let first = tile / job.shape.w * BLOCK_ROWS;
    let positions = job.shape.y * job.shape.z;
    let count = min(BLOCK_ROWS, job.shape.x * positions - first);
    let position = first % positions;
    var at = Walk(
        first / positions,
        position / job.shape.z,
        position % job.shape.z,
        channel,
        count,
    );
    var mean = 0.0;
    if job.term != PLAIN {
        mean = weights[job.mean + channel];
    }
    var sum = vec4<f32>();
    for (; at.left > 0u; at.left -= 1u) {
        let x = values[vec4_at(job.a, at, quad)];
        var term = x;
        if job.term == SQUARES {
            term = (x - mean) * (x - mean);
        } else if job.term == ALONG {
            term = x * (values[vec4_at(job.b, at, quad)] - mean);
        }
        let counts = are_there(images, at.group, quad) | vec4<bool>(job.leaves_out_blanks == 0u);
        sum += select(vec4<f32>(), term, counts);
        at.column += 1u;
        if at.column == job.shape.z {
            at.column = 0u;
            at.row += 1u;
            if at.row == job.shape.y {
                at.row = 0u;
                at.group += 1u;
            }
        }
    }
    gradients[job.partials + tile * QUADS + quad] = sum;
}
