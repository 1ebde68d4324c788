import { expect, test } from 'vitest';
import { runToEnd, systemProcesses } from './processes.ts';

const node = (code: string) => systemProcesses.spawn(process.execPath, ['-e', code]);

test('lines of a child are heard as they come, and its end with what it complained about', async () => {
  const child = node(`console.log('one'); console.log('two'); console.error('oh dear'); process.exitCode = 3`);
  const lines: string[] = [];
  child.onLine((line) => lines.push(line));
  expect(await child.ended).toEqual({ code: 3, signal: null, stderr: 'oh dear\n' });
  expect(lines).toEqual(['one', 'two']);
});

test('only the end of long complaints is kept', async () => {
  const { stderr } = await node(`process.stderr.write('x'.repeat(100000) + 'the end')`).ended;
  expect(stderr).toHaveLength(2048);
  expect(stderr.endsWith('the end')).toBe(true);
});

test('a program that is not installed ends with an error and no code', async () => {
  const { code, error } = await systemProcesses.spawn('ledge-no-such-program', []).ended;
  expect(code).toBeNull();
  expect(error).toMatchObject({ code: 'ENOENT' });
});

test('a child is written to, and killed', async () => {
  const child = node(`process.stdin.on('data', (d) => console.log('heard ' + d)); setInterval(() => {}, 1000)`);
  const heard = new Promise<string>((resolve) => child.onLine(resolve));
  child.write('hello\n');
  expect(await heard).toBe('heard hello');
  child.kill();
  expect(await child.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
  child.write('too late\n');
});

test('arguments are arguments and no shell sees them', async () => {
  const { lines } = await runToEnd(systemProcesses, process.execPath, ['-p', 'process.argv[1]', '$(id); `id` "quoted"']);
  expect(lines).toEqual(['$(id); `id` "quoted"']);
});

test('a program whose time is over is killed', async () => {
  const abort = new AbortController();
  const run = runToEnd(systemProcesses, process.execPath, ['-e', 'setInterval(() => {}, 1000)'], abort.signal);
  abort.abort(new Error('time is over'));
  await expect(run).rejects.toThrow('time is over');
});
