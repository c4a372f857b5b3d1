//! Thumbnails: small pictures of files, and what is shown in their place.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::date::Date;
use crate::wire::thumbnail::{self, JPEG_SIDES, PNG_SIDES, ThumbnailError};
use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use entente_model::{Caller, ItemId, with_causes};
use entente_pictures::{
    Format, HEAD_BYTES, Kind, Known, Maker, Outcome as Made, SOURCE_BYTES_MAX, Source, SourceError, What, Wish,
};
use entente_tree::{Content, Error as TreeError, Opened, Previewed, Tree};
use futures_util::TryStreamExt;
use http::{HeaderValue, StatusCode, header};
use std::ops::Range;
use std::time::Duration;

/// How long a client waits for a picture before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(1);
/// When to come back, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

pub(crate) async fn png(asked: Asked, caller: Caller) -> Outcome {
    thumbnail(&asked, &caller, Format::Png).await
}

pub(crate) async fn jpg(asked: Asked, caller: Caller) -> Outcome {
    thumbnail(&asked, &caller, Format::Jpeg).await
}

async fn thumbnail(asked: &Asked, caller: &Caller, format: Format) -> Outcome {
    let sides = match format {
        Format::Png => PNG_SIDES.as_slice(),
        Format::Jpeg => JPEG_SIDES.as_slice(),
    };
    let file = asked.id("file_id")?;
    let side_max = thumbnail::side(asked.query(), sides)?;
    let Some(drawable) = drawable(asked, caller, file).await? else { return instead(asked, StatusCode::FOUND) };
    let wish = drawable.wish(asked, format, side_max, 1);
    match drawable.made(asked, What::Picture(wish), PATIENCE).await? {
        Made::Made(picture) => Ok(shown(picture, format)),
        Made::None => Err(none()),
        Made::Unread => instead(asked, StatusCode::FOUND),
        Made::Later => instead(asked, StatusCode::ACCEPTED),
        Made::Failed => Err(Problem::unavailable()),
    }
}

/// A file's content of which pictures are made, for somebody who may see them.
pub(super) struct Drawable {
    maker: Maker,
    pub(super) opened: Opened,
    content: Content,
    pub(super) kind: Kind,
    /// Whose name must be on it.
    watermark: Option<String>,
}

impl Drawable {
    /// Whether nothing of it may be shown but pictures.
    pub(super) fn is_watermarked(&self) -> bool {
        self.watermark.is_some()
    }

    /// A picture, with a watermark for who may see none without: who looks, and on which day.
    pub(super) fn wish(&self, asked: &Asked, format: Format, side_max: u16, page: u16) -> Wish {
        let look = asked.door.look();
        let watermark = self.watermark.as_ref().map(|login| {
            let now = Date { at: asked.door.auth().now(), zone: look.zone }.to_string();
            let day = now.split('T').next().unwrap_or_default();
            format!("{login} \u{b7} {day}").into()
        });
        Wish { format, side_max, page, watermark }
    }

    /// Something of it. An error when it is too large for that.
    pub(super) async fn made(&self, asked: &Asked, what: What, patience: Duration) -> Result<Made, Problem> {
        let (tree, content, whole) = (asked.tree().clone(), self.content.clone(), self.content.size());
        if whole > SOURCE_BYTES_MAX {
            return Err(none());
        }
        let read = Box::pin(async move { read(&tree, content, 0..whole).await });
        let source = Source { content: self.opened.content, kind: self.kind, read };
        Ok(self.maker.make(source, what, patience).await)
    }

    /// Whether something of it has been made lately.
    pub(super) fn known(&self, what: What) -> Known {
        self.maker.known(self.opened.content, what)
    }
}

/// A file as far as pictures can be made of it for the caller; `None` where a placeholder is shown instead.
pub(super) async fn drawable(asked: &Asked, caller: &Caller, file: ItemId) -> Result<Option<Drawable>, Problem> {
    let Previewed { opened, watermark } = asked.tree().preview(caller, file).await?;
    let Some(maker) = asked.door.options().pictures.clone() else { return Ok(None) };
    let content = asked.tree().open_content(opened.content)?;
    if content.is_customers() {
        return Ok(None);
    }
    let head = read(asked.tree(), content.clone(), 0..HEAD_BYTES).await.map_err(|_| Problem::unavailable())?;
    let kind = Kind::of(&head, opened.name.as_str()).filter(|kind| maker.reads(*kind));
    Ok(kind.map(|kind| Drawable { maker, opened, content, kind, watermark }))
}

/// Nothing can be made of this content, though of its kind.
pub(super) fn none() -> Problem {
    let message = "A preview of this file cannot be generated";
    Problem::new(StatusCode::NOT_FOUND, "preview_cannot_be_generated", message)
}

/// Bytes of a content. What goes wrong is in the log.
async fn read(tree: &Tree, content: Content, range: Range<u64>) -> Result<Bytes, SourceError> {
    let mut bytes = BytesMut::new();
    let mut stream = std::pin::pin!(tree.read_content(content, range));
    loop {
        match stream.try_next().await {
            Ok(Some(some)) => bytes.extend_from_slice(&some),
            Ok(None) => return Ok(bytes.freeze()),
            Err(error) => {
                let error = TreeError::of_read(error);
                tracing::warn!(error = with_causes(&error), "a content could not be read for a picture of it");
                return Err(SourceError);
            }
        }
    }
}

pub(super) fn shown(picture: Bytes, format: Format) -> Response {
    let media_type = match format {
        Format::Png => "image/png",
        Format::Jpeg => "image/jpeg",
    };
    contained(picture, media_type)
}

/// What was made of a content, shown by itself: a browser runs nothing that may be in it.
pub(super) fn contained(made: Bytes, media_type: &'static str) -> Response {
    let mut response = Response::new(Body::from(made));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    // Who may see it is asked each time.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Where there is something to show instead, for now (202) or for good (302).
fn instead(asked: &Asked, status: StatusCode) -> Outcome {
    let location = asked.url("/box/placeholders/file.png");
    let location = HeaderValue::try_from(location).map_err(|_| Problem::not_found())?;
    let mut response = answer::empty(status);
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::ACCEPTED {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    Ok(response)
}

/// The same for every file, and nobody's: no credential is looked at.
pub(crate) async fn placeholder(_asked: Asked) -> Outcome {
    let sheet = entente_pictures::placeholder().ok_or_else(Problem::not_found)?;
    let mut response = shown(sheet, Format::Png);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    Ok(response)
}

impl From<ThumbnailError> for Problem {
    fn from(error: ThumbnailError) -> Self {
        match error {
            ThumbnailError::Number(name) => Self::invalid(name, error.to_string()),
            ThumbnailError::Unavailable => Self::bad_request(error.to_string()).coded("requested_preview_unavailable"),
        }
    }
}
