// What libwebsockets would get wrong by itself, one test each. The daemon must live, answer clearly,
// and never take one request for part of another.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, tempDir } from '../lib/daemon.js';
import { checkAnswer } from '../lib/documents.js';
import { answers, Raw } from './raw.js';

let daemon;
let host;
const json = 'Content-Type: application/json\r\n';

before(async () => {
  daemon = await Daemon.start();
  host = `Host: 127.0.0.1:${daemon.port}\r\n`;
});
after(() => daemon.cleanup());

const open = () => Raw.open(daemon.port);
const count = (n) => (text) => answers(text).length >= n;

async function alive() {
  assert.equal((await daemon.get('/health/live')).status, 200);
}

/** One request on a new connection, that the server must answer and then close. */
async function refused(bytes, status, code) {
  const raw = await open();
  raw.send(bytes);
  const [answer] = answers(await raw.end());
  assert.equal(answer.status, status);
  assert.equal(answer.headers.connection, 'close');
  assert.equal(JSON.parse(answer.body).code, code);
  const [method, url] = bytes.split(' ');
  checkAnswer({ method, url, status, type: answer.headers['content-type'], body: JSON.parse(answer.body) });
  await alive();
}

/** A request on a kept-alive connection, whose answer must leave the connection in step. */
async function kept(bytes, status) {
  const raw = await open();
  raw.send(`GET /health/live HTTP/1.1\r\n${host}\r\n`);
  await raw.until(count(1), 'the first answer');
  raw.send(bytes);
  await raw.until(count(2), 'the answer');
  raw.send(`GET /metrics HTTP/1.1\r\n${host}\r\n`);
  const text = await raw.until((all) => all.includes('# HELP reeld_info'), 'the answer after it');
  assert.equal(answers(text)[1].status, status);
  raw.destroy();
}

test('Upgrade to anything but websocket, on a kept-alive connection', async () => {
  for (const upgrade of ['foo', 'h2c', 'websocketx', 'websocket, foo']) {
    const raw = await open();
    raw.send(`GET /health/live HTTP/1.1\r\n${host}\r\n`);
    await raw.until(count(1), 'the first answer');
    raw.send(`GET /health/live HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings\r\n`
      + `Upgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n`);
    const [, second] = answers(await raw.end());
    assert.ok(!second || second.status === 403, upgrade);
    await alive();
  }
});

test('POST without Content-Length is answered, and the connection ends', async () => {
  const id = '01890000-0000-7000-8000-000000000000';
  await refused(`POST /api/v1/jobs/${id}/cancel HTTP/1.1\r\n${host}\r\n`, 404, 'NOT_FOUND');
  await refused(`POST /api/v1/videos/scan HTTP/1.1\r\n${host}${json}\r\n`, 400, 'MALFORMED_JSON');
  await refused(`PUT /api/v1/jobs HTTP/1.1\r\n${host}\r\n`, 405, 'METHOD_NOT_ALLOWED');
  await refused(`PATCH /api/v1/jobs HTTP/1.1\r\n${host}\r\n`, 405, 'METHOD_NOT_ALLOWED');
});

test('a chunked body is refused', async () => {
  for (const method of ['POST', 'PUT', 'GET', 'DELETE']) {
    await refused(`${method} /api/v1/jobs HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n`
      + '5\r\nhello\r\n0\r\n\r\n', 411, 'LENGTH_REQUIRED');
  }
  await refused(`POST /api/v1/jobs HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n`
    + '0\r\n\r\nGET /health/live HTTP/1.1\r\n', 411, 'LENGTH_REQUIRED');
});

test('a body over the limit is refused, also while it is still being sent', async () => {
  const body = 'x'.repeat(300000);
  await refused(`POST /api/v1/videos/scan HTTP/1.1\r\n${host}${json}Content-Length: ${body.length}\r\n\r\n${body}`,
    413, 'BODY_TOO_LONG');
  for (const length of ['65537', '99999999999', '9'.repeat(22)]) {
    await refused(`POST /api/v1/videos/scan HTTP/1.1\r\n${host}${json}Content-Length: ${length}\r\n\r\n`,
      413, 'BODY_TOO_LONG');
  }
});

