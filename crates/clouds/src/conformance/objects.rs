use super::{
    Outcome,
    trial::{Trial, size},
};
use crate::ErrorKind;
use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use std::time::Duration;

/// Larger than what any backend buffers, and not a multiple of anything.
const LARGE_BYTES: usize = 3 * 1024 * 1024 + 7;
/// As large as segments are, and more.
const SEGMENT_BYTES: usize = 9 * 1024 * 1024 + 1;
const RACERS: u8 = 16;
/// Commits that are dropped, each a little later than the one before.
const DROPS: u32 = 12;
/// How much later.
const DROP_STEP: Duration = Duration::from_millis(2);
/// How long a service is given to finish what it was doing for a request that was dropped.
const SETTLING: Duration = Duration::from_millis(200);

pub(super) async fn read_back(trial: &Trial<'_>) -> Outcome {
    for size in [1, 4096, 65_536 + 16, LARGE_BYTES, SEGMENT_BYTES] {
        let (name, bytes) = (trial.fresh_name(), trial.content(size));
        for piece_bytes in [size, size.div_ceil(40)] {
            trial.create(name, &bytes, piece_bytes).await?;
            trial.expect_holds(name, &bytes).await?;
            trial.delete(name).await?;
        }
    }
    let name = trial.fresh_name();
    trial.create(name, &Bytes::new(), 1).await?;
    trial.expect_holds(name, &Bytes::new()).await?;
    trial.expect_error(trial.backend.read(name, 0..1).await, ErrorKind::OutOfRange)?;
    trial.delete(name).await
}

pub(super) async fn ranges(trial: &Trial<'_>) -> Outcome {
    let (name, bytes) = (trial.fresh_name(), trial.content(LARGE_BYTES));
    let end = size(&bytes);
    trial.create(name, &bytes, 100_000).await?;
    let within = [0..1, 0..end, end - 1..end, 4095..4097, 65_536..131_072, 1_000_000..1_300_001, 5..end - 5];
    for range in within {
        trial.expect_reads(name, &bytes, range).await?;
    }
    let far = 1 << 40;
    #[expect(clippy::reversed_empty_ranges, reason = "they are what is asked for")]
    let beyond = [
        0..end + 1,
        end - 1..end + 1,
        end..end + 1,
        end + 10..end + 20,
        far..far + 1,
        0..u64::MAX,
        u64::MAX - 1..u64::MAX,
        // Nothing is no range.
        5..5,
        6..5,
    ];
    for range in beyond {
        trial.expect_error(trial.backend.read(name, range).await, ErrorKind::OutOfRange)?;
    }
    trial.delete(name).await
}

pub(super) async fn absent(trial: &Trial<'_>) -> Outcome {
    let name = trial.fresh_name();
    trial.expect_absent(name).await?;
    trial.expect_error(trial.backend.read(name, 0..u64::MAX).await, ErrorKind::NotFound)
}

pub(super) async fn never_overwritten(trial: &Trial<'_>) -> Outcome {
    for size in [100, LARGE_BYTES] {
        let (name, first, second) = (trial.fresh_name(), trial.content(size), trial.content(size));
        let mut early = trial.ok(trial.backend.create(name).await)?;
        trial.ok(early.write(second.clone()).await)?;
        trial.create(name, &first, size).await?;
        trial.expect_error(early.commit().await, ErrorKind::AlreadyExists)?;
        trial.expect_error(trial.try_create(name, &second, size).await, ErrorKind::AlreadyExists)?;
        trial.expect_holds(name, &first).await?;
        trial.delete(name).await?;
    }
    Ok(())
}

pub(super) async fn one_of_many_wins(trial: &Trial<'_>) -> Outcome {
    for size in [64, 300_000] {
        let name = trial.fresh_name();
        let contents: Vec<Bytes> = (0..RACERS).map(|racer| Bytes::from(vec![racer; size])).collect();
        let outcomes = join_all(contents.iter().map(|bytes| trial.try_create(name, bytes, 50_000))).await;
        let mut winner = None;
        for (bytes, outcome) in contents.iter().zip(outcomes) {
            match outcome {
                Ok(()) if winner.is_none() => winner = Some(bytes),
                Ok(()) => return Err(trial.failure("two creations of one name succeeded".to_owned())),
                lost => trial.expect_error(lost, ErrorKind::AlreadyExists)?,
            }
        }
        let winner = winner.ok_or_else(|| trial.failure("no creation succeeded".to_owned()))?;
        trial.expect_holds(name, winner).await?;
        trial.delete(name).await?;
    }
    Ok(())
}

pub(super) async fn dropped_creations(trial: &Trial<'_>) -> Outcome {
    for size in [0, 10, LARGE_BYTES] {
        let name = trial.fresh_name();
        let mut creation = trial.ok(trial.backend.create(name).await)?;
        if size > 0 {
            trial.ok(creation.write(trial.content(size)).await)?;
        }
        trial.expect_absent(name).await?;
        drop(creation);
        trial.expect_absent(name).await?;
        // Nor does it keep the name from being used.
        trial.create(name, &trial.content(10), 10).await?;
        trial.delete(name).await?;
    }
    Ok(())
}

pub(super) async fn dropped_commits(trial: &Trial<'_>) -> Outcome {
    let mut dropped = Vec::new();
    for step in 0..DROPS {
        let (name, bytes) = (trial.fresh_name(), trial.content(LARGE_BYTES));
        trial.note(name);
        let mut creation = trial.ok(trial.backend.create(name).await)?;
        trial.ok(creation.write(bytes.clone()).await)?;
        tokio::select! {
            biased;
            () = trial.world.sleep(DROP_STEP * step) => {}
            done = creation.commit() => trial.ok(done)?,
        }
        whole_or_absent(trial, name, &bytes).await?;
        dropped.push((name, bytes));
    }
    trial.world.sleep(SETTLING).await;
    for (name, bytes) in dropped {
        whole_or_absent(trial, name, &bytes).await?;
        // Whoever uses the name now either gets it or is told that it is taken, by the whole object.
        match trial.try_create(name, &bytes, LARGE_BYTES).await {
            Err(error) if error.kind != ErrorKind::AlreadyExists => trial.ok(Err(error))?,
            _ => trial.expect_holds(name, &bytes).await?,
        }
        trial.delete(name).await?;
    }
    Ok(())
}

async fn whole_or_absent(trial: &Trial<'_>, name: crate::ObjectName, bytes: &Bytes) -> Outcome {
    match trial.backend.stat(name).await {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        Err(error) => trial.ok(Err(error)),
        Ok(_) => trial.expect_holds(name, bytes).await,
    }
}

pub(super) async fn deletes(trial: &Trial<'_>) -> Outcome {
    let (name, bytes) = (trial.fresh_name(), trial.content(5000));
    trial.create(name, &bytes, 5000).await?;
    trial.expect_holds(name, &bytes).await?;
    trial.delete(name).await?;
    trial.expect_absent(name).await?;
    trial.delete(name).await?;
    trial.expect_absent(name).await
}

pub(super) async fn many_readers(trial: &Trial<'_>) -> Outcome {
    let (name, bytes) = (trial.fresh_name(), trial.content(LARGE_BYTES));
    trial.create(name, &bytes, 1_000_000).await?;
    let ranges = (0..32_u64).map(|reader| reader * 4096..size(&bytes) - reader * 65_536 / 2);
    try_join_all(ranges.map(|range| trial.expect_reads(name, &bytes, range))).await?;
    trial.delete(name).await
}
