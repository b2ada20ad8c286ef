// One step of Adam, SGD, RMSprop or AdaGrad; twin of `optimizer_step` on the CPU, where their
// formulas stand.
//
//   w = rule(w, g + l2 w, m, v),  g the sum of the gradient's blocks in their order
//
// Moments and, but for Adam, weights below 2^-100 become 0. A network that has diverged is left
// alone (in the step in which it does, some weights may move and others not); one whose weight is
// no finite number now is marked, by the bits of the exponent, since a compiler may assume that
// there is no such number.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. A job are (rows, columns) of
//                weights, columns in whole fours.
//   steps, tick: see shared/steps.wgsl.
//   weights, moments, gradients: vec4.
//   results:     see softmax_cross_entropy.
//
// Dispatch: THREADS threads a workgroup, 4 a task, each with every fourth of 4 ELEMENTS fours.
// Tolerance of a step, s being the sum of the magnitudes of the gradient's blocks and of l2 w:
// of m 1e-6 (|m| + s), of v 1e-6 (v + s^2), for products and sums that may be rounded as one; of
// weights 4e-6 of what they move by where m and s do not cancel, for a root, two divisions and the
// moments, and 1.2e-7 |w|.

const ADAM: u32 = 0u;
const SGD: u32 = 1u;
const MOMENTUM: u32 = 2u;
const NESTEROV: u32 = 3u;
const RMSPROP: u32 = 4u;
const RMSPROP_MOMENTUM: u32 = 5u;
const ADAGRAD: u32 = 6u;
const FLUSH: f32 = 7.888609e-31;

// All places and steps in vec4.
struct Job {
    // Where the weights begin, (rows, columns); vec4s of a row, vec4s in all, and columns.
    weights: u32,
    row: u32,
    fours: u32,
    columns: u32,
    // Where the gradient begins, vec4s of a row, blocks, and from one block to the next.
    gradient: u32,
    gradient_row: u32,
    blocks: u32,
    block: u32,
    // Where m and v begin in `moments`.
    moment_1: u32,
    moment_2: u32,
    // Of the pass, in `steps`.
    first_step: u32,
    // The network's, in `results`.
    results: u32,
    rule: u32,
    l2: f32,
    reserved_0: u32,
    reserved_1: u32,
    // The rule's.
    factors: vec4<f32>,
}

@group(0) @binding(2) var<storage, read> steps: array<Step>;
@group(0) @binding(3) var<uniform> tick: vec4<u32>;
@group(0) @binding(4) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> moments: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> results: array<atomic<u32>>;

fn work(job: Job, tile: u32, quad: u32) {
    if atomicLoad(&results[job.results]) != 0u {
        return;
    }
    let step = steps[job.first_step + tick.x];
    let rate = step.rate;
    let l2 = job.l2;
    let k = job.factors;
    let end = min(job.fours, (tile + 1u) * (ELEMENTS * 4u));
    for (var at = tile * (ELEMENTS * 4u) + quad; at < end; at += 4u) {
        let row = at / job.row;
        let column = at % job.row;
        let source = job.gradient + row * job.gradient_row + column;
        var g = gradients[source];
        for (var block = 1u; block < job.blocks; block++) {
            g += gradients[source + block * job.block];
        }
        let w = weights[job.weights + at];
        g += l2 * w;
        var after = w;
        switch job.rule {
            case ADAM: {
                let m_old = moments[job.moment_1 + at];
                let m = flushed(m_old + k.x * (g - m_old));
                let v = flushed(moments[job.moment_2 + at] * k.y + k.z * g * g);
                moments[job.moment_1 + at] = m;
                moments[job.moment_2 + at] = v;
                after = w - rate * (m / (sqrt(v) / step.root2 + k.w));
            }
            case SGD: {
                after = flushed(w - rate * g);
            }
            case MOMENTUM, NESTEROV: {
                let m = flushed(k.x * moments[job.moment_1 + at] + g);
                moments[job.moment_1 + at] = m;
                let move_by = select(m, g + k.x * m, job.rule == NESTEROV);
                after = flushed(w - rate * move_by);
            }
            case RMSPROP, RMSPROP_MOMENTUM: {
                let v = flushed(moments[job.moment_2 + at] * k.x + k.y * g * g);
                moments[job.moment_2 + at] = v;
                var move_by = g / (sqrt(v) + k.z);
                if job.rule == RMSPROP_MOMENTUM {
                    move_by = flushed(k.w * moments[job.moment_1 + at] + move_by);
                    moments[job.moment_1 + at] = move_by;
                }
                after = flushed(w - rate * move_by);
            }
            default: {
                let v = flushed(moments[job.moment_2 + at] + g * g);
                moments[job.moment_2 + at] = v;
                after = flushed(w - rate * (g / (sqrt(v) + k.x)));
            }
        }
        weights[job.weights + at] = after;
        let exponents = bitcast<vec4<u32>>(after) & vec4<u32>(0x7f800000u);
        let is_weight = vec4<u32>(0u, 1u, 2u, 3u) + column * 4u < vec4<u32>(job.columns);
        if any((exponents == vec4<u32>(0x7f800000u)) & is_weight) {
            atomicStore(&results[job.results], 1u);
        }
    }
}

fn flushed(x: vec4<f32>) -> vec4<f32> {
    return select(x, vec4<f32>(), abs(x) < vec4<f32>(FLUSH));
}
