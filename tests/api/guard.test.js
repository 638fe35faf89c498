// Who may ask: Host, Origin, the token, the roots.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { Channel, Daemon, tempDir } from '../lib/daemon.js';
import { checkAnswer } from '../lib/documents.js';

/** One request with the very headers given: fetch would not send Host or Origin. */
function ask(daemon, method, route, headers = {}, body = undefined) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: daemon.port, method, path: route, headers, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => { text += chunk; });
      answer.on('end', () => {
        const { statusCode: status, headers: { 'content-type': type } } = answer;
        const content = /json/.test(type) && text ? JSON.parse(text) : text;
        checkAnswer({ method, url: route, status, type, body: content });
        resolve({ status, headers: answer.headers, body: content });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** The status that an upgrade was answered with: 101 when it was let in. */
async function upgrade(daemon, headers, route = '/ws', protocols = []) {
  try {
    const channel = await Channel.open(`ws://127.0.0.1:${daemon.port}${route}`, { headers, protocols });
    await channel.find('HELLO');
    const protocol = channel.socket.protocol;
    await channel.close();
    return protocol ? `101 ${protocol}` : 101;
  } catch (error) {
    return Number(/Unexpected server response: (\d+)/.exec(error.message)?.[1] ?? error.message);
  }
}

test('Host and Origin', async () => {
  const daemon = await Daemon.start();
  const own = `127.0.0.1:${daemon.port}`;
  const scan = JSON.stringify({ path: '/nowhere/at/all' });
  const json = { 'content-type': 'application/json' };
  try {
    for (const [host, allowed] of [[own, true], [`localhost:${daemon.port}`, true], [`[::1]:${daemon.port}`, true], ['127.0.0.1', false],
      ['evil.example', false], [`evil.example:${daemon.port}`, false], [`localhost.evil.example:${daemon.port}`, false]]) {
      for (const route of ['/', '/api/v1/jobs', '/health/live', '/metrics']) {
        const answer = await ask(daemon, 'GET', route, { host });
        assert.equal(answer.status, allowed ? 200 : 421, `${host} ${route}`);
        if (!allowed) assert.equal(answer.body.code, 'HOST_NOT_ALLOWED');
      }
      assert.equal((await ask(daemon, 'POST', '/api/v1/videos/scan', { host, ...json }, scan)).status, allowed ? 400 : 421, host);
      assert.equal(await upgrade(daemon, { host, origin: `http://${host}` }), allowed ? 101 : 421, host);
    }
    for (const [origin, allowed] of [[`http://${own}`, true], ['null', false], ['http://evil.example', false],
      [`http://localhost:${daemon.port}`, false], [`http://127.0.0.1:${daemon.port + 1}`, false], [`file://${own}`, false], ['', true]]) {
      const headers = origin ? { origin } : {};
      const expected = allowed ? 400 : 403;
      const answer = await ask(daemon, 'POST', '/api/v1/videos/scan', { ...headers, ...json }, scan);
      assert.equal(answer.status, expected, origin);
      if (!allowed) assert.equal(answer.body.code, 'ORIGIN_NOT_ALLOWED');
      const id = '01890000-0000-7000-8000-000000000000';
      assert.equal((await ask(daemon, 'DELETE', `/api/v1/videos/${id}`, headers)).status, allowed ? 404 : 403, origin);
      assert.equal((await ask(daemon, 'POST', `/api/v1/jobs/${id}/cancel`, headers)).status, allowed ? 404 : 403, origin);
      assert.equal((await ask(daemon, 'GET', '/api/v1/jobs', headers)).status, 200);
      assert.equal(await upgrade(daemon, headers), allowed ? 101 : 403, origin);
    }
    for (const [site, status] of [['cross-site', 403], ['same-site', 403], ['same-origin', 400], ['none', 400], ['x'.repeat(50), 400]])
      assert.equal((await ask(daemon, 'POST', '/api/v1/videos/scan', { 'sec-fetch-site': site, ...json }, scan)).status, status, site);
    const preflight = await ask(daemon, 'OPTIONS', '/api/v1/videos/scan', { origin: 'http://evil.example', 'access-control-request-method': 'POST' });
    assert.equal(preflight.status, 403);
    assert.ok(!Object.keys(preflight.headers).some((name) => name.startsWith('access-control')));
    const refused = await ask(daemon, 'POST', '/api/v1/videos/scan', { origin: 'http://evil.example', ...json }, JSON.stringify({ path: '/' }));
    assert.equal(refused.status, 403);
    assert.deepEqual((await daemon.get('/api/v1/jobs')).body.jobs, []);
  } finally {
    await daemon.cleanup();
  }
});

test('the channel is at /ws, in our sub-protocol or in none', async () => {
  const daemon = await Daemon.start();
  try {
    assert.equal(await upgrade(daemon, {}), 101);
    assert.equal(await upgrade(daemon, {}, '/ws', ['reeld.v1']), '101 reeld.v1');
    assert.equal(await upgrade(daemon, {}, '/ws', ['other', 'reeld.v1']), '101 reeld.v1');
    for (const name of ['other', 'http', 'wake', 'reeld.v2']) assert.equal(await upgrade(daemon, {}, '/ws', [name]), 400, name);
    for (const route of ['/', '/w', '/wsx', '/ws/', '/ws/x', '/api/v1/jobs', '/chat'])
      assert.equal(await upgrade(daemon, {}, route), 404, route);
    assert.equal(await upgrade(daemon, {}, '/ws?x=1'), 400);
    assert.equal((await daemon.get('/health/live')).status, 200);
  } finally {
    await daemon.cleanup();
  }
});

test('with a token', async () => {
  const dir = tempDir();
  const file = path.join(dir, 'token');
  fs.writeFileSync(file, 'correct-horse-battery\n', { mode: 0o600 });
  const daemon = await Daemon.start({ dir, args: ['--token-file', file] });
  const bearer = { authorization: 'Bearer correct-horse-battery' };
  const json = { 'content-type': 'application/json' };
  try {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: 'Bearer' }, { authorization: 'Basic correct-horse-battery' },
      { authorization: 'Bearer correct-horse-batteryy' }, { cookie: 'reeld_session=' }, { cookie: 'reeld_session=correct-horse-battery' }]) {
      for (const route of ['/api/v1/jobs', '/api/v1/videos', '/metrics', '/api/v1/openapi.json']) {
        const answer = await ask(daemon, 'GET', route, headers);
        assert.equal(answer.status, 401, route);
        assert.match(answer.headers['www-authenticate'], /^Bearer/);
        assert.equal(answer.body.code, 'TOKEN_REQUIRED');
      }
      assert.equal((await ask(daemon, 'POST', '/api/v1/videos/scan', { ...headers, ...json }, '{"path":"/"}')).status, 401);
      assert.equal(await upgrade(daemon, headers), 401);
    }
    for (const route of ['/health/live', '/health/ready', '/']) assert.equal((await ask(daemon, 'GET', route)).status, 200, route);
    assert.equal((await ask(daemon, 'GET', '/api/v1/jobs', bearer)).status, 200);
    assert.equal(await upgrade(daemon, bearer), 101);
    assert.equal((await ask(daemon, 'POST', '/api/v1/session', json, '{"token":"wrong"}')).status, 401);
    const session = await ask(daemon, 'POST', '/api/v1/session', json, '{"token":"correct-horse-battery"}');
    assert.equal(session.status, 204);
    const [set] = session.headers['set-cookie'];
    assert.match(set, /^reeld_session=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
    const cookie = set.split(';')[0];
    assert.equal((await ask(daemon, 'GET', '/api/v1/jobs', { cookie: `a=b; ${cookie}; c=d` })).status, 200);
    assert.equal(await upgrade(daemon, { cookie }), 101);
    assert.ok(!daemon.stderr.includes('correct-horse'));
  } finally {
    await daemon.stop();
    fs.rmSync(dir, { recursive: true });
  }
});

