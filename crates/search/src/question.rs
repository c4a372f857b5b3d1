//! What is looked for, as the index understands it.

use crate::fields::Fields;
use crate::grammar::{Ask, Term as Words};
use std::ops::Bound;
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, FuzzyTermQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query,
    RangeQuery, TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum In {
    /// In names.
    Name,
    /// In descriptions.
    Description,
    /// In tags.
    Tags,
    /// In what people say.
    Comments,
    /// In contents.
    Content,
    /// In what metadata says.
    Values,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What fits best.
    Relevance,
    /// What changed last.
    LatestFirst,
    /// What has not changed for longest.
    EarliestFirst,
}

/// What is looked for. An empty list leaves the choice open; so does a `None`. Ranges have both ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Words.
    pub ask: Option<Ask>,
    /// Where.
    pub places: Vec<In>,
    /// Of which kind.
    pub kind: Option<i64>,
    /// With which extension, in lower case.
    pub extensions: Vec<String>,
    /// Made when.
    pub created: (Option<i64>, Option<i64>),
    /// Changed when.
    pub modified: (Option<i64>, Option<i64>),
    /// How large.
    pub size: (Option<i64>, Option<i64>),
    /// Whose.
    pub owners: Vec<i64>,
    /// Changed by whom of late.
    pub updaters: Vec<i64>,
    /// Only some of these. Unlike of the other lists, an empty one leaves nothing.
    pub ids: Option<Vec<i64>>,
    /// In which order.
    pub order: Order,
}

impl Default for Question {
    fn default() -> Self {
        let open = (None, None);
        Self {
            ask: None,
            places: Vec::new(),
            kind: None,
            extensions: Vec::new(),
            created: open,
            modified: open,
            size: open,
            owners: Vec::new(),
            updaters: Vec::new(),
            ids: None,
            order: Order::Relevance,
        }
    }
}

type Clauses = Vec<(Occur, Box<dyn Query>)>;

impl Question {
    pub(crate) fn query(&self, fields: &Fields) -> Box<dyn Query> {
        let mut clauses: Clauses = Vec::new();
        if let Some(ask) = &self.ask {
            clauses.push((Occur::Must, self.asked(fields, ask)));
        }
        let mut only = |query: Box<dyn Query>| clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(query, 0.0))));
        let numbers = |field, ids: &[i64]| -> Box<dyn Query> {
            Box::new(TermSetQuery::new(ids.iter().map(|id| Term::from_field_i64(field, *id)).collect::<Vec<_>>()))
        };
        if let Some(kind) = self.kind {
            only(numbers(fields.kind, &[kind]));
        }
        if let Some(ids) = &self.ids {
            only(numbers(fields.id, ids));
        }
        if !self.owners.is_empty() {
            only(numbers(fields.owner, &self.owners));
        }
        if !self.updaters.is_empty() {
            only(numbers(fields.updaters, &self.updaters));
        }
        if !self.extensions.is_empty() {
            let terms = self.extensions.iter().map(|text| Term::from_field_text(fields.extension, text));
            only(Box::new(TermSetQuery::new(terms.collect::<Vec<_>>())));
        }
        let ranges = [(fields.created, self.created), (fields.modified, self.modified), (fields.size, self.size)];
        for (field, (from, upto)) in ranges {
            if from.is_none() && upto.is_none() {
                continue;
            }
            let bound = |end: Option<i64>| {
                end.map_or(Bound::Unbounded, |end| Bound::Included(Term::from_field_i64(field, end)))
            };
            only(Box::new(RangeQuery::new(bound(from), bound(upto))));
        }
        if clauses.is_empty() {
            return Box::new(AllQuery);
        }
        Box::new(BooleanQuery::new(clauses))
    }

    fn asked(&self, fields: &Fields, ask: &Ask) -> Box<dyn Query> {
        let any = ask.0.iter().map(|all| {
            let mut clauses: Clauses = Vec::new();
            if all.iter().all(|term| term.not) {
                clauses.push((Occur::Must, Box::new(AllQuery)));
            }
            for term in all {
                let occur = if term.not { Occur::MustNot } else { Occur::Must };
                clauses.push((occur, self.term(fields, term)));
            }
            let all: Box<dyn Query> = Box::new(BooleanQuery::new(clauses));
            (Occur::Should, all)
        });
        Box::new(BooleanQuery::new(any.collect()))
    }

    /// A run of words in any of the places.
    fn term(&self, fields: &Fields, term: &Words) -> Box<dyn Query> {
        let places: &[In] = if self.places.is_empty() {
            &[In::Name, In::Description, In::Tags, In::Comments, In::Content, In::Values]
        } else {
            &self.places
        };
        let mut clauses: Clauses = Vec::new();
        // That something is not found must not say what stands where not everybody may read who sees it.
        let places = places.iter().filter(|place| !term.not || !matches!(place, In::Comments | In::Values));
        let mut or = |query: Box<dyn Query>, weight| {
            clauses.push((Occur::Should, Box::new(BoostQuery::new(query, weight))));
        };
        for place in places {
            let (field, weight) = match place {
                In::Name => (fields.name, 4.0),
                In::Description => (fields.description, 1.5),
                In::Tags => (fields.tags, 2.0),
                In::Comments => (fields.comments, 1.0),
                In::Content => (fields.content, 1.0),
                In::Values => (fields.values, 1.5),
            };
            or(run(field, &term.words), weight);
            let (Some((last, before)), false) = (term.words.split_last(), term.exact) else { continue };
            // Who types has perhaps not typed the last word to its end.
            if before.is_empty() {
                or(beginning(field, last), weight / 4.0);
                if *place == In::Name && last.chars().nth(1).is_some() {
                    or(beginning(fields.name_ends, last), weight / 8.0);
                }
            } else {
                let terms = term.words.iter().map(|word| Term::from_field_text(field, word)).collect();
                or(Box::new(PhrasePrefixQuery::new(terms)), weight / 8.0);
            }
        }
        Box::new(BooleanQuery::new(clauses))
    }
}

/// Words that follow each other.
fn run(field: Field, words: &[String]) -> Box<dyn Query> {
    let term = |word: &String| Term::from_field_text(field, word);
    match words {
        [word] => Box::new(TermQuery::new(term(word), IndexRecordOption::WithFreqs)),
        _ => Box::new(PhraseQuery::new(words.iter().map(term).collect())),
    }
}

/// A word that begins so.
fn beginning(field: Field, word: &str) -> Box<dyn Query> {
    Box::new(FuzzyTermQuery::new_prefix(Term::from_field_text(field, word), 0, false))
}
