// The running server as the stories see it, and short words for what nearly every story does with the SDK.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';

import { BoxCcgAuth, BoxClient, BoxDeveloperTokenAuth, CcgConfig } from 'box-node-sdk';
import { BaseUrls, BoxRetryStrategy, NetworkSession } from 'box-node-sdk/networking';

const NEEDED = ['ENTENTE_URL', 'ENTENTE_CA', 'ENTENTE_BIN', 'ENTENTE_DATA', 'NODE_EXTRA_CA_CERTS'];
const missing = NEEDED.filter((name) => !process.env[name]);
if (missing.length > 0) {
  throw new Error(`set ${missing.join(', ')}, or run scripts/client-tests.sh`);
}

export const url = process.env.ENTENTE_URL.replace(/\/+$/, '');

/** Runs one verb of the `entente` program on the server's data directory, and returns what it printed. */
export function entente(...words) {
  return execFileSync(process.env.ENTENTE_BIN, [...words, '--data', process.env.ENTENTE_DATA], {
    encoding: 'utf8',
    timeout: 60_000,
  }).trim();
}

/** Makes a user nobody else uses, and returns the login. */
export function newLogin(word) {
  const login = `${word}-${randomUUID().slice(0, 8)}@example.com`;
  entente('user', 'create', '--login', login, '--name', `Story ${word}`);
  return login;
}

export function tokenOf(login) {
  return entente('token', 'issue', '--login', login);
}

export function newApp(name, publicKey) {
  const more = publicKey ? ['--public-key', publicKey] : [];
  return JSON.parse(entente('app', 'create', '--name', name, '--json', ...more));
}

/** A session that fails fast: a story wants the first answer, not the fifth. */
export function networkSession(attempts = 1) {
  return new NetworkSession({
    baseUrls: new BaseUrls({ baseUrl: url, uploadUrl: `${url}/upload`, oauth2Url: `${url}/oauth2` }),
    retryStrategy: new BoxRetryStrategy({ maxAttempts: attempts, retryBaseInterval: 0, maxRetriesOnException: 0 }),
  });
}

export function clientOf(token) {
  return new BoxClient({ auth: new BoxDeveloperTokenAuth({ token }), networkSession: networkSession() });
}

/** A client that asks for its own tokens with client credentials, for `{ enterpriseId }` or `{ userId }`. */
export function clientOfApp(app, subject, attempts = 1) {
  const config = new CcgConfig({ clientId: app.client_id, clientSecret: app.client_secret, ...subject });
  return new BoxClient({ auth: new BoxCcgAuth({ config }), networkSession: networkSession(attempts) });
}

export const sha1 = (content) => createHash('sha1').update(content).digest('hex');
export const random = (sizeBytes) => randomBytes(sizeBytes);
export const stream = (content) => Readable.from([Buffer.from(content)], { objectMode: false });

export async function bytesOf(readable) {
  const pieces = [];
  for await (const piece of readable) pieces.push(piece);
  return Buffer.concat(pieces);
}

export async function newFolder(client, parent, name) {
  return client.folders.createFolder({ name, parent: { id: parent } });
}

export async function upload(client, parent, name, content, optionals = {}) {
  const files = await client.uploads.uploadFile(
    { attributes: { name, parent: { id: parent } }, file: stream(content) },
    optionals,
  );
  assert.equal(files.totalCount, 1);
  return files.entries[0];
}

export async function uploadVersion(client, fileId, name, content, optionals = {}) {
  const files = await client.uploads.uploadFileVersion(
    fileId,
    { attributes: { name }, file: stream(content) },
    optionals,
  );
  return files.entries[0];
}

export async function download(client, fileId, optionals = {}) {
  return bytesOf(await client.downloads.downloadFile(fileId, optionals));
}

export async function namesIn(client, folderId) {
  const items = await client.folders.getFolderItems(folderId, { queryParams: { limit: 1000 } });
  return items.entries.map((item) => item.name);
}

/**
 * The call must be refused with this status (and code); returns the body of the error.
 *
 * The SDK does not read the body of an answer to a call that returns nothing, so then only the status is looked at.
 */
export async function refused(status, code, call) {
  let error;
  try {
    await call();
  } catch (caught) {
    error = caught;
  }
  assert.ok(error, `expected an error ${status} ${code ?? ''}, but the call succeeded`);
  assert.ok(error.responseInfo, `expected an error ${status} ${code ?? ''}, got ${error.stack}`);
  const { statusCode, body, rawBody } = error.responseInfo;
  assert.equal(statusCode, status, `expected ${status} ${code ?? ''}, got ${statusCode} ${rawBody}`);
  if (body === undefined) return {};
  assert.equal(body.type, 'error', rawBody);
  assert.equal(body.status, status, rawBody);
  assert.ok(body.request_id, rawBody);
  if (code) assert.equal(body.code, code, rawBody);
  return body;
}

let made = 0;

/** A fresh folder in the user's root, for one story alone. */
export async function freshFolder(client, context) {
  made += 1;
  const word = context.name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 80);
  return newFolder(client, '0', `${made}-${word}-${randomUUID().slice(0, 8)}`);
}

/** Works through `things`, at most `width` at a time, and returns the results in order. */
export async function inParallel(things, work, width = 8) {
  const list = [...things];
  const results = new Array(list.length);
  let next = 0;
  const worker = async () => {
    while (next < list.length) {
      const place = next++;
      results[place] = await work(list[place]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, worker));
  return results;
}
