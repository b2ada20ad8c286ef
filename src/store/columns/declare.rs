//! The macro that declares rows.

/// Declares the rows of a file: a struct with one field a column, in the order of the file, and
/// [`Row`](crate::columns::Row) for it. A field's documentation is the column's; after `=>` stand
/// methods of [`ColumnSpec`](crate::columns::ColumnSpec) that say more about it.
///
/// `with { ... }` adds fields that are no columns. `borrowed Record` makes a second struct, of the
/// same fields borrowed, and [`ReadRow`](crate::columns::ReadRow).
///
/// ```
/// use curvebook_store::columns::{Kind, Row};
///
/// curvebook_store::columns! {
///     /// What a run came to.
///     #[derive(Debug, Clone)]
///     pub struct Outcome {
///         /// From 0.
///         run: u32,
///         /// Null where it was not reached.
///         time_to_goal_s: Option<f64>,
///         /// Files before version 2 lack it.
///         settings: String => later,
///     }
///     /// The same, borrowed.
///     #[derive(Debug, Clone, Copy)]
///     pub borrowed OutcomeRecord
/// }
///
/// let [run, time, settings] = Outcome::columns() else { panic!("three columns") };
/// assert_eq!((&*run.name, run.kind, &*run.doc), ("run", Kind::U32, "From 0."));
/// assert!(time.nullable && settings.later);
/// let outcome = Outcome { run: 7, time_to_goal_s: None, settings: "restart".into() };
/// assert_eq!(OutcomeRecord::from(&outcome).settings, "restart");
/// ```
#[macro_export]
macro_rules! columns {
    (
        $(#[$meta:meta])* $vis:vis struct $Row:ident $columns:tt
        $(with $beside:tt)?
    ) => {
        $crate::columns! { @row [$(#[$meta])*] $vis $Row $columns [$($beside)?] }
    };
    (
        $(#[$meta:meta])* $vis:vis struct $Row:ident $columns:tt
        $(#[$record_meta:meta])* $record_vis:vis borrowed $Record:ident
    ) => {
        $crate::columns! { @row [$(#[$meta])*] $vis $Row $columns [] }
        $crate::columns! { @record [$(#[$record_meta])*] $record_vis $Record $Row $columns }
    };
    (
        @row [$($meta:tt)*] $vis:vis $Row:ident
        {
            $(
                $(#[doc = $doc:literal])*
                $name:ident : $type:ty
                $(=> $($modifier:ident $(( $($argument:expr),* ))?)+)?
            ),* $(,)?
        }
        [$({ $($beside:tt)* })?]
    ) => {
        $($meta)*
        $vis struct $Row {
            $($($beside)*)?
            $( $(#[doc = $doc])* pub $name: $type, )*
        }

        impl $crate::columns::Row for $Row {
            fn columns() -> &'static [$crate::columns::ColumnSpec] {
                const COLUMNS: &[$crate::columns::ColumnSpec] = &[$(
                    $crate::columns::ColumnSpec::new(
                        stringify!($name),
                        <$type as $crate::columns::Cell>::KIND,
                        <$type as $crate::columns::Cell>::NULLABLE,
                        concat!($($doc),*),
                    )
                    $($( .$modifier($($($argument),*)?) )+)?
                ),*];
                COLUMNS
            }

            fn cells(rows: &[&Self]) -> Vec<$crate::columns::Cells> {
                vec![$(
                    <$type as $crate::columns::Cell>::cells(rows.iter().map(|row| &row.$name))
                ),*]
            }
        }
    };
    (
        @record [$($meta:tt)*] $vis:vis $Record:ident $Row:ident
        {
            $(
                $(#[doc = $doc:literal])*
                $name:ident : $type:ty
                $(=> $($modifier:ident $(( $($argument:expr),* ))?)+)?
            ),* $(,)?
        }
    ) => {
        $($meta)*
        $vis struct $Record<'a> {
            $( $(#[doc = $doc])* pub $name: <$type as $crate::columns::ReadCell>::Borrowed<'a>, )*
        }

        impl<'a> From<&'a $Row> for $Record<'a> {
            fn from(row: &'a $Row) -> Self {
                Self { $( $name: $crate::columns::ReadCell::borrow(&row.$name), )* }
            }
        }

        const _: () = {
            /// The columns of some rows.
            #[derive(Debug, Clone, Copy)]
            pub struct Reader<'a> {
                $( $name: <$type as $crate::columns::ReadCell>::Array<'a>, )*
            }

            impl $crate::columns::ReadRow for $Row {
                type Record<'a> = $Record<'a>;
                type Reader<'a> = Reader<'a>;

                fn reader(arrays: &$crate::columns::Arrays) -> Self::Reader<'_> {
                    Reader { $(
                        $name: <$type as $crate::columns::ReadCell>::array(
                            arrays.get(stringify!($name)),
                        ),
                    )* }
                }

                fn at<'a>(reader: &Self::Reader<'a>, row: usize) -> Self::Record<'a> {
                    $Record { $(
                        $name: <$type as $crate::columns::ReadCell>::at(reader.$name, row),
                    )* }
                }
            }
        };
    };
}
