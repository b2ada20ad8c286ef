// Softmax and cross-entropy of a batch, with the gradient of its mean; twin of
// `softmax_cross_entropy` on the CPU, and of `confusion`.
//
//   loss[image] = -ln softmax(a[image])[label]
//   b = (softmax(a) - one-hot) / images, 0 for images that are not there and below 2^-100
//   confusion[label, predicted] += 1, the predicted class the largest (ties: the first)
//
// A logit that is no finite number marks the network as diverged.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. A tile is a group.
//   values:      all tensors, vec4 of 4 images.
//   steps, tick: see shared/steps.wgsl.
//   orders, dataset: see gather_batch.
//   results:     of a network: whether it diverged (0 or 1), (classes, classes) of counts, rows the
//                true class, and the bits of (steps, groups, 4) sums of 4 images' losses.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Classes are summed in their order. Tolerance:
// 1e-6 (1 + largest logit - the label's) a loss (and 9e-7 |reference| of two classes, where the
// label's is the largest); 1.5e-6 |reference| a gradient, but 1e-6 / images the label's, where 1 is
// taken away.

const NO_ORDER: u32 = 0xffffffffu;
const FLUSH: f32 = 7.888609e-31;

struct Job {
    // Groups, 1, 1, classes.
    shape: vec4<u32>,
    a: vec4<u32>,
    b: vec4<u32>,
    // As gather_batch's.
    first_step: u32,
    order: u32,
    first_image: u32,
    // Where the labels begin in `dataset`.
    labels: u32,
    // Where the network's results begin, and where its losses begin behind that.
    results: u32,
    losses: u32,
    // Whether a gradient is wanted.
    is_graded: u32,
    reserved_0: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> steps: array<Step>;
@group(0) @binding(4) var<uniform> tick: vec4<u32>;
@group(0) @binding(5) var<storage, read> orders: array<u32>;
@group(0) @binding(6) var<storage, read> dataset: array<u32>;
@group(0) @binding(7) var<storage, read_write> results: array<atomic<u32>>;

fn work(job: Job, tile: u32, quad: u32) {
    let step = steps[job.first_step + tick.x];
    let classes = job.shape.w;
    let group = tile;
    let is_there = are_there(step.images, group, quad);
    let nth = min(
        vec4<u32>(0u, 1u, 2u, 3u) + group * 16u + quad * 4u,
        vec4<u32>(step.images - 1u),
    ) + step.first;
    var label = nth;
    if job.order != NO_ORDER {
        //@ for c in xyzw
        label.{c} = orders[job.order + nth.{c}];
        //@ end
    }
    //@ for c in xyzw
    label.{c} = dataset[job.labels + job.first_image + label.{c}];
    //@ end

    let start = (job.a.x + group * job.a.y) * QUADS + quad;
    var largest = values[start];
    var best = vec4<u32>();
    var of_label = vec4<f32>();
    var is_finite = vec4<bool>(true);
    for (var k = 0u; k < classes; k++) {
        let x = values[start + k * QUADS];
        let wins = x > largest;
        largest = select(largest, x, wins);
        best = select(best, vec4<u32>(k), wins);
        of_label = select(of_label, x, label == vec4<u32>(k));
        is_finite &= (bitcast<vec4<u32>>(x) & vec4<u32>(0x7f800000u)) != vec4<u32>(0x7f800000u);
    }
    // Of all classes but the largest.
    var rest = vec4<f32>();
    for (var k = 0u; k < classes; k++) {
        let share = exp_negative(values[start + k * QUADS] - largest);
        rest += select(share, vec4<f32>(), best == vec4<u32>(k));
    }
    let loss = select(vec4<f32>(), ln_1p(rest) - (of_label - largest), is_there);
    let place = job.results + job.losses + ((tick.x * job.shape.x + group) * QUADS + quad);
    atomicStore(&results[place], bitcast<u32>((loss.x + loss.y) + (loss.z + loss.w)));
    if any(is_there & !is_finite) {
        atomicStore(&results[job.results], 1u);
    }
    //@ for c in xyzw
    if is_there.{c} {
        atomicAdd(&results[job.results + 1u + label.{c} * classes + best.{c}], 1u);
    }
    //@ end

    if job.is_graded != 0u {
        let to = (job.b.x + group * job.b.y) * QUADS + quad;
        let scale = 1.0 / f32(step.images);
        for (var k = 0u; k < classes; k++) {
            let is_best = best == vec4<u32>(k);
            let share = exp_negative(values[start + k * QUADS] - largest);
            let softmax = select(share, vec4<f32>(1.0), is_best) / (1.0 + rest);
            let one_hot = select(vec4<f32>(), vec4<f32>(1.0), label == vec4<u32>(k));
            let d = (softmax - one_hot) * scale;
            let counts = is_there & (abs(d) >= vec4<f32>(FLUSH));
            values[to + k * QUADS] = select(vec4<f32>(), d, counts);
        }
    }
}
