import type { Wifi, Wired } from './wishes.ts';

/** The network profiles of this machine. Each call may wait until whoever keeps them is there, but not for a network. */
export interface NetworkProfiles {
  /**
   * Makes the profile of a network, or changes the one that is there.
   * @returns `missing-key` when its password was taken at an earlier start and is not there any more
   */
  putWifi(wifi: Wifi): Promise<'done' | 'missing-key'>;
  /** Gives a wired device fixed addresses. */
  putWired(wired: Wired): Promise<void>;
}

export interface HostSettings {
  /** @param label as in `barn.local`, without a domain */
  setHostname(label: string): Promise<void>;
  /** The name for people. */
  setPrettyName(name: string): Promise<void>;
  setTimezone(zone: string): Promise<void>;
}

/** Files below the data directory, each whole on the medium when the call returns. */
export interface DataFiles {
  write(path: string, content: string, mode: number): void;
  remove(path: string): void;
  read(path: string): string | undefined;
}

export interface Ports {
  networks: NetworkProfiles;
  host: HostSettings;
  files: DataFiles;
  /** Everything that was written by anyone is on the medium when this resolves. */
  sync(): Promise<void>;
}
