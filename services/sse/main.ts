import { main } from '@ledge/kit';
import { sse } from './sse.ts';

await main(sse);
