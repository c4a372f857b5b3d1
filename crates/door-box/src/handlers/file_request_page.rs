//! The page of a file request: a form for whoever has its URL, and what they send with it.
//!
//! It needs no script and sets no cookie. Files are stored as they come, one after the other, each wholly or not at all; the
//! page says which have arrived. Whoever sends learns nothing of the folder: not its name, not what is in it, and not
//! under which name a file was stored.

mod words;

use super::form::Form;
use crate::asked::{Asked, Outcome};
use crate::wire::name;
use axum::response::Response;
use entente_door_kit::BodyError;
use entente_door_kit::language::Language;
use entente_door_kit::page::{self, Escaped, Page, with};
use entente_model::ItemName;
use entente_tree::limits::{DESCRIPTION_CHARS_MAX, SENDER_BYTES_MAX};
use entente_tree::{BoxError, Error as TreeError, OpenFileRequest, Submission};
use http::{HeaderValue, StatusCode, header};
use std::fmt::Write;
use std::time::Duration;
use words::{Words, words};

/// Files that are taken in one go.
const FILES_MAX: usize = 100;
/// Bytes that are read over when a file is refused, so that the browser comes to read why.
const READ_OVER_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(crate) async fn show(asked: Asked) -> Outcome {
    let (language, words) = languages(&asked);
    match asked.tree().open_file_request(asked.parameter("token")).await {
        Ok(request) => Ok(form(language, words, &request, &Report::default())),
        Err(error) => refused(&asked, &error),
    }
}

pub(crate) async fn style(_: Asked) -> Outcome {
    Ok(page::style())
}

pub(crate) async fn submit(mut asked: Asked) -> Outcome {
    let (language, words) = languages(&asked);
    let token = asked.parameter("token").to_owned();
    let request = match asked.tree().open_file_request(&token).await {
        Ok(request) => request,
        Err(error) => return refused(&asked, &error),
    };
    let (address, now) = (asked.arrival.peer.ip(), asked.door.auth().instant());
    if let Err(wait) = asked.door.submissions().take(&token, address, now) {
        return Ok(too_often(language, words, wait));
    }
    let mut report = Report::default();
    match Form::open(&mut asked) {
        Ok(mut form) => receive(&asked, &token, &request, &mut form, &mut report).await,
        Err(_) => report.fails(StatusCode::BAD_REQUEST, words.unreadable),
    }
    Ok(form(language, words, &request, &report))
}

/// What came of a form.
#[derive(Default)]
struct Report {
    /// The files that were stored, as whoever sent them calls them.
    arrived: Vec<String>,
    /// What did not work, in a text that may stand in a page.
    problem: Option<(StatusCode, String)>,
    sender: String,
    description: String,
}

impl Report {
    fn fails(&mut self, status: StatusCode, text: &str) {
        self.problem = Some((status, text.to_owned()));
    }
}

/// Reads a form, and stores what comes with it.
async fn receive(asked: &Asked, token: &str, request: &OpenFileRequest, form: &mut Form, report: &mut Report) {
    let (_, words) = languages(asked);
    let field_bytes_max = asked.door.options().limits.form_field_bytes;
    loop {
        let part = match form.next_part().await {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(error) => return unreadable(words, report, &error),
        };
        match part.name.as_deref() {
            Some(field @ ("email" | "description")) => match form.text(field_bytes_max).await {
                Ok(text) if field == "email" => text.trim().clone_into(&mut report.sender),
                Ok(text) => text.trim().clone_into(&mut report.description),
                Err(error) => return unreadable(words, report, &error),
            },
            // A browser sends a part without a name when nothing was chosen.
            Some("file") if part.file_name.as_deref().is_some_and(|name| !name.is_empty()) => {
                if let Some((status, problem)) = missing(words, request, report) {
                    report.fails(status, problem);
                } else if report.arrived.len() >= FILES_MAX {
                    report.fails(StatusCode::BAD_REQUEST, words.too_many);
                } else {
                    // What a browser writes for a quotation mark (HTML, 4.10.21.8).
                    let called = part.file_name.unwrap_or_default().replace("%22", "\"");
                    store(asked, token, (called, form), report).await;
                }
                if report.problem.is_some() {
                    form.read_over(READ_OVER_BYTES_MAX).await;
                    return;
                }
            }
            _ => {}
        }
    }
    if report.arrived.is_empty() {
        let (status, problem) =
            missing(words, request, report).unwrap_or((StatusCode::BAD_REQUEST, words.nothing_chosen));
        report.fails(status, problem);
    }
}

