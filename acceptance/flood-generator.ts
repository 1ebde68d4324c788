/** Run as a process of its own: 100 clients that write QoS 0 as fast as their sockets take it. Arguments: port, user, password, ms. */
import { MqttSocket } from './mqtt-socket.ts';

const CLIENTS = 100;
const PACKETS_PER_WRITE = 200;
const [port, username, password, durationMs] = process.argv.slice(2);

const packet = MqttSocket.publishBytes('flood/data', Buffer.alloc(64, 'x'));
const chunk = Buffer.concat(Array.from({ length: PACKETS_PER_WRITE }, () => packet));
const clients = await Promise.all(
  Array.from({ length: CLIENTS }, (_, i) =>
    MqttSocket.open({ port: Number(port), clientId: `flood-${i}`, username: username ?? '', password: password ?? '' }),
  ),
);
process.send?.({ flooding: true });
const endMs = performance.now() + Number(durationMs);
let written = 0;
await Promise.all(
  clients.map(async (client) => {
    while (performance.now() < endMs && !client.socket.destroyed) {
      await client.write(chunk);
      written += PACKETS_PER_WRITE;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }),
);
const alive = clients.filter((client) => !client.socket.destroyed).length;
for (const client of clients) client.close();
process.send?.({ written, alive });
process.disconnect?.();