test('scans and folders stay beneath the roots', async () => {
  const dir = tempDir();
  const root = path.join(dir, 'root');
  fs.mkdirSync(path.join(root, 'in'), { recursive: true });
  fs.mkdirSync(path.join(dir, 'rootless'));
  fs.symlinkSync(path.join(dir, 'rootless'), path.join(root, 'out'));
  fs.symlinkSync(path.join(root, 'in'), path.join(root, 'link'));
  const daemon = await Daemon.start({ args: ['--root', root] });
  try {
    for (const outside of [dir, path.join(dir, 'rootless'), path.join(root, 'out'), path.join(root, '..'), '/']) {
      const scan = await daemon.post('/api/v1/videos/scan', { path: outside });
      assert.equal(scan.status, 403, outside);
      assert.equal(scan.body.code, 'PATH_NOT_ALLOWED');
      assert.equal((await daemon.get(`/api/v1/filesystem/directories?path=${encodeURIComponent(outside)}`)).status, 403, outside);
    }
    const roots = (await daemon.get('/api/v1/filesystem/directories')).body;
    assert.deepEqual(roots.directories.map((directory) => directory.path), [fs.realpathSync(root)]);
    assert.equal(roots.parent, null);
    const inside = (await daemon.get(`/api/v1/filesystem/directories?path=${encodeURIComponent(root)}`)).body;
    assert.deepEqual(inside.directories.map((directory) => directory.name), ['in', 'link']);
    assert.equal(inside.parent, null);
    assert.equal((await daemon.post('/api/v1/videos/scan', { path: path.join(root, 'in') })).status, 202);
  } finally {
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true });
  }
});
