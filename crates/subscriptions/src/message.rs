//! What is told, in the words of the vendor whose client wants to know.

use entente_database::deliveries::{Delivery, DeliveryId, Happening, Told, Wording};
use jiff::Timestamp as Moment;
use serde_json::{Value, json};
use std::fmt::Write;

/// The region that clients are told of: that of a bucket that says none.
const REGION: &str = "us-east-1";

/// The body of a delivery: JSON.
#[must_use]
pub fn body(delivery: &Delivery) -> Vec<u8> {
    match delivery.wording {
        Wording::S3 => s3(delivery).to_string().into_bytes(),
        // Whoever wrote it down put it into words.
        Wording::Box => delivery.told.body.clone().unwrap_or_default().into_bytes(),
    }
}

/// What a delivery is called, in all its attempts: receivers that have seen the name have seen the delivery.
#[must_use]
pub fn name(delivery: DeliveryId) -> String {
    let DeliveryId { subscription, topic, number } = delivery;
    format!("{subscription}-{topic:016x}-{number:016x}")
}

/// As S3 tells it: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>. What is
/// not known of the request (its address and ids) is left out.
fn s3(delivery: &Delivery) -> Value {
    let Told { name, bucket, owner, user, key, size, etag, version, at, .. } = &delivery.told;
    let time = moment(*at);
    let (event, event_version) = match delivery.happening {
        Happening::Trial => {
            return json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": time, "Bucket": bucket });
        }
        Happening::Put => ("ObjectCreated:Put", "2.1"),
        Happening::Posted => ("ObjectCreated:Post", "2.1"),
        Happening::Copied => ("ObjectCreated:Copy", "2.1"),
        Happening::Assembled => ("ObjectCreated:CompleteMultipartUpload", "2.1"),
        Happening::Removed => ("ObjectRemoved:Delete", "2.1"),
        Happening::Marked => ("ObjectRemoved:DeleteMarkerCreated", "2.1"),
        Happening::Tagged => ("ObjectTagging:Put", "2.3"),
        Happening::Untagged => ("ObjectTagging:Delete", "2.3"),
        Happening::Expired => ("LifecycleExpiration:Delete", "2.3"),
        Happening::ExpiryMarked => ("LifecycleExpiration:DeleteMarkerCreated", "2.3"),
        // S3 has no word for anything else, and nothing else is written down for it.
        Happening::Granted | Happening::Other => ("ObjectAcl:Put", "2.3"),
    };
    let mut object = json!({ "key": encoded(key), "sequencer": format!("{:016X}", delivery.id.number) });
    if let Some(object) = object.as_object_mut() {
        let told = [
            ("size", size.map(Value::from)),
            ("eTag", etag.clone().map(Value::from)),
            ("versionId", version.clone().map(Value::from)),
        ];
        object.extend(told.into_iter().filter_map(|(member, value)| Some((member.to_owned(), value?))));
    }
    let arn = ["arn:aws:s3:::", bucket].concat();
    json!({ "Records": [{
        "eventVersion": event_version,
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": time,
        "eventName": event,
        "userIdentity": { "principalId": user.to_string() },
        "requestParameters": {},
        "responseElements": {},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": name,
            "bucket": {
                "name": bucket,
                "ownerIdentity": { "principalId": owner.to_string() },
                "arn": arn,
            },
            "object": object,
        },
    }] })
}

/// A moment as S3 writes it, with milliseconds.
fn moment(millis: i64) -> String {
    match Moment::from_millisecond(millis) {
        Ok(moment) => format!("{moment:.3}"),
        Err(_) => "1970-01-01T00:00:00.000Z".to_owned(),
    }
}

/// A key as S3 writes it in events: as in forms, a space as a plus sign, though slashes as they are.
fn encoded(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' | b'/' => text.push(char::from(byte)),
            b' ' => text.push('+'),
            // Writing into a text cannot fail.
            _ => write!(text, "%{byte:02X}").unwrap_or_default(),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_database::deliveries::DeliveryState;
    use entente_model::{SubscriptionId, Timestamp};

    fn delivery(happening: Happening) -> Delivery {
        Delivery {
            id: DeliveryId { subscription: SubscriptionId::new(7), topic: 255, number: 4_096 },
            wording: Wording::S3,
            target: "queue".to_owned(),
            happening,
            told: Told {
                name: "photos".to_owned(),
                bucket: "holiday".to_owned(),
                owner: 11,
                user: 12,
                key: "a b/ü+.jpg".to_owned(),
                size: Some(5),
                etag: Some("abc".to_owned()),
                version: None,
                at: 1_700_000_000_007,
                body: None,
            },
            state: DeliveryState::Due,
            attempts: 1,
            due_at: Timestamp::from_millis(0),
            last_error: String::new(),
            created_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_change_is_told_as_s3_tells_it() {
        let told: Value = serde_json::from_slice(&body(&delivery(Happening::Put))).unwrap();
        assert_eq!(
            told,
            json!({ "Records": [{
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "us-east-1",
                "eventTime": "2023-11-14T22:13:20.007Z",
                "eventName": "ObjectCreated:Put",
                "userIdentity": { "principalId": "12" },
                "requestParameters": {},
                "responseElements": {},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "photos",
                    "bucket": {
                        "name": "holiday",
                        "ownerIdentity": { "principalId": "11" },
                        "arn": "arn:aws:s3:::holiday",
                    },
                    "object": {
                        "key": "a+b/%C3%BC%2B.jpg",
                        "sequencer": "0000000000001000",
                        "size": 5,
                        "eTag": "abc",
                    },
                },
            }] })
        );
    }

    #[test]
    fn a_trial_says_which_bucket() {
        let told: Value = serde_json::from_slice(&body(&delivery(Happening::Trial))).unwrap();
        assert_eq!(told.get("Event"), Some(&json!("s3:TestEvent")));
        assert_eq!(told.get("Bucket"), Some(&json!("holiday")));
        assert_eq!(told.get("Records"), None);
    }

    #[test]
    fn a_delivery_keeps_its_name() {
        let (mut again, first) = (delivery(Happening::Put), delivery(Happening::Put));
        again.attempts = 9;
        assert_eq!(name(first.id), "7-00000000000000ff-0000000000001000");
        assert_eq!(name(again.id), name(first.id));
    }
}
