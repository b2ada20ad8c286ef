// The sum of products under every convolution and dense layer; twin of `Product` on the CPU.
//
//   out[to(p) + f out_filter]
//     = bias[f] + sum over t, j of x[from(p) + t tap_step + j] weights[t run + j, f]
//
// for places p = (group, row, column), filters f, runs t and neighbours j of each run. One dispatch
// serves many jobs of unlike shapes.
//
// Buffers, all offsets in elements:
//   tasks:   (tasks) of (job, tile); see shared/tasks.wgsl.
//   jobs:    (jobs) of Job.
//   values:  activations and gradients of all jobs, vec4 of 4 images; what is called a "value" in
//            Job are the 16 images of one number, 4 vec4. Nobody reads what another job writes.
//   weights: vec4 of 4 filters. Of a job: (taps, run, ceil(filters / 4)), and the biases:
//            (ceil(filters / 4)). What is behind the last filter is read but has no effect.
//
// Dispatch: THREADS threads a workgroup, 4 a task, each with 4 of the 16 images and a tile of
// PLACES places x 4 FILTERS_4 filters in registers. Tiles count places first, so that neighbours
// share their weights. No barriers, no shared memory.
//
// Order: the sum begins with the bias; t and then j ascend; every term is fused into it. Tiles do
// not change that, so all variants give the same bits: those of the CPU where fma rounds once, and
// those of a product and a sum, each rounded, where it does not (Mesa 22.3's lavapipe).
//
// Measured on lavapipe (Mesa 22.3.6, LLVM 15, 8 threads in step, 2 AVX-512 cores), GFLOP/s, by
// places x filters a tile, with 64 threads; more and fewer threads change little:
//
//                                1x4    4x4    4x8    8x8   4x16   8x16  16x16   8x32
//   dense 512 -> 512, 512 images 10.2   14.5   21.9   24.9   28.8   28.9   26.3   30.0
//   conv 14x14x16 -> 32, 5x5     10.2   14.7   21.7   24.1   28.2   33.6   26.4   29.2
//   conv 8x8x8 -> 16, 3x3         9.0   13.0   14.2   18.8   23.7   27.3   22.3   13.1
//   conv 28x28x1 -> 6, 5x5        4.4    6.0   11.7   13.0    7.9    9.0    7.1    4.1
//
// There a read of memory is a loop over the threads in step, and costs as much as some ten fma of
// all of them, whether one number or four are read: what counts is reads a product, and so the
// size of the tile, until tiles of few filters are mostly cut off. Sums in named variables need
// no unrolling; sums in arrays were not tried. A GPU has 255 registers a thread at most: 4x8
// takes half of them for sums.

struct Job {
    // Where values begin to be read and to be written; what is written is nowhere read.
    x: u32,
    out: u32,
    // vec4s; NO_BIAS for none.
    weights: u32,
    bias: u32,

    taps: u32,
    run: u32,
    tap_step: u32,
    filters: u32,

    // Places of a group, and of all groups.
    columns: u32,
    positions: u32,
    places: u32,
    // Whether sums below 0 become 0.
    rectify: u32,

    // Steps from one place to the next, values.
    x_group: u32,
    x_row: u32,
    x_column: u32,
    place_tiles: u32,

    out_group: u32,
    out_row: u32,
    out_column: u32,
    out_filter: u32,
}

const NO_BIAS: u32 = 0xffffffffu;

@group(0) @binding(1) var<storage, read> jobs: array<Job>;
@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weights: array<vec4<f32>>;

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
    let job = jobs[task.x];
    let quad = thread % QUADS;
    let filters_4 = (job.filters + 3u) / 4u;
    let first_place = (task.y % job.place_tiles) * PLACES;
    let first_4 = (task.y / job.place_tiles) * FILTERS_4;

    // Places and filters behind the last one are computed as the last one and not kept.
    let last_place = job.places - 1u;
    //@ for p in PLACES
    let place_{p} = min(first_place + {p}u, last_place);
    let group_{p} = place_{p} / job.positions;
    let position_{p} = place_{p} % job.positions;
    let row_{p} = position_{p} / job.columns;
    let column_{p} = position_{p} % job.columns;
    var at_{p} =
        (job.x + group_{p} * job.x_group + row_{p} * job.x_row + column_{p} * job.x_column) * QUADS
        + quad;
    //@ end
    //@ for w in FILTERS_4
    var weight_at_{w} = job.weights + min(first_4 + {w}u, filters_4 - 1u);
    //@ end

    //@ for w in FILTERS_4
    var bias_{w} = vec4<f32>();
    //@ end
    if job.bias != NO_BIAS {
        //@ for w in FILTERS_4
        bias_{w} = weights[job.bias + min(first_4 + {w}u, filters_4 - 1u)];
        //@ end
    }
    //@ for w in FILTERS_4
    //@ for c in xyzw
    //@ for p in PLACES
    var sum_{w}{c}_{p} = vec4<f32>(bias_{w}.{c});
    //@ end
    //@ end
    //@ end

    let tap_skip = (job.tap_step - job.run) * QUADS;
    for (var tap = 0u; tap < job.taps; tap++) {
        for (var j = 0u; j < job.run; j++) {
            //@ for p in PLACES
            let x_{p} = values[at_{p}];
            //@ end
            //@ for w in FILTERS_4
            let weight_{w} = weights[weight_at_{w}];
            //@ for c in xyzw
            //@ for p in PLACES
            sum_{w}{c}_{p} = fma(vec4<f32>(weight_{w}.{c}), x_{p}, sum_{w}{c}_{p});
            //@ end
            //@ end
            weight_at_{w} += filters_4;
            //@ end
            //@ for p in PLACES
            at_{p} += QUADS;
            //@ end
        }
        //@ for p in PLACES
        at_{p} += tap_skip;
        //@ end
    }

    //@ for p in PLACES
    if first_place + {p}u < job.places {
        let to = job.out + group_{p} * job.out_group + row_{p} * job.out_row
            + column_{p} * job.out_column;
        //@ for w in FILTERS_4
        //@ for c in xyzw
        if (first_4 + {w}u) * 4u + {c#}u < job.filters {
            values[(to + ((first_4 + {w}u) * 4u + {c#}u) * job.out_filter) * QUADS + quad] =
                rectified(sum_{w}{c}_{p}, job.rectify);
        }
        //@ end
        //@ end
    }
    //@ end
}

// 0 for values below 0 where asked. NaN stays, told by its bits: a compiler may take the comparison
// alone for a maximum, which would make 0 of it and hide a divergence.
fn rectified(sum: vec4<f32>, rectify: u32) -> vec4<f32> {
    let magnitude = bitcast<vec4<u32>>(sum) & vec4<u32>(0x7fffffffu);
    let is_number = magnitude <= vec4<u32>(0x7f800000u);
    return select(sum, vec4<f32>(), (sum < vec4<f32>()) & is_number & vec4<bool>(rectify != 0u));
}
