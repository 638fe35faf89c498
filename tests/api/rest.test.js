// Every route as the contract says, and every wrong shape of a request.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, makeVideo, tempDir } from '../lib/daemon.js';

let daemon;
let library;
let job;
const noId = '01890000-0000-7000-8000-000000000000';

before(async () => {
  library = tempDir();
  for (const name of ['alpha', 'beta', 'gamma'])
    makeVideo(path.join(library, 'films', `${name}.mp4`));
  fs.writeFileSync(path.join(library, 'films', 'broken.mp4'), 'nothing of a film');
  for (const name of ['Season 10', 'Season 2', 'season 1', '.hidden']) fs.mkdirSync(path.join(library, name));
  daemon = await Daemon.start();
  const id = await daemon.scan(library);
  job = await daemon.wait(id);
  assert.equal(job.status, 'complete');
});
after(async () => {
  await daemon.cleanup();
  fs.rmSync(library, { recursive: true });
});

function problem(answer, status, code, field) {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(answer.body.code, code);
  assert.equal(answer.body.status, status);
  assert.equal(answer.body.field, field);
  for (const member of ['type', 'title', 'detail']) assert.equal(typeof answer.body[member], 'string');
  assert.equal(answer.body.message, answer.body.detail);
}

test('a scan is accepted with its job', async () => {
  const answer = await daemon.post('/api/v1/videos/scan', { path: path.join(library, 'films', 'alpha.mp4'), timeout_s: 12.5 });
  assert.equal(answer.status, 202);
  assert.equal(answer.headers.get('location'), `/api/v1/jobs/${answer.body.job_id}`);
  assert.ok(['pending', 'running'].includes(answer.body.status));
  assert.equal((await daemon.wait(answer.body.job_id)).status, 'complete');
});

test('a path may be given percent-encoded', async () => {
  const odd = path.join(library, 'odd name');
  fs.mkdirSync(odd, { recursive: true });
  const answer = await daemon.post('/api/v1/videos/scan', { path_uri: encodeURI(odd) });
  assert.equal(answer.status, 202);
  assert.equal((await daemon.wait(answer.body.job_id)).path, odd);
});

test('a path that is not UTF-8 comes back losslessly', async () => {
  const raw = Buffer.concat([Buffer.from(`${library}/caf`), Buffer.from([0xe9])]);
  fs.mkdirSync(raw);
  const uri = `${library}/caf%E9`;
  const scan = await daemon.post('/api/v1/videos/scan', { path_uri: uri });
  assert.equal(scan.status, 202);
  assert.equal((await daemon.wait(scan.body.job_id)).path_uri, uri);
  const listed = await daemon.get(`/api/v1/filesystem/directories?path=${encodeURIComponent(library)}`);
  const entry = listed.body.directories.find((directory) => directory.path_uri);
  assert.equal(entry.path_uri, uri);
  assert.equal(entry.path, `${library}/caf\ufffd`);
  for (const query of [`path=${uri}`, `path_uri=${encodeURIComponent(uri)}`]) {
    const inside = await daemon.get(`/api/v1/filesystem/directories?${query}`);
    assert.equal(inside.status, 200, query);
    assert.equal(inside.body.path_uri, uri);
  }
});

test('a folder whose name has a line break is reached by path_uri', async () => {
  const folder = path.join(library, 'new\nline');
  fs.mkdirSync(path.join(folder, 'in\r\nside'), { recursive: true });
  const uri = encodeURIComponent(folder);
  assert.match(uri, /%0A/);
  const listed = await daemon.get(`/api/v1/filesystem/directories?path_uri=${encodeURIComponent(uri)}`);
  assert.equal(listed.status, 200);
  assert.equal(listed.body.path, folder);
  assert.deepEqual(listed.body.directories.map((directory) => directory.path), [path.join(folder, 'in\r\nside')]);
  problem(await daemon.get(`/api/v1/filesystem/directories?path=${uri}`), 400, 'MALFORMED_TARGET');
  for (const body of [{ path: folder }, { path_uri: uri }])
    assert.equal((await daemon.wait((await daemon.post('/api/v1/videos/scan', body)).body.job_id)).path, folder);
});

