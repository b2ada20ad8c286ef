//! The fields of a protocol-buffer message, one after the other.
//!
//! `TensorBoard`'s and W&B's files hold a handful of messages of which a handful of fields is read:
//! a walk over the wire format is shorter than their declarations, and needs no generator.

/// A message that breaks off, or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// What stands in a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    /// Text, bytes, a message, or a packed list.
    Bytes(&'a [u8]),
    Fixed32(u32),
}

impl<'a> Wire<'a> {
    /// A message, or bytes; nothing of another kind.
    pub(super) fn bytes(self) -> &'a [u8] {
        if let Self::Bytes(bytes) = self { bytes } else { &[] }
    }

    /// A text; what is not UTF-8 in it is replaced.
    pub(super) fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// A whole number; negative ones come as such.
    pub(super) fn int(self) -> i64 {
        if let Self::Varint(value) = self { value.cast_signed() } else { 0 }
    }

    /// A number in 64 or 32 bits.
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Fixed64(bits) => f64::from_bits(bits),
            Self::Fixed32(bits) => f64::from(f32::from_bits(bits)),
            _ => f64::NAN,
        }
    }
}

/// Hands on every field of a message with its number.
pub(super) fn fields<'a>(
    mut message: &'a [u8],
    mut each: impl FnMut(u64, Wire<'a>) -> Result<(), Broken>,
) -> Result<(), Broken> {
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let wire = match key & 7 {
            0 => Wire::Varint(varint(&mut message)?),
            1 => Wire::Fixed64(u64::from_le_bytes(fixed(&mut message)?)),
            2 => {
                let length = usize::try_from(varint(&mut message)?).map_err(|_| Broken)?;
                let (bytes, rest) = message.split_at_checked(length).ok_or(Broken)?;
                message = rest;
                Wire::Bytes(bytes)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(fixed(&mut message)?)),
            // Groups have been out of use since 2008.
            _ => return Err(Broken),
        };
        each(key >> 3, wire)?;
    }
    Ok(())
}

/// The first field of a message with this number.
pub(super) fn field(message: &[u8], number: u64) -> Result<Option<Wire<'_>>, Broken> {
    let mut found = None;
    fields(message, |at, wire| {
        if at == number && found.is_none() {
            found = Some(wire);
        }
        Ok(())
    })?;
    Ok(found)
}

/// A whole number of seven bits a byte.
pub(super) fn varint(from: &mut &[u8]) -> Result<u64, Broken> {
    let mut value = 0_u64;
    for (at, &byte) in from.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        // Of the tenth byte one bit has a place.
        if at == 9 && bits > 1 {
            return Err(Broken);
        }
        value |= bits << (7 * at);
        if byte & 0x80 == 0 {
            *from = &from[at + 1..];
            return Ok(value);
        }
    }
    Err(Broken)
}

fn fixed<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], Broken> {
    let (bytes, rest) = from.split_first_chunk::<N>().ok_or(Broken)?;
    *from = rest;
    Ok(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_their_order() {
        // 1: double 1.5; 2: varint -1; 3: "ab"; 16: float 0.25.
        let mut message = vec![0x09];
        message.extend(1.5_f64.to_le_bytes());
        message.push(0x10);
        message.extend([0xff; 9]);
        message.push(1);
        message.extend([0x1a, 2, b'a', b'b', 0x85, 0x01]);
        message.extend(0.25_f32.to_le_bytes());
        let mut found = Vec::new();
        let all = fields(&message, |number, wire| {
            found.push((number, wire.int(), wire.text(), wire.float()));
            Ok(())
        });
        assert_eq!(all, Ok(()));
        assert_eq!((found[0].0, found[0].3), (1, 1.5));
        assert_eq!((found[1].0, found[1].1), (2, -1));
        assert_eq!((found[2].0, found[2].2.as_str()), (3, "ab"));
        assert_eq!((found[3].0, found[3].3), (16, 0.25));
        for cut in [3, 12, 22, 25, message.len() - 1] {
            assert_eq!(fields(&message[..cut], |_, _| Ok(())), Err(Broken), "{cut}");
        }
    }

    #[test]
    fn what_is_no_message_is_broken() {
        // A length beyond the end, a group, a varint of eleven bytes, one beyond 64 bits.
        for message in [
            &[0x0a, 9, 1][..],
            &[0x0b],
            &[0xff; 11],
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
        ] {
            assert_eq!(fields(message, |_, _| Ok(())), Err(Broken));
        }
    }
}
