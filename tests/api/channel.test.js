// The channel: what it says, in which order, and how it ends.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, eventually, makeVideo, tempDir } from '../lib/daemon.js';

let daemon;
let library;

before(async () => {
  library = tempDir();
  const first = makeVideo(path.join(library, 'film 1.mp4'));
  for (let i = 2; i <= 12; i++) fs.copyFileSync(first, path.join(library, `film ${i}.mp4`));
  fs.writeFileSync(path.join(library, 'broken.mp4'), 'nothing of a film');
  daemon = await Daemon.start({ env: { REELD_SERVER_HEARTBEAT_S: '1' } });
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(library, { recursive: true });
});

/** Runs one whole scan that decides on every file anew; gives the job. */
async function rescan() {
  for (const name of fs.readdirSync(library)) fs.utimesSync(path.join(library, name), new Date(), new Date(Date.now() - 1e7 - Math.random() * 1e8));
  return daemon.wait(await daemon.scan(library, { retry_failed: true }));
}

test('HELLO comes first, and every frame has the envelope', async () => {
  const channel = await daemon.channel();
  const hello = await channel.find(() => true);
  assert.equal(hello.type, 'HELLO');
  assert.equal(hello.payload.server.name, 'reeld');
  assert.equal(typeof hello.payload.heartbeat_ms, 'number');
  assert.deepEqual(hello.payload.jobs, []);
  const job = await rescan();
  await channel.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === job.job_id);
  for (const frame of channel.frames) {
    assert.deepEqual(Object.keys(frame).filter((key) => key !== 'received_ms').sort(),
      ['correlation_id', 'event_id', 'payload', 'timestamp', 'type']);
  }
  const late = await daemon.channel();
  const last = channel.frames.filter((frame) => frame.event_id).at(-1).event_id;
  assert.equal((await late.find('HELLO')).payload.event_id, last);
  await channel.close();
  await late.close();
});

test('what an event names, a query finds; a status is never behind its event', async () => {
  const channel = await daemon.channel();
  await channel.find('HELLO');
  const checks = [];
  channel.socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data));
    if (type === 'SCAN_PROGRESS' && payload.video_id) {
      checks.push(daemon.get(`/api/v1/videos/${payload.video_id}`).then((answer) => {
        assert.equal(answer.status, 200);
        assert.equal(answer.body.path, payload.path);
      }));
    } else if (type === 'VIDEO_ADDED' || type === 'VIDEO_UPDATED') {
      checks.push(daemon.get(`/api/v1/videos/${payload.id}`).then((answer) => assert.equal(answer.status, 200)));
    } else if (type === 'SCAN_STARTED') {
      checks.push(daemon.get(`/api/v1/jobs/${payload.job_id}`).then(({ body }) => assert.notEqual(body.status, 'pending')));
    } else if (type === 'SCAN_COMPLETED') {
      checks.push(daemon.get(`/api/v1/jobs/${payload.job_id}`).then(({ body }) => assert.deepEqual(body, payload)));
    }
  });
  const job = await rescan();
  await channel.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === job.job_id);
  assert.ok(checks.length > 20, `${checks.length} checks`);
  await Promise.all(checks);
  const terminal = channel.frames.filter((frame) => /^SCAN_(COMPLETED|FAILED|CANCELLED|TIMEOUT)$/.test(frame.type));
  assert.equal(terminal.length, 1);
  await channel.close();
});

test('the request id is in the events that the request caused', async () => {
  const channel = await daemon.channel();
  const answer = await daemon.post('/api/v1/videos/scan', { path: library, retry_failed: true }, { 'x-request-id': 'my-request.1' });
  assert.equal(answer.headers.get('x-request-id'), 'my-request.1');
  for (const type of ['JOB_QUEUED', 'SCAN_STARTED', 'SCAN_COMPLETED'])
    assert.equal((await channel.find((frame) => frame.type === type && (frame.payload.job_id === answer.body.job_id))).correlation_id, 'my-request.1');
  const { body: { videos: [video] } } = await daemon.get('/api/v1/videos?limit=1');
  assert.equal((await daemon.request('DELETE', `/api/v1/videos/${video.id}`, undefined, { 'x-request-id': 'remove-it' })).status, 204);
  assert.equal((await channel.find('VIDEO_REMOVED')).correlation_id, 'remove-it');
  await channel.close();
});

