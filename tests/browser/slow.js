// A slow network and a slow machine for the page, so that a test that asserts before it has waited is found at a desk and not in a
// loaded run: REELD_TEST_DELAY_MS=400 delays each request and each message of a socket by up to that long, the order of messages
// kept; REELD_TEST_CPU=6 makes the page's own work take so many times as long.
import { setTimeout as sleep } from 'node:timers/promises';

const most = Number(process.env.REELD_TEST_DELAY_MS ?? 0);
const times = Number(process.env.REELD_TEST_CPU ?? 1);
const pause = () => sleep(Math.random() * most);

/** Passes on what it is given, later, in order. */
function later(pass) {
  let last = Promise.resolve();
  return (...what) => {
    last = last.then(pause).then(() => pass(...what)).catch(() => {}); // nobody is there any more
  };
}

/** Makes a page slow, if that was asked for; what a test routes itself goes first. */
export async function slowDown(page) {
  if (times > 1) await (await page.context().newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: times });
  if (!most) return;
  await page.context().route('**/*', async (route) => {
    await pause();
    await route.continue().catch(() => {}); // the page is gone
  });
  await page.context().routeWebSocket('**/*', (socket) => {
    const server = socket.connectToServer();
    server.onMessage(later((message) => socket.send(message)));
    socket.onMessage(later((message) => server.send(message)));
  });
}
