// The sum under the weight gradients of convolutions; twin of `Correlation` on the CPU.
//
//   sums[k, f] = sum over places p and images of x[from(p) + at(k)] d_output[p, f]
//
// for places p = (group, row, column), filters f, and offsets k = t run + j,
// at(k) = t tap_step + j. One dispatch serves many jobs of unlike shapes: a job is a layer's sum
// over some groups, a number of them that depends on the shape alone.
//
// Buffers, all offsets in elements:
//   tasks:  (tasks) of (job, tile); see shared/tasks.wgsl.
//   jobs:   (jobs) of Job.
//   values: activations and gradients of all jobs, vec4 of 4 images; what is called a "value" in
//           Job are the 16 images of one number, 4 vec4. Only read.
//   sums:   f32. Of a job: (offsets, stride), of which the first `filters` of each row are
//           overwritten.
//
// Dispatch: THREADS threads a workgroup, 4 a task, each with 4 of the 16 images and a tile of
// 4 OFFSETS_4 offsets x FILTERS filters in registers. Tiles count filters first. The images are
// added through workgroup memory, the offsets of one filter at a time: 64 THREADS OFFSETS_4 bytes.
//
// Order: each image sums for itself over groups, rows and columns, each term fused into it; then
// the images 8 apart are added, those 4, 2 and 1 apart. Tiles do not change that, so all variants
// give the same bits: those of the CPU where fma rounds once, and those of a product and a sum,
// each rounded, where it does not (Mesa 22.3's lavapipe).
//
// Measured on lavapipe (Mesa 22.3.6, LLVM 15, 8 threads in step, 2 AVX-512 cores), GFLOP/s, by
// offsets x filters a tile, with 32 threads (64 for the first two), 8 jobs of 16 images each:
//
//                                4x1    4x4    8x4    4x8    8x8   16x4   16x8  16x16
//   conv 14x14x16 -> 32, 5x5      3.8    8.2    9.0   10.3   14.3   11.8   16.4   19.0
//   conv 8x8x8 -> 16, 3x3         3.6    7.6    8.3    9.4   12.8    9.7   12.9   11.9
//   conv 28x28x1 -> 6, 5x5        3.4    5.1    5.5    6.4    8.9    7.3   10.0    5.9
//
// What counts there is reads a product, as in product.wgsl; the barriers cost little beside them.

struct Job {
    // Values.
    x: u32,
    d_output: u32,
    // f32s, and so many from one offset to the next.
    sums: u32,
    stride: u32,

    offsets: u32,
    run: u32,
    tap_step: u32,
    filters: u32,

    // Places.
    groups: u32,
    rows: u32,
    columns: u32,
    filter_tiles: u32,

    // Steps from one place to the next, values.
    x_group: u32,
    x_row: u32,
    x_column: u32,
    reserved_0: u32,

    d_group: u32,
    d_row: u32,
    d_column: u32,
    reserved_1: u32,
}

@group(0) @binding(1) var<storage, read> jobs: array<Job>;
@group(0) @binding(2) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

var<workgroup> by_quad: array<vec4<f32>, THREADS * OFFSETS_4 * 4u>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = task_number(workgroup, workgroups, thread);
    // Who has no task does the last one's work and keeps nothing, since all must meet the barriers.
    let is_task = number < arrayLength(&tasks);
    let task = tasks[min(number, arrayLength(&tasks) - 1u)];
    let job = jobs[task.x];
    let quad = thread % QUADS;
    let first_filter = (task.y % job.filter_tiles) * FILTERS;
    let first_offset = (task.y / job.filter_tiles) * OFFSETS_4 * 4u;

    // Offsets and filters behind the last one are computed as the last one and not kept.
    //@ for q in OFFSETS_4
    //@ for c in xyzw
    let offset_{q}{c} = min(first_offset + {q}u * 4u + {c#}u, job.offsets - 1u);
    let at_{q}{c} = (offset_{q}{c} / job.run * job.tap_step + offset_{q}{c} % job.run) * QUADS;
    //@ end
    //@ end
    //@ for f in FILTERS
    let filter_{f} = min(first_filter + {f}u, job.filters - 1u) * QUADS;
    //@ end

    //@ for f in FILTERS
    //@ for q in OFFSETS_4
    //@ for c in xyzw
    var sum_{q}{c}_{f} = vec4<f32>();
    //@ end
    //@ end
    //@ end
    for (var group = 0u; group < job.groups; group++) {
        for (var row = 0u; row < job.rows; row++) {
            var x_place = (job.x + group * job.x_group + row * job.x_row) * QUADS + quad;
            var d_place = (job.d_output + group * job.d_group + row * job.d_row) * QUADS + quad;
            for (var column = 0u; column < job.columns; column++) {
                //@ for f in FILTERS
                let d_{f} = values[d_place + filter_{f}];
                //@ end
                //@ for q in OFFSETS_4
                //@ for c in xyzw
                let x_{q}{c} = values[x_place + at_{q}{c}];
                //@ for f in FILTERS
                sum_{q}{c}_{f} = fma(x_{q}{c}, d_{f}, sum_{q}{c}_{f});
                //@ end
                //@ end
                //@ end
                x_place += job.x_column * QUADS;
                d_place += job.d_column * QUADS;
            }
        }
    }

    //@ for f in FILTERS
    workgroupBarrier();
    //@ for q in OFFSETS_4
    //@ for c in xyzw
    by_quad[({q}u * 4u + {c#}u) * THREADS + thread] = sum_{q}{c}_{f};
    //@ end
    //@ end
    workgroupBarrier();
    if is_task && first_filter + {f}u < job.filters {
        //@ for q in OFFSETS_4
        if first_offset + {q}u * 4u + quad < job.offsets {
            sums[job.sums + (first_offset + {q}u * 4u + quad) * job.stride + first_filter + {f}u] =
                over_images(({q}u * 4u + quad) * THREADS + thread - quad);
        }
        //@ end
    }
    //@ end
}

// The sum over the sixteen images whose quads begin at `first`.
fn over_images(first: u32) -> f32 {
    let eight_apart_low = by_quad[first] + by_quad[first + 2u];
    let eight_apart_high = by_quad[first + 1u] + by_quad[first + 3u];
    let four_apart = eight_apart_low + eight_apart_high;
    let two_apart = four_apart.xy + four_apart.zw;
    return two_apart.x + two_apart.y;
}