test('a wait is answered by the end of its job, for everybody who waits', async () => {
  const id = await daemon.scan(library, { retry_failed: true });
  const waits = await Promise.all(Array.from({ length: 300 }, () => daemon.get(`/api/v1/jobs/${id}/wait?timeout_s=60`)));
  for (const wait of waits) {
    assert.equal(wait.status, 200);
    assert.equal(wait.body.status, 'complete');
  }
});

test('two hundred clients see the same frames in the same order', async () => {
  const channels = await Promise.all(Array.from({ length: 200 }, () => daemon.channel()));
  await Promise.all(channels.map((channel) => channel.find('HELLO')));
  const job = await rescan();
  const end = (frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === job.job_id;
  await Promise.all(channels.map((channel) => channel.find(end)));
  const seen = channels.map((channel) => {
    const of = channel.frames.filter((frame) => frame.payload.job_id === job.job_id);
    return JSON.stringify(of.map(({ type, event_id, payload }) => [type, event_id, payload]));
  });
  assert.ok(JSON.parse(seen[0]).length > 10);
  for (const each of seen) assert.equal(each, seen[0]);
  const sequences = channels[0].frames.filter((frame) => frame.event_id && frame.type !== 'HELLO')
    .map((frame) => Number(frame.event_id.split(':')[1]));
  assert.deepEqual(sequences, [...sequences].sort((a, b) => a - b));
  await Promise.all(channels.map((channel) => channel.close()));
});

test('what clients say', async () => {
  const channel = await daemon.channel();
  await channel.find('HELLO');
  channel.send({ type: 'PING' });
  await channel.find('HEARTBEAT');
  channel.send({ type: 'SUBSCRIBE' });
  assert.deepEqual((await channel.find('SUBSCRIBED')).payload, { topics: ['jobs', 'library'], recovered: true });
  const errors = () => channel.frames.filter((frame) => frame.type === 'ERROR');
  for (const [text, code] of [['', 'MALFORMED_JSON'], ['{', 'MALFORMED_JSON'], ['[]', 'NOT_AN_OBJECT'], ['{"type":7}', 'WRONG_TYPE'],
    ['{}', 'MISSING_FIELD'], ['{"type":"HELLO"}', 'UNKNOWN_TYPE'], ['{"type":"PING","x":1}', 'UNKNOWN_FIELD'],
    ['{"type":"SUBSCRIBE","payload":{"since":"x"}}', 'BAD_VALUE'], ['{"type":"SUBSCRIBE","payload":[]}', 'WRONG_TYPE'],
    ['['.repeat(4000), 'MALFORMED_JSON'], [`{"type":"${'x'.repeat(4000)}"}`, 'UNKNOWN_TYPE']]) {
    const before = errors().length;
    channel.send(text);
    await channel.find(() => errors().length > before, `an ERROR for ${text.slice(0, 30)}`);
    assert.equal(errors().at(-1).payload.code, code, text.slice(0, 30));
    assert.equal(typeof errors().at(-1).payload.message, 'string');
  }
  await channel.close();
});

test('a hundred messages at once are answered; a client that goes on like that is closed', async () => {
  const beats = (channel) => channel.frames.filter((frame) => frame.type === 'HEARTBEAT').length;
  const channel = await daemon.channel();
  await channel.find('HELLO');
  for (let i = 0; i < 100; i++) channel.send({ type: 'PING' });
  await channel.find(() => beats(channel) >= 100, 'every PING answered');
  await channel.close();
  for (const options of [{}, { fin: false }]) {
    const talker = await daemon.channel();
    await talker.find('HELLO');
    for (let i = 0; i < 2000; i++) talker.socket.send(options.fin === false ? '' : '{"type":"PING"}', options);
    const { code, reason } = await talker.closed;
    assert.equal(code, 1008);
    assert.equal(reason, 'too many messages');
    assert.ok(beats(talker) < 500);
  }
  assert.match((await daemon.get('/metrics')).body, /^reeld_channel_talkative_total 2$/m);
});

test('a fragmented message is one message', async () => {
  const channel = await daemon.channel();
  channel.socket.send('{"type":', { fin: false });
  channel.socket.send('"SUB', { fin: false });
  channel.socket.send('SCRIBE"}', { fin: true });
  await channel.find('SUBSCRIBED');
  await channel.close();
});

test('close codes', async () => {
  const cases = [
    ['binary', 1003, (socket) => socket.send(Buffer.from('{"type":"PING"}'))],
    ['too long', 1009, (socket) => socket.send('x'.repeat(4097))],
    ['far too long', 1009, (socket) => socket.send('x'.repeat(1000000))],
    ['too long in fragments', 1009, (socket) => {
      for (let i = 0; i < 50; i++) socket.send('x'.repeat(100), { fin: false });
    }],
    ['not UTF-8', 1007, (socket) => socket.send(Buffer.from([0x22, 0xff, 0xfe, 0x22]), { binary: false })],
  ];
  for (const [what, code, act] of cases) {
    const channel = await daemon.channel();
    await channel.find('HELLO');
    act(channel.socket);
    assert.equal((await channel.closed).code, code, what);
  }
  const channel = await daemon.channel();
  await channel.find('HELLO');
  channel.send('x'.repeat(4096));
  assert.equal((await channel.find('ERROR')).payload.code, 'MALFORMED_JSON');
  assert.equal((await channel.close()).code, 1005);
  await eventually(async () => /^reeld_channel_clients 0$/m.test((await daemon.get('/metrics')).body), 'all clients gone');
});

test('HEARTBEAT comes by itself', async () => {
  const channel = await daemon.channel();
  await channel.find('HEARTBEAT');
  await channel.close();
});

test('a limit on clients; REST goes on', async () => {
  const small = await Daemon.start({ env: { REELD_SERVER_MAX_CLIENTS: '3' } });
  try {
    const channels = await Promise.all([1, 2, 3].map(() => small.channel()));
    await assert.rejects(small.channel(), /503/);
    assert.equal((await small.get('/health/live')).status, 200);
    await channels[0].close();
    await eventually(() => small.channel().then((channel) => channel.find('HELLO'), () => null), 'a place again');
  } finally {
    await small.cleanup();
  }
});

test('the limit of open files: raised as far as it goes, and where that is not far, fewer clients', async () => {
  const most = async (daemon) => Number(/^reeld_channel_clients_max (\d+)$/m.exec((await daemon.get('/metrics')).body)[1]);
  const raised = await Daemon.start({ wrap: ['prlimit', '--nofile=128:4000'], args: ['--max-clients', '1000'] });
  assert.equal(await most(raised), 1000);
  const channels = await Promise.all(Array.from({ length: 200 }, () => raised.channel()));
  await Promise.all(channels.map((channel) => channel.find('HELLO')));
  await raised.cleanup();
  const few = await Daemon.start({ wrap: ['prlimit', '--nofile=300:300'], args: ['--max-clients', '1000'] });
  try {
    assert.match(few.stderr, /the limit of 300 open files leaves room for 44 clients/);
    assert.equal(await most(few), 44);
    const all = await Promise.all(Array.from({ length: 44 }, () => few.channel()));
    await assert.rejects(few.channel(), /503/);
    assert.equal((await few.get('/health/live')).status, 200);
    assert.ok(all.every((channel) => channel.code === undefined));
  } finally {
    await few.cleanup();
  }
});
