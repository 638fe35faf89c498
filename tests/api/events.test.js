// The channel without WebSocket: GET /api/v1/events as Server-Sent Events and as long poll.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, tempDir } from '../lib/daemon.js';
import { checkAnswer } from '../lib/documents.js';
import { Poller } from '../lib/poll.js';
import { EventStream, Parser } from '../lib/sse.js';
import { fill, masters, random } from '../lib/trees.js';
import { answers, Raw } from './raw.js';

const seed = Number(process.env.REELD_SEED ?? Date.now() % 1e9);
const chance = random(seed);

let daemon;
let dir;
let tree;
let files;

before(async () => {
  dir = tempDir();
  tree = path.join(dir, 'tree');
  files = fill(tree, 60);
  daemon = await Daemon.start({ args: ['--heartbeat', '0.2'] });
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

const route = '/api/v1/events';
const poll = (query, headers) => daemon.get(`${route}?${query}`, headers);
/** Status and code of an answer that should be a refusal; a stream is left at once. */
async function refusal(query, headers = {}, at = daemon) {
  const url = route + query;
  const answer = await fetch(at.url + url, { headers });
  const { status } = answer;
  const type = answer.headers.get('content-type');
  if (/event-stream/.test(type)) return answer.body.cancel().then(() => [status, 'a stream']);
  const body = await answer.json();
  checkAnswer({ method: 'GET', url, status, type, body });
  return [status, body.code];
}

const stream = (query = '', more = {}) => EventStream.open(daemon, { query, ...more });
const durable = (frames) => frames.filter((frame) => frame.event_id !== null);
const told = (frames) => frames.filter(({ type }) => !['HELLO', 'SUBSCRIBED', 'HEARTBEAT'].includes(type));
const ended = (id) => (frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === id;

/** Makes a later scan find `count` changed files. */
function touch(count) {
  for (let i = 0; i < count; i++) {
    const time = 1e9 + Math.floor(chance() * 1e8);
    fs.utimesSync(files[Math.floor(chance() * files.length)], time, time);
  }
}

test('a stream: head, HELLO with its id, comments as heartbeats, no event names', async () => {
  const one = await stream();
  assert.equal(one.answerHeaders['content-type'], 'text/event-stream');
  assert.equal(one.answerHeaders['cache-control'], 'no-store');
  assert.equal(one.answerHeaders['x-accel-buffering'], 'no');
  assert.equal(one.answerHeaders.connection, 'close');
  assert.equal(one.answerHeaders['content-length'], undefined);
  const hello = await one.find('HELLO');
  assert.equal(one.retrySaid, 2000);
  assert.equal(one.lastEventId, hello.payload.event_id);
  await one.until(() => one.comments.length >= 3, 'heartbeats');
  assert.deepEqual(one.frames.map((frame) => frame.type), ['HELLO']);
  const id = await daemon.scan(tree);
  await one.find(ended(id));
  one.ids.forEach((last, i) => {
    const { type, event_id: own } = one.frames[i];
    assert.equal(last, type === 'HELLO' ? hello.payload.event_id : own ?? one.ids[i - 1], type);
  });
  one.close();
});

test('curl -N and fetch read it', async () => {
  const answer = await fetch(daemon.url + route);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  const heard = [];
  const parser = new Parser({ message: ({ data }) => heard.push(JSON.parse(data)) });
  const curl = spawn('curl', ['-sN', `${daemon.url}${route}?topics=jobs`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = curl.stdout.setEncoding('utf8')[Symbol.asyncIterator]();
  let said = '';
  const read = async (what) => { while (!what.test(said)) said += (await output.next()).value; };
  await read(/^retry: 2000\n\nid: \S+\ndata: {"event_id":null,"type":"HELLO".*\n\ndata: .*"SUBSCRIBED".*\n\n/);
  while (!heard.length) parser.feed((await reader.read()).value);
  assert.equal(heard[0].type, 'HELLO');
  const id = await daemon.scan(tree);
  while (!heard.some(ended(id))) parser.feed((await reader.read()).value);
  await reader.cancel();
  await read(new RegExp(`\nid: \\S+\ndata: .*"SCAN_COMPLETED".*${id}.*\n\n`));
  curl.kill();
});

test('HEAD, other methods, other types', async () => {
  for (const [url, type] of [[route, 'text/event-stream'], [`${route}?wait_s=0`, 'application/json']]) {
    const raw = await Raw.open(daemon.port);
    raw.send(`HEAD ${url} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nConnection: close\r\n\r\n`);
    const [head, body] = (await (type === 'application/json' ? raw.until((text) => text.endsWith('\r\n\r\n'), 'the head') : raw.end())).split('\r\n\r\n');
    assert.match(head, new RegExp(`^HTTP/1.1 200 [^]*content-type: ${type}\r\n`, 'i'));
    assert.equal(body, '');
    raw.destroy();
  }
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const answer = await daemon.request(method, route, {});
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get('allow'), 'GET, HEAD');
  }
  for (const accept of ['application/json', 'text/html, text/event-stream;q=0', 'text/*;q=0.0, application/xml', 'text/event-stream; q=0, */*']) {
    assert.deepEqual(await refusal('', { accept }), [406, 'NOT_ACCEPTABLE'], accept);
  }
  for (const accept of ['*/*', 'text/*', 'TEXT/Event-Stream;q=0.5, text/html', 'application/json, */*;q=0.1', 'text/*;q=0, text/event-stream']) {
    const one = await stream('', { headers: { accept } });
    await one.find('HELLO');
    one.close();
  }
  assert.equal((await poll('wait_s=0', { accept: 'application/json' })).status, 200);
});

test('who may not listen, and what is not understood', async () => {
  const bad = async (query, status, code, headers) => assert.deepEqual(await refusal(query, headers), [status, code], query);
  for (const query of ['', '?wait_s=0']) {
    const all = (more) => query + (query ? '&' : '?') + more;
    await bad(query, 403, 'ORIGIN_NOT_ALLOWED', { origin: 'http://evil.example' });
    await bad(query, 403, 'ORIGIN_NOT_ALLOWED', { 'sec-fetch-site': 'cross-site' });
    await bad(all('nonsense=1'), 400, 'UNKNOWN_PARAMETER');
    await bad(all('topics=jobs&topics=library'), 400, 'REPEATED_PARAMETER');
    for (const value of ['topics=meta', 'topics=', 'topics=jobs,jobs', 'job_id=7', 'progress_ms=-1', 'progress_ms=60001', 'since=',
      'since=nonsense', 'since=abc', 'since=1:2:3', 'since=a:99999999999999999999']) await bad(all(value), 400, 'BAD_PARAMETER');
  }
  for (const value of ['wait_s=61', 'wait_s=-1', 'wait_s=0.5', 'wait_s=', 'wait_s=0&limit=0', 'wait_s=0&limit=1001']) {
    await bad(`?${value}`, 400, 'BAD_PARAMETER');
  }
  await bad('?limit=5', 400, 'UNKNOWN_PARAMETER');
  for (const id of ['nonsense', 'a:b', `a:${'1'.repeat(50)}`, 'x'.repeat(5000)]) await bad('', 400, 'BAD_HEADER', { 'last-event-id': id });
  const raw = await Raw.open(daemon.port);
  raw.send(`GET ${route} HTTP/1.1\r\nHost: evil.example\r\n\r\n`);
  await raw.until((text) => text.includes('HOST_NOT_ALLOWED'), 'the refusal');
  raw.destroy();
});

test('the token is asked for', async () => {
  const file = path.join(dir, 'token');
  fs.writeFileSync(file, 'a-secret-that-is-long-enough\n', { mode: 0o600 });
  const other = await Daemon.start({ args: ['--token-file', file] });
  try {
    for (const query of ['', '?wait_s=0']) {
      assert.deepEqual(await refusal(query, {}, other), [401, 'TOKEN_REQUIRED']);
    }
    const headers = { authorization: 'Bearer a-secret-that-is-long-enough' };
    assert.equal((await other.get(`${route}?wait_s=0`, headers)).status, 200);
    const one = await EventStream.open(other, { headers });
    await one.find('HELLO');
    one.close();
  } finally {
    await other.cleanup();
  }
});

test('every transport counts as a client, and over the limit all are told when to come back', async () => {
  const other = await Daemon.start({ env: { REELD_SERVER_MAX_CLIENTS: '3' } });
  try {
    const one = await EventStream.open(other);
    const two = await other.channel();
    const three = other.get(`${route}?wait_s=60`);
    const metric = async (name) => Number(new RegExp(`^reeld_${name} (\\d+)$`, 'm').exec((await other.get('/metrics')).body)[1]);
    while (await metric('channel_clients') < 3);
    for (const query of ['', '?wait_s=0', '?wait_s=5']) {
      assert.deepEqual(await refusal(query, {}, other), [503, 'TOO_MANY_CLIENTS']);
    }
    assert.ok(Number((await other.get(`${route}?wait_s=0`)).headers.get('retry-after')) > 0);
    await assert.rejects(other.channel());
    assert.equal((await other.get('/api/v1/jobs')).status, 200);
    assert.equal(await metric('channel_refused_total'), 5);
    one.close();
    while (await metric('channel_clients') > 2);
    assert.equal((await other.get(`${route}?wait_s=0`)).status, 200);
    await other.scan(tree);
    assert.equal((await three).status, 200);
    await two.close();
  } finally {
    await other.cleanup();
  }
});

test('what was asked for is said, and nothing else comes', async () => {
  touch(40);
  const jobs = await stream('topics=jobs');
  assert.deepEqual((await jobs.find('SUBSCRIBED')).payload, { topics: ['jobs'], recovered: true });
  const library = await Poller.open(daemon, { query: 'topics=library' });
  const other = await stream('job_id=01890000-0000-7000-8000-000000000000');
  assert.deepEqual((await other.find('SUBSCRIBED')).payload.topics, ['jobs']);
  const paced = await stream('progress_ms=60000');
  const all = await stream();
  await all.find('HELLO');
  const id = await daemon.scan(tree);
  for (const one of [jobs, paced, all]) await one.find(ended(id));
  const updated = all.frames.filter((frame) => frame.type.startsWith('VIDEO_')).map((frame) => frame.event_id);
  assert.ok(updated.length > 10);
  await library.until(() => library.frames.length >= updated.length, 'the library');
  assert.deepEqual(library.frames.map((frame) => frame.event_id), updated);
  assert.deepEqual(told(jobs.frames).map((frame) => frame.type), told(all.frames).map((frame) => frame.type).filter((type) => !type.startsWith('VIDEO_')));
  assert.equal(told(other.frames).length, 0);
  assert.deepEqual(durable(paced.frames), durable(all.frames));
  assert.ok(paced.frames.filter((frame) => frame.type === 'SCAN_PROGRESS').length <= 2);
  await library.close();
  for (const one of [jobs, other, paced, all]) one.close();
});

test('three transports side by side tell the same story, frame by frame', async () => {
  const [socket, sse, polled, small] = await Promise.all([daemon.channel(), stream(), Poller.open(daemon), Poller.open(daemon, { limit: 3 })]);
  await Promise.all([socket.find('HELLO'), sse.find('HELLO')]);
  let last;
  for (let round = 0; round < 5; round++) {
    touch(60);
    last = await daemon.scan(tree, { retry_failed: true });
    await daemon.wait(last);
  }
  await Promise.all([socket, sse, polled, small].map((client) => client.find(ended(last))));
  const story = told(socket.frames).map(({ received_ms: _, ...frame }) => frame);
  assert.ok(story.length > 200);
  assert.ok(story.some((frame) => frame.type === 'SCAN_PROGRESS'));
  for (const client of [sse, polled, small]) assert.deepEqual(told(client.frames), story);
  assert.equal(polled.missed + small.missed, 0);
  await Promise.all([socket.close(), polled.close(), small.close()]);
  sse.close();
});

test(`streams that break at random moments lose and repeat nothing durable (seed ${seed})`, async () => {
  const whole = await stream();
  const broken = await Promise.all([0, 1, 2].map(() => stream('', { reconnect: true, retryMs: 1 })));
  await Promise.all([whole, ...broken].map((one) => one.find('HELLO')));
  let last;
  // On a machine that is slow all of a scan may come at once, and nothing breaks in its middle.
  for (let round = 0; round < 6 || broken.some(({ connections }) => connections <= 3); round++) {
    assert.ok(round < 200, 'they break now and then');
    touch(60);
    last = await daemon.scan(tree);
    while (!whole.frames.some(ended(last))) {
      await Promise.race([whole, ...broken].map((one) => one.news()));
      for (const one of broken) if (chance() < 0.3) one.drop();
    }
  }
  await Promise.all(broken.map((one) => one.find(ended(last))));
  const story = durable(whole.frames);
  for (const one of broken) {
    assert.deepEqual(durable(one.frames), story);
    assert.ok(one.frames.filter((frame) => frame.type === 'SUBSCRIBED').every((frame) => frame.payload.recovered));
    one.close();
  }
  whole.close();
});

test('since, Last-Event-ID and next: where a client goes on', async () => {
  const { body: { next: before } } = await poll('wait_s=0');
  const [catalogue, from] = before.split(':');
  touch(30);
  await daemon.wait(await daemon.scan(tree));
  await daemon.told();
  const { body } = await poll(`wait_s=0&since=${before}&limit=1000`);
  assert.equal(body.recovered, true);
  const ids = durable(body.events).map((frame) => frame.event_id);
  assert.ok(ids.length > 5 && body.events.length > ids.length);
  assert.deepEqual((await poll(`wait_s=60&since=${before}&limit=4`)).body.events, body.events.slice(0, 4));
  const only = (await poll(`wait_s=60&since=${catalogue}:${from}&limit=1000`)).body;
  assert.deepEqual(only.events.map((frame) => frame.event_id), ids);
  assert.deepEqual((await poll(`wait_s=0&since=${only.next}`)).body.events, []);
  const header = await stream(`since=${catalogue}:0`, { lastEventId: ids[2] });
  assert.equal((await header.find('SUBSCRIBED')).payload.recovered, true);
  await header.find((frame) => frame.event_id === ids.at(-1));
  assert.deepEqual(told(header.frames).map((frame) => frame.event_id), ids.slice(3));
  assert.equal(header.ids[0], ids[2]);
  header.close();
  const far = `${catalogue}:${Number(ids.at(-1).split(':')[1]) + 1000000}`;
  for (const since of ['otherone:5', far]) {
    const answer = await poll(`wait_s=60&since=${since}`);
    assert.deepEqual([answer.body.recovered, answer.body.events], [false, []]);
    const on = (await poll(`wait_s=0&since=${answer.body.next}`)).body;
    assert.deepEqual([on.recovered, on.events], [true, []]);
    const one = await stream(`since=${since}`);
    assert.equal((await one.find('SUBSCRIBED')).payload.recovered, false);
    assert.equal(one.lastEventId, '');
    one.close();
  }
});

test('a poller goes on over a restart, and loses nothing durable', async () => {
  const poller = await Poller.open(daemon, { patient: true, limit: 10 });
  const ids = [];
  for (let life = 0; life < 3; life++) {
    touch(30);
    const id = await daemon.scan(tree);
    await poller.find(ended(id));
    ids.push(id);
    await daemon.stop();
    await daemon.launch();
  }
  await poller.until(() => poller.answers > 0, 'it is there');
  assert.equal(poller.missed, 0);
  const numbers = durable(poller.frames).map((frame) => Number(frame.event_id.split(':')[1]));
  numbers.forEach((number, i) => assert.ok(i === 0 || number > numbers[i - 1]));
  for (const id of ids) assert.equal(poller.frames.filter(ended(id)).length, 1);
  const all = await Poller.open(daemon, { since: `${poller.position.split(':')[0]}:${numbers[0] - 1}` });
  assert.equal(all.missed, 1); // the ring began anew with the process
  await Promise.all([poller.close(), all.close()]);
});

test('requests that were sent behind a poll are answered after it', async () => {
  const raw = await Raw.open(daemon.port);
  const ask = (url) => `GET ${url} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n\r\n`;
  raw.send(ask(`${route}?wait_s=1`) + ask('/health/live') + ask(`${route}?wait_s=0`) + ask('/api/v1/jobs'));
  const text = await raw.until((all) => answers(all).length === 4, 'four answers');
  assert.deepEqual(answers(text).map(({ status, body }) => [status, Object.keys(JSON.parse(body))[0]]),
    [[200, 'events'], [200, 'status'], [200, 'events'], [200, 'jobs']]);
  raw.destroy();
});
