//! What a field of a declared row may be, and how it becomes a cell and is read back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Builder, Int64Array, ListBuilder,
    StringArray, UInt16Array, UInt32Array, UInt64Array,
};

use super::{Cells, Kind};

/// The type of a field. `Option` where a cell may be null.
pub trait Cell: Sized + 'static {
    const KIND: Kind;
    const NULLABLE: bool;

    /// The cells of a column.
    fn cells<'a>(fields: impl ExactSizeIterator<Item = &'a Self>) -> Cells;
}

/// A field that is read back. What [`read`](super::read) hands over has been checked: text is
/// `Utf8`, a whole number 64 bits wide and within its type, any other number `f64`.
pub trait ReadCell: Cell {
    /// The field of a borrowed row.
    type Borrowed<'a>;
    /// The cells of a column; none where the file lacks it.
    type Array<'a>: Copy;

    /// The field, borrowed.
    fn borrow(&self) -> Self::Borrowed<'_>;

    /// The cells, in the type that they were read in.
    fn array(array: Option<&ArrayRef>) -> Self::Array<'_>;

    /// One of the cells; the default of the type where it is null or the column missing.
    fn at(array: Self::Array<'_>, row: usize) -> Self::Borrowed<'_>;
}

/// A cell of an array that may be missing, where it is not null.
fn there<A: Array>(array: Option<&A>, row: usize) -> Option<&A> {
    array.filter(|array| array.is_valid(row))
}

macro_rules! number {
    ($type:ty, $kind:ident, $written:ty, $read:ty, $narrow:expr) => {
        impl Cell for $type {
            const KIND: Kind = Kind::$kind;
            const NULLABLE: bool = false;

            fn cells<'a>(fields: impl ExactSizeIterator<Item = &'a Self>) -> Cells {
                Cells(Arc::new(<$written>::from_iter_values(fields.copied())))
            }
        }

        impl Cell for Option<$type> {
            const KIND: Kind = Kind::$kind;
            const NULLABLE: bool = true;

            fn cells<'a>(fields: impl ExactSizeIterator<Item = &'a Self>) -> Cells {
                Cells(Arc::new(fields.copied().collect::<$written>()))
            }
        }

        impl ReadCell for $type {
            type Borrowed<'a> = $type;
            type Array<'a> = Option<&'a $read>;

            fn borrow(&self) -> $type {
                *self
            }

            fn array(array: Option<&ArrayRef>) -> Self::Array<'_> {
                array.map(AsArray::as_primitive)
            }

            fn at(array: Self::Array<'_>, row: usize) -> Self::Borrowed<'_> {
                there(array, row).map_or_else(Default::default, |a| $narrow(a.value(row)))
            }
        }

        impl ReadCell for Option<$type> {
            type Borrowed<'a> = Option<$type>;
            type Array<'a> = Option<&'a $read>;

            fn borrow(&self) -> Option<$type> {
                *self
            }

            fn array(array: Option<&ArrayRef>) -> Self::Array<'_> {
                array.map(AsArray::as_primitive)
            }

            fn at(array: Self::Array<'_>, row: usize) -> Self::Borrowed<'_> {
                there(array, row).map(|a| $narrow(a.value(row)))
            }
        }
    };
}

fn narrow<T: TryFrom<u64>>(number: u64) -> T {
    T::try_from(number).ok().expect("checked with its column")
}

number!(u16, U16, UInt16Array, UInt64Array, narrow::<u16>);
number!(u32, U32, UInt32Array, UInt64Array, narrow::<u32>);
number!(u64, U64, UInt64Array, UInt64Array, std::convert::identity);
number!(f64, F64, Float64Array, Float64Array, std::convert::identity);

impl Cell for i64 {
    const KIND: Kind = Kind::I64;
    const NULLABLE: bool = false;

    fn cells<'a>(fields: impl ExactSizeIterator<Item = &'a Self>) -> Cells {
        Cells(Arc::new(Int64Array::from_iter_values(fields.copied())))
    }
}

impl Cell for bool {
    const KIND: Kind = Kind::Truth;
    const NULLABLE: bool = false;

    fn cells<'a>(fields: impl ExactSizeIterator<Item = &'a Self>) -> Cells {
        Cells(Arc::new(fields.copied().map(Some).collect::<BooleanArray>()))
    }
}

impl ReadCell for bool {
    type Borrowed<'a> = bool;
    type Array<'a> = Option<&'a BooleanArray>;

    fn borrow(&self) -> bool {
        *self
    }

    fn array(array: Option<&ArrayRef>) -> Self::Array<'_> {
        array.map(AsArray::as_boolean)
    }

    fn at(array: Self::Array<'_>, row: usize) -> Self::Borrowed<'_> {
        there(array, row).is_some_and(|array| array.value(row))
    }
}

macro_rules! text {
    ($type:ty) => {
        impl Cell for $type {
            const KIND: Kind = Kind::Text;
            const NULLABLE: bool = false;

            fn cells<'a>(fields: impl ExactSizeIterator<Item = &'a Self>) -> Cells {
                Cells(Arc::new(StringArray::from_iter_values(fields)))
            }
        }

        impl ReadCell for $type {
            type Borrowed<'a> = &'a str;
            type Array<'a> = Option<&'a StringArray>;

            fn borrow(&self) -> &str {
                self
            }

            fn array(array: Option<&ArrayRef>) -> Self::Array<'_> {
                array.map(AsArray::as_string)
            }

            fn at(array: Self::Array<'_>, row: usize) -> Self::Borrowed<'_> {
                there(array, row).map_or("", |array| array.value(row))
            }
        }
    };
}

text!(String);
text!(&'static str);

/// Counts, none of them where there is none: null, not an empty list.
impl Cell for Vec<u32> {
    const KIND: Kind = Kind::Counts;
    const NULLABLE: bool = true;

    fn cells<'a>(fields: impl ExactSizeIterator<Item = &'a Self>) -> Cells {
        let mut lists = ListBuilder::new(Int32Builder::new());
        for counts in fields {
            for &count in counts {
                let count = i32::try_from(count).expect("a count of images fits 31 bits");
                lists.values().append_value(count);
            }
            lists.append(!counts.is_empty());
        }
        Cells(Arc::new(lists.finish()))
    }
}
