// A client of the channel in a process of its own, so that it can be stopped (SIGSTOP): node stopped_client.js URL
// Prints a line for each thing worth knowing, as JSON: {hello}, {frames, terminal, ordered} at each end of a job, {closed}.
import WebSocket from 'ws';

const socket = new WebSocket(process.argv[2]);
let frames = 0;
let last = 0;
let ordered = true;
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
socket.on('message', (data) => {
  const { type, event_id: id, payload } = JSON.parse(String(data));
  if (type === 'HELLO') say({ hello: payload.event_id });
  frames++;
  const sequence = id && type !== 'HELLO' ? Number(id.split(':')[1]) : 0;
  if (sequence) {
    ordered &&= last === 0 || sequence === last + 1;
    last = sequence;
  }
  if (type === 'SCAN_COMPLETED') say({ terminal: payload.job_id, frames, ordered, last: id });
});
socket.on('error', () => {});
socket.on('close', (code) => say({ closed: code, frames, ordered, last }));
