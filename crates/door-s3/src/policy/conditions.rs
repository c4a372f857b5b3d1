//! Under which circumstances a statement counts.

use super::document::{OneOrMany, Pairs, Word as Value};
use super::principals::after_account;
use entente_model::Timestamp;
use entente_tree::rules::{Absent, Condition, Network, Order, Pattern, Sense, Test, Word};
use jiff::civil::Date;
use jiff::tz::TimeZone;

const EXISTING_TAG: &str = "s3:existingobjecttag/";
const REQUESTED_TAG: &str = "s3:requestobjecttag/";

/// What a key is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Moment,
    Truth,
    Address,
    Name,
}

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equals(Sense),
    EqualsAnyCase(Sense),
    Fits(Sense),
    Number(Sense, Order),
    Moment(Sense, Order),
    Truth,
    Address(Sense),
    NameFits(Sense),
    Null,
}

/// The conditions of a statement: all of them must hold.
pub(super) fn conditions_of(all: Pairs<Pairs<OneOrMany<Value>>>) -> Result<Vec<Condition>, String> {
    let mut conditions = Vec::new();
    for (operator, keys) in all.0 {
        for (key, values) in keys.0 {
            let values: Vec<String> = values.0.into_iter().map(|value| value.0).collect();
            conditions.push(condition_of(&operator, &key, values)?);
        }
    }
    Ok(conditions)
}

fn condition_of(operator: &str, key: &str, values: Vec<String>) -> Result<Condition, String> {
    let (name, if_exists) = match operator.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (operator, false),
    };
    let operation = operator_of(name).filter(|operation| !(if_exists && *operation == Operator::Null));
    let operation = operation.ok_or_else(|| format!("Invalid Condition type : {operator}"))?;
    let (word, kind) = word_of(key).ok_or_else(|| format!("Policy has an invalid condition key: {key}"))?;
    if values.iter().any(|value| value.contains("${")) {
        return Err("Policy variables are not served".to_owned());
    }
    let test = test_of(operation, kind, values).ok_or_else(|| {
        format!(
            "The condition {operator} of {key} is invalid: its operator does not fit the key, or a value is malformed"
        )
    })?;
    let is_negated = matches!(
        operation,
        Operator::Equals(Sense::None)
            | Operator::EqualsAnyCase(Sense::None)
            | Operator::Fits(Sense::None)
            | Operator::Number(Sense::None, _)
            | Operator::Moment(Sense::None, _)
            | Operator::Address(Sense::None)
            | Operator::NameFits(Sense::None)
    );
    let absent = if if_exists || is_negated { Absent::Holds } else { Absent::Fails };
    Ok(Condition { word, test, absent })
}

fn operator_of(name: &str) -> Option<Operator> {
    use Operator as O;
    Some(match name {
        "StringEquals" => O::Equals(Sense::Any),
        "StringNotEquals" => O::Equals(Sense::None),
        "StringEqualsIgnoreCase" => O::EqualsAnyCase(Sense::Any),
        "StringNotEqualsIgnoreCase" => O::EqualsAnyCase(Sense::None),
        "StringLike" => O::Fits(Sense::Any),
        "StringNotLike" => O::Fits(Sense::None),
        "NumericEquals" => O::Number(Sense::Any, Order::Equal),
        "NumericNotEquals" => O::Number(Sense::None, Order::Equal),
        "NumericLessThan" => O::Number(Sense::Any, Order::Less),
        "NumericLessThanEquals" => O::Number(Sense::Any, Order::LessOrEqual),
        "NumericGreaterThan" => O::Number(Sense::Any, Order::Greater),
        "NumericGreaterThanEquals" => O::Number(Sense::Any, Order::GreaterOrEqual),
        "DateEquals" => O::Moment(Sense::Any, Order::Equal),
        "DateNotEquals" => O::Moment(Sense::None, Order::Equal),
        "DateLessThan" => O::Moment(Sense::Any, Order::Less),
        "DateLessThanEquals" => O::Moment(Sense::Any, Order::LessOrEqual),
        "DateGreaterThan" => O::Moment(Sense::Any, Order::Greater),
        "DateGreaterThanEquals" => O::Moment(Sense::Any, Order::GreaterOrEqual),
        "Bool" => O::Truth,
        "IpAddress" => O::Address(Sense::Any),
        "NotIpAddress" => O::Address(Sense::None),
        "ArnEquals" | "ArnLike" => O::NameFits(Sense::Any),
        "ArnNotEquals" | "ArnNotLike" => O::NameFits(Sense::None),
        "Null" => O::Null,
        _ => return None,
    })
}

