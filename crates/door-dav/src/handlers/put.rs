//! `PUT`.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::conditions::{Passed, has_conditions};
use crate::error::Problem;
use crate::handlers::content::value;
use crate::to_wire::quoted_etag;
use crate::wire::checksum::{self, Adler32, Announced};
use crate::wire::date::{HttpDate, parse_seconds};
use axum::body::Body;
use bytes::Bytes;
use entente_door_kit::{BodyError, media_type};
use entente_model::{Caller, ItemId, Md5, Sha1, Timestamp};
use entente_tree::{
    BoxError, Error as TreeError, Expect, Facts, Finish, Finished, Folders, Kind, NameRule, Object, PutAt, Touch, Tree,
    Versioning,
};
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderName, HeaderValue, StatusCode, header};
use md5::{Digest, Md5 as Hasher};
use std::sync::{Arc, Mutex, PoisonError};

const OC_CHECKSUM: HeaderName = HeaderName::from_static("oc-checksum");
const OC_MTIME: HeaderName = HeaderName::from_static("x-oc-mtime");
const OC_CTIME: HeaderName = HeaderName::from_static("x-oc-ctime");
/// How many bytes will come, from macOS, which does not say so where HTTP would have it.
const EXPECTED_LENGTH: HeaderName = HeaderName::from_static("x-expected-entity-length");
const ACCEPTED: HeaderValue = HeaderValue::from_static("accepted");
/// The longest media type that is remembered.
const MEDIA_TYPE_BYTES_MAX: usize = 200;
/// A body that is longer may take so long that a lock is granted meanwhile: then locks are looked at again.
const QUICK_BYTES_MAX: u64 = 64 * 1024;

pub(crate) async fn put(mut asked: Asked) -> Outcome {
    if asked.headers().contains_key(header::CONTENT_RANGE) {
        return Err(Problem::bad_request("a PUT of a part would be taken for the whole; send the whole"));
    }
    if asked.path.names.is_empty() || asked.path.has_slash {
        return Err(Problem::method_not_allowed());
    }
    let (expect, guard) = may_go_on(&asked).await?;
    let announced = announced(&asked)?;
    let (created_at, modified_at) = (moment(&asked, &OC_CTIME)?, moment(&asked, &OC_MTIME)?);
    let size_max = asked.door.options().file_bytes_max;
    let body = asked.take_body();
    let (content, md5) = checked(body, &announced);
    let facts = Facts { content_type: said_type(&asked), ..Facts::default() };
    // What was locked while the body arrived, if anything was.
    let stopped = Arc::new(Mutex::new(None));
    let put = PutAt {
        size_max,
        content_created_at: created_at,
        content_modified_at: modified_at,
        expected_sha1: announced.sha1,
        folders: Folders::Refuse,
        rule: NameRule::CaseSensitive,
        expect,
        versioning: Versioning::Always,
        finish: finish(guard, Arc::clone(&stopped), md5, facts),
    };
    let path = asked.at(&asked.path.names);
    let put = match asked.tree().put_at(&asked.caller, path, put, content).await {
        Ok(put) => put,
        Err(error) => {
            let stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Err(stopped.map_or_else(|| Problem::of_put(error), |item| Problem::locked(asked.href_of(item))));
        }
    };
    let mut response = answer::empty(if put.created { StatusCode::CREATED } else { StatusCode::NO_CONTENT });
    let headers = response.headers_mut();
    headers.insert(header::ETAG, value(quoted_etag(&put.object)));
    headers.insert(header::LAST_MODIFIED, value(HttpDate(put.object.view.item.content_modified_at)));
    for (name, given) in [(OC_MTIME, modified_at), (OC_CTIME, created_at)] {
        if given.is_some() {
            headers.insert(name, ACCEPTED);
        }
    }
    Ok(response)
}

/// Locks are looked at once more before a long upload becomes visible.
struct Guard {
    tree: Tree,
    caller: Caller,
    touched: ItemId,
    tokens: Vec<String>,
}

/// Whether the upload may begin: what it depends on is so, and nothing is locked. Free of look-ups when it depends on
/// nothing and nothing is.
async fn may_go_on(asked: &Asked) -> Result<(Expect, Option<Guard>), Problem> {
    let is_long = !asked.headers().get(header::CONTENT_LENGTH).is_some_and(is_quick);
    let is_locked = asked.tree().has_locks(&asked.caller)?;
    if !is_long && !is_locked && !has_conditions(asked.headers()) {
        return Ok((Expect::Anything, None));
    }
    let seen = asked.target().await?;
    let passed = asked.pass(seen.as_ref()).await?;
    if seen.as_ref().is_some_and(|seen| seen.view.item.kind != Kind::File) {
        return Err(Problem::method_not_allowed());
    }
    let touched = touched(asked, seen.as_ref()).await?;
    asked.unlocked(Touch { items: &[touched], below: &[] }, &passed).await?;
    let expect = passed.expect(seen.as_ref());
    let Passed { tokens, .. } = passed;
    let (tree, caller) = (asked.tree().clone(), asked.caller.clone());
    Ok((expect, is_long.then_some(Guard { tree, caller, touched, tokens })))
}

fn is_quick(length: &HeaderValue) -> bool {
    let length = length.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    length.is_some_and(|length| length <= QUICK_BYTES_MAX)
}

/// The file, or the folder that will have one child more.
async fn touched(asked: &Asked, seen: Option<&Object>) -> Result<ItemId, Problem> {
    match seen {
        Some(object) => Ok(object.view.item.id),
        None => Ok(asked.parent(&asked.path).await?.ok_or_else(Problem::no_parent)?.view.item.id),
    }
}

