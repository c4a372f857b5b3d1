//! A password for somebody who has none, by a link that they were given.

use crate::asked::{Asked, Outcome};
use crate::handlers::password;
use crate::page::{Cookie, Problem, elsewhere, hidden};
use axum::response::Response;
use entente_door_kit::page::with;
use entente_identity::{Password, PasswordLinkError, form_token, is_form_token};
use http::StatusCode;

pub(crate) async fn show(asked: Asked) -> Outcome {
    let query = asked.query();
    let secret = query.value("link").unwrap_or("");
    match asked.identity().password_link(secret) {
        Ok(login) => Ok(form(&asked, secret, &login, None)),
        Err(error) => refused(&asked, error),
    }
}

pub(crate) async fn set(mut asked: Asked) -> Outcome {
    let fields = asked.form().await?;
    asked.check_form(asked.cookie(Cookie::Form).as_deref(), &fields)?;
    let value = |name: &str| fields.value(name).unwrap_or("");
    let secret = value("link");
    let login = match asked.identity().password_link(secret) {
        Ok(login) => login,
        Err(error) => return refused(&asked, error),
    };
    if value("new") != value("again") {
        return Ok(form(&asked, secret, &login, Some(asked.messages().not_the_same)));
    }
    let password = Password::new(value("new").to_owned());
    match asked.identity().set_password_by_link(secret, &password).await {
        Ok(()) => Ok(elsewhere(&asked.sign_in_url("/"))),
        Err(PasswordLinkError::New(error)) => {
            Ok(form(&asked, secret, &login, Some(password::unfit(asked.messages(), error))))
        }
        Err(error) => refused(&asked, error),
    }
}

fn refused(asked: &Asked, error: PasswordLinkError) -> Outcome {
    match error {
        PasswordLinkError::Failed(error) => Err(Problem::Failed(error)),
        PasswordLinkError::Stale | PasswordLinkError::New(_) => {
            let messages = asked.messages();
            Ok(asked.page(messages.set_password).status(StatusCode::NOT_FOUND).problem(messages.link_stale).finish())
        }
    }
}

fn form(asked: &Asked, secret: &str, login: &str, problem: Option<&str>) -> Response {
    let messages = asked.messages();
    let cookie = asked.cookie(Cookie::Form).filter(|cookie| is_form_token(cookie, &form_token(cookie)));
    let fresh = asked.identity().form_cookie();
    let cookie = cookie.unwrap_or_else(|| fresh.expose().to_owned());
    let mut page = asked.page(messages.set_password);
    if let Some(problem) = problem {
        page = page.status(StatusCode::BAD_REQUEST).problem(problem);
    }
    page = page
        .paragraph(&with(messages.set_password_for, &[login]))
        .raw("<form method=\"post\" action=\"new-password\">")
        .raw(&hidden("form", &form_token(&cookie)))
        .raw(&hidden("link", secret))
        // Programs that keep passwords want to know whose it is.
        .raw(&with(
            &format!(
                "<label>{}<input type=\"text\" name=\"login\" value=\"{{}}\" autocomplete=\"username\" readonly></label>\n",
                messages.login
            ),
            &[login],
        ));
    for (name, label) in [("new", messages.new_password), ("again", messages.new_password_again)] {
        page = page.raw(&format!(
            "<label>{label}<input type=\"password\" name=\"{name}\" autocomplete=\"new-password\" required></label>\n"
        ));
    }
    let mut response =
        page.raw(&format!("<button class=\"first\">{}</button></form>\n", messages.set_password)).finish();
    Cookie::Form.set(asked.base.scheme(), &cookie, response.headers_mut());
    response
}
