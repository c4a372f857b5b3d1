//! Checksums as clients of ownCloud and Nextcloud send and read them: `SHA1:…`, `MD5:…`, `ADLER32:…`.

use entente_model::{Md5, Sha1};

/// What a client says of the bytes that it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// Their SHA-1.
    Sha1(Sha1),
    /// Their MD5.
    Md5(Md5),
    /// Their Adler-32 (RFC 1950).
    Adler32(u32),
}

/// The header is of a kind that we know, and its digits are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the checksum is not in hexadecimal, or not as long as it should be")]
pub struct ChecksumError;

/// Reads an `OC-Checksum`: checksums with spaces between. Kinds that we do not know are read over.
pub fn parse(text: &str) -> Result<Vec<Announced>, ChecksumError> {
    let mut found = Vec::new();
    for word in text.split_ascii_whitespace() {
        let Some((kind, digits)) = word.split_once(':') else { continue };
        let announced = if kind.eq_ignore_ascii_case("sha1") {
            Some(Announced::Sha1(Sha1::from_hex(digits).ok_or(ChecksumError)?))
        } else if kind.eq_ignore_ascii_case("md5") {
            Some(Announced::Md5(Md5::from_hex(digits).ok_or(ChecksumError)?))
        } else if kind.eq_ignore_ascii_case("adler32") {
            let fits = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            let number = u32::from_str_radix(digits, 16).map_err(|_| ChecksumError)?;
            Some(Announced::Adler32(fits.then_some(number).ok_or(ChecksumError)?))
        } else {
            None
        };
        found.extend(announced);
        if found.len() > 8 {
            return Err(ChecksumError);
        }
    }
    Ok(found)
}

/// Adler-32 as bytes come.
#[derive(Debug, Clone, Copy)]
pub struct Adler32 {
    sum: u32,
    sums: u32,
}

impl Default for Adler32 {
    fn default() -> Self {
        Self { sum: 1, sums: 0 }
    }
}

impl Adler32 {
    const MODULUS: u32 = 65_521;
    /// So many bytes cannot overflow the sums (RFC 1950 section 9).
    const RUN: usize = 5_552;

    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        for run in bytes.chunks(Self::RUN) {
            for byte in run {
                self.sum += u32::from(*byte);
                self.sums += self.sum;
            }
            self.sum %= Self::MODULUS;
            self.sums %= Self::MODULUS;
        }
    }

    /// What it comes to.
    #[must_use]
    pub const fn value(self) -> u32 {
        (self.sums << 16) | self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_kinds_are_read_and_others_read_over() {
        let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        let text = format!("SHA1:{sha1} MD5:d41d8cd98f00b204e9800998ecf8427e adler32:00000001 CRC9:zz");
        let found = parse(&text).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], Announced::Sha1(Sha1::from_hex(sha1).unwrap()));
        assert_eq!(found[2], Announced::Adler32(1));
        assert_eq!(parse(""), Ok(Vec::new()));
        for bad in ["SHA1:", "SHA1:zz", "MD5:00", "ADLER32:+1", "ADLER32:", "ADLER32:123456789"] {
            assert_eq!(parse(bad), Err(ChecksumError), "{bad}");
        }
    }

    #[test]
    fn adler_is_as_the_rfc_has_it() {
        let mut adler = Adler32::default();
        adler.update(b"Wiki");
        adler.update(b"pedia");
        assert_eq!(adler.value(), 0x11e6_0398);
        let mut long = Adler32::default();
        long.update(&vec![0xff; 1_000_000]);
        let mut pieces = Adler32::default();
        vec![0xff; 1_000_000].chunks(7).for_each(|piece| pieces.update(piece));
        assert_eq!(long.value(), pieces.value());
    }
}
