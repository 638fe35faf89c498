// The lines of the README that listen with wscat, run as they stand there, by wscat itself.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { checkFrame } from '../lib/documents.js';
import { Daemon, eventually, tempDir, top } from '../lib/daemon.js';
import { fill } from '../lib/trees.js';

const lines = fs.readFileSync(path.join(top, 'README.md'), 'utf8').split('\n')
  .map((line) => /^(?:\$ )?npx (wscat .*\/\/127\.0\.0\.1:8080\/ws.*)$/.exec(line)?.[1]).filter(Boolean);

let daemon;
let library;

before(async () => {
  library = tempDir();
  fill(library, 12);
  fs.writeFileSync(path.join(library, 'empty.mp4'), '');
  daemon = await Daemon.start();
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(library, { recursive: true });
});

class Wscat {
  constructor(line) {
    const command = line.replace('127.0.0.1:8080', `127.0.0.1:${daemon.port}`);
    const bin = path.join(top, 'tests/node_modules/.bin');
    this.text = '';
    // Without a terminal wscat leaves out what the README shows before each frame.
    this.process = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } });
    this.process.stdout.setEncoding('utf8').on('data', (chunk) => { this.text += chunk; });
    this.process.stderr.setEncoding('utf8').on('data', (chunk) => { this.text += chunk; });
  }

  /** What it shows of the frames; how it colours and draws its prompt is its own. */
  frames() {
    return [...this.text.matchAll(/< (\{.*\})/g)].map(([, json]) => JSON.parse(json));
  }

  find(match, what) {
    return eventually(() => this.frames().find(match), `${what}, in ${JSON.stringify(this.text.slice(-300))}`);
  }

  async end() {
    this.process.kill();
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
  }
}

test('the README shows how to listen, to all of it and to a part', () => {
  assert.ok(lines.length >= 2);
  assert.ok(lines.some((line) => line.includes('?')), 'with a query string');
});

for (const line of lines) {
  test(line, async (t) => {
    const wscat = new Wscat(line);
    t.after(() => wscat.end());
    assert.equal((await wscat.find(({ type }) => type === 'HELLO', 'HELLO')).payload.server.name, 'reeld');
    const topics = /[?&]topics=([a-z,]+)/.exec(line)?.[1].split(',') ?? ['jobs', 'library'];
    if (line.includes('?')) assert.deepEqual((await wscat.find(({ type }) => type === 'SUBSCRIBED', 'SUBSCRIBED')).payload.topics, topics);
    const id = await daemon.scan(library, { retry_failed: true });
    const of = (type) => wscat.find((frame) => frame.type === type && frame.payload.job_id === id, type);
    await of('JOB_QUEUED');
    await of('SCAN_STARTED');
    await of('SCAN_PROGRESS');
    assert.equal((await of('SCAN_COMPLETED')).payload.result.scanned, 13);
    wscat.process.stdin.write('{"type":"PING"}\n');
    await wscat.find(({ type }) => type === 'HEARTBEAT', 'the answer to PING');
    const frames = wscat.frames();
    frames.forEach(checkFrame);
    const { body } = await daemon.get('/api/v1/videos');
    if (!topics.includes('library')) assert.ok(frames.every(({ type }) => !type.startsWith('VIDEO_')));
    else if (frames.some(({ type }) => type === 'VIDEO_ADDED')) assert.equal(frames.filter(({ type }) => type === 'VIDEO_ADDED').length, body.total);
    assert.equal(wscat.process.exitCode, null, 'it listens on');
  });
}
