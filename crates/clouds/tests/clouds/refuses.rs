//! What a service refuses, told in words that help.

use crate::{
    kit::{self, Secrets},
    scripted::{Scripted, answer},
};
use bytes::Bytes;
use entente_clouds::{
    Backend, Connection, Error, ErrorKind, ObjectName, azure, gcs,
    guard::{Timeout, TimeoutSettings},
    s3,
};
use entente_emulators::{Fault, Proxy};
use entente_world::World;
use std::{sync::Arc, time::Duration};

const NAME: ObjectName = ObjectName::new([0xab; 16]);

async fn create(backend: &dyn Backend) -> Result<(), Error> {
    let mut creation = backend.create(NAME).await?;
    creation.write(Bytes::from_static(b"hello")).await?;
    creation.commit().await
}

/// What every operation says of a backend that cannot be used.
async fn complaints(backend: &dyn Backend) -> Vec<Error> {
    vec![
        create(backend).await.unwrap_err(),
        backend.read(NAME, 0..1).await.unwrap_err(),
        backend.stat(NAME).await.unwrap_err(),
        backend.list(None, 10).await.unwrap_err(),
        backend.list(Some(NAME), 10).await.unwrap_err(),
        backend.marker().await.unwrap_err(),
        backend.mark(Bytes::from_static(b"ours")).await.unwrap_err(),
        backend.foreign(10).await.unwrap_err(),
    ]
}

async fn expect(backend: &dyn Backend, kind: ErrorKind, words: &str, cloud: &str) {
    for error in complaints(backend).await {
        assert_eq!((error.kind, error.retryable), (kind, kind == ErrorKind::Unavailable), "{cloud}: {error}");
        assert!(error.to_string().contains(words), "{cloud}: {error}");
    }
}

#[tokio::test]
async fn a_wrong_credential_is_denied() {
    let secrets = Secrets::new();
    let s3 = kit::s3_settings(&secrets);
    secrets.keep("secret_key", "wrong");
    let backend = s3::open(&s3).unwrap();
    expect(&*backend, ErrorKind::Denied, "credential", "s3 secret").await;
    assert!(create(&*backend).await.unwrap_err().to_string().contains("the access key or its secret is wrong"));
    secrets.keep("access_key", "unknown");
    expect(&*s3::open(&s3).unwrap(), ErrorKind::Denied, "credential", "s3 key").await;
    let azure = kit::azure_settings(&secrets);
    secrets.keep("account_key", "d3Jvbmc=");
    expect(&*azure::open(&azure).unwrap(), ErrorKind::Denied, "the credential is wrong or", "azure").await;
    let server = Scripted::new(|_| answer(401, r#"{"error":{"code":401,"errors":[{"reason":"authError"}]}}"#));
    let (_, gcs) = kit::all_at(&server.url, &secrets).pop().unwrap();
    expect(&*gcs, ErrorKind::Denied, "the credential is wrong or", "gcs").await;
}

#[tokio::test]
async fn a_key_that_is_no_key_is_said_to_be_none() {
    let secrets = Secrets::new();
    let azure = kit::azure_settings(&secrets);
    secrets.keep("account_key", "not base64!");
    let error = azure::open(&azure).err().unwrap();
    assert_eq!(error.operation, "open");
    assert!(!error.to_string().contains("not base64!"), "{error}");
}

#[tokio::test]
async fn a_key_file_that_cannot_be_used_is_said_to_be_none() {
    let secrets = Secrets::new();
    let gcs = |text: &str| {
        let credential = gcs::Credential::KeyFile(secrets.keep("gcs.json", text));
        gcs::open(&gcs::Settings { credential, ..kit::gcs_settings() })
    };
    for other in ["hush", "{}", r#"{"type":"hush"}"#] {
        let error = gcs(other).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert!(error.to_string().contains("is not a key file") && !error.to_string().contains("hush"), "{error}");
    }
    let broken = r#"{"type":"service_account","client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nhush"}"#;
    expect(&*gcs(broken).unwrap(), ErrorKind::Denied, "no usable credential was found", "gcs").await;
}

#[tokio::test]
async fn a_missing_bucket_is_said_to_be_missing() {
    let secrets = Secrets::new();
    let s3 = s3::Settings { bucket: "no-such-bucket".to_owned(), ..kit::s3_settings(&secrets) };
    expect(&*s3::open(&s3).unwrap(), ErrorKind::NoBucket, "no such bucket", "s3").await;
    let azure = azure::Settings { container: "no-such-container".to_owned(), ..kit::azure_settings(&secrets) };
    let azure = azure::open(&azure).unwrap();
    expect(&*azure, ErrorKind::NoBucket, "no such bucket", "azure").await;
    assert_eq!(azure.delete(NAME).await.unwrap_err().kind, ErrorKind::NoBucket);
    // The emulator words it otherwise than the service does: so the service's words, from a script.
    let server = Scripted::new(|_| {
        let described = r#"{"error":{"code":404,"message":"The specified bucket does not exist.","errors":[
            {"message":"The specified bucket does not exist.","domain":"global","reason":"notFound"}]}}"#;
        answer(404, described)
    });
    let (_, gcs) = kit::all_at(&server.url, &secrets).pop().unwrap();
    expect(&*gcs, ErrorKind::NoBucket, "no such bucket", "gcs").await;
    assert_eq!(gcs.delete(NAME).await.unwrap_err().kind, ErrorKind::NoBucket);
}

