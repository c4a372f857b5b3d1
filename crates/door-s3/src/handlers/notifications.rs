//! Who is told of changes below a bucket. The targets are the operator's; clients name them as queues, topics or functions,
//! and all three mean the same.

use super::Operations;
use crate::asked::Asked;
use crate::error::{About, error, not_served};
use entente_tree::{Happening, Happenings, Wish, Wishes, Wording};
use s3s::dto::{
    Event, FilterRule, FilterRuleName, GetBucketNotificationConfigurationInput,
    GetBucketNotificationConfigurationOutput, LambdaFunctionConfiguration, NotificationConfiguration,
    NotificationConfigurationFilter, PutBucketNotificationConfigurationInput, PutBucketNotificationConfigurationOutput,
    QueueConfiguration, S3KeyFilter, TopicConfiguration,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use serde::{Deserialize, Serialize};

/// What a client has said, as a list of [`Entry`].
const NOTIFICATION_SETTING: &str = "notification";
/// Entries of one configuration.
const ENTRIES_MAX: usize = 100;
/// Bytes of an entry's id.
const ID_BYTES_MAX: usize = 255;
/// Bytes of what a filter asks for: as long as keys are.
const FILTER_BYTES_MAX: usize = 1_024;

/// One of the things that a client calls by three names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Form {
    Queue,
    Topic,
    Function,
}

/// An entry of a configuration, as the client said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    form: Form,
    id: String,
    arn: String,
    events: Vec<String>,
    /// Names and values, if there is a filter.
    rules: Option<Vec<(String, String)>>,
}

pub(super) async fn show(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
    let entries: Option<Vec<Entry>> = operations.setting(asked, &request.input.bucket, NOTIFICATION_SETTING).await?;
    let mut output = GetBucketNotificationConfigurationOutput::default();
    for Entry { form, id, arn, events, rules } in entries.unwrap_or_default() {
        let (events, id) = (events.into_iter().map(Event::from).collect(), Some(id));
        let filter = rules.map(filter_of);
        match form {
            Form::Queue => {
                let queue = QueueConfiguration { events, filter, id, queue_arn: arn };
                output.queue_configurations.get_or_insert_default().push(queue);
            }
            Form::Topic => {
                let topic = TopicConfiguration { events, filter, id, topic_arn: arn };
                output.topic_configurations.get_or_insert_default().push(topic);
            }
            Form::Function => {
                let function = LambdaFunctionConfiguration { events, filter, id, lambda_function_arn: arn };
                output.lambda_function_configurations.get_or_insert_default().push(function);
            }
        }
    }
    Ok(S3Response::new(output))
}

pub(super) async fn set(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<PutBucketNotificationConfigurationOutput>> {
    let input = request.input;
    asked.may_reach(&input.bucket)?;
    let entries = entries(input.notification_configuration)?;
    let wishes = entries.iter().map(|entry| wish(entry, &operations.targets)).collect::<S3Result<Vec<_>>>()?;
    check_apart(&wishes)?;
    let value = (!entries.is_empty()).then(|| serde_json::to_string(&entries)).transpose();
    let value = value.map_err(|error| asked.told(entente_tree::Error::Internal(error.into())))?;
    let set = Wishes { wording: Wording::S3, wishes, setting: NOTIFICATION_SETTING, value };
    let set = operations.tree.set_wishes(&asked.caller, &input.bucket, set).await;
    set.map_err(asked.told_about(About::Bucket))?;
    Ok(S3Response::new(PutBucketNotificationConfigurationOutput::default()))
}

/// What a client says, each entry with an id of its own.
fn entries(said: NotificationConfiguration) -> S3Result<Vec<Entry>> {
    if said.event_bridge_configuration.is_some() {
        return Err(not_served("Events are told to queues, topics and functions, and to no bus"));
    }
    let mut entries = Vec::new();
    let mut add = |form, id: Option<String>, arn: String, events: Vec<Event>, filter| {
        let events = events.into_iter().map(String::from).collect();
        let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("entry-{}", entries.len() + 1));
        rules_of(filter).map(|rules| entries.push(Entry { form, id, arn, events, rules }))
    };
    for queue in said.queue_configurations.unwrap_or_default() {
        add(Form::Queue, queue.id, queue.queue_arn, queue.events, queue.filter)?;
    }
    for topic in said.topic_configurations.unwrap_or_default() {
        add(Form::Topic, topic.id, topic.topic_arn, topic.events, topic.filter)?;
    }
    for function in said.lambda_function_configurations.unwrap_or_default() {
        add(Form::Function, function.id, function.lambda_function_arn, function.events, function.filter)?;
    }
    if entries.len() > ENTRIES_MAX {
        return Err(invalid("A bucket can have 100 notification configurations at most"));
    }
    for (index, entry) in entries.iter().enumerate() {
        if entry.id.len() > ID_BYTES_MAX {
            return Err(invalid("The ID of a notification configuration has 255 characters at most"));
        }
        if entries.iter().take(index).any(|other| other.id == entry.id) {
            return Err(invalid("The same ID is used for more than one notification configuration"));
        }
    }
    Ok(entries)
}

