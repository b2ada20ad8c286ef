//! The one place that says `unsafe`: shaders without the checks that wgpu would put into them.

#![expect(unsafe_code, reason = "see SAFETY")]

use wgpu::{Device, ShaderModule, ShaderModuleDescriptor, ShaderRuntimeChecks, ShaderSource};

/// Compiles a text of [`super::shaders`], checked by nothing at run time.
pub(super) fn shader_module(device: &Device, label: &str, text: &str) -> ShaderModule {
    let source = ShaderSource::Wgsl(text.into());
    let descriptor = ShaderModuleDescriptor { label: Some(label), source };
    // SAFETY: every text is our own. Its loops end: their bounds are numbers in read-only buffers.
    // It divides by nothing that is 0 and reads and writes nothing outside its buffers, because
    // what builds the lists of work (`super::kernels`) has asserted both of each job.
    unsafe { device.create_shader_module_trusted(descriptor, ShaderRuntimeChecks::unchecked()) }
}
