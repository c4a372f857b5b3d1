//! Where browsers may be sent back to (RFC 6749, 3.1.2; RFC 8252; RFC 9700, 4.1).

/// Where this server's own web app is sent back to, whatever name the server goes by. Nobody can register it.
pub(crate) const OWN: &str = "/";
/// Longer ones are not taken.
const BYTES_MAX: usize = 2_048;

/// The text cannot be registered as a redirect URI. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a redirect URI is absolute and without a fragment: https://…, http:// on this machine itself, or a scheme of the app's \
     own with a dot in it"
)]
pub struct RedirectUriError;

/// Whether a text can be registered.
pub(crate) fn check(text: &str) -> Result<(), RedirectUriError> {
    let is_plain = text.len() <= BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let is_harmless = !text.contains(['#', '"', '<', '>', '\\', '^', '`', '{', '|', '}', '\'', ';', ',', '*']);
    let (scheme, rest) = text.split_once(':').ok_or(RedirectUriError)?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte));
    let fits = match scheme {
        "https" => authority(rest).is_some_and(|(host, _)| !host.is_empty()),
        "http" => authority(rest).is_some_and(|(host, _)| is_loopback(host)),
        _ => scheme.contains('.') && !rest.is_empty(),
    };
    if is_plain && is_harmless && is_scheme && fits { Ok(()) } else { Err(RedirectUriError) }
}

/// Which of the registered ones a request means. Text for text, but for the port on the machine that the browser runs on:
/// programs get one when they start. Without one in the request, the only one.
pub(super) fn choose(registered: &[String], asked: Option<&str>) -> Option<String> {
    let Some(asked) = asked else {
        return if let [only] = registered { Some(only.clone()) } else { None };
    };
    let is_meant =
        |one: &&String| one.as_str() == asked || without_port(one).is_some_and(|one| Some(one) == without_port(asked));
    // What was asked for is well-formed if it equals a registered one; with another port it must be checked.
    let is_sound = || asked == OWN || check(asked).is_ok();
    registered.iter().find(is_meant).filter(|_| is_sound()).map(|_| asked.to_owned())
}

/// What a page that leads there may send forms to: scheme and authority, or the scheme alone.
pub(super) fn origin(uri: &str) -> String {
    match uri.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => {
            let authority = rest.split(['/', '?']).next().unwrap_or("");
            format!("{scheme}://{authority}")
        }
        _ => format!("{}:", uri.split(':').next().unwrap_or("")),
    }
}

/// Host and port of what follows the scheme, which must have no user.
fn authority(rest: &str) -> Option<(&str, &str)> {
    let authority = rest.strip_prefix("//")?.split(['/', '?']).next()?;
    if authority.contains('@') {
        return None;
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(address) => {
            let end = address.find(']')?;
            let host = authority.get(..end + 2)?;
            (host, address.get(end + 1..)?)
        }
        None => authority
            .split_once(':')
            .map_or((authority, ""), |(host, _)| (host, authority.get(host.len()..).unwrap_or(""))),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let is_port =
        port.is_empty() || digits.parse::<u16>().is_ok_and(|_| digits.bytes().all(|digit| digit.is_ascii_digit()));
    is_port.then_some((host, port))
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

/// A URI of this machine itself, without its port: its host, and what comes after the port.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http:")?;
    let (host, port) = authority(rest)?;
    let after = rest.get(2 + host.len() + port.len()..)?;
    is_loopback(host).then_some((host, after))
}

#[cfg(test)]
mod tests {
    use super::{check, choose, origin};

    #[test]
    fn only_safe_places_are_registered() {
        for good in [
            "https://app.example.org/back",
            "https://app.example.org:8443/back?x=1",
            "http://127.0.0.1/back",
            "http://127.0.0.1:53682/",
            "http://[::1]:9/x",
            "http://localhost:8080",
            "org.example.app:/back",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "/back",
            "https:",
            "https:///back",
            "http://app.example.org/back",
            "http://127.0.0.1.example.org/",
            "http://127.0.0.1@example.org/",
            "http://localhost:99999/",
            "https://u:p@app.example.org/",
            "https://app.example.org/#x",
            "https://app.example.org/a b",
            "https://app.example.org/\r\nx: y",
            "https://app.example.org/;",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/back",
            "HTTPS://app.example.org/",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check(&format!("https://app.example.org/{}", "x".repeat(2_048))).is_err());
    }

    #[test]
    fn a_request_means_a_registered_one() {
        let some: Vec<String> =
            ["https://a.example/x", "http://127.0.0.1/back"].iter().map(|&uri| uri.to_owned()).collect();
        assert_eq!(choose(&some, Some("https://a.example/x")).as_deref(), Some("https://a.example/x"));
        let port = "http://127.0.0.1:51234/back";
        assert_eq!(choose(&some, Some(port)).as_deref(), Some(port));
        for other in [
            "https://a.example/x/",
            "https://a.example/x?y",
            "https://a.example:443/x",
            "https://a.example/X",
            "https://evil.example/x",
            "https://a.example/x@evil.example",
            "http://127.0.0.1:51234/back/more",
            "http://127.0.0.1:51234@evil.example/back",
            "http://127.0.0.1:51234.evil.example/back",
            "http://localhost:51234/back",
            "https://127.0.0.1/back",
        ] {
            assert_eq!(choose(&some, Some(other)), None, "{other}");
        }
        assert_eq!(choose(&some, None), None);
        assert_eq!(choose(&some[..1], None).as_deref(), Some("https://a.example/x"));
        assert_eq!(choose(&[], None), None);
    }

    #[test]
    fn an_origin_has_no_path() {
        assert_eq!(origin("https://a.example:8443/x?y"), "https://a.example:8443");
        assert_eq!(origin("http://[::1]:9?x"), "http://[::1]:9");
        assert_eq!(origin("org.example.app:/back"), "org.example.app:");
    }
}
