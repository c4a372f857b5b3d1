//! Signatures of requests without a body or query of note: enough to create a bucket.

use aws_lc_rs::{digest, hmac};
use data_encoding::{BASE64, HEXLOWER};
use jiff::{Timestamp, tz::TimeZone};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const AZURE_VERSION: &str = "2021-12-02";

/// Headers of an S3 request with that method and path and an empty body
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).
pub fn s3(method: &str, host: &str, path: &str, key: &S3Key<'_>) -> Vec<(&'static str, String)> {
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    let (date, date_time) = (now.strftime("%Y%m%d").to_string(), now.strftime("%Y%m%dT%H%M%SZ").to_string());
    let hash = HEXLOWER.encode(digest::digest(&digest::SHA256, b"").as_ref());
    let names = "host;x-amz-content-sha256;x-amz-date";
    let canonical = format!(
        "{method}\n{path}\n\nhost:{host}\nx-amz-content-sha256:{hash}\nx-amz-date:{date_time}\n\n{names}\n{hash}"
    );
    let scope = format!("{date}/{}/s3/aws4_request", key.region);
    let canonical_hash = HEXLOWER.encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let to_sign = format!("{ALGORITHM}\n{date_time}\n{scope}\n{canonical_hash}");
    let mut signing = format!("AWS4{}", key.secret_key).into_bytes();
    for part in [date.as_str(), key.region, "s3", "aws4_request"] {
        signing = mac(&signing, part);
    }
    let signature = HEXLOWER.encode(&mac(&signing, &to_sign));
    let authorization =
        format!("{ALGORITHM} Credential={}/{scope},SignedHeaders={names},Signature={signature}", key.access_key);
    vec![("x-amz-content-sha256", hash), ("x-amz-date", date_time), ("authorization", authorization)]
}

/// Who signs an S3 request.
pub struct S3Key<'a> {
    pub access_key: &'a str,
    pub secret_key: &'a str,
    pub region: &'a str,
}

/// Headers of an Azure request with an empty body: `resource` is path and query as the signature wants them
/// (<https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>).
pub fn azure(method: &str, account: &str, key: &str, resource: &str) -> Vec<(&'static str, String)> {
    let date = Timestamp::now().to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let empty_headers = "\n".repeat(12);
    let to_sign =
        format!("{method}{empty_headers}x-ms-date:{date}\nx-ms-version:{AZURE_VERSION}\n/{account}{resource}");
    let key = BASE64.decode(key.as_bytes()).expect("the account's key is base64");
    let signature = BASE64.encode(&mac(&key, &to_sign));
    let authorization = format!("SharedKey {account}:{signature}");
    vec![("x-ms-date", date), ("x-ms-version", AZURE_VERSION.to_owned()), ("authorization", authorization)]
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}
