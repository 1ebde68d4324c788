import { expect, test } from 'vitest';
import { environmentOf } from './spawn.ts';

test('only the server sees the admin password of the environment', () => {
  const environment = { EDGE_ADMIN_PASSWORD: 'secret', EDGE_DATA: '/data' };
  expect(environmentOf('server', environment)).toMatchObject({ EDGE_ADMIN_PASSWORD: 'secret', EDGE_SERVICE: 'server', EDGE_DATA: '/data' });
  expect(environmentOf('media', environment)).not.toHaveProperty('EDGE_ADMIN_PASSWORD');
});
