//! Relocations as the operator interface and the command line ask for them.

use super::{Order, Prices, Refusal, Wanted, shown};
use crate::upkeep::{Upkeep, shown_scrub};
use async_trait::async_trait;
use entente_door_admin::{Movements, Refused, RelocationOrder, Steer};
use entente_model::RelocationId;
use entente_vault::upkeep::Unwatched;
use serde_json::{Value, json};
use std::time::Duration;

impl Wanted {
    /// What an order asks for, if it makes sense.
    pub(crate) fn of(order: &RelocationOrder) -> Result<Self, Refusal> {
        let RelocationOrder { from, to, zone, policy, user, folder, to_policy, .. } = order.clone();
        let of_backends = [&from, &to, &zone, &policy].iter().any(|given| given.is_some());
        match (user, folder, to_policy) {
            (None, None, None) => {
                let to = to.ok_or(Refusal::Nothing)?;
                Ok(Self::Backend { from, to, zone, policy })
            }
            (Some(login), None, Some(to_policy)) if !of_backends => Ok(Self::User { login, to_policy }),
            (None, Some(folder), Some(to_policy)) if !of_backends => {
                let unknown = |_| Refusal::Unknown { what: "folder", name: folder.clone() };
                Ok(Self::Folder { folder: folder.parse().map_err(unknown)?, to_policy })
            }
            _ => Err(Refusal::Mixed),
        }
    }
}

impl Order {
    pub(crate) fn of(order: &RelocationOrder) -> Result<Self, Refusal> {
        let grace = order.grace_seconds.map(Duration::from_secs);
        Ok(Self { wanted: Wanted::of(order)?, rate: order.rate_bytes_per_second, grace })
    }
}

impl Prices {
    pub(crate) fn of(order: &RelocationOrder) -> Self {
        Self {
            egress_per_gb: order.price_egress_per_gb,
            per_1000_puts: order.price_per_1000_puts,
            per_1000_gets: order.price_per_1000_gets,
        }
    }
}

#[async_trait]
impl Movements for Upkeep {
    async fn order(&self, order: RelocationOrder) -> Result<Value, Refused> {
        let names = self.relocations.names().map_err(Refusal::from)?;
        if order.dry_run {
            let (wanted, prices) = (Wanted::of(&order)?, Prices::of(&order));
            let rate = order.rate_bytes_per_second;
            let estimate = self.relocations.estimate(&wanted, rate, prices, &mut Unwatched).await?;
            return Ok(estimate.to_json(&names));
        }
        let ordered = self.relocations.order(&Order::of(&order)?).await?;
        Ok(json!({ "entries": ordered.iter().map(|one| shown(one, &names)).collect::<Vec<_>>() }))
    }

    async fn relocations(&self) -> Result<Value, Refused> {
        let names = self.relocations.names().map_err(Refusal::from)?;
        let newest = self.relocations.list().await.map_err(Refusal::from)?;
        Ok(json!({ "entries": newest.iter().map(|one| shown(one, &names)).collect::<Vec<_>>() }))
    }

    async fn relocation(&self, id: RelocationId) -> Result<Value, Refused> {
        let names = self.relocations.names().map_err(Refusal::from)?;
        Ok(shown(&self.relocations.find(id)?, &names))
    }

    async fn steer(&self, id: RelocationId, steer: Steer) -> Result<Value, Refused> {
        let names = self.relocations.names().map_err(Refusal::from)?;
        let steered = match steer {
            Steer::Pause => self.relocations.pause(id).await?,
            Steer::Resume => self.relocations.resume(id).await?,
            Steer::Cancel => self.relocations.cancel(id).await?,
        };
        Ok(shown(&steered, &names))
    }

    async fn scrub_report(&self) -> Result<Value, Refused> {
        Ok(self.scrubbing.report().await.map_err(Refusal::from)?)
    }

    async fn start_scrubs(&self, backends: Vec<String>) -> Result<Value, Refused> {
        let started = self.scrubbing.start(&backends).await?;
        let names = self.relocations.names().map_err(Refusal::from)?;
        Ok(json!({ "entries": started.iter().map(|one| shown_scrub(one, &names)).collect::<Vec<_>>() }))
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::NoRelocation(_) => Self::NotFound(text),
            Refusal::Busy(_)
            | Refusal::Moving(_)
            | Refusal::TooLate { .. }
            | Refusal::TooMany
            | Refusal::Down { .. } => Self::Conflict(text),
            Refusal::Unknown { .. }
            | Refusal::Nothing
            | Refusal::Mixed
            | Refusal::Same(_)
            | Refusal::OtherZone { .. }
            | Refusal::NotInZone { .. }
            | Refusal::NotNamed { .. }
            | Refusal::FewerCopies { .. }
            | Refusal::Broken { .. } => Self::Invalid(text),
            Refusal::Database(error) => Self::Failed(Box::new(error)),
            Refusal::Vault(error) => Self::Failed(Box::new(error)),
            Refusal::Tree(error) => Self::Failed(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;
    use entente_door_admin::RelocationOrder;

    #[test]
    fn an_order_says_one_thing() {
        let read = |text: &str| Wanted::of(&serde_json::from_str::<RelocationOrder>(text).expect(text));
        for good in [
            r#"{"from": "a", "to": "b"}"#,
            r#"{"zone": "z", "to": "b"}"#,
            r#"{"policy": "p", "to": "b"}"#,
            r#"{"user": "anna@example.org", "to_policy": "p"}"#,
            r#"{"folder": "12", "to_policy": "p"}"#,
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            "{}",
            r#"{"from": "a"}"#,
            r#"{"user": "anna@example.org"}"#,
            r#"{"user": "anna@example.org", "folder": "12", "to_policy": "p"}"#,
            r#"{"user": "anna@example.org", "to_policy": "p", "to": "b"}"#,
            r#"{"folder": "root", "to_policy": "p"}"#,
            r#"{"from": "a", "to": "b", "to_policy": "p"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
