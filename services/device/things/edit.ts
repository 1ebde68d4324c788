import { isMap, isScalar, type Node, parseDocument } from 'yaml';

/** A thing file with `enabled` set and nothing else touched: no comment, no space. The file must be one that can be used. */
export function withEnabled(yaml: string, enabled: boolean): string {
  const map = parseDocument(yaml).contents;
  if (!isMap(map)) return yaml;
  const pairOf = (key: string) => map.items.find((item) => isScalar(item.key) && item.key.value === key);
  const present = (pairOf('enabled')?.value as Node | undefined)?.range;
  if (present) return yaml.slice(0, present[0]) + enabled + yaml.slice(present[1]);

  const driver = pairOf('driver');
  const from = (driver?.key as Node | undefined)?.range?.[0] ?? 0;
  const to = (driver?.value as Node | undefined)?.range?.[1] ?? 0;
  if (map.flow) return `${yaml.slice(0, to)}, enabled: ${enabled}${yaml.slice(to)}`;
  const at = to + yaml.slice(to).search(/\r?\n|$/);
  const indent = yaml.slice(yaml.lastIndexOf('\n', from) + 1, from);
  return `${yaml.slice(0, at)}${yaml.includes('\r\n') ? '\r\n' : '\n'}${indent}enabled: ${enabled}${yaml.slice(at)}`;
}
