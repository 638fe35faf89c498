// Clients of GET /api/v1/events that hang up, talk, do not listen, or come in thousands; and the end of the service.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, eventually, promised, sanitized, tempDir } from '../lib/daemon.js';
import { Poller } from '../lib/poll.js';
import { EventStream } from '../lib/sse.js';
import { answers, Raw } from './raw.js';

const FILES = 2000;
const route = '/api/v1/events';

let dir;
let tree;
let empty;
let daemon;

before(async () => {
  dir = tempDir();
  tree = path.join(dir, 'tree');
  empty = path.join(dir, 'empty');
  fs.mkdirSync(tree);
  fs.mkdirSync(empty);
  // Files that fail without being opened, with long names: a scan of them is megabytes of frames in a moment.
  for (let i = 0; i < FILES; i++) {
    const file = path.join(tree, `${'so long a name '.repeat(14)}${i}.mp4`);
    fs.writeFileSync(file, '');
    fs.utimesSync(file, 1e9, 1e9);
  }
  daemon = await Daemon.start({ env: { REELD_SERVER_RING_MIB: '4' } });
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

async function metric(name) {
  return Number(new RegExp(`^reeld_${name} (\\d+)$`, 'm').exec((await daemon.get('/metrics')).body)[1]);
}
const clients = () => metric('channel_clients');
const request = (url, more = '') => `GET ${url} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n${more}\r\n`;
const ended = (id) => (frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === id;
async function noise() {
  const id = await daemon.scan(tree, { retry_failed: true });
  await daemon.wait(id);
  await daemon.told();
  return id;
}

/** Raw connections that have asked for `url`, all of them clients by now. */
async function listeners(count, url) {
  const before = await clients();
  const raws = await Promise.all(Array.from({ length: count }, () => Raw.open(daemon.port)));
  for (const raw of raws) raw.send(request(url));
  await eventually(async () => await clients() === before + count, 'all listen');
  return raws;
}

test('who hangs up is no client any more, also while nothing happens', async () => {
  const streams = await listeners(200, route);
  const polls = await listeners(200, `${route}?wait_s=60`);
  const all = [...streams, ...polls];
  all.forEach((raw, i) => [() => raw.destroy(), () => raw.socket.resetAndDestroy(), () => raw.socket.end()][i % 3]());
  await eventually(async () => await clients() === 0, 'none is left');
  assert.equal((await daemon.get('/health/live')).status, 200);
});

test('who talks while it listens costs nothing', async () => {
  const before = daemon.processorTime();
  const urls = [route, `${route}?wait_s=2`];
  const raws = (await Promise.all(urls.map((url) => listeners(5, url)))).flat();
  for (const raw of raws) raw.send(request('/health/live').repeat(500));
  for (const raw of await listeners(5, route)) raw.socket.end();
  await new Promise((resolve) => { setTimeout(resolve, 1500); });
  const used = daemon.processorTime() - before;
  assert.ok(used < 75, `${used} hundredths of a second`);
  await noise();
  for (const raw of raws.slice(0, 5)) await raw.until((text) => text.includes('SCAN_COMPLETED'), 'the stream goes on');
  for (const raw of raws.slice(5)) await raw.until((text) => text.includes('{"status":"ok"}'), 'the answers behind the poll');
  for (const raw of raws) raw.destroy();
  await eventually(async () => await clients() === 0, 'none is left');
});

test('a stream whose reader stops is ended, costs nothing meanwhile, and comes back', async () => {
  const reader = await EventStream.open(daemon);
  const slow = await EventStream.open(daemon, { reconnect: true, retryMs: 10 });
  const talks = await Raw.open(daemon.port);
  talks.send(request(route));
  await talks.until((text) => text.includes('HELLO'), 'HELLO');
  await slow.find('HELLO');
  const socket = slow.response;
  socket.pause();
  talks.socket.pause();
  talks.send(request('/health/live').repeat(100));
  const overtaken = await metric('channel_slow_total');
  for (let scans = 0; await metric('channel_slow_total') < overtaken + 2; scans++) {
    assert.ok(scans < 100, 'a client that takes nothing is overtaken at last');
    await reader.find(ended(await noise())); // or it would be overtaken as well
  }
  const before = daemon.processorTime();
  await new Promise((resolve) => { setTimeout(resolve, 1000); });
  assert.ok(daemon.processorTime() - before < 50, 'it waits');
  socket.resume();
  await slow.until(() => slow.connections === 2, 'it comes back');
  assert.match(slow.comments.join('\n'), /too slow; come back with Last-Event-ID/);
  await slow.find('SUBSCRIBED');
  const next = await daemon.scan(empty);
  await slow.find(ended(next));
  await reader.find(ended(next));
  const ids = reader.frames.filter((frame) => frame.event_id).map((frame) => frame.event_id);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(reader.connections, 1);
  for (const one of [reader, slow]) one.close();
  talks.destroy();
  await eventually(async () => await clients() === 0, 'none is left');
});

test('a stream whose peer takes nothing is ended, though the ring still has all for it', async () => {
  const other = await Daemon.start({ args: ['--ping', '1', '--ring', '64'] });
  try {
    const reader = await EventStream.open(other);
    const stuck = await EventStream.open(other);
    await stuck.find('HELLO');
    stuck.response.pause();
    const listening = async () => Number(/^reeld_channel_clients (\d+)$/m.exec((await other.get('/metrics')).body)[1]);
    for (let scans = 0; await listening() === 2; scans++) {
      assert.ok(scans < 40, 'it is ended at last');
      const id = await other.scan(tree, { retry_failed: true });
      await reader.find(ended(id));
    }
    assert.match((await other.get('/metrics')).body, /^reeld_channel_slow_total 0$/m);
    assert.equal(reader.over, undefined);
    reader.close();
    stuck.close();
  } finally {
    await other.cleanup();
  }
});

test('one event answers two thousand polls at once', async () => {
  const POLLS = sanitized ? 500 : 2000;
  const raws = await listeners(POLLS, `${route}?wait_s=60&topics=jobs`);
  assert.equal((await daemon.get('/health/live')).status, 200);
  const id = await daemon.scan(empty);
  const first = [];
  for (const raw of raws) {
    const text = await raw.until((all) => answers(all).length === 1, 'the answer');
    const { status, body } = answers(text)[0];
    assert.equal(status, 200);
    const { events, next, recovered } = JSON.parse(body);
    assert.equal(recovered, true);
    assert.equal(events[0].type, 'JOB_QUEUED');
    assert.equal(events[0].payload.job_id, id);
    first.push(next);
    raw.text = '';
  }
  // The same connections ask on, from where they are.
  raws.forEach((raw, i) => raw.send(request(`${route}?wait_s=60&topics=jobs&since=${first[i]}`)));
  await daemon.wait(id);
  const last = await daemon.scan(empty);
  for (const raw of raws) {
    const { status } = answers(await raw.until((all) => answers(all).length === 1, 'the next answer'))[0];
    assert.equal(status, 200);
    raw.destroy();
  }
  await eventually(async () => await clients() === 0, 'none is left');
  await daemon.wait(last);
  await daemon.told();
});

test('the answer of a poll has its bounds, and next covers exactly what is in it', async () => {
  const { body: { next: start } } = await daemon.get(`${route}?wait_s=0`);
  for (let i = 0; i < 3; i++) await daemon.wait(await daemon.scan(empty));
  await daemon.told();
  const whole = (await daemon.get(`${route}?wait_s=0&since=${start}&limit=1000`)).body.events;
  assert.ok(whole.length >= 9);
  for (const limit of [1, 2, 5, 1000]) {
    const pieces = [];
    for (let since = start; ;) {
      const { events, next, recovered } = (await daemon.get(`${route}?wait_s=0&since=${since}&limit=${limit}`)).body;
      assert.ok(recovered && events.length <= limit);
      pieces.push(...events);
      since = next;
      if (!events.length) break;
    }
    assert.deepEqual(pieces, whole);
  }
});

test('a poller that is overtaken between two answers is told so', async () => {
  const poller = await Poller.open(daemon);
  const { body: { next } } = await daemon.get(`${route}?wait_s=0`);
  for (let i = 0; i < 6; i++) await noise();
  const answer = await daemon.get(`${route}?wait_s=60&since=${next}`);
  assert.deepEqual([answer.body.recovered, answer.body.events], [false, []]);
  const id = await daemon.scan(empty);
  const after = await daemon.get(`${route}?wait_s=60&since=${answer.body.next}`);
  assert.equal(after.body.events[0].payload.job_id, id);
  await poller.close();
});

test('at the end streams end and polls are answered, in time', async () => {
  const stream = await EventStream.open(daemon);
  await stream.find('HELLO');
  const silent = await listeners(50, route);
  const waits = Promise.all(Array.from({ length: 50 }, () => daemon.get(`${route}?wait_s=60`)));
  await eventually(async () => await clients() === 101, 'all listen');
  const began = Date.now();
  const { code, stderr } = await daemon.stop();
  assert.equal(code, 0, stderr);
  assert.ok(Date.now() - began < promised(5000));
  await stream.until(() => stream.comments.some((text) => /being stopped/.test(text)), 'the goodbye').catch((error) => {
    assert.match(String(error), /over/);
  });
  assert.match(stream.comments.at(-1), /being stopped/);
  for (const raw of silent) assert.match(await raw.end(), /: the service is being stopped\n\n$/);
  for (const answer of await waits) {
    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'STOPPING');
  }
  await daemon.launch();
});
