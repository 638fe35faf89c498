// What a client asks to hear, by query string or by frame, and that it hears exactly that: after `since` every durable event
// in order, none twice, then all that comes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, build, eventually, makeVideo, tempDir } from '../lib/daemon.js';
import { random } from '../lib/trees.js';
import { Raw } from './raw.js';

const seed = Number(process.env.REELD_SEED ?? Math.floor(Math.random() * 2 ** 31));
const next = random(seed);
const pick = (list) => list[Math.floor(next() * list.length)];

const FILMS = 60;
let daemon;
let library;

before(async () => {
  console.log(`REELD_SEED=${seed}`);
  library = tempDir();
  const first = makeVideo(path.join(library, 'a', 'film 0.mp4'), { seconds: 0.4 });
  fs.mkdirSync(path.join(library, 'b'));
  for (let i = 1; i < FILMS; i++) fs.copyFileSync(first, path.join(library, i % 2 ? 'a' : 'b', `film ${i}.mp4`));
  daemon = await Daemon.start();
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(library, { recursive: true });
});

/** Scans the library, or a folder of it, with every film changed; gives the job's id at once. */
function rescan(folder = '') {
  for (const sub of folder ? [folder] : ['a', 'b'])
    for (const name of fs.readdirSync(path.join(library, sub)))
      fs.utimesSync(path.join(library, sub, name), new Date(), new Date(1e12 + Math.floor(next() * 1e11)));
  return daemon.scan(path.join(library, folder));
}

const sequence = (frame) => Number(frame.event_id.split(':')[1]);
const durable = (frame) => frame.event_id !== null;
const stream = (frames) => frames.filter((frame) => !['HELLO', 'SUBSCRIBED', 'ERROR', 'HEARTBEAT'].includes(frame.type));
const bare = (frames) => frames.map(({ received_ms: _, ...frame }) => frame);
const ends = (id) => (frame) => frame.payload.job_id === id && /_(COMPLETED|CANCELLED|FAILED|TIMEOUT)$/.test(frame.type);

/** The frames up to the end of job `id`, which the channel waits for. */
async function until(channel, id) {
  const last = await channel.find(ends(id));
  return bare(stream(channel.frames.slice(0, channel.frames.indexOf(last) + 1)));
}

/**
 * `heard` is every durable event of `all` after `since`, in order, and from some point on everything. `all` and `heard` end
 * with the same event.
 */
function checkJoined(heard, all, since) {
  const behind = all.findLastIndex((frame) => durable(frame) && sequence(frame) <= since) + 1;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  let [i, j] = [heard.length, all.length];
  while (i > 0 && j > behind && same(heard[i - 1], all[j - 1])) [i, j] = [i - 1, j - 1];
  assert.deepEqual(heard.slice(0, i), all.slice(behind, j).filter(durable));
  return { replayed: i, live: heard.length - i };
}

/** What follows the last SUBSCRIBED. */
function behindSubscribed(channel) {
  return channel.frames.slice(channel.frames.findLastIndex((frame) => frame.type === 'SUBSCRIBED') + 1);
}

/** Clients that come back, at random moments of busy scans, with a `since` of `all`; each is given to join(since). Gives how many
 *  of them had both a replay and live events. */
async function comeBackOnce(clients, scans, join) {
  const all = await daemon.channel();
  const start = (await all.find('HELLO')).payload.event_id;
  const joined = [];
  let id;
  for (let scan = 0; scan < scans; scan++) {
    id = await rescan();
    for (let i = 0; i < clients / scans; i++) {
      const more = all.frames.length + Math.floor(next() * 12);
      await all.find(() => all.frames.length > more || all.frames.some(ends(id)), 'the scan goes on');
      const known = all.frames.filter((frame) => durable(frame) && frame.type !== 'HELLO' && !ends(id)(frame));
      const since = pick([start, ...known.map((frame) => frame.event_id)]);
      joined.push(join(since).then((channel) => ({ channel, since })));
    }
    await all.find(ends(id));
  }
  const story = await until(all, id);
  let both = 0;
  for (const { channel, since } of await Promise.all(joined)) {
    await channel.find(ends(id));
    const behind = behindSubscribed(channel);
    const heard = bare(stream(behind.slice(0, behind.findIndex(ends(id)) + 1)));
    const { replayed, live } = checkJoined(heard, story, Number(since.split(':')[1]));
    if (replayed && live) both++;
    await channel.close();
  }
  await all.close();
  return both;
}

