//! Whether an instance is what a query asks for. What is not said of an item is neither equal nor unequal to anything, as
//! in SQL.

use super::MetadataError;
use super::parse::{Case, Compare, Expression, Written};
use crate::limits::QUERY_VALUES_MAX;
use crate::metadata::moment_millis;
use crate::metadata::template::{Field, FieldKind, Template};
use entente_database::metadata::values::{Indexed, Span, TEXT_BYTES_MAX};
use entente_model::fold;
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// A query of one template, all of whose parameters are known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(Place, Compare, Constant),
    Like(Place, Case, Vec<Piece>),
    /// Has one of these.
    In(Place, Vec<Constant>),
    HasAll(Place, Vec<Constant>),
    /// Has these and no other.
    Same(Place, Vec<Constant>),
    IsNull(Place),
}

/// Where the value of a field is, and how it is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    number: u32,
    kind: FieldKind,
    /// For patterns: the keys of options.
    options: Vec<(u32, String)>,
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    Text(String),
    Float(f64),
    /// A whole number, a moment in milliseconds, the number of an option, or a node.
    Whole(i64),
    /// What no field has: an option that is not there.
    Nothing,
}

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Letter(char),
    /// `_`
    One,
    /// `%`
    Any,
}

/// Puts parameters in, and checks that everything is of its field's type.
pub(super) fn bind(
    expression: &Expression,
    template: &Template,
    parameters: &Map<String, Value>,
) -> Result<Condition, MetadataError> {
    let binder = Binder { template, parameters };
    binder.bind(expression)
}

struct Binder<'q> {
    template: &'q Template,
    parameters: &'q Map<String, Value>,
}

impl Binder<'_> {
    fn bind(&self, expression: &Expression) -> Result<Condition, MetadataError> {
        Ok(match expression {
            Expression::And(left, right) => Condition::And(Box::new(self.bind(left)?), Box::new(self.bind(right)?)),
            Expression::Or(left, right) => Condition::Or(Box::new(self.bind(left)?), Box::new(self.bind(right)?)),
            Expression::Not(inner) => Condition::Not(Box::new(self.bind(inner)?)),
            Expression::Compare(field, compare, written) => {
                let field = self.field(field)?;
                self.compare(field, *compare, written)?
            }
            Expression::Like(field, case, written) => {
                let field = self.field(field)?;
                if !matches!(field.kind, FieldKind::String | FieldKind::Enum) {
                    return Err(query(format!("'{}' is not a text", field.key)));
                }
                let pattern = self.text(field, written)?;
                let pattern = if *case == Case::Folded { fold(&pattern) } else { pattern };
                Condition::Like(place(field), *case, pieces(&pattern))
            }
            Expression::In(field, values) => {
                let field = self.field(field)?;
                Condition::In(place(field), self.constants(field, values)?)
            }
            Expression::HasAll(field, values) => {
                let field = self.field(field)?;
                Condition::HasAll(place(field), self.constants(field, values)?)
            }
            Expression::IsNull(field) => Condition::IsNull(place(self.field(field)?)),
        })
    }

    fn compare(&self, field: &Field, compare: Compare, written: &Written) -> Result<Condition, MetadataError> {
        let is_set = matches!(field.kind, FieldKind::MultiSelect | FieldKind::Taxonomy);
        let in_order = !matches!(compare, Compare::Equal | Compare::Unequal);
        if in_order && (is_set || field.kind == FieldKind::Enum) {
            return Err(query(format!("the values of '{}' have no order", field.key)));
        }
        if is_set {
            let same = Condition::Same(place(field), self.constants(field, std::slice::from_ref(written))?);
            return Ok(if compare == Compare::Equal { same } else { Condition::Not(Box::new(same)) });
        }
        Ok(Condition::Compare(place(field), compare, self.constant(field, written)?))
    }

    fn field(&self, key: &str) -> Result<&Field, MetadataError> {
        self.template.field(key).ok_or_else(|| query(format!("the template has no field '{key}'")))
    }

    fn parameter(&self, name: &str) -> Result<&Value, MetadataError> {
        let found = self.parameters.get(name);
        found.ok_or_else(|| MetadataError::Parameter(format!("the query names ':{name}', which was not given")))
    }

    fn text(&self, field: &Field, written: &Written) -> Result<String, MetadataError> {
        let wrong = || MetadataError::Parameter(format!("what '{}' is compared with must be a text", field.key));
        match written {
            Written::Text(text) => Ok(text.clone()),
            Written::Number(_) => Err(wrong()),
            Written::Parameter(name) => self.parameter(name)?.as_str().map(str::to_owned).ok_or_else(wrong),
        }
    }

    fn constant(&self, field: &Field, written: &Written) -> Result<Constant, MetadataError> {
        match written {
            Written::Parameter(name) => constant(field, self.parameter(name)?),
            Written::Text(text) => constant(field, &Value::String(text.clone())),
            Written::Number(digits) => {
                let number: Value = serde_json::from_str(digits.trim_start_matches('+'))
                    .map_err(|_| query(format!("'{digits}' is no number")))?;
                constant(field, &number)
            }
        }
    }

    /// The values of a list; a parameter among them may be a list itself.
    fn constants(&self, field: &Field, values: &[Written]) -> Result<Vec<Constant>, MetadataError> {
        let mut found = Vec::new();
        for written in values {
            match written {
                Written::Parameter(name) => match self.parameter(name)? {
                    Value::Array(entries) => {
                        for entry in entries.iter().take(QUERY_VALUES_MAX + 1) {
                            found.push(constant(field, entry)?);
                        }
                    }
                    one => found.push(constant(field, one)?),
                },
                _ => found.push(self.constant(field, written)?),
            }
        }
        if found.len() > QUERY_VALUES_MAX { Err(query("a list has too many values".to_owned())) } else { Ok(found) }
    }
}

