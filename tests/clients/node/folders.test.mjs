// Folders: made, read, renamed, moved, copied, deleted, and listed page by page.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { clientOf, download, freshFolder, namesIn, newFolder, newLogin, refused, tokenOf, upload, url } from './kit.mjs';

const client = clientOf(tokenOf(newLogin('node-folders')));

test('the root is called All Files', async () => {
  const root = await client.folders.getFolderById('0');
  assert.equal(root.name, 'All Files');
  assert.equal(root.rawData.parent, null);
  assert.equal(root.pathCollection.totalCount, 0);
});

test('a new folder in the standard form', async (context) => {
  const folder = await freshFolder(client, context);
  const made = await newFolder(client, folder.id, 'inside');
  assert.equal(made.etag, '0');
  assert.equal(made.parent.id, folder.id);
  assert.equal(made.itemStatus, 'active');
  assert.deepEqual(made.pathCollection.entries.map((above) => above.id), ['0', folder.id]);
  assert.equal(made.itemCollection.totalCount, 0);
  assert.equal(made.rawData.shared_link, null);
  assert.equal(made.rawData.tags, undefined);
  assert.ok(made.createdAt.value instanceof Date);
});

test('fields bring only what was asked', async (context) => {
  const folder = await freshFolder(client, context);
  const got = await client.folders.getFolderById(folder.id, { queryParams: { fields: ['name', 'permissions'] } });
  assert.deepEqual(Object.keys(got.rawData).sort(), ['etag', 'id', 'name', 'permissions', 'type']);
});

test('rename, describe, tag and move', async (context) => {
  const folder = await freshFolder(client, context);
  const one = await newFolder(client, folder.id, 'one');
  const two = await newFolder(client, folder.id, 'two');
  const changed = await client.folders.updateFolderById(one.id, {
    requestBody: { name: 'uno', description: 'the first' },
  });
  assert.equal(changed.name, 'uno');
  assert.equal(changed.description, 'the first');
  const tagged = await client.folders.updateFolderById(one.id, {
    requestBody: { tags: ['blue'] },
    queryParams: { fields: ['tags'] },
  });
  assert.deepEqual(tagged.tags, ['blue']);
  const moved = await client.folders.updateFolderById(one.id, { requestBody: { parent: { id: two.id } } });
  assert.equal(moved.parent.id, two.id);
  assert.deepEqual(await namesIn(client, folder.id), ['two']);
});

test('a folder cannot be moved into itself or below', async (context) => {
  const folder = await freshFolder(client, context);
  const outer = await newFolder(client, folder.id, 'outer');
  const inner = await newFolder(client, outer.id, 'inner');
  for (const into of [outer, inner]) {
    await refused(400, 'cyclical_folder_structure', () =>
      client.folders.updateFolderById(outer.id, { requestBody: { parent: { id: into.id } } }),
    );
  }
});

test('copy brings everything below', async (context) => {
  const folder = await freshFolder(client, context);
  const source = await newFolder(client, folder.id, 'source');
  const deep = await newFolder(client, source.id, 'deep');
  await upload(client, deep.id, 'leaf.txt', 'leaf');
  const copied = await client.folders.copyFolder(source.id, { parent: { id: folder.id }, name: 'copy' });
  const [deepCopy] = (await client.folders.getFolderItems(copied.id)).entries;
  const [leaf] = (await client.folders.getFolderItems(deepCopy.id)).entries;
  assert.equal((await download(client, leaf.id)).toString(), 'leaf');
  await refused(409, 'item_name_in_use', () => client.folders.copyFolder(source.id, { parent: { id: folder.id } }));
});

test('delete', async (context) => {
  const folder = await freshFolder(client, context);
  const doomed = await newFolder(client, folder.id, 'doomed');
  await upload(client, doomed.id, 'file.txt', 'x');
  await refused(400, 'folder_not_empty', () => client.folders.deleteFolderById(doomed.id));
  await client.folders.deleteFolderById(doomed.id, { queryParams: { recursive: true } });
  await refused(404, null, () => client.folders.getFolderById(doomed.id));
});

test('items by offset and by marker', async (context) => {
  const folder = await freshFolder(client, context);
  const expected = [];
  for (const number of [0, 1, 2]) {
    await newFolder(client, folder.id, `folder ${number}`);
    expected.push(`folder ${number}`);
  }
  for (const number of [0, 1, 2, 3, 4]) {
    await upload(client, folder.id, `file ${number}`, 'x');
    expected.push(`file ${number}`);
  }
  const byOffset = [];
  for (let offset = 0; ; offset += 3) {
    const page = await client.folders.getFolderItems(folder.id, { queryParams: { offset, limit: 3 } });
    assert.equal(page.totalCount, 8);
    assert.equal(page.offset, offset);
    if (page.entries.length === 0) break;
    byOffset.push(...page.entries.map((item) => item.name));
  }
  assert.deepEqual(byOffset, expected);

  const byMarker = [];
  let marker;
  do {
    const page = await client.folders.getFolderItems(folder.id, { queryParams: { usemarker: true, marker, limit: 3 } });
    byMarker.push(...page.entries.map((item) => item.name));
    marker = page.nextMarker;
    assert.notEqual(marker, '');
    assert.ok(byMarker.length <= 8, 'the marker never ends');
  } while (marker !== undefined && marker !== null);
  assert.deepEqual(byMarker, expected);

  const sizes = await client.folders.getFolderItems(folder.id, { queryParams: { fields: ['size', 'name'] } });
  assert.equal(sizes.entries.at(-1).size, 1);
  assert.deepEqual(Object.keys(sizes.rawData.entries.at(-1)).sort(), ['etag', 'id', 'name', 'size', 'type']);
});

test('names in use', async (context) => {
  const folder = await freshFolder(client, context);
  const taken = await newFolder(client, folder.id, 'Taken');
  for (const name of ['Taken', 'TAKEN']) {
    const body = await refused(409, 'item_name_in_use', () => newFolder(client, folder.id, name));
    assert.equal(body.context_info.conflicts[0].id, taken.id);
  }
});

test('absent and malformed ids', async () => {
  await refused(404, 'not_found', () => client.folders.getFolderById('999999999999'));
  await refused(404, 'not_found', () => newFolder(client, '999999999999', 'lost'));
  await refused(405, null, () => client.folders.getFolderById('not-a-number'));
});

test('conditions', async (context) => {
  const folder = await freshFolder(client, context);
  await refused(412, null, () =>
    client.folders.updateFolderById(folder.id, { requestBody: { description: 'late' }, headers: { ifMatch: '77' } }),
  );
  const answer = await client.makeRequest({
    url: `${url}/2.0/folders/${folder.id}`,
    method: 'GET',
    headers: { 'if-none-match': folder.etag },
    responseFormat: 'json',
    followRedirects: false,
  });
  assert.equal(answer.status, 304);
});
