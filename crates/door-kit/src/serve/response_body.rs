use super::progress::Progress;
use crate::request_id::RequestId;
use axum::{
    body::{Body, HttpBody},
    extract::MatchedPath,
};
use bytes::Bytes;
use http::{Method, StatusCode};
use http_body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::time::Instant;

/// An answer's body, which says when it has ended.
pub(crate) struct ResponseBody {
    body: Body,
    progress: Arc<Progress>,
    /// The number of the request on its connection.
    request: u32,
    request_id: RequestId,
    /// Only while somebody reads the access log.
    log: Option<Box<AccessLog>>,
}

/// A line of the access log in the making. It names the route, never the path, which may hold names of items.
pub(crate) struct AccessLog {
    pub(crate) method: Method,
    pub(crate) route: Option<MatchedPath>,
    pub(crate) status: StatusCode,
    pub(crate) started: Instant,
    pub(crate) sent_bytes: u64,
}

impl ResponseBody {
    pub(crate) fn new(
        body: Body,
        progress: Arc<Progress>,
        request: u32,
        request_id: RequestId,
        log: Option<Box<AccessLog>>,
    ) -> Self {
        Self { body, progress, request, request_id, log }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(log), Some(data)) = (&mut this.log, frame.data_ref()) {
                    log.sent_bytes += data.len() as u64;
                }
            }
            Some(Err(error)) => {
                tracing::warn!(request.id = %this.request_id, %error, "an answer was cut off, because its content failed");
            }
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.progress.end(self.request);
        if let Some(log) = &self.log {
            tracing::event!(
                target: super::ACCESS_LOG,
                tracing::Level::DEBUG,
                request.id = %self.request_id,
                method = log.method.as_str(),
                route = log.route.as_ref().map(MatchedPath::as_str),
                status = log.status.as_u16(),
                sent_bytes = log.sent_bytes,
                duration_ms = u64::try_from(log.started.elapsed().as_millis()).unwrap_or(u64::MAX),
                "request answered",
            );
        }
    }
}
