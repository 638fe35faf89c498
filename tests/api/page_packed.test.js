// The packed copy of the page, as the daemon of this build serves it by itself: small, whole, and of the sources as they are.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, build, top } from '../lib/daemon.js';
import { pageFiles, sizeOf } from '../lib/page_files.js';

const MOST = 60 * 1024;
const source = path.join(top, 'web');
const packed = path.join(build, 'web');
/** Of the sources, what is no part of the page. */
const BESIDE = /\.(md|d\.ts)$|^picture\.png$|(^|\/)\./;

let daemon;
let files;

const list = (folder) => fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  .map((one) => path.relative(folder, path.join(one.parentPath ?? one.path, one.name)));
const isCode = (name) => /\.(js|css)$/.test(name);

before(async () => {
  assert.ok(fs.existsSync(path.join(packed, 'index.html')), 'there is a packed copy: it takes esbuild, then cmake anew');
  daemon = await Daemon.start();
  files = await pageFiles(daemon.url);
});
after(() => daemon?.cleanup());

test('script and style of all views together are under 60 KiB as gzip', (t) => {
  const [script, style] = [sizeOf(files, 'js'), sizeOf(files, 'css')];
  t.diagnostic(`script ${script}, style ${style}, together ${script + style} of ${MOST} bytes`);
  for (const part of ['video', 'scan-form', 'activity']) {
    assert.ok([...files.values()].some(({ text }) => text.includes(`customElements.define("reeld-${part}"`)), `reeld-${part} is among them`);
  }
  assert.ok(script + style < MOST, `${script + style} bytes`);
});

test('nothing else of that kind lies there, and all of it is what it says', () => {
  assert.deepEqual(list(packed).filter(isCode).map((name) => `/${name}`).sort(), [...files.keys()].sort());
  for (const [name, { bytes, type, text }] of files) {
    assert.equal(type, name.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8', name);
    assert.ok(bytes < text.length, `${name} came as gzip`);
    assert.ok(!/\/\*|^\s*\/\/|sourceMappingURL/m.test(text), `${name}: no words for people, no map`);
  }
});

test('all else of the page is as in its sources', async () => {
  for (const name of list(source).filter((one) => !BESIDE.test(one) && !isCode(one))) {
    const answer = await fetch(`${daemon.url}/${name.replace(/^api\//, 'api/v1/')}`);
    assert.equal(answer.status, 200, name);
    assert.ok(fs.readFileSync(path.join(source, name)).equals(Buffer.from(await answer.arrayBuffer())), name);
  }
});

test('no source is newer than the copy', () => {
  const made = fs.statSync(path.join(packed, 'index.html')).mtimeMs;
  const newer = list(source).filter((name) => !BESIDE.test(name) && fs.statSync(path.join(source, name)).mtimeMs > made);
  assert.deepEqual(newer, [], 'build first');
});
