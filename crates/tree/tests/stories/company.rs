//! What an enterprise says of everybody: with whom its users share, and terms of service.

use crate::desk::Desk;
use entente_model::{
    AllowedDomainId, Caller, CollaborationId, ExemptionId, ItemId, Role, TermsId, TermsStatusId, UserId, UserRole,
};
use entente_tree::{
    AllowedDirection, CollaborationChange, CollaborationStatus, Error, Invitee, NewCollaboration, TermsAnswer,
    TermsKind, TermsText,
};

struct Office {
    desk: Desk,
    admin: Caller,
    /// Somebody of another enterprise, and who administers it.
    zoe: Caller,
    zoes_admin: Caller,
}

impl Office {
    async fn new() -> Self {
        let desk = Desk::new().await;
        let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
        let admin = desk.stage.caller(admin, UserRole::Admin);
        let zoe = desk.stage.outsider("zoe@example.org", "Zoe").await;
        let zoe = desk.stage.caller(zoe, UserRole::User);
        let theirs = desk.tree.me(&zoe).await.expect("a user").enterprise;
        let zoe = Caller { enterprise: theirs, ..zoe };
        // Whatever else a user is, an administrator of zoe's enterprise is a caller with that role in it.
        let zoes_admin = Caller { role: UserRole::Admin, ..zoe.clone() };
        Self { desk, admin, zoe, zoes_admin }
    }

    async fn invite(&self, item: ItemId, login: &str) -> Result<CollaborationId, Error> {
        let (role, invitee) = (Role::Viewer, Invitee::Login(login.to_owned()));
        let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
        Ok(self.desk.tree.invite(&self.desk.anna, new).await?.collaboration.id)
    }

    async fn accept(&self, id: CollaborationId) -> Result<(), Error> {
        let change =
            CollaborationChange { status: Some(CollaborationStatus::Accepted), ..CollaborationChange::default() };
        self.desk.tree.change_collaboration(&self.zoe, id, change).await.map(drop)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "outcomes are handed over as they come")]
fn is_forbidden<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::Forbidden)), "{outcome:?}");
}

#[allow(clippy::needless_pass_by_value, reason = "outcomes are handed over as they come")]
fn is_absent<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
}

#[tokio::test]
async fn roles_go_out_as_the_list_says() {
    let office = Office::new().await;
    let (tree, desk, admin) = (&office.desk.tree, &office.desk, &office.admin);
    let folder = desk.folder(desk.root, "folder").await;
    let other = desk.folder(desk.root, "other").await;
    let before = office.invite(folder, "zoe@example.org").await.expect("there is no list");
    let (first, _) = tree.allow_domain(admin, "Example.NET", AllowedDirection::Inbound).await.expect("allowed");
    assert_eq!(first.domain, "example.net");
    is_forbidden(office.invite(other, "zoe@example.org").await);
    is_forbidden(office.invite(other, "nobody@sub.example.net").await);
    is_forbidden(office.accept(before).await);
    office.invite(other, "Nobody@EXAMPLE.net").await.expect("of that domain");
    // Colleagues are no matter of the list.
    office.invite(other, "ben@example.com").await.expect("a colleague");

    let (outbound, _) = tree.allow_domain(admin, "example.org", AllowedDirection::Outbound).await.expect("allowed");
    is_forbidden(office.invite(other, "zoe@example.org").await);
    tree.disallow_domain(admin, outbound.id).await.expect("taken off");
    let (both, _) = tree.allow_domain(admin, "example.org", AllowedDirection::Both).await.expect("allowed");
    let id = office.invite(other, "zoe@example.org").await.expect("of that domain");
    office.accept(id).await.expect("accepted");
    tree.disallow_domain(admin, both.id).await.expect("taken off");
    is_forbidden(office.accept(before).await);
    // One who shares is exempt.
    let (exempt, _) = tree.exempt_user(admin, desk.anna.user).await.expect("exempt");
    office.accept(before).await.expect("accepted");
    tree.end_exemption(admin, exempt.exemption.id).await.expect("ended");
    assert!(desk.tree.item(&office.zoe, folder, entente_tree::Kind::Folder).await.is_ok(), "what is given stays");
}

