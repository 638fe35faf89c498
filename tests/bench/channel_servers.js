// The servers that scripts/bench channel compares, and the clients that load them: each on a processor of its own.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { build, eventually, tempDir, top } from '../lib/daemon.js';

const processors = os.cpus().length;
export const serverCore = ['taskset', '-c', '0'];
export const clientCore = ['taskset', '-c', processors > 1 ? '1' : '0'];
export const program = (name) => path.join(build, name);

/** What runs when the bench fails ends with it. */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

function start(core, argv, stdio) {
  const child = spawn(core[0], [...core.slice(1), ...argv], { stdio });
  running.add(child);
  child.ended = once(child, 'exit').finally(() => running.delete(child));
  return child;
}

/** One server of a kind, in a fresh directory; `progress` is the file by which its publisher is told what clients have. */
export class Server {
  static async start(Kind, options) {
    const server = new Kind();
    server.options = options;
    server.dir = tempDir('reeld-bench-');
    server.progress = path.join(server.dir, 'progress');
    server.children = [];
    await server.launch();
    return server;
  }

  spawn(argv, core = serverCore) {
    const child = start(core, argv, ['ignore', 'pipe', 'inherit']);
    this.children.push(child);
    return child;
  }

  /** Starts a program that says `ready at http://…:<port>/` in its first line. */
  async spawnUntilReady(argv) {
    const child = this.spawn(argv);
    const lines = readline.createInterface({ input: child.stdout });
    const [first] = await Promise.race([once(lines, 'line'), child.ended.then(() => ['it ended'])]);
    const match = /^ready at http:\/\/127\.0\.0\.1:(\d+)\/$/.exec(first);
    if (!match) throw new Error(`${argv[0]}: ${first}`);
    this.port = Number(match[1]);
    this.pid = child.pid; // taskset becomes the program
  }

  async stop() {
    for (const child of this.children) child.kill('SIGTERM');
    await Promise.all(this.children.map((child) => child.ended));
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  paceArguments() {
    const { rate, window, size, ringMib = 8 } = this.options;
    const pace = rate ? ['--rate', String(rate)] : ['--window', String(window)];
    return ['--progress', this.progress, '--size', String(size), '--ring-mib', String(ringMib), ...pace];
  }
}

export class Reeld extends Server {
  static title = 'reeld';

  launch() {
    const database = this.options.database ?? path.join(this.dir, 'catalog.db');
    return this.spawnUntilReady([program('channel_server'), '--database', database, ...this.paceArguments()]);
  }

  async metric(name) {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
    return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1]);
  }
}

export class Floor extends Server {
  static title = 'floor: epoll, one send of all that is due';

  launch() {
    return this.spawnUntilReady([program('channel_floor'), ...this.paceArguments()]);
  }
}

class NodeWs extends Server {
  // As many as keep its queues filled without filling its memory.
  static window = 512;

  launch() {
    return this.spawnUntilReady(['node', path.join(top, 'tests/bench/peer_ws.js'), this.progress,
      String(NodeWs.window), String(this.options.size), this.constructor.way]);
  }
}

export class NodeWsSend extends NodeWs {
  static title = 'node ws, send()';
  static way = 'send';
}

