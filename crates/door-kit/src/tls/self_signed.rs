use super::{
    Endpoint, Error,
    files::{read_chain, read_key},
    provider,
    validity::not_after,
};
use crate::origin::BaseUrl;
use entente_model::Timestamp;
use entente_world::World;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the authority lasts.
const AUTHORITY_LASTS: Duration = Duration::from_secs(3650 * DAY.as_secs());
/// How long a server's certificate lasts: clients accept at most 398 days.
const SERVER_LASTS: Duration = Duration::from_secs(397 * DAY.as_secs());
/// A server's certificate is replaced this long before it expires.
const RENEWED_BEFORE: Duration = Duration::from_secs(30 * DAY.as_secs());
/// A certificate begins this long ago, for clients whose clock is behind.
const BACKDATED: Duration = DAY;

/// The vendor hosts whose names Entente answers to when an internal DNS or a proxy brings them here.
const VENDOR_HOSTS: [&str; 5] = ["api.box.com", "upload.box.com", "account.box.com", "dl.boxcloud.com", "app.box.com"];

/// A certificate from an authority of our own, both kept in `DIR/tls`.
///
/// The authority (`ca.pem`, `ca-key.pem`) is made once and lasts ten years; clients are told to trust it. The server's
/// certificate (`server.pem`, `server-key.pem`) lasts 397 days and is made anew at a start when it lacks a name, when
/// it has less than 30 days left, or when the authority changed.
pub struct SelfSigned {
    /// What to serve under.
    pub endpoint: Endpoint,
    /// The authority's certificate, which clients must trust (see [`trust_advice`]).
    pub authority: PathBuf,
}

impl SelfSigned {
    /// Opens or makes what is in `data/tls`, for a server that is reached by `names` (host names and addresses).
    ///
    /// Files are written completely or not at all, keys readable by their owner only. Fails when a file cannot be
    /// read or written, or when a half of a pair is missing or wrong; the error says which.
    pub fn open(world: &World, data: &Path, names: &[String]) -> Result<Self, Error> {
        let folder = data.join("tls");
        fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
        let authority = Authority::open(world, &folder)?;
        let (certificate, key) = (folder.join("server.pem"), folder.join("server-key.pem"));
        let endpoint = match kept(world, &authority, &certificate, &key, names) {
            Some(endpoint) => endpoint,
            None => authority.issue(world, &certificate, &key, names)?,
        };
        Ok(Self { endpoint, authority: authority.path })
    }
}