fn place(field: &Field) -> Place {
    let options = if field.kind == FieldKind::Enum { field.options.as_slice() } else { &[] };
    let options = options.iter().map(|option| (option.number, option.key.clone())).collect();
    Place { number: field.number, kind: field.kind, options }
}

/// A value of a field's type.
fn constant(field: &Field, value: &Value) -> Result<Constant, MetadataError> {
    let found = match field.kind {
        FieldKind::String => value.as_str().map(|text| Constant::Text(text.to_owned())),
        // Clients send numbers as texts, too, as Box's own example does.
        FieldKind::Float => {
            let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
            number.filter(|number| number.is_finite()).map(Constant::Float)
        }
        FieldKind::Integer => {
            let whole = value.as_i64().or_else(|| value.as_str()?.parse().ok()).map(Constant::Whole);
            whole.or_else(|| value.as_f64().filter(|number| number.is_finite()).map(Constant::Float))
        }
        FieldKind::Date => value.as_str().and_then(moment_millis).map(Constant::Whole),
        FieldKind::Enum | FieldKind::MultiSelect => value
            .as_str()
            .map(|key| field.option(key).map_or(Constant::Nothing, |option| Constant::Whole(option.number.into()))),
        FieldKind::Taxonomy => value.as_str().map(|id| id.parse().map_or(Constant::Nothing, Constant::Whole)),
    };
    let wrong = || MetadataError::Parameter(format!("what '{}' is compared with is not of its type", field.key));
    found.ok_or_else(wrong)
}

fn query(what: String) -> MetadataError {
    MetadataError::Query(what)
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let piece = match letter {
            '%' => Piece::Any,
            '_' => Piece::One,
            '\\' => Piece::Letter(letters.next().unwrap_or('\\')),
            other => Piece::Letter(other),
        };
        if piece != Piece::Any || found.last() != Some(&Piece::Any) {
            found.push(piece);
        }
    }
    found
}

/// Whether a text is as the pattern says. At most their lengths multiplied are the steps.
fn is_like(text: &[char], pattern: &[Piece]) -> bool {
    // Where the last `%` was, and how much of the text it has taken so far.
    let (mut at, mut piece, mut star) = (0, 0, None);
    while let Some(letter) = text.get(at) {
        match pattern.get(piece) {
            Some(Piece::Any) => {
                star = Some((piece, at));
                piece += 1;
                continue;
            }
            Some(Piece::One) => {}
            Some(Piece::Letter(wanted)) if wanted == letter => {}
            _ => {
                let Some((begun, taken)) = star else { return false };
                star = Some((begun, taken + 1));
                (piece, at) = (begun + 1, taken + 1);
                continue;
            }
        }
        at += 1;
        piece += 1;
    }
    pattern.get(piece..).unwrap_or_default().iter().all(|piece| *piece == Piece::Any)
}

