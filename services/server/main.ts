import { main } from '@ledge/kit';
import { serverService } from './server.ts';

await main(serverService({ environment: process.env }));
