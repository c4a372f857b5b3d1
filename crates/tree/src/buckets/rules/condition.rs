//! Under which circumstances a rule counts.

use super::pattern::Pattern;
use entente_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is known of how something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    /// From where.
    pub address: IpAddr,
    /// Whether the connection is encrypted.
    pub is_secure: bool,
    /// When.
    pub at: Timestamp,
    /// Words of the request.
    pub words: Vec<(Word, String)>,
}

/// A word that a request may have. The names are stored: never give one another meaning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Word {
    /// From where from.
    Address,
    /// Whether the connection is encrypted.
    Secure,
    /// When: a moment, or seconds since 1970.
    Moment,
    /// Who asks, by the id; absent if nobody knows.
    Asker,
    /// The page that led to the request.
    Referrer,
    /// The program that asks.
    Program,
    /// With what the keys of a listing begin.
    Prefix,
    /// Where the keys of a listing are cut.
    Delimiter,
    /// How many keys a listing may have.
    KeysMax,
    /// The name of a list of grants.
    CannedAcl,
    /// Which version.
    Version,
    /// From where a copy is made.
    CopySource,
    /// How it is to be sealed.
    Encryption,
    /// How it is to be stored.
    StorageClass,
    /// How the request was signed.
    Signature,
    /// Where the signature was.
    SignatureAt,
    /// The value of a tag that the object has.
    TagThere(String),
    /// The value of a tag that the object is to have.
    TagWanted(String),
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Of what.
    pub word: Word,
    /// What is asked of it.
    pub test: Test,
    /// What comes out when the request does not have the word.
    pub absent: Absent,
}

/// What an absent word makes of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Absent {
    /// It does not hold.
    Fails,
    /// It holds.
    Holds,
}

/// Which way round a test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sense {
    /// One of the values must fit.
    Any,
    /// None of them may.
    None,
}

/// Which side of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Order {
    /// The same.
    Equal,
    /// Less.
    Less,
    /// Less or the same.
    LessOrEqual,
    /// More.
    Greater,
    /// More or the same.
    GreaterOrEqual,
}

/// What is asked of a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Test {
    /// To be one of these texts.
    Equals(Sense, Vec<String>),
    /// The same, in whatever case.
    EqualsAnyCase(Sense, Vec<String>),
    /// To fit one of these patterns.
    Fits(Sense, Vec<Pattern>),
    /// To be a number on this side of one of these.
    Number(Sense, Order, Vec<i64>),
    /// To be a moment on this side of one of these.
    Moment(Sense, Order, Vec<Timestamp>),
    /// To be true, or not to be.
    Is(Vec<bool>),
    /// To be within one of these networks.
    Within(Sense, Vec<Network>),
    /// To be absent, or not to be.
    Lacks(Vec<bool>),
}

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `192.0.2.0/24`, or an address alone. `None` for what is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let bits = match bits {
            None => most,
            Some(bits) => Some(bits).filter(is_number)?.parse::<u8>().ok().filter(|bits| *bits <= most)?,
        };
        Some(Self { address, bits })
    }

    /// Whether an address is in it. One of the older kind in the form of the newer one is the older one.
    #[must_use]
    pub fn includes(&self, address: IpAddr) -> bool {
        let shifted = |bits: u128, width: u8| bits.checked_shr(u32::from(width.saturating_sub(self.bits))).unwrap_or(0);
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) if self.address.is_ipv4() => {
                shifted(network.to_bits().into(), 32) == shifted(address.to_bits().into(), 32)
            }
            (_, address) => match (self.address, address) {
                (IpAddr::V6(network), IpAddr::V6(address)) => {
                    shifted(network.to_bits(), 128) == shifted(address.to_bits(), 128)
                }
                (IpAddr::V6(network), IpAddr::V4(address)) => {
                    shifted(network.to_bits(), 128) == shifted(address.to_ipv6_mapped().to_bits(), 128)
                }
                _ => false,
            },
        }
    }

    /// Whether it is so wide that half the world is in it.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        let bits = u32::from(self.bits);
        match self.address {
            IpAddr::V4(_) => bits < 8,
            IpAddr::V6(address) => bits < 32 || bits < MAPPED_BITS + 8 && reaches_mapped(address, bits),
        }
    }
}