fn finish(
    guard: Option<Guard>,
    stopped: Arc<Mutex<Option<ItemId>>>,
    md5: Arc<Mutex<Option<Md5>>>,
    facts: Facts,
) -> Finish {
    Box::new(move || {
        if let Some(Guard { tree, caller, touched, tokens }) = guard
            && let Some(lock) = tree.lock_in_the_way(&caller, Touch { items: &[touched], below: &[] }, &tokens)?
        {
            *stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock.item);
            return Err(TreeError::PreconditionFailed);
        }
        let md5 = md5.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(Finished { md5, facts })
    })
}

/// What the client says of the bytes.
#[derive(Default)]
struct Announcement {
    sha1: Option<Sha1>,
    md5: Option<Md5>,
    adler32: Option<u32>,
    length: Option<u64>,
}

fn announced(asked: &Asked) -> Result<Announcement, Problem> {
    let mut found = Announcement::default();
    let checksums = asked.header(&OC_CHECKSUM).map(checksum::parse).transpose()?;
    for checksum in checksums.unwrap_or_default() {
        match checksum {
            Announced::Sha1(sha1) => found.sha1 = Some(sha1),
            Announced::Md5(md5) => found.md5 = Some(md5),
            Announced::Adler32(adler32) => found.adler32 = Some(adler32),
        }
    }
    if let Some(text) = asked.header(&EXPECTED_LENGTH) {
        let malformed = |_| Problem::bad_request("'X-Expected-Entity-Length' is a number of bytes");
        found.length = Some(text.trim().parse().map_err(malformed)?);
    }
    Ok(found)
}

/// Bytes that do not keep what was said of them: nothing becomes visible.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the checksum is not that of the bytes that arrived")]
    Checksum,
    #[error("{actual} bytes arrived, and {expected} were announced")]
    Length { expected: u64, actual: u64 },
}

/// The body, which fails at its end unless it is what was announced. An MD5 that had to be computed is told at its end.
fn checked(
    body: Body,
    announced: &Announcement,
) -> (impl Stream<Item = Result<Bytes, BoxError>> + Send + use<>, Arc<Mutex<Option<Md5>>>) {
    let told = Arc::new(Mutex::new(None));
    let plain = body.into_data_stream().map(|piece| piece.map_err(|error| BodyError::from(error).into()));
    if announced.md5.is_none() && announced.adler32.is_none() && announced.length.is_none() {
        return (plain.left_stream(), told);
    }
    let checks = Checks {
        md5: announced.md5.map(|md5| (md5, Hasher::new())),
        adler32: announced.adler32.map(|adler32| (adler32, Adler32::default())),
        length: announced.length,
        arrived: 0,
        told: Arc::clone(&told),
    };
    let content = stream::try_unfold((plain, checks), |(mut plain, mut checks)| async move {
        match plain.next().await {
            Some(piece) => {
                let piece: Bytes = piece?;
                checks.take(&piece)?;
                Ok(Some((piece, (plain, checks))))
            }
            None => {
                checks.end()?;
                Ok(None)
            }
        }
    });
    (content.right_stream(), told)
}

struct Checks {
    md5: Option<(Md5, Hasher)>,
    adler32: Option<(u32, Adler32)>,
    length: Option<u64>,
    arrived: u64,
    told: Arc<Mutex<Option<Md5>>>,
}

impl Checks {
    fn take(&mut self, piece: &[u8]) -> Result<(), BoxError> {
        self.arrived += piece.len() as u64;
        if let Some(expected) = self.length.filter(|length| *length < self.arrived) {
            return Err(Broken::Length { expected, actual: self.arrived }.into());
        }
        if let Some((_, hasher)) = &mut self.md5 {
            hasher.update(piece);
        }
        if let Some((_, adler32)) = &mut self.adler32 {
            adler32.update(piece);
        }
        Ok(())
    }

    fn end(self) -> Result<(), BoxError> {
        if let Some(expected) = self.length.filter(|length| *length != self.arrived) {
            return Err(Broken::Length { expected, actual: self.arrived }.into());
        }
        if self.adler32.is_some_and(|(expected, adler32)| expected != adler32.value()) {
            return Err(Broken::Checksum.into());
        }
        if let Some((expected, hasher)) = self.md5 {
            let actual = Md5(hasher.finalize().into());
            if actual != expected {
                return Err(Broken::Checksum.into());
            }
            *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(actual);
        }
        Ok(())
    }
}

fn moment(asked: &Asked, name: &HeaderName) -> Result<Option<Timestamp>, Problem> {
    let Some(value) = asked.headers().get(name) else { return Ok(None) };
    let moment = value.to_str().ok().and_then(parse_seconds);
    moment.map(Some).ok_or_else(|| Problem::bad_request("'X-OC-Mtime' and 'X-OC-CTime' are seconds since 1970"))
}

/// The media type, if the client says another than the name does: what says nothing is not worth a row.
fn said_type(asked: &Asked) -> Option<String> {
    let said = asked.header(&header::CONTENT_TYPE)?.trim();
    let name = asked.path.name()?;
    let says_nothing = said.is_empty()
        || said.len() > MEDIA_TYPE_BYTES_MAX
        || said.eq_ignore_ascii_case("application/octet-stream")
        || said.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        || said.eq_ignore_ascii_case(media_type::of(name.as_str()));
    (!says_nothing).then(|| said.to_owned())
}
