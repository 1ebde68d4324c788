interface Family {
  help: string | undefined;
  type: string | undefined;
  samples: string[];
}

/** Prometheus text format 0.0.4: `# HELP name text`, `# TYPE name type`, `name{labels} value [timestamp]`. */
const META = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/;
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?( [^{}]+)$/;
const SERVICE_LABEL = /(^|,)\s*service="((?:[^"\\]|\\.)*)"/;
const PART_OF_FAMILY = /_(?:bucket|sum|count|total|created)$/;

/**
 * Puts the metrics of several services together: each sample gets the label `service`, and the samples of one metric stand together,
 * as the format asks. A label `service` of the service's own becomes `exported_service`, as Prometheus itself does it.
 * @param speaker whose metrics are also about other services: there, such a label stays
 */
export function mergeExpositions(parts: ReadonlyMap<string, string>, speaker?: string): string {
  const families = new Map<string, Family>();
  const familyOf = (name: string) => {
    const present = families.get(name);
    if (present) return present;
    const family: Family = { help: undefined, type: undefined, samples: [] };
    families.set(name, family);
    return family;
  };
  for (const [service, text] of parts) {
    for (const line of text.split('\n')) {
      const [, kind, name, rest] = META.exec(line) ?? [];
      if (name !== undefined && rest !== undefined) {
        const family = familyOf(name);
        if (kind === 'HELP') family.help ??= rest;
        else family.type ??= rest;
        continue;
      }
      const [, sample, labels = '', value] = SAMPLE.exec(line) ?? [];
      if (sample === undefined || value === undefined) continue;
      const base = sample.replace(PART_OF_FAMILY, '');
      const owner = !families.has(sample) && families.has(base) ? base : sample;
      familyOf(owner).samples.push(`${sample}{${withService(labels, service, speaker)}}${value}`);
    }
  }
  const text = [...families].map(([name, { help, type, samples }]) => {
    const head = [...(help === undefined ? [] : [`# HELP ${name} ${help}`]), ...(type === undefined ? [] : [`# TYPE ${name} ${type}`])];
    return samples.length === 0 ? '' : `${[...head, ...samples].join('\n')}\n`;
  });
  return text.join('');
}

function withService(labels: string, service: string, speaker: string | undefined): string {
  const own = `service="${service}"`;
  const present = SERVICE_LABEL.exec(labels)?.[2];
  if (present === service || (present !== undefined && service === speaker)) return labels;
  const others = present === undefined ? labels : labels.replace(SERVICE_LABEL, '$1exported_service="$2"');
  return others === '' ? own : `${own},${others}`;
}
