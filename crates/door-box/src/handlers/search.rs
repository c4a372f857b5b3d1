//! Search.

use super::metadata_shapes::scope_named;
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::steps;
use crate::wire::date;
use crate::wire::id::{self, FromNumber};
use crate::wire::item::{FILE, Item, TRASH_FOLDER, WEB_LINK};
use crate::wire::query::{OFFSET_MAX, Query};
use crate::wire::search::{FilterBody, SearchResult, SearchResults, range};
use entente_model::{Caller, ItemId, Timestamp, UserId};
use entente_tree::limits::SEARCH_PAGE_MAX;
use entente_tree::metadata::TemplateName;
use entente_tree::{
    Error as TreeError, ItemView, Kind, MetadataFilter, Search, SearchOrder, SearchPlace, SearchTrash, Within,
};
use http::StatusCode;
use std::str::FromStr;

/// Results on a page when nobody says.
const LIMIT_DEFAULT: u32 = 30;

pub(crate) async fn find(asked: Asked, caller: Caller) -> Outcome {
    let search = wanted(&asked, &caller)?;
    let (offset, limit) = (search.offset, search.limit);
    let with_links = asked.query().is_set("include_recent_shared_links");
    let found = asked.tree().search(&caller, search).await?;
    let views: &[ItemView] = &found.entries;
    let sharing = asked.sharing(asked.fields(FILE), views).await?;
    let look = asked.look();
    let paths: Vec<_> = views.iter().map(|view| steps(&view.path, view.state)).collect();
    let shown = views.iter().zip(&paths).zip(sharing).map(|((view, path), sharing)| {
        let standard = match view.item.kind {
            Kind::File => FILE,
            Kind::Folder => TRASH_FOLDER,
            Kind::WebLink => WEB_LINK,
        };
        Item { sharing, ..look.item_at(view, path, asked.fields(standard)) }
    });
    let total_count = found.total;
    if !with_links {
        let kind = "search_results_items";
        let page = SearchResults { total_count, entries: shown.collect(), offset, limit, kind };
        return Ok(answer::json(StatusCode::OK, &page));
    }
    let result = |item| SearchResult { item, kind: "search_result" };
    let (entries, kind) = (shown.map(result).collect(), "search_results_with_shared_links");
    Ok(answer::json(StatusCode::OK, &SearchResults { total_count, entries, offset, limit, kind }))
}

fn wanted(asked: &Asked, caller: &Caller) -> Result<Search, Problem> {
    let query = asked.query();
    let text = query.value("query").unwrap_or_default().into_owned();
    let metadata = query.value("mdfilters").map(|text| filter(caller, &text)).transpose()?;
    if text.trim().is_empty() && metadata.is_none() {
        return Err(Problem::missing("query"));
    }
    if choice(query, "scope", &["user_content", "enterprise_content"])? == Some(1) {
        // Nobody has been given the sight of all that an enterprise has.
        return Err(TreeError::Forbidden.into());
    }
    let latest_first = choice(query, "direction", &["DESC", "ASC"])? != Some(1);
    let order = match choice(query, "sort", &["relevance", "modified_at"])? {
        Some(1) if latest_first => SearchOrder::LatestFirst,
        Some(1) => SearchOrder::EarliestFirst,
        _ => SearchOrder::Relevance,
    };
    let trash = match choice(query, "trash_content", &["non_trashed_only", "trashed_only", "all_items"])? {
        Some(1) => SearchTrash::Only,
        Some(2) => SearchTrash::With,
        _ => SearchTrash::Without,
    };
    let kind = choice(query, "type", &["file", "folder", "web_link"])?;
    let offset = number(query, "offset")?.unwrap_or(0);
    let offset = u32::try_from(offset).ok().filter(|offset| u64::from(*offset) <= OFFSET_MAX);
    let limit = number(query, "limit")?.map_or(LIMIT_DEFAULT, |limit| u32::try_from(limit).unwrap_or(u32::MAX));
    // The root is above everything that somebody sees.
    let folders = list(query, "ancestor_folder_ids");
    let is_anywhere = folders.iter().any(|folder| folder == "0");
    Ok(Search {
        text,
        places: list(query, "content_types").iter().map(|word| place(word)).collect::<Result<_, _>>()?,
        kind: kind.and_then(|kind| [Kind::File, Kind::Folder, Kind::WebLink].get(kind).copied()),
        extensions: list(query, "file_extensions"),
        created: dates(query, "created_at_range")?,
        modified: dates(query, "updated_at_range")?,
        size: within(query, "size_range", |text| text.parse().ok())?,
        owners: ids::<UserId>(query, "owner_user_ids")?,
        updaters: ids::<UserId>(query, "recent_updater_user_ids")?,
        ancestors: if is_anywhere { Vec::new() } else { ids::<ItemId>(query, "ancestor_folder_ids")? },
        trash,
        trashers: ids::<UserId>(query, "deleted_user_ids")?,
        trashed: dates(query, "deleted_at_range")?,
        metadata,
        order,
        offset: offset.ok_or_else(|| Problem::invalid("offset", "'offset' must be a number up to 10000"))?,
        limit: limit.min(SEARCH_PAGE_MAX),
    })
}

