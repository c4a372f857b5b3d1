//! Which form of a file a browser gets (RFC 9110, 12.5.3).

use crate::files::File;
use http::HeaderValue;

/// The content, and the encoding that it is in unless it is as it is. Brotli before gzip, since it is smaller; what a client
/// refuses with `q=0` it does not get.
pub(crate) fn choose(file: &File, accepted: Option<&HeaderValue>) -> (&'static [u8], Option<&'static str>) {
    let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or("");
    let takes = |encoding: &str| {
        accepted.split(',').any(|one| {
            let mut parts = one.split(';').map(str::trim);
            let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            is_named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    match (file.brotli.filter(|_| takes("br")), file.gzip.filter(|_| takes("gzip"))) {
        (Some(packed), _) => (packed, Some("br")),
        (None, Some(packed)) => (packed, Some("gzip")),
        (None, None) => (file.plain, None),
    }
}

#[cfg(test)]
mod tests {
    use super::choose;
    use crate::files::File;
    use http::HeaderValue;

    #[test]
    fn the_smallest_that_is_taken() {
        let file = File { path: "a.js", plain: b"aaaa", brotli: Some(b"a"), gzip: Some(b"aa") };
        for (accepted, encoding) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip;q=1.0, br;q=0", Some("gzip")),
            ("GZIP", Some("gzip")),
            ("brotli, x-gzip", None),
            ("", None),
        ] {
            assert_eq!(choose(&file, Some(&HeaderValue::from_static(accepted))).1, encoding, "{accepted}");
        }
        let plain = File { brotli: None, gzip: None, ..file };
        assert_eq!(choose(&plain, Some(&HeaderValue::from_static("br"))), (&b"aaaa"[..], None));
        assert_eq!(choose(&plain, None).1, None);
    }
}
