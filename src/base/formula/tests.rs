use std::iter;

use rand::RngExt;

use super::*;
use crate::rng::Stream;

fn value(text: &str, columns: &[(&str, f64)]) -> f64 {
    let formula = Formula::parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
    let number = |name: &String| columns.iter().find(|(known, _)| known == name).unwrap().1;
    let numbers: Vec<f64> = formula.names().iter().map(number).collect();
    formula.value(&numbers, &mut Vec::new())
}

#[test]
fn numbers_are_worked_out_in_the_usual_order() {
    for (text, wanted) in [
        ("1 + 2*3", 7.0),
        ("(1 + 2)*3", 9.0),
        ("8 - 4 - 2", 2.0),
        ("8 / 4 / 2", 1.0),
        ("-2*-3", 6.0),
        ("--2 + +1", 3.0),
        ("2 - -1", 3.0),
        ("-sqrt(9)", -3.0),
        ("log10(1000)", 3.0),
        ("ln(1)", 0.0),
        (".5 + 5. + 1e-1 + 2E+1", 25.6),
        ("a*b - a/b", 5.25),
        ("\"a\"*\"odd name\"", 6.0),
        ("sqrt", 16.0),
    ] {
        let columns = [("a", 3.0), ("b", 2.0), ("odd name", 2.0), ("sqrt", 16.0)];
        let columns =
            if text == "a*b - a/b" { [("a", 3.5), ("b", 2.0)].to_vec() } else { columns.to_vec() };
        assert_eq!(value(text, &columns), wanted, "{text}");
    }
}

#[test]
fn nothing_in_gives_nothing_and_what_is_no_number_gives_nan() {
    let of = |text: &str, a: f64| value(text, &[("a", a)]);
    assert_eq!(of("0*a", NOT_MEASURED).to_bits(), NOT_MEASURED.to_bits());
    for (text, a) in [("0*a", f64::NAN), ("1/a", 0.0), ("ln(a)", 0.0), ("sqrt(a)", -1.0)] {
        let found = of(text, a);
        assert!(found.is_nan() && is_measured(found), "{text}");
    }
    assert!(of("a*a", 1e200).is_nan() && is_measured(of("a*a", 1e200)), "it overflows");
    // Null is stronger than NaN, whichever comes first.
    for text in ["a - b", "b - a"] {
        let found = value(text, &[("a", f64::NAN), ("b", NOT_MEASURED)]);
        assert!(!is_measured(found), "{text}");
    }
}

#[test]
fn a_text_reads_as_the_same_without_its_blanks() {
    let formula = Formula::parse(" val_accuracy  - 0.010 * log10( params ) ").unwrap();
    assert_eq!(formula.text(), "val_accuracy-0.010*log10(params)");
    assert_eq!(formula.names(), ["val_accuracy", "params"]);
    assert_eq!(
        (formula.as_column(), Formula::parse("\"a\"").unwrap().as_column()),
        (None, Some("a"))
    );
    let text = "params<=5e4 and act = 'o''r' and \"a \"\"b\" != 2 && x > -1";
    let constraint = Constraint::parse(text).unwrap();
    assert_eq!(constraint.text(), "params<=5e4&&act='o''r'&&\"a \"\"b\"!=2&&x>-1");
    let relations = constraint.comparisons().iter().map(|one| one.relation);
    let wanted = [Relation::AtMost, Relation::Equal, Relation::NotEqual, Relation::Greater];
    assert!(relations.eq(wanted));
    assert_eq!(constraint.comparisons()[1].right, Side::Text("o'r".into()));
    assert_eq!(Formula::column("val_loss"), Formula::parse("val_loss").unwrap());
    for odd in ["val loss", "a\"b", "1st", "and", ""] {
        let column = Formula::column(odd);
        assert_eq!(column, Formula::parse(column.text()).unwrap());
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, rule, remedy) in [
        ("", "a number, a column, a function or ( must stand at its end", "such as"),
        ("a +", "a number, a column, a function or ( must stand at its end", "such as"),
        ("a b", "an operator (+ - * /) must stand at character 3, where `b` is", "such as"),
        ("a + é)", "must stand at character 6, where `)` is", "such as"),
        ("(a", "an operator, or ) for the ( of character 1, must stand at its end", "such as"),
        ("log(a)", "`log` at character 1 is no function", "`log10`"),
        ("a ^ 2", "`^` at character 3 is no part of an expression", "x*x"),
        ("a:minimise", "`:` at character 2", "minimize or maximize"),
        ("1e999", "1e999 at character 1 is no number of 64 bits", "1.7e308"),
        ("\"a", "the quote at character 1 is not closed", "close it with \""),
        ("a < 1", "an operator (+ - * /) must stand at character 3, where `<` is", "--where"),
        ("'a' + 1", "a number, a column, a function or ( must stand at character 1", "single"),
    ] {
        let wrong = Formula::parse(text).expect_err(text);
        assert!(wrong.rule.contains(rule), "{text}: {wrong:?}");
        assert!(wrong.remedy.contains(remedy), "{text}: {wrong:?}");
    }
    for (text, rule) in [
        ("a", "a comparison (< <= > >= = !=) must stand at its end"),
        ("a <", "a number, a column, a function or ( must stand at its end"),
        ("1 < a < 2", "`and`, or the end must stand at character 7, where `<` is"),
        ("a < 1 or b < 1", "`and`, or the end must stand at character 7, where `or` is"),
        ("a < 1 and", "a number, a column, a function or ( must stand at its end"),
        ("and a < 1", "must stand at character 1, where `&&` is"),
    ] {
        let wrong = Constraint::parse(text).expect_err(text);
        assert!(wrong.rule.contains(rule), "{text}: {wrong:?}");
    }
}

