// Files and their versions: in, out, renamed, moved, copied, and what refuses to be.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  clientOf, download, freshFolder, inParallel, namesIn, newFolder, newLogin, random, refused, sha1, stream, tokenOf, upload,
  uploadVersion, url,
} from './kit.mjs';

const login = newLogin('node-files');
const client = clientOf(tokenOf(login));

test('a new file in the standard form', async (context) => {
  const folder = await freshFolder(client, context);
  const content = 'hello, world\n';
  const file = await upload(client, folder.id, 'hello.txt', content);
  assert.equal(file.name, 'hello.txt');
  assert.equal(file.etag, '0');
  assert.equal(file.size, content.length);
  assert.equal(file.sha1, sha1(content));
  assert.equal(file.fileVersion.sha1, sha1(content));
  assert.equal(file.ownedBy.login, login);
  assert.ok(file.contentModifiedAt.value instanceof Date);
  const got = await client.files.getFileById(file.id);
  assert.equal(got.rawData.shared_link, null);
  assert.equal(got.rawData.permissions, undefined);
  assert.deepEqual(got.pathCollection.entries.map((above) => above.id), ['0', folder.id]);
});

test('fields bring only what was asked', async (context) => {
  const folder = await freshFolder(client, context);
  const file = await upload(client, folder.id, 'report.pdf', '%PDF');
  const fields = ['extension', 'lock', 'permissions', 'tags', 'version_number'];
  const got = await client.files.getFileById(file.id, { queryParams: { fields } });
  assert.deepEqual(Object.keys(got.rawData).sort(), [...fields, 'etag', 'id', 'type'].sort());
  assert.equal(got.versionNumber, '1');
});

for (const size of [0, 1, 65536, 65537, 8 * 1024 * 1024 + 1]) {
  test(`${size} bytes come back equal`, async (context) => {
    const folder = await freshFolder(client, context);
    const content = random(size);
    const file = await upload(client, folder.id, 'blob.bin', content);
    assert.equal(file.size, size);
    assert.ok((await download(client, file.id)).equals(content));
  });
}

test('a wrong digest is refused', async (context) => {
  const folder = await freshFolder(client, context);
  // The SDK computes this header itself; what the caller gives takes its place.
  await refused(400, 'bad_digest', () =>
    upload(client, folder.id, 'wrong.txt', 'content', { headers: { contentMd5: sha1('other') } }),
  );
  assert.deepEqual(await namesIn(client, folder.id), []);
});

test('preflight', async (context) => {
  const folder = await freshFolder(client, context);
  const parent = { id: folder.id };
  const answer = await client.uploads.preflightFileUploadCheck({ name: 'free.txt', size: 10, parent });
  assert.match(answer.uploadUrl, /^https:/);
  const taken = await upload(client, folder.id, 'taken.txt', 'x');
  const body = await refused(409, 'item_name_in_use', () =>
    client.uploads.preflightFileUploadCheck({ name: 'taken.txt', size: 10, parent }),
  );
  assert.equal(body.context_info.conflicts.id, taken.id);
  await refused(400, null, () => client.uploads.preflightFileUploadCheck({ name: 'free.txt', size: -1, parent }));
  const files = await client.uploads.uploadWithPreflightCheck({
    attributes: { name: 'checked.txt', size: 7, parent },
    file: stream('checked'),
  });
  assert.equal((await download(client, files.entries[0].id)).toString(), 'checked');
  const brief = await client.uploads.uploadWithPreflightCheck(
    { attributes: { name: 'brief.txt', size: 5, parent }, file: stream('brief') },
    { queryParams: { fields: ['name'] } },
  );
  assert.equal(brief.entries[0].name, 'brief.txt');
});

test('rename, describe, tag, move and copy', async (context) => {
  const folder = await freshFolder(client, context);
  const target = await newFolder(client, folder.id, 'target');
  const file = await upload(client, folder.id, 'draft.txt', 'first');
  const renamed = await client.files.updateFileById(file.id, {
    requestBody: { name: 'final.txt', description: 'The last word' },
  });
  assert.equal(renamed.name, 'final.txt');
  assert.equal(renamed.description, 'The last word');
  assert.ok(Number(renamed.etag) > Number(file.etag));
  const tagged = await client.files.updateFileById(file.id, {
    requestBody: { tags: ['one', 'two'] },
    queryParams: { fields: ['tags'] },
  });
  assert.deepEqual(tagged.tags, ['one', 'two']);
  const moved = await client.files.updateFileById(file.id, { requestBody: { parent: { id: target.id } } });
  assert.equal(moved.parent.id, target.id);
  const copied = await client.files.copyFile(file.id, { parent: { id: folder.id }, name: 'copy.txt' });
  assert.notEqual(copied.id, file.id);
  await uploadVersion(client, file.id, 'final.txt', 'second');
  assert.equal((await download(client, copied.id)).toString(), 'first');
});

test('names in use', async (context) => {
  const folder = await freshFolder(client, context);
  const taken = await upload(client, folder.id, 'Taken.txt', 'x');
  const other = await upload(client, folder.id, 'other.txt', 'x');
  for (const attempt of [
    () => upload(client, folder.id, 'taken.TXT', 'y'),
    () => client.files.updateFileById(other.id, { requestBody: { name: 'Taken.txt' } }),
    () => client.files.copyFile(other.id, { parent: { id: folder.id }, name: 'Taken.txt' }),
  ]) {
    const body = await refused(409, 'item_name_in_use', attempt);
    assert.equal(body.context_info.conflicts.id, taken.id);
  }
});

