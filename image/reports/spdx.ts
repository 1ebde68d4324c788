import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ReleaseFacts } from '../app.ts';
import { SUITE, UNPACKED } from '../layers/recipe.ts';
import { readJson } from '../root/root.ts';

interface NpmPackage {
  name: string;
  version: string;
  license?: string;
  integrity?: string;
}

interface PackageLock {
  packages: Record<string, { version?: string; license?: string; integrity?: string; dev?: boolean; link?: boolean }>;
}

/** The npm packages that bundles are made of: all of the folder's lock file, if it has one, that is not for development only. */
export function npmPackagesOf(folder: string): NpmPackage[] {
  const lock = join(folder, 'package-lock.json');
  if (!existsSync(lock)) return [];
  const { packages } = readJson<PackageLock>(lock);
  return Object.entries(packages).flatMap(([path, { version, license, integrity, dev, link }]) => {
    if (!path.startsWith('node_modules/') || dev || link || !version) return [];
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return [{ name, version, ...(license ? { license } : {}), ...(integrity ? { integrity } : {}) }];
  });
}

interface DebianEntry {
  name: string;
  version: string;
  architecture: string;
  layer: string;
}

/** Package URLs (purl-spec): what tools look vulnerabilities up by. */
const purl = {
  debian: ({ name, version, architecture, layer }: DebianEntry) =>
    `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}&distro=${layer === 'updater' ? UNPACKED.updater.suite : SUITE}`,
  npm: (name: string, version: string) => `pkg:npm/${name.replace('@', '%40')}@${version}`,
  generic: (name: string, version: string) => `pkg:generic/${encodeURIComponent(name)}@${encodeURIComponent(version)}`,
};

/** What makes this image another one than all others. */
const namespace = ({ version, commit, kiosk, project }: ReleaseFacts) =>
  [version, commit, ...(kiosk ? ['kiosk'] : []), ...(project ? [project.name, project.version, project.commit ?? ''] : [])].map(
    encodeURIComponent,
  );

const spdxId = (kind: string, name: string, version: string) => `SPDXRef-${kind}-${`${name}-${version}`.replace(/[^A-Za-z0-9.-]/g, '-')}`;

/**
 * A software bill of materials in SPDX 2.3, JSON: every Debian and npm package of the image, and the project in it, sorted, each with its package URL.
 * @param name of the image's files, such as `ledge-rpi`
 */
export function spdx(name: string, release: ReleaseFacts, debian: readonly DebianEntry[], npm: readonly NpmPackage[]): object {
  const document = 'SPDXRef-DOCUMENT';
  const image = 'SPDXRef-Image';
  const { project } = release;
  const entry = (id: string, called: string, versionInfo: string, locator: string, license = 'NOASSERTION') => ({
    SPDXID: id,
    name: called,
    versionInfo,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: license,
    copyrightText: 'NOASSERTION',
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: locator }],
  });
  const packages = [
    ...(project
      ? [
          entry(
            spdxId('project', project.name, project.version),
            project.name,
            project.version,
            purl.generic(project.name, project.version),
          ),
        ]
      : []),
    ...debian.map((p) => entry(spdxId('deb', p.name, p.version), p.name, p.version, purl.debian(p))),
    ...npm.map((p) =>
      entry(
        spdxId('npm', p.name, p.version),
        p.name,
        p.version,
        purl.npm(p.name, p.version),
        /^[\w.+-]+$/.test(p.license ?? '') ? p.license : undefined,
      ),
    ),
  ].sort((a, b) => (a.SPDXID < b.SPDXID ? -1 : a.SPDXID > b.SPDXID ? 1 : 0));
  const unique = packages.filter((p, index) => p.SPDXID !== packages[index - 1]?.SPDXID);
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: document,
    name: `${name}-${project?.version ?? release.version}`,
    documentNamespace: `https://ledge.invalid/spdx/${namespace(release).join('/')}`,
    creationInfo: { created: release.built, creators: ['Tool: ledge-image'] },
    packages: [
      {
        SPDXID: image,
        name,
        versionInfo: project?.version ?? release.version,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        licenseConcluded: 'NOASSERTION',
        licenseDeclared: 'NOASSERTION',
        copyrightText: 'NOASSERTION',
      },
      ...unique,
    ],
    relationships: [
      { spdxElementId: document, relationshipType: 'DESCRIBES', relatedSpdxElement: image },
      ...unique.map((p) => ({ spdxElementId: image, relationshipType: 'CONTAINS', relatedSpdxElement: p.SPDXID })),
    ],
  };
}
