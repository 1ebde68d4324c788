/** For a container's health check: ends with 0 when the service named by EDGE_SERVICE is well, else with 1 and a sentence. */
import { faultOf } from './health.ts';

const fault = await faultOf(process.env.EDGE_SERVICE ?? 'server', process.env);
if (fault !== undefined) {
  console.error(fault);
  process.exitCode = 1;
}
