//! What each kind of layer makes of the shapes that it reads.

use base::error::Result;

use super::network::{Operation, Shape, Source, Window};
use super::planner::{Planner, SIZE_MAX};
use crate::model::{Activation, BatchNormSettings, Padding, Pool, Setting};

impl Planner<'_> {
    pub(super) fn conv(
        &mut self,
        filters: usize,
        kernel: usize,
        stride: usize,
        padding: Padding,
        activation: Activation,
    ) -> Result<()> {
        let input = self.shape(self.current);
        let (height, above) = along(input.height, kernel, stride, padding);
        let (width, left) = along(input.width, kernel, stride, padding);
        if height == 0 || width == 0 {
            let rule = format!("leaves nothing of {} x {}", input.height, input.width);
            return self.refuse(&self.field("kernel"), kernel, rule);
        }
        let fan_in = kernel.checked_mul(kernel).and_then(|k| k.checked_mul(input.channels));
        let unfolded = fan_in.and_then(|fan_in| fan_in.checked_mul(height * width));
        if unfolded.is_none_or(|values| values > SIZE_MAX) {
            let rule = format!(
                "{height} x {width} windows of {kernel} x {kernel} x {} values: at most {SIZE_MAX} \
                 can be trained",
                input.channels
            );
            return self.refuse(&self.field("kernel"), kernel, rule);
        }
        let operation = Operation::Conv { kernel, stride, before: [above, left], activation };
        self.weighted(operation, Shape { channels: filters, height, width }, fan_in)
    }

    pub(super) fn dense(&mut self, units: usize, activation: Activation) -> Result<()> {
        let fan_in = Some(self.shape(self.current).len());
        self.weighted(Operation::Dense { activation }, Shape::flat(units), fan_in)
    }

    /// Adds a layer with weights, if their number is one that a machine can hold.
    pub(super) fn weighted(
        &mut self,
        operation: Operation,
        output: Shape,
        fan_in: Option<usize>,
    ) -> Result<()> {
        let weights = fan_in.and_then(|fan_in| fan_in.checked_mul(output.channels));
        let values = output.channels.checked_mul(output.height * output.width);
        let (Some(fan_in), Some(weights), Some(values)) = (fan_in, weights, values) else {
            return self.refuse(&self.name(), output, "overflows".to_string());
        };
        if weights.max(values) > SIZE_MAX {
            let value = format!("{weights} weights, {values} outputs");
            let rule = format!("at most {SIZE_MAX} of each can be trained");
            return self.refuse(&self.name(), value, rule);
        }
        self.push(operation, output);
        let layer = self.layers.last_mut().expect("pushed above");
        (layer.weights, layer.biases, layer.fan_in) = (weights, output.channels, fan_in);
        Ok(())
    }

    /// The windows of a pooling, and what they make of the input.
    pub(super) fn window(&self, pool: &Pool) -> Result<(Window, Shape)> {
        let size = self.size("size", pool.size)?;
        let stride = pool.stride.map_or(Ok(size), |stride| self.size("stride", stride))?;
        let Shape { channels, height, width } = self.shape(self.current);
        let (rows, above) = along(height, size, stride, pool.padding);
        let (columns, left) = along(width, size, stride, pool.padding);
        if rows == 0 || columns == 0 {
            let rule = format!("pooling {size} x {size} leaves nothing of {height} x {width}");
            return self.refuse(&self.field("size"), size, rule);
        }
        let window = Window { height: size, width: size, stride, before: [above, left] };
        Ok((window, Shape { channels, height: rows, width: columns }))
    }

    pub(super) fn dropout(&mut self, rate: Setting<f64>) -> Result<()> {
        let field = self.field("rate");
        let rate = rate.active(self.definition, &field, self.configuration)?;
        let rate = rate.resolve(self.configuration);
        if !(0.0..1.0).contains(&rate) {
            return self.refuse(&field, rate, "must be at least 0 and below 1".to_string());
        }
        self.plain(Operation::Dropout { rate }, self.shape(self.current))
    }

    /// Without an activation of its own the normalisation takes over that of the layer before,
    /// which has no name, so that nothing else reads it.
    pub(super) fn batchnorm(
        &mut self,
        settings: BatchNormSettings,
        own: Option<Setting<Activation>>,
    ) -> Result<()> {
        let field = self.field("decay");
        let decay = settings.decay.active(self.definition, &field, self.configuration)?;
        let decay = decay.resolve(self.configuration);
        if !(0.0..=1.0).contains(&decay) {
            return self.refuse(&field, decay, "must lie in 0..1".to_string());
        }
        let field = self.field("epsilon");
        let epsilon = settings.epsilon.active(self.definition, &field, self.configuration)?;
        let epsilon = epsilon.resolve(self.configuration);
        if !(1e-12..=1.0).contains(&epsilon) {
            return self.refuse(&field, epsilon, "must lie in 1e-12..1".to_string());
        }
        let activation = match own {
            Some(own) => self.activation(own)?,
            None => match self.layers.last_mut().map(|layer| &mut layer.operation) {
                Some(Operation::Conv { activation, .. } | Operation::Dense { activation }) => {
                    std::mem::replace(activation, Activation::Linear)
                }
                other => unreachable!("checked when the file was read: {other:?}"),
            },
        };
        let shape = self.shape(self.current);
        self.plain(Operation::BatchNorm { decay, epsilon, activation }, shape)?;
        self.layers.last_mut().expect("pushed above").biases = 2 * shape.channels;
        Ok(())
    }

    pub(super) fn add(&mut self, sources: Vec<Source>, activation: Activation) -> Result<()> {
        let shapes: Vec<Shape> = sources.iter().map(|source| self.shape(*source)).collect();
        let output = shapes[0];
        if shapes.iter().any(|shape| *shape != output) {
            let rule = "add sums equal shapes (channels x height x width)".to_string();
            return self.refuse(&self.field("from"), list(&shapes), rule);
        }
        self.join(Operation::Add { activation }, sources, output);
        Ok(())
    }

    pub(super) fn concat(&mut self, sources: Vec<Source>) -> Result<()> {
        let shapes: Vec<Shape> = sources.iter().map(|source| self.shape(*source)).collect();
        let Shape { height, width, .. } = shapes[0];
        if shapes.iter().any(|shape| (shape.height, shape.width) != (height, width)) {
            let rule = "concat joins channels of equal height and width".to_string();
            return self.refuse(&self.field("from"), list(&shapes), rule);
        }
        let channels: usize = shapes.iter().map(|shape| shape.channels).sum();
        let values = channels.checked_mul(height * width);
        if values.is_none_or(|values| values > SIZE_MAX) {
            let rule = format!("at most {SIZE_MAX} values an image can be trained");
            return self.refuse(&self.field("from"), list(&shapes), rule);
        }
        self.join(Operation::Concat, sources, Shape { channels, height, width });
        Ok(())
    }

    pub(super) fn join(&mut self, operation: Operation, sources: Vec<Source>, output: Shape) {
        self.push(operation, output);
        let layer = self.layers.last_mut().expect("pushed above");
        (layer.sources, layer.input) = (sources, output);
    }
}

/// Output size along one side, and the padding before it. `same`: the smallest padding that yields
/// ceil(size / stride), the odd pixel at the end; `valid`: whole windows only.
fn along(size: usize, window: usize, stride: usize, padding: Padding) -> (usize, usize) {
    match padding {
        Padding::Same => {
            let out = size.div_ceil(stride);
            (out, ((out - 1) * stride + window).saturating_sub(size) / 2)
        }
        Padding::Valid => ((size + stride).saturating_sub(window) / stride, 0),
    }
}

/// Shapes for a message.
fn list(shapes: &[Shape]) -> String {
    shapes.iter().map(Shape::to_string).collect::<Vec<_>>().join(", ")
}
