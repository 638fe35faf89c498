// The change feed, and the point of the stream that lists name.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, tempDir } from '../lib/daemon.js';
import { fill } from '../lib/trees.js';

const FILES = 120;
let dir;
let tree;
let daemon;

before(async () => {
  dir = tempDir();
  tree = path.join(dir, 'tree');
  fill(tree, FILES);
  daemon = await Daemon.start();
  await daemon.wait(await daemon.scan(tree));
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

const api = '/api/v1';
const number = (eventId) => Number(eventId.split(':')[1]);

async function changes(args = '', status = 200) {
  const answer = await daemon.get(`${api}/changes${args && `?${args}`}`);
  assert.equal(answer.status, status, `${args}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** All that came after `since`, in pages of `limit`, and where it ends. */
async function follow(since, limit) {
  const all = [];
  for (;;) {
    const page = await changes([since && `since=${since}`, `limit=${limit}`].filter(Boolean).join('&'));
    assert.ok(page.changes.length <= limit);
    all.push(...page.changes);
    since = page.next;
    if (!page.more) return { all, next: since };
    assert.equal(page.changes.length, limit);
    assert.equal(since, page.changes.at(-1).event_id);
  }
}

function rising(list) {
  for (let i = 1; i < list.length; i++) assert.ok(number(list[i].event_id) > number(list[i - 1].event_id));
}

/** Moves the times of some files and scans them. */
async function touch(names) {
  for (const name of names) fs.utimesSync(name, new Date(), new Date(Date.now() - 1e7 - Math.random() * 1e8));
  await daemon.wait(await daemon.scan(tree));
}

test('from the beginning it is the catalogue, whatever the length of the pages', async () => {
  const videos = new Map((await daemon.videos()).map((video) => [video.id, video]));
  assert.equal(videos.size, FILES);
  for (const limit of [1, 7, 60, 119, 120, 1000]) {
    const { all, next } = await follow(null, limit);
    assert.equal(all.length, FILES);
    rising(all);
    for (const { id, removed, video } of all) {
      assert.equal(removed, false);
      assert.deepEqual(video, videos.get(id));
    }
    const { body: { event_id: here } } = await daemon.get(`${api}/jobs`);
    assert.equal(next, here, 'the end of the feed is a point of the stream');
    assert.deepEqual(await changes(`since=${next}`), { changes: [], next, more: false });
  }
  assert.equal((await changes()).changes.length, FILES, 'the default is a page of 500');
});

test('what changed is there once, at its last change; what is gone is told', async () => {
  const { next: start } = await follow(null, 1000);
  const [one, two, three] = await daemon.videos();
  await touch([one.path]);
  await touch([one.path, two.path]);
  assert.equal((await daemon.request('DELETE', `${api}/videos/${three.id}`)).status, 204);
  const { all } = await follow(start, 1000);
  rising(all);
  assert.deepEqual(all.map(({ id, removed }) => [id, removed]).slice(0, 2).sort(), [[one.id, false], [two.id, false]].sort());
  const { event_id: _, ...last } = all[2];
  assert.deepEqual(last, { id: three.id, removed: true, video: null });
  assert.equal(all.length, 3);
  assert.deepEqual((await follow(all[0].event_id, 1)).all, all.slice(1));
  await daemon.wait(await daemon.scan(tree)); // it comes back as another
  const { all: again } = await follow(all[2].event_id, 1000);
  assert.equal(again.length, 1);
  assert.equal(again[0].video.path, three.path);
  assert.notEqual(again[0].id, three.id);
});

test('which since and limit are taken', async () => {
  const { next } = await follow(null, 1000);
  const [catalogue, sequence] = next.split(':');
  for (const since of ['', 'x', ':1', '1', `${catalogue}:`, `${catalogue}:-1`, `${catalogue}:1x`, `${catalogue}:99999999999999999999`,
    `${catalogue}:1:2`, `${next}:0000abcd.`, 'x'.repeat(300), '%FF:1', `${next}%20`]) {
    const { code, field } = await changes(`since=${since}`, 400);
    assert.match(code, /^BAD_/, since);
    if (code === 'BAD_PARAMETER') assert.equal(field, 'since', since);
  }
  for (const [since, why] of [[`ffff0000ffff:${sequence}`, /another/], ['other:0', /another/], [`${catalogue}:${Number(sequence) + 1}`, /ahead/],
    [`${catalogue}:${2 ** 62}`, /ahead/]]) {
    const problem = await changes(`since=${since}`, 410);
    assert.equal(problem.code, 'RESYNC');
    assert.match(problem.detail, why, since);
  }
  assert.deepEqual((await changes(`since=${next}:0000abcd.77`)).changes, [], 'the next of a long poll is one too');
  assert.equal((await changes(`since=${catalogue}:0&limit=1000`)).changes.length, (await changes('limit=1000')).changes.length);
  for (const [args, code] of [['limit=0', 'BAD_PARAMETER'], ['limit=1001', 'BAD_PARAMETER'], ['limit=x', 'BAD_PARAMETER'], ['limit=', 'BAD_PARAMETER'],
    ['sinse=1', 'UNKNOWN_PARAMETER'], [`since=${next}&since=${next}`, 'REPEATED_PARAMETER']]) assert.equal((await changes(args, 400)).code, code, args);
  const head = await daemon.request('HEAD', `${api}/changes?limit=1`);
  assert.equal(head.status, 200);
  assert.equal(head.body, '');
  const post = await daemon.post(`${api}/changes`, {});
  assert.equal(post.status, 405);
  assert.equal(post.headers.get('allow'), 'GET, HEAD');
});

test('a list and the stream from its event_id on: together all of it, at any moment of a scan', async () => {
  const own = path.join(dir, 'joined');
  const files = fill(own, 300);
  const joined = [];
  const join = async () => {
    const videos = await daemon.get(`${api}/videos?limit=1000`);
    const jobs = await daemon.get(`${api}/jobs?limit=1`);
    const search = await daemon.get(`${api}/videos/search?q=joined&limit=1000`);
    const channel = await daemon.channel(`?since=${videos.body.event_id}`);
    joined.push({ videos: videos.body, jobs: jobs.body, search: search.body, channel });
    assert.ok(number(search.body.event_id) >= number(videos.body.event_id));
  };
  await join(); // before there is anything of it
  const job = await daemon.scan(own);
  for (let over = false; !over;) {
    over = (await daemon.get(`${api}/jobs/${job}`)).body.status === 'complete';
    await join();
  }
  const [{ id }] = await daemon.videos();
  assert.equal((await daemon.request('DELETE', `${api}/videos/${id}`)).status, 204);
  for (const { videos, jobs, search, channel } of joined) {
    await channel.find((frame) => frame.type === 'VIDEO_REMOVED' && frame.payload.id === id, 'all that came before');
    assert.equal(channel.frames.find((frame) => frame.type === 'SUBSCRIBED').payload.recovered, true);
    const behind = (list) => channel.frames.filter((frame) => frame.type !== 'HELLO' && frame.event_id && number(frame.event_id) > number(list.event_id));
    for (const list of [videos, search]) {
      const known = new Set(list.videos.map((video) => video.path));
      for (const frame of behind(list)) if (frame.type === 'VIDEO_ADDED') known.add(frame.payload.path);
      assert.deepEqual(files.filter((file) => !known.has(file)), [], `behind ${list.event_id}`);
    }
    const listed = jobs.jobs.find(({ job_id }) => job_id === job)?.status;
    const told = behind(jobs).find((frame) => frame.type === 'SCAN_COMPLETED')?.payload.job_id;
    assert.ok(listed === 'complete' || told === job, `listed as ${listed}, and its end is not in the stream`);
    await channel.close();
  }
});
