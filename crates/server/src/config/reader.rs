//! Reads a TOML document field by field, and gathers every mistake instead of stopping at the first.

use super::mistake::{Mistake, Mistakes};
use entente_clouds::SecretSource;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// A value, and the line that says it.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) line: usize,
}

/// What all sections of a document share.
pub(super) struct Document<'i> {
    text: &'i str,
    mistakes: RefCell<Mistakes>,
}

/// One table of the document. Each field is taken by who knows it; those left over are mistakes.
pub(super) struct Section<'d, 'i> {
    document: &'d Document<'i>,
    /// As it is shown: `[limits]`, `[[backend]] "azure-fr"`, or nothing for the top.
    title: String,
    /// Where it begins.
    pub(super) line: usize,
    fields: BTreeMap<String, (usize, Spanned<DeValue<'i>>)>,
    /// Every field that was asked for, in order, and whether it was there.
    asked: Vec<(&'static str, bool)>,
    /// Whether what is left over may be right, for all that can be known.
    is_unsure: bool,
}

impl<'i> Document<'i> {
    pub(super) fn new(text: &'i str) -> Self {
        Self { text, mistakes: RefCell::default() }
    }

    /// The top of the document. What is not TOML is noted; the rest of it is read all the same.
    pub(super) fn top(&self) -> Section<'_, 'i> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let line = error.span().map_or(1, |span| self.line(span.start));
            self.note(line, "", "", error.message());
        }
        Section::new(self, String::new(), 1, table.into_inner())
    }

    pub(super) fn note(&self, line: usize, section: &str, field: &str, what: impl Into<String>) {
        let mistake = Mistake { line, section: section.to_owned(), field: field.to_owned(), what: what.into() };
        self.mistakes.borrow_mut().add(mistake);
    }

