//! A device with passkeys, and the browser before it: as much of WebAuthn (<https://www.w3.org/TR/webauthn-3/>) as a site
//! sees. It stands for what cannot be had in a test without a person; real browsers are tried by hand.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// Somebody was there.
const PRESENT: u8 = 0x01;
/// And showed who they are.
const VERIFIED: u8 = 0x04;
/// A new key follows.
const WITH_KEY: u8 = 0x40;

/// A device with one passkey.
pub struct Device {
    key: EcdsaKeyPair,
    credential: Vec<u8>,
    user_handle: Option<Vec<u8>>,
    /// How often it was used; 0 for ever, of a device that does not count.
    pub counter: u32,
    /// Whether it asks for a finger or the like.
    pub verifies: bool,
}

impl Device {
    /// One that asks its user who they are, and does not count.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref()).expect("a key");
        Self { key, credential: name.as_bytes().to_vec(), user_handle: None, counter: 0, verifies: true }
    }

    /// The answer of `navigator.credentials.create()`, as JSON, to what a page asks.
    pub fn create(&mut self, options: &Value, origin: &str) -> String {
        let handle = options["user"]["id"].as_str().expect("a user");
        self.user_handle = Some(BASE64URL_NOPAD.decode(handle.as_bytes()).expect("base64url"));
        let mut data = self.data(options["rp"]["id"].as_str().expect("a site"), WITH_KEY);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(self.credential.len()).expect("short").to_be_bytes());
        data.extend_from_slice(&self.credential);
        // An EC2 key (RFC 9053, 7.1.1): 04, x and y.
        let point = self.key.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        data.extend_from_slice(&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend_from_slice(x);
        data.extend_from_slice(&[0x22, 0x58, 0x20]);
        data.extend_from_slice(y);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend_from_slice(&u16::try_from(data.len()).expect("short").to_be_bytes());
        object.extend_from_slice(&data);
        let client = client_data("webauthn.create", options, origin);
        let response = json!({"clientDataJSON": encoded(&client), "attestationObject": encoded(&object)});
        self.answer(&response)
    }

    /// The answer of `navigator.credentials.get()`, as JSON, to what a page asks.
    pub fn get(&mut self, options: &Value, origin: &str) -> String {
        if self.counter > 0 {
            self.counter += 1;
        }
        let data = self.data(options["rpId"].as_str().expect("a site"), 0);
        let client = client_data("webauthn.get", options, origin);
        let signed = [data.as_slice(), digest(&SHA256, &client).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a signature");
        let mut response = json!({"clientDataJSON": encoded(&client), "authenticatorData": encoded(&data),
            "signature": encoded(signature.as_ref())});
        if let Some(handle) = &self.user_handle {
            response["userHandle"] = encoded(handle).into();
        }
        self.answer(&response)
    }

    fn data(&self, site: &str, more: u8) -> Vec<u8> {
        let verified = if self.verifies { VERIFIED } else { 0 };
        let mut data = digest(&SHA256, site.as_bytes()).as_ref().to_vec();
        data.push(PRESENT | verified | more);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    fn answer(&self, response: &Value) -> String {
        let id = encoded(&self.credential);
        json!({"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {}})
            .to_string()
    }
}

fn client_data(kind: &str, options: &Value, origin: &str) -> Vec<u8> {
    let data = json!({"type": kind, "challenge": options["challenge"], "origin": origin, "crossOrigin": false});
    data.to_string().into_bytes()
}

fn encoded(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
