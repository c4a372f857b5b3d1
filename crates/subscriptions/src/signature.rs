//! How a receiver knows that a delivery is ours, and when it was sent.

use crate::Secret;
use aws_lc_rs::hmac;
use data_encoding::{BASE64, HEXLOWER};
use entente_model::Timestamp;

/// The header that has the signature.
pub const HEADER: &str = "x-entente-signature";

/// The value of the header: `t=` and the seconds since 1970 at which it was sent, a comma, `v1=` and the HMAC-SHA256, in
/// lower-case hexadecimal, of those seconds in decimal, a full stop, and the body. The key is the secret's bytes.
#[must_use]
pub fn sign(secret: &Secret, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.millis() / 1_000;
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.expose()));
    context.update(seconds.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    format!("t={seconds},v1={}", HEXLOWER.encode(context.sign().as_ref()))
}

/// As Box signs what webhooks are told: the HMAC-SHA256, in Base64, of the body and what `box-delivery-timestamp` says. The
/// key is the bytes of its text: <https://developer.box.com/guides/webhooks/v2/signatures-v2/>.
#[must_use]
pub fn sign_as_box(key: &[u8], sent_at: &str, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    context.update(body);
    context.update(sent_at.as_bytes());
    BASE64.encode(context.sign().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_compute_the_same() {
        let secret = Secret::new(b"a secret of the receiver".to_vec()).unwrap();
        let signed = sign(&secret, Timestamp::from_millis(1_700_000_000_999), b"{}");
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac 'a secret of the receiver'
        assert_eq!(signed, "t=1700000000,v1=e7991192106f1767d712fa1d7fadb1dc1e7997bb169f851abae818eeaf62737a");
        assert_ne!(sign(&secret, Timestamp::from_millis(1_700_000_001_000), b"{}"), signed);
    }

    #[test]
    fn receivers_of_webhooks_compute_the_same() {
        // printf '{}2020-01-01T00:00:00Z' | openssl dgst -sha256 -hmac 'SamplePrimaryKey' -binary | base64
        let signed = sign_as_box(b"SamplePrimaryKey", "2020-01-01T00:00:00Z", b"{}");
        assert_eq!(signed, "AybmhML++XpRjsx1zjFfYzFEA3WWcwdSAtrnsEa1tIk=");
    }
}
