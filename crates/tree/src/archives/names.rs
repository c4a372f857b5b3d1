//! What items are called in an archive: nothing that leads out of the folder into which it is unpacked.

use entente_model::{ItemId, ItemName};

/// The name of an item there. What would be a way, or is no letter, becomes `_`; as that may be another's name, the
/// item's id is added then.
pub(super) fn safe(name: &ItemName, item: ItemId) -> String {
    let text = name.as_str();
    let harmless = |letter: char| !letter.is_control() && !matches!(letter, '/' | '\\');
    if text.chars().all(harmless) && !text.chars().all(|letter| letter == '.') {
        return text.to_owned();
    }
    let harmless = |letter: char| if harmless(letter) { letter } else { '_' };
    let text: String = text.chars().map(harmless).collect();
    let dots = text.chars().all(|letter| letter == '.');
    with_id(if dots { "_" } else { &text }, item)
}

/// The name with the item's id in it, before what stands for the kind of file.
pub(super) fn with_id(name: &str, item: ItemId) -> String {
    match name.rfind('.').filter(|dot| *dot > 0) {
        Some(dot) => {
            let (stem, extension) = name.split_at(dot);
            format!("{stem} ({item}){extension}")
        }
        None => format!("{name} ({item})"),
    }
}

#[cfg(test)]
mod tests {
    use super::{safe, with_id};
    use entente_model::{ItemId, ItemName};

    fn named(text: &str) -> String {
        safe(&ItemName::new(text).expect("a name"), ItemId::new(7))
    }

    #[test]
    fn no_name_is_a_way() {
        assert_eq!(named("Übersicht 報告.pdf"), "Übersicht 報告.pdf");
        assert_eq!(named(".profile"), ".profile");
        assert_eq!(named("..x"), "..x");
        assert_eq!(named(".."), "_ (7)");
        assert_eq!(named("."), "_ (7)");
        assert_eq!(named("..\\..\\a.exe"), ".._.._a (7).exe");
        assert_eq!(named("a\nb"), "a_b (7)");
    }

    #[test]
    fn an_id_stands_before_the_kind() {
        assert_eq!(with_id("a.tar.gz", ItemId::new(7)), "a.tar (7).gz");
        assert_eq!(with_id(".profile", ItemId::new(7)), ".profile (7)");
        assert_eq!(with_id("folder", ItemId::new(7)), "folder (7)");
    }
}
