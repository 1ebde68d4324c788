import { main } from '@ledge/kit';
import { broker } from './broker.ts';

await main(broker);
