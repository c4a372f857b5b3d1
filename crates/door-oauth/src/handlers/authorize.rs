//! An app asks a user to let it act for them.

use crate::asked::{Asked, Outcome, SignedIn};
use crate::messages::Messages;
use crate::page::{self, Problem, elsewhere};
use axum::response::Response;
use entente_door_kit::page::with;
use entente_identity::{AuthorizeError, AuthorizeForm, AuthorizeRequest, Back, OAuthError, OAuthErrorKind, form_token};
use entente_model::Scopes;

pub(crate) async fn show(asked: Asked) -> Outcome {
    let form = AuthorizeForm::from_pairs(asked.query().pairs());
    let request = match check(&asked, &form)? {
        Ok(request) => request,
        Err(sent_back) => return Ok(sent_back),
    };
    let place = asked.parts.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    let signed_in = asked.signed_in_or_sent(&Asked::place(Some(place))).await?;
    if asked.identity().is_agreed(signed_in.session.user, &request)? {
        return agree(&asked, &signed_in, &request).await;
    }
    Ok(question(&asked, &signed_in, &form, &request))
}

pub(crate) async fn decide(mut asked: Asked) -> Outcome {
    let fields = asked.form().await?;
    let form = AuthorizeForm::from_pairs(fields.pairs());
    let signed_in = asked.signed_in().await?.ok_or(Problem::StaleForm)?;
    asked.check_form(Some(&signed_in.cookie), &fields)?;
    let request = match check(&asked, &form)? {
        Ok(request) => request,
        Err(sent_back) => return Ok(sent_back),
    };
    if fields.value("decision") == Some("allow") {
        return agree(&asked, &signed_in, &request).await;
    }
    let refusal = OAuthError::new(OAuthErrorKind::AccessDenied, "The user does not allow it");
    Ok(send_back(&asked, request.back(), &refusal))
}

fn check(asked: &Asked, form: &AuthorizeForm) -> Result<Result<AuthorizeRequest, Response>, Problem> {
    match asked.identity().authorize(form) {
        Ok(request) => Ok(Ok(request)),
        Err(AuthorizeError::Shown(error)) => Err(Problem::App(error)),
        Err(AuthorizeError::SentBack(back, error)) => Ok(Err(send_back(asked, &back, &error))),
    }
}

async fn agree(asked: &Asked, signed_in: &SignedIn, request: &AuthorizeRequest) -> Outcome {
    match asked.identity().agree(signed_in.session.user, request).await {
        Ok(code) => Ok(answer(asked, request.back(), &[("code", code.expose())])),
        Err(error) if error.kind == OAuthErrorKind::ServerError => Err(Problem::App(error)),
        Err(error) => Ok(send_back(asked, request.back(), &error)),
    }
}

fn send_back(asked: &Asked, back: &Back, error: &OAuthError) -> Response {
    answer(asked, back, &[("error", error.kind.code()), ("error_description", &error.description)])
}

/// The app's place, with an answer. `iss` says who answers, so that an app of several servers does not mix them up.
fn answer(asked: &Asked, back: &Back, pairs: &[(&str, &str)]) -> Response {
    let uri = back.redirect_uri();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    if let Some(state) = back.state() {
        query.append_pair("state", state);
    }
    query.append_pair("iss", asked.base.as_str());
    let joint = if uri.contains('?') { '&' } else { '?' };
    elsewhere(&format!("{uri}{joint}{}", query.finish()))
}

fn question(asked: &Asked, signed_in: &SignedIn, form: &AuthorizeForm, request: &AuthorizeRequest) -> Response {
    let messages = asked.messages();
    let token = form_token(&signed_in.cookie);
    let mut markup = String::from("<form method=\"post\" action=\"authorize\">");
    for (name, value) in form.pairs() {
        markup.push_str(&page::hidden(name, value));
    }
    markup.push_str(&page::hidden("form", &token));
    let (allow, deny) = (messages.allow, messages.deny);
    markup.push_str(&format!(
        "<button class=\"first\" name=\"decision\" value=\"allow\">{allow}</button>\n\
         <button name=\"decision\" value=\"deny\">{deny}</button></form>\n"
    ));
    let name = request.app_name();
    let title = messages.consent.replacen("{}", name, 1);
    let place = Asked::place(asked.parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str));
    let page = asked.page(&title);
    let page =
        page.paragraph(&with(messages.consent_text, &[name])).raw("<ul>\n").raw(&in_words(messages, request.scopes()));
    let page = page.raw("</ul>\n").paragraph(&with(messages.consent_place, &[&request.back().origin()])).raw(&markup);
    page.paragraph(&with(messages.signed_in_as, &[&signed_in.login]))
        .raw(&page::button("sign-out", &[("form", &token), ("continue", &place)], messages.other_user))
        .forms_may_lead_to(&request.back().origin())
        .finish()
}

/// Scopes, a line each.
pub(crate) fn in_words(messages: &Messages, scopes: Scopes) -> String {
    let words = [
        (Scopes::READ, messages.scope_read),
        (Scopes::DOWNLOAD, messages.scope_download),
        (Scopes::UPLOAD, messages.scope_upload),
        (Scopes::CHANGE, messages.scope_change),
        (Scopes::DELETE, messages.scope_delete),
        (Scopes::SHARE, messages.scope_share),
        (Scopes::ADMINISTER, messages.scope_administer),
    ];
    words.iter().filter(|(scope, _)| scopes.contains(*scope)).map(|(_, words)| format!("<li>{words}</li>\n")).collect()
}
