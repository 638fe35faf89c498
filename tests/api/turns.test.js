// Many jobs: pause and resume, small scans that go ahead of large ones, places in the queue; over REST and the channel.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { checkFrames, checkResult } from '../lib/checks.js';
import { Daemon, eventually, tempDir } from '../lib/daemon.js';
import { fill, hold, holding, masters } from '../lib/trees.js';

const FILES = 400;
let dir;

before(() => { dir = tempDir(); });
after(() => fs.rmSync(dir, { recursive: true }));

/** A daemon of its own, with workers that hang at files that say so. */
async function start(t, args = [], more = {}) {
  const daemon = await Daemon.start({ args: [...holding, '--workers', '3', '--job-timeout', '0', ...args], ...more });
  t.after(() => daemon.cleanup());
  return daemon;
}

let trees = 0;
function makeTree(count, hangs = false) {
  const tree = path.join(dir, `tree ${trees++}`);
  fs.mkdirSync(tree);
  fill(tree, count);
  if (hangs) {
    fs.writeFileSync(path.join(tree, 'zz.mkv'), 'ATTACK:hang\n');
    fs.utimesSync(path.join(tree, 'zz.mkv'), 1e9, 1e9);
  }
  return tree;
}

const job = async (daemon, id) => (await daemon.get(`/api/v1/jobs/${id}`)).body;
const tell = (daemon, id, word) => daemon.post(`/api/v1/jobs/${id}/${word}`);

test('a paused job rests while others run, says so, and ends as if it had not rested', async (t) => {
  const daemon = await start(t);
  const channel = await daemon.channel();
  const tree = makeTree(FILES - 1);
  const release = hold(path.join(tree, 'held.mp4')); // or it may be over before it rests
  const id = await daemon.scan(tree);
  await channel.find((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.processed > 5);
  for (let i = 0; i < 2; i++) {
    const answer = await tell(daemon, id, 'pause');
    assert.equal(answer.status, 200);
    assert.equal(answer.body.paused, true);
    assert.equal(answer.body.queue_position, null);
  }
  await channel.find((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.paused && frame.payload.outcome === null);
  const other = await daemon.wait(await daemon.scan(makeTree(20)));
  assert.equal(checkResult(other).new, 20);
  const resting = await job(daemon, id);
  assert.equal(`${resting.status} ${resting.paused}`, 'running true');
  assert.ok(resting.processed < FILES);
  const wait = await daemon.get(`/api/v1/jobs/${id}/wait?timeout_s=0`);
  assert.equal(wait.status, 408);
  const hello = await (await daemon.channel()).find('HELLO');
  assert.deepEqual(hello.payload.jobs.map(({ job_id: one, paused }) => [one, paused]), [[id, true]]);
  release();
  const answer = await tell(daemon, id, 'resume');
  assert.equal(answer.body.paused, false);
  const end = await daemon.wait(id);
  assert.equal(end.status, 'complete');
  assert.equal(end.paused, false);
  assert.equal(checkResult(end).new, FILES);
  await channel.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === id);
  const { progress } = checkFrames(channel.frames, end);
  assert.deepEqual(progress.map(({ paused }) => paused).filter((paused, i, all) => paused !== all[i - 1]), [false, true, false]);
  assert.equal(channel.frames.filter(({ type }) => type === 'SCAN_STARTED').length, 2);
  for (const word of ['pause', 'resume']) {
    const refused = await tell(daemon, id, word);
    assert.equal(`${refused.status} ${refused.body.code}`, '409 JOB_ENDED');
    assert.equal((await tell(daemon, '01890000-0000-7000-8000-000000000000', word)).status, 404);
    assert.equal((await tell(daemon, 'x', word)).status, 404);
  }
});

test('places in the queue, and jobs that are passed over', async (t) => {
  const daemon = await start(t);
  const channel = await daemon.channel();
  const stuck = await daemon.scan(makeTree(1, true));
  await channel.find('VIDEO_ADDED');
  const [first, second] = [await daemon.scan(makeTree(20)), await daemon.scan(makeTree(20))];
  const queued = await channel.find((frame) => frame.type === 'JOB_QUEUED' && frame.payload.job_id === second);
  assert.equal(queued.payload.queue_position, 1);
  await tell(daemon, first, 'pause'); // before its turn comes
  const list = (await daemon.get('/api/v1/jobs')).body.jobs;
  assert.deepEqual(list.map(({ job_id: id }) => id), [second, first, stuck]);
  assert.equal((await job(daemon, first)).queue_position, null);
  assert.equal((await daemon.wait(second)).queue_position, null);
  assert.equal((await job(daemon, first)).status, 'pending');
  const cancelled = tell(daemon, first, 'cancel');
  assert.equal((await cancelled).status, 202);
  const end = await daemon.wait(first);
  assert.equal(`${end.status} ${end.paused}`, 'cancelled false');
  const after_ = await eventually(async () => {
    const one = await job(daemon, stuck);
    return one.queue_position === null && one;
  }, 'the parked one goes on');
  assert.equal(after_.status, 'running');
});

test('a file that is asked for is done before a large scan is', async (t) => {
  const daemon = await start(t);
  const channel = await daemon.channel();
  const tree = makeTree(FILES - 1);
  const release = hold(path.join(tree, 'held.mp4')); // it would wait for this one if it waited for the large scan
  const large = await daemon.scan(tree);
  const folder = makeTree(20);
  await channel.find('VIDEO_ADDED');
  const small = await daemon.scan(path.join(folder, 'folder 0', fs.readdirSync(path.join(folder, 'folder 0'))[0]));
  await daemon.wait(small);
  assert.equal((await job(daemon, large)).status, 'running');
  release();
  const end = await daemon.wait(large);
  assert.equal(checkResult(end).new, FILES);
  await channel.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === large);
  checkFrames(channel.frames, end);
});

