import { serviceContract } from '../service-contract.ts';

serviceContract('mosquitto', { wrongPassword: 5, version: /^mosquitto version \d/ });
