// The page's files: types, tags, headers, and nothing from elsewhere.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, build, tempDir } from '../lib/daemon.js';
import { answers, Raw } from './raw.js';

let daemon;
let dir;

before(async () => {
  dir = tempDir();
  const web = path.join(dir, 'web');
  fs.mkdirSync(path.join(web, 'deep', 'er'), { recursive: true });
  fs.writeFileSync(path.join(dir, 'secret.txt'), 'secret');
  fs.writeFileSync(path.join(web, 'index.html'), '<!doctype html><title>reeld</title>');
  for (const name of ['a.js', 'a.css', 'a.svg', 'a.json', 'a.png', 'a.woff2', 'a.webmanifest', 'a.unknown', '.hidden', 'a b.txt'])
    fs.writeFileSync(path.join(web, name), name);
  fs.writeFileSync(path.join(web, 'deep', 'er', 'x.js'), 'deep');
  fs.writeFileSync(path.join(web, 'big.js'), 'x'.repeat(3_000_000));
  fs.writeFileSync(path.join(web, 'empty.css'), '');
  fs.symlinkSync(path.join(dir, 'secret.txt'), path.join(web, 'escape.txt'));
  fs.symlinkSync('a.js', path.join(web, 'alias.js'));
  daemon = await Daemon.start({ args: ['--web', web] });
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('types and headers', async () => {
  for (const [route, type] of [['/', 'text/html; charset=utf-8'], ['/index.html', 'text/html; charset=utf-8'],
    ['/a.js', 'text/javascript; charset=utf-8'], ['/a.css', 'text/css; charset=utf-8'], ['/a.svg', 'image/svg+xml'],
    ['/a.json', 'application/json'], ['/a.png', 'image/png'], ['/a.woff2', 'font/woff2'],
    ['/a.webmanifest', 'application/manifest+json'], ['/a.unknown', 'application/octet-stream'], ['/deep/er/x.js', 'text/javascript; charset=utf-8'],
    ['/alias.js', 'text/javascript; charset=utf-8'], ['/a%20b.txt', 'text/plain; charset=utf-8'], ['/empty.css', 'text/css; charset=utf-8']]) {
    const answer = await fetch(daemon.url + route);
    assert.equal(answer.status, 200, route);
    assert.equal(answer.headers.get('content-type'), type, route);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(answer.headers.get('cross-origin-resource-policy'), 'same-origin');
    assert.match(answer.headers.get('content-security-policy'), /default-src 'self'.*frame-ancestors 'none'/);
    assert.equal(answer.headers.get('cache-control'), 'no-cache');
    await answer.arrayBuffer();
  }
});

test('tags', async () => {
  const first = await fetch(`${daemon.url}/a.js`);
  const tag = first.headers.get('etag');
  assert.match(tag, /^"[^"]+"$/);
  for (const value of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
    const again = await fetch(`${daemon.url}/a.js`, { headers: { 'if-none-match': value } });
    assert.equal(again.status, 304, value);
    assert.equal(again.headers.get('etag'), tag);
    assert.equal(await again.text(), '');
  }
  fs.writeFileSync(path.join(dir, 'web', 'a.js'), 'changed');
  const changed = await fetch(`${daemon.url}/a.js`, { headers: { 'if-none-match': tag } });
  assert.equal(changed.status, 200);
  assert.equal(await changed.text(), 'changed');
});

test('a large file comes whole, also to a slow reader', async () => {
  assert.equal((await (await fetch(`${daemon.url}/big.js`)).text()).length, 3_000_000);
  const raw = await Raw.open(daemon.port);
  const get = `GET /big.js HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n\r\n`;
  raw.send(get + get);
  raw.socket.pause();
  assert.equal((await daemon.get('/health/live')).status, 200);
  raw.socket.resume();
  const text = await raw.until((all) => answers(all).length === 2, 'both');
  assert.ok(answers(text).every((answer) => answer.body.length === 3_000_000));
  raw.destroy();
});

test('nothing from elsewhere', async () => {
  for (const target of ['/escape.txt', '/../secret.txt', '/%2e%2e/secret.txt', '/deep/../../secret.txt', '/..%2fsecret.txt', '/.hidden',
    '//etc/passwd', '/deep', '/deep/er/', '/nothing.js', '/a.js/', '/a.js%2f..%2f..%2fsecret.txt', `/${'a'.repeat(5000)}`]) {
    const raw = await Raw.open(daemon.port);
    raw.send(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nConnection: close\r\n\r\n`);
    const [answer] = answers(await raw.end());
    assert.equal(answer.status, 404, target);
    assert.ok(!answer.body.includes('secret'));
  }
});

test('places inside the page give the page, to a browser', async () => {
  const html = { accept: 'text/html,application/xhtml+xml' };
  assert.match(await (await fetch(`${daemon.url}/videos/some-id`, { headers: html })).text(), /<title>reeld/);
  assert.equal((await fetch(`${daemon.url}/videos/some-id`)).status, 404);
  for (const route of ['/api/v1/nothing', '/api', '/health/x'])
    assert.equal((await fetch(daemon.url + route, { headers: html })).status, 404, route);
  assert.equal((await fetch(`${daemon.url}/index.html`, { method: 'POST' })).status, 405);
});

test('where nothing else is said: the copy beside the program, or else the sources', async () => {
  const place = path.join(dir, 'clone/build/some');
  const program = path.join(place, 'reeld');
  const put = (folder, title) => {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'index.html'), `<!doctype html><title>${title}</title>`);
  };
  const shown = async (...args) => {
    const other = await Daemon.start({ program, args: ['--worker-program', path.join(build, 'reeld-worker'), ...args] });
    const text = await (await fetch(other.url)).text();
    await other.cleanup();
    return /<title>(.*)<\/title>/.exec(text)[1];
  };
  put(path.join(dir, 'clone/web'), 'sources');
  fs.mkdirSync(place, { recursive: true });
  fs.copyFileSync(path.join(build, 'reeld'), program);
  assert.equal(await shown(), 'sources');
  fs.mkdirSync(path.join(place, 'web'));
  assert.equal(await shown(), 'sources', 'a folder without a page');
  put(path.join(place, 'web'), 'packed');
  assert.equal(await shown(), 'packed');
  assert.equal(await shown('--web', path.join(dir, 'clone/web')), 'sources');
});

test('without a page the service still serves', async () => {
  const bare = await Daemon.start({ args: ['--web', path.join(dir, 'missing')] }).catch((error) => error);
  if (bare instanceof Error) return assert.match(bare.message, /web/);
  assert.equal((await bare.get('/')).status, 404);
  assert.equal((await bare.get('/health/live')).status, 200);
  return bare.cleanup();
});
