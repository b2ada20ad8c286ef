//! The eleven families of curves.

/// Parameters of a family at most.
pub const PARAMETERS_MAX: usize = 4;

/// A family of saturating curves `f(x)` over epochs `x >= 1`, in the order and with the defaults of
/// pylearningcurvepredictor. `vap` and `loglog_linear` have no asymptote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Vapour pressure, `exp(a + b/x + c ln x)`: `[a, b, c]`.
    Vap,
    /// `c - a / ln(x + 1)`: `[c, a]`.
    Ilog2,
    /// `alpha - (alpha - beta) exp(-(kappa x)^delta)`: `[alpha, beta, kappa, delta]`.
    Weibull,
    /// `c - a x^-alpha`: `[c, a, alpha]`.
    Pow3,
    /// `c - (a x + b)^-alpha`: `[c, a, b, alpha]`.
    Pow4,
    /// `ln(a ln x + b)`: `[a, b]`.
    LoglogLinear,
    /// Morgan-Mercer-Flodin, `alpha - (alpha - beta) / (1 + (kappa x)^delta)`:
    /// `[alpha, beta, kappa, delta]`.
    Mmf,
    /// `alpha - (alpha - beta) exp(-kappa x^delta)`: `[alpha, beta, kappa, delta]`.
    Janoschek,
    /// Hill's curve, `theta x^eta / (kappa^eta + x^eta)`: `[theta, eta, kappa]`.
    Hill3,
    /// `a / (1 + (x / e^b)^c)`: `[a, b, c]`.
    Logpower,
    /// `c - exp(-a x^alpha + b)`: `[c, a, b, alpha]`.
    Exp4,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 11] = [
        Self::Vap,
        Self::Ilog2,
        Self::Weibull,
        Self::Pow3,
        Self::Pow4,
        Self::LoglogLinear,
        Self::Mmf,
        Self::Janoschek,
        Self::Hill3,
        Self::Logpower,
        Self::Exp4,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vap => "vap",
            Self::Ilog2 => "ilog2",
            Self::Weibull => "weibull",
            Self::Pow3 => "pow3",
            Self::Pow4 => "pow4",
            Self::LoglogLinear => "loglog_linear",
            Self::Mmf => "mmf",
            Self::Janoschek => "janoschek",
            Self::Hill3 => "hill3",
            Self::Logpower => "logpower",
            Self::Exp4 => "exp4",
        }
    }

    /// Where a fit starts.
    pub const fn defaults(self) -> &'static [f64] {
        match self {
            Self::Vap => &[-0.622_028, -0.470_050, 0.042_322],
            Self::Ilog2 => &[0.78, 0.43],
            Self::Weibull => &[0.7, 0.1, 0.01, 1.0],
            Self::Pow3 => &[0.84, 0.52, 0.01],
            Self::Pow4 => &[0.8, 200.0, 0.0, 0.1],
            Self::LoglogLinear => &[1.0, 1.0],
            Self::Mmf => &[0.7, 0.1, 0.01, 5.0],
            Self::Janoschek => &[0.73, 0.07, 0.355, 0.46],
            Self::Hill3 => &[0.772_32, 0.586_449, 2.460_843],
            Self::Logpower => &[0.77, 2.98, -0.51],
            Self::Exp4 => &[0.7, 0.8, -0.8, 0.3],
        }
    }

    /// The curve at `x >= 1`. NaN where a number below 0 would be raised to a power, or its
    /// logarithm taken; infinite where that number is 0, or a value too large.
    ///
    /// # Panics
    /// Where there are not as many parameters as the family has.
    pub fn value(self, parameters: &[f64], x: f64) -> f64 {
        match (self, parameters) {
            (Self::Vap, &[a, b, c]) => libm::exp(a + b / x + c * libm::log(x)),
            (Self::Ilog2, &[c, a]) => c - a / libm::log(x + 1.0),
            (Self::Weibull, &[alpha, beta, kappa, delta]) => {
                alpha - (alpha - beta) * libm::exp(-power(kappa * x, delta))
            }
            (Self::Pow3, &[c, a, alpha]) => c - a * power(x, -alpha),
            (Self::Pow4, &[c, a, b, alpha]) => c - power(a * x + b, -alpha),
            (Self::LoglogLinear, &[a, b]) => libm::log(a * libm::log(x) + b),
            (Self::Mmf, &[alpha, beta, kappa, delta]) => {
                alpha - (alpha - beta) / (1.0 + power(kappa * x, delta))
            }
            (Self::Janoschek, &[alpha, beta, kappa, delta]) => {
                alpha - (alpha - beta) * libm::exp(-kappa * power(x, delta))
            }
            (Self::Hill3, &[theta, eta, kappa]) => theta / (1.0 + power(kappa / x, eta)),
            (Self::Logpower, &[a, b, c]) => a / (1.0 + libm::exp(c * (libm::log(x) - b))),
            (Self::Exp4, &[c, a, b, alpha]) => c - libm::exp(b - a * power(x, alpha)),
            _ => self.refuse(parameters),
        }
    }

    /// Writes the curve's derivatives by its parameters at `x >= 1`.
    ///
    /// # Panics
    /// As [`Self::value`], and where `gradient` is not as long.
    pub fn gradient(self, parameters: &[f64], x: f64, gradient: &mut [f64]) {
        let log_x = libm::log(x);
        match (self, parameters) {
            (Self::Vap, _) => {
                let value = self.value(parameters, x);
                gradient.copy_from_slice(&[value, value / x, value * log_x]);
            }
            (Self::Ilog2, _) => gradient.copy_from_slice(&[1.0, -1.0 / libm::log(x + 1.0)]),
            (Self::Weibull, &[alpha, beta, kappa, delta]) => {
                let inner = power(kappa * x, delta);
                let outer = libm::exp(-inner);
                let rise = (alpha - beta) * product(outer, inner);
                let by_delta = product(rise, libm::log(kappa * x));
                gradient.copy_from_slice(&[1.0 - outer, outer, rise * delta / kappa, by_delta]);
            }
            (Self::Pow3, &[_, a, alpha]) => {
                let power = power(x, -alpha);
                gradient.copy_from_slice(&[1.0, -power, a * power * log_x]);
            }
            (Self::Pow4, &[_, a, b, alpha]) => {
                let base = a * x + b;
                let power = power(base, -alpha);
                let by_base = alpha * power / base;
                gradient.copy_from_slice(&[1.0, by_base * x, by_base, power * libm::log(base)]);
            }
            (Self::LoglogLinear, &[a, b]) => {
                let base = a * log_x + b;
                gradient.copy_from_slice(&[log_x / base, 1.0 / base]);
            }
            (Self::Mmf, &[alpha, beta, kappa, delta]) => {
                let share = 1.0 / (1.0 + power(kappa * x, delta));
                let rise = (alpha - beta) * share * (1.0 - share);
                let by_delta = product(rise, libm::log(kappa * x));
                gradient.copy_from_slice(&[1.0 - share, share, rise * delta / kappa, by_delta]);
            }
            (Self::Janoschek, &[alpha, beta, kappa, delta]) => {
                let power = power(x, delta);
                let outer = libm::exp(-kappa * power);
                let rise = (alpha - beta) * product(outer, power);
                gradient.copy_from_slice(&[1.0 - outer, outer, rise, rise * kappa * log_x]);
            }
            (Self::Hill3, &[theta, eta, kappa]) => {
                let share = 1.0 / (1.0 + power(kappa / x, eta));
                let fall = -theta * share * (1.0 - share);
                let by_eta = product(fall, libm::log(kappa / x));
                gradient.copy_from_slice(&[share, by_eta, fall * eta / kappa]);
            }
            (Self::Logpower, &[a, b, c]) => {
                let share = 1.0 / (1.0 + libm::exp(c * (log_x - b)));
                let fall = a * share * (1.0 - share);
                gradient.copy_from_slice(&[share, fall * c, -fall * (log_x - b)]);
            }
            (Self::Exp4, &[_, a, b, alpha]) => {
                let power = power(x, alpha);
                let outer = libm::exp(b - a * power);
                let by_a = product(outer, power);
                gradient.copy_from_slice(&[1.0, by_a, -outer, a * by_a * log_x]);
            }
            _ => self.refuse(parameters),
        }
    }

    fn refuse(self, parameters: &[f64]) -> ! {
        let count = self.defaults().len();
        panic!("{} has {count} parameters, not {parameters:?}", self.name())
    }
}

/// `base^exponent`, NaN where the base is below 0 even if the exponent is whole: on its way there a
/// fit or a chain would have to leap over exponents that are not.
fn power(base: f64, exponent: f64) -> f64 {
    if base < 0.0 { f64::NAN } else { libm::pow(base, exponent) }
}

/// A product in which 0 outweighs infinity: what vanishes faster than the other grows.
fn product(vanishing: f64, growing: f64) -> f64 {
    if vanishing == 0.0 && !growing.is_nan() { 0.0 } else { vanishing * growing }
}