test('scans of one folder that overtake each other give no file to a worker twice', async (t) => {
  const daemon = await start(t, ['--workers', '4']);
  const probed = async () => Number(/^reeld_probed_total (\d+)$/m.exec((await daemon.get('/metrics')).body)[1]);
  for (let round = 1; round <= 4; round++) {
    const tree = makeTree(0);
    // Each of its own content, and all in one folder.
    for (let i = 0; i < FILES; i++) fs.writeFileSync(path.join(tree, `${i}.mp4`), Buffer.concat([fs.readFileSync(masters()[0]), Buffer.alloc(round * FILES + i)]));
    const ids = [await daemon.scan(tree)];
    // Another time limit each, so that none of them is the same job.
    for (let i = 0; i < 12; i++) ids.push(await daemon.scan(tree, { recursive: false, timeout_s: 600 + i }));
    for (const id of ids) checkResult(await daemon.wait(id));
    assert.equal(await probed(), round * FILES);
  }
});

test('paused, parked and running jobs come back after a kill', async (t) => {
  const data = tempDir();
  t.after(() => fs.rmSync(data, { recursive: true }));
  const daemon = await start(t, [], { dir: data });
  const channel = await daemon.channel();
  const [rests, parked, runs] = [makeTree(FILES), makeTree(1), makeTree(FILES)];
  const releases = [rests, parked].map((tree) => hold(path.join(tree, 'held.mp4')));
  const ids = [await daemon.scan(rests)];
  await channel.find('VIDEO_ADDED');
  await tell(daemon, ids[0], 'pause');
  ids.push(await daemon.scan(parked));
  await channel.find((frame) => frame.type === 'VIDEO_ADDED' && frame.payload.path.startsWith(parked));
  ids.push(await daemon.scan(fs.readdirSync(runs).map((name) => path.join(runs, name))[0], { recursive: false }));
  ids.push(await daemon.scan(runs));
  const told = (await job(daemon, ids[0])).processed;
  await daemon.stop('SIGKILL');
  for (const release of releases) release();
  assert.equal(execFileSync('sqlite3', [path.join(data, 'catalog.db'), 'PRAGMA integrity_check'], { encoding: 'utf8' }).trim(), 'ok');
  await daemon.launch();
  for (const id of ids.slice(1)) assert.equal((await daemon.wait(id)).status, 'complete');
  const resting = await job(daemon, ids[0]);
  assert.equal(resting.paused, true);
  await tell(daemon, ids[0], 'resume');
  const end = await daemon.wait(ids[0]);
  assert.equal(checkResult(end).new, FILES + 1, `${told} of them before the kill`);
  assert.equal((await daemon.videos()).length, 2 * FILES + 3);
});
