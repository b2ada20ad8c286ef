//! Colours by the part that they play, so that one drawing serves a light page, a dark one, and
//! paper.
//!
//! A drawing is made in marks, colours that nothing else has; [`resolve`] puts the real ones in
//! their place, or the names of a style sheet. Hues are told apart by those who see red and green
//! alike, and every line has a dash of its own besides.

use plotters::style::RGBColor;

/// Lines that have a colour of their own; further ones share [`Paint::Rest`].
pub(super) const SERIES: usize = 7;

/// The part that something plays in a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Paint {
    /// Text, axes, and the method that others are compared with.
    Ink,
    /// What explains: axis titles, notes.
    Muted,
    Grid,
    /// What lies behind everything.
    Paper,
    /// Methods beyond those with a colour of their own.
    Rest,
    /// Surely better than the baseline.
    Good,
    /// Surely worse.
    Bad,
    /// One of [`SERIES`] colours.
    Series(usize),
}

/// The name in the style sheet of each part, its colour on paper and on a light page, and that on a
/// dark one; in the order of [`Paint::number`].
pub(in crate::report) const COLOURS: [(&str, &str, &str); 7 + SERIES] = [
    ("ink", "#1b1f24", "#e8ebee"),
    ("muted", "#59636e", "#a3adb8"),
    ("grid", "#dfe3e8", "#2e353d"),
    ("paper", "#ffffff", "#171b20"),
    ("rest", "#9aa4af", "#6b7683"),
    ("good", "#00724f", "#3fcb9c"),
    ("bad", "#b3430a", "#ff9a66"),
    ("s0", "#0072b2", "#56b0ee"),
    ("s1", "#c64e00", "#ff8a57"),
    ("s2", "#00805c", "#35cda0"),
    ("s3", "#b5528c", "#ea9dcb"),
    ("s4", "#a87200", "#e9b44c"),
    ("s5", "#6f4e9c", "#b79ae6"),
    ("s6", "#7b5b3a", "#c9a27c"),
];

/// What a mark begins with; two more digits are the number of the part.
const MARK: &str = "#0100";

impl Paint {
    fn number(self) -> u8 {
        match self {
            Self::Ink => 0,
            Self::Muted => 1,
            Self::Grid => 2,
            Self::Paper => 3,
            Self::Rest => 4,
            Self::Good => 5,
            Self::Bad => 6,
            Self::Series(at) => 7 + u8::try_from(at % SERIES).expect("fewer colours than 256"),
        }
    }

    /// Its mark.
    pub(super) fn mark(self) -> RGBColor {
        RGBColor(1, 0, self.number())
    }

    /// Its colour on paper.
    pub(super) fn literal(self) -> &'static str {
        COLOURS[usize::from(self.number())].1
    }

    /// Whether it shares its colour with others.
    pub(in crate::report) fn is_rest(self) -> bool {
        self == Self::Rest
    }

    /// Its name in the style sheet.
    pub(in crate::report) fn name(self) -> &'static str {
        COLOURS[usize::from(self.number())].0
    }
}

/// What stands in the place of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    /// Those of a light page and of paper.
    Literal,
    /// `var(--name)`: a style sheet says which.
    Variables,
}

/// The drawing with marks replaced.
pub(super) fn resolve(svg: &str, colours: Colours) -> String {
    let mut out = String::with_capacity(svg.len() + svg.len() / 8);
    let mut rest = svg;
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        let code = rest.get(at + MARK.len()..at + MARK.len() + 2);
        let number = code.and_then(|code| usize::from_str_radix(code, 16).ok());
        let Some((name, literal, _)) = number.and_then(|number| COLOURS.get(number)) else {
            out.push_str(MARK);
            rest = &rest[at + MARK.len()..];
            continue;
        };
        match colours {
            Colours::Literal => out.push_str(literal),
            Colours::Variables => {
                out.push_str("var(--");
                out.push_str(name);
                out.push(')');
            }
        }
        rest = &rest[at + MARK.len() + 2..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_colours_or_names_and_nothing_else_does() {
        let svg = "<a fill=\"#010000\"/><b stroke=\"#010008\">#0100 #0100FF #1b1f24</b>";
        let literal = "<a fill=\"#1b1f24\"/><b stroke=\"#c64e00\">#0100 #0100FF #1b1f24</b>";
        assert_eq!(resolve(svg, Colours::Literal), literal);
        let named = resolve(svg, Colours::Variables);
        assert!(named.starts_with("<a fill=\"var(--ink)\"/><b stroke=\"var(--s1)\">"), "{named}");
        let mark = Paint::Series(SERIES + 1).mark();
        assert_eq!(mark, Paint::Series(1).mark());
        assert_eq!(Paint::Bad.name(), "bad");
    }
}
