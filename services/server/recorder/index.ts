export type { HistoryExport, HistoryQuery, HistoryResult, Recorder, RecorderOptions, SeriesInfo } from './recorder.ts';
export { createRecorder } from './recorder.ts';
export { type RecorderSettings, recorderSettingsSchema } from './settings.ts';
