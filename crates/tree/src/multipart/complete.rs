use super::{Multipart, MultipartPart, find};
use crate::buckets::rules::Ownership;
use crate::buckets::sharing_of;
use crate::files::{Added, Target, enqueue_digest};
use crate::grant::See;
use crate::items::Manner;
use crate::items::place::NameRule;
use crate::limits::{MULTIPART_BYTES_MAX, MULTIPART_PART_BYTES_MIN, MULTIPART_PARTS_MAX, MULTIPART_REMEMBERED};
use crate::paths::{Landing, land};
use crate::retention::Keeping;
use crate::view::{Minis, Surroundings, row};
use crate::{Caller, Error, Expect, Folders, Object, Path, Put, Tree, Versioning, allow};
use entente_database::events::EventKind;
use entente_database::facts::{self, Checksum, Facts};
use entente_database::{Tx, multipart, users, versions};
use entente_model::{ContentId, ItemId, ItemName, JobId, Md5, MultipartId, VersionId};
use md5::Digest;
use std::borrow::Cow;

/// A part as the client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedMultipartPart {
    /// Which, from 1.
    pub number: u32,
    /// What it was called when it arrived, without quotes.
    pub etag: String,
    /// Its checksum, in base64, if the client names one: then the part must have one, and the same.
    pub checksum: Option<String>,
}

/// Says what the checksum of the whole is, given the upload and the parts that it is made of, or refuses it.
pub type FinishMultipart = Box<dyn FnOnce(&Multipart, &[MultipartPart]) -> Result<Option<Checksum>, Error> + Send>;

/// How an upload of parts ends.
pub struct CompleteMultipart {
    /// Its parts, in ascending order. What has arrived and is not named is left out, and removed later.
    pub parts: Vec<NamedMultipartPart>,
    /// What must be at the path.
    pub expect: Expect,
    /// Which names may stand side by side.
    pub rule: NameRule,
    /// Whether what is overwritten is to be told apart.
    pub versioning: Versioning,
    /// Called once before the object is there.
    pub finish: FinishMultipart,
}

/// What an upload was when it was to be completed.
enum Found {
    Complete(Box<Put>),
    Open(Box<Multipart>, Vec<MultipartPart>),
}

/// The terms on which an upload becomes an object.
struct Terms {
    expect: Expect,
    rule: NameRule,
    versioning: Versioning,
}

impl Tree {
    /// Makes an object of parts that have arrived, as [`Tree::put_at`] makes one of a body: with the folders on the way that
    /// are not there. However many bytes there are, none is read or copied. One that is complete already answers its object
    /// again.
    ///
    /// `PartOrder`, `PartMissing`, `PartTooSmall`, `TooLarge`, `Invalid` for no parts, what `finish` says, and the errors of
    /// [`Tree::put_at`] that need no body: the upload stays as it was. `SessionGone` as for [`Tree::multipart`].
    pub async fn complete_multipart(
        &self,
        caller: &Caller,
        upload: MultipartId,
        complete: CompleteMultipart,
    ) -> Result<Put, Error> {
        let (by, now) = (caller.clone(), self.world.now());
        let found = self
            .database
            .read_long(move |tx| {
                let found = find(tx, &by, upload, now)?.0;
                if let Some(completed) = found.completed {
                    return Ok::<_, Error>(Found::Complete(Box::new(answer(tx, &by, completed)?)));
                }
                Ok(Found::Open(Box::new(found), multipart::parts(tx, upload, 0, MULTIPART_PARTS_MAX)?))
            })
            .await?;
        let (found, arrived) = match found {
            Found::Complete(put) => return Ok(*put),
            Found::Open(found, arrived) => (*found, arrived),
        };
        let CompleteMultipart { parts, expect, rule, versioning, finish } = complete;
        let parts = compare(arrived, &parts)?;
        let facts = Facts {
            etag: Some(etag(&parts)),
            parts: parts.iter().map(|part| part.size).collect(),
            checksum: finish(&found, &parts)?,
            ..found.facts.clone()
        };
        self.commit_multipart(caller, found, (parts, facts), Terms { expect, rule, versioning }).await
    }

