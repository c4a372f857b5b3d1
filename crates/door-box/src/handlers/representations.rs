//! Representations of files: which there are, how it stands with one, and its content.

use super::thumbnails::{Drawable, contained, drawable, none, shown};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::disposition;
use crate::wire::fields::{Field, Fields};
use crate::wire::representation::{PictureShape, Representation, Shape, State, wanted};
use entente_model::{Caller, ItemId, VersionId};
use entente_pictures::{Format, Known, Outcome as Made, What};
use entente_tree::{Error as TreeError, ItemView, Kind, Reading, RecentAct};
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::time::Duration;

const HINTS: HeaderName = HeaderName::from_static("x-rep-hints");
/// How long a client that asks how it stands waits for a picture.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long one waits that asks for the picture itself.
const LONG_PATIENCE: Duration = Duration::from_secs(20);
const PDF: &str = "pdf";
const TEXT: &str = "extracted_text";
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// The representations of a file that the request wants, if `fields` has them.
pub(super) async fn of(asked: &Asked, fields: Fields, view: &ItemView) -> Result<Vec<Representation>, Problem> {
    let (Some(caller), true) = (&asked.caller_known, fields.has(Field::Representations)) else { return Ok(Vec::new()) };
    let hints = asked.headers().get(HINTS).map(|hints| hints.to_str());
    let malformed = |text: String| Problem::invalid("x-rep-hints", text);
    let hints = hints.transpose().map_err(|_| malformed("'x-rep-hints' is not plain text".to_owned()))?;
    let wanted =
        |is_there: &dyn Fn(Shape) -> bool| wanted(hints, is_there).map_err(|error| malformed(error.to_string()));
    // Hints that are none are refused, whatever the file is.
    if wanted(&|_| true)?.is_empty() || view.item.kind != Kind::File {
        return Ok(Vec::new());
    }
    let drawable = match drawable(asked, caller, view.item.id).await {
        Ok(Some(drawable)) => drawable,
        // Who may not look inside finds none.
        Ok(None) => return Ok(Vec::new()),
        Err(problem) if problem.is_forbidden() => return Ok(Vec::new()),
        Err(problem) => return Err(problem),
    };
    let entries = wanted(&|shape| is_of(&drawable, shape))?.into_iter().filter_map(|shape| {
        let state = match drawable.known(what(asked, &drawable, shape, 1)?) {
            Known::Made => State::Success,
            Known::Not => State::None,
            Known::Never => return None,
        };
        Some(Representation::new(shape, url(asked, &drawable, shape), state))
    });
    Ok(entries.collect())
}

/// How it stands with one, which is made if it was not.
pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let (drawable, shape) = wanted_one(&asked, &caller).await?;
    let state = match made(&asked, &drawable, shape, 1, PATIENCE).await? {
        Made::Made(_) => State::Success,
        Made::Later => State::Pending,
        Made::None | Made::Unread => return Err(none()),
        Made::Failed => return Err(Problem::unavailable()),
    };
    Ok(answer::json(StatusCode::OK, &Representation::new(shape, url(&asked, &drawable, shape), state)))
}

/// What was made.
pub(crate) async fn content(asked: Asked, caller: Caller) -> Outcome {
    let (drawable, shape) = wanted_one(&asked, &caller).await?;
    let page = shape.page(asked.parameter("asset")).ok_or(TreeError::NotFound)?;
    match made(&asked, &drawable, shape, page, LONG_PATIENCE).await? {
        Made::Made(made) => {
            // Whoever looks at what is large enough to be read; its pages are one.
            if page == 1 && shape.kind != TEXT && !shape.picture.is_some_and(|picture| picture.thumb) {
                let (file, version) = (drawable.opened.item.id, drawable.opened.version.id);
                asked.tree().note_read(&caller, file, Some(version), Reading::Previewed).await;
                asked.tree().note_recent(&caller, file, RecentAct::Previewed);
            }
            let mut response = match format(shape) {
                Some(format) => shown(made, format),
                None if shape.kind == PDF => contained(made, "application/pdf"),
                None => contained(made, "text/plain; charset=utf-8"),
            };
            if asked.query().value("set_content_disposition_type").as_deref() == Some("attachment") {
                let name = asked.query().value("set_content_disposition_filename").filter(|name| !name.is_empty());
                let extension = if shape.picture.is_some() || shape.kind == PDF { shape.kind } else { "txt" };
                let name = name.map_or_else(
                    || format!("{}.{extension}", drawable.opened.name.as_str()),
                    |name| name.chars().filter(|letter| !letter.is_control()).take(255).collect(),
                );
                let value = HeaderValue::try_from(disposition::attachment(&name));
                let value = value.unwrap_or(HeaderValue::from_static("attachment"));
                response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
            }
            Ok(response)
        }
        Made::Later => {
            let mut response = answer::empty(StatusCode::ACCEPTED);
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
            Ok(response)
        }
        Made::None | Made::Unread => Err(none()),
        Made::Failed => Err(Problem::unavailable()),
    }
}

/// What a URL of ours names: the file must be there, for the caller to look at, and have that version still.
async fn wanted_one(asked: &Asked, caller: &Caller) -> Result<(Drawable, Shape), Problem> {
    let (file, version): (ItemId, VersionId) = (asked.id("file_id")?, asked.id("version_id")?);
    let shape = Shape::named(asked.parameter("name"));
    let drawable = drawable(asked, caller, file).await?.filter(|drawable| drawable.opened.version.id == version);
    let found = drawable.zip(shape).filter(|(drawable, shape)| is_of(drawable, *shape));
    found.ok_or_else(|| TreeError::NotFound.into())
}

async fn made(
    asked: &Asked,
    drawable: &Drawable,
    shape: Shape,
    page: u16,
    patience: Duration,
) -> Result<Made, Problem> {
    let what = what(asked, drawable, shape, page).ok_or_else(Problem::not_found)?;
    drawable.made(asked, what, patience).await
}

/// Whether a file has one, for whoever looks: a document in whole is no picture with a watermark.
fn is_of(drawable: &Drawable, shape: Shape) -> bool {
    (drawable.kind.is_document() || !shape.is_of_documents()) && (shape.picture.is_some() || !drawable.is_watermarked())
}

fn format(shape: Shape) -> Option<Format> {
    shape.picture.and_then(|_| Format::parse(shape.kind))
}

fn what(asked: &Asked, drawable: &Drawable, shape: Shape, page: u16) -> Option<What> {
    match shape.picture {
        Some(PictureShape { side, .. }) => Some(What::Picture(drawable.wish(asked, format(shape)?, side, page))),
        None if shape.kind == PDF => Some(What::Pdf),
        None => Some(What::Text),
    }
}

fn url(asked: &Asked, drawable: &Drawable, shape: Shape) -> String {
    let (file, version) = (drawable.opened.item.id, drawable.opened.version.id);
    asked.url(&format!("/box/2.0/internal_files/{file}/versions/{version}/representations/{}", shape.name()))
}
