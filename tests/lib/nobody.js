// Root may read everything: what shall meet a permission runs as nobody.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { tempDir } from './daemon.js';

const root = process.getuid() === 0;

/** Whether a daemon can be had that may not read everything. */
export const canDrop = () => !root || spawnSync('setpriv', ['--version']).status === 0;

/** Options for a daemon that may not, with a directory of its own in `dir`, which others may enter. */
export function asNobody(dir) {
  fs.chmodSync(dir, 0o755);
  const data = fs.mkdtempSync(path.join(dir, 'data-'));
  fs.chmodSync(data, 0o777);
  return { dir: data, wrap: root ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [] };
}

/** A fresh directory, removed after the test whatever may not be read in it. */
export function openDir(t) {
  const dir = fs.realpathSync(tempDir());
  fs.chmodSync(dir, 0o755);
  t.after(() => {
    spawnSync('chmod', ['-R', 'u+rwx', dir]);
    spawnSync('rm', ['-rf', dir]); // at any depth
  });
  return dir;
}
