//! What a request says of who signed it, before anybody has looked whether that is true.

use super::{ALGORITHM, Scope, refusal};
use entente_model::Timestamp;
use http::request::Parts;
use http::{HeaderMap, HeaderName, header};
use jiff::civil;
use jiff::tz::TimeZone;
use s3s::{S3Error, S3ErrorCode};
use std::borrow::Cow;
use std::time::Duration;

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
/// The longest time for which a query may be signed: a week.
const EXPIRES_SECONDS_MAX: u64 = 7 * 24 * 60 * 60;
/// How far a client's clock may be from ours.
const SKEW: Duration = Duration::from_secs(15 * 60);
/// Headers that one signature names.
const SIGNED_HEADERS_MAX: usize = 200;

/// A signature, and what it claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim<'r> {
    /// The key's id.
    pub(crate) key: Cow<'r, str>,
    pub(crate) scope: Scope,
    /// Names of headers in lower case, with `;` between.
    pub(crate) signed_headers: Cow<'r, str>,
    /// In hexadecimal digits.
    pub(crate) signature: Cow<'r, str>,
    /// When it was signed, as it was signed.
    pub(crate) moment: Cow<'r, str>,
    pub(crate) signed_at: Timestamp,
    pub(crate) way: Way,
}

/// Where a signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// In the `Authorization` header.
    Header,
    /// In the query, for that long.
    Query(Duration),
}

