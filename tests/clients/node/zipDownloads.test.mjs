// Several items in one zip archive.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { clientOf, freshFolder, newLogin, refused, tokenOf, upload } from './kit.mjs';

const client = clientOf(tokenOf(newLogin('node-zips')));

test('made, fetched, and told of', async (context) => {
  const folder = await freshFolder(client, context);
  const file = await upload(client, folder.id, 'hello.txt', 'hello');
  const items = [{ type: 'folder', id: folder.id }, { type: 'file', id: file.id }];
  const made = await client.zipDownloads.createZipDownload({ items, downloadFileName: 'all' });
  assert.ok(made.downloadUrl.startsWith('https://'));
  await refused(404, 'not_found', () => client.zipDownloads.getZipDownloadStatus(made.statusUrl));
  const pieces = [];
  for await (const piece of await client.zipDownloads.getZipDownloadContent(made.downloadUrl)) {
    pieces.push(piece);
  }
  const content = Buffer.concat(pieces);
  assert.equal(content.subarray(0, 4).toString('latin1'), 'PK\x03\x04');
  assert.ok(content.includes(`${folder.name}/hello.txt`));
  const status = await client.zipDownloads.getZipDownloadStatus(made.statusUrl);
  assert.equal(status.state, 'succeeded');
  assert.deepEqual([status.totalFileCount, status.downloadedFileCount], [2, 2]);
});
