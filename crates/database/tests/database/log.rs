//! The write-ahead log does not grow for ever, whatever goes on.

use crate::kit::{Kit, number, set};
use entente_database::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often the log has been started over, as its header counts it.
fn round(log: &Path) -> Option<[u8; 4]> {
    let header = std::fs::read(log).ok()?;
    header.get(12..16)?.try_into().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_started_over_while_everybody_reads_and_writes() {
    let kit = Kit::new();
    let database = kit.open();
    let log = kit.folder.path().join("test.sqlite-wal");
    set(&database, "a", &0_u64.to_be_bytes()).await.unwrap();
    let (first, done) = (round(&log), AtomicBool::new(false));
    let started_over = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    database.read(|tx| number(tx, "a")).unwrap();
                    database.read(|tx| Ok::<_, Error>((number(tx, "a")?, number(tx, "b")?))).unwrap();
                }
            });
        }
        let writing = async {
            let large = vec![7; 512 * 1024];
            // Many times what the log may hold: 1 GiB.
            for turn in 0..2_048_u32 {
                set(&database, "large", &large).await.unwrap();
                if turn % 16 == 0 && round(&log) != first {
                    return true;
                }
            }
            false
        };
        let started_over = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(writing));
        done.store(true, Ordering::Relaxed);
        started_over
    });
    assert!(started_over);
    drop(database);
    let left = std::fs::metadata(&log).map_or(0, |log| log.len());
    assert_eq!(left, 0, "nothing is left to replay after a stop");
}
