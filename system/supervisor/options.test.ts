import { expect, test } from 'vitest';
import { optionsToEnvironment } from './options.ts';

test('the command line becomes the environment that services read', () => {
  expect(optionsToEnvironment(['--data', 'box', '--http-port', '8081', '--mqtt-port', '1884', '--host', '0.0.0.0'], '/home/me')).toEqual({
    help: false,
    environment: { EDGE_DATA: '/home/me/box', EDGE_HTTP_PORT: '8081', EDGE_MQTT_PORT: '1884', EDGE_HOST: '0.0.0.0' },
  });
});

test.each([[['--http-port', '99999']], [['--mqtt-port', 'x']], [['--colour']], [['extra']], [['--data']]])(
  '%j is refused with a sentence',
  (args) => {
    expect(() => optionsToEnvironment(args, '/')).toThrowError(expect.objectContaining({ code: 'config-invalid' }));
  },
);
