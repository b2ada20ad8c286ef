// Finishes channel_sums: adds the blocks, then the images, and does with the sum what it is for;
// twin of `reduce_partials` on the CPU.
//
//   GRADIENT: gradients[out + c] = sum
//   SCALE:    gradients[out + c] = sum x spread[c]
//   MEAN:     mean[c] = sum / n;  running[c] = decay running[c] + (1 - decay) mean[c]
//   SPREAD:   spread[c] = 1 / sqrt(sum / n + epsilon);  running[c] likewise, with the variance
//             sum / max(n - 1, 1)
//
// with n = images x positions.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. A tile are 4 channels, one a
//                thread.
//   steps, tick: see shared/steps.wgsl.
//   weights, gradients: f32.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Order: blocks one after the other, image by
// image; then the images 8 apart, those 4, 2 and 1 apart: the CPU's, so that GRADIENT and SCALE are
// exact. Tolerance: 1e-6 |reference| of mean and spread, 7 units in the last place for a root and a
// division; of the running ones 4e-7 of the sum of the two parts' magnitudes.

const GRADIENT: u32 = 0u;
const SCALE: u32 = 1u;
const MEAN: u32 = 2u;
const SPREAD: u32 = 3u;

struct Job {
    // Of each of the summed channels.
    positions: u32,
    channels: u32,
    purpose: u32,
    // Where the partial sums begin in `gradients`, in vec4, and how many blocks of them there are.
    partials: u32,
    blocks: u32,
    // Where GRADIENT and SCALE go in `gradients`.
    out: u32,
    // Of the pass, in `steps`.
    first_step: u32,
    // Where mean or spread begin in `weights`, likewise the running ones.
    statistic: u32,
    running: u32,
    decay: f32,
    epsilon: f32,
    reserved_0: u32,
}

@group(0) @binding(2) var<storage, read> steps: array<Step>;
@group(0) @binding(3) var<uniform> tick: vec4<u32>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradients: array<f32>;

fn work(job: Job, tile: u32, quad: u32) {
    let channel = tile * 4u + quad;
    if channel >= job.channels {
        return;
    }
    //@ for q in 0123
    var sum_{q} = vec4<f32>();
    //@ end
    for (var block = 0u; block < job.blocks; block++) {
        let start = (job.partials + (block * job.channels + channel) * QUADS) * 4u;
        //@ for q in 0123
        sum_{q} += vec4<f32>(
            gradients[start + {q}u * 4u],
            gradients[start + {q}u * 4u + 1u],
            gradients[start + {q}u * 4u + 2u],
            gradients[start + {q}u * 4u + 3u],
        );
        //@ end
    }
    let four_apart = (sum_0 + sum_2) + (sum_1 + sum_3);
    let two_apart = four_apart.xy + four_apart.zw;
    let sum = two_apart.x + two_apart.y;
    let count = f32(steps[job.first_step + tick.x].images * job.positions);
    let place = job.statistic + channel;
    switch job.purpose {
        case GRADIENT: {
            gradients[job.out + channel] = sum;
        }
        case SCALE: {
            gradients[job.out + channel] = sum * weights[place];
        }
        case MEAN: {
            let mean = sum / count;
            weights[place] = mean;
            blend(job.running + channel, mean, job.decay);
        }
        default: {
            weights[place] = 1.0 / sqrt(sum / count + job.epsilon);
            blend(job.running + channel, sum / max(count - 1.0, 1.0), job.decay);
        }
    }
}

fn blend(running: u32, batch: f32, decay: f32) {
    weights[running] = decay * weights[running] + (1.0 - decay) * batch;
}
