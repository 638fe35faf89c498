// How it stops: everybody is told, nobody is waited for.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Daemon, build, eventually, tempDir } from '../lib/daemon.js';
import { answers, Raw } from './raw.js';

/** A daemon with a scan that lasts: its worker hangs. */
async function busy() {
  const library = tempDir();
  fs.writeFileSync(path.join(library, 'hang.mp4'), 'ATTACK:hang\n');
  fs.utimesSync(path.join(library, 'hang.mp4'), 1e9, 1e9);
  const daemon = await Daemon.start({ args: ['--worker-program', path.join(build, 'reeld-worker-attack'), '--workers', '1'] });
  const id = await daemon.scan(library);
  await eventually(async () => (await daemon.get(`/api/v1/jobs/${id}`)).body.phase === 'probing', 'it runs');
  return { daemon, library, id };
}

test('clients get 1001, waits are answered, and it ends cleanly', async () => {
  const { daemon, library } = await busy();
  const channels = await Promise.all(Array.from({ length: 50 }, () => daemon.channel()));
  for (const channel of channels) await channel.find('HELLO');
  const idle = await Raw.open(daemon.port);
  const half = await Raw.open(daemon.port);
  half.send(`POST /api/v1/videos/scan HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
  const { code, signal, stderr } = await daemon.stop();
  assert.equal(code, 0, `${signal}\n${stderr}`);
  for (const channel of channels) assert.equal((await channel.closed).code, 1001);
  await idle.end();
  await half.end();
  fs.rmSync(library, { recursive: true });
  fs.rmSync(daemon.dir, { recursive: true });
});

test('clients that do not listen do not hold it up', async () => {
  const { daemon, library } = await busy();
  const stuck = await Promise.all(Array.from({ length: 20 }, () => Raw.open(daemon.port)));
  for (const raw of stuck) {
    raw.send(`GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    await raw.until((text) => text.includes('HELLO'), 'HELLO');
    raw.socket.pause();
  }
  const { code, signal, stderr } = await daemon.stop('SIGINT');
  assert.equal(code, 0, `${signal}\n${stderr}`);
  stuck.forEach((raw) => raw.destroy());
  fs.rmSync(library, { recursive: true });
  fs.rmSync(daemon.dir, { recursive: true });
});

test('a wait is answered at the stop', async () => {
  const { daemon, library, id } = await busy();
  const wait = await Raw.open(daemon.port);
  wait.send(`GET /api/v1/jobs/${id}/wait?timeout_s=300 HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n\r\n`);
  await eventually(async () => /^reeld_http_waiting 1$/m.test((await daemon.get('/metrics')).body), 'it waits');
  const { code, stderr } = await daemon.stop();
  assert.equal(code, 0, stderr);
  const [{ status, headers, body }] = answers(await wait.end());
  assert.equal(status, 503);
  assert.match(headers['retry-after'], /^\d+$/);
  assert.equal(JSON.parse(body).code, 'STOPPING');
  fs.rmSync(library, { recursive: true });
  fs.rmSync(daemon.dir, { recursive: true });
});

test('a port in use and a bad address are said clearly', async () => {
  const { daemon, library } = await busy();
  await assert.rejects(Daemon.start({ args: ['--port', String(daemon.port)] }), /cannot listen on 127\.0\.0\.1 port \d+: Address already in use/);
  await daemon.cleanup();
  fs.rmSync(library, { recursive: true });
});
