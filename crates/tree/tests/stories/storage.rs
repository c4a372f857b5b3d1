//! Storage policies: who sees and assigns them, and what follows from it.

use crate::desk::{Desk, RULE, body, moved, new_file, pattern};
use crate::sessions::{PART, begin, commit, length, send};
use entente_database::backends::Standing;
use entente_database::enterprises::{self, Enterprise};
use entente_database::jobs;
use entente_database::policies::{Reach, StoragePolicy};
use entente_database::users::{self, NewUser};
use entente_database::zones::{self, Zone};
use entente_model::{Caller, ContentId, EnterpriseId, ItemId, PolicyId, Scopes, UserId, UserRole, ZoneId};
use entente_tree::{
    Assignee, BelowPosition, CopyTo, ElsewherePosition, Error, FOLLOW_POLICY_JOB, Kind, PolicyAssignment, Stored,
    assignee_of_key,
};
use futures_util::stream;
use std::collections::BTreeSet;

const DEFAULT: PolicyId = PolicyId::new(1);

/// A desk, its administrator, and two more policies: one in the same zone, one in another.
pub struct Office {
    pub desk: Desk,
    pub admin: Caller,
    pub near: PolicyId,
    pub far: PolicyId,
}

impl Office {
    pub async fn new() -> Self {
        let desk = Desk::new().await;
        let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
        let admin = desk.stage.caller(admin, UserRole::Admin);
        let near = desk.stage.add_policy("near", ZoneId::new(1)).await.0;
        let far = desk.stage.add_policy("far", ZoneId::new(2)).await.0;
        let zone = Zone { id: ZoneId::new(2), name: "abroad".to_owned(), standing: Standing::Configured };
        let now = desk.stage.world.now();
        desk.stage.database.transact("put zone", move |tx| zones::put(tx, &zone, now)).await.expect("a zone");
        Self { desk, admin, near, far }
    }

    pub fn anna(&self) -> Assignee {
        Assignee::User(self.desk.anna.user)
    }

    fn acme(&self) -> Assignee {
        Assignee::Enterprise(self.desk.stage.enterprise)
    }

    pub async fn assign(&self, assignee: Assignee, policy: PolicyId) {
        self.desk.tree.assign_policy(&self.admin, assignee, policy).await.expect("assigned");
    }

    async fn resolve(&self, assignee: Assignee) -> PolicyAssignment {
        self.desk.tree.resolve_policy(&self.admin, assignee).await.expect("resolved")
    }

    /// Takes and ends the jobs that are there; whom they are about.
    pub async fn jobs(&self) -> Vec<Assignee> {
        let world = self.desk.stage.world.clone();
        let taken = self.desk.stage.database.transact("take jobs", move |tx| {
            let taken = jobs::take(tx, world.now(), world.now().after(std::time::Duration::from_secs(60)), 100)?;
            for job in &taken {
                jobs::complete(tx, job)?;
            }
            Ok::<_, entente_database::Error>(taken)
        });
        let follows = taken.await.expect("jobs").into_iter().filter(|job| job.kind == FOLLOW_POLICY_JOB);
        follows.map(|job| assignee_of_key(&job.key).expect("a key")).collect()
    }

    /// All that a user has elsewhere, read in pages of that size.
    pub async fn elsewhere(&self, user: UserId, page: u32) -> Vec<ContentId> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let read = self.desk.tree.elsewhere(user, after, page).await.expect("a page").expect("a user");
            found.extend(read.contents.iter().map(|stored| stored.content));
            after = match read.next {
                Some(next) => ElsewherePosition::from_bytes(&next.to_bytes()),
                None => return found,
            };
        }
    }

    /// All below a folder that is not under that policy, read in pages of that size.
    pub async fn below(&self, folder: ItemId, policy: PolicyId, page: u32) -> Vec<Stored> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let read = self.desk.tree.contents_below(folder, policy, after, page).await.expect("a page");
            let read = read.expect("a folder");
            assert!(read.contents.len() <= usize::try_from(page).expect("small"));
            found.extend(read.contents);
            after = match read.next {
                Some(next) => BelowPosition::from_bytes(&next.to_bytes()),
                None => return found,
            };
        }
    }

    async fn content(&self, file: ItemId) -> ContentId {
        self.desk.tree.open(&self.desk.anna, file, None).await.expect("opened").content
    }
}

