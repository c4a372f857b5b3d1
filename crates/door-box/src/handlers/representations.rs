//! Representations of files: which there are, how it stands with one, and its content.

use super::thumbnails::{Drawable, drawable, none, shown};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::disposition;
use crate::wire::fields::{Field, Fields};
use crate::wire::representation::{Representation, Shape, State, wanted};
use entente_model::{Caller, ItemId, VersionId};
use entente_pictures::{Format, Known, Outcome as Made, Wish};
use entente_tree::{Error as TreeError, ItemView, Kind};
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::time::Duration;

const HINTS: HeaderName = HeaderName::from_static("x-rep-hints");
/// How long a client that asks how it stands waits for a picture.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long one waits that asks for the picture itself.
const LONG_PATIENCE: Duration = Duration::from_secs(20);
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// The representations of a file that the request wants, if `fields` has them.
pub(super) async fn of(asked: &Asked, fields: Fields, view: &ItemView) -> Result<Vec<Representation>, Problem> {
    let (Some(caller), true) = (&asked.caller_known, fields.has(Field::Representations)) else { return Ok(Vec::new()) };
    let hints = asked.headers().get(HINTS).map(|hints| hints.to_str());
    let malformed = |text: String| Problem::invalid("x-rep-hints", text);
    let hints = hints.transpose().map_err(|_| malformed("'x-rep-hints' is not plain text".to_owned()))?;
    let wanted = wanted(hints).map_err(|error| malformed(error.to_string()))?;
    if wanted.is_empty() || view.item.kind != Kind::File {
        return Ok(Vec::new());
    }
    let drawable = match drawable(asked, caller, view.item.id).await {
        Ok(Some(drawable)) => drawable,
        // Who may not look inside finds none, and nor does who would only see it with a watermark.
        Ok(None) => return Ok(Vec::new()),
        Err(problem) if problem.is_forbidden() => return Ok(Vec::new()),
        Err(problem) => return Err(problem),
    };
    let entries = wanted.into_iter().filter_map(|shape| {
        let state = match drawable.maker.known(drawable.opened.content, wish(shape)?) {
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
    let state = match made(&asked, &drawable, shape, PATIENCE).await? {
        Made::Made(_) => State::Success,
        Made::Later => State::Pending,
        Made::None => return Err(none()),
        Made::Failed => return Err(Problem::unavailable()),
    };
    Ok(answer::json(StatusCode::OK, &Representation::new(shape, url(&asked, &drawable, shape), state)))
}

/// The picture.
pub(crate) async fn content(asked: Asked, caller: Caller) -> Outcome {
    let (drawable, shape) = wanted_one(&asked, &caller).await?;
    let format = format(shape).ok_or_else(Problem::not_found)?;
    match made(&asked, &drawable, shape, LONG_PATIENCE).await? {
        Made::Made(picture) => {
            let mut response = shown(picture, format);
            if asked.query().value("set_content_disposition_type").as_deref() == Some("attachment") {
                let name = asked.query().value("set_content_disposition_filename").filter(|name| !name.is_empty());
                let name = name.map_or_else(
                    || format!("{}.{}", drawable.opened.name.as_str(), shape.kind),
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
        Made::None => Err(none()),
        Made::Failed => Err(Problem::unavailable()),
    }
}

/// What a URL of ours names: the file must be there, for the caller to look at, and have that version still.
async fn wanted_one(asked: &Asked, caller: &Caller) -> Result<(Drawable, Shape), Problem> {
    let (file, version): (ItemId, VersionId) = (asked.id("file_id")?, asked.id("version_id")?);
    let shape = Shape::named(asked.parameter("name"));
    let drawable = drawable(asked, caller, file).await?.filter(|drawable| drawable.opened.version.id == version);
    drawable.zip(shape).ok_or_else(|| TreeError::NotFound.into())
}

async fn made(asked: &Asked, drawable: &Drawable, shape: Shape, patience: Duration) -> Result<Made, Problem> {
    let wish = wish(shape).ok_or_else(Problem::not_found)?;
    let source = drawable.source(asked)?;
    Ok(drawable.maker.picture(drawable.opened.content, wish, patience, source).await)
}

fn format(shape: Shape) -> Option<Format> {
    Format::parse(shape.kind)
}

fn wish(shape: Shape) -> Option<Wish> {
    Some(Wish { format: format(shape)?, side_max: shape.side })
}

fn url(asked: &Asked, drawable: &Drawable, shape: Shape) -> String {
    let (file, version) = (drawable.opened.item.id, drawable.opened.version.id);
    asked.url(&format!("/box/2.0/internal_files/{file}/versions/{version}/representations/{}", shape.name()))
}
