// GET /api/v1/videos/{id}/file: the media itself, whole and in ranges; what is swapped, cut, or not read gives nothing away and costs nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { Daemon, eventually, makeVideo, sanitized, tempDir } from '../lib/daemon.js';
import { checkAnswer } from '../lib/documents.js';
import { Raw, answers } from './raw.js';

const MiB = 1024 * 1024;
const route = (id) => `/api/v1/videos/${id}/file`;

/** A daemon with one root, and what `fill` put there, scanned; `file(name)` is the video of that name. */
async function start(t, fill, { args = [], wanted = 1 } = {}) {
  const dir = tempDir();
  const root = path.join(dir, 'root');
  fs.mkdirSync(root);
  fill(root);
  const daemon = await Daemon.start({ args: ['--root', root, ...args] });
  t.after(async () => {
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  await daemon.wait(await daemon.scan(root));
  const videos = await daemon.videos();
  assert.equal(videos.length, wanted);
  return { daemon, dir, root, videos, id: videos[0].id };
}

/** Makes a real video that has `size` bytes: what follows its end is random, or a hole. */
function longVideo(file, size, random = true) {
  makeVideo(file, { extra: ['-movflags', '+faststart'] });
  const fd = fs.openSync(file, 'r+');
  const have = fs.fstatSync(fd).size;
  fs.ftruncateSync(fd, size);
  if (random) execFileSync('dd', ['if=/dev/urandom', `of=${file}`, 'bs=64K', 'conv=notrunc', 'oflag=seek_bytes', `seek=${have}`, 'iflag=count_bytes', `count=${size - have}`, 'status=none']);
  fs.closeSync(fd);
  return file;
}

/** One answer, checked against the document: {status, headers, bytes, body}. */
async function get(daemon, id, headers = {}, { method = 'GET', query = '' } = {}) {
  const url = route(id) + query;
  const answer = await fetch(daemon.url + url, { method, headers });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const type = answer.headers.get('content-type') ?? '';
  const body = /json/.test(type) && bytes.length ? JSON.parse(bytes.toString()) : undefined;
  checkAnswer({ method, url, status: answer.status, type, body: body ?? (bytes.length ? 'bytes' : '') });
  return { status: answer.status, headers: answer.headers, bytes, body };
}

/** The parts of a multipart/byteranges body: [{range, type, bytes}]. */
function parts({ headers, bytes }) {
  const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(headers.get('content-type'))[1];
  const text = bytes.toString('latin1');
  const pieces = text.split(`\r\n--${boundary}`);
  assert.equal(pieces.shift(), '');
  assert.equal(pieces.pop(), '--\r\n');
  return pieces.map((piece) => {
    const end = piece.indexOf('\r\n\r\n');
    const head = piece.slice(0, end);
    return {
      range: /content-range: (.*)/i.exec(head)[1], type: /content-type: (.*)/i.exec(head)[1],
      bytes: Buffer.from(piece.slice(end + 4), 'latin1'),
    };
  });
}

const openFiles = (daemon) => fs.readdirSync(`/proc/${daemon.process.pid}/fd`).length;
/** How often the daemon has the video a.mp4 open. */
const openVideos = (daemon) => fs.readdirSync(`/proc/${daemon.process.pid}/fd`).filter((fd) => {
  try {
    return fs.readlinkSync(`/proc/${daemon.process.pid}/fd/${fd}`).endsWith('/a.mp4');
  } catch {
    return false; // closed meanwhile
  }
}).length;
const memory = (daemon) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8'))[1]);
const ask = (daemon, id, more = '', method = 'GET') => `${method} ${route(id)} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n${more}\r\n`;

test('whole: its bytes, its headers, HEAD, the conditions', async (t) => {
  const { daemon, root, id } = await start(t, (at) => makeVideo(path.join(at, 'é "a" b.mp4')));
  const file = path.join(root, 'é "a" b.mp4');
  const expected = fs.readFileSync(file);
  const { status, headers, bytes } = await get(daemon, id);
  assert.equal(status, 200);
  assert.ok(bytes.equals(expected));
  assert.equal(headers.get('content-type'), 'video/mp4');
  assert.equal(headers.get('content-length'), String(expected.length));
  assert.equal(headers.get('accept-ranges'), 'bytes');
  assert.equal(headers.get('cache-control'), 'no-cache');
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.match(headers.get('content-security-policy'), /^sandbox; default-src 'none'/);
  assert.equal(headers.get('content-disposition'), "inline; filename=\"_ _a_ b.mp4\"; filename*=UTF-8''%C3%A9%20%22a%22%20b.mp4");
  assert.equal(headers.get('last-modified'), new Date(Math.floor(fs.statSync(file).mtimeMs / 1000) * 1000).toUTCString());
  const saved = await get(daemon, id, {}, { query: '?download=1' });
  assert.match(saved.headers.get('content-disposition'), /^attachment; /);
  assert.equal((await get(daemon, id, {}, { query: '?download=x' })).status, 400);
  assert.equal((await get(daemon, id, {}, { query: '?y=1' })).status, 400);

  const head = await get(daemon, id, { range: 'bytes=0-1' }, { method: 'HEAD' });
  assert.equal(head.status, 200);
  for (const name of ['content-length', 'content-type', 'etag', 'last-modified', 'accept-ranges']) assert.equal(head.headers.get(name), headers.get(name), name);

  const [tag, date] = [headers.get('etag'), headers.get('last-modified')];
  assert.match(tag, /^"[^"]+"$/);
  const old = new Date(0).toUTCString();
  for (const [expectedStatus, asked] of [
    [304, { 'if-none-match': tag }], [304, { 'if-none-match': `"x", W/${tag}` }], [200, { 'if-none-match': '"x"' }],
    [304, { 'if-modified-since': date }], [200, { 'if-modified-since': old }], [200, { 'if-none-match': '"x"', 'if-modified-since': date }],
    [412, { 'if-match': '"x"' }], [200, { 'if-match': tag }], [412, { 'if-unmodified-since': old }], [200, { 'if-unmodified-since': date }],
    [206, { range: 'bytes=0-9', 'if-range': tag }], [200, { range: 'bytes=0-9', 'if-range': '"x"' }],
    [200, { range: 'bytes=0-9', 'if-range': `W/${tag}` }], [200, { range: 'bytes=0-9', 'if-range': old }],
    [304, { range: 'bytes=0-9', 'if-none-match': tag }], [200, { range: 'bytes=9-0' }], [400, { 'if-match': `"${'x'.repeat(400)}"` }],
  ]) {
    const answer = await get(daemon, id, asked);
    assert.equal(answer.status, expectedStatus, JSON.stringify(asked));
    if (expectedStatus === 304) assert.equal(answer.headers.get('etag'), tag);
  }
});

test('ranges: one, several, none of the file, too many; the bytes are the file\'s', async (t) => {
  const { daemon, root, id } = await start(t, (at) => longVideo(path.join(at, 'a.mp4'), 3 * MiB + 7));
  const expected = fs.readFileSync(path.join(root, 'a.mp4'));
  const size = expected.length;
  // Out of the page cache: threads read it.
  execFileSync('dd', [`of=${path.join(root, 'a.mp4')}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'if=/dev/null', 'status=none']);
  const cold = await get(daemon, id);
  assert.ok(cold.bytes.equals(expected));
  for (const [range, first, last] of [
    ['0-0', 0, 0], ['0-', 0, size - 1], ['-1', size - 1, size - 1], [`${size - 1}-`, size - 1, size - 1], ['1000000-2999999', 1000000, 2999999],
    ['5-99999999999999999999', 5, size - 1], [`-${size * 2}`, 0, size - 1], ['10-19,15-29', 10, 29],
  ]) {
    const { status, headers, bytes } = await get(daemon, id, { range: `bytes=${range}` });
    assert.equal(status, 206, range);
    assert.equal(headers.get('content-range'), `bytes ${first}-${last}/${size}`);
    assert.equal(headers.get('content-type'), 'video/mp4');
    assert.ok(bytes.equals(expected.subarray(first, last + 1)), range);
  }
  const several = await get(daemon, id, { range: 'bytes=2000000-2999999, 0-9, -700000' });
  assert.equal(several.status, 206);
  assert.equal(several.headers.get('content-range'), null);
  assert.equal(several.headers.get('content-length'), String(several.bytes.length));
  const list = parts(several);
  // The first and last meet: they are one.
  assert.deepEqual(list.map(({ range, type }) => [range, type]), [[`bytes 2000000-${size - 1}/${size}`, 'video/mp4'], [`bytes 0-9/${size}`, 'video/mp4']]);
  assert.ok(list[0].bytes.equals(expected.subarray(2000000)) && list[1].bytes.equals(expected.subarray(0, 10)));
  for (const [range, code] of [[`${size}-`, 'RANGE_NOT_SATISFIABLE'], ['-0', 'RANGE_NOT_SATISFIABLE'],
    [Array.from({ length: 33 }, (_, i) => `${i * 1000}-${i * 1000 + 1}`).join(), 'TOO_MANY_RANGES']]) {
    const { status, headers, body } = await get(daemon, id, { range: `bytes=${range}` });
    assert.equal(status, 416);
    assert.equal(body.code, code);
    assert.equal(headers.get('content-range'), `bytes */${size}`);
  }
  // Of which the last is a list of the most that there may be.
  const most = parts(await get(daemon, id, { range: `bytes=${Array.from({ length: 32 }, (_, i) => `${i * 9000}-${i * 9000 + 1}`)}` }));
  for (const [i, { bytes }] of most.entries()) assert.ok(bytes.equals(expected.subarray(i * 9000, i * 9000 + 2)));
  assert.equal(most.length, 32);
});

test('requests one behind the other on a connection, whatever each is answered', async (t) => {
  const { daemon, root, id } = await start(t, (at) => longVideo(path.join(at, 'a.mp4'), MiB));
  const expected = fs.readFileSync(path.join(root, 'a.mp4'), 'latin1');
  const kinds = [['Range: bytes=5-700000\r\n', 206], ['', 200, 'HEAD'], [`Range: bytes=${MiB}-\r\n`, 416], ['Range: bytes=0-1,5000-5001\r\n', 206],
    ['If-None-Match: *\r\n', 304], ['', 200]];
  for (const pipelined of [false, true]) {
    const raw = await Raw.open(daemon.port);
    const check = (text) => {
      // Those of HEAD and 304 have no body.
      const got = [];
      let rest = text;
      for (const [, , method] of kinds) {
        const [one] = answers(rest, method || /^HTTP\/1.1 304/.test(rest) ? 1 : 0);
        if (!one) break;
        got.push(one);
        rest = rest.slice(rest.indexOf('\r\n\r\n') + 4 + one.body.length);
      }
      return got;
    };
    const send = kinds.map(([more, , method]) => ask(daemon, id, more, method));
    if (pipelined) raw.send(send.join(''));
    for (let i = 0; i < kinds.length; i++) {
      if (!pipelined) raw.send(send[i]);
      await raw.until((text) => check(text).length > i, `answer ${i}`);
    }
    const got = check(raw.text);
    assert.deepEqual(got.map(({ status }) => status), kinds.map(([, status]) => status));
    assert.equal(got[0].body, expected.slice(5, 700001));
    assert.equal(got[5].body, expected);
    raw.destroy();
  }
});

test('what is there no more, or not a file, or a link now', async (t) => {
  const { daemon, root, dir, id } = await start(t, (at) => {
    fs.mkdirSync(path.join(at, 'sub'));
    makeVideo(path.join(at, 'sub/a.mp4'));
  });
  const file = path.join(root, 'sub/a.mp4');
  const secret = path.join(dir, 'secret');
  fs.mkdirSync(secret);
  fs.writeFileSync(path.join(secret, 'a.mp4'), 'SECRET');
  const refused = async (status, code) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await get(daemon, id, {}, { method });
      assert.equal(answer.status, status);
      if (method === 'GET') assert.equal(answer.body.code, code);
    }
  };
  fs.renameSync(file, `${file}.away`);
  await refused(410, 'FILE_MISSING');
  fs.symlinkSync(path.join(secret, 'a.mp4'), file);
  await refused(410, 'NOT_A_FILE');
  fs.unlinkSync(file);
  execFileSync('mkfifo', [file]);
  await refused(410, 'NOT_A_FILE');
  fs.unlinkSync(file);
  fs.mkdirSync(file);
  await refused(410, 'NOT_A_FILE');
  fs.rmdirSync(file);
  fs.renameSync(`${file}.away`, file);
  assert.equal((await get(daemon, id)).status, 200);
  fs.renameSync(path.join(root, 'sub'), path.join(root, 'sub.away'));
  await refused(410, 'FILE_MISSING');
  fs.symlinkSync(secret, path.join(root, 'sub'));
  await refused(410, 'NOT_A_FILE');
  assert.equal((await get(daemon, '00000000-0000-4000-8000-000000000000')).status, 404);
  assert.equal((await get(daemon, 'x')).status, 404);
  assert.equal((await daemon.post(route(id), {})).status, 405);
});

test('a folder that is no root any more; links that are followed as scans follow them', async (t) => {
  const dir = tempDir();
  const [a, b] = ['a', 'b'].map((name) => path.join(dir, name));
  for (const at of [a, b]) fs.mkdirSync(at);
  makeVideo(path.join(b, 'real.mp4'));
  fs.symlinkSync(path.join(b, 'real.mp4'), path.join(a, 'link.mp4'));
  const state = path.join(dir, 'state');
  fs.mkdirSync(state);
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const run = async (roots, follow, body) => {
    const daemon = await Daemon.start({ dir: state, args: roots.flatMap((root) => ['--root', root]), env: { REELD_LIBRARY_FOLLOW_SYMLINKS: follow ? 'yes' : 'no' } });
    await body(daemon);
    await daemon.cleanup();
  };
  let id;
  await run([a, b], true, async (daemon) => {
    await daemon.wait(await daemon.scan(a));
    [{ id }] = await daemon.videos();
    const { status, bytes } = await get(daemon, id);
    assert.equal(status, 200);
    assert.ok(bytes.equals(fs.readFileSync(path.join(b, 'real.mp4'))));
  });
  await run([a], true, async (daemon) => assert.equal((await get(daemon, id)).body.code, 'NOT_A_FILE'));
  await run([a, b], false, async (daemon) => assert.equal((await get(daemon, id)).body.code, 'NOT_A_FILE'));
  await run([b], true, async (daemon) => {
    const { status, body } = await get(daemon, id);
    assert.deepEqual([status, body.code], [403, 'OUTSIDE_ROOTS']);
  });
});

test('replaced, cut or written to while it is sent: never two versions in one answer', async (t) => {
  const size = 32 * MiB;
  const { daemon, root, id } = await start(t, (at) => longVideo(path.join(at, 'a.mp4'), size));
  const file = path.join(root, 'a.mp4');
  const expected = fs.readFileSync(file);
  /** Reads the head and a little, does `change`, reads the rest. */
  const during = async (change) => {
    const socket = net.connect(daemon.port, '127.0.0.1');
    socket.write(ask(daemon, id));
    const chunks = [];
    let changed = false;
    for await (const chunk of socket) {
      chunks.push(chunk);
      if (!changed) change();
      changed = true;
      const have = Buffer.concat(chunks.slice(0, 1));
      const end = have.indexOf('\r\n\r\n');
      if (end > 0 && chunks.reduce((sum, one) => sum + one.length, 0) >= end + 4 + size) break;
    }
    socket.destroy();
    const all = Buffer.concat(chunks);
    return all.subarray(all.indexOf('\r\n\r\n') + 4);
  };
  const before = (await get(daemon, id, {}, { method: 'HEAD' })).headers.get('etag');
  const whole = await during(() => {
    fs.writeFileSync(`${file}.new`, Buffer.alloc(size, 0x55));
    fs.renameSync(`${file}.new`, file);
  });
  assert.ok(whole.equals(expected), 'the one that was opened');
  const after = await get(daemon, id, { range: 'bytes=0-9', 'if-range': before });
  assert.equal(after.status, 200);
  assert.ok(after.bytes.equals(Buffer.alloc(size, 0x55)));
  for (const change of [() => fs.truncateSync(file, 100000), () => {
    const fd = fs.openSync(file, 'r+');
    fs.writeSync(fd, Buffer.alloc(MiB, 0x77), 0, MiB, size - MiB);
    fs.closeSync(fd);
  }]) {
    fs.writeFileSync(file, Buffer.alloc(size, 0x55));
    const cut = await during(change);
    assert.ok(cut.length < size, 'the connection was closed');
    assert.ok(cut.equals(Buffer.alloc(cut.length, 0x55)), 'and nothing of the other was sent');
  }
});

test('a hundred that do not read cost no memory and no file for long; nor do a thousand that hang up', async (t) => {
  const { daemon, id } = await start(t, (at) => longVideo(path.join(at, 'a.mp4'), 64 * MiB, false));
  assert.equal((await get(daemon, id)).bytes.length, 64 * MiB);
  await eventually(() => openVideos(daemon) === 0, 'that answer is over');
  const [files, before] = [openFiles(daemon), memory(daemon)];
  const slow = await Promise.all(Array.from({ length: 100 }, async () => {
    const socket = net.connect(daemon.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    socket.write(ask(daemon, id));
    return socket;
  }));
  await eventually(() => openVideos(daemon) >= 100, 'all have the file open');
  assert.equal((await daemon.get('/health/live')).status, 200);
  assert.equal((await get(daemon, id, { range: 'bytes=-5' })).status, 206);
  if (!sanitized) assert.ok(memory(daemon) - before < 8192, `${memory(daemon) - before} KiB more`);
  for (const socket of slow) socket.destroy();
  await eventually(() => openFiles(daemon) <= files, 'they are closed');
  for (let done = 0; done < 1000; done += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, i) => new Promise((resolve) => {
      const socket = net.connect(daemon.port, '127.0.0.1', () => {
        socket.write(ask(daemon, id));
        if (i % 3 === 0) socket.end();
        if (i % 3 === 1) socket.destroy();
      });
      socket.once('data', () => socket.destroy());
      socket.on('error', () => {});
      socket.on('close', resolve);
    })));
  }
  await eventually(() => openFiles(daemon) <= files, 'nothing is left open');
  if (!sanitized) assert.ok(memory(daemon) - before < 8192, `${memory(daemon) - before} KiB more`);
});

test('a client without the token, or by another name, gets none', async (t) => {
  const dir = tempDir();
  fs.writeFileSync(path.join(dir, 'token'), 'a-token-of-enough-length\n');
  const daemon = await Daemon.start({ args: ['--token-file', path.join(dir, 'token')] });
  t.after(async () => {
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true });
  });
  const bearer = { authorization: 'Bearer a-token-of-enough-length' };
  const id = '00000000-0000-4000-8000-000000000000';
  assert.equal((await get(daemon, id)).status, 401);
  assert.equal((await get(daemon, id, bearer)).status, 404);
  const raw = await Raw.open(daemon.port);
  raw.send(`GET ${route(id)} HTTP/1.1\r\nHost: elsewhere.example\r\nAuthorization: ${bearer.authorization}\r\n\r\n`);
  assert.match(await raw.until((text) => answers(text).length, 'an answer'), /^HTTP\/1.1 421 /);
  raw.destroy();
});
