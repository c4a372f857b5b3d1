//! The decision.

use super::{Condition, Deed, Effect, Known, Sharing, Word};
use entente_database::acl::{Acl, Permission};
use entente_model::{ItemId, UserId};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The bucket.
    pub bucket: ItemId,
    /// Whose it is.
    pub owner: UserId,
    /// What is to be done.
    pub deed: Deed,
    /// With which key, if with one.
    pub key: Option<&'a str>,
    /// The grants of the object that is there.
    pub acl: Option<&'a Acl>,
}

/// What is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Yes.
    Allowed,
    /// No; whoever asks may know of the bucket.
    Denied,
    /// No, and it is not to be told from a bucket that does not exist.
    Hidden,
}

impl Sharing {
    /// Decides.
    #[must_use]
    pub fn decide(&self, asked: &Asked<'_>, known: &Known<'_>) -> Verdict {
        let is_owner = known.asker == Some(asked.owner);
        let keeps_hold = matches!(asked.deed, Deed::ReadPolicy | Deed::WritePolicy | Deed::RemovePolicy);
        if is_owner && keeps_hold {
            return Verdict::Allowed;
        }
        let speaks = |effect: Effect| {
            let mut rules = self.rules_in_force().filter(|rule| rule.effect == effect);
            rules.any(|rule| rule.speaks_of(asked, known))
        };
        if speaks(Effect::Deny) {
            return if is_owner || self.knows(asked, known) { Verdict::Denied } else { Verdict::Hidden };
        }
        if is_owner || speaks(Effect::Allow) || self.is_granted(asked, known) {
            return Verdict::Allowed;
        }
        if self.knows(asked, known) { Verdict::Denied } else { Verdict::Hidden }
    }

    /// Whether anything at all is let to whoever asks, so that they may know that there is such a bucket. Nobody whose
    /// name is not known is told.
    fn knows(&self, asked: &Asked<'_>, known: &Known<'_>) -> bool {
        known.asker.is_some() && self.lets_any(asked, known, |condition| condition.holds(known))
    }

    /// Whether whoever asks may come in, for keys that are decided one by one: what is only known then does not count yet.
    pub(crate) fn lets_come(&self, asked: &Asked<'_>, known: &Known<'_>) -> bool {
        let is_of_object = |condition: &Condition| matches!(condition.word, Word::Version | Word::TagThere(_));
        self.lets_any(asked, known, |condition| is_of_object(condition) || condition.holds(known))
    }

    /// Whether anything at all is let to whoever asks, where conditions hold as `holds` says.
    fn lets_any(&self, asked: &Asked<'_>, known: &Known<'_>, holds: impl Fn(&Condition) -> bool) -> bool {
        let by_rule = || {
            let mut rules = self.rules_in_force().filter(|rule| rule.effect == Effect::Allow);
            rules.any(|rule| rule.who.includes(known.asker) && rule.when.iter().all(&holds))
        };
        let by_grant = || {
            let of_object = asked.acl.filter(|acl| acl.bucket == asked.bucket);
            self.grants(self.acl.as_ref(), known).next().is_some() || self.grants(of_object, known).next().is_some()
        };
        by_rule() || by_grant()
    }

