//! A directory that fills an empty server: users, then groups of ten of them, many in a request.

use crate::{
    Bench,
    args::ProvisionArguments,
    box_door::Door,
    client::{Connection, unexpected},
    load::{self, Outcome, Worker},
    report::Report,
};
use anyhow::{Result, bail};
use http::{Method, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The one schema of such requests (RFC 7644, 3.7).
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const MEMBERS: u64 = 10;

/// What is made.
#[derive(Clone)]
enum Make {
    Users,
    /// Of the users with these ids.
    Groups(Arc<Vec<String>>),
}

/// Sends one request of many operations after another.
struct Provisioner {
    door: Door,
    uri: Uri,
    connection: Connection,
    make: Make,
    /// Operations in a request.
    batch: u64,
    total: u64,
    ids: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Operations")]
    operations: Vec<Done>,
}

#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    location: String,
    status: Value,
}

/// How fast things were made.
#[derive(Serialize)]
struct Rate {
    made: u64,
    per_second: f64,
    requests: Outcome,
}

impl Provisioner {
    fn operation(&self, number: u64) -> Value {
        let (path, data) = match &self.make {
            Make::Users => {
                let login = format!("person{number:07}@example.com");
                let name = json!({ "givenName": format!("Person {number}"), "familyName": "Example" });
                let data = json!({
                    "schemas": [USER],
                    "userName": login,
                    "name": name,
                    "externalId": format!("p-{number}"),
                    "active": true,
                });
                ("/Users", data)
            }
            Make::Groups(users) => {
                let first = number.wrapping_mul(MEMBERS);
                let member = |at: u64| {
                    let index = usize::try_from(at).unwrap_or(0).checked_rem(users.len()).unwrap_or(0);
                    users.get(index).map(|id| json!({ "value": id }))
                };
                let members: Vec<Value> = (first..first.saturating_add(MEMBERS)).filter_map(member).collect();
                let name = format!("Group {number:06}");
                ("/Groups", json!({ "schemas": [GROUP], "displayName": name, "members": members }))
            }
        };
        json!({ "method": "POST", "path": path, "bulkId": number.to_string(), "data": data })
    }
}

impl Worker for Provisioner {
    async fn open(&mut self) -> Result<()> {
        self.connection.open().await
    }

    async fn operate(&mut self, number: u64) -> Result<u64> {
        let first = number.saturating_mul(self.batch);
        let until = self.total.min(first.saturating_add(self.batch));
        let operations: Vec<Value> = (first..until).map(|number| self.operation(number)).collect();
        let body = json!({ "schemas": [BULK], "Operations": operations });
        let length = body.to_string().len() as u64;
        let (status, _, answer) = self.connection.ask(self.door.json_request(Method::POST, &self.uri, &body)).await?;
        if status != StatusCode::OK {
            bail!("{}", unexpected(status, &answer));
        }
        let answer: Answer = serde_json::from_slice(&answer)?;
        for done in &answer.operations {
            if !matches!(&done.status, Value::String(status) if status == "201") {
                bail!("one was not made: {}", done.status);
            }
        }
        if matches!(self.make, Make::Users) {
            let id = |done: Done| done.location.rsplit('/').next().map(str::to_owned);
            self.ids.extend(answer.operations.into_iter().filter_map(id));
        }
        Ok(length)
    }
}

/// Makes users, and then groups of them.
///
/// # Errors
/// When the server cannot be reached.
pub async fn provision(bench: &Bench, arguments: &ProvisionArguments) -> Result<Report> {
    let door = Door::new(bench, &arguments.target)?;
    let uri = door.uri("/Bulk")?;
    let parameters = json!({
        "url": arguments.target.url,
        "users": arguments.users,
        "groups": arguments.groups,
        "members": MEMBERS,
        "batch": arguments.batch,
        "concurrency": arguments.concurrency,
    });
    let mut report = Report::new("scim provision", parameters);
    let make = async |make: Make, total: u64, batch: u64| {
        let worker = || Provisioner {
            door: door.clone(),
            uri: uri.clone(),
            connection: door.connection(bench),
            make: make.clone(),
            batch,
            total,
            ids: Vec::new(),
        };
        let workers = std::iter::repeat_with(worker).take(arguments.concurrency).collect();
        let plan = load::Plan { count: Some(total.div_ceil(batch)), errors_max: 1, ..load::Plan::default() };
        let (outcome, workers) = load::run(bench, plan, workers).await?;
        let ids: Vec<String> = workers.into_iter().flat_map(|worker| worker.ids).collect();
        let rate = Rate { made: total, per_second: total as f64 / outcome.seconds, requests: outcome };
        anyhow::Ok((rate, ids))
    };
    let (users, ids) = make(Make::Users, arguments.users, arguments.batch).await?;
    // A group with its members is about as long as four users.
    let batch = (arguments.batch / 4).max(1);
    let (groups, _) = make(Make::Groups(Arc::new(ids)), arguments.groups, batch).await?;
    report.put("users", users)?;
    report.put("groups", groups)?;
    Ok(report)
}
