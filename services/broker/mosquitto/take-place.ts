import { connect } from 'node:net';
import { Problem } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import { packetType, TYPE } from '../frames.ts';
import type { Address, OwnUser } from './own-connection.ts';

const WITHIN_MS = 3000;
const KEEPALIVE_S = 60;
const FLAG = { cleanSession: 0x02, password: 0x40, userName: 0x80 };

/**
 * Takes the place of a client and leaves at once: MQTT has a server disconnect who had the client id before.
 * A lasting session stays as it is: what mosquitto sends of it is not even read, let alone acknowledged.
 * @throws Problem `bus-away` when mosquitto does not let us
 */
export async function takePlace(address: Address, user: OwnUser, clientId: string, clean: boolean, clock: Clock): Promise<void> {
  const socket = connect(address.port, address.host);
  const answered = Promise.withResolvers<void>();
  const refuse = () => answered.reject(new Problem('bus-away', `mosquitto does not let the client ${clientId} be disconnected`));
  socket.once('data', (data: Buffer) => (packetType(data) === TYPE.connack && data[3] === 0 ? answered.resolve() : refuse()));
  socket.on('error', refuse);
  socket.once('close', refuse);
  const cancel = clock.after(WITHIN_MS, refuse);
  socket.write(connectFrame(user, clientId, clean));
  try {
    await answered.promise;
  } finally {
    cancel();
    socket.destroy();
  }
}

/** CONNECT of MQTT 3.1.1, 3.1. */
function connectFrame({ name, password }: OwnUser, clientId: string, clean: boolean): Buffer {
  const flags = FLAG.userName | FLAG.password | (clean ? FLAG.cleanSession : 0);
  const body = Buffer.concat([text('MQTT'), Buffer.from([4, flags, 0, KEEPALIVE_S]), text(clientId), text(name), text(password)]);
  return Buffer.concat([Buffer.from([TYPE.connect << 4, ...remainingLength(body.length)]), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** 2.2.3: seven bits in each byte, the lowest first. */
function remainingLength(length: number): number[] {
  return length < 128 ? [length] : [(length % 128) | 128, ...remainingLength(Math.floor(length / 128))];
}
