// A tree of real files, and one big file, all the way in and out with the Node SDK.
//
// The tree is planted by scripts/client-tests.sh in ENTENTE_TREE; ENTENTE_BIG_MIB says how large the big file is.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, cpSync, createReadStream, createWriteStream, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, test } from 'node:test';
import { pipeline } from 'node:stream/promises';

import { clientOf, freshFolder, inParallel, newFolder, newLogin, sha1, tokenOf, upload, uploadVersion } from './kit.mjs';

const client = clientOf(tokenOf(newLogin('node-tree')));
const scratch = mkdtempSync(join(tmpdir(), 'entente-node-tree-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function listing(root) {
  const found = {};
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    found[relative(root, path)] = sha1(readFileSync(path));
  }
  return found;
}

const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([one], [two]) => (one < two ? -1 : 1)));

async function* itemsOf(folderId) {
  let marker;
  do {
    const page = await client.folders.getFolderItems(folderId, { queryParams: { usemarker: true, marker, limit: 500 } });
    yield* page.entries;
    marker = page.nextMarker;
  } while (marker);
}

/** Everything below a folder as the server lists it: path to id and SHA-1. */
async function listed(root) {
  const found = new Map();
  let waiting = [['', root]];
  while (waiting.length > 0) {
    const next = [];
    await inParallel(waiting, async ([path, id]) => {
      for await (const item of itemsOf(id)) {
        const below = join(path, item.name);
        if (item.type === 'folder') next.push([below, item.id]);
        else found.set(below, { id: item.id, sha1: item.sha1 });
      }
    });
    waiting = next;
  }
  return found;
}

test('a tree goes in and comes back', async (context) => {
  const source = join(scratch, 'source');
  assert.ok(process.env.ENTENTE_TREE, 'set ENTENTE_TREE to a folder of files, or run scripts/client-tests.sh');
  cpSync(process.env.ENTENTE_TREE, source, { recursive: true });
  const local = listing(source);
  const paths = Object.keys(local).sort();
  const root = (await freshFolder(client, context)).id;
  let ids;
  let expected = { ...local };
  const check = async () => {
    const found = await listed(root);
    assert.deepEqual(
      sorted(Object.fromEntries([...found].map(([path, file]) => [path, file.sha1]))),
      sorted(expected),
    );
    ids = new Map([...found].map(([path, file]) => [path, file.id]));
  };

  // Up.
  const folders = new Map([['.', root]]);
  for (const folder of [...new Set(paths.map(dirname))].sort()) {
    let above = root;
    let path = '';
    for (const name of folder.split('/')) {
      path = join(path, name);
      if (!folders.has(path)) folders.set(path, (await newFolder(client, above, name)).id);
      above = folders.get(path);
    }
  }
  const nameOf = (path) => path.slice(path.lastIndexOf('/') + 1);
  await inParallel(paths, (path) => upload(client, folders.get(dirname(path)), nameOf(path), readFileSync(join(source, path))));
  await check();

  // Every tenth file is overwritten.
  const changed = paths.filter((_, place) => place % 10 === 0);
  for (const path of changed) {
    appendFileSync(join(source, path), '\nchanged by the story\n');
    expected[path] = sha1(readFileSync(join(source, path)));
  }
  await inParallel(changed, (path) => uploadVersion(client, ids.get(path), nameOf(path), readFileSync(join(source, path))));
  await check();

  // Some files are renamed in place, and one folder moves with all that is in it.
  const renamed = paths.filter((_, place) => place % 10 === 3);
  await inParallel(renamed, (path) =>
    client.files.updateFileById(ids.get(path), { requestBody: { name: `${nameOf(path)}.renamed` } }),
  );
  for (const path of renamed) {
    expected[`${path}.renamed`] = expected[path];
    delete expected[path];
  }
  const top = paths[0].split('/')[0];
  const attic = (await newFolder(client, root, 'attic')).id;
  await client.folders.updateFolderById(folders.get(top), { requestBody: { parent: { id: attic } } });
  expected = Object.fromEntries(
    Object.entries(expected).map(([path, digest]) => [path.startsWith(`${top}/`) ? `attic/${path}` : path, digest]),
  );
  await check();

  // One folder is copied.
  const copied = await client.folders.copyFolder(attic, { parent: { id: root }, name: 'copy of the attic' });
  for (const [path, digest] of Object.entries(expected)) {
    if (path.startsWith('attic/')) expected[`copy of the ${path}`] = digest;
  }
  await check();

  // A folder and some files go to the trash, and come back.
  const before = { ...expected };
  const beforeIds = new Map(ids);
  const single = Object.keys(expected).filter((path) => path.startsWith('attic/')).filter((_, place) => place % 20 === 0);
  await inParallel(single, (path) => client.files.deleteFileById(ids.get(path)));
  await client.folders.deleteFolderById(copied.id, { queryParams: { recursive: true } });
  expected = Object.fromEntries(
    Object.entries(before).filter(([path]) => !single.includes(path) && !path.startsWith('copy of the attic/')),
  );
  await check();
  await inParallel(single, (path) => client.trashedFiles.restoreFileFromTrash(beforeIds.get(path)));
  await client.trashedFolders.restoreFolderFromTrash(copied.id);
  expected = before;
  await check();

  // Down, and every byte is compared.
  const down = join(scratch, 'down');
  await inParallel(Object.keys(expected), async (path) => {
    const place = join(down, path);
    mkdirSync(dirname(place), { recursive: true });
    await pipeline(await client.downloads.downloadFile(ids.get(path)), createWriteStream(place));
  });
  assert.deepEqual(sorted(listing(down)), sorted(expected));
});

test('one big file goes in and comes back', async (context) => {
  const root = (await freshFolder(client, context)).id;
  const source = join(scratch, 'big.bin');
  const back = join(scratch, 'back.bin');
  const mebibytes = Number(process.env.ENTENTE_BIG_MIB ?? '64');
  const digest = createHash('sha1');
  const handle = openSync(source, 'w');
  for (let number = 0; number < mebibytes; number += 1) {
    const piece = randomBytes(1024 * 1024);
    digest.update(piece);
    writeSync(handle, piece);
  }
  closeSync(handle);
  const expected = digest.digest('hex');
  const size = mebibytes * 1024 * 1024;
  const stored = await client.chunkedUploads.uploadBigFile(
    createReadStream(source, { highWaterMark: 1024 * 1024 }), 'big.bin', size, root,
  );
  assert.equal(stored.size, size);
  assert.equal(stored.sha1, expected);
  await pipeline(await client.downloads.downloadFile(stored.id), createWriteStream(back));
  assert.equal(statSync(back).size, size);
  const got = createHash('sha1');
  for await (const piece of createReadStream(back)) got.update(piece);
  assert.equal(got.digest('hex'), expected);
});
