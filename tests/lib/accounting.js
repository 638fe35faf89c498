// Guarantee 3: every file of a tree ends in exactly one outcome, and /explain knows it. What the disk has is held against what
// the lists of the service say.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { checkResult } from './checks.js';
import { explain, percent } from './explain.js';

/** Extensions that are looked for without being told (conf/reeld.conf). */
const extensions = new Set(['mp4', 'mkv', 'webm', 'mov', 'avi', 'm4v', 'ts', 'mts', 'm2ts', 'mpg', 'mpeg', 'wmv', 'flv', 'ogv', '3gp', 'mxf', 'vob']);

function wanted(name) {
  const text = name.toString('latin1');
  const dot = text.lastIndexOf('.');
  return dot > 0 && extensions.has(text.slice(dot + 1).toLowerCase());
}

/** Everything below a folder, links as themselves, as bytes: {bytes, wanted, folder}. */
function entries(folder) {
  const found = [];
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })) {
    const bytes = Buffer.concat([folder, Buffer.from('/'), entry.name]);
    found.push({ bytes, wanted: wanted(entry.name), folder: entry.isDirectory() });
    if (entry.isDirectory()) found.push(...entries(bytes));
  }
  return found;
}

const key = (object) => object.path_uri ?? percent(object.path);

async function pages(daemon, route, member) {
  const all = [];
  for (let cursor = ''; cursor !== null;) {
    const { status, body } = await daemon.get(`${route}limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    assert.equal(status, 200, JSON.stringify(body));
    all.push(...body[member]);
    cursor = body.next_cursor;
  }
  return all;
}

function keys(list, what) {
  const set = new Map(list.map((one) => [key(one), one]));
  assert.equal(set.size, list.length, `${what}: a path is there twice`);
  return set;
}

/** Every job that there is, whatever became of it, adds up. */
async function checkJobs(daemon) {
  for (const { job_id: id } of (await daemon.get('/api/v1/jobs?limit=1000')).body.jobs) {
    const { body: job } = await daemon.get(`/api/v1/jobs/${id}`);
    const { counts } = job;
    assert.equal(counts.new + counts.updated + counts.moved + counts.skipped + counts.failed, job.processed, JSON.stringify(job));
    if (job.result) assert.equal(checkResult(job).scanned, job.processed);
    if (job.status === 'complete') assert.equal(job.total, job.processed);
  }
}

/**
 * Holds the tree against the lists after `job`, a whole scan of it that is complete.
 * Gives how often each status was met.
 */
export async function account(daemon, tree, job) {
  await checkJobs(daemon);
  const result = checkResult(job);
  const videos = keys(await pages(daemon, '/api/v1/videos?', 'videos'), 'videos');
  const hidden = keys(await pages(daemon, '/api/v1/videos?missing=true&', 'videos'), 'missing videos');
  const failures = keys(await pages(daemon, `/api/v1/jobs/${job.job_id}/failures?`, 'failures'), 'failures');
  assert.equal(failures.size, result.error_count);
  const met = {};
  const failed = new Set();
  const indexed = new Set();
  let well = 0;
  for (const { bytes, wanted: looked, folder } of entries(Buffer.from(tree))) {
    const name = percent(bytes);
    const said = await explain(daemon, bytes);
    const what = `${name}: ${JSON.stringify(said)}`;
    met[said.status] = (met[said.status] ?? 0) + 1;
    assert.equal(said.status === 'indexed', videos.has(name), what);
    assert.equal(said.video_id, (videos.get(name) ?? hidden.get(name))?.id ?? null, what);
    if (said.status !== 'indexed') assert.equal(said.status === 'missing', hidden.has(name), what);
    if (said.status === 'indexed') indexed.add(name);
    const listed = said.code !== null && said.at === null; // what lies below something that failed is not
    assert.equal(listed, failures.has(name), what);
    if (listed) {
      failed.add(name);
      assert.equal(failures.get(name).code, said.code, what);
      if (said.status === 'failed') assert.equal(failures.get(name).error, said.error, what);
    } else if (looked && said.status === 'indexed') {
      well++;
    }
    assert.ok(!said.changed || said.status === 'missing', what);
    if (folder) assert.ok(['folder', 'ignored', 'unreadable'].includes(said.status), what);
    else if (!looked) assert.ok(['not_a_video', 'ignored', 'link', 'unreadable', 'indexed'].includes(said.status), what);
    else assert.ok(['indexed', 'missing', 'failed', 'ignored', 'not_media', 'not_a_file', 'link', 'unreadable'].includes(said.status), what);
  }
  for (const [name, { id }] of hidden) {
    const said = await explain(daemon, Buffer.from(decodeBytes(name)));
    if (!videos.has(name)) assert.deepEqual([said.status, said.video_id], ['missing', id], JSON.stringify(said));
  }
  assert.deepEqual([...failed].sort(), [...failures.keys()].sort(), 'what failed is on the disk');
  assert.deepEqual([...indexed].sort(), [...videos.keys()].sort(), 'what is indexed is on the disk');
  assert.equal(result.scanned, well + failures.size, JSON.stringify({ ...result, errors: undefined, met }));
  return met;
}

function decodeBytes(uri) {
  const bytes = [];
  for (let i = 0; i < uri.length; i++) {
    if (uri[i] === '%') bytes.push(Number.parseInt(uri.slice(i + 1, i + 3), 16));
    else bytes.push(uri.charCodeAt(i));
    if (uri[i] === '%') i += 2;
  }
  return Buffer.from(bytes);
}
