export { MosquittoEngine } from './engine-mosquitto.ts';
export { BoxGuestBook } from './guests.ts';
