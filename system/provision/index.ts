export { Card } from './card.ts';
export { FILES } from './formats/index.ts';
export { runImport } from './import.ts';
export type { ImportReport } from './report.ts';
