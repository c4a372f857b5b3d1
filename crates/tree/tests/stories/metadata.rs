//! Metadata: what a story through a door does not show.

use crate::desk::{Desk, RULE, moved, name};
use entente_database::metadata::{instances, values};
use entente_model::{Caller, ItemId, TemplateId, UserRole};
use entente_tree::metadata::{
    FieldKind, MetadataError, NewField, NewTemplate, PatchOperation, Query, Scope, Template, TemplateEdit,
    TemplateName, Values,
};
use entente_tree::{CopyTo, EnterpriseEventQuery, Error, EventKind, Kind, Recursive, RestoreTo, Tree};
use serde_json::json;

struct Office {
    desk: Desk,
    admin: Caller,
    template: TemplateName,
}

impl Office {
    async fn new() -> Self {
        let desk = Desk::new().await;
        let admin = desk.stage.person("root@example.com", "Root", UserRole::Admin).await;
        let admin = desk.stage.caller(admin, UserRole::Admin);
        let template = Scope::Enterprise(admin.enterprise);
        let office = Self { desk, admin, template: TemplateName { scope: template, key: "invoice".to_owned() } };
        office.make("invoice", true).await.expect("done");
        office
    }

    fn tree(&self) -> &Tree {
        &self.desk.tree
    }

    async fn make(&self, key: &str, copied: bool) -> Result<Template, Error> {
        let field = |key: &str, kind| NewField {
            key: Some(key.to_owned()),
            display_name: key.to_owned(),
            description: None,
            hidden: false,
            kind,
            options: Vec::new(),
            taxonomy: None,
        };
        let fields = vec![field("title", FieldKind::String), field("total", FieldKind::Float)];
        let new =
            NewTemplate { key: Some(key.to_owned()), display_name: key.to_owned(), hidden: false, copied, fields };
        self.tree().create_template(&self.admin, new).await
    }

    async fn say(&self, item: ItemId, kind: Kind, title: &str) -> Result<(), Error> {
        let said = self.tree().create_instance(&self.desk.anna, item, kind, (self.template.clone(), titled(title)));
        said.await.map(drop)
    }

    async fn said(&self, item: ItemId, kind: Kind) -> Option<String> {
        let found = self.tree().instance(&self.desk.anna, item, kind, &self.template).await.ok()?;
        Some(found.values["title"].as_str().expect("done").to_owned())
    }

    async fn tend(&self) {
        while self.tree().tend_metadata().await.expect("done") {}
    }

    async fn cascade(&self, folder: ItemId) {
        self.tree().create_cascade(&self.desk.anna, folder, self.template.clone()).await.expect("done");
        self.tend().await;
    }

    fn query(&self, text: &str) -> Query {
        Query {
            from: self.template.clone(),
            text: Some(text.to_owned()),
            parameters: Values::new(),
            ancestor: None,
            sort: None,
            show: Vec::new(),
            marker: None,
            limit: 100,
        }
    }

    async fn found(&self, caller: &Caller, query: Query) -> Vec<ItemId> {
        let (mut query, mut found) = (query, Vec::new());
        loop {
            let page = self.tree().query_metadata(caller, query.clone()).await.expect("done");
            found.extend(page.entries.iter().map(|entry| entry.item.item.id));
            match page.next {
                Some(next) => query.marker = Some(next),
                None => return found,
            }
        }
    }
}

fn titled(title: &str) -> Values {
    json!({"title": title}).as_object().expect("done").clone()
}

