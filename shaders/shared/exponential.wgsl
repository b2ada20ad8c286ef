// exp, expm1, tanh, the logistic function and ln(1 + x) in plain f32 arithmetic; twin of
// `exponential` on the CPU.
//
// WGSL's own may err by as much as it likes; these are the series that the CPU sums, but for what
// `round` does there with an addition. Tolerance: 4e-7 |reference|, 7 units in the last place, and
// 1e-37 where numbers end. What is NaN may become any number: see `activated`.

// ln 2 in two parts: the first has so few bits that its products with n are exact.
const LN_2_HIGH: f32 = 0.6933594;
const LN_2_LOW: f32 = -2.1219444e-4;
const LOG2_E: f32 = 1.44269504;
const LEAST: f32 = -87.0;

struct Split {
    power: vec4<f32>,
    series: vec4<f32>,
}

// 2^n and expm1(r) with x = n ln 2 + r, for x <= 0.
fn split(x_any: vec4<f32>) -> Split {
    let x = select(x_any, vec4<f32>(LEAST), x_any < vec4<f32>(LEAST));
    let n = round(x * LOG2_E);
    let power = bitcast<vec4<f32>>((vec4<i32>(n) + vec4<i32>(127)) << vec4<u32>(23u));
    let r = fma(-n, vec4<f32>(LN_2_LOW), fma(-n, vec4<f32>(LN_2_HIGH), x));
    let high = 1.0 / 720.0 + r * (1.0 / 5040.0);
    let series = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * high));
    return Split(power, r + r * r * (0.5 + r * series));
}

// exp(x) for x <= 0.
fn exp_negative(x: vec4<f32>) -> vec4<f32> {
    let parts = split(x);
    return parts.power + parts.power * parts.series;
}

// exp(x) - 1 for x <= 0.
fn expm1_negative(x: vec4<f32>) -> vec4<f32> {
    let parts = split(x);
    return (parts.power - 1.0) + parts.power * parts.series;
}

// -e / (e + 2) with e = expm1(-2 |x|), and the sign of x.
fn tanh_of(x: vec4<f32>) -> vec4<f32> {
    let e = expm1_negative(-2.0 * abs(x));
    let size = -e / (e + 2.0);
    return select(size, -size, x < vec4<f32>());
}

// 1 / (1 + exp(-x)), by the exponential of -|x|.
fn logistic(x: vec4<f32>) -> vec4<f32> {
    let e = exp_negative(-abs(x));
    return select(vec4<f32>(1.0), e, x < vec4<f32>()) / (1.0 + e);
}

// ln(1 + x) for x >= 0: with 1 + x = 2^k (1 + f) and s = f / (2 + f), k ln 2 + 2 artanh(s).
fn ln_1p(x: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(1.0 + x);
    // Of sqrt(1/2), so that 1 + f lies between that and sqrt 2.
    let k = (bits - vec4<u32>(0x3f3504f3u)) >> vec4<u32>(23u);
    let rest = bitcast<vec4<f32>>(bits - (k << vec4<u32>(23u))) - 1.0;
    let f = select(rest, x, k == vec4<u32>());
    let s = f / (2.0 + f);
    let z = s * s;
    let series = 2.0 / 3.0 + z * (2.0 / 5.0 + z * (2.0 / 7.0 + z * (2.0 / 9.0)));
    return vec4<f32>(k) * 0.69314718 + (2.0 * s + s * z * series);
}
