//! Contents of pieces, whatever is done with what they are made of.

use crate::desk::{Desk, RULE, body, name, new_file, pattern, sha1};
use crate::multipart::{
    LEAST, LONG, arrived, begin, bytes, complete, content_of, names, object, put, range, tidy, verify,
};
use crate::sessions::length;
use crate::storage::Office;
use entente_database::{contents, multipart as rows, pieces};
use entente_model::{ContentId, ItemId, MultipartId, PolicyId, ZoneId};
use entente_tree::{CopyTo, Error, Facts, Finish, Finished, Kind, MultipartPart, Path, limits};
use entente_vault::upkeep::Unwatched;
use entente_vault::upkeep::verify::{Depth, Finding};
use entente_vault::{Piece, Scope};
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use proptest::prop_oneof;
use std::sync::LazyLock;

const MIB: usize = 1 << 20;
/// What all that is written is cut out of.
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| pattern(24 * MIB));

/// What is done, to objects by their place in the list of all that ever were.
#[derive(Debug, Clone)]
enum Step {
    /// An object that comes in one.
    Plain {
        from: usize,
        length: usize,
    },
    /// An upload of parts, completed at once or left open.
    Parts {
        parts: Vec<PartOf>,
        last: PartOf,
        completes: bool,
    },
    /// The first open upload is completed.
    Complete,
    Copy {
        of: usize,
    },
    Remove {
        of: usize,
    },
    /// The owner gets another policy.
    Assign {
        policy: usize,
    },
    /// Some of what is not where it should be is moved there.
    Follow {
        contents: usize,
    },
    /// All below the bucket is moved to a policy.
    Below {
        policy: usize,
    },
    TakeApart,
}

/// Where a part comes from.
#[derive(Debug, Clone)]
enum PartOf {
    New { from: usize, length: usize },
    Object { of: usize, from: usize, length: usize },
}

