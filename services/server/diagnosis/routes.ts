import { serverApi } from '@ledge/contract';
import type { Api, Clock } from '@ledge/kit';
import type { Diagnosis } from './diagnosis.ts';

/** The archive for whoever helps: HTTP only. */
export function serveDiagnosis(api: Api, diagnosis: Diagnosis, edge: { readonly id: string }, clock: Clock): void {
  api.handle(serverApi.diagnosis, async ({ response, signal }) => {
    const day = new Date(clock.now()).toISOString().slice(0, 10);
    response.setHeader('Content-Disposition', `attachment; filename="${edge.id}-diagnosis-${day}.tar.gz"`);
    response.type('application/gzip');
    response.flushHeaders();
    await diagnosis.write(response, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error; // else the reader left
    });
  });
}
