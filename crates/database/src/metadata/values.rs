//! The values of instances once more, to find items by.

use crate::tx::{Row, Value};
use crate::{Error, Tx};
use entente_model::{ItemId, TemplateId};

/// How much of a text is kept to find items by, in bytes: an index takes no more.
pub const TEXT_BYTES_MAX: usize = 256;

/// A value by which an item is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Indexed {
    /// The beginning of a text, of at most [`TEXT_BYTES_MAX`] bytes.
    Text(String),
    /// A number whose order is the value's.
    Number(i64),
}

impl Indexed {
    /// Of a text, however long.
    #[must_use]
    pub fn text(text: &str) -> Self {
        let end = text.floor_char_boundary(TEXT_BYTES_MAX);
        Self::Text(text.get(..end).unwrap_or_default().to_owned())
    }

    /// Of a number that may have a fraction: the same order.
    #[must_use]
    pub fn float(number: f64) -> Self {
        let bits = (number + 0.0).to_bits().cast_signed();
        // Of negative numbers all but the sign is turned round.
        Self::Number(if bits < 0 { bits ^ i64::MAX } else { bits })
    }
}

impl Indexed {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
        }
    }
}

/// A value of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedValue {
    /// The number of its field.
    pub field: u32,
    /// Of several values of one field, which.
    pub place: u32,
    /// It.
    pub value: Indexed,
}

/// Between which values, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The least.
    pub from: Indexed,
    /// The greatest.
    pub upto: Indexed,
}

/// Which way along the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    /// The least first.
    Upwards,
    /// The greatest first.
    Downwards,
}

/// The items with one value, after one of them.
macro_rules! ties {
    ($explain:literal, $column:literal, $compare:literal, $order:literal) => {
        concat!(
            $explain,
            "SELECT v.",
            $column,
            ", v.item_id FROM metadata_values v
             WHERE v.template_id = ?1 AND v.field = ?2 AND v.",
            $column,
            " = ?3 AND v.item_id ",
            $compare,
            " ?4
             ORDER BY v.item_id",
            $order,
            " LIMIT ?5"
        )
    };
}

/// A walk along the values. Items are not compared here: SQLite would look at every tie to do so.
macro_rules! walk {
    ($explain:literal, $column:literal, $from:literal, $upto:literal, $order:literal) => {
        concat!(
            $explain,
            "SELECT v.",
            $column,
            ", v.item_id FROM metadata_values v
             WHERE v.template_id = ?1 AND v.field = ?2 AND v.",
            $column,
            " ",
            $from,
            " ?3 AND v.",
            $column,
            " ",
            $upto,
            " ?4
             ORDER BY v.",
            $column,
            $order,
            ", v.item_id",
            $order,
            " LIMIT ?5"
        )
    };
}

