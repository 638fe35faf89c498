// The page's files as gzip: for who takes it, and for nobody else; each form under its own tag.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Daemon, tempDir, top } from '../lib/daemon.js';
import { answers, Raw } from './raw.js';

let daemon;
let dir;
let web;
const text = 'export const word = "again and again";\n'.repeat(200);

before(async () => {
  dir = tempDir();
  web = path.join(dir, 'web');
  fs.mkdirSync(web);
  fs.writeFileSync(path.join(web, 'index.html'), `<!doctype html><title>reeld</title>${'<p>'.repeat(200)}`);
  fs.writeFileSync(path.join(web, 'a.js'), text);
  fs.writeFileSync(path.join(web, 'tiny.js'), '1');
  fs.writeFileSync(path.join(web, 'empty.css'), '');
  fs.writeFileSync(path.join(web, 'a.png'), 'x'.repeat(5000));
  fs.writeFileSync(path.join(web, 'large.js'), 'x'.repeat(1024 * 1024 + 1));
  daemon = await Daemon.start({ args: ['--web', web] });
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

/** One answer, as its bytes came: fetch would take the coding off. */
async function get(target, headers = {}, method = 'GET') {
  const raw = await Raw.open(daemon.port);
  raw.send(`${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nConnection: close\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  const [answer] = answers(await raw.end(), method === 'HEAD' ? 1 : 0);
  return { ...answer, bytes: Buffer.from(answer.body, 'latin1') };
}

test('who takes gzip gets it, and the same content', async () => {
  for (const coding of ['gzip', 'gzip, deflate, br, zstd', 'br;q=1.0, gzip;q=0.2', 'GZIP', 'x-gzip', '*', 'identity, *;q=0.1', ' deflate ,\tgzip ; q=0.001']) {
    const answer = await get('/a.js', { 'Accept-Encoding': coding });
    assert.equal(answer.status, 200, coding);
    assert.equal(answer.headers['content-encoding'], 'gzip', coding);
    assert.equal(answer.headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal(answer.headers.vary, 'accept-encoding');
    assert.equal(Number(answer.headers['content-length']), answer.bytes.length);
    assert.ok(answer.bytes.length < text.length / 10);
    assert.equal(gunzipSync(answer.bytes).toString(), text);
  }
});

test('who does not take it gets the file as it is, and is told that there is another form', async () => {
  for (const headers of [{}, ...['', 'identity', 'br', 'gzip;q=0', 'gzip; q=0.0', '*;q=0', 'gzip;q=0, *', 'gzipped', 'gzi'].map((coding) => ({ 'Accept-Encoding': coding }))]) {
    const answer = await get('/a.js', headers);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-encoding'], undefined, JSON.stringify(headers));
    assert.equal(answer.headers.vary, 'accept-encoding');
    assert.equal(answer.bytes.toString(), text);
  }
});

test('what gzip would not make smaller goes out as it is', async () => {
  const gzip = { 'Accept-Encoding': 'gzip' };
  for (const [target, length] of [['/tiny.js', 1], ['/empty.css', 0]]) {
    const answer = await get(target, gzip);
    assert.equal(answer.headers['content-encoding'], undefined, target);
    assert.equal(answer.bytes.length, length);
  }
  for (const [target, length] of [['/a.png', 5000], ['/large.js', 1024 * 1024 + 1]]) {
    const answer = await get(target, gzip);
    assert.equal(answer.headers['content-encoding'], undefined, target);
    assert.equal(answer.headers.vary, undefined, target);
    assert.equal(answer.bytes.length, length);
  }
});

test('each form has its own tag, under which it is not sent again', async () => {
  const plain = await get('/a.js');
  const packed = await get('/a.js', { 'Accept-Encoding': 'gzip' });
  const [tag, other] = [packed.headers.etag, plain.headers.etag];
  assert.match(tag, /^"[^"]+"$/);
  assert.notEqual(tag, other);
  const again = await get('/a.js', { 'Accept-Encoding': 'gzip', 'If-None-Match': `${tag}` });
  assert.equal(again.status, 304);
  assert.equal(again.headers.etag, tag);
  assert.equal(again.headers.vary, 'accept-encoding');
  assert.equal(again.headers['content-encoding'], undefined);
  // The other form's tag tells nothing of this one.
  assert.equal((await get('/a.js', { 'Accept-Encoding': 'gzip', 'If-None-Match': other })).status, 200);
  assert.equal((await get('/a.js', { 'If-None-Match': tag })).status, 200);
  assert.equal((await get('/a.js', { 'If-None-Match': other })).status, 304);
});

test('HEAD says what GET would', async () => {
  const got = await get('/', { 'Accept-Encoding': 'gzip' });
  const head = await get('/', { 'Accept-Encoding': 'gzip' }, 'HEAD');
  for (const name of ['content-encoding', 'content-length', 'etag', 'vary', 'content-type']) assert.equal(head.headers[name], got.headers[name], name);
  assert.equal(head.bytes.length, 0);
});

test('a file that became another is packed anew', async () => {
  const file = path.join(web, 'other.js');
  fs.writeFileSync(file, text);
  const first = await get('/other.js', { 'Accept-Encoding': 'gzip' });
  fs.writeFileSync(file, text.replaceAll('again', 'never'));
  fs.utimesSync(file, 1e9, 1e9);
  const second = await get('/other.js', { 'Accept-Encoding': 'gzip', 'If-None-Match': first.headers.etag });
  assert.equal(second.status, 200);
  assert.notEqual(second.headers.etag, first.headers.etag);
  assert.equal(gunzipSync(second.bytes).toString(), text.replaceAll('again', 'never'));
});

test('the page, the way a browser asks for it, and the documents of the API', async () => {
  const real = await Daemon.start({ args: ['--web', path.join(top, 'web')] });
  try {
    for (const route of ['/', '/app.js', '/style.css', '/favicon.svg', '/api/v1/openapi.json', '/api/v1/asyncapi.json', '/scans']) {
      const answer = await fetch(real.url + route, { headers: { accept: 'text/html,*/*' } });
      assert.equal(answer.headers.get('content-encoding'), 'gzip', route);
      const name = { '/': 'index.html', '/scans': 'index.html' }[route] ?? route.replace('/api/v1/', 'api/').replace(/^\//, '');
      assert.equal(await answer.text(), fs.readFileSync(path.join(top, 'web', name), 'utf8'), route);
    }
  } finally {
    await real.cleanup();
  }
});
