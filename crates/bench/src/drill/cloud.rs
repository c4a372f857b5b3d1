//! Small and large files on one cloud: how many requests a small file costs there, and how fast large ones go beside what
//! the cloud itself can do.

use super::{
    CloudCommand,
    checks::Checks,
    client::Patience,
    content::Content,
    operator::Operator,
    place::{Kind, Place, Visitor},
    program::Program,
    setup::{Scratch, ZonePlan, admin, bucket, collection, configuration},
    stages::Stages,
    workload::{Known, compare_all, fill},
};
use crate::{
    Bench,
    args::Payload,
    body::Framing,
    box_door::{
        Door,
        download::{Check, downloaders, resolve_all},
        upload::{Keep, Upload},
    },
    dav,
    load::{self, Outcome, Plan, Worker},
    report::Report,
    s3,
};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use serde_json::json;
use std::{sync::Arc, time::Duration};

const WHOLE_MAX: Duration = Duration::from_secs(120);
/// Files a request, at least.
const FILES_PER_REQUEST: u64 = 20;

/// Runs it.
///
/// # Errors
/// When it could not be run. What was found wrong is in the report.
pub async fn cloud(bench: &Bench, command: &CloudCommand) -> Result<Report> {
    let common = &command.common;
    let kind = command.kind;
    println!("{} files of {} bytes on {}, {} clients", command.files, command.size, kind.word(), command.clients);
    let scratch = Scratch::new(common, "cloud")?;
    let mut stages = Stages::new(&bench.world);
    let mut checks = Checks::default();
    let mut report = Report::new(
        "drill cloud",
        json!({ "kind": kind.word(), "files": command.files, "size_bytes": command.size, "clients": command.clients }),
    );
    small(bench, command, &scratch, (&mut checks, &mut report)).await?;
    stages.end("small files");
    if command.large_files > 0 && kind != Kind::Disk {
        large(bench, command, &scratch, &mut report).await?;
        stages.end("large files");
    }
    report.put("stage_seconds", stages.seconds())?;
    println!("cloud test on {}: {} checks passed, {} failed", kind.word(), checks.passed(), checks.failed());
    report.put_all(checks.verdict())?;
    Ok(report)
}

async fn small(
    bench: &Bench,
    command: &CloudCommand,
    scratch: &Scratch,
    (checks, report): (&mut Checks, &mut Report),
) -> Result<()> {
    let place = Place::fresh(command.kind, "small", &scratch.path)?.through_proxy();
    let config = configuration(&[ZonePlan::single("here", "FR", vec![&place])], "", "");
    let folder = scratch.path.join("small-server");
    let mut program = Program::new(bench, &command.common.program, &folder, &config, &[&place])?;
    program.start().await?;
    let mut operator = Operator::new(bench, &program, Patience::None).await?;
    let (door, mut client) = admin(bench, &program).await?;
    let into = client.create_folder("0", "small").await?;
    let known = Arc::new(Known::default());
    let responses = || place.proxy().map_or(0, entente_emulators::Proxy::responses);
    let (before, begun) = (responses(), bench.world.instant());
    let sizes = (command.size, command.size);
    fill((bench, &door, &into), &known, (command.files, sizes), (command.clients, command.common.seed)).await?;
    let seconds = begun.elapsed().as_secs_f64();
    operator.wait_until_whole(WHOLE_MAX).await?;
    let requests = responses() - before;
    let files_per_request = command.files as f64 / requests.max(1) as f64;
    println!(
        "  {:.0} files a second; {requests} requests to the cloud, one for {files_per_request:.1} files",
        command.files as f64 / seconds
    );
    if command.kind != Kind::Disk {
        let wrong = if requests * FILES_PER_REQUEST <= command.files {
            Ok(())
        } else {
            Err(format!("{requests} requests for {} files", command.files))
        };
        checks.check(&format!("at most one request for {FILES_PER_REQUEST} small files"), wrong);
    }
    if command.large_files > 0 {
        let content = Content { seed: command.common.seed, size_bytes: usize::try_from(command.large_size)? };
        let before = responses();
        let file = client.upload(&into, "large.bin", content).await?;
        let uploaded = responses();
        client.read(&file.id, content).await?;
        let (up, down) = (uploaded - before, responses() - uploaded);
        println!("  a file of {} bytes: {up} requests to upload it, {down} to download it", command.large_size);
        report.put("cloud_requests_of_large_upload", up)?;
        report.put("cloud_requests_of_large_download", down)?;
    }
    for word in ["s3", "dav"] {
        let before = responses();
        let clients = usize::try_from(command.clients)?;
        let plan = (clients, Plan { count: Some(command.files), errors_max: 10, ..Plan::default() });
        let outcome = if word == "s3" {
            let bucket = bucket(bench, &program, "through-s3").await?;
            s3::put_objects(bench, &bucket, ("", command.size, Payload::Signed), plan).await?
        } else {
            dav::put_files(bench, &collection(bench, &program, "through-dav").await?, command.size, plan).await?
        };
        operator.wait_until_whole(WHOLE_MAX).await?;
        if outcome.errors.count > 0 {
            bail!("small files failed: {:?}", outcome.errors.first);
        }
        let requests = responses() - before;
        let files_per_request = command.files as f64 / requests.max(1) as f64;
        println!("  through {word}: {requests} requests to the cloud, one for {files_per_request:.1} files");
        report.put(&format!("files_per_cloud_request_{word}"), files_per_request)?;
    }
    let (compared, lost) = compare_all(bench, &door, &known, 16).await?;
    checks.none_failed(&format!("{compared} small files come back as they were"), &lost);
    program.stop().await?;
    report.put("small_files_per_second", command.files as f64 / seconds)?;
    report.put("cloud_requests", requests)?;
    report.put("files_per_cloud_request", files_per_request)
}

