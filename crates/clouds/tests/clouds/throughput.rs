//! A driver does not move bytes more often than it must. How fast that is, `make bench` tells.

use crate::kit;
use bytes::{Bytes, BytesMut};
use entente_clouds::ObjectName;

#[tokio::test]
async fn large_objects_go_both_ways() {
    let mut content = vec![0; 64 * 1024 * 1024];
    entente_world::World::real().random().fill(&mut content);
    let content = Bytes::from(content);
    for (cloud, backend) in [("s3", kit::s3()), ("azure", kit::azure()), ("gcs", kit::gcs())] {
        let name = ObjectName::new([0xcd; 16]);
        let mut creation = backend.create(name).await.unwrap();
        let mut rest = content.clone();
        while !rest.is_empty() {
            creation.write(rest.split_to(rest.len().min(65_552))).await.unwrap();
        }
        creation.commit().await.unwrap();
        let read: BytesMut = backend.read(name, 0..67_108_864).await.unwrap();
        assert!(read == content, "{cloud}");
        backend.delete(name).await.unwrap();
    }
}
