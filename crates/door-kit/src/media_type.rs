//! What `Content-Type` a content has that nobody has said it of: by the extension of its name.

/// The media type for a file of this name; `application/octet-stream` when its extension is unknown.
#[must_use]
pub fn of(name: &str) -> &'static str {
    let Some((_, extension)) = name.rsplit_once('.') else { return UNKNOWN };
    let mut lower = [0_u8; 8];
    let Some(lower) = lower.get_mut(..extension.len()) else { return UNKNOWN };
    lower.copy_from_slice(extension.as_bytes());
    lower.make_ascii_lowercase();
    match &*lower {
        b"7z" => "application/x-7z-compressed",
        b"aac" => "audio/aac",
        b"avi" => "video/x-msvideo",
        b"avif" => "image/avif",
        b"bmp" => "image/bmp",
        b"bz2" => "application/x-bzip2",
        b"css" => "text/css",
        b"csv" => "text/csv",
        b"doc" => "application/msword",
        b"docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        b"eml" => "message/rfc822",
        b"epub" => "application/epub+zip",
        b"flac" => "audio/flac",
        b"gif" => "image/gif",
        b"gz" | b"tgz" => "application/gzip",
        b"heic" => "image/heic",
        b"htm" | b"html" => "text/html",
        b"ico" => "image/x-icon",
        b"ics" => "text/calendar",
        b"jpeg" | b"jpg" => "image/jpeg",
        b"js" | b"mjs" => "text/javascript",
        b"json" => "application/json",
        b"m4a" => "audio/mp4",
        b"m4v" | b"mp4" => "video/mp4",
        b"md" => "text/markdown",
        b"mkv" => "video/x-matroska",
        b"mov" => "video/quicktime",
        b"mp3" => "audio/mpeg",
        b"mpeg" | b"mpg" => "video/mpeg",
        b"msg" => "application/vnd.ms-outlook",
        b"odp" => "application/vnd.oasis.opendocument.presentation",
        b"ods" => "application/vnd.oasis.opendocument.spreadsheet",
        b"odt" => "application/vnd.oasis.opendocument.text",
        b"oga" | b"ogg" | b"opus" => "audio/ogg",
        b"ogv" => "video/ogg",
        b"otf" => "font/otf",
        b"pdf" => "application/pdf",
        b"png" => "image/png",
        b"ppt" => "application/vnd.ms-powerpoint",
        b"pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        b"rtf" => "application/rtf",
        b"svg" => "image/svg+xml",
        b"tar" => "application/x-tar",
        b"tif" | b"tiff" => "image/tiff",
        b"log" | b"txt" => "text/plain",
        b"ttf" => "font/ttf",
        b"wav" => "audio/wav",
        b"webm" => "video/webm",
        b"webp" => "image/webp",
        b"woff" => "font/woff",
        b"woff2" => "font/woff2",
        b"xls" => "application/vnd.ms-excel",
        b"xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        b"xml" => "application/xml",
        b"zip" => "application/zip",
        _ => UNKNOWN,
    }
}

const UNKNOWN: &str = "application/octet-stream";

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_extension_decides() {
        assert_eq!(of("a.tar.GZ"), "application/gzip");
        assert_eq!(of("report.PDF"), "application/pdf");
        for unknown in ["", "pdf", "a.", "a.unknown-extension", "a.é"] {
            assert_eq!(of(unknown), "application/octet-stream", "{unknown:?}");
        }
    }
}
