import { run } from '../run.ts';

/** Does a Docker engine answer here (`DOCKER_HOST`, or the socket of this machine)? */
export async function engineAnswers(): Promise<boolean> {
  return await run('docker', ['version', '--format', '{{.Server.Version}}']).then(
    (text) => text.trim() !== '',
    () => false,
  );
}

/** Loads a file of images into the engine. */
export async function loadImages(file: string): Promise<void> {
  await run('docker', ['load', '--quiet', '--input', file]);
}

/** The id of an image in the engine; undefined when it has none of that name. */
export const imageId = (tag: string): Promise<string | undefined> =>
  run('docker', ['image', 'inspect', '--format', '{{.Id}}', tag]).then(
    (text) => text.trim(),
    () => undefined,
  );