#[tokio::test]
async fn a_busy_service_may_be_asked_again() {
    let secrets = Secrets::new();
    for (status, body) in [
        (429, ""),
        (500, ""),
        (503, "<Error><Code>SlowDown</Code></Error>"),
        (503, "<Error><Code>ServerBusy</Code></Error>"),
        (502, "<html>bad gateway</html>"),
        (408, "not even <xml"),
    ] {
        let server = Scripted::new(move |_| answer(status, body));
        for (cloud, backend) in kit::all_at(&server.url, &secrets) {
            expect(&*backend, ErrorKind::Unavailable, &status.to_string(), cloud).await;
        }
    }
}

#[tokio::test]
async fn a_full_backend_is_full() {
    let secrets = Secrets::new();
    for (index, status, body) in [
        (0, 507, ""),
        (0, 403, "<Error><Code>QuotaExceeded</Code></Error>"),
        (1, 507, ""),
        (2, 403, r#"{"error":{"errors":[{"reason":"quotaExceeded"}]}}"#),
    ] {
        let server = Scripted::new(move |_| answer(status, body));
        let (cloud, backend) = kit::all_at(&server.url, &secrets).swap_remove(index);
        let error = create(&*backend).await.unwrap_err();
        assert_eq!((error.kind, error.retryable), (ErrorKind::Full, false), "{cloud}: {error}");
    }
}

#[tokio::test]
async fn a_creation_that_met_another_is_decided_by_what_is_there() {
    let busy = "<Error><Code>ConditionalRequestConflict</Code></Error>";
    for (there, kind) in [(true, ErrorKind::AlreadyExists), (false, ErrorKind::Unavailable)] {
        let server = Scripted::new(move |asked| match (&*asked.method, there) {
            ("PUT", _) => answer(409, busy),
            ("HEAD", true) => answer(200, "").with("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
            _ => answer(404, "<Error><Code>NoSuchKey</Code></Error>"),
        });
        let (_, s3) = kit::all_at(&server.url, &Secrets::new()).swap_remove(0);
        assert_eq!(create(&*s3).await.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable() {
    let secrets = Secrets::new();
    let proxy = Proxy::before("http://127.0.0.1:9");
    proxy.set(Fault::Refuse);
    for (cloud, backend) in kit::all_at(proxy.url(), &secrets) {
        expect(&*backend, ErrorKind::Unavailable, "no connection", cloud).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_no_answer() {
    let secrets = Secrets::new();
    let settings = kit::s3_settings(&secrets);
    let proxy = Proxy::before(settings.endpoint.as_deref().unwrap());
    let backend = s3::open(&s3::Settings { endpoint: Some(proxy.url().to_owned()), ..settings }).unwrap();
    let mut creation = backend.create(NAME).await.unwrap();
    creation.write(Bytes::from(vec![7; 1_000_000])).await.unwrap();
    creation.commit().await.unwrap();
    for after_bytes in [0, 50, 500_000] {
        proxy.set(Fault::CutResponse { after_bytes });
        let error = backend.read(NAME, 0..1_000_000).await.unwrap_err();
        assert_eq!((error.kind, error.retryable), (ErrorKind::Unavailable, true), "{error}");
    }
    proxy.set(Fault::Pass);
    assert_eq!(backend.read(NAME, 0..1_000_000).await.unwrap().len(), 1_000_000);
}

#[tokio::test]
async fn a_request_that_is_cut_short_creates_nothing() {
    let secrets = Secrets::new();
    let settings = kit::azure_settings(&secrets);
    let proxy = Proxy::before(settings.endpoint.as_deref().unwrap());
    let backend = azure::open(&azure::Settings { endpoint: Some(proxy.url().to_owned()), ..settings }).unwrap();
    for after_bytes in [10, 600, 500_000] {
        proxy.set(Fault::CutRequest { after_bytes });
        let mut creation = backend.create(NAME).await.unwrap();
        creation.write(Bytes::from(vec![7; 1_000_000])).await.unwrap();
        assert_eq!(creation.commit().await.unwrap_err().kind, ErrorKind::Unavailable);
        proxy.set(Fault::Pass);
        assert_eq!(backend.stat(NAME).await.unwrap_err().kind, ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up() {
    let secrets = Secrets::new();
    let settings = kit::s3_settings(&secrets);
    let proxy = Proxy::before(settings.endpoint.as_deref().unwrap());
    let backend = s3::open(&s3::Settings { endpoint: Some(proxy.url().to_owned()), ..settings }).unwrap();
    let settings = TimeoutSettings { operation: Duration::from_millis(50), bytes_per_second_min: 0 };
    let guarded = Timeout::new(Arc::clone(&backend), World::real(), settings);
    proxy.set(Fault::Hang);
    expect(&guarded, ErrorKind::Unavailable, "no answer within 50 ms", "s3").await;
    proxy.set(Fault::Pass);
    assert_eq!(backend.stat(NAME).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn settings_that_cannot_work_are_refused_at_once() {
    let secrets = Secrets::new();
    let s3 = kit::s3_at("http://127.0.0.1:1", &secrets);
    let azure = kit::azure_at("http://127.0.0.1:1", &secrets);
    let missing = Connection { ca_file: Some(secrets.path().join("missing.pem")), ..Connection::default() };
    let wrong_s3 = [
        (s3::Settings { endpoint: None, ..s3.clone() }, "region is missing"),
        (s3::Settings { bucket: "a/b".to_owned(), ..s3.clone() }, "bucket is made of"),
        (s3::Settings { prefix: Some("../up".to_owned()), ..s3.clone() }, "prefix is made of"),
        (s3::Settings { connection: missing, ..s3 }, "missing.pem cannot be read"),
    ];
    for (settings, words) in wrong_s3 {
        let error = s3::open(&settings).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
    // A signature in a URL that anybody on the way could read.
    let open_road = azure::Settings { endpoint: Some("http://blob.example".to_owned()), ..azure };
    let error = azure::open(&open_road).err().unwrap().to_string();
    assert!(error.contains("endpoint must begin with https://"), "{error}");
}
