//! What policies mean while relocations are in force, purely: each redirect in its turn puts its target where its source
//! stands.
//!
//! So a move back takes a move back, moves follow on moves, and no two can make a ring.

use entente_database::relocations::Redirect;
use entente_model::{BackendId, PolicyId, RelocationId};
use entente_vault::Topology;
use std::collections::{BTreeMap, BTreeSet};

/// The backends of each policy, the primary first.
pub(crate) type Meanings = BTreeMap<PolicyId, Vec<BackendId>>;

/// What the policies of a topology mean.
pub(crate) fn meanings(topology: &Topology) -> Meanings {
    let of = |policy: &entente_vault::topology::Policy| {
        std::iter::once(policy.primary).chain(policy.replicas.iter().copied()).collect()
    };
    topology.policies.iter().map(|(id, policy)| (*id, of(policy))).collect()
}

/// What is meant by what is named. A backend that a policy comes to mean twice is meant once.
pub(crate) fn follow(named: &Meanings, redirects: &[Redirect]) -> Meanings {
    let mut meant = named.clone();
    for redirect in redirects {
        step(&mut meant, redirect);
    }
    meant
}

/// Puts redirects in force in a topology as the configuration has it. One to a backend that the policy's zone does not
/// have (any more) is left out.
pub(crate) fn apply(topology: &mut Topology, redirects: &[Redirect]) {
    let meant = follow(&meanings(topology), redirects);
    for (id, backends) in meant {
        let Some(policy) = topology.policies.get_mut(&id) else { continue };
        let in_zone = topology
            .zones
            .get(&policy.zone)
            .is_some_and(|zone| backends.iter().all(|backend| zone.backends.contains_key(backend)));
        if let (true, Some((primary, replicas))) = (in_zone, backends.split_first()) {
            policy.primary = *primary;
            policy.replicas = replicas.to_vec();
        }
    }
}

/// Those that are done and have no effect on what is named now: the configuration has caught up with them, or a move back
/// has undone them. Only such whose source is forgotten: nobody goes by anything that is named otherwise.
pub(crate) fn spent(
    named: &Meanings,
    redirects: &[Redirect],
    is_forgotten: impl Fn(BackendId) -> bool,
) -> Vec<RelocationId> {
    let may_go = |redirect: &Redirect| redirect.is_done && is_forgotten(redirect.from);
    if redirects.iter().all(may_go) && follow(named, redirects) == *named {
        return redirects.iter().map(|redirect| redirect.id).collect();
    }
    let mut meant = named.clone();
    let mut spent = Vec::new();
    for redirect in redirects {
        if !step(&mut meant, redirect) && may_go(redirect) {
            spent.push(redirect.id);
        }
    }
    spent
}

/// Answers whether it changed anything.
fn step(meant: &mut Meanings, redirect: &Redirect) -> bool {
    let mut changed = false;
    for (policy, backends) in meant.iter_mut() {
        if redirect.policy.is_some_and(|only| only != *policy) || !backends.contains(&redirect.from) {
            continue;
        }
        changed = true;
        for backend in backends.iter_mut().filter(|backend| **backend == redirect.from) {
            *backend = redirect.to;
        }
        let mut seen = BTreeSet::new();
        backends.retain(|backend| seen.insert(*backend));
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::{Meanings, follow, spent};
    use entente_database::relocations::Redirect;
    use entente_model::{BackendId, PolicyId, RelocationId};

    fn redirect(id: i64, from: i64, to: i64, policy: Option<i64>) -> Redirect {
        let (from, to) = (BackendId::new(from), BackendId::new(to));
        Redirect { id: RelocationId::new(id), is_done: true, from, to, policy: policy.map(PolicyId::new) }
    }

    fn policies(backends: &[&[i64]]) -> Meanings {
        let ids = |backends: &[i64]| backends.iter().copied().map(BackendId::new).collect();
        (1..).map(PolicyId::new).zip(backends.iter().map(|backends| ids(backends))).collect()
    }

    #[test]
    fn moves_follow_on_moves() {
        let named = policies(&[&[1, 2], &[2], &[3, 1]]);
        let once = [redirect(1, 1, 4, None)];
        assert_eq!(follow(&named, &once), policies(&[&[4, 2], &[2], &[3, 4]]));
        let twice = [redirect(1, 1, 4, None), redirect(2, 4, 5, None)];
        assert_eq!(follow(&named, &twice), policies(&[&[5, 2], &[2], &[3, 5]]));
        let back = [redirect(1, 1, 4, None), redirect(2, 4, 1, None)];
        assert_eq!(follow(&named, &back), named);
        let around = [redirect(1, 1, 4, None), redirect(2, 4, 5, None), redirect(3, 5, 1, None)];
        assert_eq!(follow(&named, &around), named);
    }

    #[test]
    fn one_policy_moves_alone() {
        let named = policies(&[&[1, 2], &[1]]);
        assert_eq!(follow(&named, &[redirect(1, 1, 3, Some(2))]), policies(&[&[1, 2], &[3]]));
        let both = [redirect(1, 1, 3, Some(2)), redirect(2, 1, 4, None)];
        assert_eq!(follow(&named, &both), policies(&[&[4, 2], &[3]]));
    }

    #[test]
    fn nothing_is_meant_twice() {
        assert_eq!(follow(&policies(&[&[1, 2, 3]]), &[redirect(1, 1, 3, None)]), policies(&[&[3, 2]]));
    }

    #[test]
    fn what_has_no_effect_is_spent() {
        let (first, second) = (redirect(7, 1, 4, None), redirect(8, 4, 1, None));
        let forgotten = |_| true;
        assert_eq!(spent(&policies(&[&[1, 2]]), &[first], forgotten), vec![]);
        assert_eq!(
            spent(&policies(&[&[4, 2]]), &[first], forgotten),
            vec![first.id],
            "the configuration names the target now"
        );
        assert_eq!(
            spent(&policies(&[&[1, 2]]), &[first, second], forgotten),
            vec![first.id, second.id],
            "there and back"
        );
        let going_on = Redirect { is_done: false, ..second };
        assert_eq!(spent(&policies(&[&[1, 2]]), &[first, going_on], forgotten), vec![]);
        assert_eq!(spent(&policies(&[&[4, 2]]), &[Redirect { is_done: false, ..first }], forgotten), vec![]);
        let longer = redirect(9, 4, 5, None);
        assert_eq!(
            spent(&policies(&[&[1, 2]]), &[first, longer], forgotten),
            vec![],
            "the second follows from the first"
        );
    }

    #[test]
    fn a_redirect_stays_while_somebody_may_name_its_source() {
        let (first, second) = (redirect(7, 1, 4, None), redirect(8, 4, 1, None));
        let only = |forgotten: i64| move |source: BackendId| source == BackendId::new(forgotten);
        assert_eq!(spent(&policies(&[&[4, 2]]), &[first], |_| false), vec![]);
        assert_eq!(spent(&policies(&[&[4, 2]]), &[first], only(1)), vec![first.id]);
        assert_eq!(spent(&policies(&[&[1, 2]]), &[first, second], only(1)), vec![], "there and back go together");
    }
}
