//! Where the numbers stand in Thrift's compact protocol, and how to put others there.

/// A number: of a field, of the elements of a list, or of the bytes of a text.
#[derive(Debug, Clone)]
pub(super) struct Number {
    /// Fields and places in lists that lead to it.
    pub(super) path: Vec<i64>,
    pub(super) at: usize,
    pub(super) bytes: usize,
    pub(super) value: u64,
}

/// The numbers of the structure that begins at `at`, and where it ends. Of sound bytes only.
pub(super) fn numbers(bytes: &[u8], at: usize) -> (Vec<Number>, usize) {
    let mut walk = Walk { bytes, at, path: Vec::new(), found: Vec::new() };
    walk.structure();
    (walk.found, walk.at)
}

pub(super) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A whole number as fields hold it.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Puts other values in the place of some numbers.
pub(super) fn replaced(bytes: &[u8], mut edits: Vec<(Number, u64)>) -> Vec<u8> {
    let mut new = bytes.to_vec();
    edits.sort_by_key(|(number, _)| std::cmp::Reverse(number.at));
    for (number, value) in edits {
        new.splice(number.at..number.at + number.bytes, varint(value));
    }
    new
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    path: Vec<i64>,
    found: Vec<Number>,
}

impl Walk<'_> {
    fn byte(&mut self) -> u8 {
        self.at += 1;
        self.bytes[self.at - 1]
    }

    fn number(&mut self) -> u64 {
        let (first, mut value, mut shift) = (self.at, 0, 0);
        loop {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                let bytes = self.at - first;
                self.found.push(Number { path: self.path.clone(), at: first, bytes, value });
                return value;
            }
        }
    }

    fn structure(&mut self) {
        let mut field = 0;
        loop {
            let head = self.byte();
            if head == 0 {
                return;
            }
            field = match head >> 4 {
                0 => unzigzag(self.number()),
                delta => field + i64::from(delta),
            };
            self.path.push(field);
            if head & 15 > 2 {
                self.value(head & 15);
            }
            self.path.pop();
        }
    }

    fn value(&mut self, kind: u8) {
        match kind {
            1..=3 => self.at += 1,
            4..=6 => drop(self.number()),
            7 => self.at += 8,
            8 => self.at += self.number() as usize,
            9 | 10 => {
                let head = self.byte();
                let count = if head >> 4 == 15 { self.number() } else { u64::from(head >> 4) };
                for place in 0..count {
                    self.path.push(place as i64);
                    self.value(head & 15);
                    self.path.pop();
                }
            }
            12 => self.structure(),
            other => panic!("no such type: {other}"),
        }
    }
}
