//! Just enough of Thrift's compact protocol to look at a Parquet file before a library decodes it:
//! nothing is allocated, and nothing nests deeper than [`DEPTH_MAX`].

/// Structures within structures. Honest ones have half a dozen.
const DEPTH_MAX: u32 = 32;

/// What no writer writes, or what ends too early.
#[derive(Debug)]
pub(crate) struct Unreadable;

pub(crate) type Result<T> = std::result::Result<T, Unreadable>;

/// The type of a field or of the elements of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(u8);

impl Kind {
    /// Of a field: the value, too.
    pub(crate) const FALSE: Self = Self(2);
    pub(crate) const I32: Self = Self(5);
    pub(crate) const LIST: Self = Self(9);
    pub(crate) const STRUCT: Self = Self(12);
}

/// What is left to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Bytes that are left.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.0.split_first().ok_or(Unreadable)?;
        self.0 = rest;
        Ok(*first)
    }

    fn pass(&mut self, count: u64) -> Result<()> {
        let count = usize::try_from(count).map_err(|_| Unreadable)?;
        self.0 = self.0.get(count..).ok_or(Unreadable)?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Unreadable)
    }

    /// A whole number.
    pub(crate) fn integer(&mut self) -> Result<i64> {
        let coded = self.varint()?;
        Ok((coded >> 1).cast_signed() ^ -(coded & 1).cast_signed())
    }

    /// The number and type of the next field of a structure; `None` at its end.
    pub(crate) fn field(&mut self, last: &mut i64) -> Result<Option<(i64, Kind)>> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        *last = match head >> 4 {
            0 => self.integer()?,
            delta => last.checked_add(delta.into()).ok_or(Unreadable)?,
        };
        Ok(Some((*last, Kind(head & 15))))
    }

    /// A field of a structure that is a whole number, the rest of which is passed over; `None`
    /// where it lacks that field.
    pub(crate) fn integer_of_structure(&mut self, wanted: i64) -> Result<Option<i64>> {
        let (mut last, mut found) = (0, None);
        while let Some((field, kind)) = self.field(&mut last)? {
            if (field, kind) == (wanted, Kind::I32) {
                found = Some(self.integer()?);
            } else {
                self.skip(kind)?;
            }
        }
        Ok(found)
    }

    /// The type and number of the elements of a list, which are there: each takes a byte at least,
    /// a structure that says something [`STRUCT_BYTES_MIN`].
    pub(crate) fn list(&mut self) -> Result<(Kind, usize)> {
        const STRUCT_BYTES_MIN: usize = 2;
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => usize::try_from(self.varint()?).map_err(|_| Unreadable)?,
            short => short.into(),
        };
        let kind = Kind(head & 15);
        let bytes = if kind == Kind::STRUCT { STRUCT_BYTES_MIN } else { 1 };
        if count > self.left() / bytes {
            return Err(Unreadable);
        }
        Ok((kind, count))
    }

    /// Passes over a value of a field.
    pub(crate) fn skip(&mut self, kind: Kind) -> Result<()> {
        match kind.0 {
            // Of a field, a truth value stands in its type.
            1 | 2 => Ok(()),
            _ => self.skip_within(kind, DEPTH_MAX),
        }
    }

    fn skip_within(&mut self, kind: Kind, depth: u32) -> Result<()> {
        let depth = depth.checked_sub(1).ok_or(Unreadable)?;
        match kind.0 {
            1..=3 => self.pass(1),
            4..=6 => self.varint().map(drop),
            7 => self.pass(8),
            8 => {
                let count = self.varint()?;
                self.pass(count)
            }
            9 | 10 => {
                let (kind, count) = self.list()?;
                (0..count).try_for_each(|_| self.skip_within(kind, depth))
            }
            12 => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    if kind.0 > 2 {
                        self.skip_within(kind, depth)?;
                    }
                }
                Ok(())
            }
            // No file has maps.
            _ => Err(Unreadable),
        }
    }
}
