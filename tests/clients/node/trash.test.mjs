// The trash: what was deleted is listed, brought back, or purged.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { clientOf, download, freshFolder, namesIn, newFolder, newLogin, refused, tokenOf, upload } from './kit.mjs';

const client = clientOf(tokenOf(newLogin('node-trash')));

async function trashedIds() {
  const found = [];
  let marker;
  do {
    const page = await client.trashedItems.getTrashedItems({ usemarker: true, marker, limit: 1000 });
    found.push(...page.entries.map((item) => item.id));
    marker = page.nextMarker;
  } while (marker);
  return found;
}

test('a file goes to the trash and comes back', async (context) => {
  const folder = await freshFolder(client, context);
  const file = await upload(client, folder.id, 'file.txt', 'content');
  await client.files.deleteFileById(file.id);
  assert.ok((await trashedIds()).includes(file.id));
  const trashed = await client.trashedFiles.getTrashedFileById(file.id);
  assert.equal(trashed.itemStatus, 'trashed');
  assert.ok(trashed.trashedAt.value instanceof Date);
  const restored = await client.trashedFiles.restoreFileFromTrash(file.id);
  assert.equal(restored.itemStatus, 'active');
  assert.equal((await download(client, file.id)).toString(), 'content');
  assert.ok(!(await trashedIds()).includes(file.id));
});

test('a folder goes to the trash whole and comes back whole', async (context) => {
  const folder = await freshFolder(client, context);
  const outer = await newFolder(client, folder.id, 'outer');
  const inner = await newFolder(client, outer.id, 'inner');
  const file = await upload(client, inner.id, 'file.txt', 'content');
  await client.folders.deleteFolderById(outer.id, { queryParams: { recursive: true } });
  await refused(404, null, () => client.files.getFileById(file.id));
  const trashed = await client.trashedFolders.getTrashedFolderById(outer.id);
  assert.equal(trashed.itemStatus, 'trashed');
  await client.trashedFolders.restoreFolderFromTrash(outer.id);
  assert.deepEqual(await namesIn(client, inner.id), ['file.txt']);
  assert.equal((await download(client, file.id)).toString(), 'content');
});

test('restoring where the name is taken', async (context) => {
  const folder = await freshFolder(client, context);
  const file = await upload(client, folder.id, 'file.txt', 'old');
  await client.files.deleteFileById(file.id);
  await upload(client, folder.id, 'file.txt', 'new');
  await refused(409, null, () => client.trashedFiles.restoreFileFromTrash(file.id));
  const restored = await client.trashedFiles.restoreFileFromTrash(file.id, { requestBody: { name: 'other.txt' } });
  assert.equal(restored.name, 'other.txt');
});

test('restoring into another folder, when the old one is gone', async (context) => {
  const folder = await freshFolder(client, context);
  const parent = await newFolder(client, folder.id, 'parent');
  const doomed = await newFolder(client, parent.id, 'doomed');
  const haven = await newFolder(client, folder.id, 'haven');
  await client.folders.deleteFolderById(doomed.id);
  await client.folders.deleteFolderById(parent.id);
  const restored = await client.trashedFolders.restoreFolderFromTrash(doomed.id, {
    requestBody: { parent: { id: haven.id } },
  });
  assert.equal(restored.parent.id, haven.id);
});

test('purge', async (context) => {
  const folder = await freshFolder(client, context);
  const file = await upload(client, folder.id, 'file.txt', 'x');
  const doomed = await newFolder(client, folder.id, 'doomed');
  await refused(404, null, () => client.trashedFiles.deleteTrashedFileById(file.id));
  await client.files.deleteFileById(file.id);
  await client.folders.deleteFolderById(doomed.id);
  await client.trashedFiles.deleteTrashedFileById(file.id);
  await client.trashedFolders.deleteTrashedFolderById(doomed.id);
  await refused(404, null, () => client.trashedFiles.getTrashedFileById(file.id));
  await refused(404, null, () => client.trashedFolders.restoreFolderFromTrash(doomed.id));
});
