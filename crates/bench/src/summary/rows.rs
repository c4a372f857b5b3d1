//! What is told of a whole run, and what it is held against. The names of runs are those that `scripts/bench.sh` gives.

/// One row of the table.
pub struct Row {
    pub what: &'static str,
    pub unit: &'static str,
    pub value: Value,
    pub target: Option<Target>,
}

/// Where a figure is found: a run, and a JSON pointer into its results.
pub enum Value {
    Of { run: &'static str, pointer: &'static str, divisor: f64 },
    Ratio { of: (&'static str, &'static str), to: (&'static str, &'static str) },
}

pub enum Target {
    Least(f64),
    Most(f64),
    /// Met by the row's own figure, or else by another one.
    LeastOr {
        own: f64,
        other: Value,
        other_least: f64,
        other_name: &'static str,
    },
}

const RATE: &str = "/operations_per_second";
const MEGABYTES: &str = "/megabytes_per_second";
const P99: &str = "/latency_ms/p99";
const CPU: &str = "/server/cpu_us_per_operation";
const MEBIBYTE: f64 = 1_048_576.0;

const DOWNLOADS_TO_NGINX: Value = Value::Ratio { of: ("download-64m", MEGABYTES), to: ("nginx-64m", MEGABYTES) };

const S3_UPLOADS_TO_DISK: Value =
    Value::Ratio { of: ("s3-upload-64m", MEGABYTES), to: ("disk", "/write/megabytes_per_second") };

const fn of(run: &'static str, pointer: &'static str) -> Value {
    Value::Of { run, pointer, divisor: 1.0 }
}

const fn mebibytes(run: &'static str, pointer: &'static str) -> Value {
    Value::Of { run, pointer, divisor: MEBIBYTE }
}

const fn row(what: &'static str, unit: &'static str, value: Value, target: Target) -> Row {
    Row { what, unit, value, target: Some(target) }
}

const fn told(what: &'static str, unit: &'static str, value: Value) -> Row {
    Row { what, unit, value, target: None }
}

use Target::{Least, LeastOr, Most};