fn part() -> impl Strategy<Value = PartOf> {
    prop_oneof![
        (any::<usize>(), any::<usize>()).prop_map(|(from, length)| PartOf::New { from, length }),
        (any::<usize>(), any::<usize>(), any::<usize>()).prop_map(|(of, from, length)| PartOf::Object {
            of,
            from,
            length
        }),
        (any::<usize>(), any::<usize>(), any::<usize>()).prop_map(|(of, from, length)| PartOf::Object {
            of,
            from,
            length
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let parts = (proptest::collection::vec(part(), 0..3), part(), any::<bool>());
    prop_oneof![
        2 => (any::<usize>(), any::<usize>()).prop_map(|(from, length)| Step::Plain { from, length }),
        6 => parts.prop_map(|(parts, last, completes)| Step::Parts { parts, last, completes }),
        2 => proptest::strategy::Just(Step::Complete),
        1 => any::<usize>().prop_map(|of| Step::Copy { of }),
        2 => any::<usize>().prop_map(|of| Step::Remove { of }),
        2 => (0_usize..3).prop_map(|policy| Step::Assign { policy }),
        2 => (1_usize..4).prop_map(|contents| Step::Follow { contents }),
        1 => (0_usize..3).prop_map(|policy| Step::Below { policy }),
        1 => proptest::strategy::Just(Step::TakeApart),
    ]
}

struct Run {
    office: Office,
    bucket: ItemId,
    policies: [PolicyId; 3],
    /// What is there, under which name, and its bytes.
    objects: Vec<(ItemId, String, Vec<u8>)>,
    open: Vec<(MultipartId, String, Vec<u8>)>,
    made: usize,
}

impl Run {
    async fn new() -> Self {
        let office = Office::new().await;
        let bucket = office.desk.folder(office.desk.root, "bucket").await;
        office.assign(office.anna(), PolicyId::new(1)).await;
        let policies = [PolicyId::new(1), office.near, office.far];
        Self { office, bucket, policies, objects: Vec::new(), open: Vec::new(), made: 0 }
    }

    fn desk(&self) -> &Desk {
        &self.office.desk
    }

    fn next_name(&mut self) -> String {
        self.made += 1;
        format!("k{}", self.made)
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Plain { from, length } => {
                let (bytes, name) = (cut(&BYTES, *from, length % (9 * MIB)), self.next_name());
                let file = self.desk().file(self.bucket, &name, &bytes).await.item.id;
                self.objects.push((file, name, bytes));
            }
            Step::Parts { parts, last, completes } => {
                let name = self.next_name();
                let upload = begin(self.desk(), self.bucket, &name).await;
                let mut whole = Vec::new();
                for (number, part) in (1..).zip(parts) {
                    whole.extend(self.part(upload, number, part, LEAST).await);
                }
                whole.extend(self.part(upload, 9, last, 1).await);
                self.open.push((upload, name, whole));
                if *completes {
                    self.complete(self.open.len() - 1).await;
                }
            }
            Step::Complete if !self.open.is_empty() => self.complete(0).await,
            Step::Copy { of } if !self.objects.is_empty() => {
                let (file, _, bytes) = self.objects[of % self.objects.len()].clone();
                let to = self.next_name();
                let copy = CopyTo { parent: self.bucket, name: Some(name(&to)), version: None };
                let copy = self.desk().tree.copy(&self.desk().anna, file, Kind::File, copy, RULE).await;
                self.objects.push((copy.expect("a copy").item.id, to, bytes));
            }
            Step::Remove { of } if !self.objects.is_empty() => {
                let (file, ..) = self.objects.remove(of % self.objects.len());
                self.desk().trash(file, Kind::File).await;
                self.desk().tree.purge(&self.desk().anna, file, Kind::File).await.expect("purged");
                self.desk().finish_purge(file).await;
            }
            Step::Complete | Step::Copy { .. } | Step::Remove { .. } => {}
            Step::Assign { policy } => {
                let (admin, anna) = (&self.office.admin, self.office.anna());
                let changed = self.desk().tree.reassign_policy(admin, anna, self.policies[*policy]).await;
                changed.expect("assigned");
            }
            Step::Follow { contents } => drop(self.follow(*contents).await),
            Step::Below { policy } => {
                let policy = self.policies[*policy];
                let scope = Scope { enterprise: self.desk().stage.enterprise, zone: self.zone(policy), policy };
                let below = self.office.below(self.bucket, policy, 2).await;
                let below: Vec<_> = below.into_iter().map(|stored| stored.content).collect();
                let rehoused = self.desk().stage.vault.rehouse(&below, scope, &mut Unwatched).await.expect("moved");
                assert_eq!((rehoused.unfinished, rehoused.failed, rehoused.unreadable), (0, 0, 0));
                assert!(self.office.below(self.bucket, policy, 500).await.is_empty());
            }
            Step::TakeApart => drop(self.desk().tree.take_apart(2).await.expect("some")),
        }
    }

    /// One part, and its bytes: at least so many.
    async fn part(&self, upload: MultipartId, number: u32, part: &PartOf, least: usize) -> Vec<u8> {
        let big_enough: Vec<_> = self.objects.iter().filter(|(.., bytes)| bytes.len() >= least).collect();
        let (desk, made) = (self.desk(), &part);
        match made {
            PartOf::Object { of, from, length } if !big_enough.is_empty() => {
                let (_, key, bytes) = big_enough[of % big_enough.len()];
                let length = least + length % (bytes.len() - least + 1);
                let from = from % (bytes.len() - length + 1);
                let names = names(key);
                let path = Path { base: self.bucket, names: &names };
                let range = Some(u64::try_from(from).expect("small")..u64::try_from(from + length).expect("small"));
                let copied = desk.tree.copy_multipart_part(&desk.anna, upload, number, path, None, range).await;
                assert_eq!(copied.expect("a part").1.size, u64::try_from(length).expect("small"));
                bytes[from..from + length].to_vec()
            }
            PartOf::New { from, length } | PartOf::Object { from, length, .. } => {
                let bytes = cut(&BYTES, *from, least + length % MIB);
                let unread: Finish = Box::new(|| Ok(Finished { md5: None, facts: Facts::default() }));
                let put = desk.tree.put_multipart_part(&desk.anna, upload, number, u64::MAX, body(&bytes), unread);
                put.await.expect("a part");
                bytes
            }
        }
    }

    async fn complete(&mut self, open: usize) {
        let (upload, name, bytes) = self.open.remove(open);
        let parts: Vec<MultipartPart> = arrived(self.desk(), upload).await;
        let made = complete(self.desk(), upload, &parts).await.expect("complete");
        self.objects.push((made.object.view.item.id, name, bytes));
    }

    /// Moves some of what is not where it should be. `true` when there was nothing.
    async fn follow(&self, contents: usize) -> bool {
        let page = self.desk().tree.elsewhere(self.desk().anna.user, None, 500).await.expect("a page").expect("a user");
        let some: Vec<ContentId> = page.contents.iter().take(contents).map(|stored| stored.content).collect();
        let rehoused = self.desk().stage.vault.rehouse(&some, page.to, &mut Unwatched).await.expect("moved");
        assert_eq!((rehoused.unfinished, rehoused.failed, rehoused.unreadable), (0, 0, 0));
        some.is_empty()
    }

    fn zone(&self, policy: PolicyId) -> ZoneId {
        ZoneId::new(if policy == self.office.far { 2 } else { 1 })
    }

    /// Everything that must hold at any time.
    async fn check(&self) {
        self.desk().check_books();
        for (file, _, bytes) in &self.objects {
            assert!(self.desk().content(*file).await == *bytes);
        }
    }

    /// Everything that must hold when the jobs have done their work.
    async fn check_end(&self) {
        let desk = self.desk();
        while !self.follow(500).await {}
        while !desk.tree.take_apart(500).await.expect("some") {}
        let policy = desk.tree.resolve_policy(&self.office.admin, self.office.anna()).await.expect("a policy").policy;
        let policy = desk.tree.storage_policy(&self.office.admin, policy).await.expect("a policy");
        for (file, ..) in &self.objects {
            let found = desk.tree.whereabouts(&desk.anna, *file).await.expect("somewhere");
            assert_eq!(found.policy, policy.name, "all of it is in one place");
        }
        let to_nowhere = desk.stage.database.read(|tx| {
            entente_database::zones::contents(tx, ZoneId::new(if policy.zone == ZoneId::new(1) { 2 } else { 1 }))
        });
        assert_eq!(to_nowhere.expect("a count"), 0, "nothing is left in the other zone");
        let mut verified = desk.stage.vault.verify(Depth::Structure, &mut Unwatched).await;
        let verified = verified.as_mut().expect("verified");
        assert!(verified.is_undamaged(), "{verified:?}");
        for (file, _, bytes) in &self.objects {
            let content = desk.tree.open(&desk.anna, *file, None).await.expect("opened").content;
            assert!(desk.tree.digest_content(content, LONG).await.expect("hashed"));
            let version = desk.see(*file, Kind::File).await.expect("seen").version.expect("a version");
            assert_eq!(version.sha1, Some(sha1(bytes)));
        }
        self.check().await;
    }

    /// In the end nothing is left.
    async fn check_empty(&mut self) {
        while !self.objects.is_empty() {
            self.step(&Step::Remove { of: 0 }).await;
        }
        let desk = self.desk();
        for (upload, ..) in &self.open {
            desk.tree.abort_multipart(&desk.anna, *upload).await.expect("ended");
        }
        while !desk.tree.expire_multiparts(500).await.expect("some") {}
        while !desk.tree.take_apart(500).await.expect("some") {}
        desk.check_books();
        // Uploads that were completed are remembered, and nothing of them is left.
        let totals = desk.totals();
        assert_eq!((totals.contents, totals.pieces, totals.parts, totals.live_bytes), (0, 0, 0, 0));
    }
}

fn cut(bytes: &[u8], from: usize, length: usize) -> Vec<u8> {
    let from = from % (bytes.len() - length + 1);
    bytes[from..from + length].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_done_with_pieces_they_stay_whole_and_in_one_zone(steps in proptest::collection::vec(step(), 4..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut run = Run::new().await;
            for step in &steps {
                run.step(step).await;
                run.desk().check_books();
            }
            run.check().await;
            run.check_end().await;
            run.check_empty().await;
        });
    }
}

#[tokio::test]
async fn parts_follow_their_owner_before_and_after_they_are_complete() {
    let office = Office::new().await;
    let desk = &office.desk;
    let bucket = desk.folder(desk.root, "bucket").await;
    let upload = begin(desk, bucket, "k").await;
    let unread = || -> Finish { Box::new(|| Ok(Finished { md5: None, facts: Facts::default() })) };
    let put = |number, length: usize| {
        desk.tree.put_multipart_part(&desk.anna, upload, number, u64::MAX, body(&BYTES[..length]), unread())
    };
    put(1, LEAST).await.expect("a part");
    office.assign(office.anna(), office.far).await;
    assert_eq!(office.jobs().await, [office.anna()]);
    // The one that is there is found before it is complete; the one that comes is where it belongs.
    put(2, 5).await.expect("a part");
    assert!(office.jobs().await.is_empty());
    let found = office.elsewhere(desk.anna.user, 10).await;
    assert_eq!(found.len(), 1);
    let made = complete(desk, upload, &arrived(desk, upload).await).await.expect("complete");
    let file = made.object.view.item.id;
    assert_eq!(office.elsewhere(desk.anna.user, 10).await, found);
    let somewhere = desk.tree.whereabouts(&desk.anna, file).await.expect("somewhere");
    assert_eq!((somewhere.zone.contains(", "), somewhere.policy.contains("far")), (true, true), "{somewhere:?}");
    let to = Scope { enterprise: desk.stage.enterprise, zone: ZoneId::new(2), policy: office.far };
    let rehoused = desk.stage.vault.rehouse(&found, to, &mut Unwatched).await.expect("moved");
    assert_eq!((rehoused.contents, rehoused.unfinished), (1, 0));
    let somewhere = desk.tree.whereabouts(&desk.anna, file).await.expect("somewhere");
    assert_eq!((somewhere.policy.as_str(), somewhere.chunks), ("far", 2));
    assert!(desk.content(file).await == [&BYTES[..LEAST], &BYTES[..5]].concat());

    // A walk over the folder goes on to the pieces.
    let below = office.below(bucket, office.near, 1).await;
    assert_eq!((below.len(), below[0].size), (1, u64::try_from(LEAST + 5).expect("small")));
    let to = Scope { enterprise: desk.stage.enterprise, zone: ZoneId::new(1), policy: office.near };
    let contents: Vec<_> = below.iter().map(|stored| stored.content).collect();
    let rehoused = desk.stage.vault.rehouse(&contents, to, &mut Unwatched).await.expect("moved");
    assert_eq!((rehoused.contents, rehoused.already, rehoused.unfinished), (2, 0, 0));
    assert!(office.below(bucket, office.near, 1).await.is_empty());
    assert_eq!(desk.tree.whereabouts(&desk.anna, file).await.expect("somewhere").policy, "near");
    desk.check_books();
    let missing = desk.tree.whereabouts(&desk.ben, file).await;
    assert!(matches!(missing, Err(Error::NotFound)));
    let plain = desk.tree.upload(&desk.anna, bucket, new_file("p"), RULE, body(b"p")).await.expect("a file").item.id;
    assert_eq!(desk.tree.whereabouts(&desk.anna, plain).await.expect("somewhere").policy, "far");
}

#[tokio::test]
async fn a_content_that_lacks_a_piece_is_found() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let made = object(&desk, bucket, "k", &[&bytes(2, LEAST), b"some more"]).await;
    let content = content_of(&made);
    let lost = desk.stage.database.transact("lose a piece", move |tx| {
        let pieces = pieces::of(tx, content, 0, 9)?;
        let (fresh, enterprise) = (ContentId::new(7), entente_model::EnterpriseId::new(1));
        pieces::begin(tx, fresh, enterprise, (1, 20))?;
        for piece in pieces.iter().skip(1) {
            pieces::add(tx, fresh, &Piece { start: 0, ..*piece })?;
            contents::share(tx, piece.source)?;
        }
        Ok::<_, entente_database::Error>(pieces.len())
    });
    assert_eq!(lost.await.expect("written"), 2);
    let verified = verify(&desk).await;
    assert_eq!(verified.findings, [Finding::Pieces { content: ContentId::new(7), at: 0 }], "of another enterprise");
    assert!(desk.content(made.object.view.item.id).await.len() > LEAST);
}

