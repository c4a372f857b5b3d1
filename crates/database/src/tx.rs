//! The small face of a transaction that table modules write against. SQL is portable: `?1` parameters, statements
//! that PostgreSQL, CockroachDB and YugabyteDB also accept (`dialect` rewrites what little differs).

use crate::Error;
use crate::postgres;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

/// One transaction (or one command's part of a shared one). Opaque outside this crate.
pub struct Tx<'c>(Inner<'c>);

enum Inner<'c> {
    Sqlite {
        connection: &'c rusqlite::Connection,
        /// Why SQLite has rolled the whole transaction back by itself (a full disk, a failing one), if it has.
        lost: Option<Error>,
    },
    Postgres(postgres::Transaction<'c>),
}

/// A parameter of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'v> {
    Null,
    Int(i64),
    Text(&'v str),
    Blob(&'v [u8]),
}

/// One row of an answer.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r postgres::Row<'r>),
}

impl<'c> Tx<'c> {
    pub(crate) fn sqlite(connection: &'c rusqlite::Connection) -> Self {
        Self(Inner::Sqlite { connection, lost: None })
    }

    pub(crate) fn postgres(transaction: postgres::Transaction<'c>) -> Self {
        Self(Inner::Postgres(transaction))
    }

    /// Why there is no transaction any more, if there is none (SQLite).
    pub(crate) fn into_lost(self) -> Option<Error> {
        match self.0 {
            Inner::Sqlite { lost, .. } => lost,
            Inner::Postgres(_) => None,
        }
    }

    /// What became of the transaction (PostgreSQL).
    pub(crate) fn into_postgres(self) -> Option<postgres::Transaction<'c>> {
        match self.0 {
            Inner::Sqlite { .. } => None,
            Inner::Postgres(transaction) => Some(transaction),
        }
    }

    /// Runs a statement; answers how many rows it changed. Where nobody asks how many, [`Tx::put`] costs less.
    pub(crate) fn execute(&mut self, sql: &'static str, parameters: &[Value<'_>]) -> Result<usize, Error> {
        match &mut self.0 {
            Inner::Sqlite { connection, lost } => within(connection, lost, |connection| {
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.execute(rusqlite::params_from_iter(parameters))?)
            }),
            Inner::Postgres(transaction) => transaction.execute(sql, parameters),
        }
    }

    /// Runs a statement of which only the failure matters. That may be told by a later statement, or by the command as
    /// a whole: over a network, nobody waits for the answer to this one. In order with all others.
    pub(crate) fn put(&mut self, sql: &'static str, parameters: &[Value<'_>]) -> Result<(), Error> {
        match &mut self.0 {
            Inner::Sqlite { .. } => self.execute(sql, parameters).map(drop),
            Inner::Postgres(transaction) => transaction.put(sql, parameters),
        }
    }

    /// Runs a query; answers every row, as `map` reads it. The statement bounds how many there are.
    pub(crate) fn query<T>(
        &mut self,
        sql: &'static str,
        parameters: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match &mut self.0 {
            Inner::Sqlite { connection, lost } => within(connection, lost, |connection| {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    found.push(map(&Row::Sqlite(row))?);
                }
                Ok(found)
            }),
            Inner::Postgres(transaction) => {
                let mut found = Vec::new();
                transaction.query(sql, parameters, |row| {
                    found.push(map(&Row::Postgres(row))?);
                    Ok(())
                })?;
                Ok(found)
            }
        }
    }

    /// Runs a query; answers its first row, if it has one.
    pub(crate) fn query_one<T>(
        &mut self,
        sql: &'static str,
        parameters: &[Value<'_>],
        map: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match &mut self.0 {
            Inner::Sqlite { connection, lost } => within(connection, lost, |connection| {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
                rows.next()?.map(|row| map(&Row::Sqlite(row))).transpose()
            }),
            Inner::Postgres(transaction) => {
                let (mut map, mut found) = (Some(map), None);
                transaction.query(sql, parameters, |row| {
                    if let Some(map) = map.take() {
                        found = Some(map(&Row::Postgres(row))?);
                    }
                    Ok(())
                })?;
                Ok(found)
            }
        }
    }
}

impl Tx<'_> {
    /// Runs a query with one parameter again and again, each time with what `next` answers for the first row of the time
    /// before, until there is no row or `next` answers nothing; `max` times at most. Only where a statement is no trip over a
    /// network, and so costs less than a recursive one: `None` elsewhere.
    pub(crate) fn follow<T>(
        &mut self,
        sql: &'static str,
        first: i64,
        max: usize,
        map: impl Fn(&Row<'_>) -> Result<T, Error>,
        next: impl Fn(&T) -> Option<i64>,
    ) -> Option<Result<Vec<T>, Error>> {
        let Inner::Sqlite { connection, lost } = &mut self.0 else { return None };
        Some(within(connection, lost, |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let (mut found, mut at) = (Vec::new(), Some(first));
            while let Some(parameter) = at.take().filter(|_| found.len() < max) {
                let mut rows = statement.query([parameter])?;
                if let Some(row) = rows.next()? {
                    let row = map(&Row::Sqlite(row))?;
                    at = next(&row);
                    found.push(row);
                }
            }
            Ok(found)
        }))
    }
}

