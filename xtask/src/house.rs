//! The house rules that are tables.

/// A crate of ours and the crates of ours that it may lean on, by the names of their folders.
pub struct Room {
    /// Folder below `crates` (or `xtask`).
    pub name: &'static str,
    /// What it may use in its product.
    pub may_use: &'static [&'static str],
    /// Why, in a few words, for ARCHITECTURE.md.
    pub because: &'static str,
}

/// Who may lean on whom. Adding an arrow is a decision: it gets a page in docs/decisions or a good reason.
pub const ROOMS: &[Room] = &[
    Room { name: "model", may_use: &[], because: "words only" },
    Room { name: "world", may_use: &["model"], because: "time, randomness, ids, spawning" },
    Room { name: "clouds", may_use: &["model", "world"], because: "stores objects; knows no content" },
    Room { name: "custodians", may_use: &["model", "world"], because: "wraps keys; knows no content" },
    Room {
        name: "vault",
        may_use: &["model", "world", "clouds", "custodians"],
        because: "seals and places; knows no name and no user",
    },
    Room { name: "database", may_use: &["model", "world", "vault"], because: "implements `vault::Ledger`" },
    Room { name: "mail", may_use: &["world"], because: "sends letters; knows nobody" },
    Room { name: "jobs", may_use: &["model", "world", "database"], because: "runs jobs it does not know" },
    Room {
        name: "subscriptions",
        may_use: &["model", "world", "database"],
        because: "sends what the tree wrote down; knows no access",
    },
    Room {
        name: "identity",
        may_use: &["model", "world", "database", "custodians"],
        because: "turns credentials into callers",
    },
    Room { name: "search", may_use: &["model", "world", "vault"], because: "finds items by words; knows no access" },
    Room {
        name: "pictures",
        may_use: &["model", "world"],
        because: "makes pictures of contents in processes of their own; knows no item",
    },
    Room {
        name: "tree",
        may_use: &["model", "world", "database", "vault", "search"],
        because: "decides; sees no key and no bucket",
    },
    Room { name: "door-kit", may_use: &["model", "world", "tree", "identity"], because: "what every door needs" },
    Room {
        name: "door-box",
        may_use: &["model", "door-kit", "tree", "identity", "pictures"],
        because: "translates; never leans on another door",
    },
    Room {
        name: "door-dav",
        may_use: &["model", "door-kit", "tree", "identity"],
        because: "translates WebDAV; never leans on another door",
    },
    Room { name: "door-admin", may_use: &["model", "door-kit", "tree", "identity"], because: "our own operator API" },
    Room {
        name: "door-s3",
        may_use: &["model", "door-kit", "tree", "identity"],
        because: "translates; never leans on another door",
    },
    Room {
        name: "door-oauth",
        may_use: &["model", "door-kit", "identity"],
        because: "where people sign in and apps get tokens; decides nothing",
    },
    Room {
        name: "door-scim",
        may_use: &["model", "door-kit", "tree", "identity"],
        because: "users and groups as directories bring them; translates",
    },
    Room { name: "door-web", may_use: &[], because: "the web app's files; asks nobody" },
    Room {
        name: "server",
        may_use: &[
            "model",
            "world",
            "clouds",
            "custodians",
            "vault",
            "database",
            "jobs",
            "identity",
            "tree",
            "door-kit",
            "door-box",
            "door-dav",
            "door-admin",
            "door-s3",
            "door-oauth",
            "door-scim",
            "door-web",
            "subscriptions",
            "mail",
            "pictures",
        ],
        because: "composes the program",
    },
    Room { name: "emulators", may_use: &[], because: "starts real servers for tests" },
    Room {
        name: "testkit",
        may_use: &[
            "model",
            "world",
            "clouds",
            "custodians",
            "vault",
            "database",
            "jobs",
            "identity",
            "tree",
            "emulators",
        ],
        because: "fixtures; for tests alone",
    },
    Room {
        name: "simulator",
        may_use: &["model", "world", "clouds", "custodians", "vault"],
        because: "seeded histories; nobody leans on it",
    },
    Room {
        name: "bench",
        may_use: &["world", "emulators"],
        because: "loads any endpoint from outside, and drills the program; knows no room",
    },
    Room { name: "xtask", may_use: &[], because: "keeps the house in order" },
];

