// Storage policies: an administrator assigns them, and what a user owns follows.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { clientOf, clientOfApp, download, newApp, newLogin, random, refused, tokenOf, upload } from './kit.mjs';

const app = newApp('node storage policies');
const administrator = clientOfApp(app, { enterpriseId: app.enterprise_id });
const { storagePolicies, storagePolicyAssignments } = administrator;

async function owner() {
  const client = clientOf(tokenOf(newLogin('node-policies')));
  return { client, user: await client.users.getUserMe() };
}

async function resolve(kind, id) {
  const found = await storagePolicyAssignments.getStoragePolicyAssignments({
    resolvedForType: kind,
    resolvedForId: id,
  });
  assert.equal(found.entries.length, 1);
  return found.entries[0];
}

const assign = (client, policy, user) =>
  client.storagePolicyAssignments.createStoragePolicyAssignment({
    storagePolicy: { id: policy },
    assignedTo: { type: 'user', id: user },
  });

test('policies page by page', async () => {
  const found = [];
  let marker;
  do {
    const page = await storagePolicies.getStoragePolicies({ marker, limit: 1 });
    found.push(...page.entries);
    marker = page.nextMarker;
  } while (marker);
  assert.ok(found.length >= 2, 'the stories need a server with two storage policies');
  for (const policy of found) {
    assert.equal((await storagePolicies.getStoragePolicyById(policy.id)).name, policy.name);
  }
  await refused(404, 'not_found', () => storagePolicies.getStoragePolicyById('999999999999'));
});

test('a policy is assigned, changed and taken away', async () => {
  const { client, user } = await owner();
  const content = random(100_000);
  const file = await upload(client, '0', 'before.bin', content);
  const inherited = await resolve('user', user.id);
  assert.equal(inherited.assignedTo.type, 'enterprise');
  assert.equal(inherited.assignedTo.id, app.enterprise_id);
  assert.equal((await resolve('enterprise', app.enterprise_id)).id, inherited.id);
  const { entries } = await storagePolicies.getStoragePolicies();
  const other = entries.find((policy) => policy.id !== inherited.storagePolicy.id);
  const made = await assign(administrator, other.id, user.id);
  assert.equal(made.assignedTo.id, user.id);
  assert.equal(made.storagePolicy.id, other.id);
  assert.equal((await resolve('user', user.id)).id, made.id);
  assert.equal((await storagePolicyAssignments.getStoragePolicyAssignmentById(made.id)).assignedTo.type, 'user');
  await refused(409, 'conflict', () => assign(administrator, other.id, user.id));
  const changed = await storagePolicyAssignments.updateStoragePolicyAssignmentById(made.id, {
    storagePolicy: { id: inherited.storagePolicy.id },
  });
  assert.equal(changed.id, made.id);
  assert.equal(changed.storagePolicy.id, inherited.storagePolicy.id);
  await storagePolicyAssignments.deleteStoragePolicyAssignmentById(made.id);
  await refused(404, 'not_found', () => storagePolicyAssignments.getStoragePolicyAssignmentById(made.id));
  assert.equal((await resolve('user', user.id)).id, inherited.id);
  assert.deepEqual(await download(client, file.id), content);
});

test('an ordinary user neither sees nor assigns', async () => {
  const { client, user } = await owner();
  const forbidden = 'access_denied_insufficient_permissions';
  await refused(403, forbidden, () => client.storagePolicies.getStoragePolicies());
  await refused(403, forbidden, () => assign(client, '1', user.id));
});
