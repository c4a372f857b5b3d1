//! Codes of six digits that are made of a secret and the time (RFC 6238, with SHA-1 and thirty seconds, which is what
//! every authenticator app knows).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use data_encoding::BASE32_NOPAD;
use entente_model::Timestamp;
use zeroize::Zeroizing;

/// Bytes of a secret: as many as the digest has (RFC 4226, 4).
pub(crate) const SECRET_BYTES: usize = 20;
/// How long a code is shown.
const STEP_MS: i64 = 30_000;
/// Steps that a device may be early or late.
const STEPS_OFF: i64 = 1;

/// The step that a moment is in.
pub(crate) fn step(at: Timestamp) -> i64 {
    at.millis().div_euclid(STEP_MS)
}

/// Which step has that code: about now, and after the one that was used last. `None` when none has.
pub(crate) fn step_of(secret: &[u8], code: &str, now: i64, used: i64) -> Option<i64> {
    let mut found = None;
    for step in (now - STEPS_OFF)..=(now + STEPS_OFF) {
        // All are compared, whichever it is.
        let is_it = verify_slices_are_equal(at_step(secret, step)?.as_bytes(), code.as_bytes()).is_ok();
        if is_it && step > used {
            found = Some(step);
        }
    }
    found
}

/// The code of a step. `None` cannot happen: a digest of SHA-1 has 20 bytes.
pub(crate) fn at_step(secret: &[u8], step: i64) -> Option<String> {
    let tag = sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret), &step.to_be_bytes());
    let digest = tag.as_ref();
    let offset = usize::from(digest.last()? & 0x0f);
    let word = digest.get(offset..)?.first_chunk::<4>()?;
    let number = (u32::from_be_bytes(*word) & 0x7fff_ffff) % 1_000_000;
    Some(format!("{number:06}"))
}

/// A secret as people type it.
pub(crate) fn shown(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// The secret that was shown so. `None` for anything of another length or with other letters.
pub(crate) fn read(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let secret = Zeroizing::new(BASE32_NOPAD.decode(text.as_bytes()).ok()?);
    (secret.len() == SECRET_BYTES).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::{at_step, read, shown, step, step_of};
    use entente_model::Timestamp;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the last six of its eight digits.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let at = step(Timestamp::from_millis(second * 1_000));
            assert_eq!(at_step(SECRET, at).as_deref(), Some(code), "{second}");
        }
    }

    #[test]
    fn a_code_is_good_a_step_early_or_late_and_not_after_its_like() {
        let code = at_step(SECRET, 100).unwrap();
        for now in [99, 100, 101] {
            assert_eq!(step_of(SECRET, &code, now, 99), Some(100), "{now}");
        }
        for (now, used) in [(98, -1), (102, -1), (100, 100), (100, 101)] {
            assert_eq!(step_of(SECRET, &code, now, used), None, "{now} {used}");
        }
        for bad in ["", "00000", "0000000", "abcdef"] {
            assert_eq!(step_of(SECRET, bad, 100, -1), None, "{bad:?}");
        }
    }

    #[test]
    fn a_secret_is_read_as_it_is_shown() {
        assert_eq!(read(&shown(SECRET)).unwrap().as_slice(), SECRET);
        for bad in
            ["", "GEZDGNBV", "gezdgnbvgy3tqojqgezdgnbvgy3tqojq", &"A".repeat(40), "1EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
        {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
