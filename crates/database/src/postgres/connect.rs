//! From nothing to a session: which host, who we are, and how the session is to behave.

use super::Options;
use super::address::{Address, Host};
use super::connection::Connection;
use super::failure;
use super::socket::Socket;
use super::wire::Wire;
use crate::{Error, ErrorKind};
use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use std::io;
use std::time::Duration;

/// The oldest release of PostgreSQL that is not refused.
const MAJOR_MIN: u32 = 12;
/// Beyond the limit that the server keeps, the time that its answer may take to get here.
const GRACE: Duration = Duration::from_secs(5);

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Short transactions that only read.
    Read,
    /// Commands.
    Write,
    /// Changes of the schema and copies of whole tables: each statement may take long.
    Maintain,
}

/// Connects to the first host that will do.
///
/// `Busy` when none can be reached; `Schema` when the server is too old; `Failed` when it refuses the user, the
/// database or TLS.
pub(super) fn connect(options: &Options, purpose: Purpose) -> Result<Connection, Error> {
    let mut last = Error::new(ErrorKind::Failed, "the database's URL names no host");
    for host in &options.address.hosts {
        match connect_to(options, host, purpose) {
            Ok(connection) => return Ok(connection),
            // Another may do: one that is there, or one that is not a replica.
            Err(error) if error.kind == ErrorKind::Busy => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn connect_to(options: &Options, host: &Host, purpose: Purpose) -> Result<Connection, Error> {
    let unreachable = |error: io::Error| {
        // What is not a matter of the network will not be better in a moment.
        let kind = if error.kind() == io::ErrorKind::Other { ErrorKind::Failed } else { ErrorKind::Busy };
        let message = format!("the database server at {host} cannot be reached; see whether it runs and listens there");
        Error::new(kind, message).because(error)
    };
    let socket = Socket::connect(&options.address, host).map_err(unreachable)?;
    let mut wire = Wire::new(socket);
    let server = enter(&mut wire, &options.address)?;
    server.check()?;
    let limit = match purpose {
        Purpose::Read | Purpose::Write => options.statement_timeout,
        Purpose::Maintain => options.maintenance_timeout,
    };
    set_up(&mut wire, limit, purpose)?;
    wire.set_limit(limit.saturating_add(GRACE)).map_err(unreachable)?;
    Ok(Connection::new(wire, server.locks_tables()))
}

/// What a server says of itself.
#[derive(Default)]
struct Server {
    version: String,
    /// It is CockroachDB.
    is_cockroach: bool,
    /// A replica that follows another, or one set to refuse writes.
    read_only: bool,
}

impl Server {
    /// Whether it knows locks of whole tables. Others that speak its language do not, or not all of them.
    fn locks_tables(&self) -> bool {
        !self.is_cockroach && !self.version.contains("-YB-")
    }

    fn check(&self) -> Result<(), Error> {
        if self.read_only {
            let message = "the database server is a read-only replica; name the primary, or both";
            return Err(Error::new(ErrorKind::Busy, message));
        }
        let digits: String = self.version.chars().take_while(char::is_ascii_digit).collect();
        // YugabyteDB says what it grew from, which is older than what it can do.
        let is_too_old = digits.parse::<u32>().is_ok_and(|major| major < MAJOR_MIN) && !self.version.contains("-YB-");
        if is_too_old {
            let message = format!(
                "the database server is PostgreSQL {}, which is too old; {MAJOR_MIN} is the oldest that will do",
                self.version
            );
            return Err(Error::new(ErrorKind::Schema, message));
        }
        Ok(())
    }
}

fn lost(error: io::Error) -> Error {
    failure::Failure::lost(error, 0).error
}

/// Says who we are, and proves it.
fn enter(wire: &mut Wire, address: &Address) -> Result<Server, Error> {
    let parameters = [
        ("user", address.user.as_str()),
        ("database", address.database.as_str()),
        ("client_encoding", "UTF8"),
        ("application_name", "entente"),
    ];
    frontend::startup_message(parameters, &mut wire.output).map_err(lost)?;
    wire.send().map_err(lost)?;
    let mut server = Server::default();
    let mut scram = None;
    loop {
        match wire.receive().map_err(lost)? {
            Message::AuthenticationOk | Message::BackendKeyData(_) | Message::NoticeResponse(_) => {}
            Message::AuthenticationCleartextPassword => {
                frontend::password_message(password(address)?, &mut wire.output).map_err(lost)?;
                wire.send().map_err(lost)?;
            }
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(address.user.as_bytes(), password(address)?, body.salt());
                frontend::password_message(hash.as_bytes(), &mut wire.output).map_err(lost)?;
                wire.send().map_err(lost)?;
            }
            Message::AuthenticationSasl(body) => {
                let mut mechanisms = body.mechanisms();
                let mut is_offered = false;
                while let Some(mechanism) = mechanisms.next().map_err(lost)? {
                    is_offered |= mechanism == SCRAM_SHA_256;
                }
                if !is_offered {
                    return Err(strange());
                }
                let exchange = ScramSha256::new(password(address)?, ChannelBinding::unsupported());
                frontend::sasl_initial_response(SCRAM_SHA_256, exchange.message(), &mut wire.output).map_err(lost)?;
                wire.send().map_err(lost)?;
                scram = Some(exchange);
            }
            Message::AuthenticationSaslContinue(body) => {
                let exchange = scram.as_mut().ok_or_else(strange)?;
                exchange.update(body.data()).map_err(|error| strange().because(error))?;
                frontend::sasl_response(exchange.message(), &mut wire.output).map_err(lost)?;
                wire.send().map_err(lost)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                let exchange = scram.as_mut().ok_or_else(strange)?;
                exchange.finish(body.data()).map_err(|error| strange().because(error))?;
            }
            Message::ParameterStatus(body) => {
                let (name, value) = (body.name().map_err(lost)?, body.value().map_err(lost)?);
                match name {
                    "server_version" => value.clone_into(&mut server.version),
                    "crdb_version" => server.is_cockroach = true,
                    "in_hot_standby" | "default_transaction_read_only" => server.read_only |= value == "on",
                    _ => {}
                }
            }
            Message::ErrorResponse(body) => return Err(failure::read(&body, 0).error),
            Message::ReadyForQuery(_) => return Ok(server),
            _ => return Err(strange()),
        }
    }
}

fn password(address: &Address) -> Result<&[u8], Error> {
    let password = address.password.as_ref().map(|password| password.as_bytes());
    password.ok_or_else(|| Error::new(ErrorKind::Failed, "the database server asks for a password, and none is given"))
}

fn strange() -> Error {
    Error::new(ErrorKind::Failed, "the database server asks for a proof of identity that this program does not know")
}

/// Sets what there is to set: other servers than PostgreSQL know fewer of these, or none.
///
/// Plans follow from the statement alone, and go along indexes, as SQLite's do: a table that is small today is large
/// tomorrow, and a whole table that is read by a serializable transaction conflicts with everybody who writes to it. A page
/// is read long before another process of the server would have begun to help with it.
fn set_up(wire: &mut Wire, limit: Duration, purpose: Purpose) -> Result<(), Error> {
    let plans = match purpose {
        Purpose::Read | Purpose::Write => {
            ", ('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'), ('enable_bitmapscan', 'off'),
             ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), ('jit', 'off'),
             ('max_parallel_workers_per_gather', '0')"
        }
        Purpose::Maintain => "",
    };
    let limit_ms = limit.as_millis();
    let sql = format!(
        "SELECT set_config(s.name, v.value, false) FROM (VALUES ('statement_timeout', '{limit_ms}'),
           ('idle_in_transaction_session_timeout', '{limit_ms}'){plans}) AS v (name, value)
         JOIN pg_settings s ON s.name = v.name"
    );
    frontend::query(&sql, &mut wire.output).map_err(lost)?;
    wire.send().map_err(lost)?;
    let mut outcome = Ok(());
    loop {
        match wire.receive().map_err(lost)? {
            Message::ErrorResponse(body) => outcome = Err(failure::read(&body, 0).error),
            Message::ReadyForQuery(_) => return outcome,
            _ => {}
        }
    }
}
