//! What each layer reads, and which buffers gradients flow through.

use crate::model::{Network, Operation, Shape, Source};

/// The wires of a network.
#[derive(Debug)]
pub(crate) struct Wiring {
    pub(crate) layers: Vec<Wires>,
    /// Values an image of each gradient buffer.
    pub(crate) buffers: Vec<usize>,
    /// Values an image of the buffer for gradients that join a sum.
    pub(crate) spare: usize,
}

/// The wires of one layer.
#[derive(Debug)]
pub(crate) struct Wires {
    /// The max-pooling that this convolution is worked together with, or the other way round. The
    /// two share one gradient, that of the pooling's output.
    pub(crate) partner: Option<usize>,
    /// What it reads, in order.
    pub(crate) parts: Vec<Part>,
    /// Where the gradient of its output is; `None` where none is needed.
    pub(crate) buffer: Option<usize>,
}

/// One thing that a layer reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part {
    pub(crate) source: Source,
    pub(crate) shape: Shape,
    /// Where its gradient goes, if it needs one.
    pub(crate) target: Option<Target>,
}

/// A place for a gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) buffer: usize,
    /// A later layer has written its share already.
    pub(crate) accumulates: bool,
}

impl Wiring {
    /// Lays out the backward pass, from the last layer to the first: an output's buffer is taken
    /// when its last reader writes to it, and free again when its own layer has read it. A chain
    /// needs two buffers. The order of the sums is that of the readers, the last one first.
    pub(crate) fn new(network: &Network) -> Self {
        let partners = partners(network);
        let mut buffers = Buffers::default();
        let mut holders: Vec<Option<usize>> = vec![None; network.layers.len()];
        let mut layers = Vec::with_capacity(network.layers.len());
        let mut spare = 0;
        for (at, layer) in network.layers.iter().enumerate().rev() {
            let is_last = at + 1 == network.layers.len();
            if is_last {
                holders[at] = Some(buffers.take(layer.output.len()));
            }
            let mut parts = Vec::with_capacity(layer.sources.len());
            for &source in &layer.sources {
                let shape = network.shape(source);
                let needs = |source: usize| {
                    let source = &network.layers[source];
                    source.params() > 0 || source.has_input_gradient
                };
                let target = match source {
                    Source::Layer(source) if partners[at] == Some(source) => {
                        holders[source] = holders[at];
                        None
                    }
                    Source::Layer(source) if needs(source) => {
                        let accumulates = holders[source].is_some();
                        if accumulates {
                            spare = spare.max(shape.len());
                        }
                        let buffer =
                            *holders[source].get_or_insert_with(|| buffers.take(shape.len()));
                        Some(Target { buffer, accumulates })
                    }
                    _ => None,
                };
                parts.push(Part { source, shape, target });
            }
            let is_shared = partners[at].is_some_and(|partner| partner < at);
            buffers.free.extend(holders[at].filter(|_| !is_shared));
            layers.push(Wires { partner: partners[at], parts, buffer: holders[at] });
        }
        layers.reverse();
        Self { layers, buffers: buffers.sizes, spare }
    }

    /// Where the gradient of a layer's output is.
    pub(crate) fn buffer_of(&self, layer: usize) -> usize {
        self.layers[layer].buffer.expect("the layer trains")
    }
}

/// For each convolution that one max-pooling alone reads, that pooling, and the other way round.
fn partners(network: &Network) -> Vec<Option<usize>> {
    let mut readers = vec![0; network.layers.len()];
    for layer in &network.layers {
        for source in &layer.sources {
            if let Source::Layer(source) = *source {
                readers[source] += 1;
            }
        }
    }
    let mut partners = vec![None; network.layers.len()];
    for (at, layer) in network.layers.iter().enumerate() {
        let Operation::MaxPool { .. } = layer.operation else { continue };
        let Source::Layer(source) = layer.sources[0] else { continue };
        let is_conv = matches!(network.layers[source].operation, Operation::Conv { .. });
        if is_conv && readers[source] == 1 {
            (partners[at], partners[source]) = (Some(source), Some(at));
        }
    }
    partners
}

/// Buffers and which of them are free.
#[derive(Debug, Default)]
struct Buffers {
    sizes: Vec<usize>,
    free: Vec<usize>,
}

impl Buffers {
    fn take(&mut self, size: usize) -> usize {
        let buffer = self.free.pop().unwrap_or_else(|| {
            self.sizes.push(0);
            self.sizes.len() - 1
        });
        self.sizes[buffer] = self.sizes[buffer].max(size);
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Definition;
    use base::space::{Value, sobol};

    fn network(layers: &str) -> Network {
        let text = format!(
            "name = \"t\"\ndataset = \"digits\"\n[[parameter]]\nname = \"l2\"\n\
             type = \"int\"\nlow = 1\nhigh = 2\n[model]\ninput = [1, 2, 2]\nclasses = 4\n\
             layer = [{layers}]\n[training]\nlearning_rate = 0.1\nl2 = \"$l2\"\n\
             epochs = 1\ntrain_size = 1\nval_size = 1\ntest_size = 1\n"
        );
        Network::build(&Definition::parse("t.toml", &text).unwrap(), &[Value::Int(1)]).unwrap()
    }

    #[test]
    fn a_chain_alternates_between_two_buffers() {
        let definition = Definition::preset("cifar10-cnn").unwrap();
        let mut counts = std::collections::BTreeSet::new();
        for index in 0..16 {
            let values = sobol::configuration(&definition.space, index, 0);
            let network = Network::build(&definition, &values).unwrap();
            let wiring = Wiring::new(&network);
            assert_eq!((wiring.buffers.len(), wiring.spare), (2, 0));
            for (at, pair) in wiring.layers.windows(2).enumerate() {
                // A convolution and its pooling share the pooling's gradient.
                let are_partners = pair[0].partner == Some(at + 1);
                assert_eq!(pair[0].buffer == pair[1].buffer, are_partners, "{at}");
            }
            // Three pairs, unless a normalisation stands between.
            let partners = wiring.layers.iter().filter(|layer| layer.partner.is_some());
            counts.insert(partners.count());
            assert_eq!(wiring.layers[0].parts[0].target, None, "images need no gradient");
        }
        assert!(counts.into_iter().eq([0, 6]));
    }

    #[test]
    fn a_shortcut_holds_a_third_buffer_and_accumulates() {
        let dense = |name: &str| format!("{{ kind = 'dense', units = 3, name = '{name}' }}");
        let layers = ["stem", "first", "second"].map(dense).join(", ");
        let network = network(&format!("{layers}, {{ kind = 'add', from = ['stem', 'second'] }}"));
        let wiring = Wiring::new(&network);
        assert_eq!((wiring.buffers.len(), wiring.spare), (3, 3));
        let target = |layer: usize, part: usize| wiring.layers[layer].parts[part].target.unwrap();
        assert_eq!(target(3, 0).buffer, target(1, 0).buffer, "the stem's gradient");
        assert!(!target(3, 0).accumulates && target(1, 0).accumulates);
        assert_ne!(target(3, 0).buffer, target(2, 0).buffer, "which outlives the body's");
    }
}
