//! `entente serve`

use super::format;
use super::password::password_link;
use crate::banner::{Banner, banner};
use crate::cli::{LISTEN_DEFAULT, ServeArgs};
use crate::compose::{Plan, compose, hosts};
use crate::config::Config;
use crate::data::{DataDirectory, Ready};
use crate::exit::{Exit, Failure};
use crate::metering::Meter;
use crate::output::print;
use crate::post::post;
use crate::store::{ADMINISTRATOR, Store};
use crate::subscribers::subscribers;
use anyhow::Context;
use axum::Router;
use entente_door_admin::OnEarlier;
use entente_door_kit::limits::raise_open_files;
use entente_door_kit::origin::{BaseUrl, Origin};
use entente_door_kit::tls::{self, Endpoint, SelfSigned};
use entente_door_kit::{Limits, Listener, serve};
use entente_jobs::Runner;
use entente_subscriptions::Reach;
use entente_tree::UserStatus;
use entente_world::{Shutdown, World};
use rustix::termios::isatty;
use std::io::stdout;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

/// How long the end waits until what was read last is recorded.
const NOTES_PATIENCE: Duration = Duration::from_secs(20);

/// What is served, once command line and file have been read.
struct Wanted {
    listen: SocketAddr,
    s3_listen: Option<SocketAddr>,
    tls: Tls,
    public_url: Option<BaseUrl>,
    config: Config,
    on_earlier: OnEarlier,
}

enum Tls {
    None,
    SelfSigned,
    Files { certificate: PathBuf, key: PathBuf },
}