#[tokio::test]
async fn a_copy_keeps_what_its_template_says() {
    let office = Office::new().await;
    let desk = &office.desk;
    office.make("loose", false).await.expect("done");
    let loose = TemplateName { key: "loose".to_owned(), ..office.template.clone() };
    let folder = desk.folder(desk.root, "from").await;
    let file = desk.file(folder, "a.txt", b"a").await.item.id;
    for (item, kind) in [(folder, Kind::Folder), (file, Kind::File)] {
        office.say(item, kind, "kept").await.expect("done");
        let free = json!({"k": "v"}).as_object().expect("done").clone();
        office
            .tree()
            .create_instance(&desk.anna, item, kind, (Template::properties().name(), free))
            .await
            .expect("done");
        office.tree().create_instance(&desk.anna, item, kind, (loose.clone(), titled("lost"))).await.expect("done");
    }
    let to = |text: &str| CopyTo { parent: desk.root, name: Some(name(text)), version: None };
    let one = desk.tree.copy(&desk.anna, file, Kind::File, to("one.txt"), RULE).await.expect("done").item.id;
    let all = desk.tree.copy(&desk.anna, folder, Kind::Folder, to("all"), RULE).await.expect("done").item.id;
    let query = entente_tree::ListQuery::by_name(entente_tree::Page::After { marker: None, limit: 10 });
    let below = desk.tree.list(&desk.anna, all, query).await.expect("done").entries[0].item.id;
    for (item, kind) in [(one, Kind::File), (all, Kind::Folder), (below, Kind::File)] {
        assert_eq!(office.said(item, kind).await.as_deref(), Some("kept"));
        let keys: Vec<_> = office.tree().metadata(&desk.anna, item, kind).await.expect("done");
        let keys: Vec<_> = keys.into_iter().map(|instance| instance.template.key).collect();
        assert_eq!(keys, ["properties", "invoice"]);
    }
    // It is found by its values, too.
    assert_eq!(office.found(&desk.anna, office.query("title = 'kept'")).await.len(), 5);
}

#[tokio::test]
async fn a_copy_into_a_cascade_has_what_comes_from_there() {
    let office = Office::new().await;
    let desk = &office.desk;
    let (top, file) = (desk.folder(desk.root, "top").await, desk.file(desk.root, "a.txt", b"a").await.item.id);
    office.say(top, Kind::Folder, "from above").await.expect("done");
    office.say(file, Kind::File, "its own").await.expect("done");
    office.cascade(top).await;
    let to = CopyTo { parent: top, name: None, version: None };
    let copy = desk.tree.copy(&desk.anna, file, Kind::File, to, RULE).await.expect("done").item.id;
    assert_eq!(office.said(copy, Kind::File).await.as_deref(), Some("from above"));
    assert_eq!(office.found(&desk.anna, office.query("title = 'its own'")).await, [file]);
}

#[tokio::test]
async fn what_comes_into_a_cascade_has_it_with_all_that_is_below() {
    let office = Office::new().await;
    let desk = &office.desk;
    let (top, loose) = (desk.folder(desk.root, "top").await, desk.folder(desk.root, "loose").await);
    let inner = desk.folder(loose, "inner").await;
    let file = desk.file(inner, "a.txt", b"a").await.item.id;
    office.say(top, Kind::Folder, "A").await.expect("done");
    office.cascade(top).await;
    desk.update(loose, Kind::Folder, moved(top)).await.expect("done");
    assert_eq!(office.said(loose, Kind::Folder).await.as_deref(), Some("A"));
    office.tend().await;
    assert_eq!(office.said(file, Kind::File).await.as_deref(), Some("A"));
    // Away again, it keeps what it has, and what is new there has nothing.
    desk.update(loose, Kind::Folder, moved(desk.root)).await.expect("done");
    let new = desk.file(inner, "b.txt", b"b").await.item.id;
    assert_eq!(office.said(new, Kind::File).await, None);
    // Back from the trash into a folder with a cascade.
    desk.trash(new, Kind::File).await;
    desk.update(loose, Kind::Folder, moved(top)).await.expect("done");
    desk.tree.restore(&desk.anna, new, Kind::File, RestoreTo::default(), RULE).await.expect("done");
    assert_eq!(office.said(new, Kind::File).await.as_deref(), Some("A"));
}

#[tokio::test]
async fn the_nearest_cascade_comes_first() {
    let office = Office::new().await;
    let desk = &office.desk;
    let top = desk.folder(desk.root, "top").await;
    let near = desk.folder(top, "near").await;
    office.say(top, Kind::Folder, "far").await.expect("done");
    office.say(near, Kind::Folder, "near").await.expect("done");
    office.cascade(top).await;
    office.cascade(near).await;
    let file = desk.file(near, "a.txt", b"a").await.item.id;
    assert_eq!(office.said(file, Kind::File).await.as_deref(), Some("near"));
    assert_eq!(office.said(near, Kind::Folder).await.as_deref(), Some("near"));
}

#[tokio::test]
async fn a_large_folder_is_reached_in_batches() {
    let office = Office::new().await;
    let desk = &office.desk;
    let top = desk.folder(desk.root, "top").await;
    let mut below = Vec::new();
    for number in 0..230 {
        below.push(desk.folder(top, &format!("{number}")).await);
    }
    office.say(top, Kind::Folder, "A").await.expect("done");
    office.cascade(top).await;
    for folder in below {
        assert_eq!(office.said(folder, Kind::Folder).await.as_deref(), Some("A"));
    }
}

