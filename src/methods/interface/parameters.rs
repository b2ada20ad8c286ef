//! A method's parameters, declared once: the macro [`crate::parameters!`] and what it builds on.

use std::path::PathBuf;

use super::arguments::Argument;

/// Declares the parameters of a method: a struct with a typed field for each, its `SPECS` for the
/// registry entry, and `read`, which takes the checked arguments of a method. The comment above a
/// field is what `curvebook methods` says of it, what follows its `=` the default; a field without
/// one must be given.
///
/// | field | values |
/// |---|---|
/// | `trees: u16 in 2..=1000 = 50` | whole numbers of any type; `2..` ends with the type |
/// | `share: f64 in 0.0..=1.0 = 0.9` | finite numbers; `0.0..` and no `in` are open |
/// | `gap: Gap { Ratio = "ratio", Absolute = "absolute" } = "ratio"` | words, into an enum |
/// | `file: PathBuf` | the path of a file |
/// | `rule: Method<StopperFactory> in super::REGISTRY = "none"` | a method of a registry |
///
/// A name that is a word of the language is marked: `r#type` is written `type`.
///
/// Ranges that the type cannot hold, and defaults that break the rule, do not compile:
///
/// ```
/// # extern crate curvebook_methods as methods;
/// methods::interface::parameters! {
///     struct Parameters {
///         /// Trees of the forest.
///         trees: u8 in 2..=200 = 50,
///         /// A column for each choice, or one of their order.
///         categorical: Categorical { OneHot = "one-hot", Index = "index" } = "one-hot",
///     }
/// }
/// assert_eq!(Parameters::SPECS[0].default, Some("50"));
/// assert_eq!(Parameters::SPECS[1].summary, "A column for each choice, or one of their order.");
/// ```
///
/// ```compile_fail,E0080
/// # extern crate curvebook_methods as methods;
/// methods::interface::parameters! {
///     struct Parameters {
///         /// More than a `u8` holds.
///         trees: u8 in 2..=1000 = 50,
///     }
/// }
/// ```
///
/// ```compile_fail,E0080
/// # extern crate curvebook_methods as methods;
/// methods::interface::parameters! {
///     struct Parameters {
///         /// A default out of its range.
///         trees: u8 in 2..=200 = 1,
///     }
/// }
/// ```
///
/// ```compile_fail,E0080
/// # extern crate curvebook_methods as methods;
/// methods::interface::parameters! {
///     struct Parameters {
///         /// A default that is none of the words.
///         gap: Gap { Ratio = "ratio", Absolute = "absolute" } = "ration",
///     }
/// }
/// ```
#[macro_export]
macro_rules! parameters {
    // Fields become `{ name (type) (kind) (default) [summary] }`, one after another.
    (@fields [$(#[$meta:meta])* $vis:vis $name:ident]
        [$({ $field:ident ($type:ty) ($kind:expr) ($default:expr) [$($doc:literal)+] })*]
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        $vis struct $name {
            $($(#[doc = $doc])+ $vis $field: $type,)*
        }

        impl $name {
            /// As the registry describes them.
            $vis const SPECS: &'static [$crate::interface::ParameterSpec] = &[
                $($crate::interface::ParameterSpec {
                    name: $crate::interface::of_parameters::as_written(stringify!($field)),
                    kind: $kind,
                    default: $default,
                    summary: concat!($($doc),+).trim_ascii(),
                },)*
            ];

            /// Takes the arguments of a method whose entry has these parameters.
            $vis fn read(
                arguments: &$crate::interface::Arguments,
            ) -> $crate::interface::of_parameters::Result<Self> {
                Ok(Self { $($field: arguments.value(
                    $crate::interface::of_parameters::as_written(stringify!($field)),
                )?,)* })
            }
        }
    };

    (@fields $head:tt [$($done:tt)*]
        $(#[doc = $doc:literal])+
        $field:ident: f64 in $low:literal ..= $high:literal
        $(= $default:literal)? $(, $($rest:tt)*)?
    ) => {
        $(const _: () = assert!(
            $crate::interface::of_parameters::fits_float($default, $low, $high)
        );)?
        $crate::parameters! { @fields $head [$($done)* {
            $field (f64) ($crate::interface::Kind::Float { low: $low, high: $high })
            ($crate::parameters!(@default $($default)?)) [$($doc)+]
        }] $($($rest)*)? }
    };
    (@fields $head:tt [$($done:tt)*]
        $(#[doc = $doc:literal])+
        $field:ident: f64 in $low:literal .. $(= $default:literal)? $(, $($rest:tt)*)?
    ) => {
        $(const _: () = assert!(
            $crate::interface::of_parameters::fits_float($default, $low, f64::MAX)
        );)?
        $crate::parameters! { @fields $head [$($done)* {
            $field (f64) ($crate::interface::Kind::Float { low: $low, high: f64::MAX })
            ($crate::parameters!(@default $($default)?)) [$($doc)+]
        }] $($($rest)*)? }
    };
    (@fields $head:tt [$($done:tt)*]
        $(#[doc = $doc:literal])+
        $field:ident: f64 $(= $default:literal)? $(, $($rest:tt)*)?
    ) => {
        $(const _: () = assert!(
            $crate::interface::of_parameters::fits_float($default, f64::MIN, f64::MAX)
        );)?
        $crate::parameters! { @fields $head [$($done)* {
            $field (f64) ($crate::interface::Kind::Float { low: f64::MIN, high: f64::MAX })
            ($crate::parameters!(@default $($default)?)) [$($doc)+]
        }] $($($rest)*)? }
    };

    (@fields $head:tt [$($done:tt)*]
        $(#[doc = $doc:literal])+
        $field:ident: PathBuf $(, $($rest:tt)*)?
    ) => {
        $crate::parameters! { @fields $head [$($done)* {
            $field (::std::path::PathBuf) ($crate::interface::Kind::File)
            (None) [$($doc)+]
        }] $($($rest)*)? }
    };

    (@fields $head:tt [$($done:tt)*]
        $(#[doc = $doc:literal])+
        $field:ident: Method<$factory:ident> in $registry:path
        $(= $default:literal)? $(, $($rest:tt)*)?
    ) => {
        $crate::parameters! { @fields $head [$($done)* {
            $field ($crate::interface::Method<$crate::interface::$factory>)
            ($crate::interface::Kind::Method($crate::parameters!(@registry $factory $registry)))
            ($crate::parameters!(@word $($default)?)) [$($doc)+]
        }] $($($rest)*)? }
    };

    (@fields [$(#[$meta:meta])* $vis:vis $name:ident] [$($done:tt)*]
        $(#[doc = $doc:literal])+
        $field:ident: $words:ident { $($variant:ident = $word:literal),+ $(,)? }
        $(= $default:literal)? $(, $($rest:tt)*)?
    ) => {
        $(const _: () = assert!(
            $crate::interface::of_parameters::is_one_of($default, $words::WORDS)
        );)?

        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $words {
            $($variant,)+
        }

        impl $words {
            /// As they are written.
            $vis const WORDS: &'static [&'static str] = &[$($word),+];
        }

        impl $crate::interface::ParameterValue for $words {
            fn from_argument(argument: &$crate::interface::Argument) -> Option<Self> {
                match argument {
                    $($crate::interface::Argument::Word($word) => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        $crate::parameters! { @fields [$(#[$meta])* $vis $name] [$($done)* {
            $field ($words) ($crate::interface::Kind::Word($words::WORDS))
            ($crate::parameters!(@word $($default)?)) [$($doc)+]
        }] $($($rest)*)? }
    };

    (@fields $head:tt [$($done:tt)*]
        $(#[doc = $doc:literal])+
        $field:ident: $whole:ident in $low:literal ..= $high:literal
        $(= $default:literal)? $(, $($rest:tt)*)?
    ) => {
        const _: () = {
            let (least, most) = ($whole::MIN as i128, $whole::MAX as i128);
            assert!($crate::interface::of_parameters::fits_whole($low, least, most));
            assert!($crate::interface::of_parameters::fits_whole($high, least, most));
            $(assert!($crate::interface::of_parameters::fits_whole($default, $low, $high));)?
        };
        $crate::parameters! { @fields $head [$($done)* {
            $field ($whole) ($crate::interface::Kind::Int { low: $low, high: $high })
            ($crate::parameters!(@default $($default)?)) [$($doc)+]
        }] $($($rest)*)? }
    };
    (@fields $head:tt [$($done:tt)*]
        $(#[doc = $doc:literal])+
        $field:ident: $whole:ident in $low:literal .. $(= $default:literal)? $(, $($rest:tt)*)?
    ) => {
        const _: () = {
            let (least, most) = ($whole::MIN as i128, $whole::MAX as i128);
            assert!($crate::interface::of_parameters::fits_whole($low, least, most));
            $(assert!($crate::interface::of_parameters::fits_whole($default, $low, most));)?
        };
        $crate::parameters! { @fields $head [$($done)* {
            $field ($whole)
            ($crate::interface::Kind::Int {
                low: $low,
                high: if $whole::MAX as i128 > i64::MAX as i128 {
                    i64::MAX
                } else {
                    $whole::MAX as i64
                },
            })
            ($crate::parameters!(@default $($default)?)) [$($doc)+]
        }] $($($rest)*)? }
    };

    (@default) => { None };
    (@default $default:literal) => { Some(stringify!($default)) };
    (@word) => { None };
    (@word $default:literal) => { Some($default) };

    // A function and not the registry itself: it holds the entry that these parameters are of.
    (@registry SamplerFactory $registry:path) => {
        $crate::interface::Registry::Samplers(|| $registry)
    };
    (@registry SchedulerFactory $registry:path) => {
        $crate::interface::Registry::Schedulers(|| $registry)
    };
    (@registry StopperFactory $registry:path) => {
        $crate::interface::Registry::Stoppers(|| $registry)
    };

    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($fields:tt)* }) => {
        $crate::parameters! { @fields [$(#[$meta])* $vis $name] [] $($fields)* }
    };
}

/// What the macro builds on.
#[doc(hidden)]
pub mod of_parameters {
    pub use base::error::Result;

    /// The name of a field, without the mark of one that is a word of the language: `type` of
    /// `r#type`.
    pub const fn as_written(field: &str) -> &str {
        match field.as_bytes() {
            [b'r', b'#', ..] => field.split_at(2).1,
            _ => field,
        }
    }

    /// Whether a whole number lies in a range.
    pub const fn fits_whole(n: i128, low: i128, high: i128) -> bool {
        low <= n && n <= high
    }

    /// Whether a number lies in a range.
    pub const fn fits_float(x: f64, low: f64, high: f64) -> bool {
        low <= x && x <= high
    }

    /// Whether a word is one of some.
    pub const fn is_one_of(word: &str, words: &[&str]) -> bool {
        let mut at = 0;
        while at < words.len() {
            let (known, word) = (words[at].as_bytes(), word.as_bytes());
            let mut same = 0;
            while same < word.len() && same < known.len() && word[same] == known[same] {
                same += 1;
            }
            if same == word.len() && same == known.len() {
                return true;
            }
            at += 1;
        }
        false
    }
}

/// A type that a parameter of some kind is read into.
pub trait ParameterValue: Sized {
    /// The value of an argument of that kind; `None` for those of other kinds.
    fn from_argument(argument: &Argument) -> Option<Self>;
}

macro_rules! whole_numbers {
    ($($type:ty)*) => {
        $(impl ParameterValue for $type {
            fn from_argument(argument: &Argument) -> Option<Self> {
                match argument {
                    Argument::Int(n) => Self::try_from(*n).ok(),
                    _ => None,
                }
            }
        })*
    };
}
whole_numbers!(u8 u16 u32 u64 usize i32 i64);

impl ParameterValue for f64 {
    fn from_argument(argument: &Argument) -> Option<Self> {
        match argument {
            Argument::Float(x) => Some(*x),
            _ => None,
        }
    }
}

impl ParameterValue for PathBuf {
    fn from_argument(argument: &Argument) -> Option<Self> {
        match argument {
            Argument::File(path) => Some(path.into()),
            _ => None,
        }
    }
}
