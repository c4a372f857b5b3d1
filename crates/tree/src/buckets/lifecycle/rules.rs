//! By which rules keys go by themselves, purely: what a rule is about, and when its time has come.

use entente_model::Timestamp;
use serde::{Deserialize, Serialize};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The rules of a bucket. Stored as JSON, each member left out when it is empty: a member is never given another meaning.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Lifecycle {
    /// In the order in which they were given. Each is followed as if it were the only one.
    pub rules: Vec<LifecycleRule>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LifecycleRule {
    /// By what clients know it; no two rules of a bucket have the same.
    pub name: String,
    /// Whether it is followed.
    pub enabled: bool,
    /// What it is about.
    pub filter: KeyFilter,
    /// When the current version of a key goes. Where the key has nothing but a delete marker, that goes then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// Whether a delete marker goes as soon as there is nothing else of its key.
    pub lone_markers: bool,
    /// When versions and markers go that are not current.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older: Option<OlderVersions>,
    /// How many days after it was begun an upload is ended that nobody has completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploads_after_days: Option<u32>,
}

/// What a rule is about: all of this must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyFilter {
    /// What the key begins with.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Tags that the version has: keys and values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// It has more bytes than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above_bytes: Option<u64>,
    /// It has fewer bytes than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below_bytes: Option<u64>,
}

/// When the current version of a key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expiry {
    /// At the first midnight (UTC) that comes when it is so many days old.
    AfterDays(u32),
    /// From that moment on, whenever it was stored.
    From(Timestamp),
}

/// Which versions go that are not current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OlderVersions {
    /// At the first midnight (UTC) that comes when something newer has been there for so many days.
    pub after_days: u32,
    /// How many of the newest that are not current stay all the same. Markers do not count, and do not stay.
    #[serde(default)]
    pub keep: u32,
}

/// A version, or a delete marker, as rules see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'s> {
    pub(super) key: &'s str,
    /// `None` of a marker.
    pub(super) content: Option<(u64, &'s [(String, String)])>,
    /// When it came.
    pub(super) at: Timestamp,
}

/// The first midnight (UTC) that comes when something is so many days old.
#[must_use]
pub(super) fn due(since: Timestamp, days: u32) -> Timestamp {
    let day = since.millis().div_euclid(DAY_MS).saturating_add(i64::from(days)).saturating_add(1);
    Timestamp::from_millis(day.saturating_mul(DAY_MS))
}

/// The midnight (UTC) at which the day of a moment began.
#[must_use]
pub(super) fn midnight(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().div_euclid(DAY_MS).saturating_mul(DAY_MS))
}

impl KeyFilter {
    fn includes(&self, seen: &Seen<'_>) -> bool {
        if !seen.key.starts_with(&self.prefix) {
            return false;
        }
        match seen.content {
            // A marker has neither a size nor tags.
            None => self.tags.is_empty() && self.above_bytes.is_none() && self.below_bytes.is_none(),
            Some((size, tags)) => {
                self.above_bytes.is_none_or(|least| size > least)
                    && self.below_bytes.is_none_or(|most| size < most)
                    && self.tags.iter().all(|tag| tags.contains(tag))
            }
        }
    }
}

impl LifecycleRule {
    /// When its expiry comes for something that came then.
    fn expires_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.expiry.map(|expiry| match expiry {
            Expiry::AfterDays(days) => due(at, days),
            Expiry::From(moment) => moment,
        })
    }

    /// Whether it is about keys, rather than about uploads alone.
    fn is_about_keys(&self) -> bool {
        self.expiry.is_some() || self.lone_markers || self.older.is_some()
    }
}

impl Lifecycle {
    fn enabled(&self) -> impl Iterator<Item = &LifecycleRule> {
        self.rules.iter().filter(|rule| rule.enabled)
    }

    /// When the current version of a key goes, and by which rule: the one that comes first.
    pub(super) fn expiry(&self, seen: &Seen<'_>) -> Option<(Timestamp, &LifecycleRule)> {
        let due = self.enabled().filter(|rule| rule.filter.includes(seen));
        due.filter_map(|rule| Some((rule.expires_at(seen.at)?, rule))).min_by_key(|(at, _)| *at)
    }

    /// Whether a delete marker goes that is all that there is of its key.
    pub(super) fn lone_marker_goes(&self, seen: &Seen<'_>, now: Timestamp) -> bool {
        self.enabled()
            .filter(|rule| rule.filter.includes(seen))
            .any(|rule| rule.lone_markers || rule.expires_at(seen.at).is_some_and(|at| at <= now))
    }

    /// Whether a version goes, or a marker, that is not current since something newer came, and that so many versions which
    /// are not current are newer than.
    pub(super) fn older_goes(&self, seen: &Seen<'_>, (since, newer): (Timestamp, u32), now: Timestamp) -> bool {
        let older = self.enabled().filter(|rule| rule.filter.includes(seen)).filter_map(|rule| rule.older);
        let mut of_age = older.filter(|older| due(since, older.after_days) <= now);
        of_age.any(|older| seen.content.is_none() || newer >= older.keep)
    }

    /// When an unfinished upload goes, and by which rule: the one that comes first.
    pub(super) fn upload_expiry(&self, key: &str, begun_at: Timestamp) -> Option<(Timestamp, &LifecycleRule)> {
        // Rules with tags or sizes are never about uploads, which have none yet.
        let seen = Seen { key, content: None, at: begun_at };
        let about = self.enabled().filter(|rule| rule.filter.includes(&seen));
        about.filter_map(|rule| Some((due(begun_at, rule.uploads_after_days?), rule))).min_by_key(|(at, _)| *at)
    }

