//! The words of an expression.

use super::Wrong;

/// The longest text that is read, in characters.
pub(super) const TEXT_MAX: usize = 4096;

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// With its spelling.
    Number(f64, String),
    /// A column, or the name of a function.
    Name(String),
    /// A column in double quotes.
    Quoted(String),
    /// A text in single quotes.
    Text(String),
    Symbol(&'static str),
}

/// A word and where it begins, in characters from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// The longer ones first.
const SYMBOLS: [&str; 14] =
    ["<=", ">=", "==", "!=", "&&", "<", ">", "=", "+", "-", "*", "/", "(", ")"];

/// What `and` stands for.
pub(super) const AND: &str = "&&";

impl Token {
    /// As it is written, so that it is read as the same.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(_, text) | Self::Name(text) => text.clone(),
            Self::Quoted(name) => format!("\"{}\"", name.replace('"', "\"\"")),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Symbol(symbol) => (*symbol).to_string(),
        }
    }
}

/// A column's name as an expression.
pub(super) fn column_text(name: &str) -> String {
    let is_plain = name.chars().next().is_some_and(begins_name)
        && name.chars().all(is_of_name)
        && name != "and";
    if is_plain { name.to_string() } else { Token::Quoted(name.to_string()).text() }
}

fn begins_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// Cuts a text into words.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Wrong> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > TEXT_MAX {
        let rule = format!("is {} characters long, and {TEXT_MAX} are read", chars.len());
        return Err(Wrong { rule, remedy: "write a shorter one".to_string() });
    }
    let (mut tokens, mut next) = (Vec::new(), 0);
    while next < chars.len() {
        if chars[next].is_whitespace() {
            next += 1;
            continue;
        }
        let (token, end) = token(&chars, next)?;
        tokens.push(Placed { token, at: next + 1 });
        next = end;
    }
    Ok(tokens)
}

/// The word that begins here, and where it ends.
fn token(chars: &[char], begin: usize) -> Result<(Token, usize), Wrong> {
    let first = chars[begin];
    let is_digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    if is_digit(begin) || (first == '.' && is_digit(begin + 1)) {
        return number(chars, begin);
    }
    if begins_name(first) {
        let length = chars[begin..].iter().take_while(|c| is_of_name(**c)).count();
        let name: String = chars[begin..begin + length].iter().collect();
        let token = if name == "and" { Token::Symbol(AND) } else { Token::Name(name) };
        return Ok((token, begin + length));
    }
    if first == '"' || first == '\'' {
        let (text, end) = quoted(chars, begin)?;
        let token = if first == '"' { Token::Quoted(text) } else { Token::Text(text) };
        return Ok((token, end));
    }
    let starts = |symbol: &&&str| {
        let mut left = chars[begin..].iter();
        symbol.chars().all(|c| left.next() == Some(&c))
    };
    if let Some(symbol) = SYMBOLS.iter().find(starts) {
        return Ok((Token::Symbol(symbol), begin + symbol.chars().count()));
    }
    let rule = format!("`{first}` at character {} is no part of an expression", begin + 1);
    let remedy = match first {
        ':' => "what follows the last colon is minimize or maximize",
        '^' => "write a power as a product: x*x",
        _ => "write columns, numbers, + - * / ( ) log10 ln sqrt; other names in double quotes",
    };
    Err(Wrong { rule, remedy: remedy.to_string() })
}

/// Digits with a point and an exponent.
fn number(chars: &[char], begin: usize) -> Result<(Token, usize), Wrong> {
    let digits = |from: usize| chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut end = begin + digits(begin);
    if chars.get(end) == Some(&'.') {
        end += 1;
        end += digits(end);
    }
    if matches!(chars.get(end), Some('e' | 'E')) {
        let signed = end + 1 + usize::from(matches!(chars.get(end + 1), Some('+' | '-')));
        let exponent = chars.get(signed..).map_or(0, |_| digits(signed));
        if exponent > 0 {
            end = signed + exponent;
        }
    }
    let text: String = chars[begin..end].iter().collect();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number, text), end)),
        _ => {
            let rule = format!("{text} at character {} is no number of 64 bits", begin + 1);
            Err(Wrong { rule, remedy: "write one up to 1.7e308".to_string() })
        }
    }
}

/// What stands in quotes, of which one within is doubled.
fn quoted(chars: &[char], begin: usize) -> Result<(String, usize), Wrong> {
    let (quote, mut text, mut next) = (chars[begin], String::new(), begin + 1);
    loop {
        match chars.get(next) {
            None => {
                let rule = format!("the quote at character {} is not closed", begin + 1);
                return Err(Wrong { rule, remedy: format!("close it with {quote}") });
            }
            Some(c) if *c == quote && chars.get(next + 1) == Some(&quote) => {
                text.push(quote);
                next += 2;
            }
            Some(c) if *c == quote => return Ok((text, next + 1)),
            Some(c) => {
                text.push(*c);
                next += 1;
            }
        }
    }
}