impl Condition {
    /// Whether stored values, by the numbers of fields, are what is asked for; `None` when nobody knows.
    pub(super) fn holds(&self, stored: &Map<String, Value>) -> Option<bool> {
        match self {
            Self::And(left, right) => match (left.holds(stored), right.holds(stored)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(left, right) => match (left.holds(stored), right.holds(stored)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Not(inner) => inner.holds(stored).map(|holds| !holds),
            Self::IsNull(place) => Some(place.values(stored).is_none()),
            Self::Compare(place, compare, constant) => {
                let value = place.values(stored)?.into_iter().next()?;
                let order = in_order(&value, constant);
                Some(match compare {
                    Compare::Equal => order == Some(Ordering::Equal),
                    Compare::Unequal => order != Some(Ordering::Equal),
                    Compare::Less => order == Some(Ordering::Less),
                    Compare::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                    Compare::Greater => order == Some(Ordering::Greater),
                    Compare::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
                })
            }
            Self::Like(place, case, pattern) => {
                let text = place.text(stored)?;
                let text = if *case == Case::Folded { fold(&text) } else { text };
                Some(is_like(&text.chars().collect::<Vec<_>>(), pattern))
            }
            Self::In(place, wanted) => {
                let values = place.values(stored)?;
                Some(wanted.iter().any(|constant| has(&values, constant)))
            }
            Self::HasAll(place, wanted) => {
                let values = place.values(stored)?;
                Some(wanted.iter().all(|constant| has(&values, constant)))
            }
            Self::Same(place, wanted) => {
                let values = place.values(stored)?;
                let all = wanted.iter().all(|constant| has(&values, constant));
                let is_wanted =
                    |value: &Constant| wanted.iter().any(|wanted| in_order(value, wanted) == Some(Ordering::Equal));
                Some(all && values.iter().all(is_wanted))
            }
        }
    }

    /// Between which values of which field alone it can hold, if it says so.
    pub(super) fn span(&self) -> Option<(u32, Span)> {
        match self {
            // An equal value is few values; an interval may be many.
            Self::And(left, right) => match (left.span(), right.span()) {
                (Some(left), Some(right)) if right.1.from == right.1.upto && left.1.from != left.1.upto => Some(right),
                (left, right) => left.or(right),
            },
            Self::Compare(place, compare, constant) => {
                let (least, greatest) = ends(place.kind);
                let value = indexed(place.kind, constant)?;
                let (from, upto) = match compare {
                    Compare::Equal => (value.clone(), value),
                    Compare::Less | Compare::LessOrEqual => (least, value),
                    Compare::Greater | Compare::GreaterOrEqual => (value, greatest),
                    Compare::Unequal => return None,
                };
                Some((place.number, Span { from, upto }))
            }
            Self::In(place, wanted) => match wanted.as_slice() {
                [one] => exactly(place, one),
                _ => None,
            },
            Self::HasAll(place, wanted) | Self::Same(place, wanted) => exactly(place, wanted.first()?),
            Self::Or(..) | Self::Not(_) | Self::Like(..) | Self::IsNull(_) => None,
        }
    }
}

fn exactly(place: &Place, constant: &Constant) -> Option<(u32, Span)> {
    let value = indexed(place.kind, constant)?;
    Some((place.number, Span { from: value.clone(), upto: value }))
}

/// The least and the greatest value by which anything of a kind is found.
pub(super) fn ends(kind: FieldKind) -> (Indexed, Indexed) {
    if kind == FieldKind::String {
        let greatest = char::MAX.to_string().repeat(TEXT_BYTES_MAX / char::MAX.len_utf8());
        (Indexed::Text(String::new()), Indexed::Text(greatest))
    } else {
        (Indexed::Number(i64::MIN), Indexed::Number(i64::MAX))
    }
}

fn indexed(kind: FieldKind, constant: &Constant) -> Option<Indexed> {
    match (kind, constant) {
        (FieldKind::String, Constant::Text(text)) if !text.contains('\0') => Some(Indexed::text(text)),
        (FieldKind::Float, Constant::Float(number)) => Some(Indexed::float(*number)),
        (FieldKind::String | FieldKind::Float, _) => None,
        (_, Constant::Whole(number)) => Some(Indexed::Number(*number)),
        _ => None,
    }
}

impl Place {
    /// What is said, as one or several values; `None` when nothing is.
    fn values(&self, stored: &Map<String, Value>) -> Option<Vec<Constant>> {
        let value = stored.get(&self.number.to_string())?;
        let one = |value: &Value| match self.kind {
            FieldKind::String => value.as_str().map(|text| Constant::Text(text.to_owned())),
            FieldKind::Float => value.as_f64().map(Constant::Float),
            FieldKind::Date => value.as_str().and_then(moment_millis).map(Constant::Whole),
            FieldKind::Integer | FieldKind::Enum | FieldKind::MultiSelect | FieldKind::Taxonomy => {
                value.as_i64().map(Constant::Whole)
            }
        };
        let found: Vec<_> = match value {
            Value::Array(entries) => entries.iter().filter_map(one).collect(),
            value => one(value).into_iter().collect(),
        };
        (!found.is_empty()).then_some(found)
    }

    /// What is said, as a text.
    fn text(&self, stored: &Map<String, Value>) -> Option<String> {
        match self.values(stored)?.into_iter().next()? {
            Constant::Text(text) => Some(text),
            Constant::Whole(number) => {
                let option = self.options.iter().find(|(option, _)| i64::from(*option) == number);
                option.map(|(_, key)| key.clone())
            }
            Constant::Float(_) | Constant::Nothing => None,
        }
    }
}

fn has(values: &[Constant], wanted: &Constant) -> bool {
    values.iter().any(|value| in_order(value, wanted) == Some(Ordering::Equal))
}

/// The value of a field that has one at most, if it is said.
pub(super) fn key(field: &Field, stored: &Map<String, Value>) -> Option<Constant> {
    place(field).values(stored)?.into_iter().next()
}

/// How two values stand to each other, if they can be compared.
pub(super) fn in_order(one: &Constant, other: &Constant) -> Option<Ordering> {
    #[expect(clippy::cast_precision_loss, reason = "as every engine compares a whole number with one that is not")]
    match (one, other) {
        (Constant::Text(one), Constant::Text(other)) => Some(one.cmp(other)),
        (Constant::Whole(one), Constant::Whole(other)) => Some(one.cmp(other)),
        (Constant::Float(one), Constant::Float(other)) => one.partial_cmp(other),
        (Constant::Whole(one), Constant::Float(other)) => (*one as f64).partial_cmp(other),
        (Constant::Float(one), Constant::Whole(other)) => one.partial_cmp(&(*other as f64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    fn like(text: &str, pattern: &str) -> bool {
        is_like(&text.chars().collect::<Vec<_>>(), &pieces(pattern))
    }

    #[test]
    fn patterns() {
        for (text, pattern) in [
            ("", ""),
            ("", "%"),
            ("abc", "abc"),
            ("abc", "a%"),
            ("abc", "%c"),
            ("abc", "a_c"),
            ("a%c", "a\\%c"),
            ("xaxbxc", "%a%b%c"),
        ] {
            assert!(like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in
            [("", "_"), ("abc", "a"), ("abc", "_"), ("abc", "a\\%c"), ("abc", "%d%"), ("abc", "abc_")]
        {
            assert!(!like(text, pattern), "{text} {pattern}");
        }
        // Exponential for whoever tries every way.
        assert!(!like(&"a".repeat(5_000), &format!("{}b", "%a".repeat(50))));
    }

    proptest! {
        #[test]
        fn a_pattern_without_wildcards_is_the_text(text in "[a-c]{0,6}", other in "[a-c]{0,6}") {
            prop_assert_eq!(like(&text, &other), text == other);
            prop_assert_eq!(like(&text, &format!("%{other}%")), text.contains(&other));
            prop_assert_eq!(like(&text, &format!("{other}%")), text.starts_with(&other));
        }
    }
}
