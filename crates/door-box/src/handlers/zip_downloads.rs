//! Several items in one zip archive, made while it goes out.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::date::Date;
use crate::wire::disposition;
use crate::wire::id::{self, Text};
use crate::wire::request::TypedReference;
use crate::wire::zip::Zip;
use crate::wire::zip_download::{NameConflict, ZipDownload, ZipDownloadAsked, ZipDownloadStatus};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use entente_door_kit::{RequestId, stream};
use entente_model::{Caller, ItemId};
use entente_tree::{
    ArchiveEntry, ArchiveError, ArchiveFile, ArchiveReader, ArchiveState, BoxError, Error as TreeError, Kind,
    NewArchive, RenamedItem, Tree,
};
use futures_util::stream::{BoxStream, try_unfold};
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::{HeaderValue, Method, StatusCode, header};

/// What an archive is called that nobody has named.
const USUAL_NAME: &str = "download";
/// Headers of small entries are sent together, about so many bytes at a time.
const PIECE_BYTES: usize = 64 * 1024;

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let wanted: ZipDownloadAsked = asked.json().await?;
    let items = wanted.items.ok_or_else(|| Problem::missing("items"))?;
    let items = items.iter().map(item).collect::<Result<Vec<_>, _>>()?;
    let name = wanted.download_file_name.filter(|name| !name.trim().is_empty());
    let name = name.unwrap_or_else(|| USUAL_NAME.to_owned());
    let made = asked.tree().make_archive(&caller, NewArchive { name, items }).await?;
    let base = asked.url(&["/box/2.0/zip_downloads/", &made.token].concat());
    let shown = ZipDownload {
        download_url: [&base, "/content"].concat(),
        status_url: [&base, "/status"].concat(),
        expires_at: Date { at: made.expires_at, zone: asked.look().zone },
        name_conflicts: made.renamed.iter().map(|group| group.iter().map(conflict).collect()).collect(),
    };
    Ok(answer::json(StatusCode::ACCEPTED, &shown))
}

/// The archive. An `Authorization` header is not looked at: the URL is enough.
pub(crate) async fn content(asked: Asked) -> Outcome {
    let token = asked.parameter("zip_download_id");
    let (name, body) = if asked.parts.method == Method::HEAD {
        // Looking does not use it up.
        (asked.tree().archive_name(token)?, Body::empty())
    } else {
        let reader = asked.tree().begin_archive(token).await?;
        let name = reader.name().to_owned();
        (name, Body::from_stream(sent(asked.tree().clone(), reader, asked.arrival.request_id)))
    };
    let name = disposition::attachment(&[&name, ".zip"].concat());
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    let disposition = HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    Ok(response)
}

pub(crate) async fn status(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().archive_status(&caller, asked.parameter("zip_download_id")).await?;
    let shown = ZipDownloadStatus {
        total_file_count: found.files,
        downloaded_file_count: found.counts.files_sent,
        skipped_file_count: found.counts.files_skipped,
        skipped_folder_count: found.counts.folders_skipped,
        state: match found.state {
            ArchiveState::Made | ArchiveState::Underway => "in_progress",
            ArchiveState::Complete => "succeeded",
            ArchiveState::Broken => "failed",
        },
    };
    Ok(answer::json(StatusCode::OK, &shown))
}

fn item(reference: &TypedReference) -> Result<(ItemId, Kind), Problem> {
    let kind = match reference.kind.as_deref() {
        Some("file") => Kind::File,
        Some("folder") => Kind::Folder,
        Some(_) => return Err(Problem::invalid("items", "'type' must be 'file' or 'folder'")),
        None => return Err(Problem::missing("items.type")),
    };
    let text = reference.id.as_ref().ok_or_else(|| Problem::missing("items.id"))?;
    if text.0 == "0" {
        return Err(Problem::invalid("items", "The root folder cannot be put into an archive"));
    }
    let id = id::parse(&text.0).map_err(|malformed| Problem::invalid("items", malformed.to_string()))?;
    Ok((id, kind))
}

fn conflict(renamed: &RenamedItem) -> NameConflict<'_> {
    NameConflict {
        id: Text(renamed.item),
        kind: if renamed.kind == Kind::Folder { "folder" } else { "file" },
        original_name: renamed.name.as_str(),
        download_name: &renamed.called,
    }
}

/// An archive on its way out. Nothing is read before it is asked for, and no more than a piece of one file at a time.
struct Sending {
    tree: Tree,
    reader: ArchiveReader,
    zip: Zip,
    content: Option<BoxStream<'static, Result<Bytes, BoxError>>>,
}

enum State {
    Sending(Box<Sending>),
    Ended,
}

fn sent(
    tree: Tree,
    reader: ArchiveReader,
    request_id: RequestId,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
    let begun = State::Sending(Box::new(Sending { tree, reader, zip: Zip::default(), content: None }));
    let pieces = try_unfold(begun, |state| async move {
        let State::Sending(mut sending) = state else { return Ok(None) };
        match sending.next().await {
            Ok(Some(bytes)) => Ok(Some((bytes, State::Sending(sending)))),
            Ok(None) => {
                let Sending { reader, zip, .. } = *sending;
                let last = zip.finish()?;
                reader.finish(ArchiveState::Complete).await?;
                Ok(Some((last, State::Ended)))
            }
            Err(error) => {
                if let Err(failure) = sending.reader.finish(ArchiveState::Broken).await {
                    tracing::warn!(error = %failure, "that an archive broke off was not written down");
                }
                Err(error)
            }
        }
    });
    stream::logged(pieces, request_id)
}

impl Sending {
    /// The next bytes; `None` when all entries are out.
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        let mut made = Vec::new();
        loop {
            self.reader.tell().await?;
            if let Some(content) = &mut self.content {
                match content.try_next().await? {
                    Some(bytes) => self.zip.write(&bytes)?,
                    None => {
                        self.content = None;
                        self.reader.sent();
                    }
                }
            } else {
                match self.reader.next().await? {
                    Some(ArchiveEntry::Folder(path, modified_at)) => self.zip.folder(&path, modified_at)?,
                    Some(ArchiveEntry::File(ArchiveFile { path, modified_at, content })) => {
                        let size = content.size();
                        self.zip.file(&path, modified_at, size)?;
                        self.content = Some(self.tree.read_content(content, 0..size).boxed());
                    }
                    None => return Ok(Some(made.into()).filter(|made: &Bytes| !made.is_empty())),
                }
            }
            let taken = self.zip.take();
            if made.is_empty() && taken.len() >= PIECE_BYTES {
                return Ok(Some(taken));
            }
            made.extend_from_slice(&taken);
            if made.len() >= PIECE_BYTES {
                return Ok(Some(made.into()));
            }
        }
    }
}

impl From<ArchiveError> for Problem {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::TooManyFiles => {
                Self::bad_request(error.to_string()).coded("zip_download_file_count_exceeded_limit")
            }
            ArchiveError::TooManyBytes => {
                Self::bad_request(error.to_string()).coded("zip_download_pre_compressed_bytes_exceeded_limit")
            }
            ArchiveError::TooManyAtOnce => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                Self::new(status, "user_too_many_concurrent_downloads", error.to_string())
            }
            ArchiveError::Tree(TreeError::Invalid(what)) => Self::invalid("items", what),
            ArchiveError::Tree(error) => error.into(),
        }
    }
}
