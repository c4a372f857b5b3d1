//! Names of buckets and prefixes, as the configuration gives them.

use crate::{Error, cloud::wrong};

/// The longest prefix. A service allows names of 1,024 bytes.
const PREFIX_LENGTH_MAX: usize = 200;

/// The folder that a prefix makes, as the library wants it. `Failed` when it is not one.
pub(crate) fn root(prefix: Option<&str>) -> Result<String, Error> {
    let Some(prefix) = prefix else {
        return Ok("/".to_owned());
    };
    let part_is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    let prefix = prefix.trim_end_matches('/');
    if prefix.len() > PREFIX_LENGTH_MAX || !prefix.split('/').all(part_is_plain) {
        return Err(wrong("prefix is made of letters, digits and . _ - between single slashes, at most 200 in all"));
    }
    Ok(format!("/{prefix}/"))
}

/// Checks the name of a bucket, container or account. `Failed` when it cannot be one.
pub(crate) fn check_container(name: &str, setting: &str) -> Result<(), Error> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.len() < 3 || name.len() > 222 || !name.bytes().all(plain) || name.starts_with('.') {
        return Err(wrong(format!("{setting} is made of 3 to 222 letters, digits and . _ -")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_folder_of_plain_parts() {
        assert_eq!(root(None).unwrap(), "/");
        assert_eq!(root(Some("a/b-1.2_c/")).unwrap(), "/a/b-1.2_c/");
        for odd in ["", "/a", "a//b", "../a", "a/./b", "a b", "ä", &"a".repeat(201)] {
            assert!(root(Some(odd)).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_bucket_has_a_plain_name() {
        assert!(check_container("a-bucket.example_1", "bucket").is_ok());
        for odd in ["", "ab", "a/b", "a b c", "..", "a?b", &"a".repeat(223)] {
            let error = check_container(odd, "bucket").unwrap_err().to_string();
            assert!(error.contains("bucket is made of"), "{error}");
        }
    }
}
