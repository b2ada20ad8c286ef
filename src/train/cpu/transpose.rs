//! Turns images that lie side by side into values that do. Values are copied: exact, no tolerance.

use super::lanes::{LANES, Lanes};

/// Overwrites `into`: (vectors of sixteen values, groups x 16 images), 0 behind the last value,
/// with `images`: (groups, `values`).
pub(crate) fn transpose(values: usize, images: &[Lanes], into: &mut Vec<Lanes>) {
    let groups = images.len() / values;
    into.clear();
    into.resize(values.div_ceil(LANES) * groups * LANES, Lanes::ZERO);
    for (group, group_values) in images.chunks_exact(values).enumerate() {
        for (at, lanes) in group_values.iter().enumerate() {
            let start = (at / LANES * groups + group) * LANES;
            for (image, value) in into[start..start + LANES].iter_mut().zip(lanes.0) {
                image.0[at % LANES] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]
    use super::*;

    #[test]
    fn every_value_finds_its_image() {
        let number = |group: usize, value: usize, lane: usize| {
            (100 * (LANES * group + lane) + value) as f32 + 1.0
        };
        let images: Vec<Lanes> = (0..2 * 19)
            .map(|at| Lanes(std::array::from_fn(|lane| number(at / 19, at % 19, lane))))
            .collect();
        let mut found = vec![Lanes([f32::NAN; LANES]); 3];
        transpose(19, &images, &mut found);
        assert_eq!(found.len(), 2 * 32);
        for (at, lanes) in found.iter().enumerate() {
            for (lane, &x) in lanes.0.iter().enumerate() {
                let (image, value) = (at % 32, at / 32 * LANES + lane);
                let there = number(image / LANES, value, image % LANES);
                assert_eq!(x, if value < 19 { there } else { 0.0 }, "{image} {value}");
            }
        }
    }
}