#[tokio::test]
async fn what_is_purged_leaves_nothing() {
    let office = Office::new().await;
    let desk = &office.desk;
    let folder = desk.folder(desk.root, "f").await;
    let file = desk.file(folder, "a.txt", b"a").await.item.id;
    office.say(folder, Kind::Folder, "A").await.expect("done");
    office.cascade(folder).await;
    desk.tree.trash_item(&desk.anna, folder, Kind::Folder, Recursive::Yes, None).await.expect("done");
    assert_eq!(office.found(&desk.anna, office.query("title = 'A'")).await, []);
    desk.tree.purge(&desk.anna, folder, Kind::Folder).await.expect("done");
    desk.finish_purge(folder).await;
    let left = |item: ItemId| desk.stage.database.read(move |tx| instances::of_item(tx, item, 10)).expect("done");
    assert_eq!((left(folder), left(file)), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_removed_template_is_gone_at_once_and_its_rows_soon() {
    let office = Office::new().await;
    let desk = &office.desk;
    let mut items = Vec::new();
    for number in 0..120 {
        let folder = desk.folder(desk.root, &format!("{number}")).await;
        office.say(folder, Kind::Folder, "A").await.expect("done");
        items.push(folder);
    }
    let template = office.tree().template(&office.admin, &office.template).await.expect("done").id;
    office.tree().delete_template(&office.admin, &office.template).await.expect("done");
    assert_eq!(office.said(items[0], Kind::Folder).await, None);
    office.make("invoice", false).await.expect("done");
    assert_eq!(office.said(items[0], Kind::Folder).await, None);
    let left = |template: TemplateId| {
        desk.stage.database.read(move |tx| instances::of_template(tx, template, None, 500)).expect("done").len()
    };
    assert_eq!(left(template), 120);
    assert!(office.tree().tend_metadata().await.expect("done"));
    assert_eq!(left(template), 20);
    office.tend().await;
    assert_eq!(left(template), 0);
}

#[tokio::test]
async fn only_administrators_change_templates() {
    let office = Office::new().await;
    let anna = &office.desk.anna;
    let edit = TemplateEdit::RemoveField { field: "title".to_owned() };
    let refused = office.tree().edit_template(anna, &office.template, vec![edit]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    let refused = office.tree().delete_template(anna, &office.template).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    let refused = office.tree().delete_template(&office.admin, &Template::properties().name()).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    let mut stranger = anna.clone();
    stranger.enterprise = entente_model::EnterpriseId::new(7);
    let hidden = office.tree().template(&stranger, &office.template).await;
    assert!(matches!(hidden, Err(Error::Metadata(MetadataError::TemplateAbsent))), "{hidden:?}");
}

#[tokio::test]
async fn a_patch_that_changes_nothing_is_no_change() {
    let office = Office::new().await;
    let desk = &office.desk;
    let file = desk.file(desk.root, "a.txt", b"a").await.item.id;
    office.say(file, Kind::File, "A").await.expect("done");
    let patch = |value: &str| PatchOperation::Replace { path: "/title".to_owned(), value: json!(value) };
    for (value, version) in [("A", 0), ("B", 1), ("B", 1)] {
        let patched =
            office.tree().patch_instance(&desk.anna, file, Kind::File, (office.template.clone(), vec![patch(value)]));
        assert_eq!(patched.await.expect("done").version, version);
    }
    let sequence = desk.see(file, Kind::File).await.expect("done").item.sequence;
    assert_eq!(sequence, 0);
}

#[tokio::test]
async fn a_query_goes_on_where_it_ended() {
    let office = Office::new().await;
    let desk = &office.desk;
    let mut made = Vec::new();
    for number in 0..25_u32 {
        let folder = desk.folder(desk.root, &format!("{number}")).await;
        let mut values = titled(&format!("t{}", number % 3));
        if number % 5 != 0 {
            values.insert("total".to_owned(), json!(f64::from(number % 4) - 1.5));
        }
        office
            .tree()
            .create_instance(&desk.anna, folder, Kind::Folder, (office.template.clone(), values))
            .await
            .expect("done");
        made.push(folder);
    }
    let total = |id: &ItemId| {
        let number = u32::try_from(made.iter().position(|folder| folder == id).expect("done")).expect("done");
        (number % 5 != 0).then_some(number % 4)
    };
    for limit in [1, 7, 100] {
        let all = office.found(&desk.anna, Query { text: None, limit, ..office.query("") }).await;
        assert_eq!(all, made);
        for order in [entente_tree::SortOrder::Ascending, entente_tree::SortOrder::Descending] {
            let sort = entente_tree::metadata::Sort { fields: vec!["total".to_owned()], order };
            let found =
                office.found(&desk.anna, Query { text: None, limit, sort: Some(sort), ..office.query("") }).await;
            let mut every = found.clone();
            every.sort_unstable();
            assert_eq!(every, made);
            let totals: Vec<_> = found.iter().map(total).collect();
            let (known, rest) = totals.split_at(20);
            assert!(rest.iter().all(Option::is_none), "{totals:?}");
            let mut sorted = known.to_vec();
            sorted.sort_unstable();
            if order == entente_tree::SortOrder::Descending {
                sorted.reverse();
            }
            assert_eq!(known, sorted);
        }
        for order in [entente_tree::SortOrder::Ascending, entente_tree::SortOrder::Descending] {
            let sort = entente_tree::metadata::Sort { fields: vec!["title".to_owned(), "total".to_owned()], order };
            let found =
                office.found(&desk.anna, Query { text: None, limit, sort: Some(sort), ..office.query("") }).await;
            let place =
                |id: &ItemId| u32::try_from(made.iter().position(|folder| folder == id).expect("made")).expect("few");
            let keys: Vec<_> = found.iter().map(|id| (place(id) % 3, total(id), place(id))).collect();
            let mut sorted = keys.clone();
            sorted.sort_by_key(|(title, total, place)| match order {
                entente_tree::SortOrder::Ascending => (*title, total.is_none(), total.unwrap_or(0), *place),
                entente_tree::SortOrder::Descending => (3 - title, total.is_none(), 4 - total.unwrap_or(0), *place),
            });
            assert_eq!(keys, sorted);
            assert_eq!(keys.len(), made.len());
        }
        let one = office.found(&desk.anna, Query { limit, ..office.query("title = 't1' AND total > 0") }).await;
        let expected: Vec<_> = made.iter().zip(0..).filter(|(_, n)| n % 3 == 1 && n % 5 != 0 && n % 4 >= 2).collect();
        assert_eq!(one, expected.into_iter().map(|(folder, _)| *folder).collect::<Vec<_>>());
    }
    // Ben sees nothing of it.
    assert_eq!(office.found(&desk.ben, office.query("title = 't1'")).await, []);
}

/// What makes a lookup among a million instances as quick as one among a few.
#[tokio::test]
async fn every_lookup_is_a_walk_along_an_index() {
    if entente_testkit::is_on_server() {
        return;
    }
    let desk = Desk::new().await;
    let plans = desk.stage.database.read(|tx| {
        let mut plans = instances::explain(tx)?;
        plans.extend(values::explain(tx)?);
        Ok::<_, entente_database::Error>(plans)
    });
    for plan in plans.expect("done") {
        assert!(plan.starts_with("SEARCH") && plan.contains("INDEX"), "{plan}");
    }
}

#[tokio::test]
async fn what_is_said_and_taken_back_is_recorded_and_what_changes_nothing_is_not() {
    let office = Office::new().await;
    let desk = &office.desk;
    let file = desk.file(desk.root, "a.txt", b"a").await.item.id;
    office.say(file, Kind::File, "one").await.expect("said");
    let tree = office.tree();
    for title in ["two", "two"] {
        let change = PatchOperation::Replace { path: "/title".to_owned(), value: json!(title) };
        tree.patch_instance(&desk.anna, file, Kind::File, (office.template.clone(), vec![change])).await.expect("done");
    }
    assert!(office.say(file, Kind::File, "again").await.is_err());
    let ben = tree.delete_instance(&desk.ben, file, Kind::File, office.template.clone()).await;
    assert!(matches!(ben, Err(Error::NotFound)), "{ben:?}");
    tree.delete_instance(&desk.anna, file, Kind::File, office.template.clone()).await.expect("removed");
    while tree.place_events().await.expect("placed") {}
    let all = EnterpriseEventQuery { limit: 100, ..Default::default() };
    let page = tree.enterprise_events(&office.admin, all).await.expect("events");
    let kinds: Vec<_> = page.entries.iter().filter(|one| one.event.item == file).map(|one| one.kind).collect();
    let expected =
        [EventKind::Created, EventKind::MetadataAdded, EventKind::MetadataChanged, EventKind::MetadataRemoved];
    assert_eq!(kinds, expected);
}
