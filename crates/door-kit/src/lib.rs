//! What every door needs, and no vendor's business.
//!
//! A door decodes one vendor's requests and encodes its answers. What the doors have in common is here: [`serve()`]
//! accepts connections, plain or [`tls`], and drains them; [`Limits`] bounds all of it; [`Arrival`] says how a
//! request came in; [`host`] and [`origin`] know by which name; [`range`], [`precondition`], [`media_type`], [`multipart`] and [`json`] read the
//! parts of HTTP that vendors share; [`page`] and [`language`] make what people see in a browser; [`stream`] sends contents of known length; [`turns`] bounds what strangers may do; [`metrics`] counts.
//!
//! The way of a request: a listener accepts the connection (no more than the limit), Nagle's algorithm is
//! switched off, TLS is agreed in the connection's own task. The head is read, a vendor's host name becomes a path
//! prefix, an [`Arrival`] is attached, and the service (usually an axum router) is called. Every wait for the other
//! side has a limit: for a head, for the next piece of a body, for a reader to take what was written.
//!
//! The kit knows no item, no folder and no vendor, and it keeps nothing between requests.

pub mod arrival;
pub mod auth;
pub mod body;
pub mod host;
pub mod json;
pub mod language;
pub mod limits;
pub mod media_type;
pub mod metrics;
pub mod multipart;
pub mod origin;
pub mod page;
pub mod precondition;
pub mod range;
pub mod request_id;
pub mod serve;
mod slowdown;
pub mod stream;
pub mod tls;
pub mod turns;

pub use arrival::{Arrival, Entry, Scheme};
pub use auth::Auth;
pub use body::{BodyError, read_bounded};
pub use limits::Limits;
pub use request_id::RequestId;
pub use serve::{Listener, serve};
