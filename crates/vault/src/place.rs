//! Placement, purely: which backend of a zone a new segment goes to. It can return nothing but backends of the zone.

use crate::Error;
use entente_model::{BackendId, ZoneId};
use std::collections::BTreeMap;

pub(crate) struct Placement {
    zones: BTreeMap<ZoneId, Vec<BackendId>>,
}

impl Placement {
    pub(crate) fn new(zones: impl Iterator<Item = (ZoneId, Vec<BackendId>)>) -> Self {
        Self { zones: zones.collect() }
    }

    /// The backend for a new segment of this zone.
    pub(crate) fn primary(&self, zone: ZoneId) -> Result<BackendId, Error> {
        let backends = self.zones.get(&zone).ok_or(Error::Internal("the zone is not configured"))?;
        backends.first().copied().ok_or(Error::Internal("the zone has no backend"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, proptest};

    proptest! {
        #[test]
        fn a_segment_never_leaves_its_zone(sizes in proptest::collection::vec(0_i64..4, 1..6)) {
            let zones: Vec<_> = sizes.iter().zip(1_i64..).map(|(&n, zone)| {
                (ZoneId::new(zone), (0..n).map(|b| BackendId::new(zone * 100 + b)).collect::<Vec<_>>())
            }).collect();
            let placement = Placement::new(zones.iter().cloned());
            for (zone, backends) in zones {
                match placement.primary(zone) {
                    Ok(backend) => prop_assert!(backends.contains(&backend)),
                    Err(_) => prop_assert!(backends.is_empty()),
                }
            }
            prop_assert!(placement.primary(ZoneId::new(99)).is_err());
        }
    }
}