/// How many bits the addresses of version 4 have before them in version 6.
const MAPPED_BITS: u32 = 96;

/// Whether addresses of version 4 are in a network of version 6, or it in theirs.
fn reaches_mapped(address: Ipv6Addr, bits: u32) -> bool {
    let others = address.to_bits() ^ Ipv4Addr::UNSPECIFIED.to_ipv6_mapped().to_bits();
    others.checked_shr(128 - bits.min(MAPPED_BITS)).unwrap_or(0) == 0
}

impl Condition {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, known: &Known<'_>) -> bool {
        let found = known.word(&self.word);
        if let Test::Lacks(wanted) = &self.test {
            return wanted.contains(&found.is_none());
        }
        let Some(found) = found else { return self.absent == Absent::Holds };
        let in_sense = |sense: Sense, fits: bool| fits == (sense == Sense::Any);
        match &self.test {
            Test::Equals(sense, texts) => in_sense(*sense, texts.contains(&found)),
            Test::EqualsAnyCase(sense, texts) => {
                let found = found.to_lowercase();
                in_sense(*sense, texts.iter().any(|text| text.to_lowercase() == found))
            }
            Test::Fits(sense, patterns) => in_sense(*sense, patterns.iter().any(|pattern| pattern.fits(&found))),
            // What is no number is on no side of one.
            Test::Number(sense, order, numbers) => {
                let Ok(found) = found.parse::<i64>() else { return *sense == Sense::None };
                in_sense(*sense, numbers.iter().any(|number| order.holds(found, *number)))
            }
            Test::Moment(sense, order, moments) => {
                let found = known.circumstances.at;
                in_sense(*sense, moments.iter().any(|moment| order.holds(found, *moment)))
            }
            Test::Is(wanted) => found.parse::<bool>().is_ok_and(|found| wanted.contains(&found)),
            Test::Within(sense, networks) => {
                let address = known.circumstances.address;
                in_sense(*sense, networks.iter().any(|network| network.includes(address)))
            }
            Test::Lacks(_) => false,
        }
    }
}

impl Order {
    fn holds<T: PartialOrd + Copy>(self, found: T, value: T) -> bool {
        match self {
            Self::Equal => found == value,
            Self::Less => found < value,
            Self::LessOrEqual => found <= value,
            Self::Greater => found > value,
            Self::GreaterOrEqual => found >= value,
        }
    }
}

/// What is known when a rule is looked at.
pub struct Known<'k> {
    /// How it is asked.
    pub circumstances: &'k Circumstances,
    /// Who asks, if anybody knows.
    pub asker: Option<entente_model::UserId>,
    /// The tags that the object has.
    pub tags: &'k [(String, String)],
}