impl<'r> Claim<'r> {
    /// The one claim of a request; `None` when it makes none and so is anonymous.
    pub(crate) fn read(parts: &'r Parts) -> Result<Option<Self>, S3Error> {
        let query = parts.uri.query().unwrap_or_default();
        let in_query = query.split('&').any(|pair| pair.starts_with("X-Amz-"))
            && form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "X-Amz-Signature");
        let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next(), in_query) {
            (None, _, false) if is_signed_as_of_old(query) => Err(Self::of_old()),
            (None, _, false) => Ok(None),
            (None, _, true) => Self::of_query(query).map(Some),
            (Some(value), None, false) => {
                let text = value.to_str().map_err(|_| malformed("the authorization header is not text"))?;
                Self::of_header(text, &parts.headers).map(Some)
            }
            _ => Err(refusal(S3ErrorCode::InvalidArgument, "Only one auth mechanism allowed")),
        }
    }

    fn of_header(text: &'r str, headers: &'r HeaderMap) -> Result<Self, S3Error> {
        let Some(fields) = text.strip_prefix(ALGORITHM) else {
            return Err(if text.starts_with("AWS ") {
                Self::of_old()
            } else {
                refusal(S3ErrorCode::InvalidArgument, "Unsupported Authorization Type")
            });
        };
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            match field.trim().split_once('=') {
                Some(("Credential", value)) => credential = Some(value),
                Some(("SignedHeaders", value)) => signed_headers = Some(value),
                Some(("Signature", value)) => signature = Some(value),
                _ => return Err(malformed("the authorization header has a field that does not belong there")),
            }
        }
        let (Some(credential), Some(signed_headers), Some(signature)) = (credential, signed_headers, signature) else {
            return Err(malformed("the authorization header lacks Credential, SignedHeaders or Signature"));
        };
        let (key, scope) = credential_of(credential).ok_or_else(|| malformed("the credential is malformed"))?;
        check_names(signed_headers)?;
        let (moment, signed_at) = moment_of(headers)?;
        if !moment.starts_with(&scope.date) {
            return Err(malformed("the credential's date is not that of the request"));
        }
        Ok(Self {
            key: Cow::Borrowed(key),
            scope,
            signed_headers: Cow::Borrowed(signed_headers),
            signature: Cow::Borrowed(signature),
            moment,
            signed_at,
            way: Way::Header,
        })
    }

    fn of_query(query: &'r str) -> Result<Self, S3Error> {
        let odd = |message| refusal(S3ErrorCode::AuthorizationQueryParametersError, message);
        let (mut algorithm, mut credential, mut date, mut expires, mut headers, mut signature) =
            (None, None, None, None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let field = match name.as_ref() {
                "X-Amz-Algorithm" => &mut algorithm,
                "X-Amz-Credential" => &mut credential,
                "X-Amz-Date" => &mut date,
                "X-Amz-Expires" => &mut expires,
                "X-Amz-SignedHeaders" => &mut headers,
                "X-Amz-Signature" => &mut signature,
                _ => continue,
            };
            if field.replace(value).is_some() {
                return Err(odd("a parameter of the signature stands twice"));
            }
        }
        let (
            Some(algorithm),
            Some(credential),
            Some(moment_text),
            Some(expires),
            Some(signed_headers),
            Some(signature),
        ) = (algorithm, credential, date, expires, headers, signature)
        else {
            return Err(odd(
                "Query-string authentication needs X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, \
                 X-Amz-SignedHeaders and X-Amz-Expires",
            ));
        };
        if algorithm != ALGORITHM {
            return Err(odd("X-Amz-Algorithm only supports AWS4-HMAC-SHA256"));
        }
        let (key, scope) = credential_of(&credential).ok_or_else(|| odd("X-Amz-Credential is malformed"))?;
        let signed_at = moment(&moment_text).ok_or_else(|| odd("X-Amz-Date must be in the ISO8601 Long Format"))?;
        if !moment_text.starts_with(&scope.date) {
            return Err(odd("the credential's date is not that of X-Amz-Date"));
        }
        let seconds: i64 = expires.parse().map_err(|_| odd("X-Amz-Expires should be a number"))?;
        let seconds = u64::try_from(seconds).map_err(|_| odd("X-Amz-Expires must be non-negative"))?;
        if seconds > EXPIRES_SECONDS_MAX {
            return Err(odd("X-Amz-Expires must be less than a week (in seconds) that is 604800"));
        }
        check_names(&signed_headers)?;
        Ok(Self {
            key: Cow::Owned(key.to_owned()),
            scope,
            signed_headers,
            signature,
            moment: moment_text,
            signed_at,
            way: Way::Query(Duration::from_secs(seconds)),
        })
    }

    /// Version 2 hashes with SHA-1, covers neither body nor most headers, and has been withdrawn.
    fn of_old() -> S3Error {
        let message = "Signature version 2 is not accepted. Please use AWS4-HMAC-SHA256";
        refusal(S3ErrorCode::InvalidRequest, message)
    }

    /// Whether the signature holds now.
    pub(crate) fn check_time(&self, now: Timestamp) -> Result<(), S3Error> {
        let skewed = "The difference between the request time and the current time is too large.";
        match self.way {
            Way::Header if now > self.signed_at.after(SKEW) || now < self.signed_at.before(SKEW) => {
                Err(refusal(S3ErrorCode::RequestTimeTooSkewed, skewed))
            }
            Way::Query(_) if now < self.signed_at.before(SKEW) => {
                Err(refusal(S3ErrorCode::AccessDenied, "Request is not valid yet"))
            }
            Way::Query(lifetime) if now >= self.signed_at.after(lifetime) => {
                Err(refusal(S3ErrorCode::AccessDenied, "Request has expired"))
            }
            Way::Header | Way::Query(_) => Ok(()),
        }
    }

    /// Whether it covers what nobody on the way may change: the host, and all that has a meaning of S3's.
    pub(crate) fn check_cover(&self, headers: &HeaderMap) -> Result<(), S3Error> {
        let covers = |name: &str| self.signed_headers.split(';').any(|signed| signed == name);
        let is_open = |name: &str| {
            // What a body is checked against is no order to do anything.
            name.starts_with("x-amz-") && !matches!(name, "x-amz-content-sha256" | "x-amz-user-agent" | "x-amz-date")
        };
        let uncovered = headers.keys().any(|name| is_open(name.as_str()) && !covers(name.as_str()));
        if uncovered || !covers("host") {
            let message = "There were headers present in the request which were not signed";
            return Err(refusal(S3ErrorCode::AccessDenied, message));
        }
        Ok(())
    }
}

