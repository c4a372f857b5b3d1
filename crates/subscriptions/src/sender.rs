//! Sends what is due: a loop for each target, so that none waits for another that does not answer.

use crate::backoff::wait;
use crate::message;
use crate::reach::{PublicResolver, check};
use crate::signature;
use crate::target::{ATTEMPTS_MAX, parse};
use crate::webhooks::{WebhookTarget, Webhooks};
use crate::{Error, Reach, Target};
use entente_database::deliveries::{self, Delivery, WEBHOOKS};
use entente_database::{Database, Tx};
use entente_model::{Timestamp, WebhookId};
use entente_world::{Shutdown, World};
use jiff::Timestamp as Moment;
use reqwest::{RequestBuilder, Url};
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// Requests to one target at a time.
const PARALLEL: usize = 8;
/// Requests to all webhooks at a time. Of one webhook there are eight at most: so many topics it has.
const PARALLEL_WEBHOOKS: usize = 64;
/// How long the rest of an answer is waited for.
const REST: Duration = Duration::from_secs(1);
/// How long one request may take, from the lookup of the name to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// After this somebody else may send a delivery that was taken: more than a request and two writes take.
pub(crate) const LEASE: Duration = Duration::from_secs(60);
/// How often is looked whether something is due, while nothing ends. It costs a read of an index.
const POLL: Duration = Duration::from_millis(250);
/// How often what is due is counted.
const COUNT_EVERY: Duration = Duration::from_secs(30);
/// After the database has not answered.
const DATABASE_DOWN: Duration = Duration::from_secs(2);
/// How old a delivery becomes that does not arrive.
pub(crate) const AGE_MAX: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// What is read of an answer, so that its connection can be used again.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// To whom is sent.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    lines: Arc<[Line]>,
}

impl Settings {
    /// These targets, each with a name of its own.
    #[must_use]
    pub fn new(targets: Vec<Target>) -> Self {
        Self { lines: targets.into_iter().map(|target| Line::Target(Arc::new(target))).collect() }
    }

    /// And the webhooks, whose addresses may be such.
    #[must_use]
    pub fn with_webhooks(self, webhooks: Arc<dyn Webhooks>, reach: Reach) -> Self {
        Self { lines: self.lines.iter().cloned().chain([Line::Webhooks(webhooks, reach)]).collect() }
    }

    /// The names of all of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(Line::name)
    }
}

/// What waits for nobody else: a target, or all webhooks.
#[derive(Clone)]
enum Line {
    Target(Arc<Target>),
    Webhooks(Arc<dyn Webhooks>, Reach),
}

impl Line {
    fn name(&self) -> &str {
        match self {
            Self::Target(target) => &target.name,
            Self::Webhooks(..) => WEBHOOKS,
        }
    }

    const fn parallel(&self) -> usize {
        match self {
            Self::Target(_) => PARALLEL,
            Self::Webhooks(..) => PARALLEL_WEBHOOKS,
        }
    }

    fn attempts_max(&self) -> u32 {
        match self {
            Self::Target(target) => target.attempts_max,
            Self::Webhooks(..) => ATTEMPTS_MAX,
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Line").field(&self.name()).finish()
    }
}

/// Sends deliveries. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    world: World,
    database: Database,
    settings: Settings,
    /// `None` where the system has no certificates: who has no target needs none, and webhooks wait.
    clients: Option<Clients>,
}

#[derive(Clone)]
struct Clients {
    /// Asks addresses of the open internet alone.
    public: reqwest::Client,
    anywhere: reqwest::Client,
}

impl Clients {
    fn new() -> Result<Self, Error> {
        let build = |builder: reqwest::ClientBuilder| builder.build().map_err(Error::Tls);
        Ok(Self { public: build(builder().dns_resolver(PublicResolver))?, anywhere: build(builder())? })
    }
}

/// How much one target is sent at a time.
struct Hands {
    free: Arc<Semaphore>,
    /// Told when a delivery has ended: something may have waited for it.
    ended: Arc<Notify>,
}

/// Why a delivery has not arrived.
#[derive(Debug, thiserror::Error)]
enum Undelivered {
    #[error("answered {0}")]
    Refused(u16),
    #[error("{0}")]
    Unsent(String),
}

impl Sender {
    /// A sender. It opens no connection yet. `Tls`, if there is a target.
    pub fn new(world: World, database: Database, settings: Settings) -> Result<Self, Error> {
        let has_targets = settings.lines.iter().any(|line| matches!(line, Line::Target(_)));
        let clients = match Clients::new() {
            Ok(clients) => Some(clients),
            Err(error) if has_targets => return Err(error),
            Err(error) => {
                tracing::debug!(%error, "webhooks could not be told of anything");
                None
            }
        };
        Ok(Self { world, database, settings, clients })
    }