fn rules_of(filter: Option<NotificationConfigurationFilter>) -> S3Result<Option<Vec<(String, String)>>> {
    let Some(key) = filter.and_then(|filter| filter.key) else { return Ok(None) };
    let mut rules: Vec<(String, String)> = Vec::new();
    for FilterRule { name, value } in key.filter_rules.unwrap_or_default() {
        let name = name.ok_or_else(|| invalid("A filter rule has no name"))?;
        let value = value.unwrap_or_default();
        let is_known = ["prefix", "suffix"].iter().any(|known| name.as_str().eq_ignore_ascii_case(known));
        if !is_known {
            return Err(invalid("filter rule name must be either prefix or suffix"));
        }
        if rules.iter().any(|(other, _)| other.eq_ignore_ascii_case(name.as_str())) {
            return Err(invalid("Cannot specify more than one prefix rule or suffix rule in a filter."));
        }
        if value.len() > FILTER_BYTES_MAX {
            return Err(invalid("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation"));
        }
        rules.push((name.as_str().to_owned(), value));
    }
    Ok(Some(rules))
}

fn filter_of(rules: Vec<(String, String)>) -> NotificationConfigurationFilter {
    let rule = |(name, value)| FilterRule { name: Some(FilterRuleName::from(name)), value: Some(value) };
    let filter_rules = Some(rules.into_iter().map(rule).collect());
    NotificationConfigurationFilter { key: Some(S3KeyFilter { filter_rules }) }
}

/// What an entry means.
fn wish(entry: &Entry, targets: &[String]) -> S3Result<Wish> {
    let target = target(&entry.arn).filter(|name| targets.iter().any(|target| target == name));
    let target = target.ok_or_else(|| invalid("Unable to validate the following destination configurations"))?;
    let mut happenings = Happenings::default();
    for event in &entry.events {
        let some = happenings_of(event);
        if some.is_empty() {
            return Err(S3Error::with_message(
                S3ErrorCode::InvalidArgument,
                format!("The event '{event}' is not supported for notifications"),
            ));
        }
        happenings = some.iter().copied().fold(happenings, Happenings::with);
    }
    if happenings == Happenings::default() {
        return Err(invalid("A notification configuration needs at least one event"));
    }
    let rule = |wanted: &str| {
        let rules = entry.rules.iter().flatten();
        let mut found = rules.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone());
        // There is at most one.
        found.next().unwrap_or_default()
    };
    Ok(Wish {
        name: entry.id.clone(),
        target: target.to_owned(),
        happenings,
        prefix: rule("prefix"),
        suffix: rule("suffix"),
    })
}

/// The name of a target in `arn:entente:sqs:::NAME`; `sns` and `lambda` do as well, and region and account do not matter.
fn target(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_region, _account, name) = (parts.next()?, parts.next()?, parts.next()?);
    (scheme == "arn" && partition == "entente" && matches!(service, "sqs" | "sns" | "lambda")).then_some(name)
}

/// What an event of S3 means; nothing for one that is never told here.
fn happenings_of(event: &str) -> &'static [Happening] {
    use Happening::{
        Assembled, Copied, Expired, ExpiryMarked, Granted, Marked, Posted, Put, Removed, Tagged, Untagged,
    };
    match event {
        "s3:ObjectCreated:*" => &[Put, Posted, Copied, Assembled],
        "s3:ObjectCreated:Put" => &[Put],
        "s3:ObjectCreated:Post" => &[Posted],
        "s3:ObjectCreated:Copy" => &[Copied],
        "s3:ObjectCreated:CompleteMultipartUpload" => &[Assembled],
        "s3:ObjectRemoved:*" => &[Removed, Marked],
        "s3:ObjectRemoved:Delete" => &[Removed],
        "s3:ObjectRemoved:DeleteMarkerCreated" => &[Marked],
        "s3:ObjectTagging:*" => &[Tagged, Untagged],
        "s3:ObjectTagging:Put" => &[Tagged],
        "s3:ObjectTagging:Delete" => &[Untagged],
        "s3:LifecycleExpiration:*" => &[Expired, ExpiryMarked],
        "s3:LifecycleExpiration:Delete" => &[Expired],
        "s3:LifecycleExpiration:DeleteMarkerCreated" => &[ExpiryMarked],
        "s3:ObjectAcl:Put" => &[Granted],
        _ => &[],
    }
}