export class NodeWsFramed extends NodeWs {
  static title = 'node ws, each frame made once';
  static way = 'framed';
}

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Nchan extends Server {
  static title = 'nginx nchan';

  configuration() {
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${this.dir}/${name};`).join('\n  ');
    return `daemon off;
user ${os.userInfo().username};
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${this.dir}/nginx.pid;
error_log ${this.dir}/error.log warn;
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
events { worker_connections 16000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${temp}
  nchan_max_reserved_memory 256M;
  server {
    listen 127.0.0.1:${this.port} backlog=1024;
    location = /ws { nchan_subscriber websocket; nchan_channel_id bench; nchan_subscriber_first_message newest; }
    location = /publish {
      nchan_publisher http; nchan_channel_id bench;
      nchan_message_buffer_length 4096; nchan_message_timeout 30s;
    }
  }
}
`;
  }

  async launch() {
    this.port = await freePort();
    const file = path.join(this.dir, 'nginx.conf');
    fs.writeFileSync(file, this.configuration());
    const master = this.spawn(['nginx', '-p', this.dir, '-e', path.join(this.dir, 'error.log'), '-c', file]);
    const answers = () => fetch(`http://127.0.0.1:${this.port}/`).catch(() => null);
    await Promise.race([eventually(answers, 'nginx answers'),
      master.ended.then(() => { throw new Error(fs.readFileSync(path.join(this.dir, 'error.log'), 'utf8')); })]);
    this.pid = Number(fs.readFileSync(`/proc/${master.pid}/task/${master.pid}/children`, 'utf8').trim().split(' ')[0]);
    this.spawn([program('nchan_publisher'), '--port', String(this.port), '--path', '/publish', '--progress', this.progress,
      '--size', String(this.options.size)], clientCore);
  }
}

export const startServer = (Kind, options) => Server.start(Kind, options);

/** wsload; `ready` when all are connected; `report` when it is over: after its seconds, or when end() is called. */
export class Load {
  static async start(port, { clients, stuck = 0, latency = false, progress, pid, warmup = 0, seconds = 0, more = [] }) {
    const argv = [program('wsload'), '--port', port, '--clients', clients, '--stuck', stuck, '--warmup', warmup,
      '--seconds', seconds, ...(latency ? ['--latency'] : []), ...(progress ? ['--progress', progress] : []),
      ...(pid ? ['--pid', pid] : []), ...more].map(String);
    const load = new Load();
    load.child = start(clientCore, argv, ['pipe', 'pipe', 'inherit']);
    const lines = readline.createInterface({ input: load.child.stdout });
    const iterator = lines[Symbol.asyncIterator]();
    const { value } = await iterator.next();
    if (value !== 'ready') throw new Error('the load could not connect all its clients');
    load.report = iterator.next().then((line) => JSON.parse(line.value));
    return load;
  }

  end() {
    this.child.stdin.end();
    return this.report;
  }
}

/** httpload in another process; `report` is what it said, with `rate`. seconds 0: until end() is called. */
export class HttpLoad {
  constructor(port, { path: page, pages, headers = [], status = 200, connections = 4, seconds = 3, rate = 0, core = clientCore }) {
    const argv = [program('httpload'), '--port', port, ...(page ? ['--path', page] : ['--pages', pages]),
      ...headers.flatMap((header) => ['--header', header]), '--status', status, '--connections', connections,
      '--seconds', seconds, '--rate', rate].map(String);
    this.child = start(core, argv, ['pipe', 'pipe', 'inherit']);
    this.report = new Promise((resolve, reject) => {
      let text = '';
      this.child.stdout.on('data', (chunk) => { text += chunk; });
      this.child.on('close', (code) => {
        if (code !== 0) return reject(new Error(`httpload: exit code ${code}`));
        const report = JSON.parse(text);
        if (report.failed || !report.answers) return reject(new Error(`httpload: ${report.failed} of ${report.answers} answers were not ${status}`));
        return resolve({ ...report, rate: report.answers / report.seconds });
      });
    });
    this.report.catch(() => {}); // whoever waits for it hears of it
  }

  end() {
    this.child.stdin.end();
    return this.report;
  }
}

/** httpload beside whatever goes on; gives its report. */
export function loadHttp(port, page, options = {}) {
  return new HttpLoad(port, { ...options, path: page }).report;
}

/** What the machine must have; says in words what it has not. */
export function checkMachine(clients) {
  const limit = Number(execFileSync('bash', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim().replace('unlimited', '1000000'));
  if (limit < clients + 64) throw new Error(`${clients} clients need an open-files limit (ulimit -Hn) above that; it is ${limit}`);
  if (processors < 2) console.log('One processor: server and clients share it, which flatters nobody.');
}
