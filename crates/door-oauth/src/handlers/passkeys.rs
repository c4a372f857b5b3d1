//! Passkeys: a user's are listed, added and removed; and somebody signs in with one.

use crate::asked::{Asked, Outcome, SignedIn};
use crate::handlers::sessions::moment;
use crate::handlers::sign_in;
use crate::page::{Cookie, Problem, button, hidden};
use axum::response::Response;
use entente_door_kit::page::{Escaped, Page, with};
use entente_identity::{Ceremony, PasskeyError, Password, Proven, SignInError, Site, form_token};
use http::{HeaderValue, StatusCode, header};

const PATH: &str = "/oauth2/passkeys";
const SCRIPT: &str = "passkey.js";
const SCRIPT_TEXT: &str = include_str!("../passkey.js");

pub(crate) async fn show(asked: Asked) -> Outcome {
    let signed_in = asked.signed_in_or_sent(PATH).await?;
    let page = asked.page(asked.messages().passkeys);
    list(&asked, page, &signed_in)
}

pub(crate) async fn change(mut asked: Asked) -> Outcome {
    let fields = asked.form().await?;
    let signed_in = asked.signed_in_or_sent(PATH).await?;
    asked.check_form(Some(&signed_in.cookie), &fields)?;
    let (messages, user) = (asked.messages(), signed_in.session.user);
    let page = asked.page(messages.passkeys);
    if let Some(id) = fields.value("remove").and_then(|id| id.parse().ok()) {
        asked.factors().remove_passkey(user, id).await?;
        return list(&asked, page, &signed_in);
    }
    let site = Site::at(asked.base.as_str()).ok_or(Problem::Body)?;
    let value = |name: &str| fields.value(name).unwrap_or("");
    let password = Password::new(value("password").to_owned());
    let answer = (value("challenge"), value("answer"));
    let added = asked.factors().add_passkey((&site, user), (&password, asked.address()), answer, value("name")).await;
    let page = match added {
        Ok(()) => page.said(messages.passkey_added),
        Err(PasskeyError::Failed(error)) => return Err(Problem::Failed(error)),
        Err(PasskeyError::Refused(error)) => {
            let (status, said) = match Problem::of_sign_in(error)? {
                SignInError::Wait(seconds) => {
                    (StatusCode::TOO_MANY_REQUESTS, with(messages.wait, &[&seconds.to_string()]))
                }
                SignInError::Busy => (StatusCode::SERVICE_UNAVAILABLE, messages.busy.to_owned()),
                SignInError::Wrong | SignInError::Failed(_) => {
                    (StatusCode::FORBIDDEN, messages.passkey_refused.to_owned())
                }
            };
            page.status(status).problem(&said)
        }
        Err(PasskeyError::Answer) => page.status(StatusCode::FORBIDDEN).problem(messages.passkey_refused),
        Err(PasskeyError::There) => page.status(StatusCode::CONFLICT).problem(messages.passkey_there),
        Err(PasskeyError::Many) => page.status(StatusCode::CONFLICT).problem(messages.passkey_many),
    };
    list(&asked, page, &signed_in)
}

/// Somebody signs in with a passkey, and is asked for nothing else.
pub(crate) async fn sign_in(mut asked: Asked) -> Outcome {
    let fields = asked.form().await?;
    let place = Asked::place(fields.value("continue"));
    asked.check_form(asked.cookie(Cookie::Form).as_deref(), &fields)?;
    let value = |name: &str| fields.value(name).unwrap_or("");
    let proven: Result<Proven, SignInError> = match Site::at(asked.base.as_str()) {
        Some(site) => asked.factors().prove_passkey(&site, value("challenge"), value("answer")).await,
        None => Err(SignInError::Wrong),
    };
    match proven {
        Ok(proven) => sign_in::go_on(&asked, &proven, &place).await,
        Err(error) => {
            Problem::of_sign_in(error)?;
            let page = asked.page(asked.messages().sign_in).status(StatusCode::FORBIDDEN);
            let page = page.problem(asked.messages().passkey_wrong);
            Ok(page
                .raw(&with("<p><a href=\"{}\">", &[&asked.sign_in_url(&place)]))
                .raw(asked.messages().sign_in_again)
                .raw("</a></p>\n")
                .finish())
        }
    }
}

