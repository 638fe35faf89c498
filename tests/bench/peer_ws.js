// A channel made with node's ws, as a peer for the bench: node peer_ws.js PROGRESS_FILE WINDOW SIZE send|framed
// send: client.send() for each, as its documentation has it; framed: each frame made once, its bytes written to all.
import fs from 'node:fs';
import { WebSocketServer, Sender } from 'ws';

const [progressFile, windowText, sizeText, way] = process.argv.slice(2);
const window = Number(windowText);
const size = Number(sizeText);
const first = 10000000; // PACE_FIRST of pace.h
const lookMs = 1;
const atOnce = 64; // events between two looks at the sockets

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
const progress = fs.openSync(progressFile, 'a+');
const page = Buffer.alloc(16); // struct progress: go, received
let published = first;

function eventsDue() {
  if (fs.readSync(progress, page, 0, 16, 0) < 16 || !page.readBigUInt64LE(0)) return 0;
  const received = Math.max(first, Number(page.readBigUInt64LE(8)));
  return window - (published - received);
}

function makeText() {
  const head = `{"type":"VIDEO_ADDED","payload":{"seq":${++published},"ts":${process.hrtime.bigint()},"pad":"`;
  return Buffer.from(`${head.padEnd(size - 3, 'x')}"}}`);
}

function publish() {
  const text = makeText();
  if (way === 'send') {
    for (const client of server.clients) client.send(text, { binary: false });
    return;
  }
  const parts = Sender.frame(text, { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true });
  const frame = Buffer.concat(parts);
  for (const client of server.clients) client._socket.write(frame);
}

function turn() {
  const due = Math.min(eventsDue(), atOnce);
  for (let i = 0; i < due; i++) publish();
  if (due > 0) setImmediate(turn);
  else setTimeout(turn, lookMs);
}

server.on('listening', () => {
  console.log(`ready at http://127.0.0.1:${server.address().port}/`);
  turn();
});
