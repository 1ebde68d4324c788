import { type MachineAct, serverApi } from '@ledge/contract';
import type { Api } from '@ledge/kit';
import type { Response } from 'express';
import type { AuditNote } from '../auth/audit.ts';
import type { DoctorDesk } from './doctor-desk.ts';
import type { BoxIdentity, IdentityWish } from './identity.ts';
import type { MachineDesk } from './machine-desk.ts';

const NOTES: Record<MachineAct, string> = {
  reboot: 'restart the machine',
  'power-off': 'switch the machine off',
  'factory-reset': 'delete everything',
};
const note = (response: Response, act: MachineAct) => {
  response.locals.audit = { detail: NOTES[act] } satisfies AuditNote;
};

const identityWords = ({ name, timeZone }: IdentityWish) =>
  [name === undefined ? '' : `name ${name}`, timeZone === undefined ? '' : `time zone ${timeZone}`].filter(Boolean).join(', ');

export interface MachineRoutePorts {
  machine: MachineDesk;
  identity: BoxIdentity;
  doctor: DoctorDesk;
}

/** The machine, who the box is, and its doctor: HTTP only. */
export function serveMachine(api: Api, { machine, identity, doctor }: MachineRoutePorts): void {
  api.handle(serverApi.changeIdentity, async ({ body, caller, response }) => {
    response.locals.audit = { detail: identityWords(body) } satisfies AuditNote;
    await identity.change(body, caller.user);
    return await machine.view();
  });
  api.handle(serverApi.machine, () => machine.view());
  api.handle(serverApi.doctor, () => doctor.report());

  const plain = { reboot: serverApi.reboot, 'power-off': serverApi.powerOff } as const;
  for (const act of ['reboot', 'power-off'] as const) {
    api.handle(plain[act], ({ caller, response }) => {
      note(response, act);
      return machine.ask(act, caller.user);
    });
  }
  api.handle(serverApi.factoryReset, ({ body, caller, response }) => {
    note(response, 'factory-reset');
    return machine.ask('factory-reset', caller.user, body.confirm);
  });
}
