import { backupApi, Problem, shown } from '@ledge/contract';
import type { Api } from '@ledge/kit';
import type { Response } from 'express';
import type { AuditLog, AuditNote } from '../auth/audit.ts';
import type { BackupDesk } from './desk.ts';

const note = (response: Response, detail: string) => {
  response.locals.audit = { detail } satisfies AuditNote;
};

/** Backup and restore: HTTP only. */
export function serveBackup(api: Api, desk: BackupDesk, audit: AuditLog): void {
  api.handle(backupApi.overview, () => desk.overview());
  api.handle(backupApi.make, ({ body, response, signal }) => {
    note(
      response,
      `${body.history ? 'with' : 'without'} history, ${body.passphrase === undefined ? 'readable by anybody' : 'with a passphrase'}`,
    );
    const begin = () => response.type(backupApi.make.streams).set('Content-Disposition', `attachment; filename="${desk.fileName()}"`);
    return desk.make(body, begin, signal);
  });
  api.handle(backupApi.check, ({ request, signal }) => {
    if (!request.is([...backupApi.check.upload])) {
      const type = shown(request.headers['content-type']);
      throw new Problem('unsupported-media-type', `content-type is ${type}; ${backupApi.check.upload.join(' or ')} is wanted`);
    }
    return desk.check(request, Number(request.headers['content-length'] ?? 0), signal);
  });
  api.handle(backupApi.unlock, ({ params, body, signal }) => desk.unlock(params.id, body.passphrase, signal));
  api.handle(backupApi.restore, async ({ params, response }) => {
    // the gateway, which listens first, has added the entry by then
    const recorded = new Promise<void>((resolve) => response.once('close', resolve)).then(() => audit.flush());
    const restore = await desk.restore(params.id, recorded);
    note(response, `of ${restore.name} (${restore.edge}), made ${restore.made}`);
    return restore;
  });
  api.handle(backupApi.drop, ({ params }) => desk.drop(params.id));
}
