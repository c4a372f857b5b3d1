//! Keys that customers bring along with their requests (SSE-C), and what is answered about them
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html>).
//!
//! They are taken out of a request before anything else looks at its headers, so that nothing behind can print one.

use crate::error::{custom, error};
use data_encoding::BASE64;
use entente_door_kit::origin::Origin;
use entente_door_kit::{Arrival, Scheme};
use entente_tree::CustomerKey;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use md5::{Digest as _, Md5};
use s3s::{S3Error, S3ErrorCode, S3Result};
use std::sync::Arc;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
/// Of its text in base64, decoded: the longest that can be a key, with room for what is too long.
const DECODED_BYTES_MAX: usize = 66;
const AES256: &str = "AES256";
/// What all names of these headers have in them.
const INFIX: &str = "-side-encryption-customer-";
const FORWARDED: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-proto"), HeaderName::from_static("x-forwarded-for")];
const OTHER_SEALING: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");

/// The three headers, or fields of a form, that say one key.
pub(crate) struct Names {
    algorithm: &'static str,
    key: &'static str,
    md5: &'static str,
}

/// For what is written, or read.
const TARGET: Names = Names {
    algorithm: "x-amz-server-side-encryption-customer-algorithm",
    key: "x-amz-server-side-encryption-customer-key",
    md5: "x-amz-server-side-encryption-customer-key-md5",
};
/// For what is copied.
const SOURCE: Names = Names {
    algorithm: "x-amz-copy-source-server-side-encryption-customer-algorithm",
    key: "x-amz-copy-source-server-side-encryption-customer-key",
    md5: "x-amz-copy-source-server-side-encryption-customer-key-md5",
};

/// A key that a request brought along.
pub(crate) struct SaidKey {
    key: Arc<CustomerKey>,
    /// Of the key, in base64: clients compare it.
    md5: String,
}

/// The keys of a request.
#[derive(Default)]
pub(crate) struct SaidKeys {
    target: Option<SaidKey>,
    source: Option<SaidKey>,
}

/// Whether nobody between a client and us can read what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    Private,
    Open,
}

impl Privacy {
    /// Of a request: private when it came encrypted all the way, as far as we know, or from this very machine.
    pub(crate) fn of(origin: &Origin, uri: &Uri, headers: &HeaderMap, arrival: &Arrival) -> Self {
        // A proxy on this machine may have been reached by anybody, and says that it is one.
        let is_forwarded = || FORWARDED.iter().any(|name| headers.contains_key(name));
        let is_local = || arrival.peer.ip().to_canonical().is_loopback() && !is_forwarded();
        let is_encrypted = || origin.base_url(arrival, uri, headers).scheme() == Scheme::Https;
        if arrival.scheme == Scheme::Https || is_encrypted() || is_local() { Self::Private } else { Self::Open }
    }
}

impl SaidKeys {
    /// Takes the keys out of a request's headers. Whatever says half a key is refused; and any key that came in the open.
    pub(crate) fn take(headers: &mut HeaderMap, privacy: impl FnOnce(&HeaderMap) -> Privacy) -> S3Result<Self> {
        if !headers.keys().any(|name| name.as_str().contains(INFIX)) {
            // Most requests bring none.
            return Ok(Self::default());
        }
        let mut key_of = |names: &Names| {
            if [names.algorithm, names.key, names.md5].iter().any(|name| headers.get_all(*name).iter().count() > 1) {
                return Err(invalid("A header of the secret key stands twice."));
            }
            let [algorithm, key, md5] = [names.algorithm, names.key, names.md5].map(|name| headers.remove(name));
            let [algorithm, key, md5] = [&algorithm, &key, &md5].map(|value| value.as_ref().map(HeaderValue::as_bytes));
            SaidKey::read(algorithm, key, md5)
        };
        let keys = Self { target: key_of(&TARGET)?, source: key_of(&SOURCE)? };
        keys.check(|| privacy(headers), headers.contains_key(OTHER_SEALING))?;
        Ok(keys)
    }

    /// Refuses a key in the query of a signed URL: whoever sees the URL, such as a log, would have it.
    pub(crate) fn refuse_in_query(hoisted: &HeaderMap) -> S3Result<()> {
        if hoisted.contains_key(TARGET.key) || hoisted.contains_key(SOURCE.key) {
            return Err(invalid("The secret key must be sent as a header, not in the query of a URL."));
        }
        Ok(())
    }

    /// Whether a header, or a field of a form, says something of a key.
    pub(crate) fn is_said_by(name: &str) -> bool {
        name.contains(INFIX)
    }