/// Runs something within SQLite's transaction, and never without it: once SQLite has given the transaction up, each
/// further statement would be a commit of its own.
fn within<T>(
    connection: &rusqlite::Connection,
    lost: &mut Option<Error>,
    run: impl FnOnce(&rusqlite::Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    if let Some(lost) = lost {
        return Err(lost.copy());
    }
    let done = run(connection);
    if let Err(error) = &done
        && connection.is_autocommit()
    {
        *lost = Some(error.copy());
    }
    done
}

impl Row<'_> {
    pub(crate) fn int(&self, column: usize) -> Result<i64, Error> {
        self.int_or_null(column)?.ok_or_else(|| Error::damaged("null in place of a number"))
    }

    pub(crate) fn int_or_null(&self, column: usize) -> Result<Option<i64>, Error> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => row.int(column),
        }
    }

    /// A number that cannot be negative: a size, an offset, a count.
    pub(crate) fn size(&self, column: usize) -> Result<u64, Error> {
        u64::try_from(self.int(column)?).map_err(|_| Error::damaged("a negative size"))
    }

    /// A number of a chunk or the like.
    pub(crate) fn number(&self, column: usize) -> Result<u32, Error> {
        u32::try_from(self.int(column)?).map_err(|_| Error::damaged("a number out of range"))
    }

    pub(crate) fn text(&self, column: usize) -> Result<String, Error> {
        self.text_or_null(column)?.ok_or_else(|| Error::damaged("null in place of text"))
    }

    pub(crate) fn text_or_null(&self, column: usize) -> Result<Option<String>, Error> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.text(column)?.map(str::to_owned)),
        }
    }

    pub(crate) fn blob(&self, column: usize) -> Result<Vec<u8>, Error> {
        self.bytes(column)?.map(<[u8]>::to_vec).ok_or_else(|| Error::damaged("null in place of bytes"))
    }

    pub(crate) fn blob_or_null(&self, column: usize) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.bytes(column)?.map(<[u8]>::to_vec))
    }

    /// A blob of a known length.
    pub(crate) fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], Error> {
        self.array_or_null(column)?.ok_or_else(|| Error::damaged("null in place of bytes"))
    }

    /// A blob of a known length, or null.
    pub(crate) fn array_or_null<const N: usize>(&self, column: usize) -> Result<Option<[u8; N]>, Error> {
        let Some(bytes) = self.bytes(column)? else { return Ok(None) };
        Ok(Some(bytes.try_into().map_err(|_| Error::damaged("a blob of the wrong length"))?))
    }

    /// A blob of a known length, or an empty one.
    pub(crate) fn array_or_empty<const N: usize>(&self, column: usize) -> Result<Option<[u8; N]>, Error> {
        match self.bytes(column)? {
            None => Err(Error::damaged("null in place of bytes")),
            Some([]) => Ok(None),
            Some(bytes) => Ok(Some(bytes.try_into().map_err(|_| Error::damaged("a blob of the wrong length"))?)),
        }
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        match self {
            Self::Sqlite(row) => match row.get_ref(column)? {
                ValueRef::Null => Ok(None),
                ValueRef::Blob(bytes) => Ok(Some(bytes)),
                _ => Err(Error::damaged("not a blob")),
            },
            Self::Postgres(row) => row.bytes(column),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Value::Int(i64::from(number))
    }
}

/// Sizes and offsets. No content comes near 2^63 bytes; a larger number is stored as the largest, and fails its checks.
impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<entente_model::Timestamp> for Value<'_> {
    fn from(at: entente_model::Timestamp) -> Self {
        Value::Int(at.millis())
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Value::Text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Value::Blob(bytes)
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

macro_rules! ids {
    ($($name:ident),* $(,)?) => {$(
        impl From<entente_model::$name> for Value<'_> {
            fn from(id: entente_model::$name) -> Self {
                Value::Int(id.number())
            }
        }
    )*};
}

ids!(
    AliasId,
    AllowedDomainId,
    ExemptionId,
    TermsId,
    TermsStatusId,
    InviteId,
    CommentId,
    FolderLockId,
    FileLockId,
    TaskId,
    TaskAssignmentId,
    AppId,
    AssignmentId,
    AuthorizationId,
    BackendId,
    CascadeId,
    CollaborationId,
    SharedLinkId,
    ContentId,
    EnterpriseId,
    EpochId,
    EventId,
    GroupId,
    ItemId,
    SubscriptionId,
    JobId,
    MembershipId,
    MultipartId,
    PolicyId,
    PublicKeyId,
    RelocationId,
    SegmentId,
    TaxonomyId,
    TaxonomyNodeId,
    TemplateId,
    TokenId,
    UploadSessionId,
    UserId,
    VersionId,
    WebSessionId,
    FileRequestId,
    PasskeyId,
    WebhookId,
    ZoneId,
);
