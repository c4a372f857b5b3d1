//! Tokens that become weaker ones.

use super::{Site, refused};
use crate::{AppChange, Grants, OAuthError, ResourceKind, TokenAnswer, TokenForm};
use entente_model::{Caller, ItemId, Scopes};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl Site {
    /// As Box's clients ask: without saying who they are.
    async fn weaken(&self, token: &str, more: &[(&str, &str)]) -> Result<TokenAnswer, OAuthError> {
        let mut pairs = vec![("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)];
        pairs.extend(more);
        self.identity.grant(&TokenForm::from_pairs(pairs), &[]).await
    }

    async fn own(&self) -> TokenAnswer {
        self.credentials("enterprise", &self.enterprise.to_string()).await.unwrap()
    }

    fn caller(&self, answer: &TokenAnswer) -> Option<Caller> {
        self.identity.authenticate(answer.access_token.expose()).ok()
    }
}

fn text(answer: &TokenAnswer) -> &str {
    answer.access_token.expose()
}

#[tokio::test]
async fn a_weaker_token_has_fewer_scopes_and_perhaps_one_item() {
    let site = Site::new().await;
    let own = site.own().await;
    let weak = site.weaken(text(&own), &[("scope", "item_rename item_preview")]).await.unwrap();
    let caller = site.caller(&weak).unwrap();
    assert_eq!((caller.user, caller.confined), (site.app.service_user, None));
    assert_eq!(caller.scopes, Scopes::READ.with(Scopes::CHANGE));
    let exchanged = weak.exchanged.as_ref().unwrap();
    assert_eq!((exchanged.scope.as_str(), exchanged.resource), ("item_rename item_preview", None));
    assert!(weak.refresh_token.is_none() && weak.expires_in_seconds <= 3_600);

    let resource = "https://api.box.com/2.0/files/123";
    let weaker = site.weaken(text(&weak), &[("scope", "item_rename"), ("resource", resource)]).await.unwrap();
    assert_eq!(site.caller(&weaker).unwrap().confined, Some(ItemId::new(123)));
    let resource = weaker.exchanged.as_ref().unwrap().resource.unwrap();
    assert_eq!((resource.kind, resource.item), (ResourceKind::File, ItemId::new(123)));
    // The root is an item, too.
    let root = [("resource", "https://api.box.com/2.0/folders/0")];
    let rooted = site.weaken(text(&own), &root).await.unwrap();
    let caller = site.caller(&rooted).unwrap();
    assert!(caller.confined.is_some() && !caller.scopes.contains(Scopes::ADMINISTER));
    let boss = [("scope", "manage_managed_users"), root[0]];
    assert_eq!(refused(site.weaken(text(&own), &boss).await).0, "invalid_scope");
}

#[tokio::test]
async fn it_never_becomes_stronger() {
    let site = Site::new().await;
    let own = site.own().await;
    let weak = [("scope", "item_read"), ("resource", "https://api.box.com/2.0/folders/5")];
    let weak = site.weaken(text(&own), &weak).await.unwrap();
    assert_eq!(refused(site.weaken(text(&weak), &[("scope", "item_delete")]).await).0, "invalid_scope");
    let other = [("scope", "item_read"), ("resource", "https://api.box.com/2.0/folders/6")];
    assert_eq!(refused(site.weaken(text(&weak), &other).await).0, "invalid_target");
    let same = site.weaken(text(&weak), &[]).await.unwrap();
    let caller = site.caller(&same).unwrap();
    assert_eq!((caller.confined, caller.scopes), (Some(ItemId::new(5)), Scopes::READ));
    // It is for nobody else's content.
    let anna = site.person("anna@example.org").await;
    assert_eq!(site.identity.on_behalf_of(&caller, anna).unwrap(), None);
    let reader = site.weaken(text(&own), &[("scope", "base_explorer")]).await.unwrap();
    assert_eq!(site.identity.on_behalf_of(&site.caller(&reader).unwrap(), anna).unwrap(), None);
}

#[tokio::test]
async fn it_dies_with_what_it_was_made_of() {
    let site = Site::new().await;
    let own = site.own().await;
    let mut chain = vec![site.weaken(text(&own), &[]).await.unwrap()];
    loop {
        match site.weaken(text(chain.last().unwrap()), &[]).await {
            Ok(next) => chain.push(next),
            Err(error) => break assert_eq!(error.kind.code(), "invalid_request"),
        }
    }
    assert!(chain.len() == 4 && chain.iter().all(|answer| site.caller(answer).is_some()));
    site.identity.revoke(text(&chain[1])).await.unwrap();
    assert!(site.caller(&chain[0]).is_some());
    assert!(chain[1..].iter().all(|answer| site.caller(answer).is_none()));
    assert_eq!(refused(site.weaken(text(&chain[2]), &[]).await).0, "invalid_grant");
    site.identity.revoke(text(&own)).await.unwrap();
    assert!(site.caller(&chain[0]).is_none());
}

#[tokio::test]
async fn what_is_not_served_is_refused() {
    let site = Site::new().await;
    let own = site.own().await;
    for (more, code) in [
        (vec![("box_shared_link", "https://cloud.box.com/s/1")], "invalid_request"),
        (vec![("actor_token", "x")], "invalid_request"),
        (vec![("requested_token_type", "urn:ietf:params:oauth:token-type:jwt")], "invalid_request"),
        (vec![("scope", "item_everything")], "invalid_scope"),
        (vec![("resource", "https://api.box.com/2.0/users/1")], "invalid_target"),
        (vec![("resource", "https://api.box.com/2.0/files/0")], "invalid_target"),
        (vec![("resource", "nonsense")], "invalid_target"),
        (vec![("client_id", "x")], "invalid_client"),
    ] {
        assert_eq!(refused(site.weaken(text(&own), &more).await).0, code, "{more:?}");
    }
    for subject in ["x", &"A".repeat(43)] {
        assert_eq!(refused(site.weaken(subject, &[]).await).0, "invalid_grant");
    }
    let grants = Some(Grants::CREDENTIALS);
    site.change_app(AppChange { grants, ..AppChange::default() }).await;
    assert_eq!(refused(site.weaken(text(&own), &[]).await).0, "unauthorized_client");
    let acts_as_users = Some(false);
    site.change_app(AppChange { acts_as_users, ..AppChange::default() }).await;
    let anna = site.person("anna@example.org").await;
    assert_eq!(site.identity.on_behalf_of(&site.caller(&own).unwrap(), anna).unwrap(), None);
    assert_eq!(refused(site.credentials("user", &anna.to_string()).await).0, "invalid_grant");
}
