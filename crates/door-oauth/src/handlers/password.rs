//! Another password.

use crate::asked::{Asked, Outcome, SignedIn};
use crate::messages::Messages;
use crate::page::{Problem, hidden};
use axum::response::Response;
use entente_door_kit::page::with;
use entente_identity::{ChangePasswordError, Password, PasswordError, SignInError, form_token};
use http::StatusCode;

const PATH: &str = "/oauth2/password";

pub(crate) async fn show(asked: Asked) -> Outcome {
    let signed_in = asked.signed_in_or_sent(PATH).await?;
    Ok(form(&asked, &signed_in, None))
}

pub(crate) async fn change(mut asked: Asked) -> Outcome {
    let fields = asked.form().await?;
    let signed_in = asked.signed_in_or_sent(PATH).await?;
    asked.check_form(Some(&signed_in.cookie), &fields)?;
    let messages = asked.messages();
    let value = |name: &str| fields.value(name).unwrap_or("");
    if value("new") != value("again") {
        return Ok(form(&asked, &signed_in, Some(messages.not_the_same.to_owned())));
    }
    let (old, new) = (Password::new(value("old").to_owned()), Password::new(value("new").to_owned()));
    let session = (signed_in.session.user, signed_in.session.id);
    let changed = asked.identity().change_password(session, &old, &new, asked.address()).await;
    match changed {
        Ok(()) => {
            let page = asked.page(messages.change_password).said(messages.password_changed);
            Ok(page.raw(&format!("<p><a href=\"sessions\">{}</a></p>\n", messages.sessions)).finish())
        }
        Err(error) => {
            let said = in_words(messages, error)?;
            Ok(form(&asked, &signed_in, Some(said)))
        }
    }
}

fn in_words(messages: &Messages, error: ChangePasswordError) -> Result<String, Problem> {
    Ok(match error {
        ChangePasswordError::Failed(error) | ChangePasswordError::Old(SignInError::Failed(error)) => {
            return Err(Problem::Failed(error));
        }
        ChangePasswordError::Old(SignInError::Wrong) => messages.old_password_wrong.to_owned(),
        ChangePasswordError::Old(SignInError::Busy) => messages.busy.to_owned(),
        ChangePasswordError::Old(SignInError::Wait(seconds)) => with(messages.wait, &[&seconds.to_string()]),
        ChangePasswordError::New(error) => unfit(messages, error).to_owned(),
    })
}

/// Why a password is not fit.
pub(super) fn unfit(messages: &Messages, error: PasswordError) -> &'static str {
    match error {
        PasswordError::Length | PasswordError::Kind => messages.password_length,
        PasswordError::IsLogin => messages.password_is_login,
        PasswordError::Common => messages.password_common,
    }
}

fn form(asked: &Asked, signed_in: &SignedIn, problem: Option<String>) -> Response {
    let messages = asked.messages();
    let mut page = asked.page(messages.change_password);
    if let Some(problem) = problem {
        page = page.status(StatusCode::BAD_REQUEST).problem(&problem);
    }
    page = page
        .paragraph(&with(messages.signed_in_as, &[&signed_in.login]))
        .raw("<form method=\"post\" action=\"password\">")
        .raw(&hidden("form", &form_token(&signed_in.cookie)));
    for (name, label, kind) in [
        ("old", messages.old_password, "current-password"),
        ("new", messages.new_password, "new-password"),
        ("again", messages.new_password_again, "new-password"),
    ] {
        page = page.raw(&format!(
            "<label>{label}<input type=\"password\" name=\"{name}\" autocomplete=\"{kind}\" required></label>\n"
        ));
    }
    page.raw(&format!("<button class=\"first\">{}</button></form>\n", messages.change_password)).finish()
}
