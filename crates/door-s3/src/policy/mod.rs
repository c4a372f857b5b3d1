//! Policies of buckets: the vendor's document becomes rules that the tree enforces, or is refused. Nothing in a document is
//! passed over: what is not understood to the letter makes all of it malformed.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html>

mod actions;
mod conditions;
mod document;
mod principals;

use document::{Document, Statement};
use entente_tree::rules::{DoneTo, Effect, Pattern, Rule};

/// Bytes of a document.
pub(crate) const POLICY_BYTES_MAX: usize = 20 << 10;
/// How a resource begins.
const RESOURCE: &str = "arn:aws:s3:::";

/// What a policy of that bucket says.
///
/// # Errors
/// What is wrong with it, for whoever wrote it.
pub(crate) fn rules_of(text: &str, bucket: &str) -> Result<Vec<Rule>, String> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(format!("Policies must have at most {POLICY_BYTES_MAX} bytes"));
    }
    if !text.trim_start().starts_with('{') {
        return Err("Policies must be valid JSON and the first byte must be '{'".to_owned());
    }
    let document = Document::parse(text)?;
    document.statements.into_iter().map(|statement| rule_of(statement, bucket)).collect()
}

fn rule_of(statement: Statement, bucket: &str) -> Result<Rule, String> {
    let effect = match statement.effect.as_str() {
        "Allow" => Effect::Allow,
        "Deny" => Effect::Deny,
        other => return Err(format!("Invalid effect: {other}")),
    };
    let who = principals::who_of(statement.principal)?;
    let deeds = actions::deeds_of(&statement.action.0)?;
    let (of_bucket, keys) = resources_of(statement.resource.0, bucket)?;
    // Each action for itself, so that none is there for nothing.
    for action in &statement.action.0 {
        let deeds = actions::deeds_of(std::slice::from_ref(action))?;
        if !(of_bucket && deeds.any_to(DoneTo::Bucket) || !keys.is_empty() && deeds.any_to(DoneTo::Key)) {
            return Err("Action does not apply to any resource(s) in statement".to_owned());
        }
    }
    let when = conditions::conditions_of(statement.condition)?;
    Ok(Rule { effect, who, deeds, of_bucket, keys, when })
}

/// Whether resources speak of the bucket, and of which keys. All are of that bucket.
fn resources_of(resources: Vec<String>, bucket: &str) -> Result<(bool, Vec<Pattern>), String> {
    let invalid = || "Policy has invalid resource".to_owned();
    let (mut of_bucket, mut keys) = (false, Vec::new());
    for resource in resources {
        if resource.contains("${") {
            return Err("Policy variables are not served".to_owned());
        }
        if resource == "*" || resource.strip_prefix(RESOURCE) == Some("*") {
            of_bucket = true;
            keys.push(Pattern::new("*"));
            continue;
        }
        let named = resource.strip_prefix(RESOURCE).and_then(|rest| rest.strip_prefix(bucket)).ok_or_else(invalid)?;
        match named.strip_prefix('/') {
            Some(key) if !key.is_empty() => keys.push(Pattern::new(key)),
            None if named.is_empty() => of_bucket = true,
            // A star that goes on after the name has the keys, and perhaps more.
            None if named == "*" => {
                of_bucket = true;
                keys.push(Pattern::new("*"));
            }
            _ => return Err(invalid()),
        }
    }
    Ok((of_bucket, keys))
}

#[cfg(test)]
mod tests {
    use super::{POLICY_BYTES_MAX, rules_of};
    use entente_tree::rules::{Deed, Deeds, Effect, Who};