#[tokio::test]
async fn administrators_see_what_is_configured() {
    let office = Office::new().await;
    let Office { desk, admin, near, far } = &office;
    let gone = PolicyId::new(desk.stage.world.next_id());
    let policy = StoragePolicy {
        id: gone,
        name: "gone".to_owned(),
        zone: ZoneId::new(1),
        reach: Reach::Assigned,
        standing: Standing::Removed,
    };
    desk.stage.put_policy(policy).await;
    let page = desk.tree.storage_policies(admin, None, 2).await.expect("a page");
    assert_eq!(page.entries.iter().map(|policy| policy.id).collect::<Vec<_>>(), [DEFAULT, *near]);
    assert_eq!(page.next, Some(*near));
    let page = desk.tree.storage_policies(admin, page.next, 2).await.expect("a page");
    assert_eq!((page.entries.len(), page.entries[0].id, page.next), (1, *far, None));
    assert!(desk.tree.storage_policies(admin, None, 0).await.expect("a page").entries.is_empty());
    assert_eq!(desk.tree.storage_policy(admin, *far).await.expect("there").name, "far");
    for unknown in [gone, PolicyId::new(i64::MAX)] {
        assert!(matches!(desk.tree.storage_policy(admin, unknown).await, Err(Error::NotFound)));
        let outcome = desk.tree.assign_policy(admin, office.anna(), unknown).await;
        assert!(matches!(outcome, Err(Error::NotFound)));
    }
    assert!(office.jobs().await.is_empty());
}

#[tokio::test]
async fn a_user_has_their_own_policy_or_the_enterprises_or_the_default() {
    let office = Office::new().await;
    let Office { desk, admin, near, far } = &office;
    let (anna, acme) = (office.anna(), office.acme());
    assert_eq!(office.resolve(anna).await, PolicyAssignment { policy: DEFAULT, assignee: acme });
    assert_eq!(desk.tree.policy_assignment(admin, acme).await.expect("always").policy, DEFAULT);
    assert!(matches!(desk.tree.policy_assignment(admin, anna).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.reassign_policy(admin, anna, *near).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.unassign_policy(admin, anna).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.unassign_policy(admin, acme).await, Err(Error::Forbidden)));
    assert!(office.jobs().await.is_empty());

    office.assign(acme, *near).await;
    assert_eq!(office.resolve(anna).await, PolicyAssignment { policy: *near, assignee: acme });
    assert_eq!(office.jobs().await, [acme]);
    office.assign(anna, *far).await;
    assert_eq!(office.resolve(anna).await, PolicyAssignment { policy: *far, assignee: anna });
    assert_eq!(desk.tree.policy_assignment(admin, anna).await.expect("own").policy, *far);
    assert_eq!(office.resolve(Assignee::User(desk.ben.user)).await.policy, *near);
    for assignee in [anna, acme] {
        let again = desk.tree.assign_policy(admin, assignee, *near).await;
        assert!(matches!(again, Err(Error::PolicyAssigned)));
    }
    assert_eq!(office.jobs().await, [anna]);

    let changed = desk.tree.reassign_policy(admin, anna, *near).await.expect("changed");
    assert_eq!(changed, PolicyAssignment { policy: *near, assignee: anna });
    assert_eq!(office.jobs().await, [anna]);
    desk.tree.unassign_policy(admin, anna).await.expect("removed");
    assert_eq!(office.resolve(anna).await, PolicyAssignment { policy: *near, assignee: acme });
    assert_eq!(office.jobs().await, [anna]);
    desk.tree.unassign_policy(admin, acme).await.expect("removed");
    assert_eq!(office.resolve(anna).await.policy, DEFAULT);
    assert_eq!(office.jobs().await, [acme]);
    // The default is an assignment that can be changed.
    desk.tree.reassign_policy(admin, acme, *far).await.expect("assigned");
    assert_eq!(office.resolve(anna).await, PolicyAssignment { policy: *far, assignee: acme });
    assert_eq!(office.jobs().await, [acme]);
}

