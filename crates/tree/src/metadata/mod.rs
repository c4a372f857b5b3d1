//! Metadata: what is said of items beyond their names, in fields that a template names and whose values it checks.
//!
//! A template belongs to an enterprise, or to everybody: the global ones take values of any name, and skill cards. What
//! is said of an item by one template is an instance. An instance of a folder may go to everything below it: a cascade
//! brings it to whatever comes into the folder at once, and to what is there already by a job.

mod cards;
mod cascade;
mod classification;
mod edit;
mod error;
mod instances;
mod patch;
mod query;
mod skills;
mod taxonomy;
mod template;
mod templates;
mod tend;
mod value;

pub use cascade::Conflicts;
pub use classification::{CLASSIFICATION_FIELD, CLASSIFICATION_TEMPLATE};
pub use edit::{OfField, TemplateEdit};
pub use entente_database::metadata::cascades::Cascade;
pub use error::MetadataError;
pub use instances::{Instance, InstanceId};
pub use patch::PatchOperation;
pub use query::{Found, FoundPage, Query, Sort};
pub use skills::SkillReport;
pub use taxonomy::{Ancestor, Choice, NewNode, Node, NodePage, NodeQuery, Taxonomy, TaxonomyLevel, TaxonomyPage};
pub use template::{
    Field, FieldKind, FieldOption, FieldTaxonomy, NewField, NewOption, NewTemplate, Scope, Template, TemplateName,
};
pub use templates::TemplatePage;
pub use tend::TEND_METADATA_JOB;
pub use value::Values;

pub(crate) use cascade::settled;
pub(crate) use instances::copied;
pub(crate) use query::fitting;

/// A date and time of RFC 3339, in milliseconds since 1970.
fn moment_millis(text: &str) -> Option<i64> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    Some(moment.as_millisecond())
}