#[tokio::test]
async fn what_is_in_very_many_pieces_is_copied_byte_by_byte() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let upload = begin(&desk, bucket, "crumbs").await;
    let part = put(&desk, upload, 1, &bytes(1, 3_000)).await.expect("a part");
    let (fresh, enterprise) = (ContentId::new(7), desk.stage.enterprise);
    let (first, second) = (2_999, 2_998);
    // As who copies parts of parts of parts may come to have: every second byte, from the end.
    let crumbs = desk.stage.database.transact("crumble", move |tx| {
        let count = limits::PART_PIECES_MAX + 1;
        pieces::begin(tx, fresh, enterprise, (count, u64::from(count)))?;
        for start in 0..u64::from(count) {
            contents::share(tx, part.content)?;
            let source_start = if start % 2 == 0 { first - start } else { second - start };
            pieces::add(tx, fresh, &Piece { start, source: part.content, source_start, length: 1 })?;
        }
        let crumbs = MultipartPart { content: fresh, size: u64::from(count), pieces: count, ..part.clone() };
        rows::put_part(tx, upload, &crumbs)?;
        Ok::<_, entente_database::Error>(crumbs)
    });
    let crumbs = crumbs.await.expect("crumbs");
    desk.check_books();
    let made = complete(&desk, upload, &[crumbs]).await.expect("complete");
    let whole = desk.content(made.object.view.item.id).await;
    assert_eq!(whole.len(), usize::try_from(limits::PART_PIECES_MAX).expect("small") + 1);
    let upload = begin(&desk, bucket, "copy").await;
    let names = names("crumbs");
    let from = Path { base: bucket, names: &names };
    let copy = async |number, range| {
        let copied = desk.tree.copy_multipart_part(&desk.anna, upload, number, from, None, range).await;
        copied.expect("a part").1
    };
    let (all, most) = (copy(1, None).await, copy(2, Some(1..length(&whole))).await);
    assert_eq!((all.pieces, all.size, all.sha1), (0, length(&whole), Some(sha1(&whole))));
    assert_eq!((most.pieces, most.size), (limits::PART_PIECES_MAX, length(&whole) - 1));
    let made = complete(&desk, upload, &[all]).await.expect("complete");
    assert_eq!(desk.content(made.object.view.item.id).await, whole);
    tidy(&desk).await;
    desk.check_books();
}