async fn store(asked: &Asked, token: &str, (called, form): (String, &mut Form), report: &mut Report) {
    let (_, words) = languages(asked);
    let Ok(name) = tidied(&called) else { return report.fails(StatusCode::BAD_REQUEST, words.unreadable) };
    let sent = Submission {
        name,
        sender: report.sender.clone(),
        description: report.description.clone(),
        size_max: asked.door.options().file_bytes_max,
    };
    match asked.tree().submit_file(token, sent, form.this_part()).await {
        Ok(_) => report.arrived.push(called),
        Err(error) => {
            let (status, why) = in_words(asked, &error);
            let text = [&with(words.did_not_arrive, &[&called]), " ", why].concat();
            report.problem = Some((status, text));
        }
    }
}

/// What has to be said before a file is taken, and was not.
fn missing(words: &Words, request: &OpenFileRequest, report: &Report) -> Option<(StatusCode, &'static str)> {
    let is_address = |text: &str| {
        text.len() <= SENDER_BYTES_MAX
            && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace())
            && text.split_once('@').is_some_and(|(mailbox, host)| !mailbox.is_empty() && !host.is_empty())
    };
    let problem = if request.wants_email && !is_address(&report.sender) || report.sender.len() > SENDER_BYTES_MAX {
        words.email_missing
    } else if request.wants_description && report.description.is_empty() {
        words.description_missing
    } else if report.description.chars().count() > DESCRIPTION_CHARS_MAX {
        words.description_long
    } else {
        return None;
    };
    Some((StatusCode::BAD_REQUEST, problem))
}

fn unreadable(words: &Words, report: &mut Report, error: &BoxError) {
    let is_slow = error.downcast_ref::<BodyError>().is_some_and(|error| *error == BodyError::Stalled);
    let status = if is_slow { StatusCode::REQUEST_TIMEOUT } else { StatusCode::BAD_REQUEST };
    report.fails(status, words.unreadable);
}

/// A name that a file may have, as near as may be to what somebody calls it.
fn tidied(called: &str) -> Result<ItemName, name::NameError> {
    let last = called.rsplit(['/', '\\']).next().unwrap_or(called);
    let mut plain: String = last.chars().map(|letter| if letter.is_control() { '_' } else { letter }).collect();
    while plain.len() > name::NAME_LENGTH_MAX {
        plain.pop();
    }
    let plain = plain.trim().trim_end_matches('.');
    name::parse(plain).or_else(|_| name::parse("file"))
}

fn languages(asked: &Asked) -> (Language, &'static Words) {
    let language = Language::of(asked.headers());
    (language, words(language))
}

/// Why a file was not stored.
fn in_words(asked: &Asked, error: &TreeError) -> (StatusCode, &'static str) {
    let (_, words) = languages(asked);
    match error {
        TreeError::NotFound => (StatusCode::NOT_FOUND, words.closed_text),
        TreeError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, words.too_large),
        TreeError::QuotaExceeded | TreeError::Full { .. } => (StatusCode::INSUFFICIENT_STORAGE, words.no_room),
        TreeError::Invalid(_) => (StatusCode::BAD_REQUEST, words.unreadable),
        TreeError::BodyFailed(_) => (StatusCode::BAD_REQUEST, words.unreadable),
        error => {
            tracing::error!(request.id = %asked.arrival.request_id, %error, "a file that was sent could not be stored");
            (StatusCode::SERVICE_UNAVAILABLE, words.not_now)
        }
    }
}