impl Known<'_> {
    fn word(&self, word: &Word) -> Option<String> {
        let Circumstances { address, is_secure, at, words } = self.circumstances;
        match word {
            Word::Address => Some(address.to_string()),
            Word::Secure => Some(is_secure.to_string()),
            Word::Moment => Some(at.millis().div_euclid(1_000).to_string()),
            Word::Asker => self.asker.map(|asker| asker.to_string()),
            Word::TagThere(name) => self.tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.clone()),
            other => words.iter().find(|(word, _)| word == other).map(|(_, value)| value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Absent, Circumstances, Condition, Known, Network, Order, Sense, Test, Word};
    use crate::buckets::rules::Pattern;
    use entente_model::{Timestamp, UserId};

    fn circumstances() -> Circumstances {
        Circumstances {
            address: "192.0.2.7".parse().unwrap(),
            is_secure: true,
            at: Timestamp::from_millis(1_000_500),
            words: vec![(Word::Prefix, "home/".to_owned()), (Word::KeysMax, "10".to_owned())],
        }
    }

    #[test]
    fn networks_are_read_strictly_and_compare_by_bits() {
        for (network, address, expected) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("192.0.2.0/24", "::ffff:192.0.2.1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8::/32", "192.0.2.1", false),
            ("192.0.2.0/24", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
        ] {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.includes(address.parse().unwrap()), expected, "{network:?} {address}");
        }
        for odd in ["", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+1", "::/129", "a", "192.0.2.0/24/8", "192.0.2"] {
            assert_eq!(Network::parse(odd), None, "{odd}");
        }
        assert!(Network::parse("0.0.0.0/0").unwrap().is_wide() && !Network::parse("10.0.0.0/8").unwrap().is_wide());
        for (text, is_wide) in [
            ("::ffff:0:0/96", true),
            ("::/80", true),
            ("::ffff:0:0/103", true),
            ("::ffff:10.0.0.0/104", false),
            ("2001:db8::/32", false),
            ("2001:db8::/96", false),
            ("2000::/3", true),
        ] {
            assert_eq!(Network::parse(text).unwrap().is_wide(), is_wide, "{text}");
        }
    }

    #[test]
    fn conditions_hold_or_not() {
        let circumstances = circumstances();
        let tags = [("team".to_owned(), "blue".to_owned())];
        let known = Known { circumstances: &circumstances, asker: Some(UserId::new(7)), tags: &tags };
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let moment = |millis| vec![Timestamp::from_millis(millis)];
        let network = |text| vec![Network::parse(text).unwrap()];
        let cases = [
            (Word::Prefix, Test::Equals(Sense::Any, texts(&["a", "home/"])), true),
            (Word::Prefix, Test::Equals(Sense::None, texts(&["home/"])), false),
            (Word::Prefix, Test::Equals(Sense::None, texts(&["a"])), true),
            (Word::Prefix, Test::EqualsAnyCase(Sense::Any, texts(&["HOME/"])), true),
            (Word::Prefix, Test::Fits(Sense::Any, vec![Pattern::new("h?me*")]), true),
            (Word::Delimiter, Test::Equals(Sense::Any, texts(&["/"])), false),
            (Word::KeysMax, Test::Number(Sense::Any, Order::LessOrEqual, vec![10]), true),
            (Word::KeysMax, Test::Number(Sense::Any, Order::Less, vec![10]), false),
            (Word::KeysMax, Test::Number(Sense::None, Order::Equal, vec![10]), false),
            (Word::Prefix, Test::Number(Sense::Any, Order::Less, vec![10]), false),
            (Word::Moment, Test::Moment(Sense::Any, Order::Greater, moment(1_000_000)), true),
            (Word::Moment, Test::Moment(Sense::Any, Order::Less, moment(1_000_000)), false),
            (Word::Secure, Test::Is(vec![true]), true),
            (Word::Secure, Test::Is(vec![false]), false),
            (Word::Address, Test::Within(Sense::Any, network("192.0.2.0/24")), true),
            (Word::Address, Test::Within(Sense::None, network("192.0.2.0/24")), false),
            (Word::Asker, Test::Equals(Sense::Any, texts(&["7"])), true),
            (Word::TagThere("team".to_owned()), Test::Equals(Sense::Any, texts(&["blue"])), true),
            (Word::TagThere("other".to_owned()), Test::Equals(Sense::Any, texts(&["blue"])), false),
            (Word::Delimiter, Test::Lacks(vec![true]), true),
            (Word::Prefix, Test::Lacks(vec![true]), false),
            (Word::Prefix, Test::Lacks(vec![false]), true),
        ];
        for (word, test, expected) in cases {
            let condition = Condition { word, test, absent: Absent::Fails };
            assert_eq!(condition.holds(&known), expected, "{condition:?}");
        }
        let lenient =
            Condition { word: Word::Delimiter, test: Test::Equals(Sense::Any, texts(&["/"])), absent: Absent::Holds };
        assert!(lenient.holds(&known));
    }
}
