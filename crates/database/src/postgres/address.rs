//! `postgres://user@host:port/database?sslmode=…`: where a database is, and how to speak to it.

use crate::{Error, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

const PORT: u16 = 5432;
/// Several hosts are tried in turn: a primary and those that may take over from it.
const HOSTS_MAX: usize = 16;

/// Whether to speak through TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// Never.
    Disable,
    /// Always; the certificate and the name in it are checked.
    Verify,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Tcp {
        name: String,
        port: u16,
    },
    /// The folder of the server's socket, and the number in its name.
    Unix {
        folder: PathBuf,
        port: u16,
    },
}

/// Where a database is, and who we are there. Does not print its password.
#[derive(Clone)]
pub struct Address {
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) password: Option<Zeroizing<String>>,
    pub(super) database: String,
    pub(super) tls: Tls,
    /// PEM certificates of those who may sign the server's; the system's if not given.
    pub(super) authorities: Option<PathBuf>,
    pub(super) connect_timeout: Duration,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or_else(|| wrong("it begins with postgres://"))?;
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = authority.rsplit_once('@').ok_or_else(|| wrong("it names a user before an @"))?;
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(Zeroizing::new(decode(password)?))),
            None => (credentials, None),
        };
        let user = decode(user)?;
        if user.is_empty() {
            return Err(wrong("it names a user before the @"));
        }
        let database = if database.is_empty() { user.clone() } else { decode(database)? };
        let hosts = hosts.split(',').map(host).collect::<Result<Vec<_>, Error>>()?;
        if hosts.len() > HOSTS_MAX {
            return Err(wrong("it names at most 16 hosts"));
        }
        let connect_timeout = Duration::from_secs(5);
        let tls = if hosts.iter().all(Host::is_here) { Tls::Disable } else { Tls::Verify };
        let mut address = Self { hosts, user, password, database, tls, authorities: None, connect_timeout };
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            let (name, value) =
                parameter.split_once('=').ok_or_else(|| wrong("a parameter has a value: name=value"))?;
            address.set(name, decode(value)?)?;
        }
        Ok(address)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), Error> {
        match name {
            "sslmode" => {
                self.tls = match value.as_str() {
                    "disable" => Tls::Disable,
                    "require" | "verify-full" => Tls::Verify,
                    _ => return Err(wrong("sslmode is disable or verify-full")),
                }
            }
            "sslrootcert" => self.authorities = Some(value.into()),
            "connect_timeout" => {
                let seconds = value.parse().ok().filter(|seconds| (1..=300).contains(seconds));
                self.connect_timeout =
                    Duration::from_secs(seconds.ok_or_else(|| wrong("connect_timeout is 1 to 300 seconds"))?);
            }
            "application_name" => {}
            _ => return Err(wrong(&format!("the parameter {name:?} is not known"))),
        }
        Ok(())
    }
}

impl Host {
    /// Whether nothing between it and this process could listen.
    fn is_here(&self) -> bool {
        match self {
            Self::Unix { .. } => true,
            Self::Tcp { name, .. } => {
                name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { name, port } if name.contains(':') => write!(f, "[{name}]:{port}"),
            Self::Tcp { name, port } => write!(f, "{name}:{port}"),
            Self::Unix { folder, port } => write!(f, "{}/.s.PGSQL.{port}", folder.display()),
        }
    }
}

fn host(text: &str) -> Result<Host, Error> {
    let port = |text: &str| match text {
        "" => Ok(PORT),
        text => text.parse().map_err(|_| wrong("a port is a number up to 65535")),
    };
    if let Some(text) = text.strip_prefix('[') {
        let (name, after) = text.split_once(']').ok_or_else(|| wrong("an IPv6 address ends with ]"))?;
        return Ok(Host::Tcp { name: name.to_owned(), port: port(after.strip_prefix(':').unwrap_or(after))? });
    }
    let (name, number) = text.split_once(':').unwrap_or((text, ""));
    let name = decode(name)?;
    Ok(match name.as_str() {
        "" => Host::Tcp { name: "localhost".to_owned(), port: port(number)? },
        folder if folder.starts_with('/') => Host::Unix { folder: folder.into(), port: port(number)? },
        _ => Host::Tcp { name, port: port(number)? },
    })
}

fn decode(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |byte: &u8| (*byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = match rest {
            [high, low, after @ ..] => {
                rest = after;
                digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low)
            }
            _ => None,
        };
        bytes.push(byte.ok_or_else(|| wrong("after % come two hexadecimal digits"))?);
    }
    String::from_utf8(bytes).map_err(|_| wrong("it is UTF-8"))
}

fn wrong(what: &str) -> Error {
    let message = format!("the database's URL cannot be used: {what}; expected postgres://user@host:port/database");
    Error::new(ErrorKind::Failed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_a_database_is() {
        let url = "postgres://an%20a:p%40ss@db.example,[::1]:6000/x?sslmode=disable&connect_timeout=7";
        let address = Address::parse(url).unwrap();
        assert_eq!(address.user, "an a");
        assert_eq!(address.password.unwrap().as_str(), "p@ss");
        assert_eq!(address.database, "x");
        let [one, two] = address.hosts.as_slice() else { panic!() };
        assert_eq!((one.to_string(), two.to_string()), ("db.example:5432".to_owned(), "[::1]:6000".to_owned()));
        assert_eq!((address.tls, address.connect_timeout), (Tls::Disable, Duration::from_secs(7)));
    }

    #[test]
    fn what_is_left_out_has_its_usual_value() {
        let address = Address::parse("postgresql://anna@db").unwrap();
        assert_eq!((address.database.as_str(), address.tls), ("anna", Tls::Verify));
        assert!(address.password.is_none());
        assert_eq!(Address::parse("postgres://a@localhost").unwrap().tls, Tls::Disable);
        assert_eq!(Address::parse("postgres://a@127.0.0.1,db").unwrap().tls, Tls::Verify);
        let socket = Address::parse("postgres://a@%2Frun%2Fpostgresql:5433/d").unwrap();
        assert_eq!(socket.hosts, [Host::Unix { folder: "/run/postgresql".into(), port: 5433 }]);
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_the_password() {
        let wrong = [
            "mysql://a@b/c",
            "postgres://db/x",
            "postgres://a:secret@h:port/x",
            "postgres://a:secret@h/x?sslmode=maybe",
            "postgres://a:secret@h/x?colour=red",
            "postgres://a:secret%4@h/x",
            "postgres://:secret@h/x",
        ];
        for url in wrong {
            let error = Address::parse(url).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
