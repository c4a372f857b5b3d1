//! Checksums in the five fields in which S3's answers have them.

use crate::body::{Algorithm, Digests};
use entente_tree::{Checksum, ChecksumKind, Facts};
use s3s::dto::ChecksumType;

/// Puts a checksum into the field of its algorithm.
macro_rules! with_checksum {
    ($output:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            let value = Some(checksum.value.clone());
            match $crate::body::Algorithm::parse(&checksum.algorithm) {
                Some($crate::body::Algorithm::Crc32) => $output.checksum_crc32 = value,
                Some($crate::body::Algorithm::Crc32c) => $output.checksum_crc32c = value,
                Some($crate::body::Algorithm::Crc64Nvme) => $output.checksum_crc64nvme = value,
                Some($crate::body::Algorithm::Sha1) => $output.checksum_sha1 = value,
                Some($crate::body::Algorithm::Sha256) => $output.checksum_sha256 = value,
                None => {}
            }
        }
    };
}
pub(super) use with_checksum;

/// The one checksum among the fields of a request.
macro_rules! named_checksum {
    ($input:expr) => {
        [
            ($crate::body::Algorithm::Crc32, $input.checksum_crc32.as_ref()),
            ($crate::body::Algorithm::Crc32c, $input.checksum_crc32c.as_ref()),
            ($crate::body::Algorithm::Crc64Nvme, $input.checksum_crc64nvme.as_ref()),
            ($crate::body::Algorithm::Sha1, $input.checksum_sha1.as_ref()),
            ($crate::body::Algorithm::Sha256, $input.checksum_sha256.as_ref()),
        ]
        .into_iter()
        .find_map(|(algorithm, value)| Some((algorithm, value?.clone())))
    };
}
pub(super) use named_checksum;

/// A checksum of all bytes, as it is remembered.
pub(super) fn full(algorithm: Algorithm, value: String) -> Checksum {
    Checksum { algorithm: algorithm.name().to_owned(), value, kind: ChecksumKind::FullObject }
}

/// Remembers the checksum that a client announced or asked for, if it did.
pub(super) fn remember(facts: &mut Facts, found: &Digests) {
    if let Some((algorithm, value)) = &found.checksum {
        facts.checksum = Some(full(*algorithm, value.clone()));
    }
}

/// What a checksum is of, as S3 calls it.
pub(super) fn kind(checksum: &Checksum) -> ChecksumType {
    ChecksumType::from_static(match checksum.kind {
        ChecksumKind::FullObject => ChecksumType::FULL_OBJECT,
        ChecksumKind::Composite => ChecksumType::COMPOSITE,
    })
}
