/** A running mplayer as bytes: the seam where the driver is tested without one. */
export interface PlayerProcess {
  readonly pid: number | undefined;
  write(text: string): void;
  onStdout(listener: (chunk: Uint8Array) => void): void;
  onStderr(listener: (chunk: Uint8Array) => void): void;
  /** Resolves once, when it ended or could not be started; never rejects. */
  readonly ended: Promise<{ code: number | null; signal: string | null; error?: Error }>;
  kill(): void;
}

export interface PlayerProcesses {
  /** Where mplayer is, or undefined when it is not installed. Asked again each time: it may be installed while we run. */
  find(): Promise<string | undefined>;
  spawn(program: string, args: readonly string[]): PlayerProcess;
}