/// What the pages need in a browser.
pub(crate) fn script() -> Response {
    let mut response = Response::new(SCRIPT_TEXT.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Adds the way in with a passkey to a page, where browsers have any. `cookie` is that of the page's forms.
pub(crate) fn offered<'p>(asked: &Asked, page: Page<'p>, place: &str, cookie: &str) -> Result<Page<'p>, Problem> {
    let Some(site) = Site::at(asked.base.as_str()) else { return Ok(page) };
    let ceremony = asked.factors().ask_for_passkey(&site)?;
    let messages = asked.messages();
    let page = page
        .script(SCRIPT)
        .raw(&begun("passkey-sign-in", &ceremony))
        .raw(&hidden("form", &form_token(cookie)))
        .raw(&hidden("continue", place));
    Ok(ended(page, messages.passkey_failed, ("", messages.passkey_sign_in), ""))
}

fn list(asked: &Asked, page: Page<'_>, signed_in: &SignedIn) -> Outcome {
    let messages = asked.messages();
    let (user, token) = (signed_in.session.user, form_token(&signed_in.cookie));
    let passkeys = asked.identity().passkeys(user)?;
    let mut page = page.paragraph(&with(messages.signed_in_as, &[&signed_in.login]));
    page = page.paragraph(messages.passkeys_text);
    page = if passkeys.is_empty() { page.paragraph(messages.no_passkeys) } else { page.raw("<ul>\n") };
    for passkey in &passkeys {
        let remove =
            button("passkeys", &[("form", &token), ("remove", &passkey.id.to_string())], messages.passkey_remove);
        let mut when = with(messages.passkey_since, &[&moment(passkey.created_at)]);
        if let Some(at) = passkey.used_at {
            when = [&when, ", ", &with(messages.passkey_used, &[&moment(at)])].concat();
        }
        let name = if passkey.name.is_empty() { messages.passkeys } else { &passkey.name };
        page = page.raw(&with("<li>{}", &[name])).raw(&format!("<br><small>{when}</small>{remove}</li>\n"));
    }
    if !passkeys.is_empty() {
        page = page.raw("</ul>\n");
    }
    let page = match Site::at(asked.base.as_str()) {
        None => page.paragraph(messages.passkey_unavailable),
        Some(site) => {
            let ceremony = asked.factors().offer_passkey(&site, user)?;
            let fields = format!(
                "<label>{}<input type=\"text\" name=\"name\" maxlength=\"60\" required></label>\n\
                 <label>{}<input type=\"password\" name=\"password\" autocomplete=\"current-password\" required></label>\n",
                messages.passkey_name, messages.password
            );
            let page = page.script(SCRIPT).raw(&format!("<noscript><p>{}</p></noscript>\n", messages.passkey_script));
            let page = page.raw(&begun("passkeys", &ceremony)).raw(&hidden("form", &token));
            ended(page, messages.passkey_failed, (" class=\"first\"", messages.passkey_add), &fields)
        }
    };
    Ok(page.raw(&format!("<p><a href=\"sessions\">{}</a></p>\n", messages.sessions)).finish())
}

/// The beginning of a form that is sent with a browser's answer; hidden until the script is there to get one.
fn begun(action: &str, ceremony: &Ceremony) -> String {
    let options = Escaped(&ceremony.options);
    let challenge = hidden("challenge", &ceremony.token);
    let answer = hidden("answer", "");
    format!("<form method=\"post\" action=\"{action}\" data-passkey=\"{options}\" hidden>{challenge}{answer}")
}

fn ended<'p>(page: Page<'p>, failed: &str, (class, button): (&str, &str), fields: &str) -> Page<'p> {
    let failed = format!("<p class=\"problem\" role=\"alert\" hidden>{failed}</p>\n");
    page.raw(&failed).raw(fields).raw(&format!("<button{class}>{button}</button></form>\n"))
}
