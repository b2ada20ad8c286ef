//! From words to steps of a computation.

use super::constraint::{Comparison, Constraint, Relation, Side};
use super::token::{AND, Placed, Token, tokens};
use super::{FUNCTIONS, Formula, Step, Wrong};
use crate::error::suggest;

/// Parentheses within each other at most: beyond it nobody reads an expression, and the parser,
/// which goes into each, would run out of stack.
const DEPTH_MAX: usize = 64;

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
}

pub(super) fn formula(text: &str) -> Result<Formula, Wrong> {
    let mut parser = Parser::new(text)?;
    let formula = parser.formula()?;
    parser.end("an operator (+ - * /)")?;
    Ok(formula)
}

pub(super) fn constraint(text: &str) -> Result<Constraint, Wrong> {
    let mut parser = Parser::new(text)?;
    let mut comparisons = vec![parser.comparison()?];
    while parser.takes(AND) {
        comparisons.push(parser.comparison()?);
    }
    parser.end("`and`, or the end")?;
    Ok(Constraint { comparisons, text: parser.text(0) })
}

impl Parser {
    fn new(text: &str) -> Result<Self, Wrong> {
        Ok(Self { tokens: tokens(text)?, next: 0, depth: 0 })
    }

    /// What has been read since a word, without blanks.
    fn text(&self, from: usize) -> String {
        self.tokens[from..self.next].iter().map(|placed| placed.token.text()).collect()
    }

    fn symbol(&self) -> Option<&'static str> {
        match self.tokens.get(self.next)?.token {
            Token::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }

    /// Takes a symbol, if it stands here.
    fn takes(&mut self, symbol: &str) -> bool {
        let is_here = self.symbol() == Some(symbol);
        self.next += usize::from(is_here);
        is_here
    }

    fn end(&self, wanted: &str) -> Result<(), Wrong> {
        if self.next < self.tokens.len() { Err(self.wrong(wanted)) } else { Ok(()) }
    }

    /// Something else must stand here.
    fn wrong(&self, wanted: &str) -> Wrong {
        let rule = match self.tokens.get(self.next) {
            Some(Placed { token, at }) => {
                format!("{wanted} must stand at character {at}, where `{}` is", token.text())
            }
            None => format!("{wanted} must stand at its end"),
        };
        let remedy = match self.tokens.get(self.next).map(|placed| &placed.token) {
            Some(Token::Name(word)) if word == "or" || word == "not" => {
                "conditions are joined by `and` alone; turn a comparison round for its opposite"
            }
            Some(Token::Text(_)) => "a text in single quotes stands beside = or != alone",
            Some(Token::Symbol("<" | "<=" | ">" | ">=" | "=" | "==" | "!=")) => {
                "a comparison has two sides and stands in --where; join several by `and`"
            }
            _ => "an expression is such as val_accuracy - 0.01*log10(params)",
        };
        Wrong { rule, remedy: remedy.to_string() }
    }

    fn comparison(&mut self) -> Result<Comparison, Wrong> {
        let from = self.next;
        let left = self.side()?;
        let relation = match self.symbol() {
            Some("<") => Relation::Less,
            Some("<=") => Relation::AtMost,
            Some(">") => Relation::Greater,
            Some(">=") => Relation::AtLeast,
            Some("=" | "==") => Relation::Equal,
            Some("!=") => Relation::NotEqual,
            _ => return Err(self.wrong("a comparison (< <= > >= = !=)")),
        };
        self.next += 1;
        let right = self.side()?;
        Ok(Comparison { left, relation, right, text: self.text(from) })
    }

    fn side(&mut self) -> Result<Side, Wrong> {
        if let Some(Token::Text(text)) = self.tokens.get(self.next).map(|placed| &placed.token) {
            let text = text.clone();
            self.next += 1;
            return Ok(Side::Text(text));
        }
        self.formula().map(Side::Formula)
    }

    fn formula(&mut self) -> Result<Formula, Wrong> {
        let from = self.next;
        let mut formula = Formula::default();
        self.sum(&mut formula)?;
        formula.text = self.text(from);
        Ok(formula)
    }

    fn sum(&mut self, formula: &mut Formula) -> Result<(), Wrong> {
        self.product(formula)?;
        loop {
            let step = match self.symbol() {
                Some("+") => Step::Add,
                Some("-") => Step::Subtract,
                _ => return Ok(()),
            };
            self.next += 1;
            self.product(formula)?;
            formula.steps.push(step);
        }
    }

    fn product(&mut self, formula: &mut Formula) -> Result<(), Wrong> {
        self.factor(formula)?;
        loop {
            let step = match self.symbol() {
                Some("*") => Step::Multiply,
                Some("/") => Step::Divide,
                _ => return Ok(()),
            };
            self.next += 1;
            self.factor(formula)?;
            formula.steps.push(step);
        }
    }

    fn factor(&mut self, formula: &mut Formula) -> Result<(), Wrong> {
        let mut is_negative = false;
        while let Some(sign @ ("+" | "-")) = self.symbol() {
            is_negative ^= sign == "-";
            self.next += 1;
        }
        self.operand(formula)?;
        if is_negative {
            formula.steps.push(Step::Negate);
        }
        Ok(())
    }

    fn operand(&mut self, formula: &mut Formula) -> Result<(), Wrong> {
        let token = self.tokens.get(self.next).map(|placed| placed.token.clone());
        let name = match token {
            Some(Token::Number(number, _)) => {
                self.next += 1;
                formula.steps.push(Step::Number(number));
                return Ok(());
            }
            Some(Token::Symbol("(")) => return self.parenthesis(formula),
            Some(Token::Name(name)) => {
                let after = self.tokens.get(self.next + 1).map(|placed| &placed.token);
                if after == Some(&Token::Symbol("(")) {
                    return self.function(&name, formula);
                }
                name
            }
            Some(Token::Quoted(name)) => name,
            _ => return Err(self.wrong("a number, a column, a function or (")),
        };
        self.next += 1;
        let known = formula.names.iter().position(|known| *known == name);
        let at = known.unwrap_or_else(|| {
            formula.names.push(name);
            formula.names.len() - 1
        });
        formula.steps.push(Step::Column(at));
        Ok(())
    }

    fn function(&mut self, name: &str, formula: &mut Formula) -> Result<(), Wrong> {
        let Some((_, step)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            let at = self.tokens[self.next].at;
            let rule = format!("`{name}` at character {at} is no function");
            let remedy = suggest(name, FUNCTIONS.map(|(known, _)| known));
            return Err(Wrong { rule, remedy });
        };
        self.next += 1;
        self.parenthesis(formula)?;
        formula.steps.push(*step);
        Ok(())
    }

    fn parenthesis(&mut self, formula: &mut Formula) -> Result<(), Wrong> {
        let at = self.tokens[self.next].at;
        self.next += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let rule = format!("more than {DEPTH_MAX} parentheses are open at character {at}");
            return Err(Wrong { rule, remedy: "write a simpler one".to_string() });
        }
        self.sum(formula)?;
        if !self.takes(")") {
            return Err(self.wrong(&format!("an operator, or ) for the ( of character {at},")));
        }
        self.depth -= 1;
        Ok(())
    }
}
