//! The fields of a form, and its file as it arrives.

use super::unreadable;
use crate::body::BodyProblem;
use crate::error::error;
use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use entente_door_kit::BodyError;
use entente_door_kit::multipart::{Event, Parser};
use futures_util::StreamExt;
use s3s::{S3ErrorCode, S3Result};
use zeroize::Zeroizing;

/// Fields before the file, the bytes of one and of all.
const FIELDS_MAX: usize = 100;
const FIELD_BYTES_MAX: usize = 64 << 10;
const ALL_BYTES_MAX: usize = 256 << 10;
/// How many bytes after the file are read over.
const UNWANTED_BYTES_MAX: usize = 64 << 10;
const FILE: &str = "file";

/// A form on its way in.
pub(super) struct Form {
    body: BodyDataStream,
    parser: Parser,
    unwanted_bytes: usize,
}

/// What stands before the file: names in lower case, and values. One of them may be a customer's key, so all are wiped.
pub(super) struct Fields(Vec<(String, Zeroizing<String>)>);

impl Fields {
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all(&self) -> &[(String, Zeroizing<String>)] {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned().into())).collect())
    }
}

/// Appends without leaving what was there behind in memory that is given back.
fn append(value: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    let length = value.len() + data.len();
    if length > value.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
        larger.extend_from_slice(value);
        *value = larger;
    }
    value.extend_from_slice(data);
}

impl Form {
    pub(super) fn new(body: Body, boundary: &str) -> Self {
        Self { body: body.into_data_stream(), parser: Parser::new(boundary), unwanted_bytes: 0 }
    }

    /// Reads up to the file. No two fields have the same name.
    pub(super) async fn fields(&mut self) -> S3Result<Fields> {
        let (mut fields, mut bytes) = (Vec::<(String, Zeroizing<String>)>::new(), 0);
        let mut open: Option<(String, Zeroizing<Vec<u8>>)> = None;
        loop {
            match self.next().await.map_err(unreadable)? {
                Event::Part(Some(name)) if name.eq_ignore_ascii_case(FILE) => return Ok(Fields(fields)),
                Event::Part(name) => {
                    let name = name.unwrap_or_default().to_ascii_lowercase();
                    if fields.iter().any(|(field, _)| *field == name) {
                        // The policy would be asked about one, and the other remembered.
                        let message = "A form cannot have two fields of one name";
                        return Err(error(S3ErrorCode::InvalidArgument, message));
                    }
                    open = Some((name, Zeroizing::new(Vec::new())));
                }
                Event::Data(data) => {
                    bytes += data.len();
                    let Some((_, value)) = &mut open else { return Err(unreadable(BodyProblem::Form)) };
                    if value.len() + data.len() > FIELD_BYTES_MAX || bytes > ALL_BYTES_MAX {
                        return Err(unreadable(BodyProblem::Form));
                    }
                    append(value, &data);
                }
                Event::PartEnd => {
                    let Some((name, value)) = open.take() else { return Err(unreadable(BodyProblem::Form)) };
                    let value = std::str::from_utf8(&value).map_err(|_| unreadable(BodyProblem::Form))?;
                    fields.push((name, value.to_owned().into()));
                    if fields.len() > FIELDS_MAX {
                        return Err(unreadable(BodyProblem::Form));
                    }
                }
                Event::End => return Err(unreadable(BodyProblem::Form)),
            }
        }
    }

    /// What the browser calls the file: the last part of its path.
    pub(super) fn file_name(&self) -> Option<&str> {
        let name = self.parser.file_name()?;
        name.rsplit(['/', '\\']).next()
    }

    /// More of the file; `None` at its end, when the form has ended well too.
    pub(super) async fn data(&mut self) -> Result<Option<Bytes>, BodyProblem> {
        match self.next().await? {
            Event::Data(data) => return Ok(Some(data)),
            Event::PartEnd => {}
            Event::Part(_) | Event::End => return Err(BodyProblem::Form),
        }
        loop {
            match self.next().await? {
                Event::Data(data) => {
                    self.unwanted_bytes += data.len();
                    if self.unwanted_bytes > UNWANTED_BYTES_MAX {
                        return Err(BodyProblem::Form);
                    }
                }
                Event::Part(_) | Event::PartEnd => {}
                Event::End => return Ok(None),
            }
        }
    }

    async fn next(&mut self) -> Result<Event, BodyProblem> {
        loop {
            if let Some(event) = self.parser.next_event().map_err(|_| BodyProblem::Form)? {
                return Ok(event);
            }
            match self.body.next().await {
                Some(Ok(piece)) => self.parser.push(piece),
                Some(Err(error)) => return Err(BodyProblem::Arrival(BodyError::from(error))),
                None => {
                    self.parser.finish().map_err(|_| BodyProblem::TooShort)?;
                    return Ok(Event::End);
                }
            }
        }
    }
}
