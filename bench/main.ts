import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchAppliance } from './appliance-bench.ts';
import { benchBrokers } from './broker-bench.ts';
import { benchPages } from './pages-bench.ts';

const USAGE = `Usage: ./build.sh bench [--quick] [--only brokers|appliance|pages]

Measures on this machine and prints Markdown tables: brokers side by side; the whole appliance's start, memory,
delays and bytes written; the dashboard with 200 busy things. Takes about sixteen minutes, --quick four; nothing else should
run meanwhile.`;

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
});
const QUICK_SHARE = 0.25;
const say = (line: string) => process.stderr.write(`… ${line}\n`);
const wants = (part: string) => values.only === undefined || values.only === part;

if (values.help) console.log(USAGE);
else {
  const [cpu] = cpus();
  console.log(
    `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, Node ${process.version}\n`,
  );
  const share = values.quick ? QUICK_SHARE : 1;
  if (wants('brokers')) console.log(`## Brokers\n\n${await benchBrokers(share, say)}\n`);
  if (wants('appliance')) console.log(`## Appliance\n\n${await benchAppliance(share, say)}\n`);
  if (wants('pages')) console.log(`## Pages\n\n${await benchPages(share, say)}\n`);
}
