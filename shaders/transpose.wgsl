// Turns images that lie side by side into numbers that do; twin of `transpose` on the CPU.
//
//   out[image, k] = a[k] of that image, four numbers k a vec4, 0 behind the last
//
// Dense layers sum their weight gradients over images, and so need inputs and gradients image by
// image.
//
// Buffers:
//   tasks, jobs: see shared/tasks.wgsl and shared/elements.wgsl. A tile are four k of a group.
//   values:      all tensors, vec4 of 4 images; only read.
//   out:         vec4 of 4 numbers.
//
// Dispatch: THREADS threads a workgroup, 4 a task. Exact.

struct Job {
    // Of a.
    shape: vec4<u32>,
    a: vec4<u32>,
    // Where out begins, and from one image and one sixteen of k to the next, in vec4.
    out: u32,
    image_step: u32,
    sixteen_step: u32,
    // Fours of k.
    fours: u32,
}

@group(0) @binding(2) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

fn work(job: Job, tile: u32, quad: u32) {
    let group = tile / job.fours;
    let four = tile % job.fours;
    let count = job.shape.y * job.shape.z * job.shape.w;
    //@ for k in 0123
    var x_{k} = vec4<f32>();
    if four * 4u + {k}u < count {
        let pixel = (four * 4u + {k}u) / job.shape.w;
        let channel = (four * 4u + {k}u) % job.shape.w;
        let at = Walk(group, pixel / job.shape.z, pixel % job.shape.z, channel, 1u);
        x_{k} = values[vec4_at(job.a, at, quad)];
    }
    //@ end
    let image = group * 16u + quad * 4u;
    let to = job.out + image * job.image_step + four / 4u * job.sixteen_step + four % 4u;
    //@ for c in xyzw
    out[to + {c#}u * job.image_step] = vec4<f32>(x_0.{c}, x_1.{c}, x_2.{c}, x_3.{c});
    //@ end
}
