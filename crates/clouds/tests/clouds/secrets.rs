//! Nothing that we print holds a secret.

use crate::{
    kit::{self, ACCESS_KEY, SAS_TOKEN, SECRET_KEY, SESSION_TOKEN, Secrets},
    scripted::{Scripted, answer},
};
use bytes::Bytes;
use entente_clouds::{
    ObjectName,
    guard::{StackSettings, stack},
    registry::Configuration,
};
use entente_world::World;

const NAME: ObjectName = ObjectName::new([0xab; 16]);

fn assert_silent(shown: &str) {
    for secret in [ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, SAS_TOKEN, "hush", "sig=", "Signature="] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_configuration_shows_where_secrets_are_and_not_what() {
    let secrets = Secrets::new();
    let (s3, azure) = (kit::s3_at("http://127.0.0.1:1", &secrets), kit::azure_at("http://127.0.0.1:1", &secrets));
    for configuration in [Configuration::S3(s3), Configuration::Azure(azure)] {
        let shown = format!("{configuration:?}");
        assert_silent(&shown);
        assert!(shown.contains(secrets.path().to_str().unwrap()));
    }
}

/// A service that repeats in its refusal all that it was told, as some do.
#[tokio::test]
async fn no_error_repeats_what_a_service_repeats() {
    let secrets = Secrets::new();
    for status in [200, 206, 301, 400, 401, 403, 404, 409, 412, 416, 429, 500, 503, 507] {
        let server = Scripted::new(move |asked| {
            let told = format!("{} {:?}", asked.target, asked.headers).replace(['<', '>', '&', '"', '\\'], "_");
            let body = match asked.headers.len() % 2 {
                0 => format!("<Error><Code>{told}</Code><Message>{told}</Message></Error>"),
                _ => format!("{{\"error\":{{\"message\":\"{told}\",\"errors\":[{{\"reason\":\"{told}\"}}]}}}}"),
            };
            answer(status, body).with("x-ms-error-code", told.clone()).with("location", told)
        });
        for (cloud, backend) in kit::all_at(&server.url, &secrets) {
            let (backend, health) = stack(backend, &World::real(), cloud, StackSettings::cloud());
            let mut creation = backend.create(NAME).await.unwrap();
            creation.write(Bytes::from_static(b"hello")).await.unwrap();
            let outcomes = [
                creation.commit().await.err(),
                backend.read(NAME, 0..1).await.err(),
                backend.stat(NAME).await.err(),
                backend.list(None, 1).await.err(),
                backend.list(Some(NAME), 1).await.err(),
                backend.delete(NAME).await.err(),
                backend.marker().await.err(),
                backend.mark(Bytes::new()).await.err(),
                backend.foreign(1).await.err(),
            ];
            for error in outcomes.into_iter().flatten() {
                assert_silent(&format!("{error} {error:?} {error:#?}"));
            }
            assert_silent(&format!("{:?}", health.report()));
        }
    }
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_not_told_with_its_address() {
    let secrets = Secrets::new();
    for (cloud, backend) in kit::all_at("http://127.0.0.1:1", &secrets) {
        let error = backend.read(NAME, 0..1).await.unwrap_err();
        assert_silent(&format!("{cloud} {error} {error:?}"));
        assert!(error.to_string().contains("no connection"), "{error}");
    }
}
