//! `Content-Disposition` (RFC 6266): a plain name for old clients, and the whole name by RFC 8187.

use std::fmt::Write;

/// `attachment` with the name of the file. Pure ASCII without line breaks, whatever the name.
#[must_use]
pub fn attachment(name: &str) -> String {
    let mut header = String::with_capacity(32 + name.len() * 4);
    header.push_str("attachment;filename=\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => {
                header.push('\\');
                header.push(c);
            }
            ' '..='~' => header.push(c),
            _ => header.push('_'),
        }
    }
    header.push_str("\";filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            header.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(header, "%{byte:02X}");
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::attachment;
    use proptest::prelude::{any, prop_assert, proptest};

    #[test]
    fn the_whole_name_is_there_twice() {
        assert_eq!(attachment("a b.txt"), "attachment;filename=\"a b.txt\";filename*=UTF-8''a%20b.txt");
        assert_eq!(attachment("é\".txt"), "attachment;filename=\"_\\\".txt\";filename*=UTF-8''%C3%A9%22.txt");
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_header(name in any::<String>()) {
            prop_assert!(attachment(&name).bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
