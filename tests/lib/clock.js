// A daemon's wall clock that can be set: the shim adds what stands in a file that it has in its memory.
import fs from 'node:fs';
import path from 'node:path';
import { build } from './daemon.js';

export class Clock {
  /** @param {string} dir where its file is made */
  constructor(dir) {
    this.file = path.join(dir, 'shift');
    this.shift = 0;
    fs.writeFileSync(this.file, Buffer.alloc(8));
    /** The environment of the daemon that has this clock. */
    this.env = { LD_PRELOAD: path.join(build, 'clock_shim.so'), REELD_CLOCK_SHIM: this.file };
  }

  /** From now on the clock is so many nanoseconds ahead of the machine's. */
  jump(shift) {
    this.shift = shift;
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(shift));
    const fd = fs.openSync(this.file, 'r+'); // the daemon has these very bytes in its memory
    fs.writeSync(fd, bytes, 0, 8, 0);
    fs.closeSync(fd);
  }

  /** What it says, in ms. */
  get now() {
    return Date.now() + this.shift / 1e6;
  }
}