/// The names by which a server on this machine may be reached: local ones, the machine's own, the public URL's host,
/// and the vendor hosts that it stands in for.
#[must_use]
pub fn server_names(public_url: Option<&BaseUrl>) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    let machine = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
    let extra = public_url.map(|url| url.host().to_lowercase());
    let vendors = VENDOR_HOSTS.map(str::to_owned);
    for name in extra.into_iter().chain([machine]).chain(vendors) {
        if ServerName::try_from(name.as_str()).is_ok() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// How to make clients trust an authority, for people to read.
#[must_use]
pub fn trust_advice(authority: &Path) -> String {
    let path = fs::canonicalize(authority).unwrap_or_else(|_| authority.to_owned());
    let path = path.display();
    format!(
        "Clients must trust the certificate authority in {path}:\n\
         \x20 curl               curl --cacert '{path}' …\n\
         \x20 Python             export REQUESTS_CA_BUNDLE='{path}'\n\
         \x20 Node               export NODE_EXTRA_CA_CERTS='{path}'\n\
         \x20 rclone             rclone --ca-cert '{path}' …\n\
         \x20 Debian and Ubuntu  cp '{path}' /usr/local/share/ca-certificates/entente.crt && update-ca-certificates\n"
    )
}

struct Authority {
    path: PathBuf,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn open(world: &World, folder: &Path) -> Result<Self, Error> {
        let (path, key_path) = (folder.join("ca.pem"), folder.join("ca-key.pem"));
        let broken = || Error::Authority { certificate: path.clone(), key: key_path.clone() };
        let key = match (path.exists(), key_path.exists()) {
            (true, false) => return Err(broken()),
            // The key is written first, so a certificate that is missing was never trusted or can be made again.
            (_, true) => {
                let der = read_key(&key_path)?;
                KeyPair::try_from(&der).map_err(|_| Error::NoKey { path: key_path.clone() })?
            }
            (false, false) => {
                let key = make(KeyPair::generate(), "the authority")?;
                write(&key_path, &key.serialize_pem(), Mode::Secret)?;
                key
            }
        };
        let params = authority_params(world, &key);
        let existing = if path.exists() { read_chain(&path)?.into_iter().next() } else { None };
        let certificate = match existing {
            Some(certificate) if !contains(&certificate, key.public_key_raw()) => return Err(broken()),
            Some(certificate) if not_after(&certificate).is_some_and(|end| end > world.now().after(SERVER_LASTS)) => {
                certificate
            }
            _ => {
                let certificate = make(params.self_signed(&key), "the authority")?;
                write(&path, &certificate.pem(), Mode::Public)?;
                certificate.der().clone()
            }
        };
        Ok(Self { path, certificate, issuer: Issuer::new(params, key) })
    }

    fn issue(&self, world: &World, certificate: &Path, key: &Path, names: &[String]) -> Result<Endpoint, Error> {
        let pair = make(KeyPair::generate(), "the server")?;
        let mut params = make(CertificateParams::new(names), "the server")?;
        params.distinguished_name = name("Entente server");
        set_validity(&mut params, world.now(), SERVER_LASTS);
        params.serial_number = Some(serial(world));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = make(params.signed_by(&pair, &self.issuer), "the server")?;
        write(key, &pair.serialize_pem(), Mode::Secret)?;
        write(certificate, &leaf.pem(), Mode::Public)?;
        super::from_files(certificate, key)
    }
}

/// The server's certificate as it was kept, if it is still good for all names.
fn kept(world: &World, authority: &Authority, certificate: &Path, key: &Path, names: &[String]) -> Option<Endpoint> {
    let chain = read_chain(certificate).ok()?;
    let leaf = chain.first()?;
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.clone()).ok()?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().ok()?;
    let soon = world.now().after(RENEWED_BEFORE).millis();
    let soon = UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(soon).unwrap_or(0)));
    for name in names {
        let name = ServerName::try_from(name.as_str()).ok()?;
        verifier.verify_server_cert(leaf, &[], &name, &[], soon).ok()?;
    }
    super::from_files(certificate, key).ok()
}

/// All follows from the key but the validity and the serial number, so that the issuer can be had again from it.
fn authority_params(world: &World, key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let digest = params.key_identifier(key);
    let mark: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name = name(&format!("Entente local authority {mark}"));
    set_validity(&mut params, world.now(), AUTHORITY_LASTS);
    params.serial_number = Some(serial(world));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Entente");
    name.push(DnType::CommonName, common);
    name
}

fn set_validity(params: &mut CertificateParams, now: Timestamp, lasts: Duration) {
    let start = Duration::from_millis(u64::try_from(now.before(BACKDATED).millis()).unwrap_or(0));
    // Certificates count in whole seconds.
    let start = Duration::from_secs(start.as_secs());
    params.not_before = date_time_ymd(1970, 1, 1) + start;
    params.not_after = params.not_before + lasts;
}

fn serial(world: &World) -> SerialNumber {
    let mut bytes: [u8; 16] = world.random().bytes();
    // RFC 5280 section 4.1.2.2: positive.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn make<T>(made: Result<T, rcgen::Error>, name: &str) -> Result<T, Error> {
    made.map_err(|error| Error::Make { name: name.to_owned(), reason: error.to_string() })
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[derive(Clone, Copy)]
enum Mode {
    Secret,
    Public,
}

/// Writes the file completely or not at all.
fn write(path: &Path, text: &str, mode: Mode) -> Result<(), Error> {
    let new = path.with_extension("new");
    let bits = match mode {
        Mode::Secret => 0o600,
        Mode::Public => 0o644,
    };
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(bits).open(&new)?;
        // A file left behind by a crash keeps its old mode.
        file.set_permissions(Permissions::from_mode(bits))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
    };
    written().map_err(|source| Error::Write { path: path.to_owned(), source })
}
