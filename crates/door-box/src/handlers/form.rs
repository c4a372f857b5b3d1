//! The form of an upload: `attributes` first, then the file.

use crate::asked::Asked;
use crate::error::Problem;
use crate::wire::request;
use axum::body::BodyDataStream;
use bytes::{Bytes, BytesMut};
use entente_door_kit::BodyError;
use entente_door_kit::multipart::{Event, Parser, boundary};
use entente_tree::BoxError;
use futures_util::{Stream, StreamExt, stream};
use http::header;
use serde::de::DeserializeOwned;

/// How many bytes of parts that nobody asked for, and after the form's end, are read over.
const UNWANTED_BYTES_MAX: usize = 256 * 1024;
/// What clients call the part that is the file: Box's description, rclone, older official clients.
const FILE_PARTS: [&str; 3] = ["file", "contents", "content"];

/// A form on its way in.
pub(super) struct Form {
    body: BodyDataStream,
    parser: Parser,
    attributes_bytes_max: usize,
    unwanted_bytes: usize,
}

/// What a part's head says.
pub(super) struct Part {
    /// Its name in the form.
    pub(super) name: Option<String>,
    /// What whoever sends it calls the file.
    pub(super) file_name: Option<String>,
}

/// Why a form cannot be read on. Body errors keep their own type.
#[derive(Debug, thiserror::Error)]
#[error("the multipart body has too much in it besides the file")]
struct TooMuch;

impl Form {
    /// Begins to read the body as a form.
    pub(super) fn open(asked: &mut Asked) -> Result<Self, Problem> {
        let content_type = asked.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let boundary = content_type
            .and_then(boundary)
            .ok_or_else(|| Problem::invalid("content-type", "Bad Request: send multipart/form-data with a boundary"))?;
        let parser = Parser::new(boundary);
        let attributes_bytes_max = asked.door.options().limits.form_field_bytes;
        let body = asked.take_body().into_data_stream();
        Ok(Self { body, parser, attributes_bytes_max, unwanted_bytes: 0 })
    }

