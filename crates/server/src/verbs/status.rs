//! `entente status`

use super::open;
use crate::cli::Target;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::status::Status;
use entente_world::World;
use serde_json::json;

pub(crate) async fn run(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let status = Status::of(world, &store.database).await?;
    let server = store.data.server();
    let ready = store.data.ready().filter(|_| server.is_some());
    let mut value = status.to_json();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("data".to_owned(), json!(store.data.path()));
        fields.insert(
            "enterprise".to_owned(),
            json!({ "id": store.enterprise.id.to_string(), "name": store.enterprise.name }),
        );
        let url = ready.as_ref().map(|ready| &ready.url);
        fields.insert("server".to_owned(), json!({ "running": server.is_some(), "pid": server, "url": url }));
    }
    print(format, &value, || status.to_text(&store, server));
    Ok(Exit::Done)
}