#[tokio::test]
async fn nobody_else_may_and_no_enterprise_reaches_another() {
    let office = Office::new().await;
    let Office { desk, admin, near, .. } = &office;
    let tree = &desk.tree;
    let limited = Caller { scopes: Scopes::ALL.within(Scopes::READ.with(Scopes::CHANGE)), ..admin.clone() };
    for caller in [&desk.anna, &limited] {
        for assignee in [office.anna(), office.acme(), Assignee::User(UserId::new(5))] {
            assert!(matches!(tree.resolve_policy(caller, assignee).await, Err(Error::Forbidden)));
            assert!(matches!(tree.policy_assignment(caller, assignee).await, Err(Error::Forbidden)));
            assert!(matches!(tree.assign_policy(caller, assignee, *near).await, Err(Error::Forbidden)));
            assert!(matches!(tree.reassign_policy(caller, assignee, *near).await, Err(Error::Forbidden)));
            assert!(matches!(tree.unassign_policy(caller, assignee).await, Err(Error::Forbidden)));
        }
        assert!(matches!(tree.storage_policies(caller, None, 10).await, Err(Error::Forbidden)));
        assert!(matches!(tree.storage_policy(caller, *near).await, Err(Error::Forbidden)));
    }

    let world = desk.stage.world.clone();
    let other = EnterpriseId::new(world.next_id());
    let row = Enterprise { id: other, name: "Other".to_owned(), zone: ZoneId::new(1), created_at: world.now() };
    let eve = NewUser::new(&world, other, "eve@example.org", "Eve");
    let eve = desk.stage.database.transact("create others", move |tx| {
        enterprises::create_enterprise(tx, &row)?;
        users::create_user(tx, &eve)
    });
    let eve = Assignee::User(eve.await.expect("a user").id);
    for assignee in
        [Assignee::Enterprise(other), eve, Assignee::User(UserId::new(5)), Assignee::Enterprise(EnterpriseId::new(5))]
    {
        assert!(matches!(tree.resolve_policy(admin, assignee).await, Err(Error::NotFound)));
        assert!(matches!(tree.policy_assignment(admin, assignee).await, Err(Error::NotFound)));
        assert!(matches!(tree.assign_policy(admin, assignee, *near).await, Err(Error::NotFound)));
        assert!(matches!(tree.reassign_policy(admin, assignee, *near).await, Err(Error::NotFound)));
        assert!(matches!(tree.unassign_policy(admin, assignee).await, Err(Error::NotFound)));
    }
    assert!(office.jobs().await.is_empty());
    // Those with the default hear of another default.
    assert_eq!(tree.follow_default(None, 1).await.expect("queued"), Some(desk.stage.enterprise));
    assert_eq!(tree.follow_default(Some(desk.stage.enterprise), 10).await.expect("queued"), Some(other));
    assert_eq!(tree.follow_default(Some(other), 10).await.expect("queued"), None);
    assert_eq!(office.jobs().await, [office.acme(), Assignee::Enterprise(other)]);
}

#[tokio::test]
async fn whom_an_assignment_decides_on() {
    let office = Office::new().await;
    let Office { desk, admin, near, .. } = &office;
    let (anna, ben) = (desk.anna.user, desk.ben.user);
    let decided =
        async |assignee, after, limit| desk.tree.users_decided_by(assignee, after, limit).await.expect("users");
    assert_eq!(decided(office.acme(), None, 2).await, [anna, ben]);
    assert_eq!(decided(office.acme(), Some(ben), 2).await, [admin.user]);
    assert_eq!(decided(office.acme(), Some(admin.user), 2).await, []);
    assert_eq!(decided(office.anna(), None, 2).await, [anna]);
    assert_eq!(decided(office.anna(), Some(anna), 2).await, []);
    office.assign(office.anna(), *near).await;
    assert_eq!(decided(office.acme(), None, 10).await, [ben, admin.user]);
}

