//! Services that lie.

use crate::{
    kit::{self, Secrets},
    scripted::{Answer, Asked, Scripted, answer},
};
use bytes::Bytes;
use entente_clouds::{Backend, ErrorKind, MARKER_BYTES_MAX, ObjectName, conformance::Check};
use entente_model::Timestamp;
use entente_world::World;
use std::sync::Arc;

const NAME: ObjectName = ObjectName::new([0xab; 16]);

fn s3(server: &Scripted) -> Arc<dyn Backend> {
    kit::all_at(&server.url, &Secrets::new()).swap_remove(0).1
}

fn azure(server: &Scripted) -> Arc<dyn Backend> {
    kit::all_at(&server.url, &Secrets::new()).swap_remove(1).1
}

fn name(number: u8) -> ObjectName {
    ObjectName::new([number; 16])
}

/// A page of S3 with these objects, and the token of the next one, if there is one.
fn s3_page(names: &[ObjectName], next: Option<&str>) -> Answer {
    let rows: String = names
        .iter()
        .map(|name| {
            format!(
                "<Contents><Key>in/side/{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <ETag>\"x\"</ETag><Size>5</Size></Contents>"
            )
        })
        .collect();
    let next = next.map(|token| format!("<NextContinuationToken>{token}</NextContinuationToken>"));
    let truncated = next.is_some();
    let next = next.unwrap_or_default();
    answer(200, format!("<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{next}{rows}</ListBucketResult>"))
}

#[tokio::test]
async fn a_listing_that_repeats_or_is_out_of_order_is_an_error() {
    for names in [[1, 3, 2], [1, 1, 2], [3, 2, 1]] {
        let server = Scripted::new(move |_| s3_page(&names.map(name), None));
        let error = s3(&server).list(None, 10).await.unwrap_err();
        assert_eq!((error.kind, error.retryable), (ErrorKind::Failed, false));
        assert!(error.to_string().contains("out of order"), "{error}");
    }
}

#[tokio::test]
async fn a_listing_whose_pages_go_round_is_an_error() {
    let server = Scripted::new(|_| s3_page(&[name(1), name(2)], Some("again")));
    assert_eq!(s3(&server).list(None, 10).await.unwrap_err().kind, ErrorKind::Failed);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_service_that_does_not_know_where_to_begin_does_no_harm() {
    let server = Scripted::new(|_| s3_page(&[name(1), name(2), name(3)], None));
    let rows = s3(&server).list(Some(name(1)), 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.name).collect::<Vec<_>>(), [name(2), name(3)]);
}

#[tokio::test]
async fn an_answer_that_is_no_listing_is_an_error() {
    for body in ["", "<html>hello</html>", "{}", "<ListBucketResult><Contents>"] {
        let server = Scripted::new(move |_| answer(200, body));
        for (cloud, backend) in kit::all_at(&server.url, &Secrets::new()) {
            let error = backend.list(None, 10).await.unwrap_err();
            assert!(matches!(error.kind, ErrorKind::Failed | ErrorKind::Unavailable), "{cloud}: {body}: {error}");
        }
    }
}

/// Answers to `list` of a container with so many objects, as Azure does: from the first one or from a marker.
fn azure_container(objects: usize, page: usize) -> impl Fn(&Asked) -> Answer {
    let step = u128::MAX / u128::try_from(objects).unwrap();
    let names: Vec<String> =
        (0..objects).map(|number| format!("in/side/{:032x}", step * u128::try_from(number).unwrap())).collect();
    move |asked| {
        let value = |key: &str| {
            let pair = asked.target.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{key}=")));
            pair.map(|value| value.replace("%2F", "/"))
        };
        let (prefix, marker) = (value("prefix").unwrap_or_default(), value("marker").unwrap_or_default());
        let most = value("maxresults").map_or(page, |most| most.parse::<usize>().unwrap().min(page));
        let mut rows = names.iter().filter(|name| name.starts_with(&prefix) && **name >= marker);
        let shown: String = rows
            .by_ref()
            .take(most)
            .map(|name| {
                format!(
                    "<Blob><Name>{name}</Name><Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified>\
                     <Etag>x</Etag><Content-Length>5</Content-Length><Content-Type>x</Content-Type></Properties></Blob>"
                )
            })
            .collect();
        let next = rows.next().cloned().unwrap_or_default();
        answer(
            200,
            format!("<EnumerationResults><Blobs>{shown}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"),
        )
    }
}

