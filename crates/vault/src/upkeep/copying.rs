//! Making one copy of a segment: fetched from the best replica that is good, written, read back, compared.

use super::inspect::{Inspected, Subject, inspect, inspect_size};
use super::trouble::{Trouble, left_alone};
use crate::core::Core;
use crate::{Copy, Replica, ReplicaState};
use bytes::Bytes;
use entente_clouds::ErrorKind;
use entente_model::BackendId;

/// A segment's bytes, and what came to light when they were fetched.
#[derive(Default)]
pub(crate) struct Fetched {
    /// The bytes; `None` when no replica has them, or none could be asked.
    pub bytes: Option<Bytes>,
    /// Replicas that are not good, and count as good.
    pub wrong: Vec<Copy>,
    /// Replicas that are good, and count as damaged.
    pub good: Vec<Copy>,
    /// Why a backend could not tell, if one could not.
    pub failed: Option<String>,
}

/// Fetches a segment. Damaged replicas in `mends` are looked at in any case: one may be good after all.
pub(crate) async fn fetch(core: &Core, trouble: &Trouble, subject: &Subject, mends: &[BackendId]) -> Fetched {
    let mut fetched = Fetched::default();
    let replicas = core.topology().sources(&subject.record.replicas, |backend| trouble.is_left_alone(core, backend));
    let (to_mend, others): (Vec<_>, Vec<_>) =
        replicas.into_iter().partition(|replica| mends.contains(&replica.backend));
    for replica in to_mend {
        look_at(core, trouble, subject, &replica, &mut fetched).await;
    }
    for replica in others {
        if fetched.bytes.is_some() {
            break;
        }
        look_at(core, trouble, subject, &replica, &mut fetched).await;
    }
    fetched
}

async fn look_at(core: &Core, trouble: &Trouble, subject: &Subject, replica: &Replica, fetched: &mut Fetched) {
    let copy = Copy { segment: subject.record.segment, backend: replica.backend, name: replica.name };
    let counts = replica.is_good();
    match inspect(core, trouble, subject, replica).await {
        Inspected::Good(bytes) => {
            if replica.state == ReplicaState::Damaged {
                match inspect_size(core, trouble, &subject.record, replica).await {
                    None => fetched.good.push(copy),
                    Some(Inspected::Failed(why)) => fetched.failed = Some(why),
                    Some(_) => {}
                }
            }
            fetched.bytes = Some(bytes);
        }
        Inspected::Failed(why) => fetched.failed = Some(why),
        _ if counts => fetched.wrong.push(copy),
        _ => {}
    }
}

/// Writes a copy and reads it back. `Err` says why it is not there as it must be.
pub(crate) async fn put(core: &Core, trouble: &Trouble, copy: &Copy, bytes: &Bytes) -> Result<(), String> {
    if trouble.is_left_alone(core, copy.backend) {
        return Err(left_alone(copy.backend));
    }
    let cloud = core.cloud(copy.backend).map_err(|error| error.to_string())?;
    let write = async {
        let mut creation = cloud.create(copy.name).await?;
        creation.write(bytes.clone()).await?;
        match creation.commit().await {
            // The name is a fresh one: what has it is an earlier try of this very commit. Reading it back tells.
            Err(error) if error.kind == ErrorKind::AlreadyExists => Ok(()),
            committed => committed,
        }
    };
    trouble.note(copy.backend, write.await).map_err(|error| error.to_string())?;
    read_back(core, trouble, copy, bytes).await
}

/// Reads an object and compares it with what was written.
pub(crate) async fn read_back(core: &Core, trouble: &Trouble, copy: &Copy, written: &Bytes) -> Result<(), String> {
    let cloud = core.cloud(copy.backend).map_err(|error| error.to_string())?;
    let read = trouble.note(copy.backend, cloud.read(copy.name, 0..written.len() as u64).await);
    let read = read.map_err(|error| format!("what was written cannot be read back: {error}"))?;
    if read == written {
        Ok(())
    } else {
        Err(format!("what was written to backend {} reads back other than it was", copy.backend))
    }
}