/// What stands between commas, of a parameter that may be there several times.
fn list(query: Query<'_>, name: &str) -> Vec<String> {
    let values = query.values(name);
    let parts = values.iter().flat_map(|value| value.split(',')).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn ids<I: FromStr + FromNumber>(query: Query<'_>, name: &'static str) -> Result<Vec<I>, Problem> {
    let malformed = || Problem::invalid(name, format!("'{name}' must be ids between commas"));
    list(query, name).iter().map(|text| id::parse(text).map_err(|_| malformed())).collect()
}

/// Which of some words a parameter is; `None` without it.
fn choice(query: Query<'_>, name: &'static str, words: &[&str]) -> Result<Option<usize>, Problem> {
    let Some(value) = query.value(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let found = words.iter().position(|word| word.eq_ignore_ascii_case(&value));
    found.map(Some).ok_or_else(|| Problem::invalid(name, format!("'{name}' must be one of: {}", words.join(", "))))
}

fn number(query: Query<'_>, name: &'static str) -> Result<Option<u64>, Problem> {
    let Some(value) = query.value(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let malformed = |_| Problem::invalid(name, format!("'{name}' must be a number that is not negative"));
    value.parse().map(Some).map_err(malformed)
}

fn place(word: &str) -> Result<SearchPlace, Problem> {
    Ok(match word {
        "name" => SearchPlace::Name,
        "description" => SearchPlace::Description,
        "tags" => SearchPlace::Tags,
        "comments" => SearchPlace::Comments,
        "file_content" => SearchPlace::Content,
        _ => {
            let message = "'content_types' must be of: name, description, file_content, comments, tags";
            return Err(Problem::invalid("content_types", message));
        }
    })
}

fn dates(query: Query<'_>, name: &'static str) -> Result<Within<Timestamp>, Problem> {
    // An offset from UTC may have come with a plus that nobody encoded.
    within(query, name, |text| date::parse(&text.replace(' ', "+")))
}

fn within<T>(query: Query<'_>, name: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<Within<T>, Problem> {
    let Some(value) = query.value(name) else { return Ok(Within { from: None, upto: None }) };
    let malformed = || Problem::invalid(name, format!("'{name}' must be two values with a comma between them"));
    let (from, upto) = range(&value).ok_or_else(malformed)?;
    let end = |text: Option<&str>| text.map(|text| read(text).ok_or_else(malformed)).transpose();
    Ok(Within { from: end(from)?, upto: end(upto)? })
}

/// The one template that filters, and what it has to say.
fn filter(caller: &Caller, text: &str) -> Result<MetadataFilter, Problem> {
    let malformed = || Problem::invalid("mdfilters", "'mdfilters' must be a list of one filter, as JSON");
    let filters: Vec<FilterBody> = serde_json::from_str(text).map_err(|_| malformed())?;
    let [filter] = <[FilterBody; 1]>::try_from(filters).map_err(|_| malformed())?;
    let (scope, key) = filter.scope.zip(filter.template_key).ok_or_else(malformed)?;
    let template = TemplateName { scope: scope_named(caller, &scope)?, key };
    Ok(MetadataFilter { template, fields: filter.filters })
}
