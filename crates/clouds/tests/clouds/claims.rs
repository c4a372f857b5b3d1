//! Whose bucket it is, on real servers.

use crate::kit;
use bytes::Bytes;
use entente_clouds::{
    Backend, ObjectName,
    claim::{Claim, ClaimError, StoreId, Unmarked, claim},
};

const STORE: StoreId = StoreId::new([1; 16]);
const OTHER: StoreId = StoreId::new([2; 16]);

async fn create(backend: &dyn Backend, name: ObjectName) {
    let mut creation = backend.create(name).await.unwrap();
    creation.write(Bytes::from_static(b"hello")).await.unwrap();
    creation.commit().await.unwrap();
}

#[tokio::test]
async fn a_bucket_belongs_to_one_backend_of_one_installation() {
    for (cloud, backend) in [("s3", kit::s3()), ("azure", kit::azure()), ("gcs", kit::gcs())] {
        assert_eq!(claim(&*backend, STORE, "one", Unmarked::Refuse).await.unwrap(), Claim::Fresh, "{cloud}");
        create(&*backend, ObjectName::new([3; 16])).await;
        assert_eq!(claim(&*backend, STORE, "one", Unmarked::Refuse).await.unwrap(), Claim::Ours, "{cloud}");
        let other = claim(&*backend, OTHER, "one", Unmarked::Adopt).await.unwrap_err();
        assert!(matches!(other, ClaimError::OtherStore { store: STORE }), "{cloud}: {other}");
        let twice = claim(&*backend, STORE, "two", Unmarked::Adopt).await.unwrap_err();
        assert!(matches!(twice, ClaimError::OtherBackend { .. }), "{cloud}: {twice}");
    }
}

#[tokio::test]
async fn a_bucket_with_objects_and_no_marker_is_left_alone_unless_it_is_adopted() {
    for (cloud, backend) in [("s3", kit::s3()), ("azure", kit::azure()), ("gcs", kit::gcs())] {
        create(&*backend, ObjectName::new([3; 16])).await;
        let refused = claim(&*backend, STORE, "one", Unmarked::Refuse).await.unwrap_err();
        assert!(matches!(refused, ClaimError::Unmarked), "{cloud}: {refused}");
        assert_eq!(claim(&*backend, STORE, "one", Unmarked::Adopt).await.unwrap(), Claim::Adopted, "{cloud}");
    }
}

/// Not on the emulator of Google's, which lets all of them mark.
#[tokio::test]
async fn of_many_that_claim_at_once_one_has_it() {
    for (cloud, backend) in [("s3", kit::s3()), ("azure", kit::azure())] {
        let claims = (0..8_u8).map(|store| claim(&*backend, StoreId::new([store; 16]), "one", Unmarked::Refuse));
        let claims = futures_util::future::join_all(claims.collect::<Vec<_>>()).await;
        assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1, "{cloud}");
        let lost = claims.iter().filter(|claim| matches!(claim, Err(ClaimError::OtherStore { .. }))).count();
        assert_eq!(lost, 7, "{cloud}: {claims:?}");
    }
}
