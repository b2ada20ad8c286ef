// What a step of one network's training or validation is about.
//
// steps: (steps of all networks) of Step; a job names the first one of its network's pass.
// tick: (1) how many steps of the pass are done.

struct Step {
    // The first image of the batch, counted in the pass, and how many there are.
    first: u32,
    images: u32,
    // Steps of the whole training before this one.
    number: u32,
    // The optimizer's factors that change from step to step.
    rate: f32,
    root2: f32,
    reserved_0: u32,
    reserved_1: u32,
    reserved_2: u32,
}

// Which of a thread's four images of a group there are.
fn are_there(images: u32, group: u32, quad: u32) -> vec4<bool> {
    return vec4<u32>(0u, 1u, 2u, 3u) + vec4<u32>(group * 16u + quad * 4u) < vec4<u32>(images);
}
