//! Names for requests, so that an answer can be found in the log.

use entente_world::World;
use http::HeaderValue;
use std::fmt;

/// The header that carries the request's id in every answer.
pub const HEADER: http::HeaderName = http::HeaderName::from_static("x-request-id");

const BYTES: usize = 12;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// A random name for one request: 96 bits, shown as 24 hexadecimal digits. Never taken from the client.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; BYTES]);

impl RequestId {
    /// A fresh one.
    #[must_use]
    pub fn random(world: &World) -> Self {
        Self(world.random().bytes())
    }

    /// As the value of a header.
    #[must_use]
    pub fn header_value(self) -> HeaderValue {
        // Hexadecimal digits are always legal in a header.
        HeaderValue::from_bytes(&self.digits()).unwrap_or(HeaderValue::from_static("unknown"))
    }

    fn digits(self) -> [u8; 2 * BYTES] {
        let mut digits = [b'0'; 2 * BYTES];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            if let [high, low] = pair {
                *high = HEX[usize::from(byte >> 4)];
                *low = HEX[usize::from(byte & 15)];
            }
        }
        digits
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or("unknown"))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_as_digits() {
        let id = RequestId([0x00, 0x1f, 0xa0, 0xff, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(id.to_string(), "001fa0ff0102030405060708");
        assert_eq!(id.header_value(), "001fa0ff0102030405060708");
    }
}
