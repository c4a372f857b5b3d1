//! Memory stays within its limits, whatever clients do.

use crate::backend::SlowBackend;
use crate::kit::{CHUNK, SCOPE, plaintext};
use bytes::Bytes;
use entente_vault::Limits;
use std::pin::{Pin, pin};
use std::task::Poll;

async fn poll_once<F: Future>(mut future: Pin<&mut F>) {
    std::future::poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_write_has_few_segments_open() {
    let (kit, backend) = SlowBackend::kit(Limits::default());
    let piece = Bytes::from(vec![7; CHUNK / 8]);
    let body = futures_util::stream::iter((0..7 * 8).map(|_| Ok(piece.clone())));
    let written = kit.vault.write(SCOPE, u64::MAX, body).await.unwrap();
    assert_eq!((written.segments.len(), kit.objects.names().len()), (7, 7));
    let most = 1 + Limits::default().commits_per_write_max;
    assert!(backend.open_most() <= most, "{} were open", backend.open_most());
}

#[tokio::test(start_paused = true)]
async fn clients_that_go_away_do_not_leave_more_behind_than_the_budget() {
    let budget_bytes = 100_000;
    let (kit, backend) = SlowBackend::kit(Limits { budget_bytes, shared_writers: 1, ..Limits::default() });
    kit.keep(&plaintext(10)).await;
    let plain = plaintext(60_000);
    for _ in 0..20 {
        let mut write = pin!(kit.write(&plain));
        poll_once(write.as_mut()).await;
        while backend.open_now() == 0 {
            tokio::task::yield_now().await;
        }
    }
    kit.keep(&plaintext(10)).await;
    let stored = kit.objects.total_bytes();
    assert!(stored < 200_000, "{stored} bytes were waiting, of which nobody wanted to know");
}