test('versions: listed, promoted, deleted', async (context) => {
  const folder = await freshFolder(client, context);
  const file = await upload(client, folder.id, 'old name.txt', 'first');
  assert.deepEqual((await client.fileVersions.getFileVersions(file.id)).entries, []);
  const newer = await uploadVersion(client, file.id, 'new name.txt', 'second');
  assert.equal(newer.name, 'new name.txt');
  const listed = await client.fileVersions.getFileVersions(file.id);
  assert.equal(listed.totalCount, 1);
  assert.equal(listed.entries[0].id, file.fileVersion.id);
  const one = await client.fileVersions.getFileVersionById(file.id, file.fileVersion.id);
  assert.equal(one.sha1, sha1('first'));
  const old = await download(client, file.id, { queryParams: { version: file.fileVersion.id } });
  assert.equal(old.toString(), 'first');
  const promoted = await client.fileVersions.promoteFileVersion(file.id, {
    requestBody: { id: file.fileVersion.id, type: 'file_version' },
  });
  assert.notEqual(promoted.id, file.fileVersion.id);
  assert.equal((await download(client, file.id)).toString(), 'first');
  assert.equal((await client.files.getFileById(file.id)).name, 'old name.txt');
  await client.fileVersions.deleteFileVersionById(file.id, newer.fileVersion.id);
  assert.equal((await download(client, file.id)).toString(), 'first');
});

test('downloads: the url, ranges and streams', async (context) => {
  const folder = await freshFolder(client, context);
  const content = random(200_000);
  const file = await upload(client, folder.id, 'file.bin', content);
  assert.match(await client.downloads.getDownloadFileUrl(file.id), /^https:/);
  for (const [range, expected] of [
    ['bytes=0-9', content.subarray(0, 10)],
    ['bytes=65530-65545', content.subarray(65530, 65546)],
    ['bytes=-7', content.subarray(-7)],
    ['bytes=199990-', content.subarray(199990)],
  ]) {
    const got = await download(client, file.id, { headers: { range } });
    assert.ok(got.equals(expected), range);
  }
});

test('delete, and absent and malformed ids', async (context) => {
  const folder = await freshFolder(client, context);
  const file = await upload(client, folder.id, 'doomed.txt', 'x');
  await client.files.deleteFileById(file.id);
  await refused(404, null, () => client.files.getFileById(file.id));
  await refused(404, 'not_found', () => client.files.getFileById('999999999999'));
  await refused(404, 'not_found', () => uploadVersion(client, '999999999999', 'x', 'x'));
  await refused(404, 'not_found', () => upload(client, '999999999999', 'x', 'x'));
  await refused(405, null, () => client.files.getFileById('not-a-number'));
});

test('conditions', async (context) => {
  const folder = await freshFolder(client, context);
  const file = await upload(client, folder.id, 'guarded.txt', 'x');
  await refused(412, null, () =>
    client.files.updateFileById(file.id, { requestBody: { name: 'late.txt' }, headers: { ifMatch: '77' } }),
  );
  await refused(412, null, () =>
    uploadVersion(client, file.id, 'guarded.txt', 'late', { headers: { ifMatch: '77' } }),
  );
  await client.files.updateFileById(file.id, { requestBody: { name: 'in time.txt' }, headers: { ifMatch: file.etag } });
  await refused(412, null, () => client.files.deleteFileById(file.id, { headers: { ifMatch: file.etag } }));
  const current = await client.files.getFileById(file.id);
  const answer = await client.makeRequest({
    url: `${url}/2.0/files/${file.id}`,
    method: 'GET',
    headers: { 'if-none-match': current.etag },
    responseFormat: 'json',
    followRedirects: false,
  });
  assert.equal(answer.status, 304);
});

test('names come back as they went', async (context) => {
  const folder = await freshFolder(client, context);
  const names = ['Grüße aus Köln.txt', '日本語.txt', 'emoji 🦀.txt', 'quotes \' " & % ? #.txt', '.hidden', ' leading', 'n'.repeat(255)];
  for (const name of names) {
    const file = await upload(client, folder.id, name, name);
    assert.equal(file.name, name);
    assert.equal((await client.files.getFileById(file.id)).name, name);
  }
  assert.deepEqual((await namesIn(client, folder.id)).sort(), [...names].sort());
});

test('names that are refused', async (context) => {
  const folder = await freshFolder(client, context);
  for (const name of ['', '.', '..', 'a/b', 'a\\b', 'nul\0inside', 'trailing ']) {
    await refused(400, null, () => upload(client, folder.id, name, 'x'));
    await refused(400, null, () => newFolder(client, folder.id, name));
  }
  await refused(400, 'item_name_too_long', () => upload(client, folder.id, 'n'.repeat(256), 'x'));
  await refused(400, 'item_name_too_long', () => newFolder(client, folder.id, 'n'.repeat(256)));
  assert.deepEqual(await namesIn(client, folder.id), []);
});

test('many uploads at once', async (context) => {
  const folder = await freshFolder(client, context);
  const contents = Array.from({ length: 100 }, (_, number) => [`${String(number).padStart(3, '0')}.bin`, random(number * 41)]);
  const files = await inParallel(contents, ([name, content]) => upload(client, folder.id, name, content), 16);
  assert.deepEqual(await namesIn(client, folder.id), contents.map(([name]) => name));
  const got = await inParallel(files, (file) => download(client, file.id), 16);
  got.forEach((content, place) => assert.ok(content.equals(contents[place][1])));
});
