//! Users who are named in a message, as Box's clients write it: `@[ID:NAME]`.

use entente_model::UserId;

/// What stands before an id.
const OPENS: &str = "@[";

/// A piece of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'m> {
    Text(&'m str),
    Mention(UserId, &'m str),
}

/// The pieces of a message, in order. What only begins like a mention is text.
fn pieces(message: &str) -> Vec<Piece<'_>> {
    let (mut found, mut rest) = (Vec::new(), message);
    while let Some((before, after)) = rest.split_once(OPENS) {
        let inside = after.split_once(']').and_then(|(inside, left)| Some((inside.split_once(':')?, left)));
        let mention = inside.and_then(|((id, name), left)| Some((id.parse::<UserId>().ok()?, name, left)));
        found.push(Piece::Text(before));
        match mention {
            Some((user, name, left)) => {
                found.push(Piece::Mention(user, name));
                rest = left;
            }
            None => {
                found.push(Piece::Text(OPENS));
                rest = after;
            }
        }
    }
    found.push(Piece::Text(rest));
    found
}

/// Who is named, each once, in the order of their first mention.
pub(super) fn mentioned(message: &str) -> Vec<UserId> {
    let mut users = Vec::new();
    for piece in pieces(message) {
        if let Piece::Mention(user, _) = piece
            && !users.contains(&user)
        {
            users.push(user);
        }
    }
    users
}

/// The message as people read it: with names in the place of mentions.
pub(super) fn without_mentions(message: &str) -> String {
    let shown = |piece| match piece {
        Piece::Text(text) | Piece::Mention(_, text) => text,
    };
    pieces(message).into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::{mentioned, without_mentions};
    use entente_model::UserId;
    use proptest::prelude::{any, proptest};

    #[test]
    fn mentions_are_read_and_everything_else_is_text() {
        let message = "Hi @[12:Ann Lee], and @[7:Bo]! @[12:Ann] @[x:y] @[3] @[4:open @[5:é]";
        assert_eq!(mentioned(message), [12, 7, 4].map(UserId::new));
        assert_eq!(without_mentions(message), "Hi Ann Lee, and Bo! Ann @[x:y] @[3] open @[5:é");
        assert_eq!(without_mentions("me@[example.com"), "me@[example.com");
        assert!(mentioned("@[-1:x]").iter().all(|user| user.number() < 0));
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            let _ = mentioned(&text);
            if !text.contains("@[") {
                assert_eq!(without_mentions(&text), text);
            }
        }
    }
}