    /// The key among the fields of a form.
    pub(crate) fn of_form<'f>(
        field: impl Fn(&str) -> Option<&'f str>,
        privacy: impl FnOnce() -> Privacy,
    ) -> S3Result<Self> {
        let value = |name| field(name).map(str::as_bytes);
        let target = SaidKey::read(value(TARGET.algorithm), value(TARGET.key), value(TARGET.md5))?;
        let keys = Self { target, source: None };
        keys.check(privacy, field(OTHER_SEALING.as_str()).is_some())?;
        Ok(keys)
    }

    fn check(&self, privacy: impl FnOnce() -> Privacy, names_other: bool) -> S3Result<()> {
        if self.target.is_none() && self.source.is_none() {
            return Ok(());
        }
        if self.target.is_some() && names_other {
            return Err(invalid(
                "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
            ));
        }
        if privacy() == Privacy::Open {
            let message = "Requests specifying Server Side Encryption with Customer provided keys must be made over a \
                           secure connection.";
            return Err(error(S3ErrorCode::InvalidRequest, message));
        }
        Ok(())
    }

    /// The key for what is written, or read.
    pub(crate) fn target(&self) -> Option<Arc<CustomerKey>> {
        self.target.as_ref().map(|said| Arc::clone(&said.key))
    }

    /// The key for what is copied.
    pub(crate) fn source(&self) -> Option<Arc<CustomerKey>> {
        self.source.as_ref().map(|said| Arc::clone(&said.key))
    }

    /// How it is answered that the key for what is written, or read, was used: algorithm and MD5 of the key.
    pub(crate) fn told(&self) -> Option<(String, String)> {
        self.target.as_ref().map(|said| (AES256.to_owned(), said.md5.clone()))
    }
}

impl SaidKey {
    fn read(algorithm: Option<&[u8]>, key: Option<&[u8]>, md5: Option<&[u8]>) -> S3Result<Option<Self>> {
        let (algorithm, key, md5) = match (algorithm, key, md5) {
            (None, None, None) => return Ok(None),
            (None, ..) => {
                return Err(invalid(
                    "Requests specifying Server Side Encryption with Customer provided keys must provide a valid \
                     encryption algorithm.",
                ));
            }
            (_, None, _) => {
                return Err(invalid(
                    "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate \
                     secret key.",
                ));
            }
            (.., None) => {
                return Err(invalid(
                    "Requests specifying Server Side Encryption with Customer provided keys must provide the client \
                     calculated MD5 of the secret key.",
                ));
            }
            (Some(algorithm), Some(key), Some(md5)) => (algorithm, key, md5),
        };
        if algorithm != AES256.as_bytes() {
            let message = "The encryption request you specified is not valid. The valid value is AES256.";
            return Err(custom("InvalidEncryptionAlgorithmError", StatusCode::BAD_REQUEST, message));
        }
        let bytes = decoded(key).ok_or_else(|| invalid("The secret key was invalid for the specified algorithm."))?;
        let found = Md5::digest(bytes.as_slice());
        if BASE64.decode(md5).ok().as_deref() != Some(found.as_slice()) {
            return Err(invalid("The calculated MD5 hash of the key did not match the hash that was provided."));
        }
        Ok(Some(Self { key: Arc::new(CustomerKey::new(*bytes)), md5: BASE64.encode(&found) }))
    }
}

/// A key out of its base64.
fn decoded(text: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let length = BASE64.decode_len(text.len()).ok().filter(|length| *length <= DECODED_BYTES_MAX)?;
    let mut room = Zeroizing::new([0; DECODED_BYTES_MAX]);
    let written = BASE64.decode_mut(text, room.get_mut(..length)?).ok()?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if written != KEY_BYTES {
        return None;
    }
    key.copy_from_slice(room.get(..KEY_BYTES)?);
    Some(key)
}

