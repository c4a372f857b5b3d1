use crate::desk::{Desk, RULE, body, moved, name, new_file, new_version};
use entente_tree::{Error, Kind, NewFolder, Recursive};
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_with_one_name_exactly_one_wins() {
    let desk = Desk::new().await;
    for round in 0..8 {
        let text = format!("Name {round}");
        let attempts = (0..16).map(|number| {
            let (tree, anna, root, text) = (desk.tree.clone(), desk.anna.clone(), desk.root, text.clone());
            desk.stage.world.spawn(async move {
                let text = if number % 2 == 0 { text } else { text.to_uppercase() };
                if number % 3 == 0 {
                    tree.create_folder(&anna, root, NewFolder::named(name(&text)), RULE).await
                } else {
                    tree.upload(&anna, root, new_file(&text), RULE, body(&[7; 5_000])).await
                }
            })
        });
        let outcomes: Vec<_> = join_all(attempts).await.into_iter().map(|outcome| outcome.expect("ran")).collect();
        let winners: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
        assert_eq!(winners.len(), 1);
        for outcome in &outcomes {
            match outcome {
                Ok(_) => {}
                Err(Error::NameInUse { winner }) => assert_eq!(winner.item.id, winners[0].item.id),
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    assert_eq!(desk.names(desk.root).await.len(), 8);
    desk.check_books();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_that_arrive_together_all_stay() {
    let desk = Desk::new().await;
    let id = desk.file(desk.root, "f", b"first").await.item.id;
    let attempts = (0..16_u8).map(|number| {
        let (tree, anna) = (desk.tree.clone(), desk.anna.clone());
        desk.stage
            .world
            .spawn(async move { tree.upload_version(&anna, id, new_version(), RULE, body(&[number])).await })
    });
    let mut numbers: Vec<_> = join_all(attempts)
        .await
        .into_iter()
        .map(|outcome| outcome.expect("ran").expect("uploaded").version.expect("a version").number)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=17).collect::<Vec<_>>());
    assert_eq!(desk.see(id, Kind::File).await.expect("seen").item.sequence, 16);
    desk.check_books();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_folders_never_end_up_inside_each_other() {
    let desk = Desk::new().await;
    for round in 0..20 {
        let one = desk.folder(desk.root, &format!("one {round}")).await;
        let two = desk.folder(desk.root, &format!("two {round}")).await;
        let (first, second) =
            tokio::join!(desk.update(one, Kind::Folder, moved(two)), desk.update(two, Kind::Folder, moved(one)));
        assert!(first.is_ok() != second.is_ok());
        desk.see(one, Kind::Folder).await.expect("below the root");
        desk.see(two, Kind::Folder).await.expect("below the root");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_added_to_a_folder_that_goes() {
    let desk = Desk::new().await;
    for round in 0..20 {
        let folder = desk.folder(desk.root, &format!("{round}")).await;
        let (added, trashed) = tokio::join!(
            desk.try_file(folder, "f", b"x"),
            desk.tree.trash_item(&desk.anna, folder, Kind::Folder, Recursive::No, None),
        );
        match (added, trashed) {
            (Ok(_), Err(Error::FolderNotEmpty)) | (Err(Error::Trashed), Ok(())) => {}
            (added, trashed) => panic!("{added:?} {trashed:?}"),
        }
    }
    desk.check_books();
}