/** The same until enough had both: where the machine is slow, a scan may be over before who comes back is there. */
async function comeBack(clients, scans, join) {
  for (let [both, round] = [0, 0]; both <= clients / 4; round++) {
    assert.ok(round < 10, `${both} of ${clients * round} had both a replay and live events`);
    both += await comeBackOnce(clients, scans, join);
  }
}

test('since in the query string: HELLO, SUBSCRIBED, the durable events after it, then live', async () => {
  await comeBack(40, 4, async (since) => {
    const channel = await daemon.channel(`?since=${since}`);
    const subscribed = await channel.find('SUBSCRIBED');
    assert.deepEqual(channel.frames.slice(0, 2).map((frame) => frame.type), ['HELLO', 'SUBSCRIBED']);
    assert.deepEqual(subscribed.payload, { topics: ['jobs', 'library'], recovered: true });
    return channel;
  });
});

test('since in a frame starts the stream anew, also in the middle of a replay', async () => {
  await comeBack(40, 4, async (since) => {
    const channel = await daemon.channel(next() < 0.5 ? '' : `?since=${since.split(':')[0]}:0`);
    const frames = 1 + Math.floor(next() * 4);
    for (let i = 0; i < frames; i++) channel.send({ type: 'SUBSCRIBE', payload: { since: i + 1 < frames ? `${since.split(':')[0]}:${Math.floor(next() * 40)}` : since } });
    const answers = () => channel.frames.filter((frame) => frame.type === 'SUBSCRIBED').length;
    const asked = channel.socket.url.includes('since') ? frames + 1 : frames;
    await channel.find(() => answers() === asked, 'every SUBSCRIBE is answered');
    assert.ok(channel.frames.filter((frame) => frame.type === 'SUBSCRIBED').every((frame) => frame.payload.recovered));
    return channel;
  });
});

