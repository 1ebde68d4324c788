import { setFlagsFromString } from 'node:v8';
import { main } from '@ledge/kit';
import { broker } from './broker.ts';

// A flood makes garbage that dies at once. By default V8 answers with a larger young generation and keeps it: 100 MB for nothing.
setFlagsFromString('--semi-space-growth-factor=1');

await main(broker);
