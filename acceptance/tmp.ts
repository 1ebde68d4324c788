import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startAppliance } from './appliance.ts';
const ledge = await startAppliance();
const user = { username: 'load', password: 'carrying-a-load' };
await ledge.addMqttUser(user.username, user.password, [{ filter: 'load/#', access: 'both' }]);
for (let i = 0; i < 3; i++) {
  const plan = { url: ledge.url, token: ledge.token, mqttPort: ledge.mqttPort, ...user, mqttClients: 100, messagesPerSecond: 2000, sseReaders: 200, durationMs: 5000, frozen: i > 0 };
  const g = fork(join(import.meta.dirname, 'load-generator.ts'), [JSON.stringify(plan)]);
  g.once('exit', (c) => console.log('exit', c));
  await Promise.race([once(g, 'message'), once(g, 'exit')]);
  if (g.connected) { g.send('go'); console.log((await Promise.race([once(g, 'message'), once(g, 'exit')]))[0]); }
  if (g.exitCode === null) await once(g, 'exit');
}
console.log(ledge.log.filter((l) => /warn|ERROR|FATAL/.test(l)).slice(0, 30).join('\n'));
await ledge.stop();
