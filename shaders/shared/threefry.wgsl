// Threefry-2x32 with 20 rounds (Salmon et al., SC 2011), four counters at once; twin of
// `base::rng::threefry2x32`.

struct Words {
    first: vec4<u32>,
    second: vec4<u32>,
}

fn round_of(x: Words, left: u32) -> Words {
    let first = x.first + x.second;
    let turned = (x.second << vec4<u32>(left)) | (x.second >> vec4<u32>(32u - left));
    return Words(first, turned ^ first);
}

fn four_rounds(x: Words, left: vec4<u32>) -> Words {
    return round_of(round_of(round_of(round_of(x, left.x), left.y), left.z), left.w);
}

fn injected(x: Words, first: u32, second: u32) -> Words {
    return Words(x.first + first, x.second + second);
}

fn threefry(key: vec2<u32>, counter: Words) -> Words {
    let third = 0x1BD11BDAu ^ key.x ^ key.y;
    let even = vec4<u32>(13u, 15u, 26u, 6u);
    let odd = vec4<u32>(17u, 29u, 16u, 24u);
    var x = injected(counter, key.x, key.y);
    x = injected(four_rounds(x, even), key.y, third + 1u);
    x = injected(four_rounds(x, odd), third, key.x + 2u);
    x = injected(four_rounds(x, even), key.x, key.y + 3u);
    x = injected(four_rounds(x, odd), key.y, third + 4u);
    x = injected(four_rounds(x, even), third, key.x + 5u);
    return x;
}