    async fn commit_multipart(
        &self,
        caller: &Caller,
        upload: Multipart,
        (parts, facts): (Vec<MultipartPart>, Facts),
        Terms { expect, rule, versioning }: Terms,
    ) -> Result<Put, Error> {
        let names: Vec<ItemName> = upload.key.split('/').map(ItemName::new).collect::<Result<_, _>>()?;
        let path = Path { base: upload.base, names: &names };
        let landing = Landing::new(path, (Folders::Imply, rule), (expect, versioning));
        let only = multipart::only(&parts);
        let added = Added {
            version: VersionId::new(self.world.next_id()),
            content: only.map_or_else(|| ContentId::new(self.world.next_id()), |only| only.content),
            size: parts.iter().map(|part| part.size).fold(0, u64::saturating_add),
            sha1: only.and_then(|only| only.sha1),
            content_created_at: None,
            content_modified_at: None,
            plain: false,
            keeping: Keeping::AsBucket,
        };
        let stamp = self.stamp().by(Manner::Parts);
        let target = Target { caller: caller.clone(), stamp, rule, event: EventKind::Created };
        let (item, job) = (ItemId::new(self.world.next_id()), JobId::new(self.world.next_id()));
        let (world, now, upload) = (self.world.clone(), self.world.now(), upload.id);
        self.database
            .transact("complete multipart upload", move |tx| {
                let (found, grant) = find(tx, &target.caller, upload, now)?;
                if let Some(completed) = found.completed {
                    return answer(tx, &target.caller, completed);
                }
                check_unchanged(tx, upload, &parts)?;
                // Of the enterprise whose contents the parts are.
                let enterprise =
                    users::storage(tx, grant.owner())?.ok_or(Error::internal("an owner is not there"))?.enterprise;
                let mut minis = Minis::default();
                let facts = still_granted(tx, &facts)?;
                let put =
                    land(tx, (&world, &target), &landing, (item, &added), (None, &facts), &mut minis, |tx, _| {
                        Ok(multipart::join(tx, upload, &parts, (added.content, enterprise))?)
                    })?;
                if added.sha1.is_none() && found.customer.is_none() {
                    enqueue_digest(tx, added.content, job, now)?;
                }
                multipart::set_complete(
                    tx,
                    upload,
                    (put.object.view.item.id, added.version),
                    now.after(MULTIPART_REMEMBERED),
                )?;
                Ok(put)
            })
            .await
    }
}

/// What is to be remembered, without grants that the bucket does not take any more: they were wished when the upload began.
fn still_granted<'f>(tx: &mut Tx<'_>, facts: &'f Facts) -> Result<Cow<'f, Facts>, Error> {
    let Some(acl) = &facts.acl else { return Ok(Cow::Borrowed(facts)) };
    let sharing = sharing_of(tx, acl.bucket)?;
    if sharing.owned() == Ownership::Enforced || sharing.blocked().block_public_acls && acl.is_public() {
        return Ok(Cow::Owned(Facts { acl: None, ..facts.clone() }));
    }
    Ok(Cow::Borrowed(facts))
}

/// What an upload became, to whoever did not hear the answer. `SessionGone` when that is gone.
fn answer(tx: &mut Tx<'_>, caller: &Caller, (item, version): (ItemId, VersionId)) -> Result<Put, Error> {
    let grant = match allow::<See>(tx, caller, item) {
        Err(Error::NotFound | Error::Trashed) => return Err(Error::SessionGone),
        grant => grant?,
    };
    // Whoever came through a bucket is not told of what has left it.
    if caller.through.is_some_and(|through| !grant.is_within(through.bucket)) {
        return Err(Error::SessionGone);
    }
    let item = row(tx, &grant)?;
    let version = versions::by_id(tx, version)?.filter(|version| version.item == item.id).ok_or(Error::SessionGone)?;
    let (created, facts) = (version.number == 1, facts::of_version(tx, version.id)?);
    let view = Surroundings::of(&grant).view(tx, &mut Minis::default(), item, Some(version))?;
    Ok(Put { object: Object { view, md5: None, facts }, created })
}

/// `PartMissing` when other bytes have taken the place of a part meanwhile.
fn check_unchanged(tx: &mut Tx<'_>, upload: MultipartId, parts: &[MultipartPart]) -> Result<(), Error> {
    let arrived = multipart::parts(tx, upload, 0, MULTIPART_PARTS_MAX)?;
    let mut arrived = arrived.iter();
    for part in parts {
        if arrived.find(|arrived| arrived.number >= part.number) != Some(part) {
            return Err(Error::PartMissing { number: part.number });
        }
    }
    Ok(())
}