fn is_signed_as_of_old(query: &str) -> bool {
    query.contains("AWSAccessKeyId=") && query.contains("Signature=")
}

fn credential_of(text: &str) -> Option<(&str, Scope)> {
    let (key, scope) = text.split_once('/')?;
    Some((key, Scope::parse(scope)?))
}

fn check_names(signed_headers: &str) -> Result<(), S3Error> {
    let is_fit = |name: &str| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    if signed_headers.split(';').count() > SIGNED_HEADERS_MAX || !signed_headers.split(';').all(is_fit) {
        return Err(malformed("SignedHeaders are names in lower case with semicolons between"));
    }
    Ok(())
}

/// When a request was signed: by `x-amz-date`, else by `Date`, in either of its forms.
fn moment_of(headers: &HeaderMap) -> Result<(Cow<'_, str>, Timestamp), S3Error> {
    let denied = || refusal(S3ErrorCode::AccessDenied, "AWS authentication requires a valid Date or x-amz-date header");
    let value = headers.get(X_AMZ_DATE).or_else(|| headers.get(header::DATE)).ok_or_else(denied)?;
    let text = value.to_str().map_err(|_| denied())?;
    if let Some(signed_at) = moment(text) {
        return Ok((Cow::Borrowed(text), signed_at));
    }
    let read = jiff::fmt::rfc2822::parse(text).map_err(|_| denied())?.with_time_zone(TimeZone::UTC);
    let short = read.strftime("%Y%m%dT%H%M%SZ").to_string();
    Ok((Cow::Owned(short), Timestamp::from_millis(read.timestamp().as_millisecond())))
}

/// A moment in the form `20260131T235959Z`.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
    if bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i16> {
        let digits = bytes.get(from..to)?;
        digits
            .iter()
            .try_fold(0_i16, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i16::from(digit - b'0')))
    };
    let small = |from: usize, to: usize| i8::try_from(number(from, to)?).ok();
    let date = civil::Date::new(number(0, 4)?, small(4, 6)?, small(6, 8)?).ok()?;
    let time = civil::Time::new(small(9, 11)?, small(11, 13)?, small(13, 15)?, 0).ok()?;
    let instant = TimeZone::UTC.to_timestamp(date.to_datetime(time)).ok()?;
    Some(Timestamp::from_millis(instant.as_millisecond()))
}

fn malformed(message: &'static str) -> S3Error {
    refusal(S3ErrorCode::AuthorizationHeaderMalformed, message)
}

#[cfg(test)]
mod tests {
    use super::{Claim, Way, moment};
    use entente_model::Timestamp;
    use http::Request;
    use http::request::Parts;
    use s3s::S3ErrorCode;
    use std::time::Duration;

    const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=KEY/20260131/eu-west-1/s3/aws4_request, \
                                 SignedHeaders=host;x-amz-date, Signature=abcd";

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn code(uri: &str, headers: &[(&str, &str)]) -> S3ErrorCode {
        Claim::read(&parts(uri, headers)).unwrap_err().code().clone()
    }

