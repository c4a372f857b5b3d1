//! The first line of a head, as far as hyper does not tell what was in it.

/// The longest protocol version that ends a request line, with the blank before it.
const VERSION_BYTES: usize = " HTTP/1.1".len();

/// Reads a request line as it arrives, in whatever pieces.
///
/// A request that was sent before the answer to the one before it may lie in hyper's buffer already: then its line is not
/// seen here, and no line of another kind is taken for it.
#[derive(Debug, Default)]
pub(crate) struct RequestLine {
    has_begun: bool,
    has_ended: bool,
    has_hash: bool,
    /// Its last bytes.
    tail: [u8; VERSION_BYTES],
}

impl RequestLine {
    /// Reads on. Whether the line ended in these bytes and its target has a fragment.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> bool {
        if self.has_ended {
            return false;
        }
        for byte in bytes {
            match *byte {
                // Empty lines before a head are read over (RFC 9112 section 2.2).
                b'\r' => {}
                b'\n' if !self.has_begun => {}
                b'\n' => {
                    self.has_ended = true;
                    return self.has_hash && self.tail.starts_with(b" HTTP/1.");
                }
                byte => {
                    self.has_begun = true;
                    self.has_hash |= byte == b'#';
                    self.tail.rotate_left(1);
                    if let Some(last) = self.tail.last_mut() {
                        *last = byte;
                    }
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::RequestLine;

    #[test]
    fn only_the_first_line_counts_in_whatever_pieces() {
        for (text, expected) in [
            ("DELETE /a/#b HTTP/1.1\r\nHost: x\r\n\r\n", true),
            ("\r\nGET /# HTTP/1.0\n\n", true),
            ("GET /a HTTP/1.1\r\nCookie: a#b\r\n\r\n#", false),
            ("Cookie: a#b\r\nGET /#b HTTP/1.1\r\n", false),
        ] {
            let mut whole = RequestLine::default();
            assert_eq!(whole.read(text.as_bytes()), expected, "{text}");
            let mut pieces = RequestLine::default();
            let seen: Vec<bool> = text.as_bytes().chunks(1).map(|piece| pieces.read(piece)).collect();
            assert_eq!(seen.contains(&true), expected, "{text}");
        }
    }
}
