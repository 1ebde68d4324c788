/** The services that belong to Ledge, and to every box. */
export const OUR_SERVICES = ['broker', 'device', 'media', 'server', 'sse'] as const;
export const isOurService = (name: string): boolean => (OUR_SERVICES as readonly string[]).includes(name);
