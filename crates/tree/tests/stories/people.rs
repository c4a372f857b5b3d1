use crate::desk::Desk;
use entente_model::{Scopes, UserId, UserRole};
use entente_tree::{
    AvatarBefore, AvatarKind, Caller, Error, KindsWanted, NewPerson, Seat, TrackingCode, UserChange, UserKind,
    UserQuery, UserSettings, UserStatus, UsersFrom,
};

async fn boss(desk: &Desk, role: UserRole) -> Caller {
    let login = format!("{role:?}@example.com");
    desk.stage.caller(desk.stage.person(&login, "Boss", role).await, role)
}

fn person(login: &str, role: UserRole) -> NewPerson {
    NewPerson { login: login.to_owned(), name: "New".to_owned(), role, rest: UserChange::default() }
}

#[tokio::test]
async fn people_see_themselves_and_administrators_see_all() {
    let desk = Desk::new().await;
    let admin = boss(&desk, UserRole::Admin).await;
    assert_eq!(desk.tree.me(&desk.anna).await.expect("me").login, "anna@example.com");
    desk.tree.user(&desk.anna, desk.anna.user).await.expect("the same");
    assert!(matches!(desk.tree.user(&desk.anna, desk.ben.user).await, Err(Error::NotFound)));
    assert_eq!(desk.tree.user(&admin, desk.ben.user).await.expect("seen").name, "Ben");
    assert!(matches!(desk.tree.user(&admin, UserId::new(1)).await, Err(Error::NotFound)));
    let limited = Caller { scopes: Scopes::READ, ..admin.clone() };
    assert!(matches!(desk.tree.user(&limited, desk.ben.user).await, Err(Error::NotFound)));

    let all = UserQuery { limit: 10, ..UserQuery::default() };
    assert!(matches!(desk.tree.list_users(&desk.anna, all.clone()).await, Err(Error::Forbidden)));
    let page = desk.tree.list_users(&admin, all).await.expect("a page");
    assert_eq!((page.entries.len(), page.total_count), (3, Some(3)));
    let some = UserQuery { prefix: "BEN".to_owned(), limit: 10, ..UserQuery::default() };
    let page = desk.tree.list_users(&admin, some).await.expect("a page");
    assert_eq!((page.entries.len(), page.total_count), (1, Some(1)));
    let none = UserQuery { prefix: "%".to_owned(), limit: 10, ..UserQuery::default() };
    assert_eq!(desk.tree.list_users(&admin, none).await.expect("a page").total_count, Some(0));
}

#[tokio::test]
async fn who_may_make_and_change_whom() {
    let desk = Desk::new().await;
    let (admin, co_admin) = (boss(&desk, UserRole::Admin).await, boss(&desk, UserRole::CoAdmin).await);
    let new = desk.tree.create_user(&admin, person("New@Example.com", UserRole::User)).await.expect("made");
    assert!(desk.tree.user(&admin, new.id).await.is_ok());
    let again = desk.tree.create_user(&admin, person("new@example.COM", UserRole::User)).await;
    assert!(matches!(again, Err(Error::LoginInUse)));
    let above = desk.tree.create_user(&co_admin, person("a@example.com", UserRole::Admin)).await;
    assert!(matches!(above, Err(Error::Forbidden)));
    let user = desk.tree.create_user(&desk.anna, person("b@example.com", UserRole::User)).await;
    assert!(matches!(user, Err(Error::Forbidden)));
    let empty = desk.tree.create_user(&admin, person(" ", UserRole::User)).await;
    assert!(matches!(empty, Err(Error::Invalid(_))));

    let name = UserChange { name: Some("Anna B.".to_owned()), phone: Some("1".to_owned()), ..UserChange::default() };
    let changed = desk.tree.update_user(&desk.anna, desk.anna.user, name.clone()).await.expect("changed");
    assert_eq!((changed.name.as_str(), changed.phone.as_str()), ("Anna B.", "1"));
    assert!(matches!(desk.tree.update_user(&desk.ben, desk.anna.user, name).await, Err(Error::NotFound)));
    let raise = UserChange { role: Some(UserRole::Admin), ..UserChange::default() };
    for caller in [&desk.anna, &co_admin] {
        let outcome = desk.tree.update_user(caller, desk.anna.user, raise.clone()).await;
        assert!(matches!(outcome, Err(Error::Forbidden)));
    }
    let space = UserChange { space_limit: Some(Some(1 << 40)), ..UserChange::default() };
    assert!(matches!(desk.tree.update_user(&desk.anna, desk.anna.user, space).await, Err(Error::Forbidden)));
    let off = UserChange { status: Some(UserStatus::Inactive), ..UserChange::default() };
    assert!(matches!(desk.tree.update_user(&co_admin, admin.user, off.clone()).await, Err(Error::Forbidden)));
    desk.tree.update_user(&co_admin, desk.ben.user, off).await.expect("changed");
    let login = UserChange { login: Some("ANNA@example.com".to_owned()), ..UserChange::default() };
    assert!(matches!(desk.tree.update_user(&admin, desk.ben.user, login).await, Err(Error::LoginInUse)));
}

