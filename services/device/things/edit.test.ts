import { expect, test } from 'vitest';
import { thingOf } from '../test-tools.ts';
import { withEnabled } from './edit.ts';

const PROPERTIES = 'properties: { t: {datatype:   float} }  # as it was\n';

test.each([
  ['a key that is there', `enabled: yes-no # why\ndriver: simulated\n${PROPERTIES}`.replace('yes-no', 'true'), 'enabled: false # why\n'],
  ['no such key', `# mine\nname: x\n\ndriver: simulated   # fast\n${PROPERTIES}`, '# fast\nenabled: false\nproperties'],
  ['Windows line ends', `driver: simulated\r\n${PROPERTIES}`, 'driver: simulated\r\nenabled: false\r\nproperties'],
  ['indented keys', `  driver: simulated\n  ${PROPERTIES}`, '  driver: simulated\n  enabled: false\n  properties'],
  ['the driver last, without a line end', `${PROPERTIES}driver: simulated`, 'driver: simulated\nenabled: false'],
  ['one line', '{ driver: simulated, properties: { t: { datatype: float } } }', '{ driver: simulated, enabled: false, properties'],
])('a thing is switched off in its file: %s', (_, yaml, part) => {
  const off = withEnabled(yaml, false);
  expect(off).toContain(part);
  expect(thingOf('x', off).enabled).toBe(false);
  const on = withEnabled(off, true);
  expect(thingOf('x', on).enabled).toBe(true);
  expect(on.replace(/(?:, | *)enabled: true(\r?\n)?/, '').trim()).toBe(yaml.replace('enabled: true', '').trim());
});
