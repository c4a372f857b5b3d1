//! A second factor begins, ends, and gets other recovery codes.

use crate::asked::{Asked, Outcome, SignedIn};
use crate::handlers::code::{Expected, code_field, in_words};
use crate::page::{Problem, hidden};
use entente_door_kit::page::{Page, with};
use entente_identity::{FactorError, Password, Secret, form_token};
use http::StatusCode;

const PATH: &str = "/oauth2/second-factor";
/// What codes are listed under in somebody's app.
const ISSUER: &str = "Entente";

pub(crate) async fn show(asked: Asked) -> Outcome {
    let signed_in = asked.signed_in_or_sent(PATH).await?;
    let page = asked.page(asked.messages().second_factor);
    form(&asked, page, &signed_in, None)
}

pub(crate) async fn change(mut asked: Asked) -> Outcome {
    let fields = asked.form().await?;
    let signed_in = asked.signed_in_or_sent(PATH).await?;
    asked.check_form(Some(&signed_in.cookie), &fields)?;
    let (messages, user) = (asked.messages(), signed_in.session.user);
    let value = |name: &str| fields.value(name).unwrap_or("");
    let (code, address) = (value("code"), asked.address());
    let done = match value("do") {
        "begin" => {
            let password = Password::new(value("password").to_owned());
            let enrolled = asked.factors().enrol(user, &password, (value("secret"), code), address).await;
            enrolled.map(|codes| recovery_codes(&asked, &codes))
        }
        "recovery" => {
            let renewed = asked.factors().renew_recovery_codes(user, code, address).await;
            renewed.map(|codes| recovery_codes(&asked, &codes))
        }
        "end" => {
            let ended = asked.factors().end(user, code, address).await;
            ended.map(|()| asked.page(messages.second_factor).said(messages.factor_ended))
        }
        _ => return Err(Problem::Body),
    };
    let error = match done {
        Ok(page) => {
            return Ok(page.raw(&format!("<p><a href=\"sessions\">{}</a></p>\n", messages.sessions)).finish());
        }
        Err(error) => error,
    };
    let wrong = if value("do") == "begin" { messages.factor_refused } else { messages.code_wrong };
    let (status, said) = match error {
        FactorError::Failed(error) => return Err(Problem::Failed(error)),
        FactorError::Refused(error) => in_words(&asked, &Problem::of_sign_in(error)?, wrong),
        FactorError::Required => (StatusCode::FORBIDDEN, messages.factor_not_ended.to_owned()),
        FactorError::There => (StatusCode::CONFLICT, messages.stale_form.to_owned()),
    };
    let page = asked.page(messages.second_factor).status(status).problem(&said);
    form(&asked, page, &signed_in, fields.value("secret"))
}

fn form(asked: &Asked, page: Page<'_>, signed_in: &SignedIn, secret: Option<&str>) -> Outcome {
    let messages = asked.messages();
    let state = asked.identity().second_factor(signed_in.session.user)?;
    let page = page.paragraph(&with(messages.signed_in_as, &[&signed_in.login]));
    let begin = ["<form method=\"post\" action=\"second-factor\">", &hidden("form", &form_token(&signed_in.cookie))];
    let begin = begin.concat();
    let Some(left) = state.recovery_codes else {
        let page = enrolment(asked, page, &signed_in.login, secret, &begin);
        let password = format!(
            "<label>{}<input type=\"password\" name=\"password\" autocomplete=\"current-password\" required></label>\n",
            messages.password
        );
        let page = page.raw(&password).raw(&code_field(asked, Expected::Timed));
        let button = "<button class=\"first\" name=\"do\" value=\"begin\">";
        return Ok(page.raw(button).raw(messages.factor_begin).raw("</button></form>\n").finish());
    };
    let page = page.paragraph(&with(messages.factor_there, &[&left.to_string()]));
    let page = page.paragraph(messages.code_text).raw(&begin).raw(&code_field(asked, Expected::Any));
    let page = page.raw("<button class=\"first\" name=\"do\" value=\"recovery\">").raw(messages.recovery_codes_new);
    let page = page.raw("</button>\n<button name=\"do\" value=\"end\">").raw(messages.factor_end);
    Ok(page.raw("</button></form>\n").finish())
}

/// The secret that somebody gives their device: the one that the form had when it was shown before, so that a mistyped
/// code does not mean another one. Ends within the form, which begins with `form`.
pub(crate) fn enrolment<'p>(asked: &Asked, page: Page<'p>, login: &str, secret: Option<&str>, form: &str) -> Page<'p> {
    let messages = asked.messages();
    let drawn = asked.factors().draw();
    // Shown again as it came only if it is one: then it is letters and digits.
    let is_one = |text: &&str| {
        text.len() == drawn.expose().len() && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
    };
    let secret = secret.filter(is_one).unwrap_or_else(|| drawn.expose());
    let name: String = form_urlencoded::byte_serialize(login.as_bytes()).collect();
    let uri = format!("otpauth://totp/{ISSUER}:{name}?secret={secret}&issuer={ISSUER}");
    page.paragraph(messages.factor_begin_text)
        .raw(&with("<p><code>{}</code></p>\n<p><a href=\"{}\">", &[&in_groups(secret), &uri]))
        .raw(messages.factor_link)
        .raw("</a></p>\n")
        .raw(form)
        .raw(&hidden("secret", secret))
}

/// Recovery codes, shown once.
pub(crate) fn recovery_codes<'p>(asked: &'p Asked, codes: &[Secret]) -> Page<'p> {
    let messages = asked.messages();
    let page = asked.page(messages.recovery_codes).paragraph(messages.recovery_codes_text).raw("<ul>\n");
    let page = codes.iter().fold(page, |page, code| page.raw(&with("<li><code>{}</code></li>\n", &[code.expose()])));
    page.raw("</ul>\n")
}

/// Letters in groups of four, as people read them.
fn in_groups(secret: &str) -> String {
    let mut shown = String::with_capacity(secret.len() * 5 / 4);
    for (index, letter) in secret.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            shown.push(' ');
        }
        shown.push(letter);
    }
    shown
}
