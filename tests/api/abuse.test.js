// Clients that stop, dribble, leave in the middle of everything and come by the thousand: afterwards nothing of them is left.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import readline from 'node:readline';
import { after, before, test } from 'node:test';
import { Daemon, eventually, sanitized, tempDir, top } from '../lib/daemon.js';
import { Raw } from './raw.js';

const FILES = 600;
const LEAVERS = Number(process.env.REELD_LEAVERS ?? (sanitized ? 1000 : 10000));
const AT_ONCE = 40;

let daemon;
let tree;

/** Files that fail without being opened: a scan of them is half a megabyte of frames in a moment. */
before(async () => {
  tree = tempDir();
  for (let i = 0; i < FILES; i++) {
    const file = path.join(tree, `${'so long a name '.repeat(14)}${i}.mp4`);
    fs.writeFileSync(file, '');
    fs.utimesSync(file, 1e9, 1e9);
  }
  daemon = await Daemon.start({ env: { REELD_SERVER_RING_MIB: '2', REELD_SERVER_HEARTBEAT_S: '1' } });
  await daemon.wait(await scan());
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(tree, { recursive: true });
});

const scan = () => daemon.scan(tree, { retry_failed: true });
const upgrade = (query = '') => `GET /ws${query} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
  + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const ping = Buffer.concat([Buffer.from([0x81, 0x80 | 15, 0, 0, 0, 0]), Buffer.from('{"type":"PING"}')]).toString('latin1');

const openFiles = () => fs.readdirSync(`/proc/${daemon.process.pid}/fd`).length;
const memory = () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8'))[1]) * 1024;

async function metric(name) {
  return Number(new RegExp(`^reeld_${name} (\\d+)$`, 'm').exec((await daemon.get('/metrics')).body)[1]);
}

/** Everybody is gone: no client is counted, and no more files are open than before. */
async function nothingLeft(files) {
  await eventually(async () => await metric('channel_clients') === 0, 'no client is left');
  await eventually(() => openFiles() <= files, `no file is left open: ${files} before`);
  assert.equal((await daemon.get('/health/ready')).status, 200);
}

/** The files that are open when only REST is there; what fetch keeps open is among them. */
async function settled() {
  await nothingLeft(Infinity);
  return openFiles();
}

/** Scan after scan until it is over; gives how many there were. */
function scanning() {
  let over = false;
  const run = (async () => {
    let count = 0;
    for (; !over; count++) await daemon.wait(await scan());
    return count;
  })();
  return { stop: () => { over = true; return run; } };
}

class StoppedClient {
  constructor() {
    const script = path.join(top, 'tests/lib/stopped_client.js');
    this.process = spawn(process.execPath, [script, `${daemon.url.replace('http', 'ws')}/ws`], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.said = [];
    readline.createInterface({ input: this.process.stdout }).on('line', (line) => this.said.push(JSON.parse(line)));
  }

  find(match, what) {
    return eventually(() => this.said.find(match), what);
  }

  async end() {
    this.process.kill('SIGKILL');
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
  }
}

test('a client that is stopped for a while and goes on has missed nothing', async (t) => {
  const files = await settled();
  const client = new StoppedClient();
  t.after(() => client.end());
  await client.find(({ hello }) => hello, 'HELLO');
  client.process.kill('SIGSTOP');
  const id = await scan();
  await daemon.wait(id);
  client.process.kill('SIGCONT');
  const end = await client.find(({ terminal }) => terminal === id, 'the end of the scan');
  assert.ok(end.ordered);
  assert.ok(end.frames > 3);
  await client.end();
  await nothingLeft(files);
});

test('a client that is stopped for too long is closed, and hears so when it goes on or comes back', async (t) => {
  const files = await settled();
  const slow = await metric('channel_slow_total');
  const client = new StoppedClient();
  t.after(() => client.end());
  await client.find(({ hello }) => hello, 'HELLO');
  client.process.kill('SIGSTOP');
  for (let scans = 0; await metric('channel_slow_total') === slow; scans++) {
    assert.ok(scans < 100, 'it is overtaken at last');
    await daemon.wait(await scan());
  }
  client.process.kill('SIGCONT');
  const { closed, ordered } = await client.find((said) => 'closed' in said, 'the close');
  assert.ok([1013, 1006].includes(closed), `${closed}`); // cut off where it took nothing until its time was over
  assert.ok(ordered);
  await client.end();
  await nothingLeft(files);
});

test('a byte at a time, both ways, while scans go on', async () => {
  const files = await settled();
  const other = await daemon.channel();
  await other.find('HELLO');
  const raw = await Raw.open(daemon.port);
  raw.send(upgrade());
  await raw.until((text) => text.includes('HELLO'), 'HELLO');
  raw.socket.pause();
  raw.socket.removeAllListeners('data');
  let read = 0;
  const scans = scanning();
  for (const byte of ping.repeat(5)) {
    raw.send(byte);
    const bytes = raw.socket.read(1);
    read += bytes?.length ?? 0;
    await new Promise((resolve) => { setTimeout(resolve, 50); }); // the dribbling itself
  }
  const count = await scans.stop();
  assert.ok(read > 10, `${read} bytes`);
  assert.ok(count > 0);
  await other.find(() => other.frames.filter(({ type }) => type === 'SCAN_COMPLETED').length >= count, 'the other one hears it all');
  assert.equal(other.code, undefined);
  raw.destroy();
  await other.close();
  await nothingLeft(files);
});

test('a message in single bytes is answered', async () => {
  const raw = await Raw.open(daemon.port);
  raw.socket.setNoDelay(true);
  raw.send(upgrade('?topics=library'));
  await raw.until((text) => text.includes('SUBSCRIBED'), 'SUBSCRIBED');
  for (const byte of ping) {
    raw.send(byte);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  await raw.until((text) => text.includes('"type":"HEARTBEAT"'), 'the answer');
  raw.destroy();
});

/** Ways to come and leave; each ends with the connection gone, whatever was half said. */
const ways = [
  { name: 'in the middle of its own frame', say: () => upgrade() + ping.slice(0, 9), until: '"type":"HELLO"' },
  { name: 'in the middle of ours', say: () => upgrade(), until: 'HTTP/1.1 101', reset: true, deaf: true },
  { name: 'in the middle of a long frame of ours, replayed', say: (id) => upgrade(`?since=${id}`), until: 'HTTP/1.1 101', reset: true },
  { name: 'with half an upgrade', say: () => upgrade().slice(0, 60) },
  { name: 'without a word', say: () => '' },
  { name: 'in the middle of an event stream', until: 'HTTP/1.1 200',
    say: (id) => `GET /api/v1/events?since=${id} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nAccept: text/event-stream\r\n\r\n` },
  { name: 'while it waits in a poll',
    say: () => `GET /api/v1/events?wait_s=30 HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n\r\n` },
  { name: 'with an upgrade and a close at once', say: () => `${upgrade()}\x88\x80\0\0\0\0` },
];

function comeAndLeave({ say, until, reset, deaf }, id) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(daemon.port, '127.0.0.1');
    let text = '';
    const leave = () => (reset ? socket.resetAndDestroy() : socket.destroy());
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      socket.write(say(id), 'latin1', () => { if (!until) leave(); });
    });
    socket.on('data', (chunk) => {
      text += chunk;
      if (!until || !text.includes(until)) return;
      if (deaf) socket.pause();
      leave();
    });
    socket.on('error', (error) => { if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error); });
    socket.on('close', resolve);
  });
}

async function storm(count) {
  const { body } = await daemon.get('/api/v1/videos?limit=1');
  const from = `${body.event_id.split(':')[0]}:0`;
  let left = count;
  const one = async () => {
    while (left-- > 0) await comeAndLeave(ways[left % ways.length], from);
  };
  const scans = scanning();
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  assert.ok(await scans.stop() > 0);
}

test(`${LEAVERS} clients that leave in the middle leave nothing behind`, async () => {
  await storm(LEAVERS / 10); // what is kept for the next ones is there now
  const files = await settled();
  const bytes = memory();
  await storm(LEAVERS);
  await nothingLeft(files);
  await eventually(async () => await metric('http_waiting') === 0, 'nobody waits');
  if (!sanitized) assert.ok(memory() < bytes + 8 * 1024 * 1024, `${bytes} bytes before, ${memory()} after`);
  const channel = await daemon.channel();
  const id = await scan();
  await channel.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === id);
  await channel.close();
});
