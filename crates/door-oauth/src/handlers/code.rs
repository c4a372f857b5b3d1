//! The second factor of somebody who has shown their password.

use crate::asked::{Asked, Outcome};
use crate::handlers::second_factor::{enrolment, recovery_codes};
use crate::handlers::sign_in::{app, begin_session, put_session};
use crate::page::{Cookie, Problem, elsewhere, hidden};
use entente_door_kit::page::with;
use entente_identity::{FactorError, SignInError, form_token};
use http::{HeaderValue, StatusCode, header};

pub(crate) async fn show(asked: Asked) -> Outcome {
    let place = Asked::place(asked.query().value("continue"));
    let Some(begun) = begun(&asked)? else { return Ok(elsewhere(&asked.sign_in_url(&place))) };
    question(&asked, &begun, &place, None, None)
}

pub(crate) async fn answer(mut asked: Asked) -> Outcome {
    let fields = asked.form().await?;
    let place = Asked::place(fields.value("continue"));
    let Some(begun) = begun(&asked)? else { return Ok(elsewhere(&asked.sign_in_url(&place))) };
    asked.check_form(Some(&begun.cookie), &fields)?;
    let code = fields.value("code").unwrap_or("");
    let secret = fields.value("secret");
    let proven = match secret {
        None => {
            asked.factors().prove_code(&begun.cookie, code, asked.address()).await.map(|proven| (proven, Vec::new()))
        }
        Some(secret) => match asked.factors().enrol_begun(&begun.cookie, secret, code).await {
            Ok(proven) => Ok(proven),
            Err(FactorError::Refused(error)) => Err(error),
            Err(FactorError::Failed(error)) => Err(SignInError::Failed(error)),
            // Somebody was quicker: then it is their code that is asked for.
            Err(FactorError::There | FactorError::Required) => return question(&asked, &begun, &place, None, None),
        },
    };
    let (proven, codes) = match proven {
        Ok(proven) => proven,
        Err(error) => return question(&asked, &begun, &place, Some(Problem::of_sign_in(error)?), secret),
    };
    let session = begin_session(&asked, &proven).await?;
    let mut response = if codes.is_empty() {
        elsewhere(&asked.url(&place))
    } else {
        let page = recovery_codes(&asked, &codes);
        let link = with("<p><a href=\"{}\">", &[&asked.url(&place)]);
        page.raw(&link).raw(asked.messages().go_on).raw("</a></p>\n").finish()
    };
    put_session(&asked, &session, &mut response);
    Ok(response)
}

/// Somebody who has shown their password in this browser.
struct Begun {
    cookie: String,
    has_factor: bool,
    login: String,
}

fn begun(asked: &Asked) -> Result<Option<Begun>, Problem> {
    let Some(cookie) = asked.cookie(Cookie::Begun) else { return Ok(None) };
    let Some(user) = asked.identity().begun_sign_in(&cookie)? else { return Ok(None) };
    let has_factor = asked.identity().second_factor(user)?.recovery_codes.is_some();
    Ok(Some(Begun { cookie, has_factor, login: asked.identity().login_of(user)? }))
}

fn question(asked: &Asked, begun: &Begun, place: &str, refused: Option<SignInError>, secret: Option<&str>) -> Outcome {
    let messages = asked.messages();
    let mut page = asked.page(messages.second_factor);
    let mut wait = None;
    if let Some(error) = refused {
        let (status, said) = in_words(asked, &error, messages.code_wrong);
        page = page.status(status).problem(&said);
        wait = match error {
            SignInError::Wait(seconds) => Some(seconds),
            _ => None,
        };
    }
    if let Some((_, origin)) = app(asked, place) {
        page = page.forms_may_lead_to(&origin);
    }
    let begin = "<form method=\"post\" action=\"code\">";
    let carried = [hidden("continue", place), hidden("form", &form_token(&begun.cookie))].concat();
    let page = if begun.has_factor {
        page.paragraph(messages.code_text).raw(begin).raw(&carried).raw(&code_field(asked, Expected::Any))
    } else {
        let page = page.paragraph(messages.factor_required);
        enrolment(asked, page, &begun.login, secret, &[begin, &carried].concat())
            .raw(&code_field(asked, Expected::Timed))
    };
    let mut response = page.raw(&format!("<button class=\"first\">{}</button></form>\n", messages.go_on)).finish();
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// Why nothing was done, and the status that says so to programs.
pub(crate) fn in_words(asked: &Asked, error: &SignInError, wrong: &str) -> (StatusCode, String) {
    let messages = asked.messages();
    match error {
        SignInError::Wait(seconds) => (StatusCode::TOO_MANY_REQUESTS, with(messages.wait, &[&seconds.to_string()])),
        SignInError::Busy => (StatusCode::SERVICE_UNAVAILABLE, messages.busy.to_owned()),
        SignInError::Wrong | SignInError::Failed(_) => (StatusCode::FORBIDDEN, wrong.to_owned()),
    }
}

/// What is typed into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The code of a device: digits.
    Timed,
    /// That, or a recovery code, which has letters.
    Any,
}

/// Where a code is typed.
pub(crate) fn code_field(asked: &Asked, expected: Expected) -> String {
    let mode = if expected == Expected::Timed { " inputmode=\"numeric\"" } else { "" };
    let label = asked.messages().code;
    format!(
        "<label>{label}<input type=\"text\" name=\"code\" autocomplete=\"one-time-code\" autocapitalize=\"characters\" \
         maxlength=\"64\"{mode} required autofocus></label>\n"
    )
}
