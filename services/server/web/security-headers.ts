import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';

/** Nothing of a page may come from, or go to, elsewhere; no inline script or style; nobody may frame us. */
const PAGE_POLICY = {
  'default-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
};
/** An answer of an API is never a page: what somebody uploaded cannot run as one of ours. */
const API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";
const PERMISSIONS = ['camera', 'display-capture', 'geolocation', 'microphone', 'midi', 'payment', 'serial', 'usb']
  .map((feature) => `${feature}=()`)
  .join(', ');

/** Security headers of every answer on the public port. It speaks plain HTTP: no HSTS, and nothing that browsers ignore without TLS. */
export function securityHeaders() {
  const common = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  });
  return (request: Request, response: Response, next: NextFunction) => {
    response.setHeader('Permissions-Policy', PERMISSIONS);
    common(request, response, (error?: unknown) => {
      if (request.url.startsWith('/api/')) response.setHeader('Content-Security-Policy', API_POLICY);
      next(error);
    });
  };
}
