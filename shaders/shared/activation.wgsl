// Pointwise functions of layers, by number.

const LINEAR: u32 = 0u;
const RELU: u32 = 1u;
const LEAKY_RELU: u32 = 2u;
const ELU: u32 = 3u;
const TANH: u32 = 4u;
const SIGMOID: u32 = 5u;
const LEAKY_SLOPE: f32 = 0.01;

// `function(x)`. NaN stays NaN, so that a divergence shows: it is told by its bits, since a
// compiler may take `select(x, 0, x < 0)` for a maximum, which would make it 0.
fn activated(function: u32, x: vec4<f32>) -> vec4<f32> {
    return select(activated_number(function, x), x, are_nan(x));
}

fn activated_number(function: u32, x: vec4<f32>) -> vec4<f32> {
    let zero = vec4<f32>();
    switch function {
        case RELU: {
            return select(x, zero, x < zero);
        }
        case LEAKY_RELU: {
            return select(x, LEAKY_SLOPE * x, x <= zero);
        }
        case ELU: {
            return select(expm1_negative(min(x, zero)), x, x > zero);
        }
        case TANH: {
            return tanh_of(x);
        }
        case SIGMOID: {
            return logistic(x);
        }
        default: {
            return x;
        }
    }
}

// The derivative where the function's value is y; at a rectifier's 0 that of the left side.
fn derivative(function: u32, y: vec4<f32>) -> vec4<f32> {
    let zero = vec4<f32>();
    let one = vec4<f32>(1.0);
    switch function {
        case RELU: {
            return select(one, zero, y <= zero);
        }
        case LEAKY_RELU: {
            return select(one, vec4<f32>(LEAKY_SLOPE), y <= zero);
        }
        case ELU: {
            return select(one, y + 1.0, y <= zero);
        }
        case TANH: {
            return 1.0 - y * y;
        }
        case SIGMOID: {
            return y * (1.0 - y);
        }
        default: {
            return one;
        }
    }
}

fn are_nan(x: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
}
