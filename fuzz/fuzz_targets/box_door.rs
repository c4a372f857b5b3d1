#![no_main]
use entente_door_box::{BoxDoor, Options};
use entente_fuzz::{Door, Parts};
use libfuzzer_sys::fuzz_target;
use std::cell::LazyCell;

thread_local! {
    static DOOR: LazyCell<Door> =
        LazyCell::new(|| Door::new(|_, stage, _, auth| BoxDoor::new(stage.tree.clone(), auth, Options::default()).router()));
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(parts) = Parts::read(bytes) {
        DOOR.with(|door| door.send(&parts, &[("authorization", format!("Bearer {}", door.token))]));
    }
});