#[tokio::test]
async fn roles_are_taken_as_the_other_list_says() {
    let office = Office::new().await;
    let (tree, desk) = (&office.desk.tree, &office.desk);
    let folder = desk.folder(desk.root, "folder").await;
    let id = office.invite(folder, "zoe@example.org").await.expect("there is no list");
    let of_zoe = &office.zoes_admin;
    tree.allow_domain(of_zoe, "example.net", AllowedDirection::Both).await.expect("allowed");
    is_forbidden(office.accept(id).await);
    let other = desk.folder(desk.root, "other").await;
    is_forbidden(office.invite(other, "zoe@example.org").await);
    let (inbound, _) = tree.allow_domain(of_zoe, "example.com", AllowedDirection::Inbound).await.expect("allowed");
    is_forbidden(office.accept(id).await);
    tree.disallow_domain(of_zoe, inbound.id).await.expect("taken off");
    tree.exempt_user(of_zoe, office.zoe.user).await.expect("exempt");
    office.accept(id).await.expect("accepted");
    office.invite(other, "zoe@example.org").await.expect("invited");
}

#[tokio::test]
async fn the_list_is_its_administrators() {
    let office = Office::new().await;
    let (tree, admin) = (&office.desk.tree, &office.admin);
    let anna = &office.desk.anna;
    let (entry, name) = tree.allow_domain(admin, "example.org", AllowedDirection::Both).await.expect("allowed");
    let (exempt, _) = tree.exempt_user(admin, anna.user).await.expect("exempt");
    assert!(!name.is_empty());
    is_forbidden(tree.allow_domain(anna, "example.net", AllowedDirection::Both).await);
    is_forbidden(tree.allowed_domain(anna, entry.id).await);
    is_forbidden(tree.allowed_domains(anna, None, 10).await);
    is_forbidden(tree.disallow_domain(anna, entry.id).await);
    is_forbidden(tree.exempt_user(anna, anna.user).await);
    is_forbidden(tree.exemption(anna, exempt.exemption.id).await);
    is_forbidden(tree.exemptions(anna, None, 10).await);
    is_forbidden(tree.end_exemption(anna, exempt.exemption.id).await);
    let of_zoe = &office.zoes_admin;
    is_absent(tree.allowed_domain(of_zoe, entry.id).await);
    is_absent(tree.disallow_domain(of_zoe, entry.id).await);
    is_absent(tree.exempt_user(of_zoe, anna.user).await);
    is_absent(tree.exemption(of_zoe, exempt.exemption.id).await);
    is_absent(tree.end_exemption(of_zoe, exempt.exemption.id).await);
    is_absent(tree.allowed_domain(admin, AllowedDomainId::new(7)).await);
    is_absent(tree.exemption(admin, ExemptionId::new(7)).await);
    assert!(tree.allowed_domains(of_zoe, None, 10).await.expect("a page").entries.is_empty());

    for bad in
        ["", "example..org", "exa mple.org", "@example.org", "a/b", &"x".repeat(64), &["abcdefghi"; 26].join(".")]
    {
        let outcome = tree.allow_domain(admin, bad, AllowedDirection::Both).await;
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{bad:?}: {outcome:?}");
    }
    let outcome = tree.allow_domain(admin, "EXAMPLE.org", AllowedDirection::Inbound).await;
    assert!(matches!(outcome, Err(Error::AlreadyExists(_))), "{outcome:?}");
    let outcome = tree.exempt_user(admin, anna.user).await;
    assert!(matches!(outcome, Err(Error::AlreadyExists(_))), "{outcome:?}");

    let more = ["a.example", "b.example", "c.example"];
    for domain in more {
        tree.allow_domain(admin, domain, AllowedDirection::Both).await.expect("allowed");
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = tree.allowed_domains(admin, after, 3).await.expect("a page");
        found.extend(page.entries.into_iter().map(|one| one.domain));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, ["example.org", "a.example", "b.example", "c.example"]);
    let page = tree.exemptions(admin, None, 1).await.expect("a page");
    assert_eq!((page.entries.len(), page.next), (1, None));
}

fn text(enabled: bool, text: &str) -> TermsText {
    TermsText { enabled, text: text.to_owned() }
}