    fn policy(statement: &str) -> String {
        format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}")
    }

    /// A statement in which some member is another.
    fn statement(member: &str, value: &str) -> String {
        let members = [
            ("Effect", "\"Allow\""),
            ("Principal", "\"*\""),
            ("Action", "\"s3:GetObject\""),
            ("Resource", "\"arn:aws:s3:::box/*\""),
        ];
        let is_new = !members.iter().any(|(name, _)| *name == member);
        let mut texts: Vec<String> = members
            .iter()
            .map(|(name, usual)| format!("\"{name}\":{}", if *name == member { value } else { usual }))
            .collect();
        if is_new {
            texts.push(format!("\"{member}\":{value}"));
        }
        policy(&format!("{{{}}}", texts.join(",")))
    }

    #[test]
    fn a_policy_becomes_rules() {
        let text = policy(
            r#"{"Sid":"a","Effect":"Allow","Principal":{"AWS":["7","arn:aws:iam::1:user/8"]},
                "Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::box","arn:aws:s3:::box/a/*"],
                "Condition":{"StringLike":{"s3:prefix":["a/*","b/*"]},"Bool":{"aws:SecureTransport":true}}},
               {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::box/secret/*"}"#,
        );
        let rules = rules_of(&text, "box").unwrap();
        assert_eq!((rules.len(), rules[0].effect, rules[1].effect), (2, Effect::Allow, Effect::Deny));
        assert!(rules[0].of_bucket && rules[0].keys.len() == 1 && rules[0].when.len() == 2);
        assert!(matches!(&rules[0].who, Who::Users(users) if users.len() == 2));
        assert_eq!(rules[0].deeds, Deeds::Some([Deed::ReadObject, Deed::ListKeys].into_iter().collect()));
        assert_eq!((&rules[1].who, &rules[1].deeds, rules[1].of_bucket), (&Who::Everyone, &Deeds::All, false));
        let single = text.replace(['[', ']'], "");
        assert!(rules_of(&single, "box").is_err(), "two statements are a list");
        let one =
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:List*","Resource":"arn:aws:s3:::box/*"}}"#;
        assert!(rules_of(one, "box").is_ok(), "the parts of uploads are listed with keys");
        assert!(rules_of(&one.replace("List*", "ListBucket*"), "box").is_err(), "these are of the bucket alone");
        assert!(rules_of(&statement("Resource", "[\"arn:aws:s3:::box/*\",\"*\"]"), "box").is_ok());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (member, value) in [
            ("Effect", "\"allow\""),
            ("Effect", "null"),
            ("Principal", "\"ada\""),
            ("Principal", "{}"),
            ("Principal", "{\"Service\":\"s3.amazonaws.com\"}"),
            ("Principal", "{\"AWS\":[]}"),
            ("Principal", "{\"AWS\":\"arn:aws:iam::1:role/x\"}"),
            ("Principal", "{\"AWS\":\"7\",\"AWS\":\"*\"}"),
            ("NotPrincipal", "\"*\""),
            ("NotAction", "\"s3:GetObject\""),
            ("NotResource", "\"arn:aws:s3:::box/*\""),
            ("Action", "\"s3:Nothing\""),
            ("Action", "\"s3:Nothing*\""),
            ("Action", "\"ec2:*\""),
            ("Action", "[]"),
            ("Action", "7"),
            ("Action", "\"s3:ListBucket\""),
            ("Action", "[\"s3:GetObject\",\"s3:ListBucket\"]"),
            ("Resource", "\"arn:aws:s3:::other/*\""),
            ("Resource", "\"arn:aws:s3:::boxes/*\""),
            ("Resource", "\"arn:aws:s3:::box/\""),
            ("Resource", "\"arn:aws:s3:::box/${aws:username}/*\""),
            ("Resource", "[]"),
            ("Condition", "{\"StringEquals\":{\"aws:Unknown\":\"a\"}}"),
            ("Condition", "{\"StringEqual\":{\"s3:prefix\":\"a\"}}"),
            ("Condition", "{\"ForAnyValue:StringEquals\":{\"s3:prefix\":\"a\"}}"),
            ("Condition", "{\"StringEquals\":{\"s3:prefix\":[]}}"),
            ("Condition", "{\"StringEquals\":{\"s3:prefix\":\"a\",\"s3:prefix\":\"b\"}}"),
            ("Condition", "{\"IpAddress\":{\"aws:SourceIp\":\"300.0.0.0/8\"}}"),
            ("Condition", "{\"IpAddress\":{\"s3:prefix\":\"10.0.0.0/8\"}}"),
            ("Condition", "{\"StringEquals\":{\"s3:prefix\":\"${aws:username}\"}}"),
            ("Condition", "{\"Bool\":{\"aws:SecureTransport\":\"yes\"}}"),
            ("Condition", "{\"DateLessThan\":{\"aws:CurrentTime\":\"soon\"}}"),
            ("Condition", "[]"),
            ("Extra", "1"),
            ("effect", "\"Allow\""),
        ] {
            assert!(rules_of(&statement(member, value), "box").is_err(), "{member} {value}");
        }
        for text in [
            "",
            "[]",
            "{}",
            "{\"Statement\":[]}",
            "{\"Version\":\"2020-01-01\",\"Statement\":[]}",
            "{\"Statement\":[{}]}",
            "{\"Statement\":7}",
            "nonsense",
            "\u{feff}{}",
        ] {
            assert!(rules_of(text, "box").is_err(), "{text}");
        }
        let good = statement("Effect", "\"Allow\"");
        assert!(rules_of(&good, "box").is_ok());
        assert!(rules_of(&(good.clone() + "x"), "box").is_err());
        assert!(rules_of(&good.replace("\"Statement\"", "\"Statement\":[],\"Statement\""), "box").is_err());
    }

    #[test]
    fn what_is_huge_or_deep_is_refused() {
        let huge = statement("Sid", &format!("\"{}\"", "a".repeat(POLICY_BYTES_MAX)));
        assert!(rules_of(&huge, "box").is_err());
        for deep in ["[".repeat(10_000), "{\"a\":".repeat(3_000)] {
            assert!(rules_of(&statement("Condition", &deep), "box").is_err());
            assert!(rules_of(&format!("{{\"Statement\":{deep}"), "box").is_err());
        }
    }

    proptest::proptest! {
        /// Whatever is sent is an answer, not a panic, and rules go to text and back.
        #[test]
        fn nothing_breaks_it(text in "[\\PC]{0,200}", member in "(Effect|Principal|Action|Resource|Condition)", value in "[\\[\\]{}\":,a-zA-Z0-9*? ]{0,60}") {
            let _ = rules_of(&text, "box");
            if let Ok(rules) = rules_of(&statement(&member, &value), "box") {
                let stored = serde_json::to_string(&rules).unwrap();
                let read: Vec<entente_tree::rules::Rule> = serde_json::from_str(&stored).unwrap();
                proptest::prop_assert_eq!(read, rules);
            }
        }
    }
}
