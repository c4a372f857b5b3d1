//! `entente user set-password` and `entente user password-link`

use super::open;
use crate::cli::UserNamedArgs;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::store::Store;
use anyhow::Context;
use entente_identity::{PASSWORD_LINK_LIFETIME, Password};
use entente_model::UserId;
use entente_world::World;
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use serde_json::json;
use std::io::{BufRead, Read, Stdin, Write, stderr, stdin};
use zeroize::Zeroizing;

/// Longer input is not a password.
const INPUT_BYTES_MAX: u64 = 4_096;

pub(crate) async fn set(world: &World, arguments: &UserNamedArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let identity = store.identity();
    let user = identity.user_by_login(&arguments.login)?;
    let password = if isatty(stdin()) { asked_twice()? } else { line(&stdin())? };
    identity.set_password(user.id, &Password::new(password.as_str().to_owned()), None).await?;
    print(format, &json!({ "user_id": user.id.to_string(), "password_set": true }), || {
        format!("{} signs in with that password; all browsers are signed out", user.login)
    });
    Ok(Exit::Done)
}

pub(crate) async fn link(world: &World, arguments: &UserNamedArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let user = store.identity().user_by_login(&arguments.login)?;
    let ready = store.data.ready().ok_or_else(|| {
        Failure::new(Exit::Failed, "no server runs on this data directory, so nobody knows its address; start it first")
    })?;
    let link = password_link(&store, user.id, ready.public_url.as_ref().unwrap_or(&ready.url)).await?;
    print(format, &json!({ "user_id": user.id.to_string(), "link": link.as_str() }), || link.to_string());
    Ok(Exit::Done)
}

/// The address at which somebody sets their password.
pub(crate) async fn password_link(store: &Store, user: UserId, url: &str) -> Result<Zeroizing<String>, Failure> {
    let secret = store.identity().create_password_link(user, PASSWORD_LINK_LIFETIME).await?;
    Ok(Zeroizing::new(format!("{url}/oauth2/new-password?link={}", secret.expose())))
}

fn asked_twice() -> Result<Zeroizing<String>, Failure> {
    let quiet = Quiet::new()?;
    let (first, second) = (asked("New password: ")?, asked("Again: ")?);
    drop(quiet);
    if first != second {
        return Err(Failure::new(Exit::Usage, "the password was not the same twice; nothing was changed"));
    }
    Ok(first)
}

fn asked(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let mut out = stderr();
    out.write_all(prompt.as_bytes()).and_then(|()| out.flush()).context("the terminal cannot be written to")?;
    let line = line(&stdin())?;
    // The end of the line that was typed is not shown either.
    let _ = out.write_all(b"\n");
    Ok(line)
}

fn line(input: &Stdin) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    input.lock().take(INPUT_BYTES_MAX).read_line(&mut text).context("the password cannot be read")?;
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    Ok(text)
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn new() -> Result<Self, Failure> {
        let before = tcgetattr(stdin()).context("the terminal cannot be asked")?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Flush, &quiet).context("the terminal cannot be made quiet")?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.0);
    }
}