#[tokio::test]
async fn terms_stand_before_roles_of_people_from_outside() {
    let office = Office::new().await;
    let (tree, desk, admin) = (&office.desk.tree, &office.desk, &office.admin);
    let folder = desk.folder(desk.root, "folder").await;
    let made = tree.create_terms(admin, TermsKind::External, text(false, "")).await.expect("made").terms;
    let managed = tree.create_terms(admin, TermsKind::Managed, text(true, "ours")).await.expect("made").terms;
    is_absent(tree.terms_by_id(&office.zoe, made.id).await);
    let id = office.invite(folder, "zoe@example.org").await.expect("invited");
    tree.change_terms(admin, made.id, text(true, "be good")).await.expect("enabled");
    let outcome = office.accept(id).await;
    assert!(matches!(outcome, Err(Error::TermsRequired)), "{outcome:?}");
    let view = tree.collaboration(&office.zoe, id).await.expect("seen");
    assert_eq!(view.terms, Some((made.id, false)));
    // Who is invited reads those for them, and no others.
    assert_eq!(tree.terms_by_id(&office.zoe, made.id).await.expect("seen").terms.text, "be good");
    is_absent(tree.terms_by_id(&office.zoe, managed.id).await);

    let zoe = office.zoe.user;
    let no = tree.answer_terms(&office.zoe, made.id, zoe, TermsAnswer::Declined).await.expect("said").status;
    let outcome = office.accept(id).await;
    assert!(matches!(outcome, Err(Error::TermsRequired)), "{outcome:?}");
    let outcome = tree.answer_terms(&office.zoe, made.id, zoe, TermsAnswer::Accepted).await;
    assert!(matches!(outcome, Err(Error::AlreadyExists(_))), "{outcome:?}");
    tree.change_terms_answer(&office.zoe, no.id, TermsAnswer::Accepted).await.expect("said");
    assert_eq!(tree.collaboration(&office.zoe, id).await.expect("seen").terms, Some((made.id, true)));
    office.accept(id).await.expect("accepted");
    assert_eq!(tree.collaboration(&office.zoe, id).await.expect("seen").terms, None);
    // A colleague's role needs none.
    office.invite(folder, "ben@example.com").await.expect("a colleague");
    assert!(desk.tree.item(&desk.ben, folder, entente_tree::Kind::Folder).await.is_ok());
}

#[tokio::test]
async fn terms_are_their_enterprises() {
    let office = Office::new().await;
    let (tree, desk, admin) = (&office.desk.tree, &office.desk, &office.admin);
    let terms = tree.create_terms(admin, TermsKind::Managed, text(true, "ours")).await.expect("made").terms;
    let outcome = tree.create_terms(admin, TermsKind::Managed, text(true, "again")).await;
    assert!(matches!(outcome, Err(Error::AlreadyExists(_))), "{outcome:?}");
    for bad in [text(true, " "), text(false, &"x".repeat(100_001))] {
        let outcome = tree.change_terms(admin, terms.id, bad).await;
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    }
    let (anna, ben) = (desk.anna.user, desk.ben.user);
    is_forbidden(tree.create_terms(&desk.anna, TermsKind::External, text(true, "x")).await);
    is_forbidden(tree.change_terms(&desk.anna, terms.id, text(true, "x")).await);
    is_absent(tree.change_terms(&office.zoes_admin, terms.id, text(true, "x")).await);
    is_absent(tree.terms_by_id(&office.zoes_admin, terms.id).await);
    is_absent(tree.answer_terms(&office.zoe, terms.id, office.zoe.user, TermsAnswer::Accepted).await);
    is_absent(tree.terms_by_id(admin, TermsId::new(7)).await);

    // Everybody answers for themselves, and administrators for their users.
    let said = tree.answer_terms(&desk.anna, terms.id, anna, TermsAnswer::Accepted).await.expect("said").status;
    is_forbidden(tree.answer_terms(&desk.anna, terms.id, ben, TermsAnswer::Accepted).await);
    is_absent(tree.answer_terms(admin, terms.id, office.zoe.user, TermsAnswer::Accepted).await);
    is_absent(tree.change_terms_answer(&desk.ben, said.id, TermsAnswer::Declined).await);
    is_absent(tree.change_terms_answer(admin, TermsStatusId::new(7), TermsAnswer::Declined).await);
    tree.answer_terms(admin, terms.id, ben, TermsAnswer::Accepted).await.expect("said");
    let users = |found: Vec<entente_tree::TermsStatusView>| -> Vec<UserId> {
        found.into_iter().map(|one| one.status.user).collect()
    };
    assert_eq!(users(tree.terms_statuses(admin, terms.id, None).await.expect("seen")), [anna, ben]);
    assert_eq!(users(tree.terms_statuses(&desk.anna, terms.id, None).await.expect("seen")), [anna]);
    assert_eq!(users(tree.terms_statuses(admin, terms.id, Some(ben)).await.expect("seen")), [ben]);
    is_forbidden(tree.terms_statuses(&desk.anna, terms.id, Some(ben)).await);
    is_absent(tree.terms_statuses(&office.zoe, terms.id, None).await);
    assert_eq!(tree.terms(&desk.anna).await.expect("seen").len(), 1);
    assert!(tree.terms(&office.zoe).await.expect("seen").is_empty());
}
