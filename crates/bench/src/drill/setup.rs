//! Configurations and installations for drills.

use super::{
    DrillArguments,
    client::{Client, Patience},
    place::Place,
    program::{ADMIN, Program},
};
use crate::{Bench, box_door::Door, dav::Collection, s3::Bucket};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::{fmt::Write as _, fs, path::PathBuf};

/// One zone with its places; one policy of its name.
pub struct ZonePlan<'a> {
    pub name: &'a str,
    pub jurisdiction: &'a str,
    pub places: Vec<&'a Place>,
    /// How many of the places, from the first, the policy names; the rest are spare.
    pub copies: usize,
    pub durable: usize,
    pub providers_min: usize,
}

impl<'a> ZonePlan<'a> {
    /// One copy, on the first place.
    pub fn single(name: &'a str, jurisdiction: &'a str, places: Vec<&'a Place>) -> Self {
        Self { name, jurisdiction, places, copies: 1, durable: 1, providers_min: 1 }
    }
}

/// The configuration of these zones; the first one's policy is the default. `more` stands at the beginning of the
/// file, `of_backend` in every backend's section.
pub fn configuration(zones: &[ZonePlan<'_>], more: &str, of_backend: &str) -> String {
    let mut text = format!("{more}\n[[custodian]]\nname = \"own\"\nkind = \"local\"\npath = \"keys/local.key\"\n");
    for (index, zone) in zones.iter().enumerate() {
        for place in &zone.places {
            text.push_str(&place.section(zone.jurisdiction));
            text.push_str(of_backend);
        }
        let names: Vec<_> = zone.places.iter().map(|place| format!("\"{}\"", place.name)).collect();
        let _ = writeln!(
            text,
            "\n[[zone]]\nname = \"{}\"\njurisdiction = \"{}\"\nbackends = [{}]\ncustodian = \"own\"",
            zone.name,
            zone.jurisdiction,
            names.join(", ")
        );
        let mut named = names.iter().take(zone.copies).map(String::as_str);
        let _ = writeln!(
            text,
            "\n[[policy]]\nname = \"{}\"\nzone = \"{}\"\nprimary = {}\nreplicas = [{}]\ndurable = {}\nproviders_min = {}",
            zone.name,
            zone.name,
            named.next().unwrap_or_default(),
            named.collect::<Vec<_>>().join(", "),
            zone.durable,
            zone.providers_min
        );
        if index == 0 {
            text.push_str("default = true\n");
        }
    }
    text
}

/// A folder for one drill, made anew and removed at the end unless it is to be kept.
pub struct Scratch {
    pub path: PathBuf,
    keep: bool,
}

impl Scratch {
    pub fn new(drill: &DrillArguments, name: &str) -> Result<Self> {
        let path = std::path::absolute(&drill.dir)?.join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path, keep: drill.keep })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.keep {
            println!("  kept {}", self.path.display());
        } else if let Err(error) = fs::remove_dir_all(&self.path) {
            eprintln!("entente-bench: cannot remove {}: {error}", self.path.display());
        }
    }
}

/// The door for the first administrator, and a client of it.
pub async fn admin(bench: &Bench, program: &Program) -> Result<(Door, Client)> {
    user(bench, program, ADMIN).await
}

/// A bucket of the first administrator, who is given an access key for it. It is not made.
pub async fn bucket(bench: &Bench, program: &Program, name: &str) -> Result<Bucket> {
    let made = program.verb(&["access-key", "create", "--login", ADMIN, "--json"]).await?;
    let made: AccessKey = serde_json::from_str(&made)?;
    let url = program.s3_url().context("the server has no S3 door")?;
    Bucket::at(bench, url, name, (&made.access_key_id, &made.secret_access_key, "us-east-1"))
}

/// What `access-key create` prints.
#[derive(Deserialize)]
struct AccessKey {
    access_key_id: String,
    secret_access_key: String,
}

/// A collection at the first administrator's root. It is not made.
pub async fn collection(bench: &Bench, program: &Program, name: &str) -> Result<Collection> {
    Collection::at(bench, &format!("{}/dav", program.url()), name, &program.token(ADMIN).await?)
}

/// The door for somebody, and a client of it.
pub async fn user(bench: &Bench, program: &Program, login: &str) -> Result<(Door, Client)> {
    let token = program.token(login).await?;
    let door = Door::at(bench, &format!("{}/box", program.url()), &token)?;
    let client = Client::new(bench, &door, Patience::None);
    Ok((door, client))
}
