//! Learning-rate schedules: what becomes of the learning rate, epoch by epoch.

/// A schedule with its settings, as `PyTorch` 2 understands them: stepped once after each epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateSchedule {
    /// The learning rate stays.
    Constant,
    /// Times `gamma` after every `epochs` epochs (`StepLR`).
    Step { epochs: u16, gamma: f64 },
    /// Times `gamma` after every epoch (`ExponentialLR`).
    Exponential { gamma: f64 },
    /// Half a cosine from the learning rate down to `min` in `epochs` epochs, and up again in the
    /// next as many, for ever (`CosineAnnealingLR` without restarts; Loshchilov and Hutter, ICLR
    /// 2017, equation 5).
    Cosine { epochs: u16, min: f64 },
}

impl RateSchedule {
    /// The learning rate in `epoch` (from 1) of a training that starts with `base`, by the closed
    /// formulas; the same on every machine. Never below 0 for a `base` and settings that are not.
    pub fn rate(self, base: f64, epoch: u16) -> f64 {
        let past = epoch.saturating_sub(1);
        match self {
            Self::Constant => base,
            Self::Step { epochs, gamma } => base * libm::pow(gamma, f64::from(past / epochs)),
            Self::Exponential { gamma } => base * libm::pow(gamma, f64::from(past)),
            Self::Cosine { epochs, min } => {
                let angle = std::f64::consts::PI * f64::from(past) / f64::from(epochs);
                min + (base - min) * f64::midpoint(1.0, libm::cos(angle))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: RateSchedule, epochs: u16) -> Vec<f64> {
        (1..=epochs).map(|epoch| schedule.rate(0.8, epoch)).collect()
    }

    #[test]
    fn every_schedule_starts_at_the_learning_rate_and_goes_by_hand() {
        assert_eq!(rates(RateSchedule::Constant, 3), [0.8; 3]);
        let step = RateSchedule::Step { epochs: 2, gamma: 0.5 };
        assert_eq!(rates(step, 5), [0.8, 0.8, 0.4, 0.4, 0.2]);
        let exponential = RateSchedule::Exponential { gamma: 0.25 };
        assert_eq!(rates(exponential, 3), [0.8, 0.2, 0.05]);
        // 0.2 + 0.6 (1 + cos(0, 60, 120, 180, 240, 300, 360 degrees)) / 2
        let cosine = rates(RateSchedule::Cosine { epochs: 3, min: 0.2 }, 7);
        for (found, expected) in cosine.iter().zip([0.8, 0.65, 0.35, 0.2, 0.35, 0.65, 0.8]) {
            assert!((found - expected).abs() < 1e-15, "{cosine:?}");
        }
        assert_eq!(cosine[0], 0.8, "to the last bit");
    }

    #[test]
    fn extreme_settings_stay_numbers_from_zero_up() {
        for schedule in [
            RateSchedule::Step { epochs: 1, gamma: 0.0 },
            RateSchedule::Exponential { gamma: 0.1 },
            RateSchedule::Cosine { epochs: 1, min: 0.0 },
            RateSchedule::Cosine { epochs: u16::MAX, min: 0.0 },
        ] {
            for epoch in [1, 2, 400, u16::MAX] {
                assert!(schedule.rate(1e-4, epoch) >= 0.0, "{schedule:?}, epoch {epoch}");
            }
        }
    }
}