test('a scan request of every wrong shape', async () => {
  const post = (text, type = 'application/json') => fetch(`${daemon.url}/api/v1/videos/scan`, {
    method: 'POST', body: text, headers: { 'content-type': type },
  }).then(async (answer) => ({ status: answer.status, headers: answer.headers, body: await answer.json() }));
  for (const [text, status, code, field] of [
    ['', 400, 'MALFORMED_JSON'], ['{', 400, 'MALFORMED_JSON'], ['nonsense', 400, 'MALFORMED_JSON'],
    ['{"path":"/tmp"} trailing', 400, 'MALFORMED_JSON'], ['[]', 400, 'NOT_AN_OBJECT'], ['null ', 400, 'NOT_AN_OBJECT'],
    ['"/tmp"', 400, 'NOT_AN_OBJECT'], ['{}', 422, 'MISSING_FIELD', 'path'], ['{"path":null}', 422, 'WRONG_TYPE', 'path'],
    ['{"path":7}', 422, 'WRONG_TYPE', 'path'], ['{"path":"/tmp","recursive":"yes"}', 422, 'WRONG_TYPE', 'recursive'],
    ['{"path":"/tmp","retry_failed":0}', 422, 'WRONG_TYPE', 'retry_failed'],
    ['{"path":"/tmp","timeout_s":"1"}', 422, 'WRONG_TYPE', 'timeout_s'],
    ['{"path":"/tmp","timeout_s":-1}', 422, 'OUT_OF_RANGE', 'timeout_s'],
    ['{"path":"/tmp","timeout_s":1e300}', 422, 'OUT_OF_RANGE', 'timeout_s'],
    ['{"path":"/tmp","dry_run":"yes"}', 422, 'WRONG_TYPE', 'dry_run'], ['{"path":"/tmp","dry":true}', 422, 'UNKNOWN_FIELD', 'dry'],
    ['{"path":"/tmp","path":"/"}', 400, 'DUPLICATE_FIELD'],
    ['{"path":"/tmp","path_uri":"/tmp"}', 422, 'CONFLICTING_FIELDS', 'path'],
    ['{"path":"/tmp\\u0000/x"}', 422, 'BAD_VALUE', 'path'], ['{"path_uri":"/%zz"}', 422, 'BAD_VALUE', 'path_uri'],
    ['{"path_uri":"/%00"}', 422, 'BAD_VALUE', 'path_uri'], ['{"path":"relative"}', 400, 'BAD_PATH', 'path'],
    ['{"path":""}', 400, 'BAD_PATH', 'path'], ['{"path":"/nowhere/at/all"}', 400, 'PATH_NOT_FOUND', 'path'],
    ['{"path":"/dev/null"}', 400, 'BAD_PATH', 'path'], [`{"path":"/${'a'.repeat(60000)}"}`, 400, 'PATH_NOT_FOUND', 'path'],
    ['['.repeat(50000), 400, 'MALFORMED_JSON'],
  ]) problem(await post(text), status, code, field);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'multipart/form-data'])
    problem(await post(`{"path":"${library}"}`, type), 415, 'JSON_REQUIRED', 'content-type');
  const accepted = await post(`{"path":"${library}"}`, 'Application/JSON; charset=utf-8');
  assert.equal(accepted.status, 202);
  await daemon.wait(accepted.body.job_id);
  problem(await daemon.post('/api/v1/videos/scan?path=/tmp', { path: '/tmp' }), 400, 'UNKNOWN_PARAMETER', 'path');
});

