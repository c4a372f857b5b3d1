//! What the index knows of an item.

use crate::words::Words;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Index, TantivyDocument, Term};

/// What is known of an item. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Its id.
    pub id: i64,
    /// What kind of item, as stored.
    pub kind: i64,
    /// Its name.
    pub name: String,
    /// What stands after the last dot of a file's name.
    pub extension: Option<String>,
    /// Its description.
    pub description: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What people say of it.
    pub comments: Vec<String>,
    /// What metadata says of it, as far as it is text.
    pub values: Vec<String>,
    /// What is in it, as far as it is text. Nobody reads contents yet.
    pub content: String,
    /// Whose it is.
    pub owner: i64,
    /// Who changed it of late.
    pub updaters: Vec<i64>,
    /// When it was made.
    pub created: i64,
    /// When it last changed.
    pub modified: i64,
    /// Its size in bytes; 0 of what has no content.
    pub size: i64,
}

/// The fields of the index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub id: Field,
    pub kind: Field,
    pub name: Field,
    pub name_ends: Field,
    pub extension: Field,
    pub description: Field,
    pub tags: Field,
    pub comments: Field,
    pub values: Field,
    pub content: Field,
    pub owner: Field,
    pub updaters: Field,
    pub created: Field,
    pub modified: Field,
    pub size: Field,
}

/// The fast field of the ids.
pub(crate) const ID: &str = "id";
/// The fast field of when items last changed.
pub(crate) const MODIFIED: &str = "modified";
const WHOLE: &str = "words";
const ENDS: &str = "ends";

fn text(tokenizer: &str, record: IndexRecordOption) -> TextOptions {
    let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(record);
    TextOptions::default().set_indexing_options(indexing)
}

impl Fields {
    pub(crate) fn schema() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let whole = || text(WHOLE, IndexRecordOption::WithFreqsAndPositions);
        let number = || NumericOptions::default() | INDEXED | FAST;
        let fields = Self {
            id: schema.add_i64_field(ID, number()),
            kind: schema.add_i64_field("kind", number()),
            name: schema.add_text_field("name", whole()),
            name_ends: schema.add_text_field("name_ends", text(ENDS, IndexRecordOption::Basic)),
            extension: schema.add_text_field("extension", text("raw", IndexRecordOption::Basic)),
            description: schema.add_text_field("description", whole()),
            tags: schema.add_text_field("tags", whole()),
            comments: schema.add_text_field("comments", whole()),
            values: schema.add_text_field("values", whole()),
            content: schema.add_text_field("content", whole()),
            owner: schema.add_i64_field("owner", number()),
            updaters: schema.add_i64_field("updaters", INDEXED),
            created: schema.add_i64_field("created", number()),
            modified: schema.add_i64_field(MODIFIED, number()),
            size: schema.add_i64_field("size", number()),
        };
        (schema.build(), fields)
    }

    /// Tells an index how texts become words.
    pub(crate) fn register(index: &Index) {
        index.tokenizers().register(WHOLE, TextAnalyzer::from(Words::Whole));
        index.tokenizers().register(ENDS, TextAnalyzer::from(Words::Ends));
    }

    pub(crate) fn of_id(&self, id: i64) -> Term {
        Term::from_field_i64(self.id, id)
    }

    pub(crate) fn document(&self, from: &Document) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_i64(self.id, from.id);
        document.add_i64(self.kind, from.kind);
        document.add_text(self.name, &from.name);
        document.add_text(self.name_ends, &from.name);
        if let Some(extension) = &from.extension {
            document.add_text(self.extension, extension);
        }
        let texts = [(self.description, &from.description), (self.content, &from.content)];
        for (field, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            document.add_text(field, text);
        }
        for (field, texts) in [(self.tags, &from.tags), (self.comments, &from.comments), (self.values, &from.values)] {
            for text in texts {
                document.add_text(field, text);
            }
        }
        document.add_i64(self.owner, from.owner);
        for id in &from.updaters {
            document.add_i64(self.updaters, *id);
        }
        document.add_i64(self.created, from.created);
        document.add_i64(self.modified, from.modified);
        document.add_i64(self.size, from.size);
        document
    }
}
