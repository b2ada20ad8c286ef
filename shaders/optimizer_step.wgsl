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
//                weights, columns in whole fours. n0: (where they begin in `weights`, fours of a
//                row, fours in all, columns); n1: (where the gradient begins, fours of a row,
//                blocks, fours from one block to the next); n2: (first step, the network's
//                results, rule, l2); n3: the rule's factors; a: (where m begins in `moments`, where
//                v does, -, -). All in vec4.
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

@group(0) @binding(2) var<storage, read> steps: array<Step>;
@group(0) @binding(3) var<uniform> tick: vec4<u32>;
@group(0) @binding(4) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> moments: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> results: array<atomic<u32>>;

fn work(job: Job, tile: u32, quad: u32) {
    if atomicLoad(&results[job.n2.y]) != 0u {
        return;
    }
    let step = steps[job.n2.x + tick.x];
    let rate = step.rate;
    let l2 = bitcast<f32>(job.n2.w);
    let k = bitcast<vec4<f32>>(job.n3);
    let end = min(job.n0.z, (tile + 1u) * (ELEMENTS * 4u));
    for (var at = tile * (ELEMENTS * 4u) + quad; at < end; at += 4u) {
        let row = at / job.n0.y;
        let column = at % job.n0.y;
        let source = job.n1.x + row * job.n1.y + column;
        var g = gradients[source];
        for (var block = 1u; block < job.n1.z; block++) {
            g += gradients[source + block * job.n1.w];
        }
        let w = weights[job.n0.x + at];
        g += l2 * w;
        var after = w;
        switch job.n2.z {
            case ADAM: {
                let m_old = moments[job.a.x + at];
                let m = flushed(m_old + k.x * (g - m_old));
                let v = flushed(moments[job.a.y + at] * k.y + k.z * g * g);
                moments[job.a.x + at] = m;
                moments[job.a.y + at] = v;
                after = w - rate * (m / (sqrt(v) / step.root2 + k.w));
            }
            case SGD: {
                after = flushed(w - rate * g);
            }
            case MOMENTUM, NESTEROV: {
                let m = flushed(k.x * moments[job.a.x + at] + g);
                moments[job.a.x + at] = m;
                let move_by = select(m, g + k.x * m, job.n2.z == NESTEROV);
                after = flushed(w - rate * move_by);
            }
            case RMSPROP, RMSPROP_MOMENTUM: {
                let v = flushed(moments[job.a.y + at] * k.x + k.y * g * g);
                moments[job.a.y + at] = v;
                var move_by = g / (sqrt(v) + k.z);
                if job.n2.z == RMSPROP_MOMENTUM {
                    move_by = flushed(k.w * moments[job.a.x + at] + move_by);
                    moments[job.a.x + at] = move_by;
                }
                after = flushed(w - rate * move_by);
            }
            default: {
                let v = flushed(moments[job.a.y + at] + g * g);
                moments[job.a.y + at] = v;
                after = flushed(w - rate * (g / (sqrt(v) + k.x)));
            }
        }
        weights[job.n0.x + at] = after;
        let exponents = bitcast<vec4<u32>>(after) & vec4<u32>(0x7f800000u);
        let is_weight = vec4<u32>(0u, 1u, 2u, 3u) + column * 4u < vec4<u32>(job.n0.w);
        if any((exponents == vec4<u32>(0x7f800000u)) & is_weight) {
            atomicStore(&results[job.n2.y], 1u);
        }
    }
}

fn flushed(x: vec4<f32>) -> vec4<f32> {
    return select(x, vec4<f32>(), abs(x) < vec4<f32>(FLUSH));
}