fn invalid(message: &'static str) -> S3Error {
    error(S3ErrorCode::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::{Origin, Privacy, SOURCE, SaidKeys, Scheme, TARGET};
    use entente_door_kit::{Arrival, Entry, RequestId};
    use http::{HeaderMap, HeaderName, HeaderValue};

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const KEY_MD5: &str = "tP/LI3N87DFaSk0aoqYgzg==";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn code(pairs: &[(&'static str, &'static str)]) -> String {
        match SaidKeys::take(&mut headers(pairs), |_| Privacy::Private) {
            Ok(_) => "none".to_owned(),
            Err(error) => error.code().as_str().to_owned(),
        }
    }

    #[test]
    fn keys_are_taken_away() {
        let mut said = headers(&[
            (TARGET.algorithm, "AES256"),
            (TARGET.key, KEY),
            (TARGET.md5, KEY_MD5),
            (SOURCE.algorithm, "AES256"),
            (SOURCE.key, KEY),
            (SOURCE.md5, KEY_MD5),
            ("x-amz-meta-a", "b"),
        ]);
        let keys = SaidKeys::take(&mut said, |_| Privacy::Private).unwrap();
        assert_eq!(said, headers(&[("x-amz-meta-a", "b")]));
        assert_eq!(keys.told(), Some(("AES256".to_owned(), KEY_MD5.to_owned())));
        assert!(keys.target().unwrap().is_same(&keys.source().unwrap()));
        let none = SaidKeys::take(&mut said, |_| unreachable!("there is no key")).unwrap();
        assert!(none.target().is_none() && none.source().is_none() && none.told().is_none());
    }

    #[test]
    fn half_a_key_is_none() {
        let whole = [(TARGET.algorithm, "AES256"), (TARGET.key, KEY), (TARGET.md5, KEY_MD5)];
        assert_eq!(code(&whole), "none");
        for missing in 0..3 {
            let mut half = whole.to_vec();
            half.remove(missing);
            assert_eq!(code(&half), "InvalidArgument", "{missing}");
        }
        let [algorithm, key, md5] = whole;
        assert_eq!(code(&[(TARGET.algorithm, "aes:kms"), key, md5]), "InvalidEncryptionAlgorithmError");
        assert_eq!(code(&[algorithm, key, (TARGET.md5, "1B2M2Y8AsgTpgAmY7PhCfg==")]), "InvalidArgument");
        assert_eq!(code(&[algorithm, key, (TARGET.md5, "x")]), "InvalidArgument");
        for odd in ["", "x", "AAECAwQFBgcICQoLDA0ODw==", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygp"] {
            assert_eq!(code(&[algorithm, (TARGET.key, odd), md5]), "InvalidArgument", "{odd}");
        }
        assert_eq!(code(&[algorithm, key, md5, ("x-amz-server-side-encryption", "AES256")]), "InvalidArgument");
    }

    #[test]
    fn a_key_that_stands_twice_is_none() {
        let mut twice = headers(&[(TARGET.algorithm, "AES256"), (TARGET.key, KEY), (TARGET.md5, KEY_MD5)]);
        twice.append(TARGET.key, HeaderValue::from_static(KEY));
        assert!(SaidKeys::take(&mut twice, |_| Privacy::Private).is_err());
        assert!(SaidKeys::refuse_in_query(&headers(&[(SOURCE.key, KEY)])).is_err());
        assert!(SaidKeys::refuse_in_query(&headers(&[(SOURCE.algorithm, "AES256")])).is_ok());
    }

    #[tokio::test]
    async fn what_is_private() {
        let world = entente_testkit::Stage::new().await.world;
        let of = |peer: &str, scheme, public: Option<&str>, forwarded: Option<&'static str>| {
            let origin = Origin {
                public_url: public.map(|url| url.parse().unwrap()),
                trusted_proxies: vec!["192.0.2.7".parse().unwrap()],
            };
            let arrival = Arrival {
                request_id: RequestId::random(&world),
                peer: peer.parse().unwrap(),
                local: "192.0.2.1:9000".parse().unwrap(),
                scheme,
                entry: Entry::Path,
            };
            let headers =
                headers(&forwarded.map(|scheme| ("x-forwarded-proto", scheme)).into_iter().collect::<Vec<_>>());
            Privacy::of(&origin, &"/b/k".parse().unwrap(), &headers, &arrival)
        };
        assert_eq!(of("192.0.2.9:1", Scheme::Https, None, Some("http")), Privacy::Private);
        assert_eq!(of("127.0.0.1:1", Scheme::Http, None, None), Privacy::Private);
        assert_eq!(of("[::ffff:127.0.0.1]:1", Scheme::Http, None, None), Privacy::Private);
        assert_eq!(of("127.0.0.1:1", Scheme::Http, None, Some("http")), Privacy::Open);
        assert_eq!(of("192.0.2.7:1", Scheme::Http, None, Some("https")), Privacy::Private);
        assert_eq!(of("192.0.2.9:1", Scheme::Http, Some("https://s3.example.com"), Some("http")), Privacy::Private);
        assert_eq!(of("192.0.2.9:1", Scheme::Http, None, Some("https")), Privacy::Open);
        assert_eq!(of("192.0.2.7:1", Scheme::Http, None, Some("http")), Privacy::Open);
    }

    #[test]
    fn keys_do_not_travel_in_the_open() {
        let mut said = headers(&[(SOURCE.algorithm, "AES256"), (SOURCE.key, KEY), (SOURCE.md5, KEY_MD5)]);
        let refused = SaidKeys::take(&mut said, |_| Privacy::Open).err().unwrap();
        assert_eq!(refused.code().as_str(), "InvalidRequest");
    }
}
