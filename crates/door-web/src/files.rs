//! The files of the web app, as they were when the program was built.

/// A file, and how it is packed for browsers that unpack.
pub(crate) struct File {
    /// Below the app's folder, with `/` between names.
    pub(crate) path: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) brotli: Option<&'static [u8]>,
    pub(crate) gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// What stands at `/` in a program that was built without the web app.
pub(crate) const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Entente</title>\n\
     <h1>Entente</h1>\n<p>This program was built without the web app: run <code>make ui</code>, and build it again. \
     Everything else is served.</p>\n</html>\n";

pub(crate) fn find(path: &str) -> Option<&'static File> {
    FILES.binary_search_by(|file| file.path.cmp(path)).ok().and_then(|place| FILES.get(place))
}

/// By the name's end, as there is nothing here but what we built.
pub(crate) fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES, find};

    #[test]
    fn files_are_in_order() {
        assert!(FILES.is_sorted_by_key(|file| file.path));
        assert!(find("../Cargo.toml").is_none());
    }
}
