//! The digests that S3 knows, computed while bytes pass by.

use super::{BodyProblem, Digests};
use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use data_encoding::BASE64;
use entente_model::Md5;
use http::HeaderName;
use md5::{Digest as _, Md5 as Md5Context};

/// A checksum that a client may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// As it stands in requests, answers and facts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header or trailer that has its value.
    pub(crate) const fn header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        })
    }

    /// The length of its value in bytes.
    pub(crate) const fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    const fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Whether the text can be a value of it.
    pub(crate) fn is_value(self, text: &str) -> bool {
        BASE64.decode(text.as_bytes()).is_ok_and(|bytes| bytes.len() == self.length())
    }
}

/// One checksum in the making.
#[expect(clippy::large_enum_variant, reason = "there is one for each body, beside what is larger still")]
pub(crate) enum Hasher {
    Crc(Algorithm, Crc),
    Sha(Algorithm, Context),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc(algorithm, Crc::new(CrcAlgorithm::Crc32IsoHdlc)),
            Algorithm::Crc32c => Self::Crc(algorithm, Crc::new(CrcAlgorithm::Crc32Iscsi)),
            Algorithm::Crc64Nvme => Self::Crc(algorithm, Crc::new(CrcAlgorithm::Crc64Nvme)),
            Algorithm::Sha1 => Self::Sha(algorithm, Context::new(&SHA1_FOR_LEGACY_USE_ONLY)),
            Algorithm::Sha256 => Self::Sha(algorithm, Context::new(&SHA256)),
        }
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc(_, crc) => crc.update(data),
            Self::Sha(_, context) => context.update(data),
        }
    }

    pub(crate) fn finish(self) -> (Algorithm, String) {
        match self {
            Self::Crc(algorithm, crc) => {
                let number = crc.finalize().to_be_bytes();
                let bytes = number.get(number.len() - algorithm.length()..).unwrap_or_default();
                (algorithm, BASE64.encode(bytes))
            }
            Self::Sha(algorithm, context) => (algorithm, BASE64.encode(context.finish().as_ref())),
        }
    }
}

/// The checksum of parts laid end to end, from their checksums and lengths. Only sums can be combined, and no other digest.
pub(crate) fn combined(algorithm: Algorithm, parts: &[(&str, u64)]) -> Option<String> {
    let of_crc = algorithm.crc()?;
    let mut whole: Option<u64> = None;
    for (value, length) in parts {
        let bytes = BASE64.decode(value.as_bytes()).ok().filter(|bytes| bytes.len() == algorithm.length())?;
        let part = bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        whole = Some(whole.map_or(part, |before| crc_fast::checksum_combine(of_crc, before, part, *length)));
    }
    let number = whole?.to_be_bytes();
    Some(BASE64.encode(number.get(number.len() - algorithm.length()..)?))
}

/// The checksum of the checksums of parts, and how many there are: `value-count`.
pub(crate) fn composite(algorithm: Algorithm, parts: &[(&str, u64)]) -> Option<String> {
    let mut hasher = Hasher::new(algorithm);
    for (value, _) in parts {
        hasher.update(&BASE64.decode(value.as_bytes()).ok()?);
    }
    Some(format!("{}-{}", hasher.finish().1, parts.len()))
}

/// All that is computed of one body, in one pass over it.
#[derive(Default)]
pub(crate) struct Hashers {
    pub(crate) md5: Option<Md5Context>,
    pub(crate) sha256: Option<Context>,
    pub(crate) checksum: Option<Hasher>,
    size_bytes: u64,
}

impl Hashers {
    pub(crate) fn with_md5(mut self) -> Self {
        self.md5 = Some(Md5Context::new());
        self
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        self.size_bytes += data.len() as u64;
        if let Some(md5) = &mut self.md5 {
            md5.update(data);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(data);
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.update(data);
        }
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// What was found; fails when the SHA-256 is not the expected one.
    pub(crate) fn finish(self, sha256: Option<&[u8; 32]>) -> Result<Digests, BodyProblem> {
        if let (Some(context), Some(expected)) = (self.sha256, sha256)
            && context.finish().as_ref() != expected
        {
            return Err(BodyProblem::Sha256);
        }
        Ok(Digests {
            md5: self.md5.map(|context| Md5(context.finalize().into())),
            checksum: self.checksum.map(Hasher::finish),
            size_bytes: self.size_bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, BASE64, Hasher, Hashers, combined, composite};

    #[test]
    fn checksums_are_as_published() {
        let of = |algorithm| {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"1234");
            hasher.update(b"56789");
            hasher.finish().1
        };
        // The check values of the catalogue of CRC algorithms, and SHA of the same digits.
        assert_eq!(of(Algorithm::Crc32), "y/Q5Jg==");
        assert_eq!(of(Algorithm::Crc32c), "4waSgw==");
        assert_eq!(of(Algorithm::Crc64Nvme), "rosUhgp5mIg=");
        assert_eq!(of(Algorithm::Sha1), "98O8HYCOBHMq32eZZczDTKeuNEE=");
        assert_eq!(of(Algorithm::Sha256), "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
        for algorithm in Algorithm::ALL {
            assert!(algorithm.is_value(&of(algorithm)) && !algorithm.is_value("AAA="));
            assert_eq!(Algorithm::parse(&algorithm.name().to_lowercase()), Some(algorithm));
        }
    }

    #[test]
    fn checksums_of_parts_make_those_of_the_whole() {
        let of = |algorithm, data: &[u8]| {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(data);
            hasher.finish().1
        };
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let (one, two, three) = (of(algorithm, b"1234"), of(algorithm, b"56"), of(algorithm, b"789"));
            let parts = [(one.as_str(), 4), (two.as_str(), 2), (three.as_str(), 3)];
            assert_eq!(combined(algorithm, &parts).unwrap(), of(algorithm, b"123456789"));
        }
        assert_eq!(combined(Algorithm::Sha1, &[]), None);
        let one = of(Algorithm::Sha256, b"1");
        let both = [BASE64.decode(one.as_bytes()).unwrap(), BASE64.decode(one.as_bytes()).unwrap()].concat();
        let composed = composite(Algorithm::Sha256, &[(&one, 1), (&one, 1)]).unwrap();
        assert_eq!(composed, format!("{}-2", of(Algorithm::Sha256, &both)));
    }

    #[test]
    fn one_pass_computes_all() {
        let mut hashers = Hashers::default().with_md5();
        hashers.checksum = Some(Hasher::new(Algorithm::Crc32));
        hashers.update(b"123456789");
        let found = hashers.finish(None).unwrap();
        assert_eq!(found.md5.unwrap().to_string(), "25f9e794323b453885f5181f1b624d0b");
        assert_eq!((found.checksum.unwrap().1.as_str(), found.size_bytes), ("y/Q5Jg==", 9));
    }
}
