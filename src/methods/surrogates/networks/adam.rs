//! Adam: steps that each parameter's own past gradients scale.

/// How far and how steadily to step: `PyTorch`'s names and defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamSettings {
    /// `PyTorch`: `lr`.
    pub learning_rate: f64,
    /// Share that the mean gradient keeps (`PyTorch`: `betas[0]`).
    pub mean_decay: f64,
    /// Share that the mean square keeps (`PyTorch`: `betas[1]`).
    pub square_decay: f64,
    /// Added to the root of the mean square (`PyTorch`: `eps`).
    pub epsilon: f64,
    /// This multiple of a parameter is added to its gradient (`PyTorch`: `weight_decay`).
    pub weight_decay: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            mean_decay: 0.9,
            square_decay: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

/// Adam (Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1), in
/// `PyTorch`'s form: the root of the corrected mean square, and `epsilon` added to that.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    /// May be changed from step to step.
    pub settings: AdamSettings,
    mean: Vec<f64>,
    square: Vec<f64>,
    /// What is left of the start in the means: `decay^step`.
    left: [f64; 2],
}

impl Adam {
    /// An optimiser of so many parameters that has taken no step.
    pub fn new(settings: AdamSettings, parameters: usize) -> Self {
        let zeros = vec![0.0; parameters];
        Self { settings, mean: zeros.clone(), square: zeros, left: [1.0; 2] }
    }

    /// Takes a step against the gradient.
    ///
    /// # Panics
    /// Where there are not as many parameters, or derivatives, as it was made for.
    pub fn step(&mut self, parameters: &mut [f64], gradient: &[f64]) {
        assert_eq!(parameters.len(), self.mean.len(), "parameters");
        assert_eq!(gradient.len(), self.mean.len(), "derivatives");
        let Self { settings, mean, square, left } = self;
        let AdamSettings { learning_rate, mean_decay, square_decay, epsilon, weight_decay } =
            *settings;
        left[0] *= mean_decay;
        left[1] *= square_decay;
        let rate = learning_rate / (1.0 - left[0]);
        let root = (1.0 - left[1]).sqrt();
        let moments = mean.iter_mut().zip(square);
        for ((parameter, slope), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments)
        {
            let slope = slope + weight_decay * *parameter;
            *mean += (1.0 - mean_decay) * (slope - *mean);
            *square = square_decay * *square + (1.0 - square_decay) * slope * slope;
            *parameter -= rate * *mean / (square.sqrt() / root + epsilon);
        }
    }
}
