/** The services tree in start order; stopping goes backwards. Memory limits are resident set sizes for a 512 MB board. */
export interface ServicePlan {
  name: string;
  /** The program: a bundle or a source file. */
  module: string;
  memoryLimitMb: number;
}

export const OUR_SERVICES = [
  { name: 'broker', memoryLimitMb: 256 },
  { name: 'device', memoryLimitMb: 192 },
  { name: 'sse', memoryLimitMb: 192 },
  { name: 'media', memoryLimitMb: 160 },
  { name: 'server', memoryLimitMb: 256 },
] as const;
