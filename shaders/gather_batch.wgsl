// Collects the images of a batch, sixteen side by side, standardised; twin of `gather_batch` on the
// CPU.
//
//   c = standardised[channel, byte of the image at (channel, row, column)], 0 for images that are
//   not there
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl.
//   values:      all tensors, vec4 of 4 images.
//   steps, tick: see shared/steps.wgsl.
//   orders:      numbers of images, counted from the pass's first one, in the order of their use.
//   dataset:     standardised values by their bits, and more.
//   images_0, images_1: (image, channel, row, column) bytes, four a word, the lowest first: what
//                one buffer cannot hold stands in the second.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Exact.

const NO_ORDER: u32 = 0xffffffffu;

struct Job {
    shape: vec4<u32>,
    c: vec4<u32>,
    // Of the pass, in `steps`.
    first_step: u32,
    // Where the pass's order begins in `orders`, or NO_ORDER.
    order: u32,
    // The number of the pass's first image.
    first_image: u32,
    // Images in images_0.
    in_first: u32,
    // Where the channels' 256 standardised values begin in `dataset`.
    standardised: u32,
    reserved_0: u32,
    reserved_1: u32,
    reserved_2: u32,
}

@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> steps: array<Step>;
@group(0) @binding(4) var<uniform> tick: vec4<u32>;
@group(0) @binding(5) var<storage, read> orders: array<u32>;
@group(0) @binding(6) var<storage, read> dataset: array<u32>;
@group(0) @binding(7) var<storage, read> images_0: array<u32>;
@group(0) @binding(8) var<storage, read> images_1: array<u32>;

fn work(job: Job, tile: u32, quad: u32) {
    let step = steps[job.first_step + tick.x];
    let positions = job.shape.y * job.shape.z;
    let begin = walk(job.shape, tile);
    let is_there = are_there(step.images, begin.group, quad);
    // Images by their numbers; those that are not there are the last one, and not kept.
    let nth = min(
        vec4<u32>(0u, 1u, 2u, 3u) + begin.group * 16u + quad * 4u,
        vec4<u32>(step.images - 1u),
    ) + step.first;
    var image = nth;
    if job.order != NO_ORDER {
        //@ for c in xyzw
        image.{c} = orders[job.order + nth.{c}];
        //@ end
    }
    image += job.first_image;
    for (var at = begin; at.left > 0u; at = next(job.shape, at)) {
        let place = at.channel * positions + at.row * job.shape.z + at.column;
        let standardised = job.standardised + at.channel * 256u;
        let bytes = positions * job.shape.w;
        var x = vec4<f32>();
        //@ for c in xyzw
        x.{c} = pixel(image.{c}, job.in_first, bytes, place, standardised);
        //@ end
        values[vec4_at(job.c, at, quad)] = select(vec4<f32>(), x, is_there);
    }
}

// A pixel of an image of so many bytes, standardised.
fn pixel(image: u32, in_first: u32, bytes: u32, place: u32, standardised: u32) -> f32 {
    let is_first = image < in_first;
    let byte = select(image - in_first, image, is_first) * bytes + place;
    var word = 0u;
    if is_first {
        word = images_0[byte / 4u];
    } else {
        word = images_1[byte / 4u];
    }
    return bitcast<f32>(dataset[standardised + ((word >> (byte % 4u * 8u)) & 255u)]);
}