/// The statements for one column and one way: the ties of a value, the whole span, and what is beyond a value.
type Statements = [&'static str; 3];

macro_rules! upwards {
    ($explain:literal, $column:literal) => {
        [
            ties!($explain, $column, ">", ""),
            walk!($explain, $column, ">=", "<=", ""),
            walk!($explain, $column, ">", "<=", ""),
        ]
    };
}

macro_rules! downwards {
    ($explain:literal, $column:literal) => {
        [
            ties!($explain, $column, "<", " DESC"),
            walk!($explain, $column, ">=", "<=", " DESC"),
            walk!($explain, $column, ">=", "<", " DESC"),
        ]
    };
}

const NUMBERS_UP: Statements = upwards!("", "number_value");
const NUMBERS_DOWN: Statements = downwards!("", "number_value");
const TEXTS_UP: Statements = upwards!("", "text_value");
const TEXTS_DOWN: Statements = downwards!("", "text_value");
const EXPLAIN: [Statements; 4] = [
    upwards!("EXPLAIN QUERY PLAN ", "number_value"),
    downwards!("EXPLAIN QUERY PLAN ", "number_value"),
    upwards!("EXPLAIN QUERY PLAN ", "text_value"),
    downwards!("EXPLAIN QUERY PLAN ", "text_value"),
];

/// Replaces the values of an instance.
pub fn replace(tx: &mut Tx<'_>, item: ItemId, template: TemplateId, values: &[IndexedValue]) -> Result<(), Error> {
    tx.put("DELETE FROM metadata_values WHERE item_id = ?1 AND template_id = ?2", &[item.into(), template.into()])?;
    for value in values {
        let (text, number) = match &value.value {
            Indexed::Text(text) => (Some(text.as_str()), None),
            Indexed::Number(number) => (None, Some(*number)),
        };
        tx.put(
            "INSERT INTO metadata_values (item_id, template_id, field, place, text_value, number_value)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            &[item.into(), template.into(), value.field.into(), value.place.into(), text.into(), number.into()],
        )?;
    }
    Ok(())
}

/// Replaces the values of an instance by those of another item's.
pub fn copy(tx: &mut Tx<'_>, from: ItemId, to: ItemId, template: TemplateId) -> Result<(), Error> {
    replace(tx, to, template, &[])?;
    tx.put(
        "INSERT INTO metadata_values (item_id, template_id, field, place, text_value, number_value)
         SELECT ?2, v.template_id, v.field, v.place, v.text_value, v.number_value FROM metadata_values v
         WHERE v.item_id = ?1 AND v.template_id = ?3",
        &[from.into(), to.into(), template.into()],
    )
}

/// Up to `limit` items with a value of the field within the span, with that value, in order of value and item, after
/// one of them. An item with several values comes with each.
pub fn within(
    tx: &mut Tx<'_>,
    (template, field): (TemplateId, u32),
    span: &Span,
    (along, after): (Along, Option<&(Indexed, ItemId)>),
    limit: u32,
) -> Result<Vec<(Indexed, ItemId)>, Error> {
    let numbers = matches!((&span.from, &span.upto), (Indexed::Number(_), Indexed::Number(_)));
    let [ties, whole, beyond] = match (numbers, along) {
        (true, Along::Upwards) => NUMBERS_UP,
        (true, Along::Downwards) => NUMBERS_DOWN,
        (false, Along::Upwards) => TEXTS_UP,
        (false, Along::Downwards) => TEXTS_DOWN,
    };
    let read = |row: &Row<'_>| {
        let value = if numbers { Indexed::Number(row.int(0)?) } else { Indexed::Text(row.text(0)?) };
        Ok((value, ItemId::new(row.int(1)?)))
    };
    let (template, field) = (Value::from(template), Value::from(field));
    let Some((at, item)) = after else {
        return tx.query(whole, &[template, field, span.from.value(), span.upto.value(), limit.into()], read);
    };
    let mut found = tx.query(ties, &[template, field, at.value(), (*item).into(), limit.into()], read)?;
    let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    if left > 0 {
        let (from, upto) = match along {
            Along::Upwards => (at, &span.upto),
            Along::Downwards => (&span.from, at),
        };
        found.extend(tx.query(beyond, &[template, field, from.value(), upto.value(), left.into()], read)?);
    }
    Ok(found)
}

/// How SQLite would walk along the values: for tests that keep watch over it.
pub fn explain(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    let mut plans = Vec::new();
    for sql in EXPLAIN.into_iter().flatten() {
        let parameters = [1_i64, 2, 3, 4, 5].map(Into::into);
        plans.extend(tx.query(sql, &parameters, |row| row.text(3))?);
    }
    Ok(plans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn floats_keep_their_order(one in any::<f64>(), other in any::<f64>()) {
            if !one.is_nan() && !other.is_nan() {
                let expected = one.partial_cmp(&other);
                prop_assert_eq!(Indexed::float(one).partial_cmp(&Indexed::float(other)), expected);
            }
        }
    }

    #[test]
    fn zeros_are_one() {
        assert_eq!(Indexed::float(0.0), Indexed::float(-0.0));
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        let Indexed::Text(cut) = Indexed::text(&"\u{e4}".repeat(200)) else { panic!("a text") };
        assert_eq!(cut.len(), TEXT_BYTES_MAX);
        let Indexed::Text(cut) = Indexed::text(&format!("a{}", "\u{e4}".repeat(200))) else { panic!("a text") };
        assert_eq!(cut.len(), TEXT_BYTES_MAX - 1);
    }
}
