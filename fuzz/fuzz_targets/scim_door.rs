#![no_main]
use entente_door_scim::{Options, ScimDoor};
use entente_fuzz::{Door, Parts};
use libfuzzer_sys::fuzz_target;
use std::cell::LazyCell;

thread_local! {
    static DOOR: LazyCell<Door> = LazyCell::new(|| {
        Door::new(|_, stage, _, auth| {
            let options = Options { origin: Default::default(), limits: Default::default() };
            ScimDoor::new(stage.tree.clone(), auth, options).router()
        })
    });
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(parts) = Parts::read(bytes) {
        DOOR.with(|door| door.send(&parts, &[("authorization", format!("Bearer {}", door.token))]));
    }
});