test('jobs are listed newest first, each once, and filtered', async () => {
  const ids = [];
  for (let i = 0; i < 5; i++) {
    const id = await daemon.scan(path.join(library, 'films'), { retry_failed: true });
    if (!ids.includes(id)) ids.push(id);
    const { body } = await daemon.get('/api/v1/jobs?limit=1000');
    const listed = body.jobs.map((each) => each.job_id);
    assert.equal(new Set(listed).size, listed.length, 'a job is there twice');
    for (const known of ids) assert.ok(listed.includes(known), 'a job is missing');
    const times = body.jobs.map((each) => each.submitted_at);
    assert.deepEqual(times, [...times].sort().reverse());
  }
  for (const id of ids) await daemon.wait(id);
  const { body: whole } = await daemon.get('/api/v1/jobs?limit=1000');
  assert.equal(whole.next_cursor, null);
  for (const [filter, limit] of [['', 2], ['status=complete&', 3], ['', whole.jobs.length]]) {
    const wanted = whole.jobs.filter(({ status }) => !filter || status === 'complete').map((each) => each.job_id);
    const paged = [];
    for (let cursor = ''; cursor !== null;) {
      const { body: page } = await daemon.get(`/api/v1/jobs?${filter}limit=${limit}${cursor && `&cursor=${cursor}`}`);
      assert.ok(page.jobs.length > 0 && page.jobs.length <= limit, 'no page is empty');
      paged.push(...page.jobs.map((each) => each.job_id));
      cursor = page.next_cursor;
    }
    assert.deepEqual(paged, wanted);
  }
  // What comes while one reads is before the first page: the second is as it was.
  const first = await daemon.get('/api/v1/jobs?limit=2');
  const second = await daemon.get(`/api/v1/jobs?limit=2&cursor=${first.body.next_cursor}`);
  await daemon.wait(await daemon.scan(path.join(library, 'films'), { retry_failed: true }));
  const again = await daemon.get(`/api/v1/jobs?limit=2&cursor=${first.body.next_cursor}`);
  assert.deepEqual(again.body.jobs, second.body.jobs);
  const complete = await daemon.get('/api/v1/jobs?status=complete&type=scan&limit=2');
  assert.equal(complete.body.jobs.length, 2);
  assert.ok(complete.body.jobs.every((each) => each.status === 'complete'));
  assert.deepEqual((await daemon.get('/api/v1/jobs?type=thumbnails')).body.jobs, []);
  assert.deepEqual((await daemon.get('/api/v1/jobs?status=running')).body.jobs, []);
  for (const [query, code, field] of [['status=completed', 'BAD_PARAMETER', 'status'], ['type=x', 'BAD_PARAMETER', 'type'],
    ['limit=0', 'BAD_PARAMETER', 'limit'], ['cursor=0', 'BAD_PARAMETER', 'cursor'], ['cursor=x', 'BAD_PARAMETER', 'cursor'], ['cursor=', 'BAD_PARAMETER', 'cursor'], ['limit=1&limit=1', 'REPEATED_PARAMETER', 'limit'], ['x', 'UNKNOWN_PARAMETER', 'x']])
    problem(await daemon.get(`/api/v1/jobs?${query}`), 400, code, field);
});

test('one job, and none', async () => {
  const answer = await daemon.get(`/api/v1/jobs/${job.job_id}`);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, job);
  for (const id of [noId, 'x', noId.toUpperCase(), `${noId}0`, '%2e%2e']) {
    problem(await daemon.get(`/api/v1/jobs/${id}`), 404, 'NOT_FOUND');
    problem(await daemon.get(`/api/v1/jobs/${id}/wait`), 404, 'NOT_FOUND');
    problem(await daemon.get(`/api/v1/jobs/${id}/failures`), 404, 'NOT_FOUND');
    problem(await daemon.post(`/api/v1/jobs/${id}/cancel`), 404, 'NOT_FOUND');
  }
  problem(await daemon.get(`/api/v1/jobs/${job.job_id}?x=1`), 400, 'UNKNOWN_PARAMETER', 'x');
});