pub const ROWS: &[Row] = &[
    row("4 KiB uploads, 32 at once", "files/s", of("upload-4k", RATE), Least(4000.0)),
    row("4 KiB uploads, p99", "ms", of("upload-4k", P99), Most(50.0)),
    row("4 KiB uploads, server CPU each", "µs", of("upload-4k", CPU), Most(200.0)),
    row("4 KiB downloads, 32 at once", "files/s", of("download-4k", RATE), Least(10_000.0)),
    told("4 KiB downloads, p99", "ms", of("download-4k", P99)),
    row("4 KiB downloads, server CPU each", "µs", of("download-4k", CPU), Most(90.0)),
    told("64 MiB uploads, 4 at once", "MB/s", of("upload-64m", MEGABYTES)),
    row(
        "64 MiB uploads, 4 at once, against the disk",
        "ratio",
        Value::Ratio { of: ("upload-64m", MEGABYTES), to: ("disk", "/write/megabytes_per_second") },
        Least(0.7),
    ),
    row(
        "64 MiB downloads, 4 at once",
        "MB/s",
        of("download-64m", MEGABYTES),
        LeastOr { own: 1200.0, other: DOWNLOADS_TO_NGINX, other_least: 0.6, other_name: "of nginx" },
    ),
    told("64 MiB downloads, against nginx", "ratio", DOWNLOADS_TO_NGINX),
    row("TLS: 4 KiB uploads, 32 at once", "files/s", of("tls-upload-4k", RATE), Least(4000.0)),
    row("TLS: 4 KiB uploads, p99", "ms", of("tls-upload-4k", P99), Most(50.0)),
    row("TLS: 4 KiB uploads, server CPU each", "µs", of("tls-upload-4k", CPU), Most(200.0)),
    row("TLS: 4 KiB downloads, 32 at once", "files/s", of("tls-download-4k", RATE), Least(10_000.0)),
    row("TLS: 4 KiB downloads, server CPU each", "µs", of("tls-download-4k", CPU), Most(90.0)),
    told("TLS: 64 MiB uploads, 4 at once", "MB/s", of("tls-upload-64m", MEGABYTES)),
    told("TLS: 64 MiB downloads, 4 at once", "MB/s", of("tls-download-64m", MEGABYTES)),
    told("large folder: its first page, p50", "ms", of("list", "/first_page/latency_ms/p50")),
    row("large folder: its first page, p99", "ms", of("list", "/first_page/latency_ms/p99"), Most(25.0)),
    told("large folder: a later page, p50", "ms", of("list", "/later_pages/latency_ms/p50")),
    told("large folder: a later page, p99", "ms", of("list", "/later_pages/latency_ms/p99")),
    row("large folder: a later page, slowest", "ms", of("list", "/later_pages/latency_ms/max"), Most(25.0)),
    told("large folder: rename, p50", "ms", of("move-folder", "/rename/latency_ms/p50")),
    row("large folder: rename, p99", "ms", of("move-folder", "/rename/latency_ms/p99"), Most(5.0)),
    told("large folder: move, p50", "ms", of("move-folder", "/move/latency_ms/p50")),
    row("large folder: move, p99", "ms", of("move-folder", "/move/latency_ms/p99"), Most(5.0)),
    row(
        "64 uploads of 256 MiB and 256 slow downloads: greatest memory",
        "MiB",
        mebibytes("mixed", "/server/rss_peak_bytes"),
        Most(600.0),
    ),
    told("the same: uploads", "MB/s", of("mixed", "/uploads/megabytes_per_second")),
    told("the same: the slowest slow download", "bytes/s", of("mixed", "/slow/bytes_per_second_min")),
    told("fast downloads alone, p99", "ms", of("mixed", "/probe_alone/latency_ms/p99")),
    told("fast downloads beside slow ones, p99", "ms", of("mixed", "/probe_beside_slow/latency_ms/p99")),
    told(
        "fast downloads beside slow ones and uploads, p99",
        "ms",
        of("mixed", "/probe_beside_slow_and_uploads/latency_ms/p99"),
    ),
    told(
        "fast downloads beside slow ones, against alone",
        "ratio of files/s",
        Value::Ratio {
            of: ("mixed", "/probe_beside_slow/operations_per_second"),
            to: ("mixed", "/probe_alone/operations_per_second"),
        },
    ),
    row("idle memory, new store", "MiB", mebibytes("idle", "/server/rss_after_bytes"), Most(40.0)),
    told("idle memory, full store", "MiB", mebibytes("idle-full", "/server/rss_after_bytes")),
    told("start to ready, new store", "ms", of("start", "/milliseconds")),
    row("start to ready, full store", "ms", of("start-full", "/milliseconds"), Most(300.0)),
    told("filling the store: early", "files/s", of("fill", "/early_files_per_second")),
    told("filling the store: late", "files/s", of("fill", "/late_files_per_second")),
    row("filling the store: late against early", "ratio", of("fill", "/late_to_early"), Least(0.8)),
    row("S3 door: 4 KiB PUT, 32 at once", "objects/s", of("s3-upload-4k", RATE), Least(6000.0)),
    row("S3 door: 4 KiB PUT, p99", "ms", of("s3-upload-4k", P99), Most(25.0)),
    row("S3 door: 4 KiB PUT, server CPU each", "µs", of("s3-upload-4k", CPU), Most(180.0)),
    row("S3 door: 4 KiB GET, 32 at once", "objects/s", of("s3-download-4k", RATE), Least(12_000.0)),
    row("S3 door: 4 KiB GET, p99", "ms", of("s3-download-4k", P99), Most(25.0)),
    row("S3 door: 4 KiB GET, server CPU each", "µs", of("s3-download-4k", CPU), Most(70.0)),
    row(
        "S3 door: 64 MiB PUT, 4 at once, body unsigned",
        "MB/s",
        of("s3-upload-64m", MEGABYTES),
        LeastOr { own: 400.0, other: S3_UPLOADS_TO_DISK, other_least: 0.7, other_name: "of the disk" },
    ),
    told("S3 door: 64 MiB PUT, 4 at once, body signed", "MB/s", of("s3-upload-64m-signed", MEGABYTES)),
    row("S3 door: 64 MiB GET, 4 at once", "MB/s", of("s3-download-64m", MEGABYTES), Least(1000.0)),
    row("S3 door: greatest memory of these", "MiB", mebibytes("s3-upload-64m", "/server/rss_peak_bytes"), Most(600.0)),
    row("S3 door: 100,000 keys listed, 1,000 a page", "s", of("s3-list", "/seconds"), Most(0.8)),
    row("S3 door: first page of them, p99", "ms", of("s3-list", "/first_page/latency_ms/p99"), Most(10.0)),
    row("S3 door: 100,000 keys of a larger bucket", "s", of("s3-list-keys", "/seconds"), Most(0.8)),
    row("S3 door: first page of that, p99", "ms", of("s3-list-keys", "/first_page/latency_ms/p99"), Most(10.0)),
    told("S3 door: filling that bucket", "objects/s", of("s3-fill-keys", RATE)),
    row("WebDAV door: 4 KiB PUT, 16 at once", "files/s", of("dav-upload-4k", RATE), Least(5000.0)),
    told("WebDAV door: 4 KiB PUT, p99", "ms", of("dav-upload-4k", P99)),
    row("WebDAV door: 4 KiB PUT, server CPU each", "µs", of("dav-upload-4k", CPU), Most(180.0)),
    row("WebDAV door: 4 KiB GET, 16 at once", "files/s", of("dav-download-4k", RATE), Least(10_000.0)),
    row("WebDAV door: 4 KiB GET, server CPU each", "µs", of("dav-download-4k", CPU), Most(70.0)),
    row("WebDAV door: PROPFIND of 10,000, p50", "ms", of("dav-propfind", "/whole/latency_ms/p50"), Most(60.0)),
    row(
        "WebDAV door: PROPFIND of 10,000, first byte, p99",
        "ms",
        of("dav-propfind", "/first_byte/latency_ms/p99"),
        Most(10.0),
    ),
    told("WebDAV door: PROPFIND of a larger folder", "ms", of("dav-propfind-many", "/whole/latency_ms/p50")),
    told("WebDAV door: items in it", "", of("dav-propfind-many", "/items")),
    row(
        "WebDAV door: greatest memory meanwhile",
        "MiB",
        mebibytes("dav-propfind-many", "/server/rss_peak_bytes"),
        Most(600.0),
    ),
    row("WebDAV door over TLS: 100,000 files of 4 KiB, 16 at once", "s", of("dav-tls-100000", "/seconds"), Most(30.0)),
    told("disk: 64 MiB files, 4 at once, an fsync each", "MB/s", of("disk", "/write/megabytes_per_second")),
    told("disk: fsyncs, 1 job", "1/s", of("disk", "/fsync_1/fsyncs_per_second")),
    told("disk: fsyncs, 32 jobs", "1/s", of("disk", "/fsync_32/fsyncs_per_second")),
    told("nginx, plain file: 4 KiB downloads, 32 at once", "files/s", of("nginx-4k", RATE)),
    told("nginx, plain file: 4 KiB downloads, server CPU each", "µs", of("nginx-4k", CPU)),
    told("nginx, plain file: 64 MiB downloads, 4 at once", "MB/s", of("nginx-64m", MEGABYTES)),
    told("SeaweedFS S3, no fsync: 4 KiB uploads, 32 at once", "files/s", of("seaweedfs-upload-4k", RATE)),
    told("SeaweedFS S3: 4 KiB uploads, p99", "ms", of("seaweedfs-upload-4k", P99)),
    told("SeaweedFS S3: 4 KiB uploads, server CPU each", "µs", of("seaweedfs-upload-4k", CPU)),
    told("SeaweedFS S3: 4 KiB downloads, 32 at once", "files/s", of("seaweedfs-download-4k", RATE)),
    told("SeaweedFS S3: 4 KiB downloads, server CPU each", "µs", of("seaweedfs-download-4k", CPU)),
    told("SeaweedFS S3: 64 MiB uploads, 4 at once", "MB/s", of("seaweedfs-upload-64m", MEGABYTES)),
    told("SeaweedFS S3: 64 MiB downloads, 4 at once", "MB/s", of("seaweedfs-download-64m", MEGABYTES)),
    told("SeaweedFS S3: LIST of 100,000 keys", "s", of("seaweedfs-list", "/seconds")),
    told("SeaweedFS S3: first page, p50", "ms", of("seaweedfs-list", "/first_page/latency_ms/p50")),
    told("SeaweedFS WebDAV: 4 KiB PUT, 16 at once", "files/s", of("seaweedfs-dav-upload-4k", RATE)),
    told("SeaweedFS WebDAV: 4 KiB PUT, server CPU each", "µs", of("seaweedfs-dav-upload-4k", CPU)),
    told("SeaweedFS WebDAV: 4 KiB GET, 16 at once", "files/s", of("seaweedfs-dav-download-4k", RATE)),
    told("SeaweedFS WebDAV: PROPFIND of 10,000, p50", "ms", of("seaweedfs-dav-propfind", "/whole/latency_ms/p50")),
    told("SeaweedFS: greatest memory", "MiB", mebibytes("seaweedfs-dav-download-4k", "/server/rss_peak_bytes")),
    row(
        "disk to Azure: speed, against a raw copy beside the same clients",
        "ratio",
        of("relocate-disk-azure", "/to_raw_with_load"),
        Least(0.6),
    ),
    told(
        "disk to Azure: speed, against a raw copy with nothing beside it",
        "ratio",
        of("relocate-disk-azure", "/to_raw_idle"),
    ),
    told("disk to Azure: speed", "MB/s", of("relocate-disk-azure", MEGABYTES)),
    row(
        "disk to Azure: p99 of reads, against that on the source",
        "ratio",
        of("relocate-disk-azure", "/read_p99_to_source"),
        Most(2.0),
    ),
    told(
        "disk to Azure: p99 of reads, against that on the target",
        "ratio",
        of("relocate-disk-azure", "/read_p99_to_target"),
    ),
    row(
        "disk to Azure: p99 of writes, against that on the source",
        "ratio",
        of("relocate-disk-azure", "/write_p99_to_source"),
        Most(2.0),
    ),
    told(
        "disk to Azure: p99 of writes, against that on the target",
        "ratio",
        of("relocate-disk-azure", "/write_p99_to_target"),
    ),
    row(
        "disk to Azure: objects written a file",
        "ratio",
        of("relocate-disk-azure", "/objects_written_per_file"),
        Most(0.01),
    ),
    row("disk to Azure: requests that failed, files lost", "", of("relocate-disk-azure", "/errors/count"), Most(0.0)),
    row(
        "Azure to Google: speed, against a raw copy beside the same clients",
        "ratio",
        of("relocate-azure-gcs", "/to_raw_with_load"),
        Least(0.6),
    ),
    told(
        "Azure to Google: speed, against a raw copy with nothing beside it",
        "ratio",
        of("relocate-azure-gcs", "/to_raw_idle"),
    ),
    told("Azure to Google: speed", "MB/s", of("relocate-azure-gcs", MEGABYTES)),
    row(
        "Azure to Google: p99 of reads, against that on the source",
        "ratio",
        of("relocate-azure-gcs", "/read_p99_to_source"),
        Most(2.0),
    ),
    told(
        "Azure to Google: p99 of reads, against that on the target",
        "ratio",
        of("relocate-azure-gcs", "/read_p99_to_target"),
    ),
    row(
        "Azure to Google: p99 of writes, against that on the source",
        "ratio",
        of("relocate-azure-gcs", "/write_p99_to_source"),
        Most(2.0),
    ),
    told(
        "Azure to Google: p99 of writes, against that on the target",
        "ratio",
        of("relocate-azure-gcs", "/write_p99_to_target"),
    ),
    row(
        "Azure to Google: objects written a file",
        "ratio",
        of("relocate-azure-gcs", "/objects_written_per_file"),
        Most(0.01),
    ),
    row("Azure to Google: requests that failed, files lost", "", of("relocate-azure-gcs", "/errors/count"), Most(0.0)),
    row(
        "Google to S3: speed, against a raw copy beside the same clients",
        "ratio",
        of("relocate-gcs-s3", "/to_raw_with_load"),
        Least(0.6),
    ),
    told(
        "Google to S3: speed, against a raw copy with nothing beside it",
        "ratio",
        of("relocate-gcs-s3", "/to_raw_idle"),
    ),
    told("Google to S3: speed", "MB/s", of("relocate-gcs-s3", MEGABYTES)),
    row(
        "Google to S3: p99 of reads, against that on the source",
        "ratio",
        of("relocate-gcs-s3", "/read_p99_to_source"),
        Most(2.0),
    ),
    told(
        "Google to S3: p99 of reads, against that on the target",
        "ratio",
        of("relocate-gcs-s3", "/read_p99_to_target"),
    ),
    row(
        "Google to S3: p99 of writes, against that on the source",
        "ratio",
        of("relocate-gcs-s3", "/write_p99_to_source"),
        Most(2.0),
    ),
    told(
        "Google to S3: p99 of writes, against that on the target",
        "ratio",
        of("relocate-gcs-s3", "/write_p99_to_target"),
    ),
    row(
        "Google to S3: objects written a file",
        "ratio",
        of("relocate-gcs-s3", "/objects_written_per_file"),
        Most(0.01),
    ),
    row("Google to S3: requests that failed, files lost", "", of("relocate-gcs-s3", "/errors/count"), Most(0.0)),
    row(
        "S3 to disk: speed, against a raw copy beside the same clients",
        "ratio",
        of("relocate-s3-disk", "/to_raw_with_load"),
        Least(0.6),
    ),
    told(
        "S3 to disk: speed, against a raw copy with nothing beside it",
        "ratio",
        of("relocate-s3-disk", "/to_raw_idle"),
    ),
    told("S3 to disk: speed", "MB/s", of("relocate-s3-disk", MEGABYTES)),
    row(
        "S3 to disk: p99 of reads, against that on the source",
        "ratio",
        of("relocate-s3-disk", "/read_p99_to_source"),
        Most(2.0),
    ),
    told(
        "S3 to disk: p99 of reads, against that on the target",
        "ratio",
        of("relocate-s3-disk", "/read_p99_to_target"),
    ),
    row(
        "S3 to disk: p99 of writes, against that on the source",
        "ratio",
        of("relocate-s3-disk", "/write_p99_to_source"),
        Most(2.0),
    ),
    told(
        "S3 to disk: p99 of writes, against that on the target",
        "ratio",
        of("relocate-s3-disk", "/write_p99_to_target"),
    ),
    row("S3 to disk: objects written a file", "ratio", of("relocate-s3-disk", "/objects_written_per_file"), Most(0.01)),
    row("S3 to disk: requests that failed, files lost", "", of("relocate-s3-disk", "/errors/count"), Most(0.0)),
    row(
        "50 kills of the mover: requests that failed, files lost",
        "",
        of("relocate-kills", "/errors/count"),
        Most(0.0),
    ),
    row("outages: what failed", "", of("outage", "/errors/count"), Most(0.0)),
    row("outages: p99 of reads, added by an open breaker", "ms", of("outage", "/read_p99_added_ms"), Most(150.0)),
    told("outages: all mended within", "s", of("outage", "/longest_mending_seconds")),
    row("S3: 4 KiB files a request to the cloud", "files", of("cloud-s3", "/files_per_cloud_request"), Least(20.0)),
    told("S3: 4 KiB uploads, 32 at once", "files/s", of("cloud-s3", "/small_files_per_second")),
    row("S3: 64 MiB uploads, against the cloud itself", "ratio", of("cloud-s3", "/large_upload_to_cloud"), Least(0.75)),
    row(
        "S3: 64 MiB downloads, against the cloud itself",
        "ratio",
        of("cloud-s3", "/large_download_to_cloud"),
        Least(0.75),
    ),
    row(
        "Azure: 4 KiB files a request to the cloud",
        "files",
        of("cloud-azure", "/files_per_cloud_request"),
        Least(20.0),
    ),
    told("Azure: 4 KiB uploads, 32 at once", "files/s", of("cloud-azure", "/small_files_per_second")),
    row(
        "Azure: 64 MiB uploads, against the cloud itself",
        "ratio",
        of("cloud-azure", "/large_upload_to_cloud"),
        Least(0.75),
    ),
    row(
        "Azure: 64 MiB downloads, against the cloud itself",
        "ratio",
        of("cloud-azure", "/large_download_to_cloud"),
        Least(0.75),
    ),
    row(
        "Google: 4 KiB files a request to the cloud",
        "files",
        of("cloud-gcs", "/files_per_cloud_request"),
        Least(20.0),
    ),
    told("Google: 4 KiB uploads, 32 at once", "files/s", of("cloud-gcs", "/small_files_per_second")),
    row(
        "Google: 64 MiB uploads, against the cloud itself",
        "ratio",
        of("cloud-gcs", "/large_upload_to_cloud"),
        Least(0.75),
    ),
    row(
        "Google: 64 MiB downloads, against the cloud itself",
        "ratio",
        of("cloud-gcs", "/large_download_to_cloud"),
        Least(0.75),
    ),
    row(
        "S3 door to S3: 4 KiB objects a request to the cloud",
        "objects",
        of("cloud-s3", "/files_per_cloud_request_s3"),
        Least(20.0),
    ),
    row(
        "WebDAV door to S3: 4 KiB files a request to the cloud",
        "files",
        of("cloud-s3", "/files_per_cloud_request_dav"),
        Least(20.0),
    ),
    row(
        "S3 door to S3: 64 MiB PUT, against the cloud itself",
        "ratio",
        of("cloud-s3", "/large_s3_upload_to_cloud"),
        Least(0.75),
    ),
    row(
        "S3 door to S3: 64 MiB GET, against the cloud itself",
        "ratio",
        of("cloud-s3", "/large_s3_download_to_cloud"),
        Least(0.75),
    ),
    row(
        "S3 door to Azure: 4 KiB objects a request to the cloud",
        "objects",
        of("cloud-azure", "/files_per_cloud_request_s3"),
        Least(20.0),
    ),
    row(
        "WebDAV door to Azure: 4 KiB files a request to the cloud",
        "files",
        of("cloud-azure", "/files_per_cloud_request_dav"),
        Least(20.0),
    ),
    row(
        "S3 door to Azure: 64 MiB PUT, against the cloud itself",
        "ratio",
        of("cloud-azure", "/large_s3_upload_to_cloud"),
        Least(0.75),
    ),
    row(
        "S3 door to Azure: 64 MiB GET, against the cloud itself",
        "ratio",
        of("cloud-azure", "/large_s3_download_to_cloud"),
        Least(0.75),
    ),
    row(
        "S3 door to Google: 4 KiB objects a request to the cloud",
        "objects",
        of("cloud-gcs", "/files_per_cloud_request_s3"),
        Least(20.0),
    ),
    row(
        "WebDAV door to Google: 4 KiB files a request to the cloud",
        "files",
        of("cloud-gcs", "/files_per_cloud_request_dav"),
        Least(20.0),
    ),
    row(
        "S3 door to Google: 64 MiB PUT, against the cloud itself",
        "ratio",
        of("cloud-gcs", "/large_s3_upload_to_cloud"),
        Least(0.75),
    ),
    row(
        "S3 door to Google: 64 MiB GET, against the cloud itself",
        "ratio",
        of("cloud-gcs", "/large_s3_download_to_cloud"),
        Least(0.75),
    ),
    row("scrub of the segments of 1,000,000 small files", "s", of("scrub", "/seconds"), Most(60.0)),
    row(
        "metadata operations in many folders, two nodes against one",
        "ratio",
        of("nodes", "/many_folders/two_to_one"),
        Least(1.6),
    ),
    told("… on one node", "operations/s", of("nodes", "/many_folders/one_node/operations_per_second")),
    told(
        "… cores busy with one node, its database and its clients",
        "",
        of("nodes", "/many_folders/one_node/busy_cores"),
    ),
    told("metadata operations in one folder, two nodes against one", "ratio", of("nodes", "/one_folder/two_to_one")),
    row("requests sprayed over three nodes: what failed", "", of("nodes", "/errors/count"), Most(0.0)),
];
