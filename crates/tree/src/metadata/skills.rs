//! What programs that look at files report.

use super::instances::{create, write};
use super::template::Template;
use super::value::Values;
use crate::grant::Change;
use crate::{Caller, Error, Kind, Tree, allow};
use entente_database::events::EventKind;
use entente_database::metadata::instances;
use entente_model::ItemId;

/// What a program has found in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct SkillReport {
    /// The file.
    pub file: ItemId,
    /// Cards, as an instance of the skill cards takes them.
    pub cards: Values,
}

impl Tree {
    /// Shows these cards beside a file, instead of those that are there. `Schema`; `NotFound`, `Trashed`, `Forbidden`.
    pub async fn report_skill(&self, caller: &Caller, report: SkillReport) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        let SkillReport { file, cards } = report;
        self.database
            .transact("report skill", move |tx| {
                allow::<Change>(tx, &caller, file)?.of(Kind::File)?;
                let template = Template::skill_cards();
                match instances::by_template(tx, file, template.id)? {
                    None => create(tx, &caller, stamp, (file, Kind::File), &template.name(), &cards).map(drop),
                    Some(row) => {
                        write(tx, &template, &row, &cards)?;
                        stamp.record(tx, &caller, EventKind::MetadataChanged, file, None)
                    }
                }
            })
            .await
    }
}
