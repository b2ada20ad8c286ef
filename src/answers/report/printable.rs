//! Text from files, made fit to be shown.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with what no page and no terminal may hold written out, as JSON writes it: control
/// characters but for line ends and tabs, marks that turn text around, and code points that are no
/// characters. Nothing that was read may move a cursor, colour a terminal or break a document.
pub fn printable(text: &str) -> Cow<'_, str> {
    if is_printable(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hostile(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a text holds nothing of the kind.
pub fn is_printable(text: &str) -> bool {
    !text.contains(is_hostile)
}

fn is_hostile(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{fffe}' | '\u{ffff}')
}
