//! Reading Rust source just well enough: comments, literals and test modules blanked out.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file of the crate.
pub(super) struct Source {
    /// From the repository's root, with `/` between the parts.
    pub(super) path: String,
    pub(super) text: String,
    /// The text without comments, literals and `#[cfg(test)]` items; lines stay where they were.
    pub(super) code: String,
    /// Declared as `#[cfg(test)] mod name;` by its parent.
    pub(super) is_test: bool,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let code = without_tests(&without_literals(text));
        Self { path: path.into(), text: text.into(), code, is_test: false }
    }

    /// `["replay", "study", "grid"]` of `src/replay/study/grid.rs`; nothing for the crate's root.
    pub(super) fn module(&self) -> Vec<&str> {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let inner = inner.strip_suffix(".rs").unwrap_or(inner);
        let mut parts: Vec<&str> = inner.split('/').collect();
        if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
            parts.pop();
        }
        parts
    }

    /// Whether the file is, or lies in, one of these modules (`replay`, `replay/study`).
    pub(super) fn is_in(&self, modules: &[&str]) -> bool {
        let own = self.module().join("/");
        modules.iter().any(|m| own == *m || own.starts_with(&format!("{m}/")))
    }
}

/// Every `.rs` file under a directory of the repository.
pub(super) fn all(directory: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(&root.join(directory), &mut paths);
    paths.sort();
    let mut sources: Vec<Source> = paths
        .iter()
        .map(|path| {
            let parts = path.strip_prefix(root).unwrap().iter().map(|p| p.to_str().unwrap());
            let name = parts.collect::<Vec<_>>().join("/");
            Source::new(&name, &fs::read_to_string(path).unwrap())
        })
        .collect();
    let tests: Vec<String> = sources.iter().flat_map(test_children).collect();
    for source in &mut sources {
        source.is_test = tests.contains(&source.module().join("/"));
    }
    sources
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Modules that a file declares for tests alone.
fn test_children(source: &Source) -> Vec<String> {
    let blanked = without_literals(&source.text);
    let lines: Vec<&str> = blanked.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[0] == "#[cfg(test)]")
        .filter_map(|pair| declared(pair[1]))
        .map(|name| {
            let mut module = source.module();
            module.push(name);
            module.join("/")
        })
        .collect()
}

/// `name` of a plain line `mod name;`, whatever its visibility.
pub(super) fn declared(line: &str) -> Option<&str> {
    let line = line.trim();
    let line = ["pub(crate) ", "pub(super) ", "pub "]
        .iter()
        .find_map(|visibility| line.strip_prefix(visibility))
        .unwrap_or(line);
    line.strip_prefix("mod ")?.strip_suffix(';')
}

/// Blanks comments and the insides of string and character literals.
pub(super) fn without_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself where none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next == Some('/') => end_of(chars, at, '\n'),
        '/' if next == Some('*') => block_comment_end(chars, at),
        '"' => quoted_end(chars, at + 1, '"'),
        'r' if !in_word && matches!(next, Some('"' | '#')) => raw_end(chars, at),
        '\'' if next == Some('\\') => quoted_end(chars, at + 1, '\''),
        // A lifetime has no closing quote two characters on.
        '\'' if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

fn end_of(chars: &[char], from: usize, wanted: char) -> usize {
    chars[from..].iter().position(|c| *c == wanted).map_or(chars.len(), |n| from + n)
}

fn block_comment_end(chars: &[char], from: usize) -> usize {
    let close = chars[from..].windows(2).position(|pair| pair == ['*', '/']);
    close.map_or(chars.len(), |n| from + n + 2)
}

fn quoted_end(chars: &[char], mut at: usize, quote: char) -> usize {
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn raw_end(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let mut close = vec!['"'];
    close.extend(std::iter::repeat_n('#', hashes));
    let start = at + 2 + hashes;
    let found = chars[start..].windows(close.len()).position(|w| w == close);
    found.map_or(chars.len(), |n| start + n + close.len())
}

/// Blanks what follows `#[cfg(test)]`: up to the `;` or the closing brace. Takes blanked literals.
fn without_tests(code: &str) -> String {
    let Some(start) = code.find("#[cfg(test)]") else { return code.to_string() };
    let mut depth = 0;
    let mut end = code.len();
    for (offset, c) in code[start..].char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 && (c == '}' || c == ';') {
            end = start + offset + 1;
            break;
        }
    }
    let blank: String =
        code[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    format!("{}{blank}{}", &code[..start], without_tests(&code[end..]))
}

/// The identifiers of some code, each with its line, what stands before it and what after it
/// (blanks aside).
pub(super) fn words(code: &str) -> Vec<Word<'_>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while let Some(c) = code[at..].chars().next() {
        if !is_word(c) {
            line += usize::from(c == '\n');
            at += c.len_utf8();
            continue;
        }
        let end = code[at..].find(|c| !is_word(c)).map_or(code.len(), |n| at + n);
        let (before, after) = (code[..at].trim_end(), code[end..].trim_start());
        found.push(Word { text: &code[at..end], line, before, after });
        at = end;
    }
    found
}

/// An identifier and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
    pub(super) before: &'a str,
    pub(super) after: &'a str,
}

#[test]
fn comments_literals_and_tests_are_blanked() {
    let text = "use a; // crate::b\n\
                let c = '\"'; let s = \"crate::d \\\" x\"; let r = r#\"e\"f\"#;\n\
                fn g<'a>(x: &'a str) {}\n\
                #[cfg(test)]\nmod tests {\n use crate::h; fn i() {}\n}\nj";
    let source = Source::new("src/k/mod.rs", text);
    let found: Vec<&str> = words(&source.code).iter().map(|w| w.text).collect();
    assert_eq!(
        found,
        ["use", "a", "let", "c", "let", "s", "let", "r", "fn", "g", "a", "x", "a", "str", "j"]
    );
    assert_eq!(words(&source.code).last().unwrap().line, 8);
}
