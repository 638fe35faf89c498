// A network between the page and the daemon that can be cut: bytes vanish, and no connection is told.
import { once } from 'node:events';
import net from 'node:net';

export class CutProxy {
  /** Listens on a port of its own; `to` is set once the daemon's port is known. */
  static async start() {
    const proxy = new CutProxy();
    proxy.to = 0;
    proxy.isCut = false;
    proxy.pairs = new Set();
    proxy.server = net.createServer((near) => proxy.join(near)).listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.port = proxy.server.address().port;
    proxy.url = `http://127.0.0.1:${proxy.port}`;
    return proxy;
  }

  join(near) {
    const far = net.connect(this.to, '127.0.0.1');
    const pair = { near, far, dead: this.isCut };
    this.pairs.add(pair);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', (bytes) => {
        if (this.isCut) pair.dead = true; // what was lost is lost: nothing comes of it later
        if (!pair.dead) to.write(bytes);
      });
      from.on('error', () => {});
      from.on('close', () => {
        this.pairs.delete(pair);
        if (!pair.dead) to.destroy();
      });
    }
  }

  /** From now on nothing gets through, in either direction. */
  cut() {
    this.isCut = true;
    for (const pair of this.pairs) pair.dead = true;
  }

  /** New connections get through again; those of before stay dead. */
  restore() {
    this.isCut = false;
  }

  async close() {
    for (const { near, far } of this.pairs) {
      near.destroy();
      far.destroy();
    }
    this.server.close();
  }
}