    /// The `attributes`, which must come before the file.
    pub(super) async fn attributes<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        loop {
            match self.next().await.map_err(Problem::of_body)? {
                Event::Part(Some(name)) if name == "attributes" => break,
                Event::Part(Some(name)) if FILE_PARTS.contains(&name.as_str()) => {
                    let message = "The 'attributes' part must come before the file part";
                    return Err(Problem::bad_request(message).coded("metadata_after_file_contents"));
                }
                Event::End => return Err(Problem::missing("attributes")),
                Event::Data(data) => self.skip(data.len()).map_err(Problem::of_body)?,
                Event::Part(_) | Event::PartEnd => {}
            }
        }
        let mut attributes = BytesMut::new();
        loop {
            match self.next().await.map_err(Problem::of_body)? {
                Event::Data(data) if attributes.len() + data.len() > self.attributes_bytes_max => {
                    return Err(BodyError::TooLarge { limit_bytes: self.attributes_bytes_max }.into());
                }
                Event::Data(data) => attributes.extend_from_slice(&data),
                Event::Part(_) | Event::PartEnd | Event::End => break,
            }
        }
        Ok(request::parse(&attributes)?)
    }

    /// The bytes of the file. The stream ends well only if the whole form, and the whole body, came well.
    pub(super) async fn content(mut self) -> Result<impl Stream<Item = Result<Bytes, BoxError>> + Send, Problem> {
        loop {
            match self.next().await.map_err(Problem::of_body)? {
                Event::Part(Some(name)) if FILE_PARTS.contains(&name.as_str()) => break,
                Event::End => return Err(Problem::missing("file")),
                Event::Data(data) => self.skip(data.len()).map_err(Problem::of_body)?,
                Event::Part(_) | Event::PartEnd => {}
            }
        }
        Ok(stream::try_unfold(self, |mut form| async move {
            match form.next().await? {
                Event::Data(data) => Ok(Some((data, form))),
                Event::Part(_) | Event::PartEnd | Event::End => {
                    form.finish().await?;
                    Ok(None)
                }
            }
        }))
    }

    /// The next part, whatever is left of this one. `None` at the end of the form, when the whole body has come.
    pub(super) async fn next_part(&mut self) -> Result<Option<Part>, BoxError> {
        loop {
            match self.next().await? {
                Event::Part(name) => {
                    return Ok(Some(Part { name, file_name: self.parser.file_name().map(str::to_owned) }));
                }
                Event::End => {
                    self.finish_body().await?;
                    return Ok(None);
                }
                Event::Data(data) => self.skip(data.len())?,
                Event::PartEnd => {}
            }
        }
    }

    /// The bytes of the part that has begun. The stream ends well only if the part came to its end.
    pub(super) fn this_part(&mut self) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
        stream::try_unfold(self, |form| async move {
            match form.next().await? {
                Event::Data(data) => Ok(Some((data, form))),
                Event::PartEnd => Ok(None),
                Event::Part(_) | Event::End => Err(TooMuch.into()),
            }
        })
    }

    /// The part that has begun, as a text of up to that many bytes.
    pub(super) async fn text(&mut self, bytes_max: usize) -> Result<String, BoxError> {
        let mut text = Vec::new();
        loop {
            match self.next().await? {
                Event::Data(data) if text.len() + data.len() > bytes_max => return Err(TooMuch.into()),
                Event::Data(data) => text.extend_from_slice(&data),
                Event::PartEnd | Event::Part(_) | Event::End => break,
            }
        }
        Ok(String::from_utf8(text)?)
    }

    /// Reads on to the end of the body, as far as it has no more than that many bytes: who is still sending does not read.
    pub(super) async fn read_over(&mut self, bytes_max: usize) {
        let mut bytes = 0;
        while bytes <= bytes_max
            && let Some(Ok(piece)) = self.body.next().await
        {
            bytes += piece.len();
        }
    }

    /// All bytes of the part with that name, wherever it is in the form. A bad request when there are more than that.
    pub(super) async fn part(mut self, wanted: &'static str, bytes_max: usize) -> Result<Vec<u8>, Problem> {
        loop {
            match self.next().await.map_err(Problem::of_body)? {
                Event::Part(Some(name)) if name == wanted => break,
                Event::End => return Err(Problem::missing(wanted)),
                Event::Data(data) => self.skip(data.len()).map_err(Problem::of_body)?,
                Event::Part(_) | Event::PartEnd => {}
            }
        }
        let mut whole = Vec::new();
        loop {
            match self.next().await.map_err(Problem::of_body)? {
                Event::Data(data) if whole.len() + data.len() > bytes_max => {
                    return Err(Problem::invalid(wanted, format!("'{wanted}' has more than {bytes_max} bytes")));
                }
                Event::Data(data) => whole.extend_from_slice(&data),
                Event::Part(_) | Event::PartEnd | Event::End => break,
            }
        }
        self.finish().await.map_err(Problem::of_body)?;
        Ok(whole)
    }

    /// Reads over what comes after the file.
    async fn finish(&mut self) -> Result<(), BoxError> {
        loop {
            match self.next().await? {
                Event::Data(data) => self.skip(data.len())?,
                Event::Part(_) | Event::PartEnd => {}
                Event::End => break,
            }
        }
        self.finish_body().await
    }

    async fn finish_body(&mut self) -> Result<(), BoxError> {
        while let Some(piece) = self.body.next().await {
            self.skip(piece.map_err(BodyError::from)?.len())?;
        }
        Ok(())
    }

    fn skip(&mut self, bytes: usize) -> Result<(), BoxError> {
        self.unwanted_bytes = self.unwanted_bytes.saturating_add(bytes);
        if self.unwanted_bytes > UNWANTED_BYTES_MAX { Err(TooMuch.into()) } else { Ok(()) }
    }

    async fn next(&mut self) -> Result<Event, BoxError> {
        loop {
            if let Some(event) = self.parser.next_event()? {
                return Ok(event);
            }
            match self.body.next().await {
                Some(piece) => self.parser.push(piece.map_err(BodyError::from)?),
                None => {
                    self.parser.finish()?;
                    return Ok(Event::End);
                }
            }
        }
    }
}