/// Takes from what arrived what was named.
fn compare(arrived: Vec<MultipartPart>, named: &[NamedMultipartPart]) -> Result<Vec<MultipartPart>, Error> {
    if named.is_empty() {
        return Err(Error::Invalid("an upload is completed with at least one part"));
    }
    if named.windows(2).any(|pair| matches!(pair, [one, next] if one.number >= next.number)) {
        return Err(Error::PartOrder);
    }
    let (mut arrived, mut parts) = (arrived.into_iter(), Vec::with_capacity(named.len()));
    for named in named {
        let part = arrived.by_ref().find(|part| part.number >= named.number);
        let is_same = |part: &MultipartPart| {
            let checksum = part.facts.checksum.as_ref().map(|checksum| &checksum.value);
            part.number == named.number
                && part.etag.eq_ignore_ascii_case(&named.etag)
                && (named.checksum.is_none() || named.checksum.as_ref() == checksum)
        };
        parts.push(part.filter(is_same).ok_or(Error::PartMissing { number: named.number })?);
    }
    let all_but_last = parts.split_last().map_or(&[][..], |(_, others)| others);
    if all_but_last.iter().any(|part| part.size < MULTIPART_PART_BYTES_MIN) {
        return Err(Error::PartTooSmall);
    }
    let size = parts.iter().map(|part| part.size).fold(0, u64::saturating_add);
    if size > MULTIPART_BYTES_MAX { Err(Error::TooLarge { limit: MULTIPART_BYTES_MAX }) } else { Ok(parts) }
}

/// What clients expect of an upload in parts: the MD5 of the MD5s, and how many there are.
fn etag(parts: &[MultipartPart]) -> String {
    let mut md5 = md5::Md5::new();
    for part in parts {
        md5.update(Md5::from_hex(&part.etag).map_or([0; 16], |md5| md5.0));
    }
    format!("{}-{}", Md5(md5.finalize().into()), parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_model::Timestamp;

    const MIB: u64 = 1 << 20;

    fn part(number: u32, size: u64) -> MultipartPart {
        MultipartPart {
            number,
            content: ContentId::new(i64::from(number)),
            size,
            pieces: 0,
            sha1: None,
            etag: format!("{number:032x}"),
            facts: Facts::default(),
            modified_at: Timestamp::from_millis(0),
        }
    }

    fn named(number: u32) -> NamedMultipartPart {
        NamedMultipartPart { number, etag: format!("{number:032X}"), checksum: None }
    }

    #[test]
    fn parts_are_what_was_named() {
        let arrived = || vec![part(1, 5 * MIB), part(3, 5 * MIB), part(4, MIB), part(9, 6 * MIB)];
        let numbers = |named: &[NamedMultipartPart]| {
            compare(arrived(), named).map(|parts| parts.iter().map(|part| part.number).collect::<Vec<_>>())
        };
        assert_eq!(numbers(&[named(1), named(3), named(4)]).unwrap(), [1, 3, 4]);
        assert_eq!(numbers(&[named(4)]).unwrap(), [4]);
        assert!(matches!(numbers(&[]), Err(Error::Invalid(_))));
        assert!(matches!(numbers(&[named(3), named(1)]), Err(Error::PartOrder)));
        assert!(matches!(numbers(&[named(3), named(3)]), Err(Error::PartOrder)));
        assert!(matches!(numbers(&[named(1), named(2)]), Err(Error::PartMissing { number: 2 })));
        assert!(matches!(numbers(&[named(9), named(10)]), Err(Error::PartMissing { number: 10 })));
        assert!(matches!(numbers(&[named(1), named(4), named(9)]), Err(Error::PartTooSmall)));
        let other = NamedMultipartPart { etag: "0".repeat(32), ..named(3) };
        assert!(matches!(numbers(&[named(1), other]), Err(Error::PartMissing { number: 3 })));
        let claimed = NamedMultipartPart { checksum: Some("AAAAAA==".to_owned()), ..named(4) };
        assert!(matches!(numbers(&[claimed]), Err(Error::PartMissing { number: 4 })));
        let huge = vec![part(1, MULTIPART_BYTES_MAX), part(2, 1)];
        assert!(matches!(compare(huge, &[named(1), named(2)]), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn the_tag_of_the_whole_is_of_the_tags() {
        // md5 of the sixteen zero bytes and of those followed by 15 zeros and a one.
        assert_eq!(etag(&[part(0, 1)]), "4ae71336e44bf9bf79d2752e234818a5-1");
        assert_ne!(etag(&[part(0, 1), part(1, 1)]), etag(&[part(1, 1), part(0, 1)]));
        assert!(etag(&[part(0, 1), part(1, 1)]).ends_with("-2"));
    }
}