/// What any crate may use in its tests besides.
pub const FOR_TESTS: &[&str] = &["testkit", "simulator", "emulators"];

/// A borrowed crate that only some rooms may lean on.
pub struct Fence {
    /// The borrowed crates.
    pub crates: &'static [&'static str],
    /// Rooms that may lean on them.
    pub rooms: &'static [&'static str],
    /// Whether tests of other rooms may.
    pub tests: Tests,
    /// The rule behind it.
    pub rule: &'static str,
}

/// Whether a fence holds for tests too.
#[derive(PartialEq, Eq)]
pub enum Tests {
    /// Tests may step over it.
    Free,
    /// It holds for them too.
    Fenced,
}

/// Fences around borrowed crates; deny.toml holds those that cargo-deny can see.
pub const FENCES: &[Fence] = &[
    Fence {
        crates: &["rusqlite", "libsqlite3-sys", "postgres-protocol", "tokio-postgres", "deadpool-postgres"],
        rooms: &["database"],
        tests: Tests::Fenced,
        rule: "only `database` speaks SQL",
    },
    Fence {
        crates: &["axum", "hyper", "hyper-util", "tokio-rustls", "rcgen"],
        rooms: &[
            "door-kit",
            "door-box",
            "door-dav",
            "door-admin",
            "door-s3",
            "door-oauth",
            "door-scim",
            "door-web",
            "server",
            "bench",
        ],
        tests: Tests::Fenced,
        rule: "only doors, their kit, the server and the load generator speak HTTP",
    },
    Fence {
        crates: &["opendal", "object_store"],
        rooms: &["clouds"],
        tests: Tests::Fenced,
        rule: "only `clouds` talks to object storage",
    },
    Fence {
        crates: &["reqwest"],
        rooms: &["clouds", "subscriptions", "identity"],
        tests: Tests::Fenced,
        rule: "requests leave by `clouds`, `subscriptions` and `identity`, which follow no redirects",
    },
    Fence { crates: &["lettre"], rooms: &["mail"], tests: Tests::Fenced, rule: "letters leave by `mail`" },
    Fence {
        crates: &["jsonwebtoken"],
        rooms: &["identity"],
        tests: Tests::Free,
        rule: "only `identity` judges credentials",
    },
    Fence {
        crates: &["anyhow"],
        rooms: &["server", "bench", "xtask"],
        tests: Tests::Free,
        rule: "a library has an error type of its own",
    },
];

/// Source files are at most this long; files of tests may be longer.
pub const LINES_MAX: usize = 600;
/// How long a file of tests may be.
pub const TEST_LINES_MAX: usize = 1000;
/// A table or generated file says so in its first lines with this mark and a reason, and may be longer.
pub const LONG_MARK: &str = "tidy: long because";

/// Names that say nothing about what is inside.
pub const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"];

/// Words for which the glossary has another, with that other. Doors speak their vendors' words, `clouds` its
/// providers' and `database` those of SQL.
pub const OTHER_WORDS: &[(&str, &str)] = &[
    ("tenant", "enterprise"),
    ("org", "enterprise"),
    ("acl", "collaboration"),
    ("blob", "segment or object"),
    ("revision", "file version"),
    ("worm", "retention policy"),
    ("tier", "storage policy"),
    ("region", "zone"),
];

/// The table of [`ROOMS`] in Markdown.
pub fn table() -> String {
    let mut text = String::from("| Crate | May use | Because |\n|---|---|---|\n");
    for row in rows() {
        text.push_str(&row);
        text.push('\n');
    }
    text
}

/// Its rows, one for each room.
pub fn rows() -> impl Iterator<Item = String> {
    ROOMS.iter().map(|room| {
        let uses = if room.may_use.is_empty() { "nothing of ours".to_owned() } else { room.may_use.join(", ") };
        format!("| {} | {uses} | {} |", room.name, room.because)
    })
}

/// The room of that name.
pub fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrow_points_at_a_room_above_it_so_there_is_no_circle() {
        for (index, room) in ROOMS.iter().enumerate() {
            for used in room.may_use {
                let place = ROOMS.iter().position(|other| other.name == *used);
                assert!(place.is_some_and(|place| place < index), "{} -> {used}", room.name);
            }
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_room() {
        assert_eq!(table().lines().count(), ROOMS.len() + 2);
        assert!(table().contains("| model | nothing of ours | words only |"));
    }
}
