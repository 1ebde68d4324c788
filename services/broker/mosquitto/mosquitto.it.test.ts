import { engineContract } from '../engine-contract.ts';
import { mosquittoStand } from './test-support.ts';

engineContract('mosquitto', mosquittoStand, { tellsForbidden: false, countsOthersOnly: false });