/** What a client sends to upgrade at `target`. */
function handshake(target, headers = {}) {
  const all = { Host: `127.0.0.1:${daemon.port}`, Connection: 'keep-alive, Upgrade', Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers };
  return `GET ${target} HTTP/1.1\r\n${Object.entries(all).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

test('a long replay comes whole while nothing happens, also when SUBSCRIBE without since comes in the middle', async () => {
  const now = await daemon.channel();
  const hello = await now.find('HELLO');
  await now.close();
  const last = sequence({ event_id: hello.payload.event_id });
  const raw = await Raw.open(daemon.port);
  // In one piece: it is read before anything is replayed. The mask is 0.
  raw.send(`${handshake(`/ws?since=${hello.payload.event_id.split(':')[0]}:0`)}\x81\x94\0\0\0\0{"type":"SUBSCRIBE"}`);
  await raw.until((text) => text.includes(`{"event_id":"${hello.payload.event_id}","type"`), 'the last event');
  const numbers = [...raw.text.matchAll(/\{"event_id":"\w+:(\d+)","type"/g)].map((match) => Number(match[1]));
  assert.deepEqual(numbers, Array.from({ length: last }, (_, i) => i + 1));
  assert.equal(raw.text.match(/"type":"SUBSCRIBED"/g).length, 2);
  assert.ok(raw.text.lastIndexOf('"SUBSCRIBED"') < raw.text.indexOf(':1","type"'), 'both answers before the replay');
  assert.ok(raw.text.length > 300000, 'many writes');
  raw.destroy();
});

test('SUBSCRIBE without since goes on where the client is', async () => {
  const [all, changing] = await Promise.all([daemon.channel(), daemon.channel()]);
  await changing.find('HELLO');
  const id = await rescan();
  for (let i = 0; i < 20; i++) {
    const more = changing.frames.length + Math.floor(next() * 8);
    changing.send({ type: 'SUBSCRIBE' });
    await changing.find(() => changing.frames.length > more || changing.frames.some(ends(id)), 'the scan goes on');
  }
  const heard = await until(changing, id);
  const story = await until(all, id);
  assert.deepEqual(heard, story);
  await Promise.all([all.close(), changing.close()]);
});

test('topics', async () => {
  const all = await daemon.channel();
  const wanted = { jobs: await daemon.channel('?topics=jobs'), library: await daemon.channel('?topics=library'),
    both: await daemon.channel('?topics=library,jobs') };
  await all.find('HELLO');
  assert.deepEqual((await wanted.jobs.find('SUBSCRIBED')).payload, { topics: ['jobs'], recovered: true });
  assert.deepEqual((await wanted.library.find('SUBSCRIBED')).payload, { topics: ['library'], recovered: true });
  assert.deepEqual((await wanted.both.find('SUBSCRIBED')).payload, { topics: ['jobs', 'library'], recovered: true });
  const id = await rescan();
  const story = await until(all, id);
  const ofLibrary = (frame) => /^(VIDEO|ROOT)_/.test(frame.type);
  assert.ok(story.some(ofLibrary));
  assert.deepEqual(await until(wanted.jobs, id), story.filter((frame) => !ofLibrary(frame)));
  assert.deepEqual(await until(wanted.both, id), story);
  // It does not hear the end of the job: the last video is its last frame, and a heartbeat comes in any case.
  const videos = story.filter(ofLibrary);
  await wanted.library.find((frame) => frame.event_id === videos.at(-1).event_id);
  wanted.library.send({ type: 'PING' });
  await wanted.library.find('HEARTBEAT');
  assert.deepEqual(bare(stream(wanted.library.frames)), videos);
  await Promise.all([all, ...Object.values(wanted)].map((channel) => channel.close()));
});

test('job_id narrows the topic jobs to one job, and nothing else', async () => {
  const all = await daemon.channel();
  await all.find('HELLO');
  const ids = [await rescan('a'), await rescan('b')];
  const start = (await all.find((frame) => frame.type === 'JOB_QUEUED')).event_id;
  const since = `${start.split(':')[0]}:${sequence({ event_id: start }) - 1}`;
  const one = await daemon.channel(`?job_id=${ids[1]}&since=${since}`);
  const beside = await daemon.channel(`?job_id=${ids[1]}&topics=jobs,library&since=${since}`);
  assert.deepEqual((await one.find('SUBSCRIBED')).payload, { topics: ['jobs'], recovered: true });
  assert.deepEqual((await beside.find('SUBSCRIBED')).payload, { topics: ['jobs', 'library'], recovered: true });
  const story = await until(all, ids[1]);
  const ofJob = story.filter((frame) => frame.payload.job_id === ids[1]);
  assert.ok(story.some((frame) => frame.payload.job_id === ids[0]));
  const heard = await until(one, ids[1]);
  checkJoined(heard, ofJob, sequence({ event_id: since }));
  assert.deepEqual((await until(beside, ids[1])).filter(durable),
    story.filter((frame) => durable(frame) && (frame.payload.job_id === ids[1] || frame.payload.job_id === undefined)));
  await Promise.all([all, one, beside].map((channel) => channel.close()));
});

test('progress_ms: one progress frame of a job in that time, every durable event at once', async () => {
  const all = await daemon.channel();
  const paced = await daemon.channel('?progress_ms=60000');
  await paced.find('SUBSCRIBED');
  for (let i = 0; i < 2; i++) {
    const id = await rescan();
    const story = (await until(all, id)).filter((frame) => frame.payload.job_id === id || !frame.payload.job_id);
    const heard = (await until(paced, id)).filter((frame) => frame.payload.job_id === id || !frame.payload.job_id);
    assert.deepEqual(heard.filter(durable), story.filter(durable));
    const progress = heard.filter((frame) => frame.type === 'SCAN_PROGRESS');
    assert.equal(progress.length, 1, 'the first; the end of the job went before the next was due');
    assert.deepEqual(progress[0], story.find((frame) => frame.type === 'SCAN_PROGRESS'));
    all.frames.length = paced.frames.length = 0;
  }
  await Promise.all([all.close(), paced.close()]);
});

test('progress_ms: the newest frame that had to wait comes by itself', async (t) => {
  const folder = tempDir();
  for (let i = 0; i < 30; i++) fs.writeFileSync(path.join(folder, `empty ${i}.mp4`), '');
  fs.writeFileSync(path.join(folder, 'hang.mp4'), 'ATTACK:hang\n');
  for (const name of fs.readdirSync(folder)) fs.utimesSync(path.join(folder, name), 1e9, 1e9);
  // Nor does a heartbeat, a ping or the end of the file's time.
  const hanging = await Daemon.start({ env: { REELD_SERVER_HEARTBEAT_S: '3600', REELD_SERVER_PING_S: '3600', REELD_LIBRARY_FILE_TIMEOUT_S: '600' }, args: ['--worker-program', path.join(build, 'reeld-worker-attack'), '--workers', '1'] });
  t.after(async () => {
    await hanging.cleanup();
    fs.rmSync(folder, { recursive: true });
  });
  const [all, ...paced] = await Promise.all([hanging.channel(), ...[1, 40, 500].map((ms) => hanging.channel(`?progress_ms=${ms}`))]);
  await Promise.all(paced.map((channel) => channel.find('SUBSCRIBED')));
  const id = await hanging.scan(folder);
  // Nothing but the hung file is left: no event comes that could take the held frame along.
  const last = await all.find((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.processed === 30);
  for (const channel of paced) {
    await channel.find((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.processed === 30);
    const progress = stream(channel.frames).filter((frame) => frame.type === 'SCAN_PROGRESS');
    assert.deepEqual(bare(progress).at(-1), bare([last])[0]);
  }
  await hanging.post(`/api/v1/jobs/${id}/cancel`);
  for (const channel of paced) await channel.find('SCAN_CANCELLED');
});

test('a list and the stream behind it join without a hole', async () => {
  const all = await daemon.channel();
  await all.find('HELLO');
  let joined = 0;
  for (let scans = 0; joined < 5; scans++) {
    assert.ok(scans < 100, 'a scan lasts longer than it takes to read a list');
    const id = await rescan();
    await all.find((frame) => frame.type === 'VIDEO_UPDATED');
    const { body } = await daemon.get('/api/v1/videos?limit=500');
    const known = new Map(body.videos.map((video) => [video.id, video.updated_at]));
    const channel = await daemon.channel(`?since=${body.event_id}`);
    assert.equal((await channel.find('SUBSCRIBED')).payload.recovered, true);
    const end = await all.find(ends(id));
    if (sequence(body) < sequence(end)) {
      await channel.find(ends(id));
      joined++;
    }
    for (const { type, payload } of channel.frames) if (/^VIDEO_/.test(type)) known.set(payload.id, payload.updated_at);
    const now = (await daemon.get('/api/v1/videos?limit=500')).body.videos;
    assert.deepEqual([...known].sort(), now.map((video) => [video.id, video.updated_at]).sort());
    await channel.close();
    all.frames.length = 0;
  }
  await all.close();
});

test('recovered:false where the ring does not reach back, and live from there', async (t) => {
  const folder = tempDir();
  const dir = tempDir();
  for (let i = 0; i < 800; i++) {
    const file = path.join(folder, `${'so long a name '.repeat(14)}${i}.mp4`);
    fs.writeFileSync(file, '');
    fs.utimesSync(file, 1e9, 1e9);
  }
  const options = { dir, env: { REELD_SERVER_RING_MIB: '1' } };
  const small = await Daemon.start(options);
  t.after(async () => {
    await small.cleanup();
    for (const each of [folder, dir]) fs.rmSync(each, { recursive: true });
  });
  const start = (await (await small.channel()).find('HELLO')).payload.event_id;
  const [catalogue] = start.split(':');
  const recovered = async (since) => {
    const channel = await small.channel(`?since=${since}`);
    const answer = (await channel.find('SUBSCRIBED')).payload.recovered;
    channel.send({ type: 'SUBSCRIBE', payload: { since } });
    await channel.find(() => channel.frames.filter((frame) => frame.type === 'SUBSCRIBED').length === 2, 'a second answer');
    assert.equal(channel.frames.findLast((frame) => frame.type === 'SUBSCRIBED').payload.recovered, answer, 'both ways');
    return { answer, channel };
  };
  assert.equal((await recovered(start)).answer, true, 'nothing happened since');
  for (let i = 0; i < 4; i++) await small.wait(await small.scan(folder, { retry_failed: true }));
  const now = (await (await small.channel()).find('HELLO')).payload.event_id;
  assert.equal((await recovered(now)).answer, true);
  const { answer, channel } = await recovered(start);
  assert.equal(answer, false, 'before the ring');
  assert.equal((await recovered(`${catalogue}:${sequence({ event_id: now }) + 1}`)).answer, false, 'ahead of the catalogue');
  assert.equal((await recovered(`00000000:${sequence({ event_id: now })}`)).answer, false, 'another catalogue');
  const id = await small.scan(folder);
  const heard = await until(channel, id);
  assert.ok(heard.every((frame) => frame.payload.job_id === id), 'nothing of before');
  assert.equal(heard[0].type, 'JOB_QUEUED');
  const last = heard.at(-1).event_id;
  await small.stop();
  await small.launch();
  assert.equal((await recovered(last)).answer, true, 'nothing happened since the restart');
  assert.equal((await recovered(heard[0].event_id)).answer, false, 'the ring begins with the process');
});

test('malformed payloads: ERROR says which member and why, and nothing changes', async () => {
  const channel = await daemon.channel('?topics=library');
  await channel.find('SUBSCRIBED');
  const id = '0193b0c8-5f5a-7c3e-8f2d-000000000000';
  const cases = [
    [[], 'WRONG_TYPE', 'payload'], ['x', 'WRONG_TYPE', 'payload'], [{ topic: ['jobs'] }, 'UNKNOWN_FIELD', ''],
    [{ topics: 'jobs' }, 'WRONG_TYPE', 'topics'], [{ topics: [] }, 'BAD_VALUE', 'topics'], [{ topics: [7] }, 'WRONG_TYPE', 'topics'],
    [{ topics: ['meta'] }, 'BAD_VALUE', 'topics'], [{ topics: ['jobs', 'jobs'] }, 'BAD_VALUE', 'topics'], [{ topics: [['jobs']] }, 'WRONG_TYPE', 'topics'],
    [{ job_id: 7 }, 'WRONG_TYPE', 'job_id'], [{ job_id: '' }, 'BAD_VALUE', 'job_id'], [{ job_id: id.toUpperCase() }, 'BAD_VALUE', 'job_id'],
    [{ since: 7 }, 'WRONG_TYPE', 'since'], [{ since: '' }, 'BAD_VALUE', 'since'], [{ since: 'x' }, 'BAD_VALUE', 'since'],
    [{ since: 'abc:-1' }, 'BAD_VALUE', 'since'], [{ since: 'abc:99999999999999999999' }, 'BAD_VALUE', 'since'], [{ since: 'abc:1\u0000' }, 'BAD_VALUE', 'since'],
    [{ progress_ms: '250' }, 'WRONG_TYPE', 'progress_ms'], [{ progress_ms: -1 }, 'OUT_OF_RANGE', 'progress_ms'],
    [{ progress_ms: 60001 }, 'OUT_OF_RANGE', 'progress_ms'], [{ progress_ms: 1.5 }, 'BAD_VALUE', 'progress_ms'],
  ];
  for (const [payload, code, member] of cases) {
    const before = channel.frames.length;
    channel.send({ type: 'SUBSCRIBE', payload });
    await channel.find(() => channel.frames.length > before, `an answer to ${JSON.stringify(payload)}`);
    const { type, payload: error } = channel.frames[before];
    assert.deepEqual([type, error.code], ['ERROR', code], JSON.stringify(payload));
    assert.match(error.message, new RegExp(member), JSON.stringify(payload));
  }
  await daemon.wait(await rescan());
  const video = await channel.find('VIDEO_UPDATED');
  assert.equal(stream(channel.frames)[0], video, 'still the library alone');
  await channel.close();
});

/** The answer to an upgrade with these headers, or the ones of a good one. */
async function upgrade(target, headers = {}) {
  const raw = await Raw.open(daemon.port);
  raw.send(handshake(target, headers));
  const text = await raw.until((said) => said.includes('\r\n\r\n') && (said.startsWith('HTTP/1.1 101') || said.includes('"code"')), 'an answer');
  raw.destroy();
  return { status: Number(text.split(' ')[1]), head: text.split('\r\n\r\n')[0].toLowerCase(), code: /"code":"(\w+)"/.exec(text)?.[1], field: /"field":"([\w-]+)"/.exec(text)?.[1] };
}

test('a query string that says nothing sensible: 400 on the upgrade', async () => {
  for (const [query, code, field] of [['topics=', 'BAD_PARAMETER', 'topics'], ['topics=jobs,', 'BAD_PARAMETER', 'topics'],
    ['topics=jobs,jobs', 'BAD_PARAMETER', 'topics'], ['topics=meta', 'BAD_PARAMETER', 'topics'], ['job_id=1', 'BAD_PARAMETER', 'job_id'],
    ['since=1', 'BAD_PARAMETER', 'since'], ['since=a:b', 'BAD_PARAMETER', 'since'], ['progress_ms=fast', 'BAD_PARAMETER', 'progress_ms'],
    ['progress_ms=60001', 'BAD_PARAMETER', 'progress_ms'], ['topic=jobs', 'UNKNOWN_PARAMETER', 'topic'], ['wait_s=1', 'UNKNOWN_PARAMETER', 'wait_s'],
    ['topics=jobs&topics=library', 'REPEATED_PARAMETER', 'topics']]) {
    const answer = await upgrade(`/ws?${query}`);
    assert.deepEqual([answer.status, answer.code, answer.field], [400, code, field], query);
  }
  assert.equal((await upgrade('/ws?topics=jobs&progress_ms=0')).status, 101);
});

test('an upgrade that is none: said, not dropped', async () => {
  for (const [headers, status, code] of [[{}, 101, undefined], [{ Connection: 'close' }, 400, 'BAD_UPGRADE'], [{ Connection: null }, 400, 'BAD_UPGRADE'],
    [{ 'Sec-WebSocket-Key': null }, 400, 'BAD_UPGRADE'], [{ 'Sec-WebSocket-Key': 'short' }, 400, 'BAD_UPGRADE'],
    [{ 'Sec-WebSocket-Version': '8' }, 426, 'UNKNOWN_VERSION'], [{ 'Sec-WebSocket-Version': null }, 426, 'UNKNOWN_VERSION'],
    [{ 'Sec-WebSocket-Protocol': 'chat' }, 400, 'UNKNOWN_PROTOCOL'], [{ 'Sec-WebSocket-Protocol': 'wake' }, 400, 'UNKNOWN_PROTOCOL'],
    [{ 'Sec-WebSocket-Protocol': 'chat, reeld.v1' }, 101, undefined]]) {
    const answer = await upgrade('/ws', headers);
    assert.deepEqual([answer.status, answer.code], [status, code], JSON.stringify(headers));
    if (status === 426) assert.match(answer.head, /sec-websocket-version: 13/);
  }
  await eventually(async () => /^reeld_channel_clients 0$/m.test((await daemon.get('/metrics')).body), 'nobody is left');
});
