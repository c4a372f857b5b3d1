//! What every custodian must pass: our own in tests, a real key service in a check for operators.

use crate::{Custodian, Error, ErrorKind, KeyContext, SecretKey, WrappedKey};
use entente_model::{EnterpriseId, EpochId, ZoneId};
use entente_world::World;

/// A promise that the custodian did not keep.
#[derive(Debug, thiserror::Error)]
#[error("the check {check:?} failed: {what}")]
pub struct Failure {
    /// Which check found it.
    pub check: &'static str,
    /// What was expected, and what was found.
    pub what: String,
}

type Outcome = Result<(), Failure>;

const CONTEXT: KeyContext =
    KeyContext { enterprise: EnterpriseId::new(1), zone: ZoneId::new(2), epoch: EpochId::new(3) };

/// Runs every check, and stops at the first failure.
pub async fn run(custodian: &dyn Custodian, world: &World) -> Outcome {
    wrapped_keys_unwrap(custodian, world).await?;
    wrapping_hides_the_key(custodian, world).await?;
    other_contexts_are_refused(custodian, world).await?;
    damaged_keys_are_refused(custodian, world).await?;
    unknown_key_encryption_keys_are_refused(custodian, world).await
}

/// What was wrapped unwraps to the same key, and says which key encryption key wrapped it.
pub async fn wrapped_keys_unwrap(custodian: &dyn Custodian, world: &World) -> Outcome {
    let trial = Trial { check: "wrapped keys unwrap", custodian };
    for _ in 0..8 {
        let (key, wrapped) = trial.wrapped(world).await?;
        let current = custodian.current_key();
        trial.expect(wrapped.key_encryption_key == current, || {
            format!("wrapped by {} while the current key is {current}", wrapped.key_encryption_key)
        })?;
        let unwrapped = trial.ok(custodian.unwrap(CONTEXT, &wrapped).await)?;
        trial.expect(unwrapped.expose() == key.expose(), || "another key came out".to_owned())?;
    }
    Ok(())
}

/// The wrapped bytes do not hold the key, and wrapping a key twice does not give the same bytes.
pub async fn wrapping_hides_the_key(custodian: &dyn Custodian, world: &World) -> Outcome {
    let trial = Trial { check: "wrapping hides the key", custodian };
    let (key, first) = trial.wrapped(world).await?;
    let second = trial.ok(custodian.wrap(CONTEXT, &key).await)?;
    trial.expect(first.bytes != second.bytes, || "wrapping twice gives the same bytes".to_owned())?;
    let plain = first.bytes.windows(8).any(|window| key.expose().windows(8).any(|part| part == window));
    trial.expect(!plain, || "the wrapped bytes hold a part of the key".to_owned())
}

/// A key unwraps only for the enterprise, the zone and the epoch that it was wrapped for.
pub async fn other_contexts_are_refused(custodian: &dyn Custodian, world: &World) -> Outcome {
    let trial = Trial { check: "other contexts are refused", custodian };
    let (_, wrapped) = trial.wrapped(world).await?;
    let others = [
        KeyContext { enterprise: EnterpriseId::new(9), ..CONTEXT },
        KeyContext { zone: ZoneId::new(9), ..CONTEXT },
        KeyContext { epoch: EpochId::new(9), ..CONTEXT },
        // The same numbers in other places.
        KeyContext { enterprise: EnterpriseId::new(2), zone: ZoneId::new(1), epoch: EpochId::new(3) },
    ];
    for other in others {
        trial.expect_refused(other, &wrapped).await?;
    }
    Ok(())
}

/// No flipped bit and no change of length goes unnoticed.
pub async fn damaged_keys_are_refused(custodian: &dyn Custodian, world: &World) -> Outcome {
    let trial = Trial { check: "damaged keys are refused", custodian };
    let (_, wrapped) = trial.wrapped(world).await?;
    for place in 0..wrapped.bytes.len() {
        let mut damaged = wrapped.clone();
        if let Some(byte) = damaged.bytes.get_mut(place) {
            *byte ^= 1 << (place % 8);
        }
        trial.expect_refused(CONTEXT, &damaged).await?;
    }
    for size in 0..wrapped.bytes.len() {
        let mut short = wrapped.clone();
        short.bytes.truncate(size);
        trial.expect_refused(CONTEXT, &short).await?;
    }
    let mut long = wrapped;
    long.bytes.push(0);
    trial.expect_refused(CONTEXT, &long).await
}

/// A key that was wrapped by a key encryption key which the custodian does not have is refused.
pub async fn unknown_key_encryption_keys_are_refused(custodian: &dyn Custodian, world: &World) -> Outcome {
    let trial = Trial { check: "unknown key encryption keys are refused", custodian };
    let (_, mut wrapped) = trial.wrapped(world).await?;
    wrapped.key_encryption_key.push_str("-unknown");
    trial.expect_refused(CONTEXT, &wrapped).await
}

/// One check of one custodian.
struct Trial<'a> {
    check: &'static str,
    custodian: &'a dyn Custodian,
}

impl Trial<'_> {
    fn ok<T>(&self, outcome: Result<T, Error>) -> Result<T, Failure> {
        outcome.map_err(|error| Failure { check: self.check, what: error.to_string() })
    }

    fn expect(&self, kept: bool, what: impl FnOnce() -> String) -> Outcome {
        if kept { Ok(()) } else { Err(Failure { check: self.check, what: what() }) }
    }

    async fn wrapped(&self, world: &World) -> Result<(SecretKey, WrappedKey), Failure> {
        let key = SecretKey::random(world.random());
        let wrapped = self.ok(self.custodian.wrap(CONTEXT, &key).await)?;
        Ok((key, wrapped))
    }

    async fn expect_refused(&self, context: KeyContext, wrapped: &WrappedKey) -> Outcome {
        match self.custodian.unwrap(context, wrapped).await {
            Ok(_) => self.expect(false, || format!("unwrapped for {context:?}, which should be refused")),
            Err(error) => self
                .expect(error.kind == ErrorKind::Refused, || format!("{:?} in place of Refused: {error}", error.kind)),
        }
    }
}
