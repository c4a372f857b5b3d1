//! The index itself: opened or made, written by one, asked by many.

use crate::directory::Sealed;
use crate::fields::{Document, Fields, ID, MODIFIED};
use crate::question::{Order, Question};
use crate::{Error, keep};
use entente_model::{EnterpriseId, ZoneId};
use entente_vault::{CacheKey, Vault};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::collector::TopDocs;
use tantivy::query::Query;
use tantivy::{DocAddress, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher};

/// Memory of what is not written yet.
const WRITER_BYTES: usize = 32 * 1024 * 1024;

/// How far the index has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// All changes up to this position are in it.
    pub position: i64,
    /// While it is made: all items up to this id are in it. `None` once all are.
    pub filled: Option<i64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.filled {
            Some(filled) => write!(f, "{} {filled}", self.position),
            None => write!(f, "{} -", self.position),
        }
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (position, filled) = text.split_once(' ').ok_or(())?;
        let filled = if filled == "-" { None } else { Some(filled.parse().map_err(|_| ())?) };
        Ok(Self { position: position.parse().map_err(|_| ())?, filled })
    }
}

/// An index of words. Cheap to clone; each folder has one.
#[derive(Clone)]
pub struct Index(Arc<Inner>);

struct Inner {
    vault: Vault,
    key: Arc<CacheKey>,
    fields: Fields,
    index: tantivy::Index,
    reader: IndexReader,
    writer: Mutex<IndexWriter>,
}

/// What a question has found: ids, one batch after the other, of one state of the index.
pub struct Results {
    searcher: Searcher,
    query: Box<dyn Query>,
    order: Order,
    reached: usize,
}

impl Index {
    /// Opens the index of a folder, or makes an empty one if there is none, or none that can be used. Its key hangs on those
    /// of an enterprise in a zone. `Key` may be tried again later.
    pub async fn open(vault: &Vault, scope: (EnterpriseId, ZoneId), folder: PathBuf) -> Result<Self, Error> {
        let key = Arc::new(keep::key(vault, scope, &folder).await?);
        match Self::with(vault, key, &folder) {
            Ok(index) => Ok(index),
            Err(_) => {
                keep::clear(&folder)?;
                let key = Arc::new(keep::key(vault, scope, &folder).await?);
                Self::with(vault, key, &folder)
            }
        }
    }

    /// Removes what is in a folder, whatever it is; the next who opens it makes it anew.
    pub fn clear(folder: &std::path::Path) -> Result<(), Error> {
        keep::clear(folder)
    }

    fn with(vault: &Vault, key: Arc<CacheKey>, folder: &std::path::Path) -> Result<Self, Error> {
        let (schema, fields) = Fields::schema();
        let directory = Sealed::new(keep::files(folder), Arc::clone(&key));
        let index = tantivy::Index::builder().schema(schema).settings(IndexSettings::default());
        let index = index.open_or_create(directory)?;
        Fields::register(&index);
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let writer = Mutex::new(index.writer_with_num_threads(1, WRITER_BYTES)?);
        Ok(Self(Arc::new(Inner { vault: vault.clone(), key, fields, index, reader, writer })))
    }

    /// Fails when the key may not be used any more.
    pub async fn check(&self) -> Result<(), Error> {
        self.0.vault.check_cache_key(&self.0.key).await.map_err(Error::Key)
    }

    /// How far it has got; `None` when nothing was ever written.
    pub fn place(&self) -> Result<Option<Place>, Error> {
        let metas = self.0.index.load_metas()?;
        Ok(metas.payload.and_then(|text| text.parse().ok()))
    }

    /// Puts documents in the places of those with their ids, takes those of other items out, and is then at that place, all
    /// of it or nothing. Slow: it waits for the disk.
    pub fn write(&self, put: &[Document], out: &[i64], place: Place) -> Result<(), Error> {
        let inner = &self.0;
        let mut writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for id in out.iter().copied().chain(put.iter().map(|document| document.id)) {
            writer.delete_term(inner.fields.of_id(id));
        }
        for document in put {
            writer.add_document(inner.fields.document(document))?;
        }
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&place.to_string());
        commit.commit()?;
        inner.reader.reload()?;
        Ok(())
    }

    /// Asks. What has come into the index by now is found, and nothing later.
    #[must_use]
    pub fn ask(&self, question: &Question) -> Results {
        let query = question.query(&self.0.fields);
        Results { searcher: self.0.reader.searcher(), query, order: question.order, reached: 0 }
    }

    /// How many items it knows.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.reader.searcher().num_docs()
    }
}

impl Results {
    /// The ids of the next `limit` candidates; empty at the end. Slow.
    pub fn next(&mut self, limit: usize) -> Result<Vec<i64>, Error> {
        let top = TopDocs::with_limit(limit.max(1)).and_offset(self.reached);
        let by_date = |top: TopDocs, order| top.order_by_fast_field::<i64>(MODIFIED, order);
        let found: Vec<DocAddress> = match self.order {
            Order::Relevance => addresses(self.searcher.search(&self.query, &top.order_by_score())?),
            Order::LatestFirst => addresses(self.searcher.search(&self.query, &by_date(top, tantivy::Order::Desc))?),
            Order::EarliestFirst => addresses(self.searcher.search(&self.query, &by_date(top, tantivy::Order::Asc))?),
        };
        self.reached += found.len();
        let mut ids = Vec::with_capacity(found.len());
        for address in found {
            let segment = self.searcher.segment_reader(address.segment_ord);
            ids.extend(segment.fast_fields().i64(ID)?.first(address.doc_id));
        }
        Ok(ids)
    }
}

fn addresses<S>(found: Vec<(S, DocAddress)>) -> Vec<DocAddress> {
    found.into_iter().map(|(_, address)| address).collect()
}
