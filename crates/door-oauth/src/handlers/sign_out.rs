//! A browser becomes nobody's.

use crate::asked::{Asked, Outcome};
use crate::page::{Cookie, elsewhere};
use entente_door_kit::page::with;
use entente_identity::form_token;

pub(crate) async fn show(asked: Asked) -> Outcome {
    let messages = asked.messages();
    let page = asked.page(messages.sign_out);
    Ok(match asked.signed_in().await? {
        None => page.said(messages.signed_out).finish(),
        Some(signed_in) => {
            let token = form_token(&signed_in.cookie);
            let button = crate::page::button("sign-out", &[("form", &token)], messages.sign_out);
            let page = page.paragraph(&with(messages.signed_in_as, &[&signed_in.login]));
            page.paragraph(messages.sign_out_question).raw(&button).finish()
        }
    })
}

pub(crate) async fn sign_out(mut asked: Asked) -> Outcome {
    let fields = asked.form().await?;
    if let Some(signed_in) = asked.signed_in().await? {
        asked.check_form(Some(&signed_in.cookie), &fields)?;
        asked.identity().end_web_session(&signed_in.cookie).await?;
    }
    // Who wants to be somebody else goes on as that.
    let path = match fields.value("continue") {
        Some(place) => asked.sign_in_url(&Asked::place(Some(place))),
        None => asked.url("/oauth2/sign-out"),
    };
    let mut response = elsewhere(&path);
    Cookie::Session.set(asked.base.scheme(), "", response.headers_mut());
    Ok(response)
}