    /// Sends what is due until the process stops, then waits for the requests under way.
    pub async fn run(self, shutdown: Shutdown) {
        let mut loops = Vec::new();
        for line in self.settings.lines.iter() {
            let (sender, line, shutdown) = (self.clone(), line.clone(), shutdown.clone());
            loops.push(self.world.spawn(async move { sender.send_all(line, shutdown).await }));
        }
        let counting = (self.clone(), shutdown.clone());
        loops.push(self.world.spawn(async move { counting.0.count_all(counting.1).await }));
        for ended in loops {
            // A panic has been logged; the other targets are served all the same.
            let _ = ended.await;
        }
    }

    async fn send_all(self, line: Line, mut shutdown: Shutdown) {
        let hands = Hands { free: Arc::new(Semaphore::new(line.parallel())), ended: Arc::default() };
        while !shutdown.is_requested() {
            let pause = match self.send_some(&line, &hands, &mut shutdown).await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::warn!(target.name = line.name(), %error, "deliveries cannot be taken");
                    DATABASE_DOWN
                }
            };
            tokio::select! {
                () = shutdown.requested() => {}
                () = self.world.sleep(pause) => {}
                () = hands.ended.notified() => {}
            }
        }
        // All hands are free again when the last request has ended. The semaphore is never closed.
        let _ = hands.free.acquire_many(u32::try_from(line.parallel()).unwrap_or(1)).await;
    }

    /// Takes as many deliveries as there are hands free, and has them sent. Answers how long there is nothing to do.
    async fn send_some(
        &self,
        line: &Line,
        hands: &Hands,
        shutdown: &mut Shutdown,
    ) -> Result<Duration, entente_database::Error> {
        let first = tokio::select! {
            first = Arc::clone(&hands.free).acquire_owned() => first,
            () = shutdown.requested() => return Ok(Duration::ZERO),
        };
        // The semaphore is never closed.
        let Ok(first) = first else { return Ok(POLL) };
        let mut some = vec![first];
        while let Ok(hand) = Arc::clone(&hands.free).try_acquire_owned() {
            some.push(hand);
        }
        // A look that finds nothing must not cost a write.
        let now = self.world.now();
        let next = self.database.read(|tx| deliveries::next_due(tx, line.name()))?;
        if next.is_none_or(|next| next > now) {
            return Ok(POLL);
        }
        let (name, until) = (line.name().to_owned(), now.after(LEASE));
        let limit = u32::try_from(some.len()).unwrap_or(1);
        let take = move |tx: &mut Tx<'_>| deliveries::take(tx, &name, now, until, limit);
        let taken = self.database.transact("take deliveries", take).await?;
        for unreadable in &taken.unreadable {
            let delivery = message::name(*unreadable);
            metrics::counter!("entente_deliveries_total", "target" => line.name().to_owned(), "end" => "unreadable")
                .increment(1);
            tracing::warn!(
                target.name = line.name(),
                delivery,
                "a delivery cannot be read by this release; it is put off"
            );
        }
        let pause = if taken.deliveries.is_empty() { POLL } else { Duration::ZERO };
        for (delivery, hand) in taken.deliveries.into_iter().zip(some) {
            let (sender, line, ended) = (self.clone(), line.clone(), Arc::clone(&hands.ended));
            self.world.spawn(async move {
                sender.deliver(&line, delivery).await;
                drop(hand);
                ended.notify_one();
            });
        }
        Ok(pause)
    }

    /// Counts what is due until the process stops, so that the metrics of each node are right.
    async fn count_all(&self, mut shutdown: Shutdown) {
        while !shutdown.is_requested() {
            if let Err(error) = self.count().await {
                tracing::warn!(%error, "deliveries cannot be counted");
            }
            tokio::select! {
                () = shutdown.requested() => {}
                () = self.world.sleep(COUNT_EVERY) => {}
            }
        }
    }

    async fn count(&self) -> Result<(), entente_database::Error> {
        let lines = Arc::clone(&self.settings.lines);
        let count = move |tx: &mut Tx<'_>| {
            for line in lines.iter() {
                let due = deliveries::count_due(tx, line.name())?;
                metrics::gauge!("entente_deliveries_due", "target" => line.name().to_owned()).set(due as f64);
            }
            metrics::gauge!("entente_deliveries_dead").set(deliveries::count_dead(tx)? as f64);
            Ok(())
        };
        self.database.read_long(count).await
    }

    /// Sends one delivery and records what became of it.
    async fn deliver(&self, line: &Line, delivery: Delivery) {
        let started = self.world.instant();
        let sent = match tokio::time::timeout(TIMEOUT, self.send(line, &delivery)).await {
            Ok(sent) => sent,
            Err(_) => Err(Undelivered::Unsent("no answer within 10 seconds".to_owned())),
        };
        let (label, name) = (if sent.is_ok() { "told" } else { "failed" }, line.name().to_owned());
        metrics::counter!("entente_deliveries_total", "target" => name.clone(), "end" => label).increment(1);
        metrics::histogram!("entente_delivery_seconds", "target" => name).record(started.elapsed().as_secs_f64());
        if let Err(error) = self.record(line, delivery, sent).await {
            tracing::warn!(target.name = line.name(), %error, "it cannot be recorded how a delivery ended; it is sent again");
        }
    }

    async fn record(
        &self,
        line: &Line,
        delivery: Delivery,
        sent: Result<(), Undelivered>,
    ) -> Result<(), entente_database::Error> {
        let now = self.world.now();
        let Err(error) = sent else {
            let told = move |tx: &mut Tx<'_>| deliveries::told(tx, &delivery, now);
            return self.database.transact("delivery told", told).await.map(drop);
        };
        let error = error.to_string();
        if delivery.attempts >= line.attempts_max() || delivery.created_at <= now.before(AGE_MAX) {
            tracing::warn!(
                target.name = delivery.target,
                attempts = delivery.attempts,
                error,
                "a delivery was given up"
            );
            let give_up = move |tx: &mut Tx<'_>| deliveries::give_up(tx, &delivery, &error, now);
            return self.database.transact("give delivery up", give_up).await.map(drop);
        }
        tracing::debug!(
            target.name = delivery.target,
            attempts = delivery.attempts,
            error,
            "a delivery has not arrived"
        );
        let again_at = now.after(wait(delivery.attempts, self.world.random()));
        let failed = move |tx: &mut Tx<'_>| deliveries::failed(tx, &delivery, &error, again_at);
        self.database.transact("delivery failed", failed).await.map(drop)
    }

    async fn send(&self, line: &Line, delivery: &Delivery) -> Result<(), Undelivered> {
        let body = message::body(delivery);
        let (name, now) = (message::name(delivery.id), self.world.now());
        let request = match line {
            Line::Target(target) => {
                let signature = signature::sign(&target.secret, now, &body);
                let request = self.post(target.url.clone(), target.reach)?;
                request.header(signature::HEADER, signature).header("x-entente-delivery", name)
            }
            Line::Webhooks(webhooks, reach) => {
                let found = webhooks.target(WebhookId::new(delivery.id.subscription.number()));
                // Nobody is left who could want to know.
                let Some(to) = found.map_err(|error| Undelivered::Unsent(error.to_string()))? else { return Ok(()) };
                let url = parse(&to.address).map_err(|error| Undelivered::Unsent(error.to_string()))?;
                signed_as_box(self.post(url, *reach)?, &to, (&name, now), &body)
            }
        };
        self.sent(request.body(body)).await
    }

    fn post(&self, url: Url, reach: Reach) -> Result<RequestBuilder, Undelivered> {
        check(&url, reach).map_err(|error| Undelivered::Unsent(error.to_string()))?;
        // Where there is a target, there are clients.
        let missing = || Undelivered::Unsent("the system has no certificates (package ca-certificates)".to_owned());
        let clients = self.clients.as_ref().ok_or_else(missing)?;
        let client = match reach {
            Reach::Public => &clients.public,
            Reach::Anywhere => &clients.anywhere,
        };
        Ok(client.post(url).header("content-type", "application/json"))
    }

    async fn sent(&self, request: RequestBuilder) -> Result<(), Undelivered> {
        let mut answer = request.send().await.map_err(unsent)?;
        let status = answer.status();
        // So that the connection can be used again; that it has arrived is known already.
        let rest = async {
            let mut left = ANSWER_BYTES_MAX;
            while let Ok(Some(piece)) = answer.chunk().await {
                left = left.saturating_sub(piece.len());
                if left == 0 {
                    break;
                }
            }
        };
        tokio::select! {
            () = rest => {}
            () = self.world.sleep(REST) => {}
        }
        if status.is_success() { Ok(()) } else { Err(Undelivered::Refused(status.as_u16())) }
    }
}

