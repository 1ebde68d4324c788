import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { ReleaseFacts } from '../app.ts';
import { sha256 } from '../cache.ts';

/** Names of boards in Raspberry Pi Imager's own list. */
const DEVICES = ['pi5-64bit', 'pi4-64bit', 'pi3-64bit'];

/**
 * The manifest that Raspberry Pi Imager reads as a custom repository ("os_list" of version 4 of its schema); `init_format` tells it to
 * write its customisation as cloud-init files.
 */
export async function imagerManifest({
  release,
  card,
  download,
}: {
  release: ReleaseFacts;
  card: string;
  download: string;
}): Promise<object> {
  const { project, version } = release;
  return {
    os_list: [
      {
        name: project ? `${project.name} ${project.version}` : `Ledge ${version}`,
        description: project ? `Made with Ledge ${version}` : 'IoT appliance: sensors, MQTT, live pages, sound',
        url: basename(download),
        release_date: release.built.slice(0, 10),
        extract_size: statSync(card).size,
        extract_sha256: await sha256(card),
        image_download_size: statSync(download).size,
        image_download_sha256: await sha256(download),
        devices: DEVICES,
        init_format: 'cloudinit',
      },
    ],
  };
}
