#![no_main]
use entente_door_dav::{DavDoor, Options};
use entente_fuzz::{Door, Parts};
use libfuzzer_sys::fuzz_target;
use std::cell::LazyCell;

thread_local! {
    static DOOR: LazyCell<Door> =
        LazyCell::new(|| Door::new(|_, stage, _, auth| DavDoor::new(stage.tree.clone(), auth, Options::default()).router()));
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(parts) = Parts::read(bytes) {
        DOOR.with(|door| {
            let more = [("authorization", format!("Bearer {}", door.token)), ("host", "files.acme.example".to_owned())];
            door.send(&parts, &more);
        });
    }
});
