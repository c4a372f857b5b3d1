//! Where a user has signed in, and which apps they let act for them.

use crate::asked::{Asked, Outcome, SignedIn};
use crate::handlers::authorize::in_words;
use crate::page::{button, elsewhere};
use entente_door_kit::page::with;
use entente_identity::form_token;
use entente_model::Timestamp;

const PATH: &str = "/oauth2/sessions";

pub(crate) async fn show(asked: Asked) -> Outcome {
    let signed_in = asked.signed_in_or_sent(PATH).await?;
    let messages = asked.messages();
    let token = form_token(&signed_in.cookie);
    let mut page = asked.page(messages.sessions);
    page = page.paragraph(&with(messages.signed_in_as, &[&signed_in.login])).paragraph(messages.sessions_text);
    page = page.raw("<ul>\n");
    for session in asked.identity().web_sessions(signed_in.session.user).await? {
        let program = if session.program.is_empty() { messages.unknown_browser } else { &session.program };
        let since = with(messages.since, &[&session.address, &moment(session.signed_in_at)]);
        let own = session.id == signed_in.session.id;
        let own = if own { format!(" <strong>({})</strong>", messages.this_browser) } else { String::new() };
        let end = button("sessions", &[("form", &token), ("end", &session.id.to_string())], messages.end);
        page = page.raw(&with("<li>{}", &[program])).raw(&format!("{own}<br><small>{since}</small>{end}</li>\n"));
    }
    page = page.raw("</ul>\n<h2>").raw(messages.apps).raw("</h2>\n");
    let consents = asked.identity().consents(signed_in.session.user).await?;
    page = page.paragraph(if consents.is_empty() { messages.no_apps } else { messages.apps_text }).raw("<ul>\n");
    for consent in consents {
        let withdraw =
            button("sessions", &[("form", &token), ("withdraw", &consent.app.to_string())], messages.withdraw);
        let words = in_words(messages, consent.scopes);
        page = page.raw(&with("<li>{}", &[&consent.name])).raw(&format!("<ul>{words}</ul>{withdraw}</li>\n"));
    }
    let links = format!(
        "</ul>\n<p><a href=\"password\">{}</a> · <a href=\"second-factor\">{}</a> · <a href=\"passkeys\">{}</a> · <a href=\"sign-out\">{}</a></p>\n",
        messages.change_password, messages.second_factor, messages.passkeys, messages.sign_out
    );
    Ok(page.raw(&links).finish())
}

pub(crate) async fn end(mut asked: Asked) -> Outcome {
    let fields = asked.form().await?;
    let SignedIn { session, cookie, .. } = asked.signed_in_or_sent(PATH).await?;
    asked.check_form(Some(&cookie), &fields)?;
    if let Some(id) = fields.value("end").and_then(|id| id.parse().ok()) {
        asked.identity().end_web_session_of(session.user, id).await?;
    }
    if let Some(app) = fields.value("withdraw").and_then(|app| app.parse().ok()) {
        asked.identity().withdraw(session.user, app).await?;
    }
    Ok(elsewhere(&asked.url(PATH)))
}

/// To the minute, in universal time.
pub(crate) fn moment(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.millis());
    moment.map_or_else(|_| String::new(), |moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