#[tokio::test]
async fn versions_of_pieces_are_versions_like_others() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let first = object(&desk, bucket, "k", &[&bytes(1, LEAST), b"one"]).await;
    let file = first.object.view.item.id;
    let second = object(&desk, bucket, "k", &[&bytes(2, LEAST), b"two"]).await;
    assert_eq!((second.object.view.item.id, second.created), (file, false));
    assert!(desk.content(file).await.ends_with(b"two"));
    let version = first.object.view.version.as_ref().expect("a version");
    let promoted = desk.tree.promote(&desk.anna, file, version.id, RULE).await.expect("promoted");
    assert_eq!((promoted.version.content, promoted.version.number), (version.content, 3));
    assert!(desk.content(file).await.ends_with(b"one"));
    desk.check_books();
    assert_eq!(desk.space_used().await, 3 * version.size);
    let second = second.object.view.version.as_ref().expect("a version").id;
    desk.tree.remove_version(&desk.anna, file, second).await.expect("removed");
    let later = desk.stage.world.now().after(LONG);
    assert!(desk.tree.purge_versions(later, 100).await.expect("purged"));
    desk.check_books();
    tidy(&desk).await;
    let totals = desk.totals();
    assert_eq!((totals.contents, totals.pieces, totals.versions), (3, 2, 2));
    // A folder that is copied shares them as well.
    let to = CopyTo { parent: desk.root, name: Some(name("copy")), version: None };
    let copy = desk.tree.copy(&desk.anna, bucket, Kind::Folder, to, RULE).await.expect("a copy").item.id;
    desk.trash(bucket, Kind::Folder).await;
    desk.tree.purge(&desk.anna, bucket, Kind::Folder).await.expect("purged");
    desk.finish_purge(bucket).await;
    tidy(&desk).await;
    desk.check_books();
    let path = Path { base: copy, names: &names("k") };
    let (object, content) = desk.tree.open_at(&desk.anna, path, None).await.expect("opened");
    assert!(range(&desk, content, 0..u64::MAX).await.ends_with(b"one"));
    assert!(verify(&desk).await.is_undamaged());
    assert!(object.view.version.is_some_and(|version| version.content == promoted.version.content));
}