#[tokio::test]
async fn users_are_found_by_what_their_names_and_logins_begin_with() {
    let desk = Desk::new().await;
    let admin = boss(&desk, UserRole::Admin).await;
    for (login, name) in [("zoe@x.org", "Östen Zäh"), ("ost@x.org", "Rolf"), ("q%_!@x.org", "100% _!")] {
        let new = NewPerson { name: name.to_owned(), ..person(login, UserRole::User) };
        desk.tree.create_user(&admin, new).await.expect("made");
    }
    let found = async |text: &str| {
        let query = UserQuery { prefix: text.to_owned(), limit: 10, ..UserQuery::default() };
        let page = desk.tree.list_users(&admin, query).await.expect("a page");
        assert_eq!(page.total_count, Some(page.entries.len() as u64));
        page.entries.into_iter().map(|user| user.login).collect::<Vec<_>>()
    };
    assert_eq!(found("ÖS").await, ["zoe@x.org"]);
    assert_eq!(found("O\u{308}sten").await, ["zoe@x.org"], "in the other form");
    assert_eq!(found("O").await, ["ost@x.org"]);
    assert_eq!(found("r").await, ["ost@x.org"]);
    assert_eq!(found("100%").await, ["q%_!@x.org"]);
    assert_eq!(found("q%_").await, ["q%_!@x.org"]);
    assert_eq!(found("%").await, Vec::<String>::new());
    assert_eq!(found("\u{10ffff}").await, Vec::<String>::new());

    let all = UserQuery { from: UsersFrom::After(None), limit: 2, ..UserQuery::default() };
    let (mut query, mut seen) = (all, Vec::new());
    loop {
        let page = desk.tree.list_users(&admin, query.clone()).await.expect("a page");
        assert_eq!(page.total_count, None);
        seen.extend(page.entries.iter().map(|user| user.id));
        let Some(next) = page.next else { break };
        assert_eq!(page.entries.len(), 2);
        query.from = UsersFrom::After(Some(next));
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn odd_names_and_logins_are_refused() {
    let desk = Desk::new().await;
    let admin = boss(&desk, UserRole::Admin).await;
    for name in ["", " ", "a\r\nb", "a\0b", "a\u{202e}b", "a\u{2028}", &"x".repeat(257)] {
        let new = NewPerson { name: name.to_owned(), ..person("odd@x.org", UserRole::User) };
        assert!(matches!(desk.tree.create_user(&admin, new).await, Err(Error::Invalid(_))), "{name:?}");
        let change = UserChange { name: Some(name.to_owned()), ..UserChange::default() };
        let outcome = desk.tree.update_user(&desk.anna, desk.anna.user, change).await;
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{name:?}");
    }
    let code = |name: &str| TrackingCode { name: name.to_owned(), value: "1".to_owned() };
    for codes in [vec![code("a"), code("a")], vec![code("")], vec![code("a\tb")], vec![code("a"); 40]] {
        let change = UserChange { tracking_codes: Some(codes), ..UserChange::default() };
        let outcome = desk.tree.update_user(&admin, desk.anna.user, change).await;
        assert!(matches!(outcome, Err(Error::Invalid(_))));
    }
}

#[tokio::test]
async fn kinds_seats_and_settings() {
    let desk = Desk::new().await;
    let admin = boss(&desk, UserRole::Admin).await;
    let tree = &desk.tree;
    let app = NewPerson {
        rest: UserChange {
            kind: Some(UserKind::App),
            external_id: Some("their-7".to_owned()),
            set: UserSettings::CANNOT_SEE_USERS,
            ..UserChange::default()
        },
        ..person("", UserRole::User)
    };
    let made = tree.create_user(&admin, app.clone()).await.expect("made");
    assert!(made.login.starts_with("AppUser_"), "{}", made.login);
    assert!(made.settings.has(UserSettings::CANNOT_SEE_USERS));
    let other = tree.create_user(&admin, app).await.expect("made");
    let known = UserQuery { external_id: "their-7".to_owned(), limit: 10, ..UserQuery::default() };
    let page = tree.list_users(&admin, known).await.expect("a page");
    assert_eq!(page.entries.iter().map(|user| user.id).collect::<Vec<_>>(), [made.id, other.id]);
    let login = UserChange { login: Some("real@x.org".to_owned()), ..UserChange::default() };
    assert!(matches!(tree.update_user(&admin, made.id, login).await, Err(Error::Invalid(_))));

    let frontline = UserChange { seat: Some(Seat::Frontline), ..UserChange::default() };
    let changed = tree.update_user(&admin, desk.ben.user, frontline.clone()).await.expect("changed");
    assert_eq!((changed.seat, changed.space_limit), (Seat::Frontline, Some(2 << 30)));
    let more = UserChange { space_limit: Some(Some(5 << 30)), ..UserChange::default() };
    assert_eq!(tree.update_user(&admin, desk.ben.user, more).await.expect("changed").space_limit, Some(5 << 30));
    assert!(matches!(tree.update_user(&desk.anna, desk.anna.user, frontline).await, Err(Error::Forbidden)));

    let external = UserChange { kind: Some(UserKind::External), ..UserChange::default() };
    let guest = NewPerson { rest: external.clone(), ..person("guest@far.org", UserRole::User) };
    let guest = tree.create_user(&admin, guest).await.expect("made");
    assert_eq!(guest.space_limit, Some(0));
    let find = async |prefix: &str, kinds| {
        let query = UserQuery { prefix: prefix.to_owned(), kinds, limit: 10, ..UserQuery::default() };
        tree.list_users(&admin, query).await.expect("a page").entries.len()
    };
    assert_eq!(find("guest@far.org", KindsWanted::All).await, 1);
    assert_eq!(find("GUEST@far.org", KindsWanted::External).await, 1);
    assert_eq!(find("guest", KindsWanted::All).await, 0);
    assert_eq!(find("guest", KindsWanted::External).await, 0);
    assert_eq!(find("", KindsWanted::External).await, 0);
    assert_eq!(find("guest@far.org", KindsWanted::Managed).await, 0);
    let invite = tree.invite_user(&admin, admin.enterprise, "Guest@far.org".to_owned()).await.expect("invited");
    let again = tree.invite_user(&admin, admin.enterprise, "guest@far.org".to_owned()).await.expect("invited");
    assert_eq!(invite.invite.id, again.invite.id);
    let as_guest = desk.stage.caller(guest.id, UserRole::User);
    assert_eq!(tree.invite_by_id(&as_guest, invite.invite.id).await.expect("seen").user.login, "guest@far.org");
    assert!(matches!(tree.invite_by_id(&desk.anna, invite.invite.id).await, Err(Error::NotFound)));
    let managed = tree.invite_user(&admin, admin.enterprise, "anna@example.com".to_owned()).await;
    assert!(matches!(managed, Err(Error::NotFound)));
    let nobody = tree.invite_user(&desk.anna, admin.enterprise, "guest@far.org".to_owned()).await;
    assert!(matches!(nobody, Err(Error::Forbidden)));

    let rolled = tree.update_user(&admin, desk.ben.user, external.clone()).await.expect("rolled out");
    assert_eq!((rolled.kind, rolled.space_limit), (UserKind::External, Some(0)));
    assert!(matches!(tree.update_user(&admin, admin.user, external).await, Err(Error::Forbidden)), "oneself");
    let raise = UserChange { role: Some(UserRole::CoAdmin), ..UserChange::default() };
    assert!(matches!(tree.update_user(&admin, desk.ben.user, raise).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn what_a_state_leaves_of_a_credential() {
    let desk = Desk::new().await;
    let admin = boss(&desk, UserRole::Admin).await;
    let token = desk.stage.token(desk.anna.user, Scopes::ALL, std::time::Duration::from_secs(60)).await;
    for (status, scopes) in [
        (UserStatus::CannotDeleteEdit, Some("read download upload share administer")),
        (UserStatus::CannotDeleteEditUpload, Some("read download share administer")),
        (UserStatus::Inactive, None),
        (UserStatus::Active, Some("read download upload change delete share administer")),
    ] {
        let change = UserChange { status: Some(status), ..UserChange::default() };
        desk.tree.update_user(&admin, desk.anna.user, change).await.expect("changed");
        let caller = desk.stage.identity.authenticate(&token).ok();
        assert_eq!(caller.map(|caller| caller.scopes.to_string()).as_deref(), scopes, "{status:?}");
    }
}

#[tokio::test]
async fn an_alias_is_as_good_as_a_login_and_nobody_elses() {
    let desk = Desk::new().await;
    let admin = boss(&desk, UserRole::Admin).await;
    let (tree, anna) = (&desk.tree, desk.anna.user);
    let alias = tree.add_alias(&admin, anna, "Anne@example.com".to_owned()).await.expect("added");
    assert_eq!(tree.aliases(&desk.anna, anna).await.expect("seen"), std::slice::from_ref(&alias));
    assert!(matches!(tree.aliases(&desk.ben, anna).await, Err(Error::NotFound)));
    assert!(matches!(tree.add_alias(&desk.anna, anna, "a2@example.com".to_owned()).await, Err(Error::Forbidden)));
    for taken in ["anne@EXAMPLE.com", "ben@example.com"] {
        let outcome = tree.add_alias(&admin, desk.ben.user, taken.to_owned()).await;
        assert!(matches!(outcome, Err(Error::LoginInUse)), "{taken}");
    }
    let outcome = tree.create_user(&admin, person("anne@example.com", UserRole::User)).await;
    assert!(matches!(outcome, Err(Error::LoginInUse)));
    assert_eq!(desk.stage.identity.user_by_login("ANNE@example.com").expect("found").id, anna);
    assert!(matches!(tree.remove_alias(&admin, desk.ben.user, alias.id).await, Err(Error::NotFound)));
    // It becomes the login, and is no other address any more.
    let change = UserChange { login: Some("anne@example.com".to_owned()), ..UserChange::default() };
    tree.update_user(&admin, anna, change).await.expect("changed");
    assert!(tree.aliases(&admin, anna).await.expect("seen").is_empty());
    tree.create_user(&admin, person("anna@example.com", UserRole::User)).await.expect("the old login is free");
}

#[tokio::test]
async fn pictures_are_of_ones_own_or_an_administrators_to_set() {
    let desk = Desk::new().await;
    let admin = boss(&desk, UserRole::Admin).await;
    let (tree, anna) = (&desk.tree, desk.anna.user);
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x02\0\0\0\x02".as_slice(), b"rest"].concat();
    assert!(matches!(tree.avatar(&desk.anna, anna).await, Err(Error::NotFound)));
    assert_eq!(tree.set_avatar(&desk.anna, anna, png.clone()).await.expect("set"), AvatarBefore::None);
    assert_eq!(tree.set_avatar(&admin, anna, png.clone()).await.expect("set"), AvatarBefore::Replaced);
    let seen = tree.avatar(&desk.ben, anna).await.expect("colleagues see it");
    assert_eq!((seen.kind, seen.image.as_slice()), (AvatarKind::Png, png.as_slice()));
    assert!(matches!(tree.set_avatar(&desk.ben, anna, png.clone()).await, Err(Error::NotFound)));
    assert!(matches!(tree.set_avatar(&desk.ben, anna, b"nonsense".to_vec()).await, Err(Error::NotFound)));
    assert!(matches!(tree.set_avatar(&desk.anna, anna, b"nonsense".to_vec()).await, Err(Error::Invalid(_))));
    assert!(matches!(tree.remove_avatar(&desk.ben, anna).await, Err(Error::NotFound)));
    tree.remove_avatar(&desk.anna, anna).await.expect("removed");
    assert!(matches!(tree.remove_avatar(&desk.anna, anna).await, Err(Error::NotFound)));
}