#[tokio::test]
async fn everything_that_a_user_owns_is_found_and_nothing_else() {
    let office = Office::new().await;
    let Office { desk, near, far, .. } = &office;
    let folder = desk.folder(desk.root, "folder").await;
    let mut expected = BTreeSet::new();
    let file = desk.file(folder, "with versions", b"one").await.item.id;
    expected.insert(office.content(file).await);
    desk.version(file, b"two").await;
    expected.insert(office.content(file).await);
    for (name, parent) in [("in the trash", desk.root), ("below what is in the trash", folder), ("plain", desk.root)] {
        let file = desk.file(parent, name, &pattern(300_000)).await.item.id;
        expected.insert(office.content(file).await);
        if name == "in the trash" {
            desk.trash(file, Kind::File).await;
        }
    }
    let copy = CopyTo { parent: desk.root, name: Some(crate::desk::name("copy")), version: None };
    desk.tree.copy(&desk.anna, folder, Kind::Folder, copy, RULE).await.expect("a copy");
    desk.trash(folder, Kind::Folder).await;
    let bens = desk.tree.root(&desk.ben).await.expect("a root");
    desk.tree.upload(&desk.ben, bens, new_file("ben's"), RULE, body(b"ben's")).await.expect("a file");
    assert!(office.elsewhere(desk.anna.user, 10).await.is_empty(), "all is where it belongs");

    office.assign(office.acme(), *near).await;
    for page in [1, 2, 3, 100] {
        let found = office.elsewhere(desk.anna.user, page).await;
        assert_eq!(found.len(), expected.len());
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    }
    assert_eq!(office.elsewhere(desk.ben.user, 10).await.len(), 1);
    // New content is where it belongs at once; older content is found under each policy that it is stored under.
    let new = desk.file(desk.root, "new", b"new").await.item.id;
    assert_eq!(office.elsewhere(desk.anna.user, 100).await.len(), expected.len());
    office.assign(office.anna(), *far).await;
    expected.insert(office.content(new).await);
    for page in [1, 2, 100] {
        assert_eq!(office.elsewhere(desk.anna.user, page).await.into_iter().collect::<BTreeSet<_>>(), expected);
    }
    let page = desk.tree.elsewhere(desk.anna.user, None, 1).await.expect("a page").expect("a user");
    assert_eq!((page.to.policy, page.to.zone), (*far, ZoneId::new(2)));
    assert_eq!(desk.tree.elsewhere(UserId::new(5), None, 1).await.expect("a page"), None);
    assert_eq!(desk.content(new).await, b"new");
    desk.check_books();
}

#[tokio::test]
async fn a_folder_is_walked_page_by_page() {
    let office = Office::new().await;
    let Office { desk, near, far, .. } = &office;
    desk.file(desk.root, "beside", b"beside").await;
    let top = desk.folder(desk.root, "top").await;
    let mut expected = BTreeSet::new();
    let mut folders = vec![top];
    for name in ["a", "b", "c"] {
        let folder = desk.folder(top, name).await;
        let deeper = desk.folder(folder, "deeper").await;
        desk.folder(folder, "empty").await;
        folders.extend([folder, deeper]);
    }
    for folder in &folders {
        for name in ["1", "2"] {
            let file = desk.file(*folder, name, name.as_bytes()).await.item.id;
            expected.insert(office.content(file).await);
            desk.version(file, b"newer").await;
            expected.insert(office.content(file).await);
        }
    }
    for page in [1, 2, 3, 7, 500] {
        let found = office.below(top, *near, page).await;
        assert_eq!(found.len(), expected.len());
        assert_eq!(found.iter().map(|stored| stored.content).collect::<BTreeSet<_>>(), expected);
        assert_eq!(found.iter().map(|stored| stored.size).sum::<u64>(), 14 * (1 + 5));
    }
    assert!(office.below(top, DEFAULT, 3).await.is_empty());

    // What is moved, renamed and removed under way does not lead astray.
    let first = desk.tree.contents_below(top, *far, None, 9).await.expect("a page").expect("a folder");
    let mut seen: BTreeSet<_> = first.contents.iter().map(|stored| stored.content).collect();
    desk.update(folders[1], Kind::Folder, crate::desk::renamed("z")).await.expect("renamed");
    desk.update(folders[4], Kind::Folder, moved(folders[6])).await.expect("moved");
    let mut after = first.next;
    while let Some(at) = after {
        let page = desk.tree.contents_below(top, *far, Some(at), 9).await.expect("a page").expect("a folder");
        assert_eq!((page.to.policy, page.to.zone), (*far, ZoneId::new(2)));
        seen.extend(page.contents.iter().map(|stored| stored.content));
        after = page.next;
    }
    assert_eq!(seen, expected);
    let file = desk.file(desk.root, "a file", b"x").await.item.id;
    for none in [file, ItemId::new(5)] {
        assert_eq!(desk.tree.contents_below(none, *near, None, 9).await.expect("a page"), None);
    }
    let unknown = desk.tree.contents_below(top, PolicyId::new(5), None, 9).await;
    assert!(matches!(unknown, Err(Error::NotFound)));
}

