// One client over all lives of the daemon: subscribes, stalls, leaves and comes back with the last event that it has.
import assert from 'node:assert/strict';
import { EVERYTHING, EventStreamConnection, PollConnection, WebSocketConnection } from './connection.js';

const kinds = { ws: WebSocketConnection, sse: EventStreamConnection, poll: PollConnection };

export class Listener {
  constructor(name, transport) {
    this.name = name;
    this.transport = transport;
    this.last = null; // event_id of the last durable event
    this.connection = null;
  }

  get open() {
    return this.connection !== null && this.connection.code === undefined;
  }

  /** Waits until it is in; false: the daemon ended before, or has no room. */
  async connect(life, wanted = EVERYTHING, since = null, next = () => 0) {
    const connection = new kinds[this.transport](`${this.name} (${this.transport})`, wanted, since);
    connection.byHeader = next() < 0.5;
    connection.limit = 1 + Math.floor(next() * 300);
    connection.onEntry = (entry) => {
      if (entry.sequence) this.last = entry.frame.event_id;
      this.onEntry?.(entry);
    };
    this.connection = connection.open(life.url);
    life.connections.push(connection);
    const first = await connection.until(({ type }) => type === (connection.openedWith || this.transport === 'poll' ? 'SUBSCRIBED' : 'HELLO'));
    return first !== null;
  }
}

/** How a connection ended must be explained by what was done to it. */
export function checkEnd({ code, reason, everStalled, left, name, wrong, error }, life) {
  assert.equal(wrong, undefined, name);
  if (left || (life.ending && [1001, 1006, 503, 'ended', 'cut'].includes(code))) return;
  assert.ok([1013, 'ended', 'lost'].includes(code) && (everStalled || life.lenient), `${name} ended by itself: ${code} ${reason} ${error ?? ''}`);
}
