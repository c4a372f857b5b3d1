use crate::desk::Desk;
use entente_model::{Scopes, UserId, UserRole};
use entente_tree::{Caller, Error, NewPerson, UserChange, UserQuery, UserStatus};

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
    assert_eq!((page.entries.len(), page.total_count), (3, 3));
    let some = UserQuery { prefix: "BEN".to_owned(), limit: 10, ..UserQuery::default() };
    let page = desk.tree.list_users(&admin, some).await.expect("a page");
    assert_eq!((page.entries.len(), page.total_count), (1, 1));
    let none = UserQuery { prefix: "%".to_owned(), limit: 10, ..UserQuery::default() };
    assert_eq!(desk.tree.list_users(&admin, none).await.expect("a page").total_count, 0);
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
