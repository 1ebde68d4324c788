import { Problem, serverApi } from '@ledge/contract';
import type { Api } from '@ledge/kit';
import type { AuditNote } from '../auth/audit.ts';
import { OWN_HEADERS } from '../gateway/headers.ts';
import type { KioskDesk } from './kiosk-desk.ts';
import type { KioskPass } from './pass.ts';

const PAGE = '/kiosk';

/** The box's own display: HTTP only. */
export function serveKiosk(api: Api, desk: KioskDesk, pass: KioskPass): void {
  api.handle(serverApi.kioskPass, ({ query, request, response }) => {
    // one answer for both: nobody learns from afar whether a pass was right
    if (!pass.admits(query.pass, request.get(OWN_HEADERS.address) ?? ''))
      throw new Problem('not-allowed', 'This pass is not the one of this box, or it comes from another machine.');
    response.setHeader('Set-Cookie', pass.cookie());
    response.redirect(303, PAGE);
  });

  api.handle(serverApi.kiosk, () => desk.settings);

  api.handle(serverApi.changeKiosk, ({ body }) => {
    desk.replace(body);
    return body;
  });

  api.handle(serverApi.kioskHeartbeat, ({ body, caller, response }) => {
    response.locals.audit = { routine: true } satisfies AuditNote;
    if (caller.role === 'kiosk') desk.hear(body);
  });

  api.handle(serverApi.kioskState, () => desk.state);
}
