//! Letters: what people are written, and how often one may have people written to.

use super::Upkeep;
use entente_jobs::{BoxError, Handlers, Outcome, Run, handler};
use entente_mail::{Error as MailError, Letter, Mailer};
use entente_model::{Role, Timestamp, UserId};
use entente_tree::{CollaborationStatus, INVITATION_LETTER_JOB, InvitationLetter, Kind, Tree};
use entente_world::World;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A letter that could not be sent for so long is not sent any more.
const AGE_MAX: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// How long one user's letters are counted.
const WINDOW: Duration = Duration::from_secs(60 * 60);
/// As many as this process sends for one user in that time; the others wait.
const LETTERS_MAX: u32 = 200;
/// Users whose letters are counted at a time.
const USERS_MAX: usize = 10_000;

/// What letters are sent with.
#[derive(Clone)]
pub(crate) struct Post {
    mailer: Mailer,
    /// Where people come in, if the configuration says.
    url: Option<String>,
    counted: Arc<Mutex<HashMap<UserId, (Timestamp, u32)>>>,
}

impl Post {
    pub(crate) fn new(mailer: Mailer, url: Option<String>) -> Self {
        Self { mailer, url, counted: Arc::default() }
    }

    /// Counts a letter; `false` when a user has had as many sent as they may.
    fn may_send(&self, by: UserId, now: Timestamp) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = now.before(WINDOW);
        if counted.len() >= USERS_MAX {
            counted.retain(|_, (since, _)| *since > begun);
        }
        let (since, letters) = counted.entry(by).or_insert((now, 0));
        if *since <= begun {
            (*since, *letters) = (now, 0);
        }
        *letters += 1;
        *letters <= LETTERS_MAX
    }
}

impl Upkeep {
    /// What writes letters.
    pub(super) fn letter_handlers(&self, handlers: Handlers) -> Handlers {
        let (world, tree, post) = (self.world.clone(), self.tree.clone(), self.post.clone());
        handlers
            .on(INVITATION_LETTER_JOB, handler(move |run: Run| invite(world.clone(), tree.clone(), post.clone(), run)))
    }
}

async fn invite(world: World, tree: Tree, post: Post, run: Run) -> Result<Outcome, BoxError> {
    let Some(said) = tree.invitation_letter(run.key.parse()?)? else { return Ok(Outcome::Done) };
    let now = world.now();
    if !post.may_send(said.by, now) {
        return Ok(Outcome::Again(WINDOW / 6));
    }
    let letter = invitation(&said, post.url.as_deref(), &run.key);
    match post.mailer.send(&letter).await {
        Ok(()) => Ok(Outcome::Done),
        Err(MailError::Later(why)) if said.at > now.before(AGE_MAX) => Err(why.into()),
        Err(error) => {
            tracing::warn!(collaboration = run.key, %error, "an invitation was not mailed; the role stands all the same");
            Ok(Outcome::Done)
        }
    }
}

fn invitation(said: &InvitationLetter, url: Option<&str>, id: &str) -> Letter {
    let InvitationLetter { by_name, by_login, item, .. } = said;
    let what = if said.kind == Kind::Folder { "folder" } else { "file" };
    let subject = match said.status {
        CollaborationStatus::Accepted => format!("{by_name} shares “{item}” with you"),
        _ => format!("{by_name} invites you to “{item}”"),
    };
    let greeting = if said.name.is_empty() { "Hello,".to_owned() } else { format!("Hello {},", said.name) };
    let given = match said.status {
        CollaborationStatus::Accepted => "shares with you",
        _ => "invites you to",
    };
    let next = match (said.status, said.is_user) {
        (CollaborationStatus::Accepted, _) => "It is among your files now.",
        (_, true) => "It is yours to use once you have accepted.",
        (_, false) => {
            "You have no account there yet. Ask whoever invites you for one with this address: the invitation waits for it."
        }
    };
    let place = url.map_or_else(String::new, |url| format!("\n{url}\n"));
    let text = format!(
        "{greeting}\n\n{by_name} ({by_login}) {given} the {what} “{item}”, as {}.\n{next}\n{place}\n\
         If you do not know who that is, you need do nothing.\n",
        role(said.role)
    );
    Letter { to: said.address.clone(), name: said.name.clone(), subject, text, id: format!("collaboration-{id}") }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::CoOwner => "co-owner",
        Role::Editor => "editor",
        Role::ViewerUploader => "viewer and uploader",
        Role::PreviewerUploader => "previewer and uploader",
        Role::Viewer => "viewer",
        Role::Previewer => "previewer",
        Role::Uploader => "uploader",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: CollaborationStatus, is_user: bool) -> InvitationLetter {
        InvitationLetter {
            address: "ben@example.org".to_owned(),
            name: if is_user { "Ben".to_owned() } else { String::new() },
            is_user,
            by: UserId::new(1),
            by_name: "Anna".to_owned(),
            by_login: "anna@example.com".to_owned(),
            item: "Plans".to_owned(),
            kind: Kind::Folder,
            role: Role::Viewer,
            status,
            at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_letter_says_who_gives_what() {
        let letter = invitation(&said(CollaborationStatus::Accepted, true), Some("https://files.example.com"), "7");
        assert_eq!(letter.subject, "Anna shares “Plans” with you");
        assert_eq!(
            letter.text,
            "Hello Ben,\n\nAnna (anna@example.com) shares with you the folder “Plans”, as viewer.\n\
             It is among your files now.\n\nhttps://files.example.com\n\nIf you do not know who that is, you need do nothing.\n"
        );
        let letter = invitation(&said(CollaborationStatus::Pending, false), None, "7");
        assert!(letter.text.contains("You have no account there yet."), "{}", letter.text);
    }

    #[test]
    fn nobody_has_everybody_written_to() {
        let world = World::real();
        let folder = std::env::temp_dir();
        let mailer = Mailer::new(world, "a@example.com", entente_mail::Transport::Folder(folder)).unwrap();
        let post = Post::new(mailer, None);
        let (anna, ben, now) = (UserId::new(1), UserId::new(2), Timestamp::from_millis(1_000_000_000));
        let sent = (0..LETTERS_MAX + 5).filter(|_| post.may_send(anna, now)).count();
        assert_eq!(sent, LETTERS_MAX as usize);
        assert!(post.may_send(ben, now) && !post.may_send(anna, now));
        assert!(post.may_send(anna, now.after(WINDOW)));
    }
}