test('a terminal job cannot be cancelled, and needs no waiting', async () => {
  problem(await daemon.post(`/api/v1/jobs/${job.job_id}/cancel`), 409, 'JOB_ENDED');
  const answer = await daemon.get(`/api/v1/jobs/${job.job_id}/wait?timeout_s=300`);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, job);
  for (const timeout of ['301', '-1', '1.5', 'x', ''])
    problem(await daemon.get(`/api/v1/jobs/${job.job_id}/wait?timeout_s=${timeout}`), 400, 'BAD_PARAMETER', 'timeout_s');
});

test('the failures of a job', async () => {
  const answer = await daemon.get(`/api/v1/jobs/${job.job_id}/failures`);
  assert.equal(answer.status, 200);
  assert.equal(answer.body.total, 1);
  assert.equal(answer.body.next_cursor, null);
  assert.equal(answer.body.failures[0].path, path.join(library, 'films', 'broken.mp4'));
  assert.equal(answer.body.failures[0].code, job.result.errors[0].code);
  problem(await daemon.get(`/api/v1/jobs/${job.job_id}/failures?cursor=x`), 400, 'BAD_PARAMETER', 'cursor');
});

test('a page of the catalogue', async () => {
  const first = await daemon.get('/api/v1/videos?limit=2&sort=name&order=asc');
  assert.equal(first.status, 200);
  assert.deepEqual(first.body.videos.map((video) => video.filename), ['alpha.mp4', 'beta.mp4']);
  assert.equal(first.body.total, 3);
  assert.match(first.body.event_id, /^[^:]+:\d+$/);
  // Empty parameters are none, also where libwebsockets makes them a '/'.
  for (const query of ['?', '?&', '?limit=50&', '?&limit=50&&sort=name'])
    assert.equal((await daemon.get(`/api/v1/videos${query}`)).body.total, 3, query);
  const next = await daemon.get(`/api/v1/videos?limit=2&sort=name&order=asc&cursor=${encodeURIComponent(first.body.next_cursor)}`);
  assert.deepEqual(next.body.videos.map((video) => video.filename), ['gamma.mp4']);
  assert.equal(next.body.next_cursor, null);
  assert.deepEqual((await daemon.get('/api/v1/videos?limit=2&offset=2&sort=name')).body.videos.map((video) => video.filename), ['gamma.mp4']);
  for (const [query, code, field] of [['sort=x', 'BAD_PARAMETER', 'sort'], ['order=up', 'BAD_PARAMETER', 'order'],
    ['cursor=nonsense', 'BAD_CURSOR', 'cursor'], ['limit=1001', 'BAD_PARAMETER', 'limit'], ['offset=-1', 'BAD_PARAMETER', 'offset'],
    ['colour=x', 'UNKNOWN_PARAMETER', 'colour'], [`offset=1&cursor=${encodeURIComponent(first.body.next_cursor)}`, 'CONFLICTING_PARAMETERS', 'offset']])
    problem(await daemon.get(`/api/v1/videos?${query}`), 400, code, field);
});

test('search', async () => {
  const answer = await daemon.get('/api/v1/videos/search?q=LPH&limit=1');
  assert.equal(answer.body.total, 1);
  assert.equal(answer.body.query, 'LPH');
  assert.equal(answer.body.videos[0].filename, 'alpha.mp4');
  assert.equal((await daemon.get('/api/v1/videos/search?q=%22%27)%20OR%201*')).body.total, 0);
  problem(await daemon.get('/api/v1/videos/search'), 400, 'MISSING_PARAMETER', 'q');
  problem(await daemon.get('/api/v1/videos/search?q=%ff'), 400, 'BAD_PARAMETER', 'q');
});

