// Tokens: issued by the operator, by client credentials and by JWT assertion; and taken away again.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { BoxClient, BoxJwtAuth, JwtConfig } from 'box-node-sdk';

import {
  clientOf, clientOfApp, download, freshFolder, namesIn, networkSession, newApp, newFolder, newLogin, refused, tokenOf, upload,
} from './kit.mjs';

const login = newLogin('node-auth');
const token = tokenOf(login);
const client = clientOf(token);
const app = newApp('node client credentials');

const PASSPHRASE = 'open sesame';
const encryption = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE };

function newKey() {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: encryption,
  });
}

const key = newKey();
const publicKeyFile = join(mkdtempSync(join(tmpdir(), 'entente-node-')), 'public.pem');
writeFileSync(publicKeyFile, key.publicKey);
const signingApp = newApp('node assertions', publicKeyFile);

function jwtClient(subject, privateKey = key.privateKey) {
  const config = new JwtConfig({
    clientId: signingApp.client_id,
    clientSecret: signingApp.client_secret,
    jwtKeyId: signingApp.public_key_id ?? '',
    privateKey,
    privateKeyPassphrase: PASSPHRASE,
    ...subject,
  });
  return new BoxClient({ auth: new BoxJwtAuth({ config }), networkSession: networkSession() });
}

async function oauthRefused(errors, call) {
  const error = await call().then(() => null, (caught) => caught);
  assert.ok(error, 'a token was given');
  assert.equal(error.responseInfo?.statusCode, 400, String(error.stack));
  assert.ok(errors.includes(error.responseInfo.body.error), error.responseInfo.rawBody);
}

test('a developer token is its user', async () => {
  const me = await client.users.getUserMe();
  assert.equal(me.login, login);
  assert.ok(me.createdAt.value instanceof Date);
  assert.equal(me.rawData.role, undefined);
  assert.ok(me.maxUploadSize > 0);
});

test('client credentials for the enterprise act as the service account', async (context) => {
  const acting = clientOfApp(app, { enterpriseId: app.enterprise_id });
  const me = await acting.users.getUserMe({ fields: ['enterprise', 'login'] });
  assert.equal(me.enterprise.id, app.enterprise_id);
  const folder = await freshFolder(acting, context);
  const file = await upload(acting, folder.id, 'note.txt', 'by client credentials');
  assert.equal((await download(acting, file.id)).toString(), 'by client credentials');
});

test('client credentials for a user act as that user', async () => {
  const me = await client.users.getUserMe();
  const acting = clientOfApp(app, { userId: me.id });
  assert.equal((await acting.users.getUserMe()).id, me.id);
});

test('a wrong secret gives no token', async () => {
  const acting = clientOfApp({ ...app, client_secret: 'wrong' }, { enterpriseId: app.enterprise_id });
  await oauthRefused(['invalid_client'], () => acting.users.getUserMe());
});

test('an assertion for the enterprise', async () => {
  const me = await jwtClient({ enterpriseId: signingApp.enterprise_id }).users.getUserMe();
  assert.equal(me.type, 'user');
});

test('an assertion for a user', async () => {
  const me = await client.users.getUserMe();
  assert.equal((await jwtClient({ userId: me.id }).users.getUserMe()).id, me.id);
});

test('an assertion signed by another key gives no token', async () => {
  const stranger = jwtClient({ enterpriseId: signingApp.enterprise_id }, newKey().privateKey);
  await oauthRefused(['invalid_grant', 'invalid_client'], () => stranger.users.getUserMe());
});

test('a revoked token is refused', async () => {
  const acting = clientOfApp(app, { enterpriseId: app.enterprise_id });
  await acting.users.getUserMe();
  const revoked = (await acting.auth.tokenStorage.get()).accessToken;
  await acting.auth.revokeToken(acting.networkSession);
  await refused(401, null, () => clientOf(revoked).users.getUserMe());
});

test('a client whose token was revoked asks for another one', async () => {
  const acting = clientOfApp(app, { enterpriseId: app.enterprise_id }, 3);
  const before = await acting.users.getUserMe();
  const stale = await acting.auth.tokenStorage.get();
  await acting.auth.revokeToken(acting.networkSession);
  await acting.auth.tokenStorage.store(stale);
  assert.equal((await acting.users.getUserMe()).id, before.id);
  assert.notEqual((await acting.auth.tokenStorage.get()).accessToken, stale.accessToken);
});

test('a made-up token is refused', async () => {
  await refused(401, null, () => clientOf('made-up').users.getUserMe());
});

test('users do not see each others content', async (context) => {
  const folder = await freshFolder(client, context);
  const other = clientOf(tokenOf(newLogin('node-stranger')));
  assert.deepEqual(await namesIn(other, '0'), []);
  await refused(404, 'not_found', () => other.folders.getFolderById(folder.id));
  await refused(404, null, () => newFolder(other, folder.id, 'not mine'));
});

test('a user by id', async () => {
  const me = await client.users.getUserMe();
  assert.equal((await client.users.getUserById(me.id)).login, login);
  await refused(404, null, () => client.users.getUserById('999999999999'));
});
