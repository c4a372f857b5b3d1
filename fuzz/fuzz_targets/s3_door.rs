//! Requests that are signed as their key's owner would sign them, so that what is below the signature is reached.
#![no_main]
use data_encoding::HEXLOWER;
use entente_door_s3::{Options, S3Door};
use entente_fuzz::{Door, Parts};
use entente_identity::{AccessKeys, NewAccessKey, Reach};
use hmac::{Hmac, Mac};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use std::cell::{LazyCell, OnceCell};

const HOST: &str = "s3.acme.example";
const SCOPE: &str = "us-east-1/s3/aws4_request";

thread_local! {
    static KEY: OnceCell<(String, String)> = const { OnceCell::new() };
    static DOOR: LazyCell<Door> = LazyCell::new(|| Door::new(|runtime, stage, user, auth| {
        let keys = runtime.block_on(async {
            let keys = AccessKeys::load(&stage.world, &stage.database, stage.custodian.as_ref()).await.expect("keys");
            let new = NewAccessKey { user, label: "fuzz".to_owned(), read_only: false, reach: Reach::All };
            let made = keys.create(new).await.expect("a key");
            KEY.with(|key| key.set((made.id, made.secret.expose().to_owned())).expect("once"));
            keys
        });
        let options = Options { domain: Some(HOST.to_owned()), object_bytes_max: 1 << 20, ..Options::default() };
        S3Door::new(stage.tree.clone(), auth, keys, options).router()
    }));
}

fuzz_target!(|bytes: &[u8]| {
    let Some(parts) = Parts::read(bytes) else { return };
    DOOR.with(|door| {
        let (date, moment) = now(door);
        let (path, query) = parts.target.split_once('?').unwrap_or((parts.target, ""));
        let mut pairs: Vec<String> =
            query.split('&').filter(|pair| !pair.is_empty()).map(|pair| match pair.contains('=') {
                true => pair.to_owned(),
                false => format!("{pair}="),
            }).collect();
        pairs.sort_unstable();
        let signed = "host;x-amz-content-sha256;x-amz-date";
        let request = format!(
            "{}\n{path}\n{}\nhost:{HOST}\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:{moment}\n\n{signed}\nUNSIGNED-PAYLOAD",
            parts.method, pairs.join("&"),
        );
        let text = format!("AWS4-HMAC-SHA256\n{moment}\n{date}/{SCOPE}\n{}", HEXLOWER.encode(&Sha256::digest(request)));
        let authorization = KEY.with(|key| {
            let (id, secret) = key.get().expect("a key");
            let key = ["us-east-1", "s3", "aws4_request"]
                .iter()
                .fold(mac(format!("AWS4{secret}").as_bytes(), &date), |key, word| mac(&key, word));
            let signature = HEXLOWER.encode(&mac(&key, &text));
            format!("AWS4-HMAC-SHA256 Credential={id}/{date}/{SCOPE}, SignedHeaders={signed}, Signature={signature}")
        });
        let more = [
            ("authorization", authorization),
            ("host", HOST.to_owned()),
            ("x-amz-date", moment),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD".to_owned()),
        ];
        door.send(&parts, &more);
    });
});

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The stage's moment as AWS writes it: the day, and the whole.
fn now(door: &Door) -> (String, String) {
    let moment = jiff::Timestamp::from_millisecond(door.stage.world.now().millis()).expect("a moment");
    (moment.strftime("%Y%m%d").to_string(), moment.strftime("%Y%m%dT%H%M%SZ").to_string())
}