/// Puts or gets objects at the cloud itself.
struct Direct {
    visitor: Visitor,
    content: Bytes,
    way: Way,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Put,
    Get,
}

impl Worker for Direct {
    async fn open(&mut self) -> Result<()> {
        Ok(())
    }

    async fn operate(&mut self, number: u64) -> Result<u64> {
        let name = format!("object-{number}");
        match self.way {
            Way::Put => {
                self.visitor.put(&name, self.content.clone()).await?;
                Ok(self.content.len() as u64)
            }
            Way::Get => self.visitor.drain(&name).await,
        }
    }
}

async fn large(bench: &Bench, command: &CloudCommand, scratch: &Scratch, report: &mut Report) -> Result<()> {
    let place = Place::fresh(command.kind, "large", &scratch.path)?;
    let direct_place = Place::fresh(command.kind, "direct", &scratch.path)?;
    let config = configuration(&[ZonePlan::single("here", "FR", vec![&place])], "", "");
    let folder = scratch.path.join("large-server");
    let mut program = Program::new(bench, &command.common.program, &folder, &config, &[&place])?;
    program.start().await?;
    let (door, mut client) = admin(bench, &program).await?;
    let into = client.create_folder("0", "large").await?;
    let bucket = bucket(bench, &program, "large-objects").await?;
    let concurrency = usize::try_from(command.large_clients.max(1))?;

    // The first of each warm everything up.
    let mut results = Vec::new();
    for round in ["warm", "measured"] {
        let put = direct(bench, (&direct_place, Way::Put), command, concurrency).await?;
        let get = direct(bench, (&direct_place, Way::Get), command, concurrency).await?;
        let (upload, download) = through(bench, &door, &into, command, concurrency).await?;
        let what = (round, command.large_size, Payload::Unsigned);
        let s3_put = s3::put_objects(bench, &bucket, what, (concurrency, plan(command))).await?;
        let objects_max = usize::try_from(command.large_files)?;
        let s3_get = s3::fetch_objects(bench, &bucket, (round, objects_max), (concurrency, plan(command))).await?;
        results.push((put, get, upload, download, s3_put, s3_get));
    }
    let (put, get, upload, download, s3_put, s3_get) = results.pop().context("nothing was measured")?;
    for outcome in [&put, &get, &upload, &download, &s3_put, &s3_get] {
        if outcome.errors.count > 0 {
            bail!("large files failed: {:?}", outcome.errors.first);
        }
    }
    let (up, down) = (
        upload.megabytes_per_second / put.megabytes_per_second,
        download.megabytes_per_second / get.megabytes_per_second,
    );
    println!(
        "  large uploads {:.0} MB/s, {:.0} % of the cloud's {:.0}; downloads {:.0} MB/s, {:.0} % of {:.0}",
        upload.megabytes_per_second,
        up * 100.0,
        put.megabytes_per_second,
        download.megabytes_per_second,
        down * 100.0,
        get.megabytes_per_second,
    );
    program.stop().await?;
    for place in [&place, &direct_place] {
        place.clear(bench).await?;
    }
    let (s3_up, s3_down) = (
        s3_put.megabytes_per_second / put.megabytes_per_second,
        s3_get.megabytes_per_second / get.megabytes_per_second,
    );
    println!("  through S3: uploads {:.0} % of the cloud's, downloads {:.0} %", s3_up * 100.0, s3_down * 100.0);
    report.put("large_s3_upload_to_cloud", s3_up)?;
    report.put("large_s3_download_to_cloud", s3_down)?;
    report.put("large_upload", upload)?;
    report.put("large_download", download)?;
    report.put("cloud_put", put)?;
    report.put("cloud_get", get)?;
    report.put("large_upload_to_cloud", up)?;
    report.put("large_download_to_cloud", down)
}

async fn direct(
    bench: &Bench,
    (place, way): (&Place, Way),
    command: &CloudCommand,
    concurrency: usize,
) -> Result<Outcome> {
    let mut content = vec![0; usize::try_from(command.large_size)?];
    bench.world.random().fill(&mut content);
    let content = Bytes::from(content);
    let mut workers = Vec::new();
    for _ in 0..concurrency {
        workers.push(Direct { visitor: place.visitor(bench)?, content: content.clone(), way });
    }
    Ok(load::run(bench, plan(command), workers).await?.0)
}

async fn through(
    bench: &Bench,
    door: &Door,
    folder: &str,
    command: &CloudCommand,
    concurrency: usize,
) -> Result<(Outcome, Outcome)> {
    let upload = Upload::new(bench, door, folder, command.large_size, Framing::Length)?;
    let workers = upload.workers(bench, concurrency, Keep::Ids);
    let (uploaded, workers) = load::run(bench, plan(command), workers).await?;
    let mut files: Vec<_> = workers.into_iter().flat_map(|worker| worker.files).collect();
    for file in &mut files {
        file.size = command.large_size;
    }
    let found = Arc::new(resolve_all(door, &mut door.connection(bench), files).await?);
    let workers = downloaders(bench, door, &found, concurrency, Check::Length);
    let (downloaded, _) = load::run(bench, plan(command), workers).await?;
    Ok((uploaded, downloaded))
}

fn plan(command: &CloudCommand) -> Plan {
    Plan { count: Some(command.large_files), errors_max: 10, ..Plan::default() }
}
