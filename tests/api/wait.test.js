// GET /jobs/{id}/wait while the job goes on: its worker hangs, so it ends when it is cancelled and not before.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, build, eventually, tempDir } from '../lib/daemon.js';
import { checkAnswer } from '../lib/documents.js';
import { answers, Raw } from './raw.js';

let daemon;
let dir;
let empty;
let hung;

before(async () => {
  dir = tempDir();
  empty = path.join(dir, 'empty');
  hung = path.join(dir, 'hung');
  fs.mkdirSync(empty);
  fs.mkdirSync(hung);
  fs.writeFileSync(path.join(hung, 'hang.mp4'), 'ATTACK:hang\n');
  fs.utimesSync(path.join(hung, 'hang.mp4'), 1e9, 1e9);
  daemon = await Daemon.start({
    args: ['--worker-program', path.join(build, 'reeld-worker-attack'), '--workers', '1', '--file-timeout', '600', '--job-timeout', '0'],
  });
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

const wait = (id, seconds) => daemon.get(`/api/v1/jobs/${id}/wait?timeout_s=${seconds}`);
const cancel = (id) => daemon.post(`/api/v1/jobs/${id}/cancel`);
const waiting = async () => Number(/^reeld_http_waiting (\d+)$/m.exec((await daemon.get('/metrics')).body)[1]);

/** A scan that is running, and stays so. */
async function hang() {
  const id = await daemon.scan(hung, { retry_failed: true });
  await eventually(async () => (await daemon.get(`/api/v1/jobs/${id}`)).body.phase === 'probing', 'it runs');
  return id;
}

test('408 with the job when the time is over and the job is not', async () => {
  const id = await hang();
  for (const seconds of [0, 1]) {
    const answer = await wait(id, seconds);
    assert.equal(answer.status, 408);
    assert.equal(answer.body.job_id, id);
    assert.equal(answer.body.status, 'running');
    assert.equal(answer.body.result, null);
  }
  const patient = wait(id, 300);
  await cancel(id);
  const answer = await patient;
  assert.equal(answer.status, 200);
  assert.equal(answer.body.status, 'cancelled');
  for (const seconds of [0, 300]) assert.deepEqual((await wait(id, seconds)).body, answer.body);
});

test('clients that wait and go away leave nothing behind', async () => {
  const id = await hang();
  const raws = await Promise.all(Array.from({ length: 200 }, () => Raw.open(daemon.port)));
  for (const raw of raws) raw.send(`GET /api/v1/jobs/${id}/wait?timeout_s=300 HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n\r\n`);
  await eventually(async () => await waiting() === raws.length, 'all wait');
  raws.forEach((raw, i) => (i % 2 ? raw.destroy() : raw.socket.resetAndDestroy()));
  await eventually(async () => await waiting() === 0, 'none waits');
  const stays = wait(id, 300);
  await eventually(async () => await waiting() === 1, 'one waits');
  await cancel(id);
  assert.equal((await stays).body.status, 'cancelled');
});

test('clients that talk or hang up while they wait do not keep the daemon busy', async () => {
  const id = await hang();
  const ask = `GET /api/v1/jobs/${id}/wait?timeout_s=300 HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n\r\n`;
  const [talks, ends] = await Promise.all([Raw.open(daemon.port), Raw.open(daemon.port)]);
  for (const raw of [talks, ends]) raw.send(ask);
  await eventually(async () => await waiting() === 2, 'both wait');
  const before = daemon.processorTime();
  talks.send(ask + ask);
  ends.socket.end();
  assert.equal((await wait(id, 2)).status, 408);
  const used = daemon.processorTime() - before;
  assert.ok(used < 100, `${used} hundredths of a second in two`);
  await cancel(id);
  const text = await talks.until((all) => answers(all).length === 3, 'the answers to what it said');
  for (const { status, body } of answers(text)) assert.equal(`${status} ${JSON.parse(body).status}`, '200 cancelled');
  talks.destroy();
});

/** As daemon.get, but that a connection may take its time to come: fetch gives it ten seconds, also where two thousand come at once. */
function patient(agent, url) {
  return new Promise((resolve, reject) => {
    http.get(daemon.url + url, { agent }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => { text += chunk; }).on('error', reject).on('end', () => {
        const said = { status: answer.statusCode, body: JSON.parse(text) };
        checkAnswer({ method: 'GET', url, type: answer.headers['content-type'], ...said });
        resolve(said);
      });
    }).on('error', reject);
  });
}

test('two thousand who wait for one job are all answered, with what is readable', async (t) => {
  const id = await hang();
  const WAITERS = 2000;
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const answered = Promise.all(Array.from({ length: WAITERS }, async () => {
    const answer = await patient(agent, `/api/v1/jobs/${id}/wait?timeout_s=300`);
    return { answer, after: await patient(agent, `/api/v1/jobs/${id}`) };
  }));
  await eventually(async () => await waiting() === WAITERS, 'all wait');
  assert.equal((await daemon.get('/health/live')).status, 200);
  await cancel(id);
  const all = await answered;
  assert.equal(all.length, WAITERS);
  for (const { answer, after: read } of all) {
    assert.equal(answer.status, 200);
    assert.equal(answer.body.status, 'cancelled');
    assert.deepEqual(read.body, answer.body);
  }
  assert.equal(await waiting(), 0);
});

test('an answer never comes before the end can be read, in every way there is', async () => {
  for (let i = 0; i < 100; i++) {
    const id = await daemon.scan(empty);
    const { status, body } = await wait(id, 60);
    assert.equal(status, 200);
    const [one, list] = await Promise.all([daemon.get(`/api/v1/jobs/${id}`), daemon.get('/api/v1/jobs?status=complete&limit=1')]);
    assert.equal(body.status, 'complete');
    assert.deepEqual(one.body, body);
    assert.equal(list.body.jobs[0].job_id, id);
  }
});
