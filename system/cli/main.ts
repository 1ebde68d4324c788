import { realWorld } from './real-world.ts';
import { runCommand } from './run.ts';

const ended = new AbortController();
process.once('SIGINT', () => {
  ended.abort();
  // for a command that does not listen
  setTimeout(() => process.exit(130), 500).unref();
});
// whoever reads has had enough, as `ledge logs | head`
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCommand(realWorld(process.env, ended.signal), process.argv.slice(2));
