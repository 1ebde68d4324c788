import { main } from '@ledge/kit';
import { deviceService } from './device.ts';

await main(deviceService());
