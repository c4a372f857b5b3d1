#![no_main]
use entente_door_oauth::{OAuthDoor, Options};
use entente_fuzz::{Door, Parts};
use entente_identity::{Providers, SecondFactors};
use libfuzzer_sys::fuzz_target;
use std::cell::LazyCell;

thread_local! {
    static DOOR: LazyCell<Door> = LazyCell::new(|| {
        Door::new(|runtime, stage, _, _| {
            let (factors, providers) = runtime.block_on(async {
                let (identity, custodian) = (&stage.identity, stage.custodian.as_ref());
                let factors = SecondFactors::load(identity.clone(), custodian).await.expect("second factors");
                (factors, Providers::load(identity.clone(), custodian).await.expect("providers"))
            });
            OAuthDoor::new(stage.identity.clone(), factors, providers, Options::default()).router()
        })
    });
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(parts) = Parts::read(bytes) {
        DOOR.with(|door| door.send(&parts, &[("host", "files.acme.example".to_owned())]));
    }
});
