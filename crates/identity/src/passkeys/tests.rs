//! With a device of our own making.

use super::Site;

#[test]
fn passkeys_are_of_a_site_with_a_name_and_tls() {
    let at = |base: &str| Site::at(base).map(|site| (site.host, site.origin));
    let site = |host: &str, origin: &str| Some((host.to_owned(), origin.to_owned()));
    assert_eq!(at("https://files.acme.example"), site("files.acme.example", "https://files.acme.example"));
    assert_eq!(at("https://Files.acme.example:443"), site("files.acme.example", "https://files.acme.example"));
    assert_eq!(at("https://files.acme.example:8443"), site("files.acme.example", "https://files.acme.example:8443"));
    assert_eq!(at("http://localhost:8080"), site("localhost", "http://localhost:8080"));
    for none in ["http://files.acme.example", "https://10.0.0.1:8443", "https://[::1]:8443", "files.acme.example", ""] {
        assert_eq!(at(none), None, "{none}");
    }
}
