// The guard of a root, in the model: which root refused, what, and what comes of accepting it.
import assert from 'node:assert/strict';
import { beneath, said, show } from './paths.js';

const WRONG = '00000000-0000-4000-8000-000000000000';

export class Guard {
  constructor(story) {
    this.story = story;
    this.refused = null; // {root, token, rows}
  }

  get refusing() {
    return this.refused !== null;
  }

  /** The daemon was started anew: what was refused is not known any more. */
  forget() {
    if (this.refused) this.refused.lost = true;
  }

  async root(path) {
    const { status, body } = await this.story.daemon.get('/api/v1/roots');
    assert.equal(status, 200, JSON.stringify(body));
    const root = body.roots.find((one) => said(one) === path);
    assert.ok(root, `${show(path)} is among the roots`);
    const videos = [...this.story.rows.values()].filter((row) => !row.missing && beneath(path, row.path)).length;
    assert.equal(root.videos, videos, `how many videos are in ${show(path)}`);
    return root;
  }

  /** After each scan that came to its end; `how`: what came between. */
  async after({ result }, scope, expectation, how) {
    const path = this.story.rootOf(scope.path);
    if (result.refused) {
      const root = await this.root(path);
      assert.equal(result.refused.root, root.number, 'the root that refused');
      assert.equal(root.online, false);
      // The scan was over before the daemon was started anew, which does not know its token.
      const lost = root.refused === null && ['kill', 'stop'].includes(how);
      if (!lost) assert.deepEqual(root.refused, { count: result.refused.count, reason: result.refused.reason, token: result.refused.token });
      this.refused = { path, number: root.number, token: result.refused.token, rows: expectation.vanished, lost };
      if (this.story.next() < 0.8 && !lost) await this.accept();
    } else if (this.refused?.path === path && scope.kind === 'root') {
      assert.equal((await this.root(path)).online, true, `${show(path)} is whole again`);
      await this.stale(this.refused);
      this.refused = null;
    } else {
      await this.root(path);
    }
  }

  answer(number, token) {
    return this.story.daemon.post(`/api/v1/roots/${number}/accept-missing`, { token });
  }

  async stale({ number, token }) {
    const { status, body } = await this.answer(number, token);
    assert.equal(status, 409, JSON.stringify(body));
    assert.equal(body.code, 'TOKEN_STALE');
  }

  /** Exactly what was refused becomes missing. */
  async accept() {
    const { story, refused } = this;
    const { number, token, rows, path } = refused;
    story.note(`accept ${rows.length} of ${show(path)}`);
    await this.stale({ number, token: WRONG });
    const { status, body } = await this.answer(number, token);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.missing, rows.length);
    story.counts.accepted++;
    const after = await story.observe();
    assert.deepEqual([...after.touched].sort(), rows.map(({ id }) => id).sort(), 'exactly what was refused');
    for (const { id } of rows) {
      const video = after.videos.get(id);
      assert.ok(video.missing_since !== null, `${id} was accepted as missing`);
      Object.assign(story.rows.get(id), { missing: true, since: video.missing_since });
    }
    assert.equal((await this.root(path)).online, true);
    await this.stale({ number, token });
    this.refused = null;
  }
}
