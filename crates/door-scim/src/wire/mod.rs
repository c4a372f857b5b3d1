//! SCIM's shapes.

pub(crate) mod groups;
pub(crate) mod schemas;
pub(crate) mod users;

use crate::error::Problem;
use entente_model::Timestamp;
use serde_json::{Value, json};

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Results of one page.
pub(crate) const RESULTS_MAX: u32 = 1_000;
const RESULTS_DEFAULT: u32 = 100;

/// The part of a list that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// The first one is 1.
    pub(crate) start: u32,
    pub(crate) count: u32,
}

impl Page {
    /// What is below the least is the least (RFC 7644, 3.4.2.4).
    pub(crate) fn read(start: Option<&str>, count: Option<&str>) -> Result<Self, Problem> {
        let number =
            |text: &str, name: &str| text.parse::<i64>().map_err(|_| Problem::value(format!("{name} is a number")));
        let start = start.map(|text| number(text, "startIndex")).transpose()?.unwrap_or(1).max(1);
        let count = count.map(|text| number(text, "count")).transpose()?.unwrap_or(i64::from(RESULTS_DEFAULT)).max(0);
        let start = u32::try_from(start).map_err(|_| Problem::value("startIndex is too great"))?;
        Ok(Self { start, count: u32::try_from(count).unwrap_or(RESULTS_MAX).min(RESULTS_MAX) })
    }

    pub(crate) const fn offset(self) -> u32 {
        self.start - 1
    }
}

pub(crate) fn list(resources: &[Value], total: u64, page: Page) -> Value {
    json!({
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": page.start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

/// To the millisecond, in universal time (RFC 7643, 2.3.5).
pub(crate) fn moment(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.millis());
    moment.map_or_else(|_| String::new(), |moment| moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// A text, or none at all.
pub(crate) fn text(value: &Value, name: &str) -> Result<Option<String>, Problem> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(Problem::value(format!("{name} is a text"))),
    }
}

/// Leaves only what is asked for (RFC 7644, 3.9), of attributes at the top; `id` and `schemas` always stay.
pub(crate) fn chosen(resource: &mut Value, wanted: Option<&str>, unwanted: Option<&str>) {
    let Value::Object(members) = resource else { return };
    let has = |list: &str, name: &str| {
        list.split(',')
            .filter_map(crate::filter::attribute)
            .any(|path| path.split('.').next().is_some_and(|first| first.eq_ignore_ascii_case(name)))
    };
    members.retain(|name, _| {
        let stays = matches!(name.as_str(), "id" | "schemas");
        stays || (wanted.is_none_or(|list| has(list, name)) && !unwanted.is_some_and(|list| has(list, name)))
    });
}