    /// Whether any rule is about uploads.
    pub(super) fn is_about_uploads(&self) -> bool {
        self.enabled().any(|rule| rule.uploads_after_days.is_some())
    }

    /// With which texts the keys begin that rules are about, in order, none beginning with another.
    pub(super) fn prefixes(&self) -> Vec<&str> {
        let about = self.enabled().filter(|rule| rule.is_about_keys());
        let mut all: Vec<&str> = about.map(|rule| rule.filter.prefix.as_str()).collect();
        all.sort_unstable();
        let mut prefixes: Vec<&str> = Vec::with_capacity(all.len());
        for prefix in all {
            // What begins with another comes after it, and before everything that does not.
            if prefixes.last().is_none_or(|last| !prefix.starts_with(last)) {
                prefixes.push(prefix);
            }
        }
        prefixes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_millis(number * DAY_MS)
    }

    fn rule(filter: KeyFilter) -> LifecycleRule {
        LifecycleRule { name: "r".to_owned(), enabled: true, filter, ..LifecycleRule::default() }
    }

    fn prefixed(prefix: &str) -> KeyFilter {
        KeyFilter { prefix: prefix.to_owned(), ..KeyFilter::default() }
    }

    #[test]
    fn days_end_at_the_midnight_after() {
        let noon = Timestamp::from_millis(DAY_MS / 2);
        assert_eq!(due(noon, 1), day(2));
        assert_eq!(due(noon, 3), day(4));
        assert_eq!(due(day(0), 1), day(2), "at midnight the day has just begun");
        assert_eq!(due(Timestamp::from_millis(DAY_MS - 1), 1), day(2));
        assert_eq!(due(Timestamp::from_millis(i64::MAX), u32::MAX), Timestamp::from_millis(i64::MAX));
        assert_eq!(midnight(noon), day(0));
        assert_eq!(midnight(Timestamp::from_millis(-1)), day(-1));
    }

    #[test]
    fn a_filter_asks_for_all_that_it_says() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let filter = KeyFilter {
            prefix: "logs/".to_owned(),
            tags: vec![tag("a", "1")],
            above_bytes: Some(10),
            below_bytes: Some(20),
        };
        let tags = [tag("b", "2"), tag("a", "1")];
        let seen = |key, size, tags| Seen { key, content: Some((size, tags)), at: day(0) };
        assert!(filter.includes(&seen("logs/x", 11, &tags)));
        assert!(filter.includes(&seen("logs/x", 19, &tags)));
        for no in [
            seen("log", 11, &tags),
            seen("logs/x", 10, &tags),
            seen("logs/x", 20, &tags),
            seen("logs/x", 11, &tags[..1]),
            Seen { key: "logs/x", content: None, at: day(0) },
        ] {
            assert!(!filter.includes(&no), "{no:?}");
        }
        assert!(prefixed("logs/").includes(&Seen { key: "logs/x", content: None, at: day(0) }));
    }

    #[test]
    fn the_rule_that_comes_first_counts() {
        let mut rules = vec![rule(prefixed("a")), rule(prefixed("")), rule(prefixed("ab"))];
        rules[0].expiry = Some(Expiry::AfterDays(10));
        rules[1].expiry = Some(Expiry::From(day(50)));
        (rules[2].expiry, rules[2].enabled) = (Some(Expiry::AfterDays(1)), false);
        let rules = Lifecycle { rules };
        let at = |key| rules.expiry(&Seen { key, content: Some((1, &[])), at: day(0) }).map(|(at, _)| at);
        assert_eq!(at("abc"), Some(day(11)));
        assert_eq!(at("x"), Some(day(50)));
    }

    #[test]
    fn the_newest_older_versions_stay() {
        let mut one = rule(KeyFilter::default());
        one.older = Some(OlderVersions { after_days: 1, keep: 2 });
        let rules = Lifecycle { rules: vec![one] };
        let version = Seen { key: "k", content: Some((1, &[])), at: day(0) };
        assert!(!rules.older_goes(&version, (day(0), 1), day(9)));
        assert!(rules.older_goes(&version, (day(0), 2), day(9)));
        assert!(!rules.older_goes(&version, (day(8), 2), day(9)));
        let marker = Seen { content: None, ..version };
        assert!(rules.older_goes(&marker, (day(0), 0), day(9)));
    }

    #[test]
    fn prefixes_that_others_begin_with_are_enough() {
        let mut rules: Vec<_> = ["b/c", "a", "b/", "b0", "ab"].map(|prefix| rule(prefixed(prefix))).into();
        for rule in &mut rules {
            rule.lone_markers = true;
        }
        rules.push(rule(prefixed("")));
        rules[5].uploads_after_days = Some(1);
        let rules = Lifecycle { rules };
        assert_eq!(rules.prefixes(), ["a", "b/", "b0"]);
        assert!(rules.is_about_uploads());
        assert_eq!(rules.upload_expiry("x", day(0)).map(|(at, _)| at), Some(day(2)));
    }

    #[test]
    fn rules_go_to_text_and_back() {
        let mut one = rule(prefixed("a"));
        one.expiry = Some(Expiry::From(day(1)));
        one.older = Some(OlderVersions { after_days: 3, keep: 1 });
        let rules = Lifecycle { rules: vec![one] };
        let text = serde_json::to_string(&rules).expect("text");
        assert_eq!(serde_json::from_str::<Lifecycle>(&text).expect("rules"), rules);
    }
}