pub(crate) async fn run(world: &World, arguments: ServeArgs, shutdown: Shutdown) -> Result<Exit, Failure> {
    let format = format(arguments.json);
    let wanted = wanted(arguments)?;
    let config = &wanted.config;
    let data = DataDirectory::for_serving(&config.data, config.database.metadata())?;
    let _lock = data.lock(world).await?;
    data.remove_ready();
    let open_files = raise_open_files();
    let meter = Meter::install()?;
    let limits = limits(config);
    // Before anything is opened, so that from now on it means a reload. Without a file it means the end, as ever.
    let watch = |_| signal(SignalKind::hangup()).context("SIGHUP cannot be watched");
    let hangup = config.file.as_ref().map(watch).transpose()?;
    let (store, opened, start) =
        Store::open_or_make(world, data.clone(), config.clone(), vault_limits(config), wanted.on_earlier).await?;
    data.remember_configuration(config.file.as_deref())?;
    let storage = opened.storage.clone();
    let subscribers = subscribers(&config.targets)?;
    let (endpoint, ca_file) = endpoint(world, &wanted)?;
    let origin = Origin { public_url: wanted.public_url.clone(), trusted_proxies: config.trusted_proxies.clone() };
    let plan = Plan {
        origin,
        limits,
        file_bytes_max: config.limits.file_bytes,
        s3_host: config.s3.host.clone(),
        upkeep: config.upkeep.clone(),
        subscribers,
        post: post(world, config, wanted.public_url.as_ref())?,
        webhooks: if config.webhooks.allow_private { Reach::Anywhere } else { Reach::Public },
        meter: meter.clone(),
        file: config.file.clone(),
    };
    let site = compose(&store, opened, plan)?;
    let mut listener = Listener::bind(wanted.listen, site.router).map_err(anyhow::Error::from)?.with_hosts(hosts());
    let secure = endpoint.is_some();
    let endpoint = endpoint.map(Arc::new);
    if let Some(endpoint) = &endpoint {
        listener = listener.with_tls(Arc::clone(endpoint));
    }
    let address = listener.local_address().context("the socket has no address")?;
    let mut listeners = vec![listener];
    let s3 = s3_listener(wanted.s3_listen, address, wanted.listen.port(), site.s3)?;
    let mut s3_url = None;
    if let Some(mut listener) = s3 {
        if let Some(endpoint) = endpoint {
            listener = listener.with_tls(endpoint);
        }
        s3_url = Some(local_url(listener.local_address().context("the socket has no address")?, secure));
        listeners.push(listener);
    }
    let mut admin_url = local_url(address, secure);
    if secure {
        // The certificate may be for other names than this machine's own, and commands beside the server come from here.
        let own = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let admin = Listener::bind(own, site.admin).map_err(anyhow::Error::from)?;
        admin_url = local_url(admin.local_address().context("the socket has no address")?, false);
        listeners.push(admin);
    }
    let ready = Ready {
        url: local_url(address, secure),
        admin_url: Some(admin_url),
        s3_url,
        ca_file,
        pid: std::process::id(),
        public_url: wanted.public_url.as_ref().map(ToString::to_string),
    };
    world.spawn(site.upkeep.clone().keep_placing(shutdown.clone()));
    let tree = site.door.tree().clone();
    world.spawn(site.upkeep.clone().keep_telling(site.door, shutdown.clone()));
    world.spawn(site.upkeep.clone().keep_indexing(data.words(), shutdown.clone()));
    world.spawn(site.upkeep.keep_up(site.runner.clone(), shutdown.clone()));
    let jobs = world.spawn(run_jobs(site.runner, shutdown.clone()));
    let sender = world.spawn(site.sender.run(shutdown.clone()));
    world.spawn(meter.keep_up(world.clone(), shutdown.clone()));
    storage.introduce(node_name(address)).await?;
    let reports = world.spawn(storage.clone().keep_reporting(shutdown.clone()));
    world.spawn(storage.keep_up(shutdown.clone()));
    if let Some(hangup) = hangup {
        world.spawn(site.reload.on(hangup, shutdown.clone()));
    }
    // The socket listens since it was bound: whoever connects now is answered as soon as `serve` runs.
    data.write_ready(&ready)?;
    let value = serde_json::to_value(&ready).context("ready.json")?;
    let keys = config.storage.custodians.iter().map(|custodian| custodian.path.as_path()).collect();
    let link = first_link(&store, &ready).await?;
    let link = link.as_ref().map(|link| link.as_str());
    print(format, &value, || banner(&Banner { ready: &ready, data: store.data.path(), keys, start, link }));
    tracing::info!(url = ready.url, open_files, "serving");
    let served = serve(world, listeners, shutdown, limits).await;
    data.remove_ready();
    // A panic in the runner has been logged; there is nothing to wait for then.
    let _ = jobs.await;
    tokio::select! {
        () = tree.notes_written() => {}
        () = world.sleep(NOTES_PATIENCE) => tracing::warn!("what was read last is not recorded: the database did not take it"),
    }
    let _ = sender.await;
    let _ = reports.await;
    tracing::info!("stopped");
    served.map_err(anyhow::Error::from)?;
    Ok(Exit::Done)
}

/// Where the administrator sets a first password. Only for whoever sits before the terminal: a log keeps what it is told.
async fn first_link(store: &Store, ready: &Ready) -> Result<Option<Zeroizing<String>>, Failure> {
    let identity = store.identity();
    let Ok(user) = identity.user_by_login(ADMINISTRATOR) else { return Ok(None) };
    if !isatty(stdout()) || user.status == UserStatus::Inactive || identity.has_password(user.id)? {
        return Ok(None);
    }
    let url = ready.public_url.as_ref().unwrap_or(&ready.url);
    password_link(store, user.id, url).await.map(Some)
}

async fn run_jobs(runner: Runner, shutdown: Shutdown) {
    if let Err(error) = runner.schedule().await {
        tracing::warn!(%error, "the scheduled jobs cannot be queued; those queued before run all the same");
    }
    runner.run(shutdown).await;
}

