/** aedes as it comes, on the port of the argument, to compare our broker with. */
import { createServer } from 'node:net';
import { Aedes } from 'aedes';

const aedes = await Aedes.createBroker();
createServer(aedes.handle).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
