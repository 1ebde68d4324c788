import { expect, test } from 'vitest';
import { exitWords, stateOf } from './unit-state.ts';

test.each([
  ['active', 'running', 'running'],
  ['reloading', 'reload', 'running'],
  ['activating', 'start', 'starting'],
  ['activating', 'auto-restart', 'waiting'],
  ['activating', 'auto-restart-queued', 'waiting'],
  ['deactivating', 'stop-sigterm', 'stopping'],
  ['inactive', 'dead', 'stopped'],
  ['failed', 'failed', 'stopped'],
])('a unit that is %s (%s) is %s', (ActiveState, SubState, state) => {
  expect(stateOf({ ActiveState, SubState })).toBe(state);
});

test.each([
  ['success', 0, 0, undefined],
  ['success', 1, 0, 'exit code 0'],
  ['exit-code', 1, 1, 'exit code 1'],
  ['exit-code', 1, 78, 'exit code 78: there is a mistake in its settings; its log says where'],
  ['exit-code', 0, 0, 'it could not be started (exit-code)'],
  ['signal', 2, 9, 'killed by SIGKILL'],
  ['core-dump', 3, 11, 'killed by SIGSEGV'],
  ['signal', 2, 40, 'killed by signal 40'],
  ['oom-kill', 2, 9, 'it used more memory than its limit'],
  ['watchdog', 2, 6, 'it hung: its own check has not passed in time'],
  ['start-limit-hit', 1, 1, 'it ended too often in a short time, and is not started again by itself'],
])('the result %s with code %i and status %i is told as: %s', (Result, ExecMainCode, ExecMainStatus, words) => {
  expect(exitWords({ Result, ExecMainCode, ExecMainStatus })).toBe(words);
});