    /// Whether a grant of the bucket or of the object lets it.
    fn is_granted(&self, asked: &Asked<'_>, known: &Known<'_>) -> bool {
        let of_bucket = |wanted: Permission| {
            let mut grants = self.grants(self.acl.as_ref(), known);
            grants.any(|grant| grant.permission == wanted || grant.permission == Permission::Full)
        };
        let of_object = |wanted: Permission| {
            let acl = asked.acl.filter(|acl| acl.bucket == asked.bucket);
            let is_owner = self.has_grants() && acl.is_some_and(|acl| acl.owner.is_some() && acl.owner == known.asker);
            // Whose an object is reads and changes its grants, whatever they say.
            let is_its_own = is_owner && matches!(wanted, Permission::ReadAcl | Permission::WriteAcl);
            let mut grants = self.grants(acl, known);
            is_its_own || grants.any(|grant| grant.permission == wanted || grant.permission == Permission::Full)
        };
        match asked.deed {
            Deed::ListKeys | Deed::ListVersions | Deed::ListUploads => of_bucket(Permission::Read),
            Deed::WriteObject | Deed::RemoveObject | Deed::AbortUpload | Deed::ListParts => {
                of_bucket(Permission::Write)
            }
            Deed::ReadBucketAcl => of_bucket(Permission::ReadAcl),
            Deed::WriteBucketAcl => of_bucket(Permission::WriteAcl),
            Deed::ReadObject | Deed::ReadVersion | Deed::ReadAttributes | Deed::ReadVersionAttributes => {
                of_object(Permission::Read)
            }
            Deed::ReadAcl | Deed::ReadVersionAcl => of_object(Permission::ReadAcl),
            Deed::WriteAcl | Deed::WriteVersionAcl => of_object(Permission::WriteAcl),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Verdict};
    use crate::buckets::rules::{
        Absent, Circumstances, Condition, Deed, Deeds, Effect, Known, Network, Ownership, Pattern, PublicBlock, Rule,
        Sense, Sharing, Test, Who, Word,
    };
    use entente_database::acl::{Acl, Grant, Grantee, Permission};
    use entente_model::{ItemId, Timestamp, UserId};

    const BUCKET: ItemId = ItemId::new(5);
    const OWNER: Option<UserId> = Some(UserId::new(1));
    const FRIEND: Option<UserId> = Some(UserId::new(2));
    const STRANGER: Option<UserId> = Some(UserId::new(3));
    const NOBODY: Option<UserId> = None;

    fn rule(effect: Effect, who: Who, deeds: &[Deed], keys: &[&str]) -> Rule {
        Rule {
            effect,
            who,
            deeds: if deeds.is_empty() { Deeds::All } else { Deeds::Some(deeds.iter().copied().collect()) },
            of_bucket: true,
            keys: keys.iter().map(|key| Pattern::new(*key)).collect(),
            when: Vec::new(),
        }
    }

    fn friend() -> Who {
        Who::Users(FRIEND.into_iter().collect())
    }

    fn open(rules: Vec<Rule>) -> Sharing {
        Sharing { rules, block: None, ..Sharing::default() }
    }

    fn ask(sharing: &Sharing, asker: Option<UserId>, deed: Deed, key: Option<&str>, acl: Option<&Acl>) -> Verdict {
        let circumstances = Circumstances {
            address: "192.0.2.7".parse().unwrap(),
            is_secure: false,
            at: Timestamp::from_millis(0),
            words: Vec::new(),
        };
        let known = Known { circumstances: &circumstances, asker, tags: &[] };
        sharing.decide(&Asked { bucket: BUCKET, owner: UserId::new(1), deed, key, acl }, &known)
    }

    #[test]
    fn without_rules_the_owner_is_alone() {
        let sharing = Sharing::default();
        for deed in Deed::ALL {
            assert_eq!(ask(&sharing, OWNER, *deed, Some("a"), None), Verdict::Allowed);
            assert_eq!(ask(&sharing, FRIEND, *deed, Some("a"), None), Verdict::Hidden);
            assert_eq!(ask(&sharing, NOBODY, *deed, Some("a"), None), Verdict::Hidden);
        }
    }

    #[test]
    fn a_rule_lets_whom_it_speaks_of_and_no_more() {
        let sharing = open(vec![rule(Effect::Allow, friend(), &[Deed::ReadObject], &["public/*"])]);
        for (asker, deed, key, expected) in [
            (FRIEND, Deed::ReadObject, "public/a", Verdict::Allowed),
            (FRIEND, Deed::ReadObject, "private/a", Verdict::Denied),
            (FRIEND, Deed::WriteObject, "public/a", Verdict::Denied),
            (STRANGER, Deed::ReadObject, "public/a", Verdict::Hidden),
            (NOBODY, Deed::ReadObject, "public/a", Verdict::Hidden),
            (OWNER, Deed::WriteObject, "private/a", Verdict::Allowed),
        ] {
            assert_eq!(ask(&sharing, asker, deed, Some(key), None), expected, "{asker:?} {deed:?} {key}");
        }
    }

    #[test]
    fn what_is_forbidden_is_forbidden_to_the_owner_too() {
        let sharing = open(vec![
            rule(Effect::Allow, Who::Everyone, &[], &["*"]),
            rule(Effect::Deny, Who::Everyone, &[], &["secret/*"]),
            rule(Effect::Deny, friend(), &[Deed::RemoveObject], &["*"]),
        ]);
        for (asker, deed, key, expected) in [
            (OWNER, Deed::ReadObject, "secret/a", Verdict::Denied),
            (FRIEND, Deed::ReadObject, "secret/a", Verdict::Denied),
            (NOBODY, Deed::ReadObject, "secret/a", Verdict::Hidden),
            (FRIEND, Deed::RemoveObject, "a", Verdict::Denied),
            (STRANGER, Deed::RemoveObject, "a", Verdict::Allowed),
            // The rules speak of the bucket as well: its owner keeps hold of them.
            (OWNER, Deed::ListKeys, "", Verdict::Denied),
            (OWNER, Deed::ReadPolicy, "", Verdict::Allowed),
            (OWNER, Deed::WritePolicy, "", Verdict::Allowed),
            (OWNER, Deed::RemovePolicy, "", Verdict::Allowed),
            (FRIEND, Deed::RemovePolicy, "", Verdict::Denied),
        ] {
            assert_eq!(ask(&sharing, asker, deed, Some(key), None), expected, "{asker:?} {deed:?} {key}");
        }
    }

    #[test]
    fn what_is_public_can_be_restricted() {
        let mut sharing = open(vec![
            rule(Effect::Allow, Who::Everyone, &[Deed::ReadObject], &["*"]),
            rule(Effect::Allow, friend(), &[Deed::ReadObject], &["*"]),
        ]);
        assert!(sharing.is_public());
        assert_eq!(ask(&sharing, NOBODY, Deed::ReadObject, Some("a"), None), Verdict::Allowed);
        sharing.block = Some(PublicBlock { restrict_public_buckets: true, ..PublicBlock::NONE });
        for asker in [NOBODY, STRANGER, FRIEND] {
            assert_eq!(ask(&sharing, asker, Deed::ReadObject, Some("a"), None), Verdict::Hidden);
        }
        sharing.rules.remove(0);
        assert_eq!(ask(&sharing, FRIEND, Deed::ReadObject, Some("a"), None), Verdict::Allowed);
    }

    #[test]
    fn a_condition_that_is_not_met_tells_nothing() {
        let within = |network| {
            let test = Test::Within(Sense::Any, vec![Network::parse(network).unwrap()]);
            Condition { word: Word::Address, test, absent: Absent::Fails }
        };
        for (network, expected) in [("198.51.100.0/24", Verdict::Hidden), ("192.0.2.0/24", Verdict::Denied)] {
            let mut rule = rule(Effect::Allow, Who::Everyone, &[Deed::ReadObject], &["public/*"]);
            rule.when.push(within(network));
            let sharing = open(vec![rule]);
            for asker in [FRIEND, STRANGER] {
                assert_eq!(ask(&sharing, asker, Deed::WriteObject, Some("a"), None), expected, "{network}");
                assert_eq!(ask(&sharing, asker, Deed::ListKeys, None, None), expected, "{network}");
            }
            assert_eq!(ask(&sharing, NOBODY, Deed::ListKeys, None, None), Verdict::Hidden);
        }
    }

    #[test]
    fn public_is_what_is_not_narrowed() {
        let of = |condition: Option<Condition>| {
            let mut rule = rule(Effect::Allow, Who::Everyone, &[Deed::ReadObject], &["*"]);
            rule.when.extend(condition);
            open(vec![rule]).is_public()
        };
        let within = |network, absent| {
            let test = Test::Within(Sense::Any, vec![Network::parse(network).unwrap()]);
            Some(Condition { word: Word::Address, test, absent })
        };
        assert!(of(None));
        assert!(!of(within("192.0.2.0/24", Absent::Fails)));
        assert!(of(within("192.0.2.0/24", Absent::Holds)) && of(within("0.0.0.0/0", Absent::Fails)));
        let secure = Condition { word: Word::Secure, test: Test::Is(vec![true]), absent: Absent::Fails };
        assert!(of(Some(secure)));
        assert!(!open(vec![rule(Effect::Allow, friend(), &[], &["*"])]).is_public());
        assert!(!open(vec![rule(Effect::Deny, Who::Everyone, &[], &["*"])]).is_public());
    }

    #[test]
    fn grants_count_where_they_are_let_count() {
        let acl = |to, permission| Acl { bucket: BUCKET, owner: None, grants: vec![Grant { to, permission }] };
        let mut sharing = open(Vec::new());
        let public = acl(Grantee::Everyone, Permission::Read);
        let ask_read =
            |sharing: &Sharing, acl: &Acl, asker| ask(sharing, asker, Deed::ReadObject, Some("a"), Some(acl));
        assert_eq!(ask_read(&sharing, &public, NOBODY), Verdict::Hidden);
        sharing.ownership = Some(Ownership::Preferred);
        assert_eq!(ask_read(&sharing, &public, NOBODY), Verdict::Allowed);
        let elsewhere = Acl { bucket: ItemId::new(6), ..public.clone() };
        assert_eq!(ask_read(&sharing, &elsewhere, NOBODY), Verdict::Hidden);
        let users = acl(Grantee::Users, Permission::Full);
        assert_eq!(ask_read(&sharing, &users, NOBODY), Verdict::Hidden);
        assert_eq!(ask_read(&sharing, &users, STRANGER), Verdict::Allowed);
        assert_eq!(ask(&sharing, STRANGER, Deed::WriteObject, Some("a"), Some(&users)), Verdict::Denied);
        sharing.block = Some(PublicBlock { ignore_public_acls: true, ..PublicBlock::NONE });
        assert_eq!(ask_read(&sharing, &users, STRANGER), Verdict::Hidden);
        let named = acl(Grantee::User(UserId::new(2)), Permission::Read);
        assert_eq!(ask_read(&sharing, &named, FRIEND), Verdict::Allowed);
        assert_eq!(ask_read(&sharing, &named, STRANGER), Verdict::Hidden);
        sharing.block = None;
        for (permission, deed) in [
            (Permission::Read, Deed::ListKeys),
            (Permission::Write, Deed::WriteObject),
            (Permission::Write, Deed::RemoveObject),
            (Permission::ReadAcl, Deed::ReadBucketAcl),
            (Permission::WriteAcl, Deed::WriteBucketAcl),
            (Permission::Full, Deed::ListVersions),
        ] {
            sharing.acl = Some(acl(Grantee::Everyone, permission));
            assert_eq!(ask(&sharing, NOBODY, deed, Some("a"), None), Verdict::Allowed, "{deed:?}");
            assert_eq!(ask(&sharing, STRANGER, Deed::ReadObject, Some("a"), None), Verdict::Denied);
            assert_eq!(ask(&sharing, STRANGER, Deed::RemoveVersion, Some("a"), None), Verdict::Denied);
        }
    }

    #[test]
    fn whose_an_object_is_changes_its_grants() {
        let acl = Acl { bucket: BUCKET, owner: FRIEND, grants: Vec::new() };
        let mut sharing = open(Vec::new());
        sharing.ownership = Some(Ownership::Writer);
        assert_eq!(ask(&sharing, FRIEND, Deed::WriteAcl, Some("a"), Some(&acl)), Verdict::Allowed);
        assert_eq!(ask(&sharing, STRANGER, Deed::WriteAcl, Some("a"), Some(&acl)), Verdict::Hidden);
        assert_eq!(ask(&sharing, NOBODY, Deed::WriteAcl, Some("a"), Some(&acl)), Verdict::Hidden);
    }
}