test('a length that is not one number is refused', async () => {
  for (const length of ['-5', 'abc', '1e3', '0x10', '5,5', '+3', '1 2', '9'.repeat(40)]) {
    for (const method of ['POST', 'GET']) {
      await refused(`${method} /api/v1/jobs HTTP/1.1\r\n${host}${json}Content-Length: ${length}\r\n\r\n`,
        400, 'BAD_CONTENT_LENGTH');
    }
  }
  await refused(`POST /api/v1/jobs HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
    400, 'BAD_CONTENT_LENGTH');
});

test('Content-Length: 0 is answered and keeps the connection', async () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    await kept(`${method} /api/v1/jobs HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`, 405);
  }
  await kept(`POST /api/v1/videos/scan HTTP/1.1\r\n${host}${json}Content-Length: 0\r\n\r\n`, 400);
});

test('GET and DELETE with a body are answered and keep the connection', async () => {
  await kept(`GET /health/live HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`, 200);
  await kept(`DELETE /api/v1/videos/nonsense HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`, 404);
  await kept(`OPTIONS /api/v1/jobs HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`, 405);
});

test('an early error does not swallow the next request', async () => {
  const scan = (body) => `POST /api/v1/videos/scan HTTP/1.1\r\n${host}${json}Content-Length: ${body.length}\r\n\r\n${body}`;
  await kept(scan('{not json'), 400);
  await kept(scan('{"path":"/nowhere/at/all"}'), 400);
  await kept(`POST /api/v1/nothing HTTP/1.1\r\n${host}${json}Content-Length: 2\r\n\r\n{}`, 404);
  await kept(`POST /api/v1/videos/scan HTTP/1.1\r\nHost: evil.example\r\n${json}Content-Length: 2\r\n\r\n{}`, 421);
});

const get = (route) => `GET ${route} HTTP/1.1\r\n${host}\r\n`;
const post = () => `POST /api/v1/videos/scan HTTP/1.1\r\n${host}${json}Content-Length: 9\r\n\r\n{not json`;

test('pipelined requests are answered in order', async () => {
  const raw = await open();
  raw.send(post() + get('/api/v1/jobs') + get('/nowhere.txt') + get('/health/live') + get('/api/v1/videos'));
  const text = await raw.until(count(5), 'five answers');
  assert.deepEqual(answers(text).map((answer) => answer.status), [400, 200, 404, 200, 200]);
  assert.ok(answers(text)[4].body.startsWith('{"videos"'));
  raw.destroy();
});

test('of many requests in one packet none waits for a packet more', async () => {
  const raw = await open();
  const routes = ['/health/live', '/api/v1/videos', '/health/live', '/nowhere.txt', '/api/v1/jobs'];
  const wanted = Array.from({ length: 60 }, (_, i) => routes[i % routes.length]);
  raw.send(wanted.map(get).join(''));
  const text = await raw.until(count(wanted.length), 'all answers');
  assert.deepEqual(answers(text).map(({ status }) => status), wanted.map((route) => (route === '/nowhere.txt' ? 404 : 200)));
  raw.destroy();
});

test('a body that was pipelined behind another request is never misread', async () => {
  const withBody = `GET /health/live HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`;
  const noLength = `POST /api/v1/videos/scan HTTP/1.1\r\n${host}${json}\r\n`;
  for (const bytes of [get('/health/live') + post(), get('/health/live') + post() + get('/health/live'), post() + post(),
    get('/health/live') + withBody + get('/health/live'), get('/health/live') + noLength, post() + post().slice(0, -5)]) {
    const raw = await open();
    raw.send(bytes);
    const [, second] = answers(await raw.end());
    assert.equal(second.status, 503);
    assert.equal(second.headers.connection, 'close');
    assert.equal(JSON.parse(second.body).code, 'PIPELINED_BODY');
    await alive();
  }
  const raw = await open();
  const bytes = get('/health/live') + post();
  raw.send(bytes.slice(0, -40));
  await raw.until(count(1), 'the first answer');
  raw.send(bytes.slice(-40));
  const text = await raw.until(count(2), 'the second answer');
  assert.ok(['MALFORMED_JSON', 'PIPELINED_BODY'].includes(JSON.parse(answers(text)[1].body).code));
  raw.destroy();
});

test('a request that comes while another waits is answered after it', async () => {
  const raw = await open();
  const id = '01890000-0000-7000-8000-000000000000';
  raw.send(`POST /api/v1/jobs/${id}/cancel HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n${get('/health/live')}`);
  const text = await raw.until(count(2), 'two answers');
  assert.deepEqual(answers(text).map((answer) => answer.status), [404, 200]);
  raw.destroy();
});

test('HEAD gives the headers of GET and no body, wherever there is a GET', async () => {
  for (const [route, encoding] of ['/', '/health/live', '/health/ready', '/metrics', '/api/v1/jobs', '/api/v1/videos',
    '/api/v1/videos/search?q=x', '/api/v1/filesystem/directories', '/api/v1/openapi.json', '/api/v1/nothing',
    '/api/v1/jobs/nonsense'].flatMap((one) => [[one, 'identity'], [one, 'gzip']])) {
    const raw = await open();
    raw.send(`HEAD ${route} HTTP/1.1\r\n${host}Accept-Encoding: ${encoding}\r\n\r\nGET /health/live HTTP/1.1\r\n${host}\r\n`);
    const text = await raw.until((all) => all.includes('{"status":"ok"}') && answers(all, 1).length === 2, 'both');
    const [head, next] = answers(text, 1);
    const get = await fetch(daemon.url + route, { headers: { 'accept-encoding': encoding } });
    assert.equal(head.status, get.status, route);
    assert.equal(head.headers['content-encoding'] ?? null, get.headers.get('content-encoding'), route);
    assert.equal(head.headers['content-type'], get.headers.get('content-type'), route);
    assert.ok(Number(head.headers['content-length']) > 0, route);
    if (route !== '/metrics' && route !== '/health/ready')
      assert.equal(head.headers['content-length'], get.headers.get('content-length'), route);
    assert.equal(next.status, 200);
    raw.destroy();
  }
});

test('known methods that a route does not take: 405 with Allow', async () => {
  for (const [method, route, allow] of [
    ['PUT', '/api/v1/videos', 'GET, HEAD'], ['PATCH', '/api/v1/videos', 'GET, HEAD'],
    ['OPTIONS', '/api/v1/videos/scan', 'POST'], ['DELETE', '/api/v1/jobs', 'GET, HEAD'],
    ['PUT', '/api/v1/videos/01890000-0000-7000-8000-000000000000', 'GET, HEAD, DELETE'],
    ['DELETE', '/api/v1/videos/search', 'GET, HEAD'], ['POST', '/index.html', 'GET, HEAD'], ['DELETE', '/', 'GET, HEAD'],
  ]) {
    const raw = await open();
    raw.send(`${method} ${route} HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`);
    const [answer] = answers(await raw.until(count(1), 'the answer'));
    assert.equal(answer.status, 405, `${method} ${route}`);
    assert.equal(answer.headers.allow, allow, `${method} ${route}`);
    assert.equal(JSON.parse(answer.body).code, 'METHOD_NOT_ALLOWED');
    raw.destroy();
  }
});

test('unknown methods, CONNECT and targets that are no path end the connection', async () => {
  for (const line of ['FOO / HTTP/1.1', 'TRACE / HTTP/1.1', 'CONNECT a:80 HTTP/1.1', 'GET http://a/ HTTP/1.1',
    'OPTIONS * HTTP/1.1', 'GET', 'GET /%zz HTTP/1.1', 'GET /?a=%00 HTTP/1.1', 'GET /%00abc HTTP/1.1', 'GET /..%00abc HTTP/1.1']) {
    const raw = await open();
    raw.send(`${line}\r\n${host}\r\n`);
    const text = await raw.end();
    assert.ok(!/^HTTP\/1\.[01] 2/.test(text), `${line}: ${text.slice(0, 60)}`);
    await alive();
  }
});

test('an encoded line break in the target adds no header and hides none', async () => {
  const own = `127.0.0.1:${daemon.port}`;
  const evil = 'Host: evil.example\r\n';
  const folders = '/api/v1/filesystem/directories?path=';
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const body = '{"path":"/"}';
  const length = `Content-Length: ${body.length}\r\n`;
  const bad = [];
  for (const end of ['%0A', '%0a', '%0D%0A', '%0d%0a', '%0D', '%0d', '%0A%0A', '%0D%0A%0D%0A']) {
    for (const target of ['/api/v1/jobs', '/', `${folders}/`, `${folders}/&limit=1`]) {
      for (const [rest, head] of [
        // The target goes on with a header; the true ones differ, are swallowed by a line without a colon, or are not there.
        [`Host:%20${own} HTTP/1.1\r\n`, evil], [`Host: ${own} HTTP/1.1\r\n`, evil], [`Host:${own}\r\n`, ''], [`Host:${own}\n`, `x\r\n${evil}`],
        [`Host:${own}\r\nHTTP/1.1 HTTP/1.1\r\n`, ''], [`Host:${own}\r\nHTTP/1.1 H\r\nHTTP/1.1 TTP/1.1\r\n`, ''],
        [` HTTP/1.1%0AHost:${own} HTTP/1.1\r\n`, evil], [`Host:${own}%0AHost:${own} HTTP/1.1\r\n`, evil],
        // The true ones are fine, and the target poses as the version, says a header, or ends the head.
        ['HTTP/1.1 HTTP/1.1\r\n', host], ['http/1.1 HTTP/1.1\r\n', host], ['HTTP/1.1 HTTP/1.1\r\nHTTP/1.1 HTTP/1.1\r\n', host],
        ['Origin:http://a HTTP/1.1\r\n', host], ['Authorization:Bearer%20x\r\n', host], ['X-Request-ID:a\r\n', host], ['x\r\n', host], ['', host],
      ]) bad.push(`GET ${target}${end}${rest}${head}\r\n`);
    }
    bad.push(`POST /api/v1/videos/scan${end}Host:${own}\r\n${json}${length}\r\n${body}`);
    bad.push(`POST /api/v1/videos/scan${end}Host:${own} HTTP/1.1\r\n${evil}${json}${length}\r\n${body}`);
    bad.push(`POST /api/v1/videos/scan${end}Content-Length:${body.length}\r\n${host}${json}\r\n${body}`);
    bad.push(`POST /api/v1/videos/scan${end}HTTP/1.1 HTTP/1.1\r\n${host}${json}${length}\r\n${body}`);
    bad.push(`GET /ws${end}Host:${own}\r\n${upgrade}\r\n`, `GET /ws${end}Host:${own} HTTP/1.1\r\n${evil}${upgrade}\r\n`);
    bad.push(`GET /ws${end}HTTP/1.1 HTTP/1.1\r\n${host}${upgrade}\r\n`, `GET /ws?${end}HTTP/1.1 HTTP/1.1\r\n${host}${upgrade}\r\n`);
  }
  for (const line of ['', ' HTTP/1.1 x', ' HTTP/2.0', ' http/1.1', ' HTTP/1.1\r\nHTTP/1.1 HTTP/1.1', '%09 HTTP/1.1', '%01 HTTP/1.1', '\t HTTP/1.1', '%7f HTTP/1.1'])
    bad.push(`GET /api/v1/jobs${line}\r\n${host}\r\n`);
  for (const bytes of bad) {
    const raw = await open();
    raw.send(bytes);
    const [answer, more] = answers(await raw.end());
    assert.equal(answer?.status, 400, JSON.stringify([bytes, raw.text]));
    assert.equal(JSON.parse(answer.body).code, 'MALFORMED_TARGET', JSON.stringify(bytes));
    assert.equal(answer.headers.connection, 'close');
    assert.equal(more, undefined, JSON.stringify(bytes));
  }
  // Two methods, and names that are not for the wire: nothing of it is taken for a request.
  for (const bytes of [`GET /api/v1/jobs%0APOST /metrics HTTP/1.1\r\n${host}\r\n`, `GET /api/v1/jobs HTTP/1.1\r\nPOST /metrics HTTP/1.1\r\n${host}\r\n`,
    `GET /api/v1/jobs%0AGET /metrics HTTP/1.1\r\n${host}\r\n`, `GET /api/v1/jobs HTTP/1.1\r\n:path: /metrics\r\n${host}\r\n`,
    `GET /ws%0AUpgrade:websocket HTTP/1.1\r\n${host}Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`]) {
    const raw = await open();
    raw.send(bytes);
    assert.doesNotMatch(await raw.end(), /^HTTP\/1\.[01] [12]/, bytes);
  }
  assert.deepEqual((await daemon.get('/api/v1/jobs')).body.jobs, []);
  await kept(`GET ${folders}/%09 HTTP/1.1\r\n${host}\r\n`, 404);
  await kept(`GET /health/live HTTP/1.1\r\n${host}X-Note: HTTP/1.1\r\n\r\n`, 200);
});

test('an ampersand or a semicolon in the path is a character of it', async () => {
  for (const path of ['/a&b', '/&', '/;', '/index.html;x', '/api/v1/jobs&x?limit=1&limit=2', '/api/v1/jobs;x', '/&/../../../../../../etc/passwd'])
    await kept(`GET ${path} HTTP/1.1\r\n${host}\r\n`, 404);
});

test('a semicolon divides parameters as an ampersand does, and says so where it was meant as text', async () => {
  const { body } = await daemon.get('/api/v1/videos?limit=7;offset=2&q=a%3Bb%26c');
  assert.deepEqual([body.limit, body.offset, body.query], [7, 2, 'a;b&c']);
  for (const sign of '&;') {
    const refusal = (await daemon.get(`/api/v1/videos?q=a${sign}b`)).body;
    assert.deepEqual([refusal.code, refusal.field], ['UNKNOWN_PARAMETER', 'b']);
    assert.match(refusal.message, new RegExp(`${sign} as ${encodeURIComponent(sign)}`));
  }
});

test('headers and targets that are too long end the connection', async () => {
  for (const request of [`GET /${'a'.repeat(20000)} HTTP/1.1\r\n${host}\r\n`, `GET /?a=${'b'.repeat(20000)} HTTP/1.1\r\n${host}\r\n`,
    ...['&', ';'].map((sign) => `GET /api/v1/jobs?${sign.repeat(500)} HTTP/1.1\r\n${host}\r\n`),
    `GET / HTTP/1.1\r\n${host}X-Long: ${'c'.repeat(40000)}\r\n\r\n`, `GET / HTTP/1.1\r\n${host}${'X-Many: 1\r\n'.repeat(5000)}\r\n`,
    `GET / HTTP/1.1\r\nHost: ${'d'.repeat(3000)}\r\n\r\n`]) {
    const raw = await open();
    raw.send(request);
    await raw.until((text) => text.startsWith('HTTP/1.1 4'), 'a refusal').catch(() => {});
    assert.ok(!raw.text.startsWith('HTTP/1.1 2'), raw.text.slice(0, 80));
    raw.destroy();
    await alive();
  }
});

test('ten thousand bytes of garbage, whole and in pieces', async () => {
  let state = 7;
  const byte = () => { state = (state * 1103515245 + 12345) % 2147483648; return state >> 16 & 255; };
  for (let round = 0; round < 20; round++) {
    const raw = await open();
    const bytes = Buffer.from(Array.from({ length: 10000 }, byte));
    if (round % 2) raw.send(`GET /health/live HTTP/1.1\r\n${host}\r\n`);
    for (let at = 0; at < bytes.length; at += 700) raw.socket.write(bytes.subarray(at, at + 700));
    await raw.end();
  }
  await alive();
});

test('a client that closes in mid-body, a thousand times', async () => {
  for (let i = 0; i < 1000; i++) {
    const raw = await open();
    raw.send(`POST /api/v1/videos/scan HTTP/1.1\r\n${host}${json}Content-Length: 5000\r\n\r\n{"path":`);
    raw.destroy();
  }
  await alive();
  const { body } = await daemon.get('/api/v1/jobs');
  assert.equal(body.jobs.length, 0);
});

test('a body in single bytes is one body', async () => {
  const raw = await open();
  const body = '{"path":"/nowhere/at/all"}';
  raw.socket.setNoDelay(true);
  raw.send(`POST /api/v1/videos/scan HTTP/1.1\r\n${host}${json}Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`);
  await raw.until((text) => text.startsWith('HTTP/1.1 100 '), 'to be told to go on');
  for (const char of body) {
    raw.send(char);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  const text = await raw.until((all) => answers(all).length >= 2, 'the answer');
  assert.equal(JSON.parse(answers(text)[1].body).code, 'PATH_NOT_FOUND');
  raw.destroy();
});

test('senders of one byte a second are cut off, and disturb nobody', async () => {
  const heads = [`GET / HTTP/1.1\r\n${host}X-Slow: `, `POST /api/v1/videos/scan HTTP/1.1\r\n${host}${json}Content-Length: 60000\r\n\r\n`, ''];
  const slow = await Promise.all(Array.from({ length: 60 }, open));
  slow.forEach((raw, i) => raw.send(heads[i % heads.length]));
  const drip = setInterval(() => slow.forEach((raw, i) => { if (heads[i % heads.length]) raw.send('a'); }), 1000);
  let served = 0;
  for (; served < 200 && slow.every((raw) => !raw.closed); served++) await alive();
  assert.ok(served > 0, 'served while they drip');
  await Promise.all(slow.map((raw) => raw.end()));
  clearInterval(drip);
  await alive();
});

test('a client that talks or hangs up while it does not take its answer keeps nobody busy', async () => {
  const web = tempDir();
  const size = 16_000_000;
  fs.writeFileSync(path.join(web, 'index.html'), '');
  fs.writeFileSync(path.join(web, 'big.js'), 'x'.repeat(size));
  const other = await Daemon.start({ args: ['--web', web] });
  try {
    const ask = `GET /big.js HTTP/1.1\r\nHost: 127.0.0.1:${other.port}\r\n\r\n`;
    for (const [act, bytes] of [[(raw) => raw.send(ask + ask), 3 * size], [(raw) => raw.socket.end(), size]]) {
      const raw = await Raw.open(other.port);
      raw.send(ask);
      await raw.until((text) => text.length > 0, 'the beginning');
      raw.socket.pause();
      act(raw);
      const before = other.processorTime();
      await new Promise((resolve) => { setTimeout(resolve, 2000); });
      const used = other.processorTime() - before;
      assert.ok(used < 100, `${used} hundredths of a second in two`);
      raw.socket.resume();
      await raw.until((text) => text.length > bytes, 'the whole answer');
      raw.destroy();
    }
  } finally {
    await other.cleanup();
    fs.rmSync(web, { recursive: true });
  }
});
