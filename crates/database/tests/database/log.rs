//! SQLite: the write-ahead log does not grow for ever, whatever goes on.

use crate::kit::{FileKit, number, set};
use entente_database::Error;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often the log has been started over, as its header counts it.
fn round(log: &Path) -> Option<[u8; 4]> {
    let mut header = [0; 16];
    std::fs::File::open(log).ok()?.read_exact(&mut header).ok()?;
    header[12..].try_into().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_started_over_while_everybody_reads_and_writes() {
    let kit = FileKit::new();
    let database = kit.open();
    let log = kit.folder.path().join("test.sqlite-wal");
    set(&database, "a", &0_u64.to_be_bytes()).await.unwrap();
    let done = AtomicBool::new(false);
    let rounds = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    database.read(|tx| number(tx, "a")).unwrap();
                    database.read(|tx| Ok::<_, Error>((number(tx, "a")?, number(tx, "b")?))).unwrap();
                }
            });
        }
        let writing = async {
            // Many times what the log may hold: 1 GiB. What is the same is not written again, so it is not the same.
            let (mut now, mut rounds, mut turn) = (round(&log), 0, 0_u32);
            while turn < 2_048 && rounds < 2 {
                turn += 1;
                set(&database, "large", &turn.to_be_bytes().repeat(128 * 1024)).await.unwrap();
                let before = std::mem::replace(&mut now, round(&log));
                rounds += u32::from(now != before);
            }
            rounds
        };
        let rounds = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(writing));
        done.store(true, Ordering::Relaxed);
        rounds
    });
    assert_eq!(rounds, 2);
    drop(database);
    let left = std::fs::metadata(&log).map_or(0, |log| log.len());
    assert_eq!(left, 0, "nothing is left to replay after a stop");
}