    #[test]
    fn moments_are_read_strictly() {
        assert_eq!(moment("19700101T000001Z"), Some(Timestamp::from_millis(1_000)));
        assert_eq!(moment("20260131T235959Z").unwrap().millis(), 1_769_903_999_000);
        for odd in ["", "20260131T235959", "20261331T235959Z", "2026013aT235959Z", "20260131t235959Z", "éééééééé"]
        {
            assert_eq!(moment(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_header_is_read() {
        let parts = parts("/", &[("authorization", AUTHORIZATION), ("x-amz-date", "20260131T120000Z")]);
        let claim = Claim::read(&parts).unwrap().unwrap();
        assert_eq!((claim.key.as_ref(), claim.signature.as_ref()), ("KEY", "abcd"));
        assert_eq!((claim.scope.region.as_str(), claim.way), ("eu-west-1", Way::Header));
    }

    #[test]
    fn a_date_header_will_do() {
        let parts = parts("/", &[("authorization", AUTHORIZATION), ("date", "Sat, 31 Jan 2026 12:00:00 GMT")]);
        assert_eq!(Claim::read(&parts).unwrap().unwrap().moment, "20260131T120000Z");
    }

    #[test]
    fn a_query_is_read() {
        let uri = "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=KEY%2F20260131%2Fx%2Fs3%2Faws4_request\
                   &X-Amz-Date=20260131T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";
        let parts = parts(uri, &[]);
        let claim = Claim::read(&parts).unwrap().unwrap();
        assert_eq!((claim.key.as_ref(), claim.way), ("KEY", Way::Query(Duration::from_secs(60))));
        let at = claim.signed_at;
        assert!(claim.check_time(at).is_ok() && claim.check_time(at.before(Duration::from_secs(800))).is_ok());
        assert!(claim.check_time(at.after(Duration::from_secs(60))).is_err());
        assert!(claim.check_time(at.before(Duration::from_secs(1_000))).is_err());
        let code = |uri: &str| code(uri, &[]);
        let odd = S3ErrorCode::AuthorizationQueryParametersError;
        assert_eq!(code(&uri.replace("Expires=60", "Expires=604801")), odd);
        assert_eq!(code(&uri.replace("Expires=60", "Expires=-1")), odd);
        assert_eq!(code(&uri.replace("X-Amz-Date=20260131T120000Z&", "")), odd);
        assert_eq!(code(&uri.replace("X-Amz-Date=20260131", "X-Amz-Date=20260130")), odd);
        assert_eq!(code(&format!("{uri}&X-Amz-Signature=cd")), odd);
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let date = ("x-amz-date", "20260131T120000Z");
        let odd = S3ErrorCode::AuthorizationHeaderMalformed;
        for (from, to) in [("Credential=KEY/", "Credential="), ("s3/", "ec2/"), ("host", "Host"), (", Sig", ", Zig")] {
            assert_eq!(code("/", &[("authorization", &AUTHORIZATION.replace(from, to)), date]), odd, "{from}");
        }
        assert_eq!(code("/", &[("authorization", AUTHORIZATION)]), S3ErrorCode::AccessDenied);
        assert_eq!(code("/", &[("authorization", AUTHORIZATION), ("x-amz-date", "now")]), S3ErrorCode::AccessDenied);
        assert_eq!(code("/", &[("authorization", "AWS key:signature")]), S3ErrorCode::InvalidRequest);
        assert_eq!(code("/?AWSAccessKeyId=a&Signature=b&Expires=1", &[]), S3ErrorCode::InvalidRequest);
        assert_eq!(code("/", &[("authorization", "Basic eA==")]), S3ErrorCode::InvalidArgument);
        assert!(Claim::read(&parts("/", &[])).unwrap().is_none());
    }

    #[test]
    fn the_clock_may_be_a_quarter_of_an_hour_off() {
        let parts = parts("/", &[("authorization", AUTHORIZATION), ("x-amz-date", "20260131T120000Z")]);
        let claim = Claim::read(&parts).unwrap().unwrap();
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        assert!(claim.check_time(claim.signed_at.after(minutes(15))).is_ok());
        assert!(claim.check_time(claim.signed_at.before(minutes(15))).is_ok());
        assert!(claim.check_time(claim.signed_at.after(minutes(16))).is_err());
        assert!(claim.check_time(claim.signed_at.before(minutes(16))).is_err());
    }

    #[test]
    fn orders_are_covered() {
        let headers = [("authorization", AUTHORIZATION), ("x-amz-date", "20260131T120000Z"), ("x-amz-acl", "private")];
        let parts = parts("/", &headers);
        let claim = Claim::read(&parts).unwrap().unwrap();
        assert!(claim.check_cover(&parts.headers).is_err());
        let mut fewer = parts.headers.clone();
        fewer.remove("x-amz-acl");
        assert!(claim.check_cover(&fewer).is_ok());
    }
}