/// Of one event of one key only one target is told, as clients of S3 expect.
fn check_apart(wishes: &[Wish]) -> S3Result<()> {
    for (index, wish) in wishes.iter().enumerate() {
        for other in wishes.iter().take(index) {
            let prefixes = wish.prefix.starts_with(&other.prefix) || other.prefix.starts_with(&wish.prefix);
            let suffixes = wish.suffix.ends_with(&other.suffix) || other.suffix.ends_with(&wish.suffix);
            if wish.happenings.meets(other.happenings) && prefixes && suffixes {
                let message =
                    "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
                return Err(invalid(message));
            }
        }
    }
    Ok(())
}

fn invalid(message: &'static str) -> S3Error {
    error(S3ErrorCode::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(events: &[&str], rules: &[(&str, &str)]) -> Entry {
        Entry {
            form: Form::Queue,
            id: "one".to_owned(),
            arn: "arn:entente:sqs:::queue".to_owned(),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            rules: Some(rules.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()),
        }
    }

    fn refusal(entry: &Entry) -> String {
        let refused = wish(entry, &["queue".to_owned()]).unwrap_err();
        assert_eq!(refused.code().as_str(), "InvalidArgument");
        refused.message().unwrap_or_default().to_owned()
    }

    #[test]
    fn an_entry_is_a_wish() {
        let wish = wish(&entry(&["s3:ObjectCreated:*"], &[("Prefix", "a/"), ("suffix", ".x")]), &["queue".to_owned()]);
        let wish = wish.unwrap();
        assert_eq!((wish.target.as_str(), wish.prefix.as_str(), wish.suffix.as_str()), ("queue", "a/", ".x"));
        assert!(wish.happenings.has(Happening::Assembled) && !wish.happenings.has(Happening::Removed));
    }

    #[test]
    fn what_would_never_be_told_is_refused() {
        for event in ["s3:ObjectRestore:*", "s3:Replication:*", "s3:LifecycleTransition", "s3:ObjectCreated", ""] {
            assert!(refusal(&entry(&[event], &[])).contains("not supported"), "{event}");
        }
        assert!(refusal(&entry(&[], &[])).contains("at least one event"));
    }

    #[test]
    fn targets_are_those_of_the_operator() {
        let named = |arn: &str| Entry { arn: arn.to_owned(), ..entry(&["s3:ObjectCreated:*"], &[]) };
        for good in ["arn:entente:sqs:::queue", "arn:entente:sns:eu-1:12:queue", "arn:entente:lambda:::queue"] {
            assert!(wish(&named(good), &["queue".to_owned()]).is_ok(), "{good}");
        }
        for bad in ["arn:aws:sqs:::queue", "arn:entente:sqs:::other", "queue", "arn:entente:sqs::queue", ""] {
            assert!(refusal(&named(bad)).contains("destination"), "{bad}");
        }
    }

    #[test]
    fn entries_for_the_same_events_must_be_of_different_keys() {
        let wish = |events: &[&str], prefix: &str, suffix: &str| {
            wish(&entry(events, &[("prefix", prefix), ("suffix", suffix)]), &["queue".to_owned()]).unwrap()
        };
        let put = wish(&["s3:ObjectCreated:Put"], "a/", "");
        assert!(check_apart(&[put.clone(), wish(&["s3:ObjectCreated:*"], "", ".x")]).is_err());
        assert!(check_apart(&[put.clone(), wish(&["s3:ObjectCreated:*"], "b/", "")]).is_ok());
        assert!(check_apart(&[put.clone(), wish(&["s3:ObjectRemoved:*"], "a/", "")]).is_ok());
        let x = wish(&["s3:ObjectCreated:Put"], "", ".x");
        assert!(check_apart(&[x.clone(), wish(&["s3:ObjectCreated:Put"], "", ".y")]).is_ok());
        assert!(check_apart(&[put, x]).is_err());
    }
}
