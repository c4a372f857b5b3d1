//! A browser becomes somebody's.

use crate::asked::{Asked, Outcome};
use crate::handlers::{passkeys, provider};
use crate::page::{Cookie, Problem, elsewhere, hidden};
use axum::response::Response;
use entente_door_kit::page::with;
use entente_identity::{AuthorizeForm, Error, Password, Proven, Secret, SignInError, form_token, is_form_token};
use http::{HeaderValue, StatusCode, header};

pub(crate) async fn show(asked: Asked) -> Outcome {
    let query = asked.query();
    let place = Asked::place(query.value("continue"));
    if asked.signed_in().await?.is_some() {
        return Ok(elsewhere(&asked.url(&place)));
    }
    form(&asked, &place, None)
}

pub(crate) async fn sign_in(mut asked: Asked) -> Outcome {
    let fields = asked.form().await?;
    let place = Asked::place(fields.value("continue"));
    asked.check_form(asked.cookie(Cookie::Form).as_deref(), &fields)?;
    let login = fields.value("login").unwrap_or("");
    let password = Password::new(fields.value("password").unwrap_or("").to_owned());
    let proven = match asked.identity().prove_password(login, &password, asked.address()).await {
        Ok(proven) => proven,
        Err(error) => {
            let error = Problem::of_sign_in(error)?;
            return form(&asked, &place, Some((&error, login)));
        }
    };
    go_on(&asked, &proven, &place).await
}

/// Lets somebody in who has shown a password, or for whom a provider vouches; or asks for a code first.
pub(crate) async fn go_on(asked: &Asked, proven: &Proven, place: &str) -> Outcome {
    let session = match begin_session(asked, proven).await {
        Ok(session) => session,
        Err(Error::SecondFactor) => {
            let begun = asked.identity().begin_sign_in(proven).await?;
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("continue", place);
            let mut response = elsewhere(&asked.url(&format!("/oauth2/code?{}", query.finish())));
            Cookie::Begun.set(asked.base.scheme(), begun.expose(), response.headers_mut());
            return Ok(response);
        }
        Err(error) => return Err(error.into()),
    };
    let mut response = elsewhere(&asked.url(place));
    put_session(asked, &session, &mut response);
    Ok(response)
}

/// A session for somebody who has shown enough. Whatever this browser had before ends here: nobody can have put a session of
/// theirs into it for us to fill.
pub(crate) async fn begin_session(asked: &Asked, proven: &Proven) -> Result<Secret, Error> {
    if let Some(before) = asked.cookie(Cookie::Session) {
        asked.identity().end_web_session(&before).await?;
    }
    asked.identity().begin_web_session(proven, asked.program(), asked.address()).await
}

/// Gives the browser its session, and takes what it needed to get there.
pub(crate) fn put_session(asked: &Asked, session: &Secret, response: &mut Response) {
    Cookie::Session.set(asked.base.scheme(), session.expose(), response.headers_mut());
    for done in [Cookie::Form, Cookie::Begun] {
        if asked.cookie(done).is_some() {
            done.set(asked.base.scheme(), "", response.headers_mut());
        }
    }
}

fn form(asked: &Asked, place: &str, refused: Option<(&SignInError, &str)>) -> Outcome {
    let messages = asked.messages();
    let cookie = asked.cookie(Cookie::Form).filter(|cookie| is_form_token(cookie, &form_token(cookie)));
    let fresh = asked.identity().form_cookie();
    let cookie = cookie.unwrap_or_else(|| fresh.expose().to_owned());
    let mut page = asked.page(messages.sign_in);
    let mut wait = None;
    let mut login = "";
    if let Some((error, typed)) = refused {
        login = typed;
        let (status, said) = match error {
            SignInError::Wait(seconds) => {
                wait = Some(*seconds);
                (StatusCode::TOO_MANY_REQUESTS, with(messages.wait, &[&seconds.to_string()]))
            }
            SignInError::Busy => (StatusCode::SERVICE_UNAVAILABLE, messages.busy.to_owned()),
            SignInError::Wrong | SignInError::Failed(_) => (StatusCode::FORBIDDEN, messages.wrong.to_owned()),
        };
        page = page.status(status).problem(&said);
    }
    if let Some((name, origin)) = app(asked, place) {
        page = page.paragraph(&with(messages.sign_in_for, &[&name])).forms_may_lead_to(&origin);
    }
    let (typed, secret, button) = (messages.login, messages.password, messages.sign_in);
    let page = page
        .raw("<form method=\"post\" action=\"sign-in\">")
        .raw(&hidden("continue", place))
        .raw(&hidden("form", &form_token(&cookie)))
        .raw(&with(
            &format!(
                "<label>{typed}<input type=\"text\" name=\"login\" value=\"{{}}\" autocomplete=\"username\" \
                 autocapitalize=\"none\" required autofocus></label>\n"
            ),
            &[login],
        ))
        .raw(&format!(
            "<label>{secret}<input type=\"password\" name=\"password\" autocomplete=\"current-password\" required></label>\n\
             <button class=\"first\">{button}</button></form>\n"
        ))
        .raw(&provider::links(asked, place, &cookie)?);
    let page = passkeys::offered(asked, page, place, &cookie)?;
    let mut response = page.finish();
    Cookie::Form.set(asked.base.scheme(), &cookie, response.headers_mut());
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// The name of the app that a browser will go on to, and where that is.
pub(crate) fn app(asked: &Asked, place: &str) -> Option<(String, String)> {
    let (_, query) = place.split_once("/oauth2/authorize?")?;
    let form = AuthorizeForm::from_pairs(form_urlencoded::parse(query.as_bytes()));
    let request = asked.identity().authorize(&form).ok()?;
    Some((request.app_name().to_owned(), request.back().origin()))
}
