//! The spaces that ship with the binary, one TOML file each in `presets/`.

const PRESETS: [(&str, &str); 7] = [
    ("digits-lenet", include_str!("presets/digits-lenet.toml")),
    ("mnist-lenet-lite", include_str!("presets/mnist-lenet-lite.toml")),
    ("fashion-lenet-lite", include_str!("presets/fashion-lenet-lite.toml")),
    ("cifar10-cnn-lite", include_str!("presets/cifar10-cnn-lite.toml")),
    ("mnist-lenet", include_str!("presets/mnist-lenet.toml")),
    ("cifar10-cnn", include_str!("presets/cifar10-cnn.toml")),
    ("cifar10-cnn-bn999", include_str!("presets/cifar10-cnn-bn999.toml")),
];

/// Names of all presets, smallest space first.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// The TOML text of a preset.
pub fn text(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Definition;

    #[test]
    fn every_preset_loads_under_its_own_name() {
        for name in names() {
            let definition = Definition::preset(name).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(definition.space.name, name);
            assert!(!definition.summary.is_empty());
        }
    }
}