#[test]
fn deep_and_long_texts_are_refused_and_the_deepest_is_worked_out() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(value(&nested(64), &[]), 1.0);
    let rule = Formula::parse(&nested(65)).unwrap_err().rule;
    assert!(rule.contains("more than 64 parentheses are open at character 65"), "{rule}");
    assert_eq!(value(&format!("{}1", "-".repeat(4095)), &[]), -1.0);
    assert_eq!(value(&iter::repeat_n("1", 2048).collect::<Vec<_>>().join("+"), &[]), 2048.0);
    for long in ["(".repeat(4097), "-".repeat(1 << 20), "'".repeat(100_001)] {
        assert!(Formula::parse(&long).unwrap_err().rule.contains("characters long"));
    }
}

/// An expression of random parts, and what a second computation, by recursion, says of it.
fn random(stream: &mut Stream, depth: u32, columns: &[f64; 3]) -> (String, f64) {
    let part = |stream: &mut Stream| random(stream, depth - 1, columns);
    match if depth == 0 { stream.random_range(0..2) } else { stream.random_range(0..9) } {
        0 => {
            let number = stream.random_range(0..1000);
            (format!("{number}e-2"), format!("{number}e-2").parse().unwrap())
        }
        1 => {
            let at = stream.random_range(0..3);
            (["a", "b_1", "\"c c\""][at].to_string(), columns[at])
        }
        2 => {
            let (text, value) = part(stream);
            (format!("-({text})"), -value)
        }
        3 => {
            let (text, value) = part(stream);
            (format!("log10( {text} )"), libm::log10(value))
        }
        4 => {
            let (text, value) = part(stream);
            (format!("sqrt({text})"), value.sqrt())
        }
        which => {
            let (left, right) = (part(stream), part(stream));
            let (sign, value) = match which {
                5 => ("+", left.1 + right.1),
                6 => ("-", left.1 - right.1),
                7 => ("*", left.1 * right.1),
                _ => ("/", left.1 / right.1),
            };
            (format!("({}) {sign}({})", left.0, right.0), value)
        }
    }
}

#[test]
fn random_expressions_come_to_what_a_second_computation_says() {
    let (mut finite, mut not) = (0, 0);
    for seed in 0..2000 {
        let mut stream = Stream::new(seed, 0, "formula");
        let columns = [(); 3].map(|()| stream.random_range(-2.0..5.0));
        let (text, wanted) = random(&mut stream, 4, &columns);
        let formula = Formula::parse(&text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
        let of =
            |name: &String| columns[["a", "b_1", "c c"].iter().position(|n| n == name).unwrap()];
        let numbers: Vec<f64> = formula.names().iter().map(of).collect();
        let found = formula.value(&numbers, &mut vec![1.0]);
        if wanted.is_finite() {
            assert_eq!(found.to_bits(), wanted.to_bits(), "{text}");
            finite += 1;
        } else {
            assert!(found.is_nan(), "{text}");
            not += 1;
        }
        let again = Formula::parse(formula.text()).unwrap();
        assert_eq!(again, formula, "{text}");
    }
    assert!(finite > 800 && not > 200, "{finite} {not}");
}

#[test]
fn no_text_makes_a_parser_panic() {
    const PARTS: [&str; 30] = [
        "a",
        "and",
        "or",
        "1",
        ".",
        "..5",
        "1e",
        "1e+",
        "e5",
        "(",
        ")",
        "+",
        "-",
        "*",
        "/",
        "<",
        "=",
        "<=",
        "!",
        "!=",
        "&",
        "&&",
        "'",
        "\"",
        " ",
        "ln",
        "sqrt(",
        "\u{0}",
        "é\u{301}",
        "\u{1f600}",
    ];
    let (mut read, mut refused) = (0, 0);
    for seed in 0..20_000 {
        let mut stream = Stream::new(seed, 0, "hostile formula");
        let length = stream.random_range(0..12);
        let parts = (0..length).map(|_| PARTS[stream.random_range(0..PARTS.len())]);
        let text: String = parts.collect();
        if let Ok(formula) = Formula::parse(&text) {
            let numbers = vec![0.5; formula.names().len()];
            formula.value(&numbers, &mut Vec::new());
            assert_eq!(Formula::parse(formula.text()).as_ref(), Ok(&formula), "{text:?}");
            read += 1;
        } else {
            refused += 1;
        }
        if let Ok(constraint) = Constraint::parse(&text) {
            let again = Constraint::parse(constraint.text()).unwrap();
            assert_eq!(again, constraint, "{text:?}");
        }
    }
    assert!(read > 500 && refused > 5000, "{read} {refused}");
}