#[tokio::test]
async fn a_walk_through_a_container_that_can_only_be_listed_from_its_beginning_stays_short() {
    let server = Scripted::new(azure_container(20_000, 5000));
    let backend = azure(&server);
    let (mut after, mut seen) = (None, 0);
    loop {
        let rows = backend.list(after, 500).await.unwrap();
        seen += rows.len();
        let Some(last) = rows.last().filter(|_| rows.len() == 500) else { break };
        after = Some(last.name);
    }
    assert_eq!(seen, 20_000);
    // 40 pages. From the beginning each time, these would be 400 requests for 400,000 rows.
    let requests = server.asked().len();
    assert!(requests < 130, "{requests} requests");
}

#[tokio::test]
async fn another_range_than_was_asked_for_is_not_taken_for_it() {
    for (answered, kind) in [
        (answer(200, "0123456789"), ErrorKind::Failed),
        (answer(206, "0123").with("content-range", "bytes 0-3/10"), ErrorKind::Failed),
        (answer(206, "3456789").with("content-range", "bytes 3-9/10"), ErrorKind::Failed),
        (answer(206, "345").with("content-range", "bytes 3-5/6"), ErrorKind::OutOfRange),
        (answer(206, "345").with("content-range", "gibberish"), ErrorKind::Failed),
        // It says that it gives four bytes, and gives two.
        (answer(206, "34").with("content-range", "bytes 3-6/10"), ErrorKind::Unavailable),
        (answer(416, ""), ErrorKind::OutOfRange),
    ] {
        let shown = format!("{answered:?}");
        let server = Scripted::new(move |_| answered.clone());
        for (cloud, backend) in kit::all_at(&server.url, &Secrets::new()) {
            let error = backend.read(NAME, 3..7).await.unwrap_err();
            assert_eq!(error.kind, kind, "{cloud}: {shown}: {error}");
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = Scripted::new(|_| answer(200, "taken"));
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = format!("{}/elsewhere", other.url);
        let server = Scripted::new(move |_| answer(status, "").with("location", elsewhere.clone()));
        for (cloud, backend) in kit::all_at(&server.url, &Secrets::new()) {
            let mut creation = backend.create(NAME).await.unwrap();
            creation.write(Bytes::from_static(b"resident")).await.unwrap();
            for error in [
                creation.commit().await.unwrap_err(),
                backend.read(NAME, 0..1).await.unwrap_err(),
                backend.list(None, 1).await.unwrap_err(),
                backend.stat(NAME).await.unwrap_err(),
                backend.delete(NAME).await.unwrap_err(),
            ] {
                assert_eq!((error.kind, error.retryable), (ErrorKind::Failed, false), "{cloud} {status}: {error}");
                assert!(error.to_string().contains("another address, which is not followed"), "{cloud}: {error}");
            }
        }
    }
    assert_eq!(other.asked().len(), 0);
}

#[tokio::test]
async fn a_marker_that_is_too_large_is_not_read() {
    let server = Scripted::new(|asked| {
        assert_ne!(asked.header("range"), Some("bytes=0-4999"));
        let size = "5000";
        let described = format!(r#"{{"name":"x","size":"{size}","updated":"2026-01-01T00:00:00Z","generation":"1"}}"#);
        let modified = "Thu, 01 Jan 2026 00:00:00 GMT";
        match asked.method.as_str() {
            "HEAD" => answer(200, "").with("content-length", size).with("last-modified", modified),
            _ => answer(200, described),
        }
    });
    for (cloud, backend) in kit::all_at(&server.url, &Secrets::new()) {
        let error = backend.marker().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Failed, "{cloud}: {error}");
        let too_large = Bytes::from(vec![b'x'; MARKER_BYTES_MAX + 1]);
        assert_eq!(backend.mark(too_large).await.unwrap_err().kind, ErrorKind::Failed, "{cloud}");
    }
}

#[tokio::test]
async fn a_service_whose_clock_is_wrong_is_found_out() {
    let then = "Fri, 01 Jan 2010 00:00:00 GMT";
    let server = Scripted::new(move |asked| match asked.method.as_str() {
        "DELETE" => answer(204, ""),
        "GET" => s3_page(&[], None),
        _ => answer(200, "").with("date", then).with("last-modified", then).with("etag", "\"x\""),
    });
    let backend = s3(&server);
    assert_eq!(backend.stat(NAME).await.unwrap().created_at, Timestamp::from_millis(1_262_304_000_000));
    let failure = Check::Clock.run(&*backend, &World::real()).await.unwrap_err();
    assert!(failure.to_string().contains("away from our clock"), "{failure}");
}
