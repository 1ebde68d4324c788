import { main } from '@ledge/kit';
import { media } from './media.ts';

await main(media);
