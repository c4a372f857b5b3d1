//! Beginnings and ends: limits on connections, draining, hanging up.

use crate::fixture::Server;
use axum::{Router, routing::get};
use entente_door_kit::{Arrival, Limits, Listener, serve, serve::Error};
use entente_world::{Shutdown, World};
use std::{sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{Notify, Semaphore},
};

/// A route that says when it was called and then waits to be let go.
struct Held {
    called: Arc<Notify>,
    let_go: Arc<Semaphore>,
    router: Router,
}

fn held() -> Held {
    let (called, let_go) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let (tell, wait) = (Arc::clone(&called), Arc::clone(&let_go));
    let handler = move || {
        let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
        async move {
            tell.notify_one();
            let _permit = wait.acquire().await.unwrap();
            "done"
        }
    };
    Held { called, let_go, router: Router::new().route("/held", get(handler)) }
}

#[tokio::test]
async fn requests_under_way_finish_before_the_server_stops() {
    let held = held();
    let server = Server::start(held.router, Limits::default());
    let mut idle = server.connect().await;
    assert_eq!(idle.get("/absent").await.status, 404);
    let mut busy = server.connect().await;
    busy.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await;
    held.called.notified().await;
    server.stop.request();
    // An idle connection ends at once, and nobody new is let in.
    assert!(idle.rest().await.is_empty());
    assert!(TcpStream::connect(server.address).await.is_err());
    held.let_go.add_permits(1);
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.text()), (200, "done"));
    assert!(busy.rest().await.is_empty());
    server.done.await.unwrap().unwrap();
}

#[tokio::test]
async fn requests_that_do_not_end_are_hung_up_on() {
    let held = held();
    let server = Server::start(held.router, Limits { drain: Duration::from_millis(50), ..Limits::default() });
    let mut busy = server.connect().await;
    busy.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await;
    held.called.notified().await;
    server.stop.request();
    server.done.await.unwrap().unwrap();
    assert!(busy.rest().await.is_empty());
}

#[tokio::test]
async fn a_connection_over_the_limit_waits() {
    let who = |arrival: Arrival| async move { arrival.peer.to_string() };
    let router = Router::new().route("/who", get(who));
    let server = Server::start(router, Limits { connections: 2, ..Limits::default() });
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    assert_eq!(first.get("/who").await.text(), first.io.local_addr().unwrap().to_string());
    assert_eq!(second.get("/who").await.status, 200);
    let mut third = server.connect().await;
    third.send("GET /who HTTP/1.1\r\nHost: x\r\n\r\n").await;
    for _ in 0..100 {
        assert_eq!(first.get("/who").await.status, 200);
    }
    assert!(third.io.try_read(&mut [0; 1]).is_err());
    drop(second);
    assert_eq!(third.answer().await.text(), third.io.local_addr().unwrap().to_string());
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let taken = Listener::bind("127.0.0.1:0".parse().unwrap(), Router::<()>::new()).unwrap();
    let address = taken.local_address().unwrap();
    let error = Listener::bind(address, Router::<()>::new()).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    let (_stop, shutdown) = Shutdown::new();
    let nothing = serve(&World::real(), Vec::<Listener<Router>>::new(), shutdown, Limits::default()).await;
    assert!(matches!(nothing, Err(Error::NoListener)));
}