fn word_of(key: &str) -> Option<(Word, Kind)> {
    let lower = key.to_ascii_lowercase();
    // Names of tags have case.
    let tag = |begin: &str| {
        let name = lower.starts_with(begin).then(|| key.get(begin.len()..)).flatten()?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    if let Some(name) = tag(EXISTING_TAG) {
        return Some((Word::TagThere(name), Kind::Text));
    }
    if let Some(name) = tag(REQUESTED_TAG) {
        return Some((Word::TagWanted(name), Kind::Text));
    }
    Some(match lower.as_str() {
        "aws:sourceip" => (Word::Address, Kind::Address),
        "aws:securetransport" => (Word::Secure, Kind::Truth),
        "aws:currenttime" | "aws:epochtime" => (Word::Moment, Kind::Moment),
        "aws:principalarn" => (Word::Asker, Kind::Name),
        "aws:userid" => (Word::Asker, Kind::Text),
        "aws:referer" => (Word::Referrer, Kind::Text),
        "aws:useragent" => (Word::Program, Kind::Text),
        "s3:prefix" => (Word::Prefix, Kind::Text),
        "s3:delimiter" => (Word::Delimiter, Kind::Text),
        "s3:max-keys" => (Word::KeysMax, Kind::Number),
        "s3:x-amz-acl" => (Word::CannedAcl, Kind::Text),
        "s3:versionid" => (Word::Version, Kind::Text),
        "s3:x-amz-copy-source" => (Word::CopySource, Kind::Text),
        "s3:x-amz-server-side-encryption" => (Word::Encryption, Kind::Text),
        "s3:x-amz-storage-class" => (Word::StorageClass, Kind::Text),
        "s3:signatureversion" => (Word::Signature, Kind::Text),
        "s3:authtype" => (Word::SignatureAt, Kind::Text),
        _ => return None,
    })
}

/// What is asked of the word; `None` when the operator is of another kind than the key, or a value is malformed.
fn test_of(operator: Operator, kind: Kind, values: Vec<String>) -> Option<Test> {
    let patterns = |values: Vec<String>| values.into_iter().map(Pattern::new).collect::<Vec<_>>();
    let truths = |values: &[String]| values.iter().map(|value| truth(value)).collect::<Option<Vec<_>>>();
    Some(match (operator, kind) {
        (Operator::Null, _) => Test::Lacks(truths(&values)?),
        (Operator::Equals(sense), Kind::Text) => Test::Equals(sense, values),
        (Operator::EqualsAnyCase(sense), Kind::Text) => Test::EqualsAnyCase(sense, values),
        (Operator::Fits(sense), Kind::Text) => Test::Fits(sense, patterns(values)),
        (Operator::Number(sense, order), Kind::Number) => {
            Test::Number(sense, order, values.iter().map(|value| value.parse().ok()).collect::<Option<_>>()?)
        }
        (Operator::Moment(sense, order) | Operator::Number(sense, order), Kind::Moment) => {
            Test::Moment(sense, order, values.iter().map(|value| moment(value)).collect::<Option<_>>()?)
        }
        (Operator::Truth, Kind::Truth) => Test::Is(truths(&values)?),
        (Operator::Address(sense), Kind::Address) => {
            Test::Within(sense, values.iter().map(|value| Network::parse(value)).collect::<Option<_>>()?)
        }
        (Operator::Equals(sense), Kind::Name) => {
            let names = values.iter().map(|value| name(value).filter(|name| !Pattern::new(*name).is_open()));
            Test::Equals(sense, names.map(|name| name.map(str::to_owned)).collect::<Option<_>>()?)
        }
        (Operator::Fits(sense) | Operator::NameFits(sense), Kind::Name) => {
            Test::Fits(sense, values.iter().map(|value| name(value).map(Pattern::new)).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The id in a user's name, perhaps with a `*`.
fn name(text: &str) -> Option<&str> {
    if text == "*" {
        return Some(text);
    }
    let name = after_account(text)?.1.strip_prefix("user/")?;
    (!name.is_empty()).then_some(name)
}

/// A moment, a day at its beginning, or seconds since 1970.
fn moment(text: &str) -> Option<Timestamp> {
    let millis = if let Ok(seconds) = text.parse::<i64>() {
        seconds.checked_mul(1_000)?
    } else if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        moment.as_millisecond()
    } else {
        text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()
    };
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::{condition_of, moment};
    use entente_model::Timestamp;
    use entente_tree::rules::{Absent, Test, Word};

    fn of(operator: &str, key: &str, value: &str) -> Result<entente_tree::rules::Condition, String> {
        condition_of(operator, key, vec![value.to_owned()])
    }

    #[test]
    fn operators_fit_their_keys() {
        for (operator, key, value, is_good) in [
            ("StringEquals", "S3:Prefix", "a", true),
            ("StringEquals", "aws:SourceIp", "a", false),
            ("NumericLessThan", "s3:max-keys", "10", true),
            ("NumericLessThan", "s3:max-keys", "ten", false),
            ("NumericLessThan", "aws:EpochTime", "10", true),
            ("DateGreaterThan", "aws:CurrentTime", "2026-01-01T00:00:00Z", true),
            ("Bool", "aws:SecureTransport", "False", true),
            ("Null", "aws:Referer", "true", true),
            ("NullIfExists", "aws:Referer", "true", false),
            ("NotIpAddressIfExists", "aws:SourceIp", "10.0.0.0/8", true),
            ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::1:user/*", true),
            ("ArnEquals", "aws:PrincipalArn", "ada", false),
            ("StringEquals", "s3:ExistingObjectTag/Team", "blue", true),
            ("StringEquals", "s3:ExistingObjectTag/", "blue", false),
        ] {
            assert_eq!(of(operator, key, value).is_ok(), is_good, "{operator} {key} {value}");
        }
        let tag = of("StringEquals", "s3:ExistingObjectTag/Team", "blue").unwrap();
        assert_eq!((tag.word, tag.absent), (Word::TagThere("Team".to_owned()), Absent::Fails));
        assert_eq!(of("StringNotEquals", "s3:prefix", "a").unwrap().absent, Absent::Holds);
        assert_eq!(of("StringEqualsIfExists", "s3:prefix", "a").unwrap().absent, Absent::Holds);
        let asker = of("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::1:user/7").unwrap();
        assert!(matches!(asker.test, Test::Fits(_, patterns) if patterns[0].as_str() == "7"));
    }

    #[test]
    fn moments_are_read() {
        for (text, millis) in [
            ("1970-01-01T00:00:10Z", Some(10_000)),
            ("1970-01-02", Some(86_400_000)),
            ("10", Some(10_000)),
            ("soon", None),
            ("9223372036854775807", None),
        ] {
            assert_eq!(moment(text), millis.map(Timestamp::from_millis), "{text}");
        }
    }
}
