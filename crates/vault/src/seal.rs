//! Sealing, purely: a chunk of plaintext to sealed bytes and back. docs/formats/segment.md has the layout.
//!
//! ```text
//! sealed chunk = header frame*          header = marker (4 bytes) salt (16 bytes)
//! frame        = ciphertext (up to 64 KiB; only the last may be shorter) tag (16 bytes)
//! ```
//!
//! The chunk's key is HMAC-SHA-256 of the salt under the data key, so a chunk that is written again, perhaps with other
//! bytes, never meets a nonce twice under one key. Within a chunk the frames form a STREAM (Hoang, Reyhanitabar,
//! Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance, CRYPTO 2015): the nonce is a
//! counter and a last-frame flag, so frames cannot be cut off, added, or change places.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use bytes::{Bytes, BytesMut};
use entente_custodians::SecretKey;
use entente_model::{Checksum, ContentId, EnterpriseId};
use zeroize::Zeroizing;

/// Plaintext bytes in every frame but the last.
pub(crate) const FRAME_BYTES: usize = 64 * 1024;
/// Bytes that sealing adds to a frame.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes before the first frame.
pub(crate) const HEADER_BYTES: usize = MARKER.len() + SALT_BYTES;

const MARKER: [u8; 4] = *b"ENT\x01";
const SALT_BYTES: usize = 16;
const FORMAT: u8 = 1;
const KEY_DOMAIN: &[u8] = b"entente chunk key 1\0";

/// What a chunk is bound to: it opens only as the same chunk of the same content of the same enterprise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding {
    pub enterprise: EnterpriseId,
    pub content: ContentId,
    pub chunk: u32,
}

/// The bytes are not what was sealed: damaged, cut short, or of another chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsealable;

/// The key of one chunk.
pub(crate) struct ChunkKey {
    key: LessSafeKey,
    binding: Binding,
}

/// Seals one chunk, batch by batch.
pub(crate) struct Sealer {
    key: ChunkKey,
    salt: [u8; SALT_BYTES],
    next_frame: u32,
}

impl ChunkKey {
    fn derive(data_key: &SecretKey, salt: &[u8], binding: Binding) -> Result<Self, Unsealable> {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, data_key.expose()));
        context.update(KEY_DOMAIN);
        context.update(salt);
        let mut bytes = Zeroizing::new([0_u8; 32]);
        bytes.copy_from_slice(context.sign().as_ref());
        let key = UnboundKey::new(&AES_256_GCM, bytes.as_slice()).map_err(|_| Unsealable)?;
        Ok(Self { key: LessSafeKey::new(key), binding })
    }

    /// Reads a chunk's header.
    pub(crate) fn from_header(data_key: &SecretKey, header: &[u8], binding: Binding) -> Result<Self, Unsealable> {
        let salt = header.strip_prefix(MARKER.as_slice()).filter(|salt| salt.len() == SALT_BYTES);
        Self::derive(data_key, salt.ok_or(Unsealable)?, binding)
    }

    /// Opens one sealed frame where it stands; answers its plaintext.
    pub(crate) fn open(&self, frame: u32, last: bool, mut sealed: BytesMut) -> Result<Bytes, Unsealable> {
        let aad = self.associated_data(frame);
        let length = self.key.open_in_place(nonce(frame, last), aad, &mut sealed).map_err(|_| Unsealable)?.len();
        sealed.truncate(length);
        Ok(sealed.freeze())
    }

    fn seal(&self, frame: u32, last: bool, plain: &mut [u8]) -> Result<[u8; TAG_BYTES], Unsealable> {
        let aad = self.associated_data(frame);
        let tag = self.key.seal_in_place_separate_tag(nonce(frame, last), aad, plain).map_err(|_| Unsealable)?;
        tag.as_ref().try_into().map_err(|_| Unsealable)
    }

    fn associated_data(&self, frame: u32) -> Aad<[u8; 25]> {
        let mut data = [0; 25];
        let Binding { enterprise, content, chunk } = self.binding;
        let parts: [&[u8]; 5] = [
            &[FORMAT],
            &enterprise.number().to_be_bytes(),
            &content.number().to_be_bytes(),
            &chunk.to_be_bytes(),
            &frame.to_be_bytes(),
        ];
        for (byte, part) in data.iter_mut().zip(parts.into_iter().flatten()) {
            *byte = *part;
        }
        Aad::from(data)
    }
}

impl Sealer {
    /// Begins a chunk under a fresh salt. Fails only if the cipher cannot be set up.
    pub(crate) fn new(data_key: &SecretKey, salt: [u8; SALT_BYTES], binding: Binding) -> Result<Self, Unsealable> {
        Ok(Self { key: ChunkKey::derive(data_key, &salt, binding)?, salt, next_frame: 0 })
    }