fn wanted(arguments: ServeArgs) -> Result<Wanted, Failure> {
    let data = arguments.data.as_deref();
    let config = match &arguments.config {
        Some(file) => Config::read(file, data)?,
        None => Config::without_file(data),
    };
    let public_url = match arguments.public_url {
        Some(url) => {
            let parsed = url.parse::<BaseUrl>();
            Some(parsed.map_err(|error| Failure::new(Exit::Usage, format!("--public-url {url}: {error}")))?)
        }
        None => config.public_url.clone(),
    };
    let tls = match (arguments.tls, arguments.tls_cert, arguments.tls_key) {
        (Some(_), ..) => Tls::SelfSigned,
        (None, Some(certificate), Some(key)) => Tls::Files { certificate, key },
        _ => match (config.tls.self_signed, config.tls.certificate.clone(), config.tls.key.clone()) {
            (true, ..) => Tls::SelfSigned,
            (false, Some(certificate), Some(key)) => Tls::Files { certificate, key },
            // The file has both or none.
            (false, ..) => Tls::None,
        },
    };
    let default = LISTEN_DEFAULT.parse().context("the default address")?;
    let on_earlier = if arguments.accept_config { OnEarlier::Apply } else { OnEarlier::Refuse };
    let listen = arguments.listen.or(config.listen).unwrap_or(default);
    let s3_listen = arguments.s3_listen.or(config.s3.listen);
    Ok(Wanted { listen, s3_listen, tls, public_url, config, on_earlier })
}

fn vault_limits(config: &Config) -> entente_vault::Limits {
    let mut limits = entente_vault::Limits::default();
    limits.budget_bytes = config.limits.upload_budget_bytes.unwrap_or(limits.budget_bytes);
    limits.hedge_after = config.reads.hedge_after.unwrap_or(limits.hedge_after);
    limits.failover_after = config.writes.failover_after.unwrap_or(limits.failover_after);
    limits
}

fn limits(config: &Config) -> Limits {
    let mut limits = Limits::default();
    limits.connections = config.limits.connections.unwrap_or(limits.connections).max(1);
    limits.drain = config.limits.drain.map_or(limits.drain, |span| span.0);
    limits
}

fn endpoint(world: &World, wanted: &Wanted) -> Result<(Option<Endpoint>, Option<PathBuf>), Failure> {
    match &wanted.tls {
        Tls::None => Ok((None, None)),
        Tls::Files { certificate, key } => {
            let endpoint = tls::from_files(certificate, key).map_err(|error| Failure::new(Exit::Usage, error))?;
            Ok((Some(endpoint), None))
        }
        Tls::SelfSigned => {
            let names = tls::server_names(wanted.public_url.as_ref());
            let signed = SelfSigned::open(world, &wanted.config.data, &names).map_err(anyhow::Error::from)?;
            Ok((Some(signed.endpoint), Some(signed.authority)))
        }
    }
}

/// Where S3 clients come in: where somebody said, else beside the main listener for this machine alone. Where that is
/// taken, S3 is not served.
fn s3_listener(
    said: Option<SocketAddr>,
    main: SocketAddr,
    main_port_said: u16,
    router: Router,
) -> Result<Option<Listener<Router>>, Failure> {
    if let Some(address) = said {
        return Ok(Some(Listener::bind(address, router).map_err(anyhow::Error::from)?));
    }
    let port = if main_port_said == 0 { 0 } else { main.port().saturating_add(1) };
    match Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), router) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) => {
            tracing::warn!(%error, "S3 is not served; name another address with --s3-listen");
            Ok(None)
        }
    }
}

/// By what a node is told from others: the machine, and the port.
fn node_name(address: SocketAddr) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let host = host.ok().map(|host| host.trim().to_owned()).filter(|host| !host.is_empty());
    format!("{}:{}", host.unwrap_or_else(|| address.ip().to_string()), address.port())
}

/// The URL by which this machine reaches the server.
fn local_url(address: SocketAddr, secure: bool) -> String {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let scheme = if secure { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(host, address.port()))
}

#[cfg(test)]
mod tests {
    use super::local_url;

    #[test]
    fn the_local_url_can_be_reached() {
        for (address, url) in [
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:8080", "http://[::1]:8080"),
            ("10.1.2.3:9", "http://10.1.2.3:9"),
        ] {
            assert_eq!(local_url(address.parse().expect("an address"), false), url);
        }
        assert_eq!(local_url("127.0.0.1:443".parse().expect("an address"), true), "https://127.0.0.1:443");
    }
}
