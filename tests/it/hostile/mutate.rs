//! Damage, drawn from a stream: of bytes, of numbers in texts, and of Parquet's own structures.

use curvebook::base::rng::Stream;
use rand::RngExt;

use super::thrift::{self, Number, zigzag};

fn below(stream: &mut Stream, bound: usize) -> usize {
    stream.random_range(0..bound.max(1))
}

fn one_of<'a, T>(stream: &mut Stream, of: &'a [T]) -> &'a T {
    &of[below(stream, of.len())]
}

/// Flips, cuts, runs of one byte, and pieces put in, taken out, or copied from elsewhere.
pub(super) fn bytes(stream: &mut Stream, whole: &[u8]) -> Vec<u8> {
    let mut new = whole.to_vec();
    for _ in 0..=below(stream, 3) {
        if new.is_empty() {
            return new;
        }
        let at = below(stream, new.len());
        let length = 1 + below(stream, (new.len() - at).min(64));
        match below(stream, 6) {
            0 | 1 => {
                for _ in 0..=below(stream, 8) {
                    let at = below(stream, new.len());
                    new[at] ^= 1 << below(stream, 8);
                }
            }
            2 => new.truncate(at),
            3 => new[at..at + length].fill(*one_of(stream, &[0, 1, 0x7f, 0x80, 0xff])),
            4 => drop(new.drain(at..at + length)),
            _ => {
                let from = below(stream, whole.len());
                let length = (1 + below(stream, 256)).min(whole.len() - from);
                new.splice(at..at, whole[from..from + length].iter().copied());
            }
        }
    }
    new
}

const EXTREME_WORDS: [&str; 26] = [
    "-1",
    "0",
    "-0.0",
    "1",
    "2",
    "255",
    "256",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e308",
    "-1e308",
    "1e400",
    "5e-324",
    "0.1",
    "nan",
    "inf",
    "null",
    "true",
    "\"\"",
    "[]",
    "{}",
];

/// A text with numbers and words replaced by extremes, lines lost or doubled, nesting, or plain
/// damage of its bytes.
pub(super) fn text(stream: &mut Stream, whole: &[u8]) -> Vec<u8> {
    let mut new = whole.to_vec();
    for _ in 0..=below(stream, 3) {
        match below(stream, 8) {
            0..4 => {
                let is_word = |b: &u8| b.is_ascii_alphanumeric() || b"._-+$".contains(b);
                let starts = (0..new.len())
                    .filter(|&i| is_word(&new[i]) && (i == 0 || !is_word(&new[i - 1])));
                let numbers: Vec<usize> = starts.collect();
                if numbers.is_empty() {
                    continue;
                }
                let digits = |&&at: &&usize| new[at].is_ascii_digit() || new[at] == b'-';
                let only: Vec<usize> = numbers.iter().filter(digits).copied().collect();
                let from = if only.is_empty() || below(stream, 4) == 0 { &numbers } else { &only };
                let at = *one_of(stream, from);
                let end = (at..new.len()).find(|&i| !is_word(&new[i])).unwrap_or(new.len());
                let word = match below(stream, 12) {
                    0 => "9".repeat(1 + below(stream, 2000)),
                    1 => format!("0.{}1", "0".repeat(below(stream, 2000))),
                    2 => format!("\"{}\"", "x".repeat(below(stream, 100_000))),
                    3 => {
                        let depth = below(stream, 20_000);
                        format!("{}{}", "[".repeat(depth), "]".repeat(depth))
                    }
                    _ => (*one_of(stream, &EXTREME_WORDS)).to_string(),
                };
                new.splice(at..end, word.into_bytes());
            }
            4 | 5 => {
                let mut lines: Vec<&[u8]> = new.split(|&b| b == b'\n').collect();
                let at = below(stream, lines.len());
                match below(stream, 3) {
                    0 => drop(lines.remove(at)),
                    1 => lines.insert(at, lines[below(stream, lines.len())]),
                    _ => (0..below(stream, 2000)).for_each(|_| lines.insert(at, lines[at])),
                }
                new = lines.join(&b'\n');
            }
            _ => new = bytes(stream, &new),
        }
    }
    new
}

/// A number that is at the edge of something, or near what it was.
fn extreme(stream: &mut Stream, before: u64) -> u64 {
    const EDGES: [i64; 16] = [
        0,
        1,
        -1,
        2,
        3,
        127,
        128,
        65_535,
        1 << 24,
        (1 << 26) + 1,
        i32::MAX as i64,
        i32::MIN as i64,
        u32::MAX as i64,
        1 << 40,
        i64::MAX,
        i64::MIN,
    ];
    match below(stream, 8) {
        0..4 => zigzag(*one_of(stream, &EDGES)),
        4 => before ^ (1 << below(stream, 34)),
        5 => before.wrapping_add(2),
        6 => before.wrapping_mul(1 + below(stream, 2000) as u64),
        _ => stream.random(),
    }
}