#[tokio::test]
async fn what_arrived_while_the_policy_changed_follows() {
    let office = Office::new().await;
    let Office { desk, near, .. } = &office;
    let whole = pattern(PART + 10);
    let session = begin(desk, "in parts", length(&whole)).await.session.id;
    send(desk, session, &whole, 0).await.expect("stored");
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let slow = stream::once(async move {
        receiver.await.expect("a sign");
        Ok(bytes::Bytes::from_static(b"slow"))
    });
    let uploading = desk.tree.upload(&desk.anna, desk.root, new_file("slow"), RULE, slow);
    let assigning = async {
        tokio::task::yield_now().await;
        office.assign(office.anna(), *near).await;
        assert_eq!(office.jobs().await, [office.anna()]);
        sender.send(()).expect("somebody waits");
    };
    // The upload is asked first, so that it has begun when the policy changes.
    let (uploaded, ()) = tokio::join!(biased; uploading, assigning);
    let slow = uploaded.expect("a file").item.id;
    assert_eq!(office.jobs().await, [office.anna()]);
    assert_eq!(office.elsewhere(desk.anna.user, 10).await, [office.content(slow).await]);

    send(desk, session, &whole, 1).await.expect("stored");
    assert!(office.jobs().await.is_empty());
    let file = commit(desk, session, &whole).await.expect("a file").item.id;
    assert_eq!(office.jobs().await, [office.anna()]);
    assert_eq!(office.elsewhere(desk.anna.user, 10).await.len(), 2);
    assert_eq!(desk.content(file).await, whole);

    // What begins now is in its place when it is there.
    desk.file(desk.root, "quick", b"quick").await;
    desk.version(slow, b"again").await;
    assert!(office.jobs().await.is_empty());
    assert_eq!(office.elsewhere(desk.anna.user, 10).await.len(), 2);
}

#[tokio::test]
async fn a_policy_that_cannot_be_met_refuses_uploads_and_keeps_what_is_there() {
    let office = Office::new().await;
    let Office { desk, near, .. } = &office;
    let file = desk.file(desk.root, "before", b"before").await.item.id;
    office.assign(office.anna(), *near).await;
    let mut topology = desk.stage.vault.topology().as_ref().clone();
    topology.policies.remove(near);
    desk.stage.vault.reconfigure(topology);
    assert!(matches!(desk.try_file(desk.root, "after", b"after").await, Err(Error::PolicyUnmet(_))));
    assert_eq!(desk.names(desk.root).await, ["before"]);
    assert_eq!(desk.content(file).await, b"before");
    desk.check_books();
}

#[tokio::test]
async fn nothing_goes_from_one_owner_to_another() {
    let office = Office::new().await;
    let Office { desk, .. } = &office;
    let file = desk.file(desk.root, "f", b"f").await.item.id;
    let folder = desk.folder(desk.root, "d").await;
    let bens = desk.tree.root(&desk.ben).await.expect("a root");
    for (item, kind) in [(file, Kind::File), (folder, Kind::Folder)] {
        let to = CopyTo { parent: bens, name: None, version: None };
        let copied = desk.tree.copy(&desk.anna, item, kind, to, RULE).await;
        assert!(matches!(copied, Err(Error::NotFound)));
        let outcome = desk.update(item, kind, moved(bens)).await;
        assert!(matches!(outcome, Err(Error::NotFound)));
    }
    let to = CopyTo { parent: bens, name: None, version: None };
    assert!(matches!(desk.tree.copy(&desk.ben, file, Kind::File, to, RULE).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn where_a_file_is() {
    let office = Office::new().await;
    let Office { desk, .. } = &office;
    let file = desk.file(desk.root, "f", &pattern(PART + 1)).await.item.id;
    let found = desk.tree.whereabouts(&desk.anna, file).await.expect("somewhere");
    assert_eq!((found.zone.as_str(), found.policy.as_str(), found.chunks), ("default", "default", 2));
    let copies: Vec<_> = found.copies.iter().map(|copy| (copy.backend.as_str(), copy.good, copy.wanting)).collect();
    assert_eq!(copies, [("local", 2, 0)]);
    assert!(matches!(desk.tree.whereabouts(&office.admin, file).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.whereabouts(&desk.anna, desk.root).await, Err(Error::NotFound)));
}
