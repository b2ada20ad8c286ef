"""The eleven families of Domhan et al. 2015 in numpy, for the scripts beside this file."""
import numpy as np

# name: (function of x and the parameters, where a fit starts)
FAMILIES = {
    "vap": (
        lambda x, a, b, c: np.exp(a + b / x + c * np.log(x)),
        [-0.622028, -0.470050, 0.042322],
    ),
    "ilog2": (lambda x, c, a: c - a / np.log(x + 1), [0.78, 0.43]),
    "weibull": (
        lambda x, upper, lower, k, d: upper - (upper - lower) * np.exp(-((k * x) ** d)),
        [0.7, 0.1, 0.01, 1.0],
    ),
    "pow3": (lambda x, c, a, p: c - a * x ** (-p), [0.84, 0.52, 0.01]),
    "pow4": (lambda x, c, a, b, p: c - (a * x + b) ** (-p), [0.8, 200.0, 0.0, 0.1]),
    "loglog_linear": (lambda x, a, b: np.log(a * np.log(x) + b), [1.0, 1.0]),
    "mmf": (
        lambda x, upper, lower, k, d: upper - (upper - lower) / (1 + (k * x) ** d),
        [0.7, 0.1, 0.01, 5.0],
    ),
    "janoschek": (
        lambda x, upper, lower, k, d: upper - (upper - lower) * np.exp(-k * x**d),
        [0.73, 0.07, 0.355, 0.46],
    ),
    "hill3": (
        lambda x, t, h, k: t * x**h / (k**h + x**h),
        [0.77232, 0.586449, 2.460843],
    ),
    "logpower": (lambda x, a, b, c: a / (1 + (x / np.exp(b)) ** c), [0.77, 2.98, -0.51]),
    "exp4": (lambda x, c, a, b, p: c - np.exp(-a * x**p + b), [0.7, 0.8, -0.8, 0.3]),
}


def recency_weights(n):
    """What the i-th of n observations counts: 10^(i/n)."""
    return 10 ** (np.arange(n) / n)
