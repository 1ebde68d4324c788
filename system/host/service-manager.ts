import type { LogLine } from '@ledge/contract';

export interface ManagedService {
  name: string;
  state: 'starting' | 'running' | 'stopping' | 'stopped' | 'waiting';
  pid?: number;
  restarts: number;
  memoryBytes?: number;
  memoryLimitBytes?: number;
  /** Why it ended last time, for people. */
  lastExit?: string;
}

export interface LogQuery {
  service?: string;
  /** So many of the newest lines first. */
  last: number;
  signal: AbortSignal;
}

/** Whoever starts and stops services on this machine: our supervisor, systemd, or a container engine. */
export interface ServiceManager {
  list(): Promise<ManagedService[]>;
  /**
   * @throws Problem `not-found` for a name it does not manage, `not-allowed` when this process may not,
   * `service-away` when the manager does not answer.
   */
  start(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  /** Newest lines first given, then live ones until the signal ends. */
  logs(query: LogQuery): AsyncIterable<LogLine>;
  /** Gives back what it holds open, if anything. */
  close?(): void;
}
