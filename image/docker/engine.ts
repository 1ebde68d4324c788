import { run } from '../run.ts';

/** Does a Docker engine answer here (`DOCKER_HOST`, or the socket of this machine)? */
export async function engineAnswers(): Promise<boolean> {
  return await run('docker', ['version', '--format', '{{.Server.Version}}']).then(
    (text) => text.trim() !== '',
    () => false,
  );
}

/** Loads a file of images into the engine. @returns what it said */
export const loadImages = async (file: string): Promise<string> => (await run('docker', ['load', '--quiet', '--input', file])).trim();