test('one video, and its removal', async () => {
  const { body: { videos: [video] } } = await daemon.get('/api/v1/videos?limit=1&sort=name');
  const full = await daemon.get(`/api/v1/videos/${video.id}`);
  assert.equal(full.status, 200);
  assert.equal(full.body.path, video.path);
  assert.ok(full.body.streams.length >= 2);
  const gone = await daemon.request('DELETE', `/api/v1/videos/${video.id}`);
  assert.equal(gone.status, 204);
  assert.equal(gone.body, '');
  assert.ok(fs.existsSync(video.path));
  problem(await daemon.get(`/api/v1/videos/${video.id}`), 404, 'NOT_FOUND');
  problem(await daemon.request('DELETE', `/api/v1/videos/${video.id}`), 404, 'NOT_FOUND');
  problem(await daemon.request('DELETE', '/api/v1/videos/x'), 404, 'NOT_FOUND');
});

test('directories in the order that people expect', async () => {
  const list = (query) => daemon.get(`/api/v1/filesystem/directories?${query}`);
  const answer = await list(`path=${encodeURIComponent(library)}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.body.path, library);
  assert.equal(answer.body.parent, path.dirname(library));
  const names = answer.body.directories.map((directory) => directory.name).filter((name) => /eason|films/.test(name));
  assert.deepEqual(names, ['films', 'season 1', 'Season 2', 'Season 10']);
  assert.ok(answer.body.directories.every((directory) => directory.readable));
  const page = await list(`path=${encodeURIComponent(library)}&limit=1&offset=1`);
  assert.equal(page.body.directories.length, 1);
  assert.equal(page.body.total, answer.body.total);
  assert.equal((await list('')).body.parent, null);
  problem(await list('path=/nowhere/at/all'), 404, 'PATH_NOT_FOUND', 'path');
  problem(await list(`path=${library}/films/beta.mp4`), 400, 'NOT_A_FOLDER', 'path');
  problem(await list('path=relative'), 400, 'BAD_PATH', 'path');
  problem(await list('path='), 400, 'BAD_PATH', 'path');
});

test('health and metrics', async () => {
  assert.deepEqual((await daemon.get('/health/live')).body, { status: 'ok' });
  const ready = await daemon.get('/health/ready');
  assert.equal(ready.status, 200);
  assert.equal(ready.body.status, 'ok');
  assert.ok(['libuv', 'poll'].includes(ready.body.checks.loop.backend));
  const { body: text, headers } = await daemon.get('/metrics');
  assert.match(headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^reeld_http_requests_total\{route="\/api\/v1\/jobs\/\{id\}",status="200"\} \d+$/m);
  assert.match(text, /^reeld_files_total\{outcome="new"\} 3$/m);
  for (const line of text.trim().split('\n')) assert.match(line, /^(# (HELP|TYPE) reeld_\w+ .+|reeld_\w+(\{[^}]*(\{id\})?[^}]*\})? [\d.e+-]+)$/);
});

test('unknown routes', async () => {
  for (const route of ['/api', '/api/', '/api/v1', '/api/v2/jobs', '/api/v1/jobs/', '/health', '/metrics/x', '/api/openapi.json'])
    problem(await daemon.get(route), 404, 'NOT_FOUND');
  problem(await daemon.get('/ws'), 426, 'UPGRADE_REQUIRED');
});

test('the request id is taken over when sane, and made when not', async () => {
  assert.equal((await daemon.get('/health/live', { 'x-request-id': 'a.B_9-z' })).headers.get('x-request-id'), 'a.B_9-z');
  for (const id of ['a b', 'x'.repeat(65), '<script>', 'é'])
    assert.match((await daemon.get('/health/live', { 'x-request-id': id })).headers.get('x-request-id'), /^[0-9a-f-]{36}$/);
});

test('the documents', async () => {
  const openapi = await daemon.get('/api/v1/openapi.json');
  assert.equal(openapi.status, 200);
  assert.ok(openapi.body.openapi.startsWith('3.1'));
  assert.equal((await daemon.get('/api/v1/asyncapi.json')).status, 200);
});