    /// Seals a batch: whole frames, except at the chunk's end, which `last` says. The header comes with the first batch.
    pub(crate) fn seal(&mut self, plain: &[Bytes], last: bool) -> Result<Bytes, Unsealable> {
        let length: usize = plain.iter().map(Bytes::len).sum();
        if length == 0 || (!last && !length.is_multiple_of(FRAME_BYTES)) {
            return Err(Unsealable);
        }
        let mut out = BytesMut::with_capacity(HEADER_BYTES + length + length.div_ceil(FRAME_BYTES) * TAG_BYTES);
        if self.next_frame == 0 {
            out.extend_from_slice(&MARKER);
            out.extend_from_slice(&self.salt);
        }
        let (mut start, mut left) = (out.len(), length);
        for mut piece in plain.iter().map(Bytes::as_ref) {
            while !piece.is_empty() {
                let room = FRAME_BYTES.saturating_sub(out.len() - start);
                let (now, later) = piece.split_at_checked(room).unwrap_or((piece, &[]));
                out.extend_from_slice(now);
                left -= now.len();
                piece = later;
                if out.len() - start == FRAME_BYTES || left == 0 {
                    let tag =
                        self.key.seal(self.next_frame, last && left == 0, out.get_mut(start..).ok_or(Unsealable)?)?;
                    out.extend_from_slice(&tag);
                    self.next_frame += 1;
                    start = out.len();
                }
            }
        }
        Ok(out.freeze())
    }
}

/// The checksum of a sealed chunk.
pub(crate) fn checksum(sealed: &[u8]) -> Checksum {
    shortened(blake3::hash(sealed))
}

/// The part of a BLAKE3 hash that is kept.
pub(crate) fn shortened(hash: blake3::Hash) -> Checksum {
    let [kept, _] = hash.as_bytes().as_chunks::<16>().0 else { return Checksum([0; 16]) };
    Checksum(*kept)
}

/// How long `plain` bytes of plaintext are when sealed as one chunk.
#[cfg(test)]
pub(crate) fn sealed_length(plain: u64) -> u64 {
    HEADER_BYTES as u64 + plain + plain.div_ceil(FRAME_BYTES as u64) * TAG_BYTES as u64
}

fn nonce(frame: u32, last: bool) -> Nonce {
    let [a, b, c, d] = frame.to_be_bytes();
    Nonce::assume_unique_for_key([0, 0, 0, 0, 0, 0, 0, a, b, c, d, u8::from(last)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    const BINDING: Binding = Binding { enterprise: EnterpriseId::new(7), content: ContentId::new(9), chunk: 3 };

    fn data_key() -> SecretKey {
        SecretKey::new(std::array::from_fn(|i| u8::try_from(i).unwrap()))
    }

    fn seal_all(plain: &[u8], batch_frames: usize, cut: usize) -> BytesMut {
        let mut sealer = Sealer::new(&data_key(), [5; 16], BINDING).unwrap();
        let mut sealed = BytesMut::new();
        let batches: Vec<_> = plain.chunks(batch_frames * FRAME_BYTES).collect();
        for (i, batch) in batches.iter().enumerate() {
            let pieces: Vec<_> = batch.chunks(cut.max(1)).map(Bytes::copy_from_slice).collect();
            sealed.extend_from_slice(&sealer.seal(&pieces, i + 1 == batches.len()).unwrap());
        }
        sealed
    }

    fn open_all(mut sealed: BytesMut, binding: Binding) -> Result<Vec<u8>, Unsealable> {
        if sealed.len() < HEADER_BYTES {
            return Err(Unsealable);
        }
        let header = sealed.split_to(HEADER_BYTES);
        let key = ChunkKey::from_header(&data_key(), &header, binding)?;
        let (mut plain, mut frame) = (Vec::new(), 0);
        while !sealed.is_empty() {
            let piece = sealed.split_to(sealed.len().min(FRAME_BYTES + TAG_BYTES));
            plain.extend_from_slice(&key.open(frame, sealed.is_empty(), piece)?);
            frame += 1;
        }
        Ok(plain)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn sealed_then_opened_is_the_same(length in 1_usize..400_000, batch in 1_usize..5, cut in 1_usize..200_000) {
            let plain: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let sealed = seal_all(&plain, batch, cut);
            prop_assert_eq!(sealed.len() as u64, sealed_length(length as u64));
            prop_assert_eq!(open_all(sealed, BINDING).unwrap(), plain);
        }

        #[test]
        fn any_flipped_bit_fails_to_open(length in 1_usize..200_000, at in any::<usize>(), bit in 0_u8..8) {
            let mut sealed = seal_all(&vec![1; length], 2, 70_000);
            let at = at % sealed.len();
            sealed[at] ^= 1 << bit;
            prop_assert!(open_all(sealed, BINDING).is_err());
        }

        #[test]
        fn any_truncation_fails_to_open(length in 1_usize..200_000, keep in any::<usize>()) {
            let mut sealed = seal_all(&vec![1; length], 2, 70_000);
            let keep = keep % sealed.len();
            sealed.truncate(keep);
            // Cut right after the header there is nothing to open: the reader knows the length and asks for more.
            prop_assert!(open_all(sealed, BINDING).map_or(true, |plain| plain.is_empty()));
        }
    }

    #[test]
    fn a_chunk_opens_only_as_itself() {
        let sealed = seal_all(b"content", 1, 100);
        for other in [
            Binding { enterprise: EnterpriseId::new(8), ..BINDING },
            Binding { content: ContentId::new(10), ..BINDING },
            Binding { chunk: 4, ..BINDING },
        ] {
            assert!(open_all(sealed.clone(), other).is_err());
        }
    }

    /// The bytes of format 1, for ever: a change here is a change of format.
    #[test]
    fn golden_bytes() {
        let sealed = seal_all(b"entente", 1, 100);
        let hex: String = sealed.iter().map(|b| format!("{b:02x}")).collect();
        insta::assert_snapshot!(hex);
    }
}