/// The answer when there is no form to show.
fn refused(asked: &Asked, error: &TreeError) -> Outcome {
    let (language, words) = languages(asked);
    match error {
        TreeError::NotFound => {
            let page = Page::new(language, words.closed).status(StatusCode::NOT_FOUND);
            Ok(page.paragraph(words.closed_text).finish())
        }
        error => {
            let (status, text) = in_words(asked, error);
            Ok(Page::new(language, words.unavailable).status(status).problem(text).finish())
        }
    }
}

fn too_often(language: Language, words: &Words, wait: Duration) -> Response {
    let page = Page::new(language, words.unavailable).status(StatusCode::TOO_MANY_REQUESTS);
    let mut response = page.problem(words.too_often).finish();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    response
}

fn form(language: Language, words: &Words, request: &OpenFileRequest, report: &Report) -> Response {
    let mut page = Page::new(language, &request.title);
    if !report.arrived.is_empty() {
        page = page.said(words.arrived).raw(&list(&report.arrived));
    }
    if let Some((status, problem)) = &report.problem {
        page = page.status(*status).problem(problem);
    }
    if report.arrived.is_empty() && !request.description.is_empty() {
        page = page.raw(&format!("<p class=\"text\">{}</p>\n", Lines(&request.description)));
    }
    let mut fields = String::from("<form method=\"post\" enctype=\"multipart/form-data\">\n");
    if request.wants_email {
        let value = Escaped(&report.sender);
        let _ = writeln!(
            fields,
            "<label>{}<input type=\"email\" name=\"email\" autocomplete=\"email\" maxlength=\"{SENDER_BYTES_MAX}\" \
             value=\"{value}\" required></label>",
            words.email
        );
    }
    if request.wants_description {
        let value = Escaped(&report.description);
        let _ = writeln!(
            fields,
            "<label>{}<input type=\"text\" name=\"description\" maxlength=\"{DESCRIPTION_CHARS_MAX}\" value=\"{value}\" \
             required></label>",
            words.description
        );
    }
    let more = if report.arrived.is_empty() { words.send } else { words.send_more };
    let _ = writeln!(
        fields,
        "<label>{}<input type=\"file\" name=\"file\" multiple required></label>\n<p><small>{}</small></p>\n\
         <button class=\"first\">{more}</button>\n</form>",
        words.files, words.hint
    );
    page.raw(&fields).finish()
}

fn list(names: &[String]) -> String {
    let mut markup = String::from("<ul>\n");
    for name in names {
        let _ = writeln!(markup, "<li>{}</li>", Escaped(name));
    }
    markup.push_str("</ul>\n");
    markup
}

/// A text of several lines as it stands in a page.
struct Lines<'t>(&'t str);

impl std::fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, line) in self.0.lines().enumerate() {
            if index > 0 {
                f.write_str("<br>\n")?;
            }
            Escaped(line).fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, tidied};

    #[test]
    fn names_become_ones_that_a_file_may_have() {
        for (called, name) in [
            ("report.pdf", "report.pdf"),
            ("C:\\Users\\anna\\report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..", "file"),
            ("a\tb\r\n.txt", "a_b__.txt"),
            ("end. ", "end"),
            ("  ", "file"),
            ("Ärger.txt", "Ärger.txt"),
        ] {
            assert_eq!(tidied(called).unwrap().as_str(), name, "{called:?}");
        }
        assert!(tidied(&"ü".repeat(400)).unwrap().as_str().len() <= 255);
    }

    #[test]
    fn lines_stay_lines_and_nothing_gets_out_of_them() {
        assert_eq!(Lines("a <b>\nc").to_string(), "a &lt;b&gt;<br>\nc");
    }
}