/// As Box says who it is: <https://developer.box.com/guides/webhooks/v2/signatures-v2/>.
fn signed_as_box(
    request: RequestBuilder,
    to: &WebhookTarget,
    (name, now): (&str, Timestamp),
    body: &[u8],
) -> RequestBuilder {
    // Whole seconds, so that no receiver takes it for something from the future.
    let sent_at = Moment::from_millisecond(now.millis()).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S+00:00");
    let sent_at = sent_at.to_string();
    let mut request = request.header("box-delivery-id", name).header("box-delivery-timestamp", &sent_at);
    let keys = [("box-signature-primary", &to.primary), ("box-signature-secondary", &to.secondary)];
    if keys.iter().any(|(_, key)| key.is_some()) {
        request = request.header("box-signature-version", "1").header("box-signature-algorithm", "HmacSHA256");
    }
    for (header, key) in keys {
        if let Some(key) = key {
            request = request.header(header, signature::sign_as_box(key, &sent_at, body));
        }
    }
    request
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(TIMEOUT)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(PARALLEL)
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(concat!("entente/", env!("CARGO_PKG_VERSION")))
}

/// What went wrong below HTTP, without the URL, which may be known to receivers alone.
fn unsent(error: reqwest::Error) -> Undelivered {
    let error = error.without_url();
    let mut cause: &dyn StdError = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Undelivered::Unsent(cause.to_string())
}