    pub(super) fn mistakes(self) -> Mistakes {
        self.mistakes.into_inner()
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

impl<'d, 'i> Section<'d, 'i> {
    fn new(document: &'d Document<'i>, title: String, line: usize, table: DeTable<'i>) -> Self {
        let fields = table
            .into_iter()
            .map(|(name, value)| (name.get_ref().clone().into_owned(), (document.line(name.span().start), value)))
            .collect();
        Self { document, title, line, fields, asked: Vec::new(), is_unsure: false }
    }

    /// Names the section after what it says itself to be called.
    pub(super) fn title(&mut self, name: &str) {
        self.title = format!("{} {name:?}", self.title);
    }

    pub(super) fn shown(&self) -> &str {
        &self.title
    }

    pub(super) fn note(&self, line: usize, field: &str, what: impl Into<String>) {
        self.document.note(line, &self.title, field, what);
    }

    fn take(&mut self, field: &'static str) -> Option<(usize, DeValue<'i>)> {
        let taken = self.fields.remove(field);
        self.asked.push((field, taken.is_some()));
        taken.map(|(line, value)| (line, value.into_inner()))
    }

    /// Notes that a field is missing, if it is: one that is there and wrong has been noted already.
    pub(super) fn need<T>(&self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.has(field) {
            self.note(self.line, field, "is missing");
        }
        value
    }

    /// Whether a field that was asked for is there, be it wrong.
    pub(super) fn has(&self, field: &str) -> bool {
        self.asked.iter().any(|(asked, there)| *asked == field && *there)
    }

    pub(super) fn text(&mut self, field: &'static str) -> Option<At<String>> {
        let (line, value) = self.take(field)?;
        match value {
            DeValue::String(text) => Some(At { value: text.into_owned(), line }),
            _ => self.wrong(line, field, "must be text in quotes"),
        }
    }

    pub(super) fn parsed<T>(&mut self, field: &'static str) -> Option<At<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        let At { value, line } = self.text(field)?;
        match value.parse() {
            Ok(value) => Some(At { value, line }),
            Err(error) => self.wrong(line, field, error.to_string()),
        }
    }

    pub(super) fn path(&mut self, field: &'static str) -> Option<At<PathBuf>> {
        let At { value, line } = self.text(field)?;
        if value.is_empty() {
            return self.wrong(line, field, "is empty");
        }
        Some(At { value: PathBuf::from(value), line })
    }

    pub(super) fn number(&mut self, field: &'static str, range: RangeInclusive<u64>) -> Option<At<u64>> {
        let (line, value) = self.take(field)?;
        let number = match value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        match number.filter(|number| range.contains(number)) {
            Some(value) => Some(At { value, line }),
            None => self.wrong(line, field, format!("must be a number from {} to {}", range.start(), range.end())),
        }
    }

    pub(super) fn flag(&mut self, field: &'static str) -> Option<At<bool>> {
        let (line, value) = self.take(field)?;
        match value {
            DeValue::Boolean(value) => Some(At { value, line }),
            _ => self.wrong(line, field, "must be true or false"),
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, field: &'static str, words: &[(&str, T)]) -> Option<At<T>> {
        let At { value, line } = self.text(field)?;
        match words.iter().find(|(word, _)| *word == value) {
            Some((_, chosen)) => Some(At { value: *chosen, line }),
            None => {
                let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                self.wrong(line, field, format!("must be one of {}", words.join(", ")))
            }
        }
    }

    /// A list of texts, each with its own line.
    pub(super) fn texts(&mut self, field: &'static str) -> Option<Vec<At<String>>> {
        let (line, value) = self.take(field)?;
        let DeValue::Array(entries) = value else {
            return self.wrong(line, field, "must be a list of texts, such as [\"one\", \"two\"]");
        };
        let mut texts = Vec::new();
        for entry in entries {
            let line = self.document.line(entry.span().start);
            match entry.into_inner() {
                DeValue::String(text) => texts.push(At { value: text.into_owned(), line }),
                _ => {
                    self.note(line, field, "has something in it that is not text in quotes");
                }
            }
        }
        Some(texts)
    }

    /// Where a secret is: `FIELD_file` or `FIELD_env`, never the secret itself.
    pub(super) fn secret(
        &mut self,
        field: &'static str,
        file: &'static str,
        env: &'static str,
    ) -> Option<SecretSource> {
        if let Some((line, _)) = self.fields.remove(field) {
            let advice = format!(
                "a secret does not belong in this file: put it into a file of its own and say {file} = \"PATH\", or into \
                 an environment variable and say {env} = \"NAME\"; and change the secret, since others may have read it here"
            );
            self.note(line, field, advice);
        }
        match (self.path(file), self.text(env)) {
            (Some(_), Some(env_at)) => self.wrong(env_at.line, env, format!("stands beside {file}; give one of them")),
            (Some(path), None) => Some(SecretSource::File(path.value)),
            (None, Some(name)) => Some(SecretSource::Environment(name.value)),
            (None, None) => None,
        }
    }

    /// A section of that name, or an empty one.
    pub(super) fn table(&mut self, field: &'static str) -> Section<'d, 'i> {
        let title = format!("[{field}]");
        match self.take(field) {
            Some((line, DeValue::Table(table))) => Section::new(self.document, title, line, table),
            Some((line, _)) => {
                self.note(line, field, format!("must be a section, [{field}]"));
                Section::new(self.document, title, line, DeTable::new())
            }
            None => Section::new(self.document, title, 1, DeTable::new()),
        }
    }

    /// Every section of that name, in order.
    pub(super) fn tables(&mut self, field: &'static str) -> Vec<Section<'d, 'i>> {
        let title = format!("[[{field}]]");
        let entries: DeArray<'i> = match self.take(field) {
            Some((_, DeValue::Array(entries))) => entries,
            Some((line, _)) => {
                self.note(line, field, format!("must be a section with two brackets, [[{field}]]"));
                return Vec::new();
            }
            None => return Vec::new(),
        };
        let mut sections = Vec::new();
        for entry in entries {
            let line = self.document.line(entry.span().start);
            match entry.into_inner() {
                DeValue::Table(table) => sections.push(Section::new(self.document, title.clone(), line, table)),
                _ => self.note(line, field, format!("must be a section with two brackets, [[{field}]]")),
            }
        }
        sections
    }

    /// Which fields there may be cannot be known, since one that says so is wrong itself.
    pub(super) fn be_unsure(&mut self) {
        self.is_unsure = true;
    }

    /// Notes what is left over: nobody knows it.
    pub(super) fn finish(self) {
        for (name, (line, value)) in &self.fields {
            let what = if self.is_unsure {
                continue;
            } else if is_like_a_secret(name) {
                "is not known here, and looks like a secret: no secret belongs in this file, only the name of a file or \
                 environment variable that has it"
                    .to_owned()
            } else if matches!(value.get_ref(), DeValue::Table(_)) && self.title.is_empty() {
                format!("the section [{name}] is not known")
            } else {
                let known: Vec<_> = self.asked.iter().map(|(field, _)| *field).collect();
                format!("is not known here; known are {}", known.join(", "))
            };
            self.note(*line, name, what);
        }
    }

    fn wrong<T>(&self, line: usize, field: &str, what: impl Into<String>) -> Option<T> {
        self.note(line, field, what);
        None
    }
}

fn is_like_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["secret", "password", "token", "key", "credential"].iter().any(|word| name.contains(word))
}
