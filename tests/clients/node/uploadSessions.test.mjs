// Uploads in pieces: the SDK's own big-file call, and each call by itself.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { clientOf, download, freshFolder, namesIn, newLogin, random, refused, sha1, stream, tokenOf, upload } from './kit.mjs';

const client = clientOf(tokenOf(newLogin('node-sessions')));
const content = random(21_000_003);
const digest = (piece) => `sha=${createHash('sha1').update(piece).digest('base64')}`;

async function start(folder, name) {
  return client.chunkedUploads.createFileUploadSession({ folderId: folder.id, fileName: name, fileSize: content.length });
}

function cut(session, number) {
  const from = number * session.partSize;
  const piece = content.subarray(from, from + session.partSize);
  return { piece, contentRange: `bytes ${from}-${from + piece.length - 1}/${content.length}` };
}

async function send(session, number) {
  const { piece, contentRange } = cut(session, number);
  const uploaded = await client.chunkedUploads.uploadFilePart(session.id, stream(piece), { digest: digest(piece), contentRange });
  return uploaded.part;
}

test('the SDK uploads a big file', async (context) => {
  const folder = await freshFolder(client, context);
  const file = await client.chunkedUploads.uploadBigFile(stream(content), 'big.bin', content.length, folder.id);
  assert.equal(file.size, content.length);
  assert.equal(file.sha1, sha1(content));
  assert.ok((await download(client, file.id)).equals(content));
});

test('a session step by step', async (context) => {
  const folder = await freshFolder(client, context);
  const session = await start(folder, 'steps.bin');
  assert.equal(session.type, 'upload_session');
  assert.equal(session.numPartsProcessed, 0);
  assert.ok(session.sessionExpiresAt.value > new Date());
  const parts = [];
  for (let number = 0; number < session.totalParts; number += 1) {
    const part = await send(session, number);
    assert.equal(part.sha1, sha1(cut(session, number).piece));
    assert.equal(part.offset, number * session.partSize);
    parts.push(part);
  }
  const listed = await client.chunkedUploads.getFileUploadSessionParts(session.id);
  assert.equal(listed.totalCount, session.totalParts);
  assert.deepEqual(listed.entries.map((part) => part.partId), parts.map((part) => part.partId));
  const status = await client.chunkedUploads.getFileUploadSessionById(session.id);
  assert.equal(status.numPartsProcessed, session.totalParts);
  assert.deepEqual(await namesIn(client, folder.id), []);

  const wrong = await client.chunkedUploads
    .createFileUploadSessionCommit(session.id, { parts }, { digest: digest(Buffer.from('other')) })
    .then(() => null, (error) => error);
  assert.ok([400, 409, 412].includes(wrong?.responseInfo?.statusCode), String(wrong));
  assert.deepEqual(await namesIn(client, folder.id), []);

  await refused(400, 'parts_mismatch', () =>
    client.chunkedUploads.createFileUploadSessionCommit(session.id, { parts: parts.slice(1) }, { digest: digest(content) }),
  );

  const files = await client.chunkedUploads.createFileUploadSessionCommit(session.id, { parts }, { digest: digest(content) });
  assert.ok((await download(client, files.entries[0].id)).equals(content));
});

test('a wrong part digest is refused', async (context) => {
  const folder = await freshFolder(client, context);
  const session = await start(folder, 'damaged.bin');
  const { piece, contentRange } = cut(session, 0);
  const error = await client.chunkedUploads
    .uploadFilePart(session.id, stream(piece), { digest: digest(Buffer.from('other')), contentRange })
    .then(() => null, (caught) => caught);
  assert.ok([400, 409, 412].includes(error?.responseInfo?.statusCode), String(error));
});

test('an aborted session leaves nothing', async (context) => {
  const folder = await freshFolder(client, context);
  const session = await start(folder, 'aborted.bin');
  await send(session, 0);
  await client.chunkedUploads.deleteFileUploadSessionById(session.id);
  await refused(404, null, () => client.chunkedUploads.getFileUploadSessionById(session.id));
  assert.deepEqual(await namesIn(client, folder.id), []);
});

test('a new version in pieces', async (context) => {
  const folder = await freshFolder(client, context);
  const file = await upload(client, folder.id, 'grows.bin', 'small');
  const session = await client.chunkedUploads.createFileUploadSessionForExistingFile(file.id, { fileSize: content.length });
  const parts = [];
  for (let number = 0; number < session.totalParts; number += 1) parts.push(await send(session, number));
  const files = await client.chunkedUploads.createFileUploadSessionCommit(session.id, { parts }, { digest: digest(content) });
  assert.equal(files.entries[0].id, file.id);
  assert.ok((await download(client, file.id)).equals(content));
});

test('sessions that are refused', async (context) => {
  const folder = await freshFolder(client, context);
  await refused(400, 'file_size_too_small', () =>
    client.chunkedUploads.createFileUploadSession({ folderId: folder.id, fileName: 'small.bin', fileSize: 19_999_999 }),
  );
  await upload(client, folder.id, 'taken.bin', 'x');
  await refused(409, 'item_name_in_use', () => start(folder, 'taken.bin'));
  await refused(404, null, () => start({ id: '999999999999' }, 'lost.bin'));
});
