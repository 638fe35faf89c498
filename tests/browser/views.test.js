// Every view opens by its address, of the page that is served by default and of its sources: each file of it is there, and the browser complains of
// nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { build, makeVideo, top } from '../lib/daemon.js';
import { closeBrowser, start } from './page.js';

after(closeBrowser);

const SOURCES = path.join(top, 'web');
const DEFAULT = fs.existsSync(path.join(build, 'web')) ? 'the packed copy' : 'the sources, by default';

for (const [which, args, lone] of [[DEFAULT, [], DEFAULT === 'the packed copy'], ['the sources', ['--web', SOURCES], false]]) {
  test(`every view opens: ${which}`, async (t) => {
    const { daemon, dir, open } = await start(t, { args });
    makeVideo(path.join(dir, 'films/one.mp4'));
    await daemon.wait(await daemon.scan(path.join(dir, 'films')));
    const [{ id }] = await daemon.videos();
    for (const [address, shown] of [
      ['/', 'reeld-library .item:not(.waiting)'], [`/videos/${id}`, 'reeld-video reeld-player'], ['/scans', 'reeld-jobs reeld-job-line'], ['/activity', 'reeld-activity button'],
    ]) {
      const files = new Map();
      const page = await open({
        path: address,
        prepare: (one) => one.on('response', (answer) => {
          if (/\.(js|css)$/.test(answer.url())) files.set(new URL(answer.url()).pathname, answer.status());
        }),
      });
      await page.locator(shown).first().waitFor();
      assert.deepEqual([...files].filter(([, status]) => status !== 200), [], address);
      assert.ok(files.has('/app.js') && files.has('/style.css'), address);
      // A module of its own each is what the sources are.
      assert.equal(!files.has('/dom.js'), lone, address);
    }
  });
}
