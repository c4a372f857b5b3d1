use crate::kit::Kit;
use entente_model::ContentId;
use entente_testkit::database::{Database, contents};
use entente_vault::conformance::{Owner, run};
use entente_vault::{Error, Written};
use std::pin::Pin;

struct Sql(Database);

impl Owner for Sql {
    fn commit<'a>(&'a self, written: &'a Written) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
        let written = written.clone();
        Box::pin(async move {
            let commit = move |tx: &mut entente_testkit::database::Tx<'_>| contents::commit(tx, &written);
            self.0.transact("commit", commit).await.map_err(Error::ledger)
        })
    }

    fn release(&self, content: ContentId) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move {
            let release = move |tx: &mut entente_testkit::database::Tx<'_>| contents::release(tx, content);
            self.0.transact("release", release).await.map_err(Error::ledger)
        })
    }
}

#[tokio::test]
async fn sql_is_a_ledger() {
    let kit = Kit::new();
    run(&kit.database, &Sql(kit.database.clone())).await.unwrap();
}