/// Where the footer of a whole Parquet file begins.
pub(super) fn footer_at(whole: &[u8]) -> usize {
    let length = whole.len() - 8;
    let [a, b, c, d] = whole[length..length + 4].try_into().unwrap();
    length - u32::from_le_bytes([a, b, c, d]) as usize
}

pub(super) fn with_footer(data: &[u8], footer: &[u8]) -> Vec<u8> {
    let length = (footer.len() as u32).to_le_bytes();
    [data, footer, &length, b"PAR1"].concat()
}

/// Damage of a sound Parquet file: of its bytes, of numbers in its footer, of numbers in the header
/// of a page.
pub(super) fn parquet(stream: &mut Stream, whole: &[u8]) -> Vec<u8> {
    let at = footer_at(whole);
    let (data, footer) = (&whole[..at], &whole[at..whole.len() - 8]);
    let edit = |stream: &mut Stream, numbers: &[Number]| {
        let edits = (0..=below(stream, 2)).map(|_| {
            let number = one_of(stream, numbers).clone();
            let value = extreme(stream, number.value);
            (number, value)
        });
        // Two edits of one place would be none.
        let mut edits: Vec<(Number, u64)> = edits.collect();
        edits.dedup_by_key(|(number, _)| number.at);
        edits
    };
    match below(stream, 8) {
        0 => bytes(stream, whole),
        // Of the bytes of pages alone: the footer stays sound.
        1 | 2 => {
            let mut data = data.to_vec();
            for _ in 0..=below(stream, 8) {
                let at = below(stream, data.len());
                data[at] = stream.random();
            }
            with_footer(&data, footer)
        }
        3 | 4 => {
            let (numbers, _) = thrift::numbers(footer, 0);
            with_footer(data, &thrift::replaced(footer, edit(stream, &numbers)))
        }
        _ => page(stream, data, footer, edit),
    }
}

/// The same file with one of its column chunks elsewhere.
pub(super) fn page_as_it_was(stream: &mut Stream, whole: &[u8]) -> Vec<u8> {
    let at = footer_at(whole);
    page(stream, &whole[..at], &whole[at..whole.len() - 8], |_, _| Vec::new())
}

/// Writes a column chunk once more at the end of the data, with another header to its first page,
/// and tells the footer: everything else is as it was.
fn page(
    stream: &mut Stream,
    data: &[u8],
    footer: &[u8],
    edit: impl Fn(&mut Stream, &[Number]) -> Vec<(Number, u64)>,
) -> Vec<u8> {
    const COMPRESSED_SIZE: i64 = 7;
    const DATA_PAGE: i64 = 9;
    const DICTIONARY_PAGE: i64 = 11;
    let (numbers, _) = thrift::numbers(footer, 0);
    // Row groups, a group, its columns, a column, what is known of it.
    let is_chunk = |n: &&Number| matches!(n.path[..], [4, _, 1, _, 3, COMPRESSED_SIZE]);
    let chunks: Vec<&Number> = numbers.iter().filter(is_chunk).collect();
    let size = (*one_of(stream, &chunks)).clone();
    let of = |field: i64| {
        let path: Vec<i64> = size.path[..5].iter().copied().chain([field]).collect();
        numbers.iter().find(|n| n.path == path).cloned()
    };
    let (first, dictionary) = (of(DATA_PAGE).unwrap(), of(DICTIONARY_PAGE));
    let place = |n: &Number| thrift::unzigzag(n.value) as usize;
    let start = dictionary.as_ref().map_or(place(&first), &place);
    let chunk = &data[start..start + place(&size)];
    // The dictionary's header, or that of the first page of data.
    let with_dictionary = dictionary.is_some() && below(stream, 2) == 0;
    let header = if with_dictionary { 0 } else { place(&first) - start };
    let (in_header, end) = thrift::numbers(chunk, header);
    let header_new = thrift::replaced(&chunk[..end], edit(stream, &in_header));
    let grown = [&header_new, &chunk[end..]].concat();
    let growth = grown.len() as i64 - chunk.len() as i64;
    let begin = data.len() as i64;
    let mut edits = vec![(size, zigzag(grown.len() as i64))];
    let moved = begin + (place(&first) - start) as i64;
    let moved = if with_dictionary { moved + growth } else { moved };
    edits.push((first, zigzag(moved)));
    edits.extend(dictionary.map(|dictionary| (dictionary, zigzag(begin))));
    with_footer(&[data, &grown].concat(), &thrift::replaced(footer, edits))
}
