#![no_main]
use entente_door_oauth::{OAuthDoor, Options};
use entente_fuzz::{Door, Parts};
use libfuzzer_sys::fuzz_target;
use std::cell::LazyCell;

thread_local! {
    static DOOR: LazyCell<Door> =
        LazyCell::new(|| Door::new(|_, stage, _, _| OAuthDoor::new(stage.identity.clone(), Options::default()).router()));
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(parts) = Parts::read(bytes) {
        DOOR.with(|door| door.send(&parts, &[("host", "files.acme.example".to_owned())]));
    }
});
