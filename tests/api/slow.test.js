// Clients of the channel that do not keep up: they are closed, told so where that is possible, and cost nobody anything.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Daemon, eventually, sanitized, tempDir } from '../lib/daemon.js';
import { Raw } from './raw.js';

const FILES = 2000; // of one scan the ring holds all four times over: who reads is never so far behind that something is left out

/** Files that fail without being opened, with long names: a scan of them is megabytes of frames in a moment. */
function noisyTree(dir) {
  const tree = path.join(dir, 'tree');
  fs.mkdirSync(tree);
  for (let i = 0; i < FILES; i++) {
    const file = path.join(tree, `${'so long a name '.repeat(14)}${i}.mp4`);
    fs.writeFileSync(file, '');
    fs.utimesSync(file, 1e9, 1e9);
  }
  return tree;
}

const upgrade = (daemon) => `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
  + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

const memory = (daemon) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8'))[1]) * 1024;

async function metric(daemon, name) {
  return Number(new RegExp(`^reeld_${name} (\\d+)$`, 'm').exec((await daemon.get('/metrics')).body)[1]);
}

/** Scans until `done()`; `reader` is waited for after each, and must have got every frame of it. */
async function scanUntil(daemon, tree, reader, done) {
  for (let scans = 0; !await done(); scans++) {
    assert.ok(scans < 120, 'a client that takes nothing is overtaken at last');
    const from = reader.frames.length;
    const id = await daemon.scan(tree, { retry_failed: true });
    await reader.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === id);
    const handled = reader.frames.slice(from).filter((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.outcome === 'failed');
    assert.equal(handled.length, FILES);
    reader.frames.length = 0;
  }
}

async function setting(t) {
  const dir = tempDir();
  const tree = noisyTree(dir);
  const daemon = await Daemon.start({ env: { REELD_SERVER_RING_MIB: '8' } });
  t.after(async () => {
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true });
  });
  const reader = await daemon.channel();
  await reader.find('HELLO');
  return { daemon, tree, reader };
}

test('a client that is overtaken and listens again is closed with 1013, after whole frames', async (t) => {
  const { daemon, tree, reader } = await setting(t);
  const slow = await daemon.channel();
  await slow.find('HELLO');
  slow.socket.pause();
  const seen = (async () => {
    await eventually(async () => await metric(daemon, 'channel_slow_total') === 1, 'it is overtaken');
    slow.socket.resume();
    return slow.closed;
  })();
  let over = false;
  seen.then(() => { over = true; }, () => { over = true; });
  await scanUntil(daemon, tree, reader, () => over);
  const { code, reason } = await seen;
  assert.equal(code, 1013);
  assert.match(reason, /since/);
  assert.ok(slow.frames.length > 1000);
  assert.equal(reader.code, undefined);
  const again = await daemon.channel();
  await again.find('HELLO');
});

test('clients that never read are cut off; the memory stays flat, and another client gets every frame', async (t) => {
  const { daemon, tree, reader } = await setting(t);
  const STUCK = 30;
  await scanUntil(daemon, tree, reader, (() => { let scans = 0; return () => scans++ === 8; })());
  const before = memory(daemon);
  const stuck = await Promise.all(Array.from({ length: STUCK }, () => Raw.open(daemon.port)));
  t.after(() => stuck.forEach((raw) => raw.destroy()));
  for (const raw of stuck) {
    raw.send(upgrade(daemon));
    await raw.until((text) => text.includes('HELLO'), 'HELLO');
    raw.socket.pause();
  }
  let most = 0;
  await scanUntil(daemon, tree, reader, async () => {
    most = Math.max(most, memory(daemon));
    return await metric(daemon, 'channel_slow_total') === STUCK;
  });
  await eventually(async () => await metric(daemon, 'channel_clients') === 1, 'only the reader is left');
  // A part of one write each; all that they were due would be many times that.
  if (!sanitized) assert.ok(most < before * 2, `${before} bytes before, ${most} with them`);
  assert.equal(reader.code, undefined);
  reader.send({ type: 'PING' });
  await reader.find('HEARTBEAT');
});

test('a client that does not answer pings is hung up; one that does stays', async (t) => {
  const daemon = await Daemon.start({ env: { REELD_SERVER_PING_S: '3' } });
  t.after(() => daemon.cleanup());
  const alive = await daemon.channel();
  let pings = 0;
  alive.socket.on('ping', () => pings++);
  const dead = await Promise.all(Array.from({ length: 5 }, () => Raw.open(daemon.port)));
  for (const raw of dead) {
    raw.send(upgrade(daemon));
    await raw.until((text) => text.includes('HELLO'), 'HELLO');
  }
  assert.equal(await metric(daemon, 'channel_clients'), 6);
  // They read all that comes, but say nothing.
  const ends = await Promise.all(dead.map((raw) => raw.end()));
  for (const text of ends) assert.ok(text.includes('\x89\x01'), 'it was pinged');
  await eventually(async () => await metric(daemon, 'channel_clients') === 1, 'they are no longer counted');
  const before = pings;
  await eventually(() => pings > before + 2, 'the one that answers is pinged on');
  assert.equal(alive.code, undefined);
});
