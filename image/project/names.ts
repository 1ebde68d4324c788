import type { ReleaseFacts } from '../app.ts';

/** A package's name as files and container images bear it: `@garden/Weather` is `garden-weather`. */
export const plainName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

/** Version of an update bundle. Semantic versioning 2, "build metadata": the same Ledge with another project in it can be told apart. */
export const bundleVersion = ({ version, project }: Pick<ReleaseFacts, 'version' | 'project'>): string =>
  project ? `${version}+${plainName(project.name)}.${project.version.replaceAll(/[^0-9A-Za-z.-]/g, '-')}` : version;
