//! Every method that is served, in the order of RFC 4918.

use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::handlers::{collections, content, copies, find, locks, options, patch, put};
use http::{HeaderValue, Method};

/// What is served: methods, in the order of `Allow`.
pub const METHODS: [&str; 12] =
    ["OPTIONS", "GET", "HEAD", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK"];

/// Answers a request of a caller. `OPTIONS` is answered before anybody has to say who asks.
pub(crate) async fn dispatch(asked: Asked) -> Outcome {
    match asked.parts.method.as_str() {
        "PROPFIND" => find::propfind(asked).await,
        "PROPPATCH" => patch::proppatch(asked).await,
        "MKCOL" => collections::make(asked).await,
        "GET" | "HEAD" => content::show(asked).await,
        "PUT" => put::put(asked).await,
        "DELETE" => collections::remove(asked).await,
        "COPY" => copies::copy(asked).await,
        "MOVE" => copies::relocate(asked).await,
        "LOCK" => locks::lock(asked).await,
        "UNLOCK" => locks::unlock(asked).await,
        _ => Err(Problem::method_not_allowed()),
    }
}

/// The value of `Allow`.
pub(crate) fn allow() -> HeaderValue {
    // Methods and commas are always legal in a header.
    HeaderValue::try_from(METHODS.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

/// Whether a method is answered to anybody.
pub(crate) fn is_open(method: &Method) -> bool {
    *method == Method::OPTIONS
}

/// What that is answered.
pub(crate) fn answer_anybody() -> Outcome {
    Ok(options::options())
}
