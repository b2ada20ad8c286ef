//! Records that lie in the device's memory: structs of a shader, field by field.
//!
//! [`device_record!`] declares one with its [`Layout`], and a test that needs no adapter holds that
//! against the struct of the shader's text: names, types and offsets.

use bytemuck::NoUninit;

/// A struct that has the layout of one in a shader.
pub trait Record: NoUninit {
    const LAYOUT: Layout;
}

/// Where the fields of a record lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub(crate) fields: &'static [Field],
    /// Of the whole record.
    pub(crate) bytes: usize,
}

/// A field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// In bytes.
    pub(crate) offset: usize,
    /// Its type, as WGSL calls it.
    pub(crate) wgsl: &'static str,
}

/// A type that WGSL has, too.
pub(crate) trait InWgsl {
    const NAME: &'static str;
}

impl InWgsl for u32 {
    const NAME: &'static str = "u32";
}

impl InWgsl for f32 {
    const NAME: &'static str = "f32";
}

impl InWgsl for [u32; 2] {
    const NAME: &'static str = "vec2<u32>";
}

impl InWgsl for [u32; 4] {
    const NAME: &'static str = "vec4<u32>";
}

impl InWgsl for [f32; 4] {
    const NAME: &'static str = "vec4<f32>";
}

/// Declares a struct that lies in the device's memory; see [`self`].
macro_rules! device_record {
    (
        $(#[$about:meta])*
        $visibility:vis struct $record:ident {
            $($(#[$what:meta])* $own:vis $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(C)]
        $visibility struct $record {
            $($(#[$what])* $own $field: $type,)*
        }

        impl $crate::gpu::kernels::record::Record for $record {
            const LAYOUT: $crate::gpu::kernels::record::Layout =
                $crate::gpu::kernels::record::Layout {
                    fields: &[$(
                        $crate::gpu::kernels::record::Field {
                            name: stringify!($field),
                            offset: std::mem::offset_of!($record, $field),
                            wgsl: <$type as $crate::gpu::kernels::record::InWgsl>::NAME,
                        },
                    )*],
                    bytes: size_of::<$record>(),
                };
        }
    };
}

pub(crate) use device_record;

#[cfg(test)]
mod tests {
    use wgpu::naga::front::wgsl;
    use wgpu::naga::{Module, ScalarKind, Type, TypeInner};

    use super::super::KERNELS;
    use super::super::steps::StepRecord;
    use super::*;

    fn name(of: &Type) -> String {
        let kind = |kind: ScalarKind| match kind {
            ScalarKind::Uint => "u32",
            ScalarKind::Float => "f32",
            _ => "?",
        };
        match of.inner {
            TypeInner::Scalar(scalar) => kind(scalar.kind).to_string(),
            TypeInner::Vector { size, scalar } => {
                format!("vec{}<{}>", size as u32, kind(scalar.kind))
            }
            _ => format!("{:?}", of.inner),
        }
    }

    /// Name, offset and type of the fields of a struct, and its bytes.
    fn in_the_shader(text: &str, which: &str) -> (Vec<(String, usize, String)>, usize) {
        let module: Module = wgsl::parse_str(text).unwrap();
        let found = module.types.iter().find(|(_, of)| of.name.as_deref() == Some(which));
        let Some(TypeInner::Struct { members, span }) = found.map(|(_, of)| &of.inner) else {
            panic!("no struct {which}");
        };
        let field = |member: &wgpu::naga::StructMember| {
            let of = name(&module.types[member.ty]);
            (member.name.clone().unwrap(), member.offset as usize, of)
        };
        (members.iter().map(field).collect(), *span as usize)
    }

    fn here(layout: Layout) -> (Vec<(String, usize, String)>, usize) {
        let field = |field: &Field| (field.name.to_string(), field.offset, field.wgsl.to_string());
        (layout.fields.iter().map(field).collect(), layout.bytes)
    }

    #[test]
    fn every_job_lies_as_its_shader_reads_it() {
        for kernel in KERNELS {
            let text = kernel.shader.assemble(&[]);
            let expected = in_the_shader(&text, "Job");
            assert_eq!(here(kernel.shader.job), expected, "{}", kernel.shader.name);
            if text.contains("struct Step {") {
                assert_eq!(here(StepRecord::LAYOUT), in_the_shader(&text, "Step"));
            }
        }
    }

    /// What is bound is what the shader asks for: one memory each, none forgotten.
    #[test]
    fn every_kernel_has_as_many_memories_as_its_shader_has_bindings() {
        for kernel in KERNELS {
            let module = wgsl::parse_str(&kernel.shader.assemble(&[])).unwrap();
            let mut bindings: Vec<u32> = (module.global_variables.iter())
                .filter_map(|(_, variable)| variable.binding.map(|at| at.binding))
                .collect();
            bindings.sort_unstable();
            // Tasks and jobs come first.
            let expected = 2 + u32::try_from(kernel.memories.len()).unwrap();
            assert!(bindings.into_iter().eq(0..expected), "{}", kernel.name);
        }
    }

    #[test]
    fn a_record_that_lies_otherwise_is_found() {
        device_record! {
            struct Toy {
                first: u32,
                second: [f32; 4],
            }
        }
        // WGSL puts the vector on the next 16 bytes.
        let text = "struct Toy { first: u32, second: vec4<f32>, }\n\
                    @group(0) @binding(0) var<storage, read> toys: array<Toy>;";
        let shader = in_the_shader(text, "Toy");
        assert_eq!(shader.0[1], ("second".to_string(), 16, "vec4<f32>".to_string()));
        assert_ne!(here(Toy::LAYOUT), shader);
    }
}
